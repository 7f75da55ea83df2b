use super::*;
use crate::canned;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsOutput;
use aws_sdk_dynamodb::operation::update_item::UpdateItemOutput;
use aws_smithy_mocks::{Rule, mock};
use domain::webhook::endpoint::secret::stored::StoredSecret;
use domain::webhook::endpoint::secret::{Scheme, Secret};

const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

#[tokio::test]
async fn fifty_first_endpoint_is_refused() {
    let done = register("acme", &[&nothing(), &nothing(), &ids(50)], false).await;
    assert_eq!(done, Registered::Full);
}

#[tokio::test]
async fn new_endpoint_is_unverified_and_guarded_by_the_count_that_was_read() {
    let written = mock!(Client::transact_write_items)
        .match_requests(|input| {
            let puts: Vec<_> =
                input.transact_items().iter().filter_map(|transact_item| transact_item.put()).collect();
            let of = |pk: &str| puts.iter().find(|put| put.item()["pk"] == AttributeValue::S(pk.to_owned()));
            let (endpoint, guard) = (of("endpoints#acme").unwrap(), of("endpoint-count#acme").unwrap());
            endpoint.item().contains_key("unverified")
                && endpoint.condition_expression() == Some("attribute_not_exists(pk)")
                && guard.condition_expression() == Some("version = :version")
                && guard.item()["version"] == AttributeValue::N("8".to_owned())
        })
        .then_output(|| TransactWriteItemsOutput::builder().build());
    let guard = row(Item::default().number("version", 7));
    let done = register("acme", &[&nothing(), &guard, &ids(49), &written], false).await;
    assert_eq!(done, Registered::New);
}

#[tokio::test]
async fn url_of_another_origin_makes_an_endpoint_unverified() {
    for (before, vouched, moved, expected) in [
        ("https://erp.example.com/old", false, false, "SET #endpoint = :endpoint, changed_at = :now"),
        (
            "https://other.example.com/hooks",
            false,
            true,
            "SET #endpoint = :endpoint, changed_at = :now, unverified = :unverified REMOVE challenge, headers",
        ),
        (
            "https://other.example.com/hooks",
            true,
            true,
            "SET #endpoint = :endpoint, changed_at = :now REMOVE unverified, challenge, headers",
        ),
    ] {
        let found = row(Item::default().text("endpoint", json(&erp("acme", before))));
        let updated = mock!(Client::update_item)
            .match_requests(move |input| {
                input.update_expression() == Some(expected)
                    && input.condition_expression() == Some("#endpoint = :before")
            })
            .then_output(|| UpdateItemOutput::builder().build());
        let secrets = row(Item::default().text("secrets", "{}"));
        let done = register("acme", &[&found, &updated, &secrets], vouched).await;
        assert_eq!(done, Registered::Changed { moved }, "{before} {vouched}");
    }
}

#[tokio::test]
async fn headers_are_kept_unless_replaced_or_the_origin_changes() {
    let encrypted = || EncryptedHeaders { names: vec!["authorization".into()], ciphertext: "AQID".into() };
    let (same, other) = ("https://erp.example.com/old", "https://other.example.com/hooks");
    for (before, headers, expected) in [
        (same, NewHeaders::Keep, "REMOVE unverified, challenge"),
        (other, NewHeaders::Keep, "REMOVE unverified, challenge, headers"),
        (same, NewHeaders::Replace(None), "REMOVE unverified, challenge, headers"),
        (other, NewHeaders::Replace(Some(encrypted())), "headers = :headers REMOVE unverified, challenge"),
    ] {
        let found = row(Item::default().text("endpoint", json(&erp("acme", before))));
        let updated = mock!(Client::update_item)
            .match_requests(move |input| {
                input
                    .update_expression()
                    .is_some_and(|update_expression| update_expression.ends_with(expected))
            })
            .then_output(|| UpdateItemOutput::builder().build());
        let secrets = row(Item::default().text("secrets", "{}"));
        let endpoints = Endpoints::new(&canned::client(&[&found, &updated, &secrets]), "endpoints".into());
        let wanted = erp("acme", "https://erp.example.com/hooks");
        let done = endpoints.register_with(&wanted, &StoredSecrets::default(), &headers, true, NOON).await;
        assert!(matches!(done, Ok(Registered::Changed { .. })), "{before} {expected}: {done:?}");
    }
}

async fn register(tenant: &str, rules: &[&Rule], vouched: bool) -> Registered {
    let endpoints = Endpoints::new(&canned::client(rules), "endpoints".into());
    let secret = Secret::new(Scheme::Hmac, vec![7; 32]).unwrap();
    let secrets = StoredSecrets::of(StoredSecret::Plain(secret));
    let endpoint = erp(tenant, "https://erp.example.com/hooks");
    endpoints.register(&endpoint, &secrets, vouched, NOON).await.unwrap()
}

fn erp(tenant: &str, url: &str) -> Endpoint {
    serde_json::from_value(serde_json::json!({ "tenant": tenant, "id": "erp", "url": url })).unwrap()
}

fn nothing() -> Rule {
    mock!(Client::get_item).then_output(|| GetItemOutput::builder().build())
}

fn row(item: Item) -> Rule {
    mock!(Client::get_item)
        .then_output(move || GetItemOutput::builder().set_item(Some(item.clone().into_map())).build())
}

/// A consistently read page of this many endpoints.
fn ids(count: usize) -> Rule {
    mock!(Client::query).match_requests(|input| input.consistent_read() == Some(true)).then_output(
        move || {
            let items =
                (0..count).map(|n| Item::default().text("pk", "p").text("sk", n.to_string()).into_map());
            QueryOutput::builder().set_items(Some(items.collect())).build()
        },
    )
}
