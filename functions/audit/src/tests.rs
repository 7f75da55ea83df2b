use std::sync::{Arc, Mutex};

use super::*;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);
const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn marks() -> MarkKey {
    MarkKey::of(&StackSecret::read(SECRET).unwrap())
}

#[test]
fn event_is_stored_with_correlation_attributes() {
    let detail = r#"{"specversion":"1.0","id":"e-1","source":"shop","type":"order.paid",
        "time":"2026-11-20T12:00:00Z","subject":"order/7","tenant":"t-1","correlationid":"story-1",
        "causationid":"e-0","actor":"ann","traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "data":{"total":12.50}}"#;
    let kept = record(&bus(detail), &Producers::default(), &marks(), NOON).unwrap();
    let sk = kept.get("sk").unwrap();
    assert!(sk.starts_with("event#shop#e-1#") && sk.len() == 15 + 8, "{sk}");
    assert_eq!(kept.get("detail"), None, "the envelope has it all");
    for (attribute, expected) in [
        ("pk", "stream#t-1#order/7"),
        ("type", "order.paid"),
        ("correlation_id", "story-1"),
        ("causation_id", "e-0"),
        ("actor", "ann"),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ] {
        assert_eq!(kept.get(attribute), Some(expected), "{attribute}");
    }
    assert!(kept.get("event").unwrap().ends_with(r#""data":{"total":12.50}}"#), "numbers stay as written");
}

#[test]
fn refused_event_is_stored_with_the_reason() {
    let kept =
        record(&bus(r#"{"specversion":"0.3","id":"e-1"}"#), &Producers::default(), &marks(), NOON).unwrap();
    assert_eq!(kept.get("refused"), Some(r#"specversion: found a text of 3 characters, wanted "1.0""#));
    assert_eq!(kept.get("detail"), Some(r#"{"specversion":"0.3","id":"e-1"}"#));
}

#[test]
fn a_second_event_under_one_id_stands_beside_the_first_and_a_second_delivery_does_not() {
    let sk = |total: u8, bus_id: &str| {
        let detail = format!(
            r#"{{"specversion":"1.0","id":"e-1","source":"shop","type":"t","data":{{"total":{total}}}}}"#
        );
        let kept =
            record(&bus(&detail).replace("b-1", bus_id), &Producers::default(), &marks(), NOON).unwrap();
        kept.get("sk").unwrap().to_owned()
    };
    assert_eq!(sk(1, "b-1"), sk(1, "b-2"));
    assert_ne!(sk(1, "b-1"), sk(2, "b-1"));
}

#[test]
fn an_envelope_of_an_older_system_is_kept_as_it_came_too() {
    let detail =
        r#"{ "type": "task.done", "data": {}, "timestamp": "2026-11-20T12:00:00Z", "userId": "ann" }"#;
    let kept = record(&bus(detail), &Producers::default(), &marks(), NOON).unwrap();
    assert_eq!(kept.get("refused"), None);
    assert_eq!(kept.get("detail"), Some(detail));
    assert!(kept.get("event").unwrap().contains(r#""specversion":"1.0""#));
    let long = "x".repeat(195 * 1024);
    let detail = detail.replace("{}", &format!(r#"{{"long":"{long}"}}"#));
    let kept = record(&bus(&detail), &Producers::default(), &marks(), NOON).unwrap();
    assert!(kept.get("event").is_some_and(|value| value.contains(&long)));
    assert_eq!(kept.get("detail"), None, "an item holds one of them");
}

#[test]
fn event_is_recorded_under_the_type_and_the_tenant_that_the_policy_finds() {
    let policy = r#"{"entries":[{"source":"tasks","tenants":"all","tenant":"$.data.workspaceId"}],
        "aliases":{"TaskCreatedEvent":"task.created"}}"#;
    let producers: Producers = serde_json::from_str(policy).unwrap();
    let bus = bus_as("tasks", "TaskCreatedEvent", r#"{"workspaceId":"w-1"}"#);
    let kept = record(&bus, &producers, &marks(), NOON).unwrap();
    let plain = record(&bus, &Producers::default(), &marks(), NOON).unwrap();
    assert_eq!((kept.get("type"), kept.get("tenant")), (Some("task.created"), Some("w-1")));
    assert_eq!(kept.get("pk"), Some("stream#w-1#tasks"));
    assert_eq!(kept.get("sk"), plain.get("sk"), "an alias makes no other event");
    let event = kept.event().unwrap();
    assert!(event.is_called("TaskCreatedEvent") && event.is_called("task.created"));
}

#[test]
fn socket_event_is_recorded_with_its_target_and_as_it_came() {
    let detail = r#"{"id":"s-1","type":"task","event":"task.updated","data":{},"source":{"userId":"uma"},
        "target":{"type":"project","id":"p-1"}}"#;
    let kept =
        record(&bus_as("sockets", "task.updated", detail), &Producers::default(), &marks(), NOON).unwrap();
    assert_eq!((kept.get("detail"), kept.get("actor")), (Some(detail), Some("uma")));
    assert!(kept.get("event").unwrap().contains(r#""target":{"type":"project","id":"p-1"}"#));
}

#[test]
fn two_events_never_share_a_record_however_their_names_are_cut() {
    let keys = |source: &str, id: &str| {
        let detail = format!(
            r##"{{"specversion":"1.0","id":"{id}","source":"{source}","type":"t","subject":"s/1",
                "time":"2026-11-20T12:00:00Z"}}"##
        );
        let kept = record(&bus(&detail), &Producers::default(), &marks(), NOON).unwrap();
        (kept.get("pk").unwrap().to_owned(), kept.get("sk").unwrap().to_owned())
    };
    assert_ne!(keys("try/a#b", "c"), keys("try/a", "b#c"));
}

#[test]
fn message_from_elsewhere_is_not_stored() {
    for body in ["", "[]", "not json", r#"{"id":"1"}"#] {
        assert!(record(body, &Producers::default(), &marks(), NOON).is_err(), "{body:?}");
    }
}

#[tokio::test]
async fn unreadable_message_is_dead_lettered_only_after_the_append() {
    let good = bus(r#"{"specversion":"1.0","id":"e-1","source":"shop","type":"t"}"#);
    for (status, comes_back, dead_lettered) in [(400, true, 0), (200, false, 1)] {
        let cloud = Cloud { table: status, calls: Arc::default() };
        let kept = keep(&cloud, &["not json", &good]).await;
        assert_eq!(kept.is_err(), comes_back);
        let calls = cloud.calls.lock().unwrap();
        assert_eq!(calls.iter().filter(|call| *call == "SendMessage").count(), dead_lettered, "{calls:?}");
    }
}

/// A fake DynamoDB with this status, and a fake SQS that accepts all messages.
#[derive(Clone, Debug)]
struct Cloud {
    table: u16,
    calls: Arc<Mutex<Vec<String>>>,
}

impl HttpConnector for Cloud {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let (status, body) = match operation.as_str() {
            "BatchExecuteStatement" => (self.table, r#"{"Responses":[{}]}"#),
            _ => (200, r#"{"MessageId":"m"}"#),
        };
        self.calls.lock().unwrap().push(operation);
        let answer = HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body));
        HttpConnectorFuture::ready(Ok(answer))
    }
}

async fn keep(cloud: &Cloud, bodies: &[&str]) -> Result<Report, Error> {
    let connector = SharedHttpConnector::new(cloud.clone());
    let variable = |name: &str| match name {
        "AWS_REGION" | "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("test".to_owned()),
        _ => None,
    };
    let settings = aws::Settings::read(variable).unwrap();
    let aws = settings.config().into_builder();
    let aws = aws.http_client(http_client_fn(move |_, _| connector.clone())).build();
    let env = [
        ("EVENTS_TABLE", "events"),
        ("DEAD_LETTERS_URL", "https://sqs.example/dead-letters"),
        ("STACK_SECRET", SECRET),
        ("LAMBDA_TASK_ROOT", concat!(env!("CARGO_MANIFEST_DIR"), "/src/fixtures")),
    ];
    let env: Env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
    let messages = bodies.iter().enumerate().map(|(at, body)| {
        serde_json::from_value(serde_json::json!({ "messageId": format!("m-{at}"), "body": body })).unwrap()
    });
    let batch = Batch {
        messages: messages.collect(),
        request_id: "r".into(),
        deadline: runtime::Deadline::at_millis(u64::MAX),
    };
    Audit::from_env(&aws, &env)?.keep(batch).await
}

/// An event as delivered by EventBridge. The bus has the envelope's source and type, if they can be
/// parsed.
fn bus(detail: &str) -> String {
    let inside: serde_json::Value = serde_json::from_str(detail).unwrap_or_default();
    let named = |name: &str, or: &str| inside[name].as_str().unwrap_or(or).to_owned();
    bus_as(&named("source", "shop"), &named("type", "order.paid"), detail)
}

fn bus_as(source: &str, kind: &str, detail: &str) -> String {
    format!(
        r#"{{"version":"0","id":"b-1","detail-type":"{kind}","source":"{source}","account":"1",
            "time":"2026-11-20T12:00:01Z","region":"eu-central-1","resources":[],"detail":{detail}}}"#
    )
}

#[test]
fn refused_record_keeps_the_names_of_the_bus_and_those_of_the_envelope() {
    let forged = r#"{"specversion":"1.0","id":"e-1","source":"bank","type":"core.hello","tenant":"ten-b"}"#;
    let kept =
        record(&bus_as("shop", "shop.harmless", forged), &Producers::default(), &marks(), NOON).unwrap();
    assert!(
        !kept.get("refused").unwrap().contains("bank"),
        "a refusal quotes nothing; the attributes have the names"
    );
    for (attribute, expected) in [
        ("refused_class", "identity_mismatch"),
        ("source", "shop"),
        ("type", "shop.harmless"),
        ("inner_source", "bank"),
        ("inner_type", "core.hello"),
        ("detail", forged),
    ] {
        assert_eq!(kept.get(attribute), Some(expected), "{attribute}");
    }
}

#[test]
fn event_that_its_producer_may_not_publish_is_recorded_as_refused() {
    let producers = Producers::new(Vec::new());
    let kept =
        record(&bus(r#"{"specversion":"1.0","id":"e","source":"s","type":"t"}"#), &producers, &marks(), NOON)
            .unwrap();
    assert_eq!(kept.get("refused_class"), Some("producer_not_allowed"));
    let reserved = r#"{"specversion":"1.0","id":"e","source":"s","type":"communication.sent"}"#;
    let kept = record(&bus(reserved), &Producers::default(), &marks(), NOON).unwrap();
    assert_eq!((kept.get("refused_class"), kept.get("event")), (Some("producer_not_allowed"), None));
}

#[test]
fn authenticated_user_of_an_event_is_an_attribute_of_its_record() {
    let detail =
        r#"{"specversion":"1.0","id":"e","source":"/tenants/a","type":"t","tenant":"a","authid":"ann"}"#;
    assert_eq!(
        record(&bus(detail), &Producers::default(), &marks(), NOON).unwrap().get("auth_id"),
        Some("ann")
    );
}

#[test]
fn a_replay_is_recorded_beside_its_event_and_never_taken_for_another_body_of_it() {
    let detail = |more: &str| {
        format!(
            r#"{{"specversion":"1.0","id":"e-1","source":"shop","type":"t","time":"2026-11-20T12:00:00Z"{more}}}"#
        )
    };
    let record = |more: &str| {
        let bus = bus_as(if more.is_empty() { "shop" } else { "carillon/replay" }, "t", &detail(more));
        record(&bus, &Producers::default(), &marks(), NOON).unwrap()
    };
    let (first, replay) = (record(""), record(r#","replayid":"r-1""#));
    assert_eq!(replay.get("pk"), first.get("pk"));
    let (event, other) = (first.get("sk").unwrap(), replay.get("sk").unwrap());
    assert!(event.starts_with("event#shop#e-1#") && other.starts_with("replay#shop#e-1#"), "{other}");
    assert_eq!((replay.get("event"), replay.get("replay_id")), (None, Some("r-1")));
    assert!(replay.get("detail").unwrap().contains("r-1") && replay.get("bucket").is_some());
    assert_eq!(replay.get("renotified"), None);
    assert_eq!(record(r#","replayid":"r-1","renotify":true"#).get("renotified"), Some("true"));
    assert_ne!(record(r#","replayid":"r-2""#).get("sk"), Some(other));
}
