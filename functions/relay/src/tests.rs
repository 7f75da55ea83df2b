use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use domain::base::stack_secret::StackSecret;
use domain::event::outbox_mark::{MarkKey, MarkedEntry, text_digest};
use runtime::{Deadline, Env, Invocation};
use serde_json::{Value, json};

use crate::{Config, Relay};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

#[tokio::test]
async fn new_pending_entry_is_published_with_its_mark() {
    let cloud = Cloud::default();
    let records = [record("e-1", "order/1", 1), acknowledged("e-2"), record("e-3", "order/2", 1)];
    relay(&cloud).handle(&invocation(&records)).await.unwrap();
    assert_eq!(cloud.published(), ["e-1", "e-3"]);
    let entry = &cloud.calls("PutEvents")[0]["Entries"][0];
    let resources = entry["Resources"].as_array().unwrap();
    assert_eq!(resources[0], "carillon:outbox", "for an audit of the last release");
    let marks: Vec<String> = resources.iter().map(|resource| resource.as_str().unwrap().to_owned()).collect();
    let text = event("e-1", "order/1", 1);
    let (pk, sk) = ("stream#-#order/1", "version#00000000000000000001");
    let marked = MarkedEntry { source: "shop", id: "e-1", pk, sk };
    let key = MarkKey::of(&StackSecret::read(SECRET).unwrap());
    assert_eq!(key.prove(marked, &text, &marks), Some(text_digest(&text)), "the audit knows the relay");
    assert_eq!(entry["Detail"], event("e-1", "order/1", 1), "as the producer wrote it");
}

#[tokio::test]
async fn a_record_that_is_not_published_comes_again_and_what_was_published_does_not() {
    let cloud = Cloud { throttled: Arc::new(Mutex::new(vec!["e-2".into()])), ..Cloud::default() };
    let records = [record("e-1", "order/1", 1), record("e-2", "order/2", 1), record("e-3", "order/2", 2)];
    let relay = relay(&cloud);
    let error = relay.handle(&invocation(&records)).await.unwrap_err().to_string();
    assert_eq!(error, "2 of 3 could not be published; they come again");
    assert_eq!(cloud.published(), ["e-1"], "nothing of order/2 goes before e-2");
    cloud.throttled.lock().unwrap().clear();
    relay.handle(&invocation(&records)).await.unwrap();
    assert_eq!(cloud.published(), ["e-1", "e-2", "e-3"], "each once, in order");
}

#[tokio::test]
async fn poison_is_marked_with_its_cause_and_its_neighbours_pass() {
    let cloud = Cloud { malformed: "e-2", ..Cloud::default() };
    let mut broken = record("e-4", "order/4", 1);
    broken["dynamodb"]["NewImage"]["event"]["S"] = "not json".into();
    let mut misplaced = record("e-5", "order/5", 1);
    misplaced["dynamodb"]["NewImage"]["sk"]["S"] = "version#1".into();
    let records = [
        record("e-1", "order/1", 1),
        record("e-2", "order/1", 2),
        record("e-3", "order/1", 3),
        broken,
        misplaced,
    ];
    relay(&cloud).handle(&invocation(&records)).await.unwrap();
    assert_eq!(cloud.published(), ["e-1", "e-3"]);
    let causes: Vec<String> = cloud
        .calls("UpdateItem")
        .iter()
        .map(|call| call["ExpressionAttributeValues"][":cause"]["S"].to_string())
        .collect();
    assert_eq!(causes.len(), 3, "{causes:?}");
    for (cause, expected) in causes.iter().zip(["MalformedDetail", "JSON", "version#00000000000000000001"]) {
        assert!(cause.contains(expected), "{cause}");
    }
}

#[tokio::test]
async fn row_that_lies_about_its_event_is_set_aside() {
    let lying = |attribute: &str, value: &str| {
        let mut record = record("e-1", "order/1", 1);
        let digest = text_digest(&event("e-1", "order/1", 1));
        let row = record["dynamodb"]["NewImage"].as_object_mut().unwrap();
        let attributes = [
            ("digest", digest.as_str()),
            ("id", "e-1"),
            ("source", "shop"),
            ("type", "order.paid"),
            ("time", "2026-11-20T12:00:00Z"),
            ("subject", "order/1"),
            (attribute, value),
        ];
        for (name, value) in attributes {
            row.insert(name.to_owned(), json!({ "S": value }));
        }
        record
    };
    for (attribute, value) in [("digest", "sha256:x"), ("actor", "innocent-ann"), ("type", "order.lost")] {
        let cloud = Cloud::default();
        relay(&cloud).handle(&invocation(&[lying(attribute, value)])).await.unwrap();
        assert!(cloud.published().is_empty(), "{attribute}");
        let cause = cloud.calls("UpdateItem")[0]["ExpressionAttributeValues"][":cause"]["S"].to_string();
        assert!(cause.contains(&format!("the row's {attribute} is not that of its event")), "{cause}");
    }
    let cloud = Cloud::default();
    relay(&cloud).handle(&invocation(&[lying("type", "order.paid")])).await.unwrap();
    assert_eq!(cloud.published(), ["e-1"]);
}

#[tokio::test]
async fn critical_event_also_goes_directly_to_dispatch() {
    let cloud = Cloud::default();
    let mut locked = record("e-1", "user/1", 1);
    let text = event("e-1", "user/1", 1).replace("order.paid", "auth.account.locked");
    locked["dynamodb"]["NewImage"]["event"]["S"] = text.as_str().into();
    relay(&cloud).handle(&invocation(&[locked, record("e-2", "order/2", 1)])).await.unwrap();
    let sent = cloud.calls("SendMessageBatch");
    assert_eq!(sent[0]["Entries"].as_array().unwrap().len(), 1);
    let body = sent[0]["Entries"][0]["MessageBody"].as_str().unwrap();
    let read = domain::event::bus::BusEvent::parse(body).unwrap().unverified_event().unwrap();
    assert_eq!((read.id.as_str(), read.kind.as_str()), ("e-1", "auth.account.locked"));
    assert_eq!(cloud.published(), ["e-1", "e-2"], "and by the bus, for everybody else");
}

#[tokio::test]
async fn given_up_outbox_records_are_left_to_the_sweep() {
    let cloud = Cloud::default();
    let given_up = json!({ "DDBStreamBatchInfo": {
        "shardId": "s", "startSequenceNumber": "1", "endSequenceNumber": "2", "batchSize": 1,
        "streamArn": "arn:aws:dynamodb:eu-west-1:1:table/events/stream/x",
    }});
    let message = |id: &str, body: &str| json!({ "messageId": id, "body": body, "eventSource": "aws:sqs" });
    let records = [message("m-1", &given_up.to_string()), message("m-2", "not json")];
    let answer = relay(&cloud).handle(&invocation(&records)).await.unwrap();
    assert_eq!(serde_json::to_value(answer).unwrap(), json!({ "batchItemFailures": [] }));
    assert_eq!(cloud.calls("SendMessage")[0]["MessageBody"], "not json");
}

/// A fake AWS that accepts all calls except the ones named here.
#[derive(Clone, Debug, Default)]
struct Cloud {
    /// The ids of events that the bus throttles.
    throttled: Arc<Mutex<Vec<String>>>,
    /// The id of an event that the bus refuses for good.
    malformed: &'static str,
    calls: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Cloud {
    fn calls(&self, operation: &str) -> Vec<Value> {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|(name, _)| name == operation).map(|(_, body)| body.clone()).collect()
    }

    /// The ids of the published events, in order.
    fn published(&self) -> Vec<String> {
        self.calls("published").iter().map(|call| call.as_str().unwrap().to_owned()).collect()
    }

    fn answer(&self, operation: &str, body: &Value) -> Value {
        match operation {
            "PutEvents" => {
                let mut calls = self.calls.lock().unwrap();
                let throttled = self.throttled.lock().unwrap();
                let answers = body["Entries"].as_array().unwrap().iter().map(|entry| {
                    let event: Value = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
                    let id = event["id"].as_str().unwrap();
                    if throttled.iter().any(|throttled| throttled == id) {
                        return json!({ "ErrorCode": "ThrottlingException" });
                    }
                    if id == self.malformed {
                        return json!({ "ErrorCode": "MalformedDetail" });
                    }
                    calls.push(("published".into(), id.into()));
                    json!({ "EventId": "b" })
                });
                let answers: Vec<Value> = answers.collect();
                json!({ "FailedEntryCount": 0, "Entries": answers })
            }
            "SendMessageBatch" => json!({ "Successful": [], "Failed": [] }),
            "SendMessage" => json!({ "MessageId": "m" }),
            _ => json!({}),
        }
    }
}

impl HttpConnector for Cloud {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        let answer = self.answer(&operation, &body).to_string();
        self.calls.lock().unwrap().push((operation, body));
        let status = StatusCode::try_from(200).unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(answer))))
    }
}

fn relay(cloud: &Cloud) -> Relay {
    let connector = SharedHttpConnector::new(cloud.clone());
    let variable = |name: &str| match name {
        "AWS_REGION" | "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("test".to_owned()),
        _ => None,
    };
    let aws = aws::Settings::read(variable).unwrap().config().into_builder();
    let aws = aws.http_client(http_client_fn(move |_, _| connector.clone())).build();
    let env = [
        ("BUS_NAME", "bus"),
        ("EVENTS_TABLE", "events"),
        ("LEDGER_TABLE", "ledger"),
        ("CRITICAL_QUEUE_URL", "https://sqs.example/critical"),
        ("CRITICAL_TYPES", "auth.account.locked, emergency.alert.created"),
        ("DEAD_LETTERS_URL", "https://sqs.example/dead-letters"),
        ("STACK_SECRET", SECRET),
        ("LAMBDA_TASK_ROOT", concat!(env!("CARGO_MANIFEST_DIR"), "/src/fixtures")),
    ];
    let env: Env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
    Relay::new(&aws, Config::from_env(&env).unwrap())
}

fn invocation(records: &[Value]) -> Invocation {
    let payload =
        serde_json::value::RawValue::from_string(json!({ "Records": records }).to_string()).unwrap();
    Invocation { payload, deadline: Deadline::at_millis(u64::MAX) }
}

fn event(id: &str, subject: &str, version: u32) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"shop","type":"order.paid","time":"2026-11-20T12:00:00Z","subject":"{subject}","sequence":"{version}","data":{{"total":12.50}}}}"#
    )
}

fn record(id: &str, subject: &str, version: u32) -> Value {
    let text = |value: &str| json!({ "S": value });
    json!({
        "eventID": id, "eventName": "INSERT", "eventSource": "aws:dynamodb",
        "eventSourceARN": "arn:aws:dynamodb:eu-west-1:1:table/events/stream/2026-11-20T00:00:00.000",
        "dynamodb": { "SequenceNumber": "1", "NewImage": {
            "pk": text(&format!("stream#-#{subject}")), "sk": text(&format!("version#{version:020}")),
            "pending": text("0"), "event": text(&event(id, subject, version)),
        }},
    })
}

/// A record of the audit, which is not pending.
fn acknowledged(id: &str) -> Value {
    let mut record = record(id, "order/9", 1);
    record["dynamodb"]["NewImage"].as_object_mut().unwrap().remove("pending");
    record
}
