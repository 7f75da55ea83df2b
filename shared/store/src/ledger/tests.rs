use super::*;
use crate::canned;
use aws_sdk_dynamodb::operation::batch_execute_statement::BatchExecuteStatementOutput;
use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_sdk_dynamodb::types::{BatchStatementError, BatchStatementErrorCodeEnum, BatchStatementResponse};
use aws_smithy_mocks::{Rule, mock};

const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

#[test]
fn suppressed_set_is_empty_when_another_set_of_the_event_sends() {
    let row = |set: Option<&str>| Item::default().maybe("set_id", set);
    let rows = |sets: &[Option<&str>]| sets.iter().map(|set| row(*set)).collect::<Vec<Item>>();
    let suppressed = Set::suppressed(Some(1), None).id;
    let of = |sets: &[Option<&str>], set: &str| of_set(&rows(sets), set).len();
    assert_eq!(of(&[Some(&suppressed), None, Some(&suppressed)], &suppressed), 2);
    assert_eq!(of(&[Some(&suppressed), Some("event")], &suppressed), 0, "another set reports the outcome");
    assert_eq!(of(&[Some(&suppressed), Some("event"), Some("a1")], "event"), 1);
}

#[test]
fn category_of_a_set_round_trips() {
    for category in [None, Some("EHR_RECORD".to_owned())] {
        let set = Set { id: "event".to_owned(), of: 2, category };
        assert_eq!(row::read_set(&row::set_item(Some(&set))), Some(set));
    }
    assert_eq!(row::read_set(&Item::default()), None);
}

#[tokio::test]
async fn unclear_claim_is_unsent_unless_a_lease_was_abandoned() {
    let broken = || says(Some(BatchStatementErrorCodeEnum::InternalServerError));
    let exists = || says(Some(BatchStatementErrorCodeEnum::DuplicateItem));
    check(&[&broken()], true).await;
    check(&[&exists(), &row("released", "other"), &broken()], true).await;
    check(&[&exists(), &row("claimed", "other"), &broken()], false).await;
}

#[tokio::test]
async fn taking_over_a_missed_event_removes_its_reason() {
    let missed = mock!(Client::get_item).then_output(|| {
        let row = Item::default().text("status", "suppressed").text("reason", "endpoint_disabled");
        GetItemOutput::builder().set_item(Some(row.into_map())).build()
    });
    let taken = mock!(Client::batch_execute_statement)
        .match_requests(|input| {
            let statement = &input.statements()[0];
            let text = statement.statement();
            let last = statement.parameters().last();
            text.contains("REMOVE \"reason\" REMOVE \"note\"")
                && text.ends_with("AND \"status\" = ? AND \"reason\" = ?")
                && last == Some(&AttributeValue::S("endpoint_disabled".to_owned()))
        })
        .then_output(|| {
            BatchExecuteStatementOutput::builder()
                .responses(BatchStatementResponse::builder().build())
                .build()
        });
    let exists = says(Some(BatchStatementErrorCodeEnum::DuplicateItem));
    let ledger = Ledger::new(&canned::client(&[&exists, &missed, &taken]), "ledger".into());
    let standings = ledger.claim(&[&job()], "token", NOON, NOON).await.unwrap();
    assert!(matches!(standings[..], [ClaimStatus::Ours(Tried { times: 0, .. })]), "{standings:?}");
}

fn job() -> Job {
    serde_json::from_str(
        r#"{"version":1,"key":"k","event":{"id":"e","source":"s","type":"t","time":"2026-11-20T12:00:00Z"},
            "rule":"r","catalog":"c","recipient":"ann","priority":"normal","on_unknown":"hold",
            "content":{"socket":{"to":{"user":"ann"},"title":"","body":"","data":{}}}}"#,
    )
    .unwrap()
}

/// Claims one job and expects an unclear result with this `unsent` flag.
async fn check(answers: &[&Rule], expect_unsent: bool) {
    let ledger = Ledger::new(&canned::client(answers), "ledger".into());
    let standings = ledger.claim(&[&job()], "token", NOON, NOON).await.unwrap();
    let [ClaimStatus::Unclear { unsent, .. }] = standings[..] else { panic!("{standings:?}") };
    assert_eq!(unsent, expect_unsent);
}

fn says(error: Option<BatchStatementErrorCodeEnum>) -> Rule {
    mock!(Client::batch_execute_statement).then_output(move || {
        let error = error.clone().map(|code| BatchStatementError::builder().code(code).build());
        let answer = BatchStatementResponse::builder().set_error(error).build();
        BatchExecuteStatementOutput::builder().responses(answer).build()
    })
}

/// A row whose lease has expired.
fn row(status: &'static str, token: &'static str) -> Rule {
    mock!(Client::get_item).then_output(move || {
        let row = Item::default().text("status", status).text("claim_token", token).number("lease_until", 0);
        GetItemOutput::builder().set_item(Some(row.into_map())).build()
    })
}
