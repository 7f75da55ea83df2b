//! Changes that affect a tenant for which their source may not speak.

use super::*;

#[test]
fn recipient_of_another_tenant_is_not_changed() {
    let theirs = json!({ "id": "ann", "email": "ann@example.com", "tenants": ["ten-b"] });
    for change in [
        Change::Update(patch(json!({ "email": "evil@example.com", "tenants": ["ten-a", "ten-b"] }))),
        Change::Update(patch(json!({ "roles": [{ "role": "staff", "in": "ten-b" }] }))),
        Change::Update(patch(json!({ "tenants": ["ten-a"] }))),
        Change::Create(Box::new(recipient(json!({ "id": "ann", "tenants": ["ten-a"] })))),
        Change::Remove,
        Change::Join(Topic { tenant: Some("ten-b".into()), name: "x:1".into() }),
        Change::Join(Topic { tenant: Some("ten-a".into()), name: "x:1".into() }),
    ] {
        check_kept(&theirs, change);
    }
}

#[test]
fn shared_recipient_is_not_changed_by_one_tenant() {
    for person in [json!({ "id": "ann" }), json!({ "id": "ann", "tenants": ["ten-a", "ten-b"] })] {
        check_kept(&person, Change::Update(patch(json!({ "name": "Eve" }))));
        check_kept(&person, Change::Remove);
    }
}

#[test]
fn recipient_is_not_moved_into_another_tenant() {
    let ours = json!({ "id": "ann", "tenants": ["ten-a"] });
    check_kept(&ours, Change::Update(patch(json!({ "tenants": ["ten-a", "ten-b"] }))));
    check_kept(&ours, Change::Update(patch(json!({ "tenants": null }))));
    let mut entry = Entry::default();
    let planted = Change::Create(Box::new(recipient(json!({ "id": "ann", "tenants": ["ten-b"] }))));
    assert!(entry.apply(&within_a(planted)).is_err() && entry == Entry::default());
}

#[test]
fn tenant_changes_its_own_recipients_and_settings() {
    let mut entry = Entry::default();
    let ours = recipient(json!({ "id": "ann", "tenants": ["ten-a"] }));
    assert!(entry.apply(&within_a(Change::Create(Box::new(ours)))).unwrap());
    assert!(entry.apply(&RecipientChange { stamp: at(4), ..within_a(Change::Remove) }).unwrap());
    let mut shared = described(&json!({ "id": "ann", "tenants": ["ten-a", "ten-b"] }));
    let zone = patch(json!({ "in_tenants": { "ten-a": { "zone": "Asia/Tokyo" } } }));
    assert!(shared.apply(&within_a(Change::Update(zone))).unwrap());
    let topic = Topic { tenant: Some("ten-a".into()), name: "x:1".into() };
    assert!(shared.apply(&within_a(Change::Join(topic))).unwrap());
    let other = patch(json!({ "in_tenants": { "ten-b": { "zone": "Asia/Tokyo" } } }));
    assert!(shared.apply(&RecipientChange { stamp: at(5), ..within_a(Change::Update(other)) }).is_err());
}

#[test]
fn settings_of_another_tenant_are_not_changed() {
    let event = event("tenant.updated", &json!({ "id": "clinic-7", "zone": "Europe/London" }));
    let other = Tenants::Listed(["clinic-8".to_owned()].into());
    let refusal = read(&event, &other, NOON).err().unwrap();
    assert_eq!((refusal.attribute.as_str(), refusal.class.name()), ("data.id", "producer_not_allowed"));
    assert!(read(&event, &Tenants::Listed(["clinic-7".to_owned()].into()), NOON).is_ok());
}

/// Checks that the recipient does not change.
#[track_caller]
fn check_kept(person: &Value, change: Change) {
    let mut entry = described(person);
    let before = entry.clone();
    let refusal = entry.apply(&within_a(change)).unwrap_err();
    assert_eq!(refusal.class.name(), "producer_not_allowed");
    assert!(entry == before, "{person}");
}

fn described(person: &Value) -> Entry {
    let mut entry = Entry::default();
    entry.apply(&create(1, person.clone())).unwrap();
    entry
}

/// A change by a source that speaks for `ten-a` only.
fn within_a(change: Change) -> RecipientChange {
    let reach = Tenants::Listed(["ten-a".to_owned()].into());
    RecipientChange { id: "ann".into(), change, stamp: at(3), reach }
}

fn patch(members: Value) -> Map<String, Value> {
    let Value::Object(members) = members else { panic!("a patch is an object") };
    members
}
