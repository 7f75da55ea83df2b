use super::*;
use crate::canned;
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::operation::transact_write_items::{TransactWriteItemsError, TransactWriteItemsOutput};
use aws_sdk_dynamodb::types::CancellationReason;
use aws_sdk_dynamodb::types::error::TransactionCanceledException;
use aws_smithy_mocks::{Rule, mock};
use domain::inbox::{Filter, View};
use std::collections::HashMap;

const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

#[tokio::test]
async fn who_lost_against_another_writer_reads_again_and_is_counted_once() {
    let (nothing, one) = (found(vec![]), found(vec![head(1)]));
    let stored = store(&[&nothing, &lost(), &one, &written(2)]).await.unwrap();
    assert_eq!((stored.seq, stored.is_new), (2, true));
    assert_eq!(stored.counts(&View::All, NOON).unseen, 2);
}

#[tokio::test]
async fn what_is_there_is_not_written_again() {
    let there = found(vec![head(3), note_key("ann", &kept().id).number("seq", 2)]);
    let stored = store(&[&there]).await.unwrap();
    assert_eq!((stored.seq, stored.is_new), (2, false));
    assert_eq!(stored.counts(&View::All, NOON).total, 3);
}

#[tokio::test]
async fn the_table_itself_leaves_out_what_another_tenant_said() {
    check_filter(
        Some("north"),
        "#ttl > :now AND #state IN (:state0, :state1, :state2) \
         AND (attribute_not_exists(#tenant) OR #tenant = :tenant)",
    )
    .await;
    check_filter(None, "#ttl > :now AND #state IN (:state0, :state1, :state2)").await;
}

#[test]
fn entries_lie_in_the_order_of_their_numbers() {
    assert!(entry_sk(9) < entry_sk(10) && entry_sk(999_999_999) < entry_sk(1_000_000_000));
    let item = under("ann", entry_sk(12))
        .text("state", "seen")
        .text("created_at", NOON.to_string())
        .text("entry", kept().to_json());
    let entry = read_entry(&item).unwrap();
    assert_eq!((entry.seq, entry.state, entry.kept.title.as_str()), (12, State::Seen, "T"));
    assert!(read_entry(&item.text("state", "eaten")).is_none(), "of another release");
}

async fn check_filter(tenant: Option<&str>, expected: &'static str) {
    let asked = mock!(Client::query)
        .match_requests(move |it| it.filter_expression() == Some(expected))
        .then_output(|| QueryOutput::builder().build());
    let inbox = Inbox::new(&canned::client(&[&asked]), "inbox".into());
    let page = inbox.page(&ann(tenant), &Filter::default(), None, 10, NOON).await.unwrap();
    assert!(page.entries.is_empty() && page.next.is_none());
}

async fn store(rules: &[&Rule]) -> Result<Stored, Refused> {
    Inbox::new(&canned::client(rules), "inbox".into()).store("ann", None, &kept(), NOON).await
}

fn found(items: Vec<Item>) -> Rule {
    mock!(Client::batch_get_item).then_output(move || {
        let items = items.iter().cloned().map(Item::into_map).collect();
        BatchGetItemOutput::builder().set_responses(Some(HashMap::from([("inbox".into(), items)]))).build()
    })
}

/// A transaction of head, note and entry, over the head before this number.
fn written(seq: u64) -> Rule {
    mock!(Client::transact_write_items)
        .match_requests(move |it| {
            let puts: Vec<&Put> = it.transact_items().iter().filter_map(|it| it.put()).collect();
            puts.len() == 3
                && puts[0].condition_expression() == Some("version = :version")
                && puts[2].item()["sk"] == AttributeValue::S(entry_sk(seq))
        })
        .then_output(|| TransactWriteItemsOutput::builder().build())
}

fn lost() -> Rule {
    mock!(Client::transact_write_items).then_error(|| {
        let reason = CancellationReason::builder().code("ConditionalCheckFailed").build();
        let error = TransactionCanceledException::builder().cancellation_reasons(reason).build();
        TransactWriteItemsError::TransactionCanceledException(error)
    })
}

/// A head that has counted so many.
fn head(count: u64) -> Item {
    let head = (0..count).fold(Head::default(), |it, _| it.with_one_more(None, NOON).0);
    let version = i64::try_from(count).unwrap();
    head_key("ann").text("head", serde_json::to_string(&head).unwrap()).number("version", version)
}

fn ann(tenant: Option<&str>) -> Viewer {
    Viewer { user: "ann".into(), view: View::own(tenant.map(str::to_owned)) }
}

fn kept() -> Kept {
    serde_json::from_str(
        r#"{"id":"k","event":{"id":"e","source":"s","type":"t","time":"2026-11-20T12:00:00Z"},"rule":"r","category":"c",
            "priority":"normal","title":"T","body":"B"}"#,
    )
    .unwrap()
}
