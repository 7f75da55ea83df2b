use std::collections::BTreeSet;

use super::*;
use crate::recipient::Group;
use proptest::prelude::*;
use serde_json::json;

mod closed;
mod doors;
mod reach;
mod within;

const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

#[test]
fn reads_recipient_topic_and_tenant_events() {
    let Ok(Notice::People(people)) = read_event("recipient.created", &json!({ "id": "ann", "name": "Ann" }))
    else {
        panic!("people are")
    };
    assert!(matches!(&people[0].change, Change::Create(person) if person.name == Some("Ann".into())));
    assert_eq!(people[0].stamp, Stamp { at: NOON, by: "crm e-1".into() });
    let users = json!({ "topic": "project:42", "users": ["ben", "ann", "ben"] });
    let Ok(Notice::People(people)) = read_event("topic.joined", &users) else { panic!("people are") };
    assert_eq!(people.iter().map(|person| person.id.as_str()).collect::<Vec<_>>(), ["ann", "ben"]);
    let topic = Topic { tenant: Some("clinic-7".into()), name: "project:42".into() };
    assert!(people.iter().all(|person| matches!(&person.change, Change::Join(person) if *person == topic)));
    let settings = json!({ "id": "clinic-7", "zone": "Europe/London" });
    let Ok(Notice::Tenant { id, settings, .. }) = read_event("tenant.updated", &settings) else {
        panic!("a tenant is")
    };
    assert_eq!((id.as_str(), settings.zone.as_deref()), ("clinic-7", Some("Europe/London")));
}

#[test]
fn invalid_event_is_refused_with_the_member_but_not_the_value() {
    let secret = "ann@example.com";
    let many: Vec<String> = (0..=MAX_USERS).map(|n| n.to_string()).collect();
    for (kind, data, expected) in [
        ("recipient.created", json!({}), "data.id: found nothing, wanted a string of 1 to 256 bytes"),
        ("recipient.created", json!({ "id": "" }), "data.id: found an empty string"),
        ("recipient.created", json!({ "id": "x".repeat(257) }), "data.id: found 257 bytes"),
        (
            "recipient.created",
            json!({ "id": "a", "email": [secret] }),
            "data.email: found a list of another shape",
        ),
        (
            "recipient.created",
            json!({ "id": "a", "mail": secret }),
            "data.<4 characters>: found a member that is not known",
        ),
        (
            "recipient.created",
            json!({ "id": "a", "devices": [{ "id": secret }] }),
            "data.devices: found a list",
        ),
        ("recipient.created", json!({ "id": "a", "topics": ["plain"] }), "data.topics: found a name without"),
        (
            "recipient.created",
            json!({ "id": "a", "roles": [{ "role": "", "in": "b" }] }),
            "data.roles: found an empty",
        ),
        ("recipient.created", json!([secret]), "data: found a list, wanted a JSON object"),
        ("recipient.updated", json!({ "id": "a" }), "data: found nothing but an id"),
        (
            "recipient.updated",
            json!({ "id": "a", "mail": secret }),
            "data.<4 characters>: found a member that is not known",
        ),
        ("recipient.updated", json!({ "name": secret }), "data.id: found nothing"),
        (
            "recipient.deleted",
            json!({ "id": "a", "name": secret }),
            "data.name: found a member that is not known",
        ),
        (
            "topic.joined",
            json!({ "topic": "42", "users": ["a"] }),
            "data.topic: found a name without a value",
        ),
        ("topic.joined", json!({ "topic": "x:1", "users": [] }), "data.users: found 0 entries"),
        ("topic.left", json!({ "topic": "x:1", "users": many }), "data.users: found 1001 entries"),
        ("topic.left", json!({ "topic": "x:1", "users": [7] }), "data.users: found a number, wanted strings"),
        ("tenant.updated", json!({ "id": "t", "zone": 7 }), "data.zone: found a number, wanted a name of"),
        (
            "tenant.updated",
            json!({ "id": "t", "name": secret }),
            "data.name: found a member that is not known",
        ),
        ("recipient.moved", json!({ "id": "a" }), "type: found a text of 24 characters"),
    ] {
        let refusal =
            read_event(kind, &data).err().unwrap_or_else(|| panic!("{kind} {data} is taken")).to_string();
        assert!(refusal.starts_with(expected), "{refusal}");
        assert!(!refusal.contains(secret), "{refusal}");
    }
}

#[test]
fn event_from_the_future_is_refused() {
    let event = event("recipient.deleted", &json!({ "id": "ann" }));
    assert!(read(&event, &Tenants::All, NOON - Duration::from_secs(3_599)).is_ok());
    let refusal = read(&event, &Tenants::All, NOON - Duration::from_secs(3_601)).err().unwrap().to_string();
    assert!(refusal.starts_with("time: found "), "{refusal}");
}

#[test]
fn every_member_can_be_created_and_changed() {
    let mut everything = everything();
    let created = person(&everything.to_string()).unwrap();
    assert_eq!(serde_json::to_value(&created).unwrap(), everything);
    let Ok(Notice::People(people)) = read_event("recipient.updated", &everything) else {
        panic!("people are")
    };
    let mut entry = Entry::default();
    assert!(entry.apply(&people[0]).unwrap());
    assert!(entry.person.as_ref() == Some(&created));
    let emptied = everything.as_object_mut().unwrap();
    emptied.iter_mut().filter(|(name, _)| *name != "id").for_each(|(_, value)| *value = Value::Null);
    assert!(entry.apply(&update("ann", 1, everything)).unwrap());
    assert!(entry.person == Some(Recipient { id: "ann".into(), ..Recipient::default() }));
}

#[test]
fn later_change_survives_an_earlier_one_that_arrives_late() {
    let mut entry = Entry::default();
    assert!(entry.apply(&update("ann", 2, json!({ "email": "new@example.com" }))).unwrap());
    assert!(
        entry.apply(&create(1, json!({ "id": "ann", "name": "Ann", "email": "old@example.com" }))).unwrap()
    );
    assert!(!entry.apply(&update("ann", 1, json!({ "email": "older@example.com" }))).unwrap());
    assert!(
        !entry.apply(&update("ann", 2, json!({ "email": "same@example.com" }))).unwrap(),
        "the same event"
    );
    check(&entry, json!({ "id": "ann", "name": "Ann", "email": "new@example.com" }));
}

#[test]
fn changes_for_one_tenant_do_not_affect_another() {
    let mut entry = Entry::default();
    entry.apply(&update("ann", 2, json!({ "in_tenants": { "a": { "zone": "Europe/London" } } }))).unwrap();
    let older = json!({ "in_tenants": { "a": { "zone": "Asia/Tokyo" }, "b": { "zone": "Asia/Tokyo" } } });
    assert!(entry.apply(&update("ann", 1, older)).unwrap());
    let both = json!({ "a": { "zone": "Europe/London" }, "b": { "zone": "Asia/Tokyo" } });
    check(&entry, json!({ "id": "ann", "in_tenants": both }));
    entry.apply(&create(1, json!({ "id": "ann", "in_tenants": { "c": {} } }))).unwrap();
    check(&entry, json!({ "id": "ann", "in_tenants": { "a": { "zone": "Europe/London" }, "c": {} } }));
}

#[test]
fn deleted_recipient_is_not_restored_by_earlier_changes() {
    let mut entry = Entry::default();
    entry.apply(&create(1, json!({ "id": "ann", "topics": ["x:1"] }))).unwrap();
    assert!(entry.apply(&change(3, Change::Remove)).unwrap());
    for late in [
        update("ann", 2, json!({ "name": "Ann" })),
        create(2, json!({ "id": "ann" })),
        change(2, Change::Join(topic())),
    ] {
        assert!(!entry.apply(&late).unwrap());
        assert!(entry.person.is_none() && entry.groups().is_empty());
    }
    assert_eq!(entry.forget_at(), Some(at(3).at + MEMORY));
    assert!(entry.apply(&create(4, json!({ "id": "ann", "name": "Ann" }))).unwrap(), "she is back");
    check(&entry, json!({ "id": "ann", "name": "Ann" }));
    assert_eq!(entry.forget_at(), None);
}

#[test]
fn invalid_change_is_not_applied() {
    let mut entry = Entry::default();
    entry.apply(&create(1, json!({ "id": "ann", "name": "Ann" }))).unwrap();
    let refusal = entry.apply(&update("ann", 2, json!({ "name": "Ben", "tenants": "a" }))).unwrap_err();
    assert_eq!(refusal.to_string(), "data.tenants: found a string, wanted a list of strings");
    check(&entry, json!({ "id": "ann", "name": "Ann" }));
    assert!(entry.apply(&update("ann", 2, json!({ "name": "Ben" }))).unwrap(), "the stamp was not used up");
}

#[test]
fn move_to_other_tenants_removes_addresses_and_devices() {
    let planted = json!({
        "id": "ann", "tenants": ["a"], "email": "evil@example.com", "phone": "+4930123456", "topics": ["x:1"],
        "devices": [{ "id": "d", "platform": "fcm", "endpoint": "arn:evil" }],
    });
    let moved = |patch: Value| {
        let mut entry = Entry::default();
        entry.apply(&create(1, planted.clone())).unwrap();
        entry.apply(&update("ann", 2, patch)).unwrap();
        assert!(!entry.apply(&update("ann", 1, json!({ "phone": "+4930123456" }))).unwrap(), "an older word");
        entry
    };
    check(
        &moved(json!({ "email": "ann@example.com", "tenants": ["b"], "locale": null })),
        json!({ "id": "ann", "email": "ann@example.com", "tenants": ["b"] }),
    );
    // One of the tenants stays, or the recipient belongs to all tenants, so the data stays.
    for tenants in [json!(["a", "b"]), json!(["*"])] {
        let Some(kept) = moved(json!({ "tenants": tenants })).person else { panic!("the person is known") };
        assert_eq!(kept.devices.len(), 1, "{tenants}");
        assert!(kept.phone == Some("+4930123456".into()), "{tenants}");
    }
}

#[test]
fn new_description_keeps_suppressions_unless_it_names_them() {
    let closed = json!([{ "channel": "sms", "why": "opted_out" }]);
    for first_is_closed in [true, false] {
        let changes = [
            update("ann", 1, json!({ "suppressed": closed })),
            create(2, json!({ "id": "ann", "name": "A" })),
        ];
        let mut entry = Entry::default();
        let (first, then) = if first_is_closed { (0, 1) } else { (1, 0) };
        entry.apply(&changes[first]).unwrap();
        entry.apply(&changes[then]).unwrap();
        check(&entry, json!({ "id": "ann", "name": "A", "suppressed": closed }));
        entry.apply(&update("ann", 3, json!({ "suppressed": null }))).unwrap();
        check(&entry, json!({ "id": "ann", "name": "A" }));
    }
}

#[test]
fn operators_change_overrides_a_clock_that_is_ahead() {
    let mut entry = Entry::default();
    entry.apply(&create(9, json!({ "id": "ann", "name": "Ahead" }))).unwrap();
    let put = |name: &str| change(5, Change::Put(Box::new(recipient(json!({ "id": "ann", "name": name })))));
    entry.apply(&put("Ann")).unwrap();
    check(&entry, json!({ "id": "ann", "name": "Ann" }));
    assert!(!entry.apply(&update("ann", 8, json!({ "name": "Older" }))).unwrap());
}

#[test]
fn topic_joined_before_creation_is_kept() {
    let mut entry = Entry::default();
    assert!(entry.apply(&change(2, Change::Join(topic()))).unwrap());
    assert!(entry.person.is_none());
    entry.apply(&create(1, json!({ "id": "ann", "tenants": ["a"] }))).unwrap();
    assert_eq!(entry.groups(), [Group::topic(Some("a"), "x:1")].into());
    assert!(!entry.apply(&change(2, Change::Leave(topic()))).unwrap(), "not newer");
    assert!(entry.apply(&change(3, Change::Leave(topic()))).unwrap());
    assert!(!entry.apply(&change(2, Change::Join(topic()))).unwrap(), "older than the leaving");
    assert!(entry.groups().is_empty());
}

#[test]
fn entry_round_trips() {
    let mut entry = Entry::default();
    entry.apply(&create(1, everything())).unwrap();
    entry.apply(&update("ann", 2, json!({ "name": "B" }))).unwrap();
    entry.apply(&change(3, Change::Join(topic()))).unwrap();
    let again = Entry::restore(entry.person.clone(), &entry.history()).unwrap();
    assert!(again == entry);
    assert!(!entry.history().contains('@'), "a history holds no address");
}

/// RFC 7396, appendix A, for those examples whose targets are objects.
#[test]
fn patches_merge_as_rfc_7396_says() {
    for (target, patch, expected) in [
        (json!({ "a": "b" }), json!({ "a": "c" }), json!({ "a": "c" })),
        (json!({ "a": "b" }), json!({ "b": "c" }), json!({ "a": "b", "b": "c" })),
        (json!({ "a": "b", "b": "c" }), json!({ "a": null }), json!({ "b": "c" })),
        (json!({ "a": ["b"] }), json!({ "a": "c" }), json!({ "a": "c" })),
        (json!({ "a": { "b": "c" } }), json!({ "a": { "b": "d", "c": null } }), json!({ "a": { "b": "d" } })),
        (json!({ "a": [{ "b": "c" }] }), json!({ "a": [1] }), json!({ "a": [1] })),
        (json!({}), json!({ "a": { "bb": { "ccc": null } } }), json!({ "a": { "bb": {} } })),
        (json!({ "e": null }), json!({ "a": 1 }), json!({ "e": null, "a": 1 })),
    ] {
        let mut merged = target.clone();
        merge(&mut merged, patch.clone());
        assert_eq!(merged, expected, "{target} {patch}");
    }
}

proptest! {
    #[test]
    fn order_of_changes_does_not_matter(
        kinds in prop::collection::vec((0..8_u8, "[a-c]", prop::collection::btree_set("[a-c]:[1-2]", 0..3)), 1..9),
        order in Just((0..9_usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let changes: Vec<RecipientChange> =
            kinds.iter().zip(1..).map(|((kind, text, topics), second)| any_change(*kind, text, topics, second)).collect();
        let (mut one, mut other) = (Entry::default(), Entry::default());
        for change in &changes {
            one.apply(change).unwrap();
        }
        for change in order.iter().chain(&order).filter_map(|index| changes.get(*index)) {
            other.apply(change).unwrap();
        }
        prop_assert!(one.person == other.person);
    }

    #[test]
    fn no_text_panics(text in ".{0,200}", kind in "carillon\\.(recipient|topic|tenant)\\.[a-z]{1,9}") {
        let _ = person(&text);
        let _ = tenant(&text);
        let data = serde_json::json!({ "id": text, "topic": text, "users": [text] });
        let _ = read_event(kind.trim_start_matches("carillon."), &data);
    }
}

/// One of eight kinds of changes. Deletions are left out, because later changes after a deletion are dropped.
fn any_change(kind: u8, text: &str, topics: &BTreeSet<String>, second: i64) -> RecipientChange {
    let topic = Topic { tenant: Some(text.into()), name: "x:1".into() };
    match kind {
        0 => create(second, json!({ "id": "ann", "name": text, "topics": topics })),
        1 => update("ann", second, json!({ "name": text, "topics_in": { "a": topics } })),
        2 => update("ann", second, json!({ "topics": topics, "zone": null })),
        3 => {
            let suppressed = json!([{ "channel": "sms", "why": "bounced" }]);
            let scope = if second % 2 == 0 { "commercial" } else { "category:c" };
            let left = json!({ scope: { "at": "2026-11-20T12:00:00Z" } });
            update("ann", second, json!({ "zone": text, "suppressed": suppressed, "unsubscribed": left }))
        }
        4 => change(second, Change::Join(topic)),
        5 => {
            let closed =
                json!({ "channel": "email", "why": "bounced", "until": at(second).at, "address": text });
            change(second, Change::Close(serde_json::from_value(closed).unwrap()))
        }
        6 => change(second, Change::Unregister(format!("device {}", topics.len()))),
        _ => {
            let device = |n| json!({ "id": format!("device {n}"), "platform": "fcm", "endpoint": "e" });
            update("ann", second, json!({ "devices": [device(0), device(1)] }))
        }
    }
}

fn read_event(kind: &str, data: &Value) -> Result<Notice, Refusal> {
    read(&event(kind, data), &Tenants::All, NOON)
}

fn event(kind: &str, data: &Value) -> Event {
    let text = json!({
        "specversion": "1.0", "id": "e-1", "source": "crm", "type": format!("carillon.{kind}"),
        "time": NOON.to_string(), "tenant": "clinic-7", "data": data,
    });
    Event::parse(&text.to_string()).unwrap()
}

fn create(second: i64, person: Value) -> RecipientChange {
    change(second, Change::Create(Box::new(recipient(person))))
}

fn update(id: &str, second: i64, patch: Value) -> RecipientChange {
    let Value::Object(mut patch) = patch else { panic!("a patch is an object") };
    patch.remove("id");
    RecipientChange { id: id.into(), change: Change::Update(patch), stamp: at(second), reach: Tenants::All }
}

fn change(second: i64, change: Change) -> RecipientChange {
    RecipientChange { id: "ann".into(), change, stamp: at(second), reach: Tenants::All }
}

fn at(second: i64) -> Stamp {
    Stamp { at: NOON + Duration::from_secs(second.unsigned_abs()), by: "crm e".into() }
}

fn topic() -> Topic {
    Topic { tenant: Some("a".into()), name: "x:1".into() }
}

fn recipient(person: Value) -> Recipient {
    serde_json::from_value(person).unwrap()
}

#[track_caller]
fn check(entry: &Entry, expected: Value) {
    assert!(entry.person == Some(recipient(expected)));
}

fn everything() -> Value {
    json!({
        "id": "ann", "name": "Ann", "email": "ann@example.com", "phone": "+4930123456", "whatsapp": "+4930123456",
        "devices": [{ "id": "d", "platform": "fcm", "endpoint": "arn:e" }], "locale": "de", "zone": "Europe/Berlin",
        "tenants": ["a", "b"], "roles": [{ "role": "staff", "in": "a" }], "topics": ["x:1"],
        "topics_in": { "b": ["x:2"] }, "preferences": { "categories": { "c": false } }, "quiet": { "quiet": { "start": "22:00", "end": "07:00" } },
        "in_tenants": { "a": { "zone": "Europe/London" } },
        "suppressed": [{ "channel": "sms", "why": "opted_out" }],
        "unsubscribed": { "commercial": { "at": "2026-11-20T12:00:00Z", "message": "k-1" } },
    })
}
