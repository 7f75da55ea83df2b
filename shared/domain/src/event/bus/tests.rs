//! The envelope shapes. Refusals, the packs' samples and properties have a file each.

mod kept;
mod properties;
mod refusals;
mod samples;
mod shapes;

use serde_json::{Value, json};

use super::BusEvent;
use crate::event::{Event, Refusal};

/// An EventBridge event as a rule delivers it to a queue.
fn envelope(detail: &str) -> String {
    format!(
        r#"{{"version":"0","id":"bus-1","detail-type":"bus.type","source":"bus-source","account":"123456789012",
        "time":"2026-11-20T12:34:56Z","region":"eu-west-1","resources":[],"detail":{detail}}}"#
    )
}

fn read(detail: &str) -> Result<Event, Refusal> {
    BusEvent::parse(&envelope(detail))?.unverified_event()
}

/// `expected` is the whole event in our own serialization.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "tests hand in json!(…)")]
fn check(detail: Value, expected: Value) {
    let event = read(&detail.to_string()).unwrap_or_else(|refusal| panic!("{detail}: {refusal}"));
    let written: Value = serde_json::from_str(&event.to_json()).unwrap();
    assert_eq!(written, expected, "{detail}");
}

/// Replaces one member of an object, or removes it if the new value is null.
fn replaced(object: &Value, name: &str, value: Value) -> Value {
    let mut object = object.clone();
    object[name] = value;
    object.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    object
}

fn hub() -> Value {
    json!({
        "eventId": "e-1", "eventType": "ehr.lab_report.created", "category": "ehr", "priority": "high",
        "timestamp": "2026-11-20T11:05:31Z", "source": "ehr-service", "version": "1.0", "userId": "lena",
        "clinicId": "westend", "correlationId": "story-1", "payload": { "reportId": "r-1" },
    })
}

fn circle() -> Value {
    json!({
        "id": "c-1", "type": "medication.due", "source": "scheduler", "timestamp": "2026-11-20T11:45:00Z",
        "specVersion": "1.0", "correlationId": "story-2", "causedBy": "joao", "familyId": "okafor",
        "careRecipientId": "margaret", "data": { "dose": "5 mg" },
    })
}

fn business() -> Value {
    json!({
        "type": "booking.created", "data": { "bookingId": "b-1" }, "timestamp": "2026-11-20T11:20:00Z",
        "correlationId": "story-3", "userId": "priya",
    })
}

fn integration() -> Value {
    json!({
        "service": "task-management", "version": "1.0.0", "userId": "uma", "routingKey": "bus.type",
        "data": { "taskId": "t-1" },
    })
}

fn socket_event() -> Value {
    json!({
        "id": "s-1", "type": "task", "event": "task.updated", "data": { "taskId": "t-1" }, "timestamp": 1_795_175_100_250_i64,
        "source": { "userId": "uma", "workspaceId": "ws-7" },
        "target": { "type": "project", "id": "p-1", "excludeUsers": ["uma"] }, "priority": "high", "persistent": true,
    })
}
