//! Addresses and preferences at all entry points.

use super::*;

#[test]
fn addresses_are_normalized_at_every_entry_point() {
    let members = json!({
        "id": "ann", "email": " Ann Lee <ann@exämple.org> ", "phone": "+44 (0)20 7946 0102",
        "whatsapp": "tel:+49-151-12345678;ext=7",
    });
    let expected = ["ann@xn--exmple-cua.org", "+442079460102", "+4915112345678"].map(Some);
    let ann = person(&members.to_string()).unwrap();
    assert_eq!(
        [&ann.email, &ann.phone, &ann.whatsapp].map(|own| own.as_ref().map(|own| own.expose().as_str())),
        expected
    );
    let Ok(Notice::People(people)) = read_event("recipient.updated", &members) else { panic!("people are") };
    let Change::Update(patch) = &people[0].change else { panic!("a patch is") };
    let text = |name: &str| patch.get(name).and_then(Value::as_str);
    assert_eq!([text("email"), text("phone"), text("whatsapp")], expected);
}

#[test]
fn unknown_channel_is_refused_at_every_entry_point() {
    let set = json!({ "channel_types": { "e-mail": false } });
    for (kind, data, place) in [
        ("recipient.created", json!({ "id": "a", "preferences": set }), "data.preferences.channel_types."),
        ("recipient.updated", json!({ "id": "a", "preferences": set }), "data.preferences.channel_types."),
        (
            "recipient.updated",
            json!({ "id": "a", "in_tenants": { "t": { "preferences": set } } }),
            "data.in_tenants.",
        ),
        ("tenant.updated", json!({ "id": "t", "preferences": set }), "data.preferences.channel_types."),
    ] {
        let Err(refusal) = read_event(kind, &data) else { panic!("{data} is refused") };
        let text = refusal.to_string();
        assert!(text.starts_with(place) && text.ends_with("did you mean `email`?"), "{text}");
    }
    let away = json!({ "id": "a", "preferences": { "channel_types": { "e-mail": null } } });
    assert!(read_event("recipient.updated", &away).is_ok(), "a name that was taken once can be taken away");
    assert!(settings(json!({ "preferences": set }).as_object().unwrap()).is_ok(), "what is stored is read");
}
