//! The handling of whole batches, with real clients over prepared tables and queues.

mod cloud;
mod logged;
mod setup;

use std::collections::BTreeMap;

use jiff::SignedDuration;
use queue::MAX_MESSAGE_BYTES;
use runtime::{Batch, Deadline, Error, Message};
use serde_json::{Value, json};

use self::cloud::{Cloud, Sent};
use self::logged::Logged;
use self::setup::{cloud, dispatcher, event, now, page, paid};

#[tokio::test]
async fn batch_becomes_jobs_and_outcomes() {
    let (cloud, logged) = (cloud(), Logged::default());
    let failed = handle(&cloud, &logged, &[paid("e-1", "ann"), paid("e-2", "cleo")]).await.unwrap();
    assert!(failed.is_empty(), "{failed:?}");
    let [job]: [Sent; 1] = jobs(&cloud).try_into().unwrap();
    assert_eq!((job.queue.as_str(), job.group.as_deref()), ("email", Some("-")));
    let body: Value = serde_json::from_str(&job.body).unwrap();
    assert_eq!(body["recipient"], "ann");
    assert_eq!(body["content"]["email"]["to"], "ann@example.com");
    assert_eq!(outcomes(&cloud), [outcome("cleo", "suppressed", "no_address")]);
    assert_eq!(logged.codes(), ["DISPATCH_BATCH"]);
    let batch = logged.line("DISPATCH_BATCH");
    assert_eq!((&batch["messages"], &batch["jobs"], &batch["outcomes"]), (&json!(2), &json!(1), &json!(1)));
}

#[tokio::test]
async fn refused_message_becomes_a_dead_letter_and_its_neighbours_are_handled() {
    let (cloud, logged) = (cloud(), Logged::default());
    let batch = [paid("e-1", "ann"), "no json".to_owned(), paid("e-3", "ben")];
    let failed = handle(&cloud, &logged, &batch).await.unwrap();
    assert!(failed.is_empty(), "the dead letter leaves its queue: {failed:?}");
    assert_eq!(recipients(&cloud), ["ann", "ben"]);
    let [letter]: [Value; 1] = cloud.calls("SendMessage").try_into().unwrap();
    assert_eq!(letter["MessageBody"], "no json");
    assert_eq!(letter["QueueUrl"], "https://sqs.example/dead-letters");
    assert_eq!(letter["MessageAttributes"]["by"]["StringValue"], "dispatch");
    assert_eq!(letter["MessageAttributes"]["cause"]["StringValue"], "refused");
    assert_eq!(logged.codes(), ["DISPATCH_EVENT_REFUSED", "DISPATCH_BATCH"]);
}

#[tokio::test]
async fn message_returns_when_the_dead_letter_queue_does_not_answer() {
    let cloud = Cloud { throttled: vec![("SendMessage", "no json".to_owned())], ..cloud() };
    let logged = Logged::default();
    let failed = handle(&cloud, &logged, &["no json".to_owned(), paid("e-2", "ben")]).await.unwrap();
    assert_eq!(failed, ["m-0"]);
    assert_eq!(recipients(&cloud), ["ben"]);
    assert!(logged.codes().contains(&"DEAD_LETTER_NOT_SENT".to_owned()));
}

#[tokio::test]
async fn only_the_message_whose_job_is_not_queued_returns() {
    let cloud = Cloud { refused: ["ann@example.com".to_owned()].into(), ..cloud() };
    let logged = Logged::default();
    let batch = [paid("e-1", "ann"), paid("e-2", "ben"), paid("e-3", "cleo")];
    let failed = handle(&cloud, &logged, &batch).await.unwrap();
    assert_eq!(failed, ["m-0"]);
    assert_eq!(recipients(&cloud), ["ben"]);
    assert_eq!(outcomes(&cloud), [outcome("cleo", "suppressed", "no_address")]);
    assert_eq!(logged.codes(), ["DISPATCH_OUTPUT_INCOMPLETE", "DISPATCH_BATCH"]);
    assert_eq!(logged.line("DISPATCH_BATCH")["returned"], 1);
}

#[tokio::test]
async fn only_the_message_whose_lookup_is_throttled_returns() {
    let cloud = Cloud { throttled: vec![("GetItem", "cancel#".to_owned())], ..cloud() };
    let logged = Logged::default();
    let visit = event("e-1", "visit.booked", &json!({ "user": "ann", "visit": "v-1" }), now());
    let failed = handle(&cloud, &logged, &[visit, paid("e-2", "ben")]).await.unwrap();
    assert_eq!(failed, ["m-0"]);
    assert_eq!(recipients(&cloud), ["ben"]);
    assert!(cloud.rows().is_empty(), "an undecided event has no outcome");
    assert_eq!(logged.codes(), ["DISPATCH_RETRY", "DISPATCH_BATCH"]);
}

#[tokio::test]
async fn batch_returns_whole_when_no_profile_can_be_read() {
    let cloud = Cloud { throttled: vec![("BatchGetItem", String::new())], ..cloud() };
    let logged = Logged::default();
    let error = handle(&cloud, &logged, &[paid("e-1", "ann"), paid("e-2", "ben")]).await.unwrap_err();
    assert!(runtime::chain(error.as_ref()).contains("too many calls"), "{error}");
    assert!(cloud.sent().is_empty() && cloud.rows().is_empty());
}

#[tokio::test]
async fn second_delivery_writes_the_same_keys() {
    let cloud = cloud();
    let batch = [paid("e-1", "ann"), paid("e-2", "cleo")];
    handle(&cloud, &Logged::default(), &batch).await.unwrap();
    let (first_jobs, first_rows) = (jobs(&cloud), cloud.rows());
    let again = Cloud { insert_error: Some("DuplicateItem"), ..self::cloud() };
    let failed = handle(&again, &Logged::default(), &batch).await.unwrap();
    assert!(failed.is_empty(), "an outcome that the ledger has already is complete: {failed:?}");
    assert_eq!(keys_of_jobs(&jobs(&again)), keys_of_jobs(&first_jobs));
    let keys = |rows: &[BTreeMap<String, String>]| -> Vec<(String, String)> {
        rows.iter().map(|row| (row["pk"].clone(), row["sk"].clone())).collect()
    };
    assert_eq!(keys(&again.rows()), keys(&first_rows));
    assert!(
        !again.operations().iter().any(|operation| operation == "TransactWriteItems"),
        "dispatch claims no notification"
    );
}

#[tokio::test]
async fn message_returns_when_its_outcome_is_not_recorded() {
    let cloud = Cloud { insert_error: Some("ThrottlingError"), ..cloud() };
    let logged = Logged::default();
    let failed = handle(&cloud, &logged, &[paid("e-1", "ann"), paid("e-2", "cleo")]).await.unwrap();
    assert_eq!(failed, ["m-1"], "the job of the other message is queued");
    assert_eq!(logged.codes(), ["DISPATCH_OUTPUT_INCOMPLETE", "DISPATCH_BATCH"]);
}

#[tokio::test]
async fn expired_event_is_suppressed() {
    let (cloud, logged) = (cloud(), Logged::default());
    let hour_ago = now() - SignedDuration::from_hours(1);
    let code = event("e-1", "code.issued", &json!({ "user": "ann" }), hour_ago);
    let failed = handle(&cloud, &logged, &[code]).await.unwrap();
    assert!(failed.is_empty() && cloud.sent().is_empty());
    assert_eq!(outcomes(&cloud), [outcome("ann", "suppressed", "expired")]);
    assert_eq!(logged.codes(), ["DISPATCH_BATCH"]);
}

#[tokio::test]
async fn continuation_of_a_newer_release_is_hidden_and_returns() {
    let (cloud, logged) = (cloud(), Logged::default());
    let continuation = include_str!("../../../shared/domain/fixtures/0.1.0/wakes/wait.json");
    let newer = continuation.replacen("\"carillon_wake\":1", "\"carillon_wake\":2", 1);
    let failed = handle(&cloud, &logged, &[newer, paid("e-2", "ben")]).await.unwrap();
    assert_eq!(failed, ["m-0"]);
    let [hidden]: [Value; 1] = cloud.calls("ChangeMessageVisibility").try_into().unwrap();
    assert_eq!((&hidden["ReceiptHandle"], &hidden["VisibilityTimeout"]), (&json!("r-0"), &json!(30)));
    assert_eq!(recipients(&cloud), ["ben"]);
    assert_eq!(logged.codes(), ["WAKE_NEWER", "DISPATCH_BATCH"]);
}

#[tokio::test]
async fn notification_larger_than_a_queue_message_fails() {
    let (cloud, logged) = (cloud(), Logged::default());
    // The template writes the text six times, and JSON writes six characters for this one.
    let text = "\u{1}".repeat(MAX_MESSAGE_BYTES / 35);
    let long = event("e-1", "report.written", &json!({ "user": "ann", "text": text }), now());
    let failed = handle(&cloud, &logged, &[long, paid("e-2", "ben")]).await.unwrap();
    assert!(failed.is_empty(), "{failed:?}");
    assert_eq!(recipients(&cloud), ["ben"]);
    assert_eq!(outcomes(&cloud), [outcome("ann", "failed", "too_large")]);
}

#[tokio::test]
async fn recipient_of_another_tenant_is_not_notified() {
    let (cloud, logged) = (cloud(), Logged::default());
    let mut event: Value = serde_json::from_str(&paid("e-1", "ann")).unwrap();
    event["detail"]["tenant"] = "unknown".into();
    let failed = handle(&cloud, &logged, &[event.to_string(), paid("e-2", "ben")]).await.unwrap();
    assert!(failed.is_empty(), "{failed:?}");
    assert_eq!(recipients(&cloud), ["ben"]);
    assert_eq!(outcomes(&cloud), [outcome("ann", "suppressed", "other_tenant")]);
    assert_eq!(logged.codes(), ["DISPATCH_BATCH"]);
}

#[tokio::test]
async fn event_over_its_rate_waits_unchanged_in_the_bulk_lane() {
    let cloud = Cloud { counted: 100_000, ..cloud() };
    let logged = Logged::default();
    let body = paid("e-1", "ann");
    let failed = handle(&cloud, &logged, std::slice::from_ref(&body)).await.unwrap();
    assert!(failed.is_empty(), "{failed:?}");
    let [waiting]: [Sent; 1] = cloud.sent().try_into().unwrap();
    assert_eq!((waiting.queue.as_str(), &waiting.body), ("bulk", &body));
    assert!(waiting.delay_s >= 1, "{waiting:?}");
    assert!(cloud.calls("BatchGetItem").is_empty() && cloud.rows().is_empty(), "undecided");
    assert_eq!(logged.codes(), ["DISPATCH_RATE_SOURCE", "DISPATCH_BATCH"]);
}

#[tokio::test]
async fn message_without_time_left_returns_undecided() {
    let (cloud, logged) = (cloud(), Logged::default());
    let _guard = logged.start();
    let batch = Batch { deadline: Deadline::at_millis(0), ..batch(&[paid("e-1", "ann")]) };
    let report = dispatcher(&cloud).handle(batch).await.unwrap();
    assert_eq!(failures(&report), ["m-0"]);
    assert!(cloud.sent().is_empty() && cloud.rows().is_empty());
}

#[tokio::test]
async fn cancellation_is_written_before_the_jobs_and_outcomes() {
    let (cloud, logged) = (cloud(), Logged::default());
    let cancels = event("e-1", "visit.cancelled", &json!({ "user": "ann", "visit": "v-1" }), now());
    let failed = handle(&cloud, &logged, &[cancels, paid("e-2", "ben")]).await.unwrap();
    assert!(failed.is_empty(), "{failed:?}");
    let is_cancellation = |call: &Value| call["Key"]["pk"]["S"].as_str().unwrap().starts_with("cancel#");
    assert!(cloud.calls("UpdateItem").iter().any(is_cancellation));
    let operations = cloud.operations();
    let last = |name: &str| operations.iter().rposition(|operation| operation == name).unwrap();
    let first = |name: &str| operations.iter().position(|operation| operation == name).unwrap();
    assert!(last("UpdateItem") < first("SendMessageBatch"), "{operations:?}");
    assert!(last("SendMessageBatch") < first("BatchExecuteStatement"), "{operations:?}");
    assert_eq!(outcomes(&cloud)[0].1, "suppressed");
    assert_eq!(outcomes(&cloud)[0].2, "cancels");
}

#[tokio::test]
async fn page_of_a_large_audience_is_marked_after_all_of_its_output() {
    let (cloud, logged, page) = (cloud(), Logged::default(), page());
    let failed = handle(&cloud, &logged, std::slice::from_ref(&page)).await.unwrap();
    assert!(failed.is_empty(), "{failed:?}");
    assert_eq!(recipients(&cloud), ["ann", "ben"]);
    assert_eq!(cloud.operations().last().map(String::as_str), Some("PutItem"), "the mark is the last write");
    let [mark]: [Value; 1] = cloud.calls("PutItem").try_into().unwrap();

    let incomplete = Cloud { refused: ["ann@example.com".to_owned()].into(), ..self::cloud() };
    let failed = handle(&incomplete, &logged, std::slice::from_ref(&page)).await.unwrap();
    assert_eq!(failed, ["m-0"]);
    assert!(incomplete.calls("PutItem").is_empty(), "a page without all of its jobs has no mark");

    let mut done = self::cloud();
    done.items.insert(mark["Item"]["pk"]["S"].as_str().unwrap().to_owned(), mark["Item"].clone());
    let failed = handle(&done, &logged, &[page]).await.unwrap();
    assert!(failed.is_empty() && done.sent().is_empty(), "a marked page is not handled again");
}

/// Handles a batch of these bodies, and returns the ids of the messages that return to the queue.
async fn handle(cloud: &Cloud, logged: &Logged, bodies: &[String]) -> Result<Vec<String>, Error> {
    let _guard = logged.start();
    dispatcher(cloud).handle(batch(bodies)).await.map(|report| failures(&report))
}

fn batch(bodies: &[String]) -> Batch {
    let message = |(index, body): (usize, &String)| -> Message {
        serde_json::from_value(json!({
            "messageId": format!("m-{index}"), "receiptHandle": format!("r-{index}"), "body": body,
            "attributes": { "ApproximateReceiveCount": "1" }, "eventSourceARN": "arn:normal",
        }))
        .unwrap()
    };
    Batch {
        messages: bodies.iter().enumerate().map(message).collect(),
        request_id: "request-1".to_owned(),
        deadline: Deadline::at_millis(u64::MAX),
    }
}

fn failures(report: &runtime::Report) -> Vec<String> {
    let report = serde_json::to_value(report).unwrap();
    let failures = report["batchItemFailures"].as_array().unwrap().iter();
    failures.map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned()).collect()
}

fn jobs(cloud: &Cloud) -> Vec<Sent> {
    cloud.sent().into_iter().filter(|sent| sent.queue == "email").collect()
}

fn keys_of_jobs(jobs: &[Sent]) -> Vec<Value> {
    jobs.iter().map(|job| serde_json::from_str::<Value>(&job.body).unwrap()["key"].clone()).collect()
}

/// The recipients of all jobs.
fn recipients(cloud: &Cloud) -> Vec<String> {
    let recipient = |job: &Sent| serde_json::from_str::<Value>(&job.body).unwrap()["recipient"].clone();
    let mut found: Vec<String> =
        jobs(cloud).iter().map(|job| recipient(job).as_str().unwrap().to_owned()).collect();
    found.sort();
    found
}

/// Recipient, status and reason of each outcome.
fn outcomes(cloud: &Cloud) -> Vec<(String, String, String)> {
    let rows = cloud.rows().into_iter();
    rows.map(|row| (row["recipient"].clone(), row["status"].clone(), row["reason"].clone())).collect()
}

fn outcome(recipient: &str, status: &str, reason: &str) -> (String, String, String) {
    (recipient.to_owned(), status.to_owned(), reason.to_owned())
}
