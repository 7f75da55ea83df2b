//! Words that are not in the producers' own tables: STOP, the link of a letter, a bounce, a device that is gone.

use serde_json::json;

use super::*;

#[test]
fn who_says_stop_to_texts_is_not_written_to_and_only_a_later_word_opens_the_channel() {
    let event = |source: &str| {
        let text = json!({
            "specversion": "1.0", "id": "e-1", "source": source, "type": OPTED_OUT, "time": NOON.to_string(),
            "data": { "recipient": "ann", "channel": "sms" },
        });
        Event::parse(&text.to_string()).unwrap()
    };
    assert!(read(&event("elsewhere"), &Tenants::All, NOON).is_err(), "nobody else may say so");
    let Ok(Notice::People(people)) = read(&event(SMS), &Tenants::All, NOON) else {
        panic!("it is about somebody")
    };
    let mut entry = Entry::default();
    entry.apply(&create(1, json!({ "id": "ann", "name": "Ann" }))).unwrap();
    let stop = Amendment { stamp: at(2), ..people[0].clone() };
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
fn whoever_unsubscribed_stays_so_until_somebody_says_otherwise_of_that_very_scope() {
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
fn what_a_provider_closed_stays_closed_until_somebody_says_later_which_channels_are() {
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
fn a_device_that_is_gone_is_taken_out_unless_it_was_registered_again_later() {
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
fn only_push_says_that_a_device_is_gone() {
    let said = |source: &str| {
        let mut event = event("device.unregistered", &json!({ "recipient": "ann", "device": "d" }));
        event.source = source.to_owned();
        read(&event, &Tenants::All, NOON)
    };
    let Ok(Notice::People(changes)) = said("carillon/push") else { panic!("push says so") };
    assert!(matches!(&changes[0].change, Change::Unregister(it) if it == "d"));
    assert_eq!(changes[0].id, "ann");
    let Err(refusal) = said("crm") else { panic!("anybody says so") };
    assert!(refusal.to_string().contains("carillon/push"), "{refusal}");
}
