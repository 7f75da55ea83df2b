//! The members of a person that a grant shows.

use domain::recipient::{Device, Recipient};

use super::Grant;

/// The person in a tenant's view.
///
/// A person with other tenants is rebuilt from the members of this tenant. A new member therefore stays
/// hidden until it is added here. `shows_addresses` is the parameter `SharedAddresses`.
pub(crate) fn of(person: Recipient, grant: Grant, tenant: &str, shows_addresses: bool) -> Option<Recipient> {
    let is_exclusive = person.is_only_of(tenant);
    let mut seen = match grant {
        Grant::Nothing => return None,
        Grant::Whole => person,
        Grant::Own if is_exclusive => person,
        Grant::Own => own(person, tenant),
        Grant::Part => part(person, tenant, shows_addresses),
    };
    seen.in_tenants.retain(|name, _| name == tenant);
    seen.topics_in.retain(|name, _| name == tenant);
    Some(seen)
}

/// The tenant's part of a person: name, roles and preferences in the tenant.
fn part(person: Recipient, tenant: &str, shows_addresses: bool) -> Recipient {
    let shown = match shows_addresses {
        true => Recipient::default().with_addresses_of(&person),
        false => Recipient::default(),
    };
    Recipient {
        id: person.id,
        name: person.name,
        tenants: [tenant.to_owned()].into(),
        roles: person.roles.into_iter().filter(|role| role.scope == tenant).collect(),
        topics_in: person.topics_in,
        in_tenants: person.in_tenants,
        ..shown
    }
}

/// A person's view of themselves within one tenant, with addresses, devices and suppressions.
/// Preferences in other tenants are left out.
fn own(person: Recipient, tenant: &str) -> Recipient {
    let is_ours = |device: &&Device| device.tenant.as_deref().is_none_or(|owner| owner == tenant);
    let devices = person.devices.iter().filter(is_ours).cloned().collect();
    let (locale, zone, suppressed) = (person.locale.clone(), person.zone.clone(), person.suppressed.clone());
    Recipient { devices, locale, zone, suppressed, ..part(person, tenant, true) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn tenant_sees_only_its_own_part_of_a_shared_person() {
        let expected = json!({
            "id": "ann", "name": "Ann", "tenants": ["a"], "roles": [{ "role": "staff", "in": "a" }],
            "topics_in": { "a": ["x:2"] }, "in_tenants": { "a": { "zone": "Asia/Tokyo" } },
        });
        assert_eq!(seen(shared(), Grant::Part, false), Some(expected.clone()));
        let mut with_addresses = expected;
        with_addresses["email"] = "ann@example.com".into();
        with_addresses["phone"] = "+4930123456".into();
        with_addresses["whatsapp"] = "+4930123457".into();
        assert_eq!(seen(shared(), Grant::Part, true), Some(with_addresses));
        assert_eq!(seen(shared(), Grant::Nothing, true), None);
    }

    #[test]
    fn person_of_all_tenants_is_seen_as_one_of_the_own() {
        let mut everyone = shared();
        everyone["tenants"] = json!(["*"]);
        let found = seen(everyone, Grant::Part, false).unwrap();
        assert_eq!((&found["tenants"], &found["email"]), (&json!(["a"]), &Value::Null));
    }

    #[test]
    fn person_sees_their_addresses_and_devices_and_no_other_tenants_part() {
        let found = seen(shared(), Grant::Own, false).unwrap();
        let mut members: Vec<&str> = found.as_object().unwrap().keys().map(String::as_str).collect();
        members.sort_unstable();
        assert_eq!(
            members,
            [
                "devices",
                "email",
                "id",
                "in_tenants",
                "locale",
                "name",
                "phone",
                "roles",
                "suppressed",
                "tenants",
                "topics_in",
                "whatsapp",
                "zone",
            ]
        );
        assert_eq!(found["devices"].as_array().unwrap().len(), 2, "not the one of tenant b");
    }

    #[test]
    fn person_of_one_tenant_is_seen_whole() {
        let mut exclusive = shared();
        exclusive["tenants"] = json!(["a"]);
        for grant in [Grant::Whole, Grant::Own] {
            let found = seen(exclusive.clone(), grant, false).unwrap();
            assert_eq!(
                (&found["topics"], &found["quiet"]),
                (&json!(["hiv:1"]), &exclusive["quiet"]),
                "{grant:?}"
            );
            assert_eq!(found["in_tenants"], json!({ "a": { "zone": "Asia/Tokyo" } }), "{grant:?}");
        }
    }

    fn seen(person: Value, grant: Grant, shows_addresses: bool) -> Option<Value> {
        let person: Recipient = serde_json::from_value(person).unwrap();
        of(person, grant, "a", shows_addresses).map(|person| serde_json::to_value(person).unwrap())
    }

    fn shared() -> Value {
        let device = |id: &str, tenant: Value| json!({ "id": id, "platform": "fcm", "endpoint": "arn", "tenant": tenant });
        json!({
            "id": "ann", "name": "Ann", "email": "ann@example.com", "phone": "+4930123456",
            "whatsapp": "+4930123457", "locale": "de", "zone": "Europe/Berlin", "tenants": ["a", "b"],
            "devices": [device("1", Value::Null), device("2", json!("a")), device("3", json!("b"))],
            "roles": [{ "role": "staff", "in": "a" }, { "role": "patient", "in": "b" }],
            "topics": ["hiv:1"], "topics_in": { "a": ["x:2"], "b": ["x:1"] },
            "preferences": { "channel_types": { "sms": false } },
            "quiet": { "quiet": { "start": "22:00", "end": "07:00" } },
            "in_tenants": { "a": { "zone": "Asia/Tokyo" }, "b": { "zone": "Etc/UTC" } },
            "suppressed": [{ "channel": "sms", "why": "opted_out" }],
            "unsubscribed": { "category:hiv-results": { "at": "2026-11-20T12:00:00Z" } },
        })
    }
}
