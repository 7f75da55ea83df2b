use super::*;
use std::cell::RefCell;

use domain::base::outcome::Reason;
use domain::delivery::rate_limit::Quota;

use cloud::{Call, Cloud};
use queue::Queue;
use runtime::now;
use serde_json::{Value, json};

mod cloud;
mod contract;
mod outage;
mod providers;
mod standings;
mod unrecorded;

/// The keys of the jobs that were sent.
type Asked = RefCell<Vec<String>>;

#[tokio::test]
async fn cancelled_job_is_suppressed_without_a_call() {
    let cloud = Cloud::start(|call| match call.operation.as_str() {
        "GetItem" => cancelled(call, "2026-11-20T12:00:00Z"),
        _ => call.fine(),
    });
    let jobs = [
        body(&json!({ "key": "before", "cancel": "thing", "event": event("2026-11-20T11:59:59Z") })),
        body(&json!({ "key": "same", "cancel": "thing", "event": event("2026-11-20T12:00:00Z") })),
        body(&json!({ "key": "after", "cancel": "thing", "event": event("2026-11-20T12:00:01Z") })),
        body(&json!({ "key": "other", "cancel": "another", "event": event("2026-11-20T11:00:00Z") })),
        body(&json!({ "key": "never", "event": event("2026-11-20T11:00:00Z") })),
    ];
    let (report, asked) = deliver(&cloud, &jobs).await;
    assert_eq!(report.unwrap().returned(), 0);
    assert_eq!(asked, ["after", "other", "never"]);
    let settled = cloud.settled();
    let of = |key: &str| settled.iter().find(|settlement| settlement.key == key).unwrap().status.clone();
    assert_eq!(["before", "same", "after"].map(of), ["suppressed", "suppressed", "sent"]);
    assert_eq!(
        settled.iter().filter(|settlement| settlement.reason.as_deref() == Some("cancelled")).count(),
        2
    );
    assert_eq!(cloud.count("GetItem"), 4, "what cannot be cancelled is not looked up");
}

#[tokio::test]
async fn job_of_a_newer_release_is_hidden_for_a_while_and_its_neighbours_are_sent() {
    let cloud = Cloud::start(|call| call.fine());
    let newer = json!({ "version": 3, "work": "of another shape" }).to_string();
    let (report, asked) = deliver(&cloud, &[newer, body(&json!({ "key": "one" }))]).await;
    assert_eq!((report.unwrap().returned(), asked), (1, vec!["one".to_owned()]));
    assert_eq!(cloud.count("ChangeMessageVisibility"), 1);
    assert_eq!(cloud.count("SendMessage"), 0, "it is no dead letter");
    let pauses: Vec<u64> =
        [0, 1, 2, 3, 6, 7, 10].map(|receives| newer_release_pause(receives).as_secs()).into();
    assert_eq!(pauses, [30, 30, 60, 120, 900, 900, 900]);
    let ten: u64 = (1..=10).map(|receives| newer_release_pause(receives).as_secs()).sum();
    assert!(ten >= 90 * 60 - 900, "a deployment has {ten} s");
}

#[tokio::test]
async fn failed_cancellation_lookup_is_retried_without_a_send() {
    let cloud = Cloud::start(|call| match call.operation.as_str() {
        "GetItem" => call.broken(),
        _ => call.fine(),
    });
    let jobs = [body(&json!({ "key": "one", "cancel": "thing" })), body(&json!({ "key": "two" }))];
    let (report, asked) = deliver(&cloud, &jobs).await;
    assert_eq!(report.unwrap().returned(), 1);
    assert_eq!(asked, ["two"]);
    let statuses: Vec<String> = cloud.settled().into_iter().map(|settlement| settlement.status).collect();
    assert_eq!(statuses.iter().filter(|statuse| *statuse == "released").count(), 1, "{statuses:?}");
}

#[tokio::test]
async fn claims_of_a_failed_call_are_released() {
    let cloud = Cloud::start(|call| match call.operation.as_str() {
        "BatchExecuteStatement" if call.is_claim() => call.broken(),
        _ => call.fine(),
    });
    let jobs = [body(&json!({ "key": "one" })), body(&json!({ "key": "two" }))];
    let (report, asked) = deliver(&cloud, &jobs).await;
    assert!(report.is_err(), "the batch comes back");
    assert_eq!(asked, [""; 0]);
    let settled = cloud.settled();
    let expected = ["one", "two"].map(|key| (key, "released", "token-1"));
    let found: Vec<_> = settled
        .iter()
        .map(|settlement| (settlement.key.as_str(), settlement.status.as_str(), settlement.token.as_str()))
        .collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn unclear_claim_is_released_and_other_jobs_are_sent() {
    let cloud = Cloud::start(|call| match call.operation.as_str() {
        "BatchExecuteStatement" if call.is_claim() => {
            let error = json!({ "Error": { "Code": "InternalServerError", "Message": "?" } });
            (200, json!({ "Responses": [error, {}] }))
        }
        _ => call.fine(),
    });
    let jobs = [body(&json!({ "key": "one" })), body(&json!({ "key": "two" }))];
    let (report, asked) = deliver(&cloud, &jobs).await;
    assert_eq!(report.unwrap().returned(), 1);
    assert_eq!(asked, ["two"]);
    let mut found: Vec<_> =
        cloud.settled().into_iter().map(|settlement| (settlement.key, settlement.status)).collect();
    found.sort();
    assert_eq!(found, [("one".to_owned(), "released".to_owned()), ("two".to_owned(), "sent".to_owned())]);
}

#[tokio::test]
async fn a_job_of_another_version_is_shown_again_and_what_is_no_job_is_put_aside() {
    let cloud = Cloud::start(Call::fine);
    let jobs = [body(&json!({ "version": 3, "content": "news" })), "no job".to_owned()];
    let (report, asked) = deliver(&cloud, &jobs).await;
    assert_eq!(serde_json::to_value(report.unwrap()).unwrap(), shown_again(&["m-0"]));
    assert_eq!(asked, [""; 0]);
    let dead_lettered: Vec<Value> = cloud.calls("SendMessage").into_iter().map(|call| call.body).collect();
    assert_eq!(dead_lettered.len(), 1);
    assert_eq!(dead_lettered[0]["MessageBody"], "no job");
}

#[tokio::test]
async fn unreadable_job_is_not_dead_lettered_when_the_batch_fails() {
    let cloud = Cloud::start(|call| match call.operation.as_str() {
        "BatchExecuteStatement" => call.broken(),
        _ => call.fine(),
    });
    let (report, _) = deliver(&cloud, &["no job".to_owned(), body(&json!({ "key": "one" }))]).await;
    assert!(report.is_err());
    assert_eq!(cloud.count("SendMessage"), 0);
}

#[tokio::test]
async fn a_job_for_later_is_given_back_and_a_copy_waits_for_its_time() {
    let cloud = Cloud::start(|call| match call.operation.as_str() {
        "SendMessageBatch" => (
            200,
            json!({ "Successful": [{ "Id": "0", "MessageId": "m", "MD5OfMessageBody": "x" }], "Failed": [] }),
        ),
        _ => call.fine(),
    });
    let job = body(&json!({ "key": "one" }));
    let report = put_back(&cloud, &job).await;
    assert_eq!(serde_json::to_value(report).unwrap(), shown_again(&[]), "the message is consumed");
    let settled: Vec<_> = cloud.settled().into_iter().map(|settlement| settlement.status).collect();
    assert_eq!(settled, ["released"]);
    let left = cloud.calls("SendMessageBatch");
    let entry = &left[0].body["Entries"][0];
    assert_eq!((left.len(), entry["MessageBody"].as_str()), (1, Some(job.as_str())));
    let delay = entry["DelaySeconds"].as_i64().unwrap();
    assert!((299..=301).contains(&delay), "{delay}");
}

#[tokio::test]
async fn a_job_that_cannot_be_left_for_later_is_shown_again() {
    let cloud = Cloud::start(|call| match call.operation.as_str() {
        "SendMessageBatch" => call.broken(),
        _ => call.fine(),
    });
    let report = put_back(&cloud, &body(&json!({ "key": "one" }))).await;
    assert_eq!(serde_json::to_value(report).unwrap(), shown_again(&["m-0"]));
}

/// Delivers a job that its provider defers by five minutes.
async fn put_back(cloud: &Cloud, job: &str) -> Report {
    let message = json!({ "messageId": "m-0", "receiptHandle": "r", "body": job });
    let ends = u64::try_from(now().as_millisecond()).unwrap() + 30_000;
    let batch = Batch {
        messages: vec![serde_json::from_value(message).unwrap()],
        request_id: "token-1".into(),
        deadline: Deadline::at_millis(ends),
    };
    let schedule = schedule::Config { prefix: "test-".to_owned(), role_arn: "role".to_owned() };
    let later = Later {
        schedules: schedule::Schedules::new(&cloud.config(), schedule),
        queue_arn: "queue".to_owned(),
        critical_arn: "critical".to_owned(),
    };
    let worker = DeliveryWorker { later: Some(later), ..worker(cloud) };
    let at = now() + std::time::Duration::from_secs(300);
    worker.deliver(batch, async |_: &Job| Ok(Sent::Later(at))).await.unwrap()
}

/// Delivers jobs to a provider that accepts all of them. Returns the sent keys in order.
async fn deliver(cloud: &Cloud, bodies: &[String]) -> (Result<Report, Error>, Vec<String>) {
    let batch = batch(bodies, 30);
    let asked = Asked::default();
    let report = worker(cloud)
        .deliver(batch, async |job: &Job| {
            asked.borrow_mut().push(job.key.as_str().trim_end_matches('.').to_owned());
            Ok(Sent::Accepted { provider_id: "p".into() })
        })
        .await;
    let mut asked = asked.take();
    asked.sort_by_key(|id| bodies.iter().position(|body| body.contains(&format!("\"{}\"", padded(id)))));
    (report, asked)
}

/// A batch of these bodies, to be handled in `seconds`.
fn batch(bodies: &[String], seconds: u64) -> Batch {
    let messages = bodies.iter().enumerate().map(|(at, body)| {
        serde_json::from_value(json!({ "messageId": format!("m-{at}"), "receiptHandle": "r", "body": body }))
            .unwrap()
    });
    let ends = u64::try_from(now().as_millisecond()).unwrap() + seconds * 1_000;
    Batch { messages: messages.collect(), request_id: "token-1".into(), deadline: Deadline::at_millis(ends) }
}

fn worker(cloud: &Cloud) -> DeliveryWorker {
    let aws = cloud.config();
    let config = DeliveryWorkerConfig {
        name: "test",
        ledger_table: "ledger".into(),
        counters_table: "counters".into(),
        queue_url: format!("{}/queue", cloud.url),
        critical_queue_url: "critical".to_owned(),
        dead_letters_url: format!("{}/dead-letters", cloud.url),
        dispatch_urls: None,
        providers: Vec::new(),
        quota: None,
        concurrency: 4,
    };
    config.open(&aws, &store::client(&aws))
}

/// The answer of the counters table where only `thing` was cancelled, at this time.
fn cancelled(call: &Call, at: &str) -> (u16, Value) {
    assert_eq!(call.body["TableName"], "counters");
    match call.body["Key"]["pk"]["S"].as_str() {
        Some("cancel#thing") => (200, json!({ "Item": { "happened": { "S": at } } })),
        Some(_) | None => (200, json!({})),
    }
}

fn shown_again(ids: &[&str]) -> Value {
    let ids: Vec<Value> = ids.iter().map(|id| json!({ "itemIdentifier": id })).collect();
    json!({ "batchItemFailures": ids })
}

fn event(time: &str) -> Value {
    json!({ "id": "e", "source": "s", "type": "t", "time": time })
}

/// Pads a short name to the length of a key, because the ledger splits keys in two.
fn padded(name: &str) -> String {
    format!("{name:.<43}")
}

/// A job with these members.
fn body(own: &Value) -> String {
    let mut job = json!({
        "version": 1, "key": "k", "rule": "r", "catalog": "c", "recipient": "ann", "priority": "normal",
        "on_unknown": "hold", "event": event("2026-11-20T12:00:00Z"),
        "content": { "socket": { "to": { "user": "ann" }, "title": "", "body": "", "data": {} } },
    });
    for (name, value) in own.as_object().unwrap() {
        job[name] = value.clone();
    }
    job["key"] = padded(job["key"].as_str().unwrap()).into();
    job.to_string()
}
