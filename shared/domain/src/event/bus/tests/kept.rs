//! Integration and socket events, and members without a CloudEvents attribute.

use serde_json::{Value, json};

use super::{check, circle, envelope, hub, integration, read, replaced, socket_event};
use crate::event::bus::{BusEvent, id_inside};
use crate::event::producers::Producers;

#[test]
fn integration_event_has_the_id_and_type_of_the_bus() {
    check(
        integration(),
        json!({
            "specversion": "1.0", "id": "bus-1", "source": "bus-source", "type": "bus.type",
            "time": "2026-11-20T12:34:56Z", "actor": "uma", "routingkey": "bus.type", "service": "task-management",
            "userid": "uma", "version": "1.0.0", "datacontenttype": "application/json",
            "data": {
                "taskId": "t-1", "routingKey": "bus.type", "service": "task-management", "userId": "uma",
                "version": "1.0.0",
            },
        }),
    );
    let other_key = replaced(&integration(), "routingKey", json!("tasks.other"));
    assert_eq!(read(&other_key.to_string()).unwrap().kind, "bus.type", "the routing key is not the type");
}

#[test]
fn routing_key_is_the_type_if_the_policy_says_so() {
    let policy = json!([{ "source": "bus-source", "tenants": "all", "envelopes": ["bus.type"] }]);
    let producers: Producers = serde_json::from_value(policy).unwrap();
    let text = envelope(&replaced(&integration(), "routingKey", json!("task.completed")).to_string());
    let bus = BusEvent::parse(&text).unwrap();
    assert_eq!(bus.event(&producers).unwrap().kind, "task.completed");
    assert_eq!(bus.event(&Producers::default()).unwrap().kind, "bus.type");
}

#[test]
fn socket_event_has_user_workspace_and_target() {
    check(
        socket_event(),
        json!({
            "specversion": "1.0", "id": "s-1", "source": "bus-source", "type": "task.updated",
            "time": "2026-11-20T11:45:00.25Z", "tenant": "ws-7", "actor": "uma", "priority": "high",
            "envelopetype": "task", "persistent": true, "datacontenttype": "application/json",
            "data": {
                "taskId": "t-1", "type": "task", "persistent": true,
                "source": { "userId": "uma", "workspaceId": "ws-7" },
                "target": { "type": "project", "id": "p-1", "excludeUsers": ["uma"] },
            },
        }),
    );
    assert_eq!(id_inside(&socket_event().to_string()).as_deref(), Some("s-1"));
    let of_server = read(&replaced(&socket_event(), "source", Value::Null).to_string()).unwrap();
    assert_eq!((of_server.source.as_str(), of_server.actor), ("bus-source", None));
    let named = read(&replaced(&socket_event(), "source", json!("gateway")).to_string()).unwrap();
    assert_eq!(named.source, "gateway");
}

#[test]
fn numeric_ids_are_accepted() {
    let origin = json!({ "userId": 42, "workspaceId": 7 });
    let event = read(&replaced(&socket_event(), "source", origin).to_string()).unwrap();
    assert_eq!((event.actor.as_deref(), event.tenant.as_deref()), (Some("42"), Some("7")));
    let event = read(&replaced(&circle(), "careRecipientId", json!(12_345_678_901_i64)).to_string()).unwrap();
    let document = event.document();
    assert_eq!(
        document["detail"]["carerecipientid"], "12345678901",
        "an integer beyond 32 bits becomes text"
    );
    assert_eq!(document["detail"]["data"]["careRecipientId"], 12_345_678_901_i64);
}

#[test]
fn all_members_stay_readable() {
    let mut envelope = hub();
    for (name, value) in [
        ("tenant", json!("t")),
        ("authId", json!("root")),
        ("replayid", json!("r-1")),
        ("renotify", json!(true)),
        ("eventname", json!("x")),
        ("retry_count", json!(3)),
        ("ratio", json!(0.5)),
        ("meta", json!({ "trace": [1, 2] })),
        ("long", json!("l".repeat(300))),
    ] {
        envelope[name] = value;
    }
    let event = read(&envelope.to_string()).unwrap();
    assert_eq!((event.tenant.as_deref(), &event.auth_id, event.replay_id()), (Some("westend"), &None, None));
    assert_eq!(event.original_name(), None);
    let detail = &event.document()["detail"];
    for (name, value) in [
        ("envelopetenant", json!("t")),
        ("envelopeauthid", json!("root")),
        ("enveloperenotify", json!(true)),
        ("ratio", json!("0.5")),
    ] {
        assert_eq!(detail[name], value, "{name}");
    }
    assert_eq!(detail["data"]["retry_count"], 3, "the name is not a valid extension name");
    assert_eq!(detail["data"]["meta"], json!({ "trace": [1, 2] }));
    assert_eq!(detail["data"]["long"], "l".repeat(300));
    assert_eq!(crate::event::Event::stored(&event.to_json()), Ok(event));
}

#[test]
fn unknown_priority_stays_readable() {
    let event = read(&replaced(&hub(), "priority", json!("p1")).to_string()).unwrap();
    let detail = &event.document()["detail"];
    assert_eq!((event.priority, &detail["data"]["priority"]), (None, &json!("p1")));
    assert_eq!(detail["envelopepriority"], "p1");
}

#[test]
fn extensions_do_not_exceed_the_event_size() {
    let mut envelope = hub();
    for number in 0..500 {
        envelope[format!("m{number}")] = json!("v".repeat(200));
    }
    envelope["payload"] = json!({ "text": "x".repeat(90_000) });
    let event = read(&envelope.to_string()).unwrap();
    assert!(event.to_json().len() < crate::event::MAX_EVENT_BYTES);
    assert_eq!(event.document()["detail"]["data"]["m499"], "v".repeat(200));
}
