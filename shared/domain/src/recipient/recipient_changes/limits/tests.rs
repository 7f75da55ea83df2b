use super::*;
use crate::event::producers::Tenants;
use crate::recipient::recipient_changes::{Change, Entry, RecipientChange, Stamp, Topic, person, tenant};
use jiff::Timestamp;
use serde_json::json;

const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

/// Invalid e-mail addresses.
const BAD_EMAILS: [&str; 7] = [
    "",
    "no-at-sign",
    "a@b",
    "a@b.c\r\nBcc: x@example.com",
    "ann\u{202e}@example.com",
    "ann@ex\u{0}ample.com",
    "änn@example.com",
];

/// Invalid phone numbers.
const BAD_PHONES: [&str; 8] = [
    "",
    "1",
    "+1900",
    "020 7946 0000",
    "+0123456789",
    "+44 20\r\n7946 0000",
    "+44\u{202e}2079460000",
    "+1234567890123456",
];

#[test]
fn invalid_address_is_refused_with_the_member_but_not_the_value() {
    let long = format!("{}@example.com", "a".repeat(243));
    assert_eq!(long.len(), MAX_EMAIL_BYTES + 1);
    let long_number = format!("+44{}2079460000", " ".repeat(MAX_PHONE_BYTES - 12));
    for email in BAD_EMAILS.iter().copied().chain([long.as_str()]) {
        refused(json!({ "email": email }), "email");
    }
    let named = |chars: usize| format!("{} <ann@example.com>", "n".repeat(chars - 18));
    taken(json!({ "email": named(MAX_WRITTEN_EMAIL_BYTES) }));
    refused(json!({ "email": named(MAX_WRITTEN_EMAIL_BYTES + 1) }), "email");
    for number in BAD_PHONES.iter().copied().chain([long_number.as_str()]) {
        refused(json!({ "phone": number }), "phone");
        refused(json!({ "whatsapp": number }), "whatsapp");
    }
    taken(
        json!({ "email": "ann.lee+bell@mail.example.co", "phone": "+49 30 1234567", "whatsapp": "+1 (555) 010-9999" }),
    );
    taken(json!({ "email": null, "phone": null, "whatsapp": null }));
}

#[test]
fn members_are_refused_one_over_their_limits() {
    let ids = |count: usize| (0..count).map(|n| format!("t{n}")).collect::<Vec<_>>();
    let objects = |count: usize, of: fn(usize) -> Value| (0..count).map(of).collect::<Vec<_>>();
    let by_name = |count: usize, value: &Value| -> Map<String, Value> {
        (0..count).map(|n| (format!("t{n}"), value.clone())).collect()
    };
    let device = |n| json!({ "id": format!("d{n}"), "platform": "fcm", "endpoint": "e" });
    let role = |n| json!({ "role": format!("r{n}"), "in": "a" });
    let closed = |n| json!({ "channel": "email", "why": "bounced", "address": format!("h{n}") });
    for (member, most, over) in [
        ("name", json!("é".repeat(MAX_NAME_CHARS)), json!("é".repeat(MAX_NAME_CHARS + 1))),
        ("locale", json!("a".repeat(MAX_LOCALE_BYTES)), json!("a".repeat(MAX_LOCALE_BYTES + 1))),
        ("devices", json!(objects(MAX_DEVICES, device)), json!(objects(MAX_DEVICES + 1, device))),
        ("tenants", json!(ids(MAX_TENANTS)), json!(ids(MAX_TENANTS + 1))),
        ("roles", json!(objects(MAX_ROLES, role)), json!(objects(MAX_ROLES + 1, role))),
        ("topics", json!(ids(MAX_TOPICS)), json!(ids(MAX_TOPICS + 1))),
        ("topics_in", json!({ "a": ids(MAX_TOPICS) }), json!({ "a": ids(MAX_TOPICS + 1) })),
        ("topics_in", by_name(MAX_TENANTS, &json!([])).into(), by_name(MAX_TENANTS + 1, &json!([])).into()),
        ("in_tenants", by_name(MAX_TENANTS, &json!({})).into(), by_name(MAX_TENANTS + 1, &json!({})).into()),
        ("suppressed", json!(objects(MAX_SUPPRESSED, closed)), json!(objects(MAX_SUPPRESSED + 1, closed))),
        (
            "unsubscribed",
            by_name(MAX_UNSUBSCRIBED, &json!({})).into(),
            by_name(MAX_UNSUBSCRIBED + 1, &json!({})).into(),
        ),
        ("preferences", padded(MAX_PREFERENCES_BYTES), padded(MAX_PREFERENCES_BYTES + 1)),
        ("quiet", padded(MAX_QUIET_BYTES), padded(MAX_QUIET_BYTES + 1)),
    ] {
        taken(json!({ member: most }));
        refused(json!({ member: over }), member);
    }
}

#[test]
fn whole_description_is_limited() {
    let topics = |bytes: usize| {
        let topics: Vec<String> = (0..bytes / 240).map(|n| format!("{n:0240}")).collect();
        json!({ "topics_in": { "a": topics[..topics.len() / 2], "b": topics[topics.len() / 2..] } })
    };
    taken(topics(MAX_PERSON_BYTES - 4_096));
    let refusal = check_members(topics(MAX_PERSON_BYTES + 4_096).as_object().unwrap()).unwrap_err();
    assert_eq!(refusal.attribute, "body");
}

#[test]
fn unknown_inner_names_are_refused_and_not_quoted() {
    for (members, member) in [
        (json!({ "devices": [{ "id": "d", "SECRET": 1 }] }), "devices[0]"),
        (json!({ "roles": [{ "role": "r", "SECRET": 1 }] }), "roles[0]"),
        (json!({ "suppressed": [{ "SECRET": 1 }] }), "suppressed[0]"),
        (json!({ "in_tenants": { "a": { "SECRET": 1 } } }), "in_tenants"),
        (json!({ "unsubscribed": { "commercial": { "SECRET": 1 } } }), "unsubscribed"),
    ] {
        refused(members, member);
    }
    for text in [
        r#"{"id":"ann","SECRET":1}"#,
        r#"{"id":"ann","email":"SECRET"}"#,
        r#"{"id":"ann","in_tenants":{"SECRET":{"zone":"Mars/SECRET"}}}"#,
        r#"{"id":"ann","preferences":{"categories":{"SECRET":{"channel_types":{"SECRET":"SECRET"}}}}}"#,
        r#"{"id":"ann","topics":["SECRET"]}"#,
    ] {
        let refusal = person(text).err().unwrap().to_string();
        assert!(!refusal.contains("SECRET"), "{refusal}");
    }
    assert!(tenant(r#"{"tenant":"a","SECRET":1}"#).is_err_and(|error| !error.to_string().contains("SECRET")));
}

#[test]
fn oversized_recipient_can_be_suppressed_and_repaired() {
    // Release 0.1.0 accepted these members, and then had no space left.
    let stored =
        json!({ "id": "ann", "name": "n".repeat(190_000), "locale": "l".repeat(190_000), "email": "none" });
    let mut entry = Entry::undated(serde_json::from_value(stored).unwrap());
    let closed = json!({ "channel": "email", "why": "bounced", "address": "h" });
    assert!(apply(&mut entry, 1, Change::Close(serde_json::from_value(closed).unwrap())).unwrap());
    let left = json!({ "unsubscribed": { "commercial": { "at": "2026-11-20T12:00:00Z", "message": "k" } } });
    assert!(apply(&mut entry, 2, update(left)).unwrap());
    // More data is refused. A change that shrinks the recipient is accepted, although other members are too long.
    let refusal = apply(&mut entry, 3, update(json!({ "phone": "+49 30 1234567" }))).unwrap_err();
    assert_eq!(refusal.attribute, "data");
    let topic = Topic { tenant: None, name: "news:all".into() };
    assert!(apply(&mut entry, 3, Change::Join(topic.clone())).is_err());
    assert!(apply(&mut entry, 3, update(json!({ "name": "Ann" }))).unwrap());
    assert!(apply(&mut entry, 4, update(json!({ "locale": "de", "email": "ann@example.com" }))).unwrap());
    assert!(apply(&mut entry, 5, Change::Join(topic)).unwrap());
    let person = entry.person.unwrap();
    assert!(person.name == Some("Ann".into()) && person.email == Some("ann@example.com".into()));
    assert_eq!((person.suppressed.len(), person.unsubscribed.len()), (1, 1));
}

#[test]
fn suppressions_fit_beside_the_largest_recipient() {
    // The largest recipient that producers can create, and all suppressions and unsubscriptions.
    let mut entry = Entry::undated(serde_json::from_value(json!({ "id": "ann" })).unwrap());
    for n in 0..4_000 {
        let topic = Topic { tenant: Some(format!("{n:0200}")), name: format!("x:{n:0200}") };
        if apply(&mut entry, n, Change::Join(topic)).is_err() {
            break;
        }
    }
    let size = |entry: &Entry| serde_json::to_string(&entry.person).unwrap().len() + entry.history().len();
    assert!(size(&entry) > MAX_ENTRY_BYTES - 2_048, "{}", size(&entry));
    for n in 0..100 {
        let closed = json!({ "channel": "email", "why": "bounced", "until": "2027-01-01T00:00:00Z", "address": format!("{n:027}") });
        assert!(
            apply(&mut entry, 5_000 + n, Change::Close(serde_json::from_value(closed).unwrap())).unwrap()
        );
        let scope = format!("category:{n:0200}");
        let left = json!({ "unsubscribed": { scope: { "at": "2026-11-20T12:00:00Z", "message": "k" } } });
        assert!(apply(&mut entry, 6_000 + n, update(left)).unwrap());
    }
    assert!(size(&entry) < 400 * 1024, "{}", size(&entry));
}

fn update(patch: Value) -> Change {
    let Value::Object(patch) = patch else { panic!("a patch is an object") };
    Change::Update(patch)
}

fn apply(entry: &mut Entry, second: i64, change: Change) -> Result<bool, Refusal> {
    let at = NOON + std::time::Duration::from_secs(second.unsigned_abs());
    let stamp = Stamp { at, by: "crm e-1".into() };
    entry.apply(&RecipientChange { id: "ann".into(), change, stamp, reach: Tenants::All })
}

/// An object with this number of bytes as JSON.
fn padded(bytes: usize) -> Value {
    let empty = json!({ "x": "" }).to_string().len();
    json!({ "x": "y".repeat(bytes - empty) })
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "it is what the line before says, not something to lend")]
fn taken(members: Value) {
    check_members(members.as_object().unwrap()).unwrap();
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "it is what the line before says, not something to lend")]
fn refused(members: Value, member: &str) {
    let refusal = check_members(members.as_object().unwrap()).unwrap_err();
    assert_eq!(refusal.attribute, member, "{refusal}");
    for value in members.as_object().unwrap().values().filter_map(Value::as_str).filter(|text| text.len() > 3)
    {
        assert!(!refusal.to_string().contains(value), "{refusal}");
    }
    assert!(!refusal.to_string().contains("SECRET"), "{refusal}");
}
