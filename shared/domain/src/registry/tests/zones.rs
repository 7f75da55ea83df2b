use super::*;

#[test]
fn a_zone_that_is_none_is_refused_wherever_it_is_said() {
    let (own, none) = (json!({ "zone": "Mars/Phobos" }), "found a text that names no time zone");
    let device = json!([{ "id": "d", "platform": "fcm", "endpoint": "arn:e", "zone": "UTC+1" }]);
    let wanted =
        format!("data.zone: {none}, wanted a name of the IANA time zone database such as Europe/Berlin");
    for kind in ["recipient.created", "recipient.updated", "tenant.updated"] {
        refuses_zone(kind, own.clone(), &wanted);
        refuses_zone(kind, json!({ "zone": "" }), &format!("data.zone: {none}"));
    }
    for kind in ["recipient.created", "recipient.updated"] {
        refuses_zone(kind, json!({ "in_tenants": { "t": own } }), &format!("data.in_tenants.t.zone: {none}"));
        refuses_zone(kind, json!({ "devices": device }), &format!("data.devices[0].zone: {none}"));
    }
    for text in [json!({ "id": "a", "zone": "X/Y" }), json!({ "id": "a", "devices": device })] {
        assert!(person(&text.to_string()).is_err(), "{text}");
    }
    let refusal = tenant(&json!({ "tenant": "t", "zone": "bad" }).to_string()).err().unwrap();
    assert_eq!(refusal.attribute, "zone");
    assert!(tenant(&json!({ "tenant": "t", "zone": "asia/tokyo" }).to_string()).is_ok(), "in any case");
    assert!(news("recipient.updated", &json!({ "id": "a", "zone": null })).is_ok(), "taken back");
}

#[track_caller]
fn refuses_zone(kind: &str, mut data: Value, expected: &str) {
    data["id"] = "a".into();
    let refusal = news(kind, &data).err().unwrap_or_else(|| panic!("{kind} {data} is taken")).to_string();
    assert!(refusal.starts_with(expected), "{refusal}");
}

#[test]
fn who_was_stored_with_a_zone_that_is_none_can_still_be_changed() {
    let person: Recipient = serde_json::from_value(json!({ "id": "a", "zone": "Mars/Phobos" })).unwrap();
    let mut entry = Entry::undated(person);
    assert!(entry.apply(&update("a", 1, json!({ "name": "Ann" }))).unwrap());
    check(&entry, json!({ "id": "a", "name": "Ann", "zone": "Mars/Phobos" }));
    assert!(entry.apply(&update("a", 2, json!({ "zone": "Asia/Tokyo" }))).unwrap());
    check(&entry, json!({ "id": "a", "name": "Ann", "zone": "Asia/Tokyo" }));
}
