//! A hostile producer, whose only right is to put events on the bus.

use std::collections::BTreeSet;

use domain::recipient::Recipient;
use publish::Entry;
use serde_json::{Value, json};
use store::Record;
use testkit::cloud::{Cloud, entry, now_text};
use testkit::until::{quiet, until};
use workspace::unique;

#[tokio::test]
async fn event_with_a_mismatched_source_reaches_no_recipient_and_both_sources_are_recorded() {
    let cloud = Cloud::connect();
    let ann = cloud.new_recipient().await;
    let forged = envelope("booking-service", "core.hello", &json!({ "to": [ann.id], "message": "forged" }));
    cloud.put(&[entry("tests", "tests.harmless", &forged)]).await;
    let record = refused(&cloud, &forged).await;
    for (attribute, expected) in [
        ("refused_class", "identity_mismatch"),
        ("source", "tests"),
        ("type", "tests.harmless"),
        ("inner_source", "booking-service"),
        ("inner_type", "core.hello"),
    ] {
        assert_eq!(record.get(attribute), Some(expected), "{attribute}");
    }
    assert_eq!(cause(&cloud, "dispatch", &forged).await, "identity_mismatch");
    quiet().await;
    assert!(cloud.emails(ann.email.as_ref().unwrap().expose()).is_empty());
}

#[tokio::test]
async fn source_that_policy_does_not_list_reaches_no_recipient() {
    let cloud = Cloud::connect();
    let ann = cloud.new_recipient().await;
    let event = envelope("nobody-listed", "core.hello", &json!({ "to": [ann.id], "message": "?" }));
    cloud.put(&[entry("nobody-listed", "core.hello", &event)]).await;
    assert_eq!(refused(&cloud, &event).await.get("refused_class"), Some("producer_not_allowed"));
    assert_eq!(cause(&cloud, "dispatch", &event).await, "producer_not_allowed");
    quiet().await;
    assert!(cloud.emails(ann.email.as_ref().unwrap().expose()).is_empty());
}

#[tokio::test]
async fn reserved_types_and_a_producers_authid_are_refused_and_recorded() {
    let cloud = Cloud::connect();
    for (kind, members) in [
        ("communication.sent", json!({})),
        ("preference.unsubscribed", json!({})),
        ("carillon.delivery.sent", json!({})),
        ("carillon.device.unregistered", json!({})),
        ("core.hello", json!({ "authid": "ann" })),
    ] {
        let mut event = envelope("tests", kind, &json!({}));
        event.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        cloud.put(&[entry("tests", kind, &event)]).await;
        assert_eq!(
            refused(&cloud, &event).await.get("refused_class"),
            Some("producer_not_allowed"),
            "{kind}"
        );
    }
}

#[tokio::test]
async fn person_of_another_tenant_is_not_changed_and_the_event_is_dead_lettered() {
    let cloud = Cloud::connect();
    let (ours, theirs) = (unique("tenant"), unique("tenant"));
    let victim = json!({ "id": unique("user"), "email": "victim@example.com", "tenants": [theirs] });
    let victim = cloud.new_recipient_with(victim).await;
    for (kind, data) in [
        (
            "recipient.updated",
            json!({ "id": victim.id, "email": "evil@example.com", "tenants": [ours, theirs] }),
        ),
        (
            "recipient.updated",
            json!({ "id": victim.id, "roles": [{ "role": "clinic-staff", "in": theirs }] }),
        ),
        ("recipient.deleted", json!({ "id": victim.id })),
        ("recipient.created", json!({ "id": victim.id, "tenants": [ours] })),
        ("topic.joined", json!({ "topic": "x:1", "users": [victim.id] })),
        ("tenant.updated", json!({ "id": theirs, "zone": "Asia/Tokyo" })),
    ] {
        let event = update(kind, Some(&ours), &data);
        cloud.put(std::slice::from_ref(&event)).await;
        let event: Value = serde_json::from_str(&event.detail).unwrap();
        assert_eq!(cause(&cloud, "people", &event).await, "producer_not_allowed", "{kind}");
        assert!(find(&cloud, &victim.id).await == Some(victim.clone()), "{kind}");
    }
}

#[tokio::test]
async fn source_without_the_right_changes_no_person() {
    let cloud = Cloud::connect();
    let victim = cloud.new_recipient().await;
    let mut event = update("recipient.deleted", None, &json!({ "id": victim.id }));
    event.source = "queue-service".to_owned();
    event.detail = event.detail.replace("\"source\":\"tests\"", "\"source\":\"queue-service\"");
    cloud.put(std::slice::from_ref(&event)).await;
    let written: Value = serde_json::from_str(&event.detail).unwrap();
    assert_eq!(refused(&cloud, &written).await.get("refused_class"), Some("producer_not_allowed"));
    quiet().await;
    assert!(find(&cloud, &victim.id).await == Some(victim));
}

fn envelope(source: &str, kind: &str, data: &Value) -> Value {
    json!({
        "specversion": "1.0", "id": unique("event"), "source": source, "type": kind, "time": now_text(), "data": data,
    })
}

fn update(kind: &str, tenant: Option<&str>, data: &Value) -> Entry {
    let kind = format!("carillon.{kind}");
    let mut event = envelope("tests", &kind, data);
    if let Some(tenant) = tenant {
        event["tenant"] = tenant.into();
    }
    entry("tests", &kind, &event)
}

/// Audit record of a refused event.
async fn refused(cloud: &Cloud, event: &Value) -> Record {
    let id = event["id"].as_str().unwrap();
    until("the audit has it", async || {
        cloud.all_records().await.into_iter().find(|record| {
            record.get("refused").is_some() && record.get("detail").is_some_and(|detail| detail.contains(id))
        })
    })
    .await
}

/// Cause with which a queue's function dead-lettered the event.
async fn cause(cloud: &Cloud, queue: &str, event: &Value) -> String {
    let id = event["id"].as_str().unwrap();
    let email = until("a dead letter", async || cloud.dead_letters(queue, id).await.pop()).await;
    email.message_attributes.as_ref().unwrap()["cause"].string_value().unwrap().to_owned()
}

async fn find(cloud: &Cloud, id: &str) -> Option<Recipient> {
    cloud.people.find(&BTreeSet::from([id])).await.unwrap().remove(id)
}
