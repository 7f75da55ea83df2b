use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::batch_execute_statement::{
    BatchExecuteStatementInput, BatchExecuteStatementOutput,
};
use aws_sdk_dynamodb::types::{
    AttributeValue, BatchStatementError, BatchStatementErrorCodeEnum, BatchStatementResponse,
};
use aws_smithy_mocks::{Rule, mock};
use domain::Timestamp;
use domain::base::stack_secret::StackSecret;
use domain::event::bus::BusEvent;
use domain::event::outbox_mark::{MarkKey, MarkedEntry, text_digest};
use domain::event::own_events::REPLAY_SOURCE;
use domain::event::replay::received;

use super::*;
use crate::canned;

const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);
const TEXT: &str = r#"{"specversion":"1.0","id":"e-1","source":"shop","type":"order.paid","time":"2026-11-20T12:00:00Z","subject":"order/7","actor":"ann","sequence":"1"}"#;

#[tokio::test]
async fn acknowledgement_compares_the_digest_and_copies_nothing_from_the_bus() {
    let acknowledged = rule(true, |call| {
        let (text, values) = statement(call);
        assert!(text.starts_with("UPDATE"), "{text}");
        assert!(text.ends_with(r#"AND "pending" IS NOT MISSING AND "digest" = ?"#), "{text}");
        for envelope in ["\"id\"", "\"type\"", "\"actor\"", "\"event\"", "SET \"digest\""] {
            assert!(!text.contains(envelope), "{envelope}: {text}");
        }
        assert_eq!(values.last(), Some(&text_digest(TEXT)));
    });
    check(&[acknowledged], &[&mark()], true, &[]).await;
}

#[tokio::test]
async fn entry_without_a_digest_is_acknowledged_by_the_mark_of_the_relay() {
    let adopted = rule(true, |call| {
        let (text, values) = statement(call);
        assert!(text.ends_with(r#"AND "pending" IS NOT MISSING AND "digest" IS MISSING"#), "{text}");
        assert!(text.contains("SET \"type\" = ?") && text.contains("SET \"digest\" = ?"), "{text}");
        assert!(values.contains(&text_digest(TEXT)) && values.contains(&"order.paid".to_owned()));
    });
    check(&[rule(false, |_| ()), adopted], &[&mark()], true, &[]).await;
}

#[tokio::test]
async fn second_delivery_of_an_acknowledged_entry_changes_nothing() {
    let known = rule(true, |call| {
        let (text, _) = statement(call);
        assert!(text.contains(r#"SET "digest" = ? WHERE"#), "the digest is set to itself: {text}");
        assert!(text.ends_with(r#"AND "pending" IS MISSING AND "digest" = ?"#), "{text}");
    });
    check(&[rule(false, |_| ()), rule(false, |_| ()), known], &[&mark()], false, &[]).await;
    let known_before = rule(true, |call| {
        let (text, _) = statement(call);
        assert!(text.contains(r#"SET "id" = ? WHERE"#) && text.contains(r#""digest" IS MISSING"#), "{text}");
    });
    let refused = || rule(false, |_| ());
    check(&[refused(), refused(), refused(), known_before], &[&mark()], false, &[]).await;
}

#[tokio::test]
async fn claim_without_an_entry_is_an_ordinary_record_with_a_finding() {
    let refused = || rule(false, |_| ());
    let rounds = [refused(), refused(), refused(), refused(), inserted("outbox_entry_differs")];
    check(&rounds, &[&mark()], true, &[Finding::OutboxEntryDiffers]).await;
    // The mark of the last release adopts no entry, because it does not prove which text was stored.
    let rounds = [refused(), refused(), inserted("unproven_outbox_mark")];
    check(&rounds, &["carillon:outbox"], true, &[Finding::UnprovenOutboxMark]).await;
}

#[tokio::test]
async fn forged_mark_sends_no_write_to_the_outbox() {
    let forged = mark().replace('A', "B") + "A";
    for mark in [forged.as_str(), "carillon:outbox:"] {
        let finding = [Finding::UnprovenOutboxMark];
        check(&[inserted("unproven_outbox_mark")], &[mark, "carillon:outbox"], true, &finding).await;
    }
}

/// Appends the record of [`TEXT`] with these marks against these answers and compares the result.
async fn check(rules: &[Rule], marks: &[&str], is_new: bool, findings: &[Finding]) {
    let body = format!(
        r#"{{"id":"b-1","account":"1","detail-type":"order.paid","source":"shop","time":"2026-11-20T12:00:01Z","resources":{},"detail":{TEXT}}}"#,
        serde_json::json!(marks)
    );
    let bus = BusEvent::parse(&body).unwrap();
    let record = Record::of(
        &received(bus.unverified_event().unwrap(), &bus, |source| source == REPLAY_SOURCE),
        &bus,
        &key(),
        NOON,
    );
    let rules: Vec<&Rule> = rules.iter().collect();
    let events = Events::new(&canned::client(&rules), "events".to_owned());
    let kept = events.append(&[record]).await.unwrap().remove(0).unwrap();
    assert_eq!(kept, AppendedRecord { is_new, findings: findings.to_vec() }, "{marks:?}");
    assert!(rules.iter().all(|rule| rule.num_calls() == 1), "each write is sent once");
}

/// One answer of the table, with a check of the call before it.
fn rule(is_done: bool, asked: impl Fn(&BatchExecuteStatementInput) + Send + Sync + 'static) -> Rule {
    let answer = move || {
        let error = BatchStatementError::builder().code(BatchStatementErrorCodeEnum::ConditionalCheckFailed);
        let answer = BatchStatementResponse::builder().set_error((!is_done).then(|| error.build())).build();
        BatchExecuteStatementOutput::builder().responses(answer).build()
    };
    let matches = move |call: &BatchExecuteStatementInput| {
        asked(call);
        true
    };
    mock!(Client::batch_execute_statement).match_requests(matches).then_output(answer)
}

/// The insertion of an ordinary record with this finding.
fn inserted(finding: &'static str) -> Rule {
    rule(true, move |call| {
        let (text, values) = statement(call);
        assert!(text.starts_with("INSERT"), "{text}");
        assert!(values.iter().any(|value| value.starts_with("event#shop#e-1#")), "{values:?}");
        assert!(
            !values.iter().any(|value| value.starts_with("version#") || value.starts_with("outbox#")),
            "{values:?}"
        );
        assert!(values.contains(&finding.to_owned()), "{values:?}");
    })
}

/// The one statement of a call, and the strings among its parameters.
fn statement(call: &BatchExecuteStatementInput) -> (String, Vec<String>) {
    let statement = &call.statements()[0];
    let values =
        statement.parameters().iter().filter_map(|value: &AttributeValue| value.as_s().ok().cloned());
    (statement.statement().to_owned(), values.collect())
}

fn mark() -> String {
    let (pk, sk) = ("stream#-#order/7", "version#00000000000000000001");
    key().sign(MarkedEntry { source: "shop", id: "e-1", pk, sk }, TEXT).unwrap()
}

fn key() -> MarkKey {
    MarkKey::of(&StackSecret::read("0123456789abcdef0123456789abcdef").unwrap())
}
