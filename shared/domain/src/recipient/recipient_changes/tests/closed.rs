//! Changes that are not part of producers' own tables: opt-outs, unsubscriptions, bounces and unregistered devices.

use serde_json::json;

use super::*;

#[test]
fn opt_out_suppresses_sms_until_a_later_change() {
    let event = |source: &str| {
        let text = json!({
            "specversion": "1.0", "id": "e-1", "source": source, "type": OPTED_OUT, "time": NOON.to_string(),
            "data": { "recipient": "ann", "channel": "sms" },
        });
        Event::parse(&text.to_string()).unwrap()
    };
    assert!(
        read(&event("elsewhere"), &Tenants::All, NOON).is_err(),
        "only the sms function may publish opt-outs"
    );
    let Ok(Notice::People(people)) = read(&event(SMS_SOURCE), &Tenants::All, NOON) else {
        panic!("wanted recipients")
    };
    let mut entry = Entry::default();
    entry.apply(&create(1, json!({ "id": "ann", "name": "Ann" }))).unwrap();
    let stop = RecipientChange { stamp: at(2), ..people[0].clone() };
    assert!(entry.apply(&stop).unwrap() && !entry.apply(&stop).unwrap(), "once");
    let closed = json!([{ "channel": "sms", "why": "opted_out" }]);
    check(&entry, json!({ "id": "ann", "name": "Ann", "suppressed": closed }));
    entry.apply(&create(3, json!({ "id": "ann", "name": "Ann Lee" }))).unwrap();
    check(&entry, json!({ "id": "ann", "name": "Ann Lee", "suppressed": closed }));
    entry.apply(&update("ann", 4, json!({ "suppressed": [] }))).unwrap();
    assert!(!entry.apply(&stop).unwrap(), "the later word counts");
    check(&entry, json!({ "id": "ann", "name": "Ann Lee" }));
}

#[test]
fn unsubscription_stays_until_its_scope_is_changed() {
    let left = |scope: &str| json!({ scope: { "at": "2026-11-20T12:00:00Z", "message": "k-1" } });
    let both = json!({ "commercial": left("x")["x"], "category:news": left("x")["x"] });
    let mut entry = Entry::default();
    entry.apply(&create(1, json!({ "id": "ann" }))).unwrap();
    entry.apply(&update("ann", 2, json!({ "unsubscribed": left("commercial") }))).unwrap();
    entry.apply(&update("ann", 3, json!({ "unsubscribed": left("category:news") }))).unwrap();
    entry.apply(&create(4, json!({ "id": "ann", "name": "A" }))).unwrap();
    check(&entry, json!({ "id": "ann", "name": "A", "unsubscribed": both }));
    entry.apply(&update("ann", 5, json!({ "unsubscribed": { "commercial": null } }))).unwrap();
    check(&entry, json!({ "id": "ann", "name": "A", "unsubscribed": left("category:news") }));
    let odd = update("ann", 6, json!({ "unsubscribed": left("everything") }));
    assert!(entry.apply(&odd).is_err(), "that is no scope");
}

#[test]
fn suppression_stays_until_the_list_is_replaced_later() {
    let closed = json!([{ "channel": "email", "why": "bounced", "address": "a" }]);
    let close = |second| change(second, Change::Close(serde_json::from_value(closed[0].clone()).unwrap()));
    let mut entry = Entry::default();
    entry.apply(&create(1, json!({ "id": "ann" }))).unwrap();
    assert!(entry.apply(&close(3)).unwrap());
    assert!(!entry.apply(&close(3)).unwrap(), "heard already");
    entry.apply(&create(4, json!({ "id": "ann", "name": "A" }))).unwrap();
    check(&entry, json!({ "id": "ann", "name": "A", "suppressed": closed }));
    entry.apply(&update("ann", 2, json!({ "suppressed": [] }))).unwrap();
    check(&entry, json!({ "id": "ann", "name": "A", "suppressed": closed }));
    entry.apply(&update("ann", 5, json!({ "suppressed": null }))).unwrap();
    check(&entry, json!({ "id": "ann", "name": "A" }));
    assert!(!entry.apply(&close(4)).unwrap(), "opened again since");
}

#[test]
fn unregistered_device_is_removed_unless_registered_later() {
    let device = json!([{ "id": "d", "platform": "fcm", "endpoint": "arn:e" }]);
    let gone = |second| change(second, Change::Unregister("d".into()));
    let mut entry = Entry::default();
    entry.apply(&create(1, json!({ "id": "ann", "devices": device }))).unwrap();
    assert!(entry.apply(&gone(3)).unwrap());
    check(&entry, json!({ "id": "ann" }));
    entry.apply(&update("ann", 2, json!({ "devices": device }))).unwrap();
    check(&entry, json!({ "id": "ann" }));
    entry.apply(&update("ann", 4, json!({ "devices": device }))).unwrap();
    check(&entry, json!({ "id": "ann", "devices": device }));
    assert!(!entry.apply(&gone(3)).unwrap(), "registered again since");
    check(&entry, json!({ "id": "ann", "devices": device }));
}

#[test]
fn only_push_may_unregister_devices() {
    let read_from = |source: &str| {
        let mut event = event("device.unregistered", &json!({ "recipient": "ann", "device": "d" }));
        event.source = source.to_owned();
        read(&event, &Tenants::All, NOON)
    };
    let Ok(Notice::People(changes)) = read_from("carillon/push") else { panic!("push may unregister") };
    assert!(matches!(&changes[0].change, Change::Unregister(device) if device == "d"));
    assert_eq!(changes[0].id, "ann");
    let Err(refusal) = read_from("crm") else { panic!("crm may not unregister") };
    assert!(refusal.to_string().contains("carillon/push"), "{refusal}");
}
