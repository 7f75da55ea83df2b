//! Providers that fail, hang, recover or have a quota.

use std::sync::{Arc, Mutex};

use super::*;

/// The breaker rows of the counters table, with their versions.
#[derive(Clone, Default)]
struct Table(Arc<Mutex<std::collections::BTreeMap<String, Value>>>);

impl Table {
    fn answer(&self, call: &Call) -> (u16, Value) {
        let mut rows = self.0.lock().unwrap();
        match call.operation.as_str() {
            "GetItem" => {
                let pk = call.body["Key"]["pk"]["S"].as_str().unwrap();
                (200, rows.get(pk).map_or_else(|| json!({}), |row| json!({ "Item": row })))
            }
            "PutItem" => {
                let item = call.body["Item"].clone();
                let pk = item["pk"]["S"].as_str().unwrap().to_owned();
                let read = &call.body["ExpressionAttributeValues"][":version"];
                let stands = rows.get(&pk).map_or(&Value::Null, |row| &row["version"]);
                if read != stands {
                    let code = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
                    return (400, json!({ "__type": code, "message": "no", "Item": rows.get(&pk) }));
                }
                rows.insert(pk, item);
                (200, json!({}))
            }
            "SendMessageBatch" => {
                let entries = call.body["Entries"].as_array().unwrap().iter();
                let ids = entries
                    .map(|entry| json!({ "Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "x" }));
                (200, json!({ "Successful": ids.collect::<Vec<_>>(), "Failed": [] }))
            }
            _ => call.fine(),
        }
    }

    fn start(&self) -> Cloud {
        let table = self.clone();
        Cloud::start(move |call| table.answer(call))
    }

    fn breaker(&self) -> Option<Value> {
        let rows = self.0.lock().unwrap();
        serde_json::from_str(rows.get("breaker#p")?["state"]["S"].as_str()?).ok()
    }
}

#[tokio::test]
async fn a_batch_costs_one_claim_and_one_settlement_and_a_watched_provider_one_read_in_five_seconds() {
    let cloud = Table::default().start();
    let worker = watched(&cloud, None);
    for _ in 0..3 {
        let report = worker.deliver(batch(&ten(), 30), accept).await.unwrap();
        assert_eq!(report.returned(), 0);
    }
    assert_eq!(cloud.count("BatchExecuteStatement"), 6, "a claim and a settlement each");
    assert_eq!(cloud.count("GetItem"), 1, "what others know of the provider");
    assert_eq!(cloud.count("PutItem"), 0, "nothing is wrong, so nothing is written");
}

#[tokio::test]
async fn failing_provider_gets_no_calls_and_waiting_jobs_no_claims() {
    let table = Table::default();
    let cloud = table.start();
    let worker = watched(&cloud, None);
    let asked = RefCell::new(0);
    let fail = async |_: &Job| {
        *asked.borrow_mut() += 1;
        Err(Failure::Transient("503".into()))
    };
    worker.deliver(batch(&ten(), 30), &fail).await.unwrap();
    assert!(table.breaker().unwrap()["phase"]["open"].is_object(), "{:?}", table.breaker());
    let claims = cloud.count("BatchExecuteStatement");
    let report = worker.deliver(batch(&ten(), 30), &fail).await.unwrap();
    assert_eq!((*asked.borrow(), report.returned()), (10, 0), "ten, and then nobody");
    assert_eq!(cloud.count("BatchExecuteStatement"), claims, "nothing is claimed");
    let back = cloud.calls("SendMessageBatch");
    let entries = back[0].body["Entries"].as_array().unwrap();
    assert_eq!(entries.len(), 10, "they wait as new messages");
    let job: Value = serde_json::from_str(entries[0]["MessageBody"].as_str().unwrap()).unwrap();
    let pause = entries[0]["DelaySeconds"].as_u64().unwrap();
    assert!(pause >= 5 && job["held_s"].as_u64().unwrap() + 1 >= pause, "{pause} {}", job["held_s"]);
}

#[tokio::test]
async fn two_processes_share_an_open_breaker() {
    let cloud = Table::default().start();
    let (one, other) = (watched(&cloud, None), watched(&cloud, None));
    let fail = async |_: &Job| Err(Failure::Transient("503".into()));
    one.deliver(batch(&ten()[..5], 30), fail).await.unwrap();
    other.deliver(batch(&ten()[5..], 30), fail).await.unwrap();
    let third = watched(&cloud, None);
    let asked = RefCell::new(0);
    let count = async |_: &Job| {
        *asked.borrow_mut() += 1;
        Ok(Sent::Nobody)
    };
    third.deliver(batch(&ten(), 30), count).await.unwrap();
    assert_eq!(*asked.borrow(), 0, "five and five are ten");
}

#[tokio::test]
async fn provider_with_unknown_state_is_called() {
    let cloud = Cloud::start(|call| match call.operation.as_str() {
        "GetItem" | "PutItem" => call.broken(),
        _ => call.fine(),
    });
    let report = watched(&cloud, None).deliver(batch(&ten(), 30), accept).await.unwrap();
    assert_eq!(report.returned(), 0);
    assert_eq!(cloud.settled().iter().filter(|settlement| settlement.status == "sent").count(), 10);
}

#[tokio::test]
async fn no_more_ask_than_the_quota_gives_and_the_others_come_back() {
    let cloud = Table::default().start();
    let worker = watched(&cloud, Quota::per_second(1));
    let asked = RefCell::new(Vec::new());
    let note = async |_: &Job| {
        asked.borrow_mut().push(now());
        Ok(Sent::Accepted { provider_id: "p".into() })
    };
    let began = now();
    let report = worker.deliver(batch(&ten(), 30), note).await.unwrap();
    assert_eq!(report.returned(), 0);
    let asked = asked.take();
    assert_eq!(asked.len(), 5, "one at once, and four in the five seconds that a batch waits");
    for (token, at) in asked.iter().enumerate() {
        let after = at.duration_since(began).as_secs_f64();
        assert!(after >= token as f64 * 0.99, "token {token} after {after} s");
    }
    assert_eq!(cloud.calls("SendMessageBatch")[0].body["Entries"].as_array().unwrap().len(), 5);
    assert_eq!(cloud.count("PutItem"), 1, "one write for all of them");
}

#[tokio::test]
async fn failure_is_stored_before_failover_is_reported_once() {
    let cloud = Table::default().start();
    let worker = watched(&cloud, None);
    let refuse = async |_: &Job| Err(Failure::Permanent { reason: Reason::Rejected, source: "400".into() });
    let jobs = [body(&json!({ "key": "one", "failover": failover() })), body(&json!({ "key": "two" }))];
    let report = worker.deliver(batch(&jobs, 30), refuse).await.unwrap();
    assert_eq!(report.returned(), 0);
    let continuations = cloud.calls("SendMessageBatch");
    assert_eq!(continuations.len(), 1, "the second has no other channel");
    assert!(continuations[0].body["QueueUrl"].as_str().unwrap().ends_with("/dispatch"));
    let continuation = continuations[0].body["Entries"][0]["MessageBody"].as_str().unwrap();
    let continuation = domain::decide::continuation::Continuation::read(continuation)
        .and_then(Result::ok)
        .expect("dispatch reads it");
    let domain::decide::continuation::Task::Run { start, .. } = continuation.task else { panic!("a run") };
    assert_eq!(start.instead_of.unwrap().why, Reason::Rejected);
    assert_eq!(
        cloud.settled().iter().filter(|settlement| settlement.reason.as_deref() == Some("rejected")).count(),
        2
    );
}

#[tokio::test]
async fn failover_after_a_crash_names_the_stored_reason() {
    let cloud = Cloud::start(|call| {
        let (code, mut answer) = standings::found(call, "failed", -60);
        if call.operation == "GetItem" {
            answer["Item"]["reason"] = json!({ "S": "dead_token" });
        }
        (code, answer)
    });
    let jobs = [body(&json!({ "key": "one", "failover": failover() }))];
    watched(&cloud, None).deliver(batch(&jobs, 30), accept).await.unwrap();
    let messages = cloud.calls("SendMessageBatch");
    let message = messages[0].body["Entries"][0]["MessageBody"].as_str().unwrap();
    assert!(message.contains(r#""why":"dead_token""#), "{message}");
}

#[tokio::test]
async fn failed_failover_report_is_retried() {
    let cloud = Cloud::start(|call| match call.operation.as_str() {
        "SendMessageBatch" => call.broken(),
        _ => call.fine(),
    });
    let refuse = async |_: &Job| Err(Failure::Permanent { reason: Reason::Rejected, source: "400".into() });
    let jobs = [body(&json!({ "key": "one", "failover": failover() })), body(&json!({ "key": "two" }))];
    let report = watched(&cloud, None).deliver(batch(&jobs, 30), refuse).await.unwrap();
    assert_eq!(serde_json::to_value(report).unwrap(), shown_again(&["m-0"]));
}

#[tokio::test]
async fn a_provider_that_hangs_does_not_cost_those_their_record_that_were_sent_before() {
    let cloud = Table::default().start();
    let worker = DeliveryWorker { concurrency: 1, ..watched(&cloud, None) };
    let asked = RefCell::new(0);
    let hang = async |_: &Job| {
        *asked.borrow_mut() += 1;
        if *asked.borrow() == 7 {
            std::future::pending::<()>().await;
        }
        Ok(Sent::Accepted { provider_id: "p".into() })
    };
    let batch = batch(&ten(), 4);
    let deadline = batch.deadline;
    let report = worker.deliver(batch, hang).await.unwrap();
    let left = deadline.ends().duration_since(now()).as_millis();
    assert!(left >= 500, "{left} ms are left");
    assert_eq!(*asked.borrow(), 7);
    let settled = cloud.settled();
    let of = |status: &str| settled.iter().filter(|settlement| settlement.status == status).count();
    assert_eq!((of("sent"), of("unknown"), of("released")), (6, 1, 3));
    assert_eq!(report.returned(), 3, "the seventh is unknown and held, the last three come back");
}

async fn accept(_: &Job) -> Result<Sent, Failure> {
    Ok(Sent::Accepted { provider_id: "p".into() })
}

/// A worker with one watched provider.
fn watched(cloud: &Cloud, quota: Option<Quota>) -> DeliveryWorker {
    let worker = worker(cloud);
    let providers = Providers::new(&worker.counters, &["p".to_owned()], quota);
    let queue = |name: &str| Queue::new(&queue::Sqs::new(&cloud.config()), format!("{}/{name}", cloud.url));
    let dispatch = Some(Dispatch { normal: queue("dispatch"), critical: queue("dispatch-critical") });
    DeliveryWorker { providers, dispatch, ..worker }
}

fn ten() -> Vec<String> {
    (0..10).map(|at| body(&json!({ "key": format!("job-{at}") }))).collect()
}

fn failover() -> Value {
    let event = json!({ "specversion": "1.0", "id": "1", "source": "/s", "type": "t", "time": "2026-11-20T12:00:00Z" });
    let start =
        json!({ "step": 0, "only": "sms", "instead_of": { "channel": "socket", "why": "no_answer" } });
    let task = json!({ "run": { "audience": { "user": "ann" }, "start": start } });
    // Dispatch recognises a continuation by its first member.
    let continuation = format!(r#"{{"carillon_wake":1,"event":{event},"rule":"r","task":{task}}}"#);
    json!({ "to": "sms", "wake": serde_json::from_str::<Value>(&continuation).unwrap() })
}
