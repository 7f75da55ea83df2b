use serde_json::{Value, json};

use super::*;
use crate::event::bus::BusEvent;

mod names;

#[test]
fn cloud_event_must_have_the_names_of_the_bus() {
    let open = Producers::default();
    admitted(&open, "shop", "order.paid", json!({ "source": "shop", "type": "order.paid" }));
    for (source, kind) in [("bank", "order.paid"), ("shop", "order.refunded"), ("bank", "core.hello")] {
        let refusal = refused(
            &open,
            "shop",
            "order.paid",
            json!({ "source": source, "type": kind }),
            "identity_mismatch",
        );
        assert!(refusal.contains("of the EventBridge event") && !refusal.contains(source), "{refusal}");
    }
}

#[test]
fn cloud_event_cannot_use_mapped_names() {
    let mapped = producers(json!([{ "source": "hub", "tenants": "all", "speaks-as": ["bank"] }]));
    refused(&mapped, "hub", "t", json!({ "source": "bank", "type": "t" }), "identity_mismatch");
}

#[test]
fn older_envelope_may_use_mapped_names() {
    let hub = |source: &str, kind: &str| json!({ "eventId": "1", "eventType": kind, "source": source, "timestamp": "2026-11-20T12:00:00Z", "payload": {} });
    let policy = json!([
        { "source": "hub", "tenants": "all", "speaks-as": ["TaskService", "carillon/push"], "envelopes": ["HubEvent"],
          "types": ["task.*"] },
        { "source": "shop", "tenants": "all" },
    ]);
    let (open, mapped) = (Producers::default(), producers(policy));
    let read = |producers: &Producers, source: &str, kind: &str, detail: &Value| {
        let event = BusEvent::parse(&bus(source, kind, detail)).unwrap().event(producers);
        event.map(|event| (event.source, event.kind)).map_err(|error| error.class.name())
    };
    let named = |source: &str, kind: &str| Ok((source.to_owned(), kind.to_owned()));
    assert_eq!(read(&open, "hub", "task.done", &hub("hub", "task.done")), named("hub", "task.done"));
    assert_eq!(read(&open, "hub", "task.done", &hub("TaskService", "task.done")), Err("identity_mismatch"));
    assert_eq!(read(&open, "hub", "HubEvent", &hub("hub", "task.done")), Err("identity_mismatch"));
    assert_eq!(
        read(&mapped, "hub", "HubEvent", &hub("TaskService", "task.done")),
        named("TaskService", "task.done")
    );
    assert_eq!(
        read(&mapped, "shop", "task.done", &hub("TaskService", "task.done")),
        Err("identity_mismatch")
    );
    assert_eq!(
        read(&mapped, "hub", "HubEvent", &hub("carillon/push", "task.done")),
        Err("identity_mismatch")
    );
    assert_eq!(read(&mapped, "hub", "HubEvent", &hub("hub", "order.paid")), Err("producer_not_allowed"));
    assert_eq!(
        read(&mapped, "hub", "HubEvent", &hub("hub", "communication.sent")),
        Err("producer_not_allowed")
    );
}

#[test]
fn without_producers_any_source_may_use_ordinary_types() {
    let open = Producers::default();
    admitted(&open, "shop", "order.paid", json!({ "tenant": "ten-b" }));
    admitted(&open, "shop", "order.paid", json!({}));
    for kind in [
        "communication.sent",
        "preference.unsubscribed",
        "recipient.address_changed",
        "carillon.delivery.sent",
        "carillon.recipient.updated",
        "carillon.recipient.opted_out",
        "carillon.topic.joined",
        "carillon.device.unregistered",
    ] {
        refused(&open, "shop", kind, json!({}), "producer_not_allowed");
    }
    assert_eq!(open.reach("shop", None), Tenants::None);
    assert!(
        open.may_be_critical("shop") && !open.may_be_critical("/tenants/a") && !open.may_be_critical("/api")
    );
}

#[test]
fn each_own_source_is_limited_to_its_types() {
    let open = Producers::default();
    for (source, kind) in [
        ("carillon/api", "preference.unsubscribed"),
        ("carillon/api", "carillon.api.recipient_changed"),
        ("carillon/cli", "carillon.replay.started"),
        ("carillon/people", "recipient.address_changed"),
        ("carillon/push", "carillon.device.unregistered"),
        ("carillon/relay", "carillon.delivery.sent"),
        ("carillon/relay", "communication.sent"),
        ("carillon/sms", "carillon.recipient.opted_out"),
        ("carillon/webhook", "carillon.endpoint.failing"),
    ] {
        admitted(&open, source, kind, json!({}));
    }
    for source in
        ["carillon", "carillon/api", "carillon/cli", "carillon/push", "carillon/relay", "carillon/other"]
    {
        for kind in ["carillon.recipient.updated", "carillon.topic.joined", "order.paid"] {
            refused(&open, source, kind, json!({}), "producer_not_allowed");
            assert!(source == "carillon/push" || open.reach(source, None) == Tenants::None, "{source}");
        }
    }
    refused(&open, REPLAY_SOURCE, "order.paid", json!({}), "producer_not_allowed");
    admitted(&open, REPLAY_SOURCE, "order.paid", json!({ "source": "shop", "replayid": "r" }));
}

#[test]
fn with_producers_a_source_without_an_entry_is_refused() {
    let listed = producers(json!([{ "source": "shop*", "tenants": "all" }]));
    admitted(&listed, "shop-2", "t", json!({}));
    refused(&listed, "bank", "t", json!({}), "producer_not_allowed");
    refused(&producers(json!([])), "shop", "t", json!({}), "producer_not_allowed");
    admitted(&listed, "carillon/relay", "communication.sent", json!({}));
    admitted(&listed, "/tenants/a", "t", json!({ "tenant": "a" }));
}

#[test]
fn producer_is_limited_to_its_tenants_and_types() {
    let listed = producers(json!([
        { "source": "shop", "tenants": { "listed": ["ten-a"] }, "types": ["order.*", "shop.opened"] },
        { "source": "clock", "tenants": "none" },
        { "source": "both", "tenants": { "listed": ["ten-a", "-"] } },
    ]));
    admitted(&listed, "shop", "order.paid", json!({ "tenant": "ten-a" }));
    admitted(&listed, "shop", "shop.opened", json!({ "tenant": "ten-a" }));
    for (kind, members) in [
        ("order.paid", json!({ "tenant": "ten-b" })),
        ("order.paid", json!({})),
        ("shop.opened.late", json!({ "tenant": "ten-a" })),
        ("account.opened", json!({ "tenant": "ten-a" })),
    ] {
        refused(&listed, "shop", kind, members, "producer_not_allowed");
    }
    admitted(&listed, "clock", "t", json!({}));
    refused(&listed, "clock", "t", json!({ "tenant": "ten-a" }), "producer_not_allowed");
    admitted(&listed, "both", "t", json!({}));
}

#[test]
fn most_specific_entry_applies() {
    let listed = producers(json!([
        { "source": "*", "tenants": "none" },
        { "source": "shop*", "tenants": "all", "critical": true },
        { "source": "shop", "tenants": { "listed": ["ten-a"] } },
    ]));
    let entry = |source: &str| listed.entry(source).unwrap().source.as_str();
    assert_eq!((entry("shop"), entry("shop-2"), entry("bank")), ("shop", "shop*", "*"));
    assert!(!listed.may_be_critical("shop") && listed.may_be_critical("shop-2"));
}

#[test]
fn only_operators_may_replay() {
    let listed = producers(json!([
        { "source": "shop", "tenants": "all" },
        { "source": "ops", "tenants": "all", "operator": true },
    ]));
    assert!(
        listed.may_replay("ops") && !listed.may_replay("shop") && !Producers::default().may_replay("shop")
    );
    for members in [json!({ "replayid": "r" }), json!({ "renotify": true }), json!({ "replayid": 7 })] {
        admitted(&listed, "shop", "t", members);
    }
    let recorded = json!({ "source": "shop", "type": "t", "replayid": "r" });
    for source in [REPLAY_SOURCE, "ops"] {
        admitted(&listed, source, "t", recorded.clone());
        refused(&listed, source, "other", recorded.clone(), "identity_mismatch");
        refused(&listed, source, "t", json!({ "source": "shop" }), "identity_mismatch");
    }
    assert!(
        Producers::default().may_replay(REPLAY_SOURCE) && !Producers::default().may_replay("carillon/api")
    );
}

#[test]
fn tenant_source_is_limited_to_its_tenant() {
    let open = Producers::default();
    for source in ["/tenants/clinic%207", "/tenants/clinic%207/desk"] {
        admitted(&open, source, "t", json!({ "tenant": "clinic 7", "authid": "ann" }));
        refused(&open, source, "t", json!({ "tenant": "clinic 8" }), "producer_not_allowed");
        refused(&open, source, "t", json!({}), "producer_not_allowed");
        refused(
            &open,
            source,
            "carillon.topic.joined",
            json!({ "tenant": "clinic 7" }),
            "producer_not_allowed",
        );
    }
    refused(&open, "/tenants/clinic%2070", "t", json!({ "tenant": "clinic 7" }), "producer_not_allowed");
    let wide = producers(json!([{ "source": "/tenants/*", "tenants": "all", "people": true }]));
    refused(
        &wide,
        "/tenants/a",
        "carillon.recipient.updated",
        json!({ "tenant": "a" }),
        "producer_not_allowed",
    );
}

#[test]
fn only_the_api_may_set_the_authenticated_user() {
    let open = Producers::default();
    refused(&open, "shop", "t", json!({ "authid": "ann" }), "producer_not_allowed");
    admitted(&open, "/api", "t", json!({ "authid": "ann" }));
}

#[test]
fn digest_source_is_refused_on_the_bus() {
    refused(&Producers::default(), "/carillon/digest", "t", json!({}), "producer_not_allowed");
}

#[test]
fn recipient_updates_need_the_right_and_stay_in_the_tenant() {
    let listed = producers(json!([
        { "source": "crm", "tenants": { "listed": ["ten-a", "ten-b"] }, "people": true, "types": ["crm.*"] },
        { "source": "hr", "tenants": "all", "people": true },
        { "source": "shop", "tenants": "all" },
    ]));
    admitted(&listed, "crm", "carillon.recipient.updated", json!({ "tenant": "ten-a" }));
    refused(
        &listed,
        "crm",
        "carillon.recipient.updated",
        json!({ "tenant": "ten-c" }),
        "producer_not_allowed",
    );
    refused(&listed, "crm", "carillon.recipient.updated", json!({}), "producer_not_allowed");
    refused(
        &listed,
        "crm",
        "carillon.recipient.opted_out",
        json!({ "tenant": "ten-a" }),
        "producer_not_allowed",
    );
    refused(&listed, "shop", "carillon.recipient.updated", json!({}), "producer_not_allowed");
    let only = |tenant: &str| Tenants::Listed(BTreeSet::from([tenant.to_owned()]));
    assert_eq!(listed.reach("crm", Some("ten-a")), only("ten-a"));
    assert_eq!(listed.reach("crm", Some("ten-c")), Tenants::None);
    assert_eq!((listed.reach("hr", None), listed.reach("hr", Some("ten-b"))), (Tenants::All, only("ten-b")));
    assert_eq!(
        (listed.reach("shop", None), listed.reach("carillon/push", Some("a"))),
        (Tenants::None, Tenants::All)
    );
}

#[test]
fn exactly_the_own_sources_are_reserved() {
    for source in
        [REPLAY_SOURCE, CLI_SOURCE, RELAY_SOURCE, API_SOURCE, "carillon", "/api", "/api/x", "/tenants/a"]
    {
        assert!(is_reserved_source(source), "{source}");
    }
    assert!(is_reserved_source(DIGEST_SOURCE) && is_reserved_source(SMS_SOURCE));
    for source in ["carillonx", "/carillon/demo", "/apis", "shop", "/tenant/a", ""] {
        assert!(!is_reserved_source(source), "{source}");
    }
}

fn producers(entries: Value) -> Producers {
    serde_json::from_value(entries).unwrap()
}

/// The event as EventBridge delivers it.
fn bus(source: &str, kind: &str, detail: &Value) -> String {
    json!({
        "version": "0", "id": "b-1", "detail-type": kind, "source": source, "account": "1",
        "time": "2026-11-20T12:00:01Z", "region": "eu-central-1", "resources": [], "detail": detail,
    })
    .to_string()
}

/// A CloudEvent on the bus. `members` are added and override the bus's own names.
fn on_the_bus(source: &str, kind: &str, members: Value) -> String {
    let mut event = json!({ "specversion": "1.0", "id": "1", "source": source, "type": kind });
    let Value::Object(members) = members else { panic!("members are an object") };
    event.as_object_mut().unwrap().extend(members);
    bus(source, kind, &event)
}

#[track_caller]
fn admitted(producers: &Producers, source: &str, kind: &str, members: Value) {
    let text = on_the_bus(source, kind, members);
    let refusal = BusEvent::parse(&text).unwrap().event(producers).err();
    assert_eq!(refusal, None, "{text}");
}

#[track_caller]
fn refused(producers: &Producers, source: &str, kind: &str, members: Value, class: &str) -> String {
    let text = on_the_bus(source, kind, members);
    let refusal = BusEvent::parse(&text).unwrap().event(producers).expect_err(&text);
    assert_eq!(refusal.class.name(), class, "{text}: {refusal}");
    refusal.to_string()
}
