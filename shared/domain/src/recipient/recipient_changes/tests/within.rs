//! Members with parsers of their own: zones, preferences, quiet hours, and those of a tenant.

use super::*;

#[test]
fn invalid_zone_is_refused_everywhere() {
    let (own, none) = (json!({ "zone": "Mars/Phobos" }), "found a text that names no time zone");
    let device = json!([{ "id": "d", "platform": "fcm", "endpoint": "arn:e", "zone": "UTC+1" }]);
    let wanted =
        format!("data.zone: {none}, wanted a name of the IANA time zone database such as Europe/Berlin");
    for kind in ["recipient.created", "recipient.updated", "tenant.updated"] {
        refuses(kind, own.clone(), &wanted);
        refuses(kind, json!({ "zone": "" }), &format!("data.zone: {none}"));
    }
    for kind in ["recipient.created", "recipient.updated"] {
        refuses(
            kind,
            json!({ "in_tenants": { "t": own } }),
            &format!("data.in_tenants.<1 character>.zone: {none}"),
        );
        refuses(kind, json!({ "devices": device }), &format!("data.devices[0].zone: {none}"));
    }
    for text in [json!({ "id": "a", "zone": "X/Y" }), json!({ "id": "a", "devices": device })] {
        assert!(person(&text.to_string()).is_err(), "{text}");
    }
    let refusal = tenant(&json!({ "tenant": "t", "zone": "bad" }).to_string()).err().unwrap();
    assert_eq!(refusal.attribute, "zone");
    assert!(tenant(&json!({ "tenant": "t", "zone": "asia/tokyo" }).to_string()).is_ok(), "in any case");
    assert!(read_event("recipient.updated", &json!({ "id": "a", "zone": null })).is_ok(), "taken back");
}

#[track_caller]
fn refuses(kind: &str, mut data: Value, expected: &str) {
    data["id"] = "a".into();
    let refusal =
        read_event(kind, &data).err().unwrap_or_else(|| panic!("{kind} {data} is taken")).to_string();
    assert!(refusal.starts_with(expected) && !refusal.contains('@'), "{refusal}");
}

#[test]
fn recipient_with_an_invalid_stored_zone_can_be_changed() {
    let person: Recipient = serde_json::from_value(json!({ "id": "a", "zone": "Mars/Phobos" })).unwrap();
    let mut entry = Entry::undated(person);
    assert!(entry.apply(&update("a", 1, json!({ "name": "Ann" }))).unwrap());
    check(&entry, json!({ "id": "a", "name": "Ann", "zone": "Mars/Phobos" }));
    assert!(entry.apply(&update("a", 2, json!({ "zone": "Asia/Tokyo" }))).unwrap());
    check(&entry, json!({ "id": "a", "name": "Ann", "zone": "Asia/Tokyo" }));
}

#[test]
fn nested_fault_is_named_and_not_quoted() {
    let secret = "ann@example.com";
    let sms = json!({ "preferences": { "channel_types": { "sms": secret } } });
    let wanted = "found something else, wanted true or false";
    refuses("recipient.created", sms.clone(), &format!("data.preferences.channel_types.sms: {wanted}"));
    refuses("tenant.updated", sms, &format!("data.preferences.channel_types.sms: {wanted}"));
    let day = json!({ "t": { "quiet": [{ "day": secret, "type": "send" }] } });
    let expected = "data.in_tenants.<1 character>.quiet[0].day: found something else, wanted one of mon, tue";
    refuses("recipient.created", json!({ "in_tenants": day }), expected);
    let hour = json!({ "quiet": { "start": "25:00", "end": "07:00" } });
    refuses("recipient.created", json!({ "quiet": hour }), "data.quiet.quiet.start: found something else");
    refuses("recipient.created", json!({ "quiet": secret }), "data.quiet: found something else");
    refuses(
        "recipient.created",
        json!({ "preferences": [secret] }),
        "data.preferences: found something else",
    );
}
