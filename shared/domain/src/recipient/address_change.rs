//! The event that informs the old address of a changed address.
//!
//! The person whose e-mail address or phone number changed may not have made the change. The event carries the old
//! address, and a rule of the catalog notifies that address. The event never carries the new address.

use jiff::Timestamp;
use serde_json::json;

use crate::base::channel::Channel;
use crate::base::sensitive::Sensitive;
use crate::event::Event;
use crate::event::key::hash_of;
use crate::event::own_events::ADDRESS_CHANGED;
use crate::recipient::keyed_hash::normal;
use crate::recipient::recipient_changes::Stamp;
use crate::recipient::{ALL_TENANTS, Recipient};

/// A removed or replaced address of a person.
#[derive(Clone, PartialEq, Eq)]
pub struct AddressChange {
    /// The address field of the person, which the address spec of its channel names, such as `email`.
    pub member: &'static str,
    pub old: Sensitive<String>,
    /// The person's tenant. `None` if the person belongs to several tenants or to all of them.
    pub tenant: Option<String>,
}

/// Returns the addresses of `before` that `after` lacks. Addresses are compared in normalized form. Deleting the
/// person is not an address change.
#[must_use]
pub fn between(before: Option<&Recipient>, after: Option<&Recipient>) -> Vec<AddressChange> {
    let (Some(before), Some(after)) = (before, after) else { return Vec::new() };
    let mut tenants = before.tenants.iter();
    // A person with `ALL_TENANTS` has no single tenant.
    let tenant = tenants.next().filter(|name| tenants.next().is_none() && *name != ALL_TENANTS);
    let changed = Channel::with_addresses().filter_map(|(channel, address)| {
        let old = before.address(channel).filter(|old| !old.expose().trim().is_empty())?;
        let new = after.address(channel);
        let is_same = new.is_some_and(|new| normal(channel, new.expose()) == normal(channel, old.expose()));
        let change =
            || AddressChange { member: address.member, old: old.map(str::to_owned), tenant: tenant.cloned() };
        (!is_same).then(change)
    });
    changed.collect()
}

/// Builds the event for a change of the person `id`. The event id is derived from the change, so publishing it twice
/// yields one event.
#[must_use]
pub fn announcement(source: &str, id: &str, change: &AddressChange, stamp: &Stamp, now: Timestamp) -> Event {
    let name = hash_of(&["address changed", id, change.member, &stamp.at.to_string(), &stamp.by]);
    let data = json!({
        "recipient": id, "member": change.member, "old_address": change.old.expose(),
        "changed_at": stamp.at.to_string(),
    });
    Event {
        subject: Some(id.to_owned()),
        tenant: change.tenant.clone(),
        ..Event::new(source, ADDRESS_CHANGED, format!("address-changed-{name}"), now, &data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::own_events::{API_SOURCE, CLI_SOURCE, PEOPLE_SOURCE};
    use serde_json::Value;

    #[test]
    fn only_changed_and_removed_addresses_are_returned() {
        let cases = [
            (json!({ "email": "ann@old.example" }), json!({ "email": "ann@new.example" }), &["email"][..]),
            (json!({ "email": "ann@old.example" }), json!({}), &["email"]),
            (json!({ "phone": "+15550100" }), json!({ "phone": "+15550101" }), &["phone"]),
            (json!({}), json!({ "email": "ann@new.example" }), &[]),
            (json!({ "email": "Ann@old.example" }), json!({ "email": "ann@old.example" }), &[]),
            (json!({ "phone": "+1 555 01 00" }), json!({ "phone": "+15550100" }), &[]),
            (json!({ "whatsapp": "+15550100" }), json!({ "whatsapp": "+15550101" }), &["whatsapp"]),
            (json!({ "whatsapp": "+15550100" }), json!({ "phone": "+15550100" }), &["whatsapp"]),
            (json!({ "phone": "+44 (0)20 7946 0102" }), json!({ "phone": "tel:+44-20-7946-0102" }), &[]),
            (json!({ "email": "Ann <ann@exämple.org>" }), json!({ "email": "ann@xn--exmple-cua.org" }), &[]),
            (json!({ "name": "Ann" }), json!({ "name": "Anne" }), &[]),
            (
                json!({ "email": "ann@old.example", "phone": "+15550100" }),
                json!({ "email": "ann@new.example", "phone": "+15550101" }),
                &["email", "phone"],
            ),
        ];
        for (before, after, expected) in cases {
            let found = between(Some(&person(before.clone())), Some(&person(after)));
            let members: Vec<&str> = found.iter().map(|change| change.member).collect();
            assert_eq!(members, expected, "{before}");
        }
        let ann = person(json!({ "email": "ann@old.example" }));
        assert!(between(Some(&ann), None).is_empty(), "a deleted person");
        assert!(between(None, Some(&ann)).is_empty(), "a new person");
    }

    #[test]
    fn event_has_no_tenant_for_a_person_of_several_tenants() {
        for (tenants, expected) in
            [(json!(["a"]), Some("a")), (json!(["a", "b"]), None), (json!(["*"]), None), (json!([]), None)]
        {
            let with = |email: &str| person(json!({ "email": email, "tenants": tenants }));
            let changes = between(Some(&with("ann@old.example")), Some(&with("ann@new.example")));
            assert_eq!(changes[0].tenant.as_deref(), expected, "{tenants}");
        }
    }

    #[test]
    fn event_holds_only_the_old_address_and_has_a_stable_id() {
        let before = person(json!({ "email": "ann@old.example", "tenants": ["clinic-7"] }));
        let after = person(json!({ "email": "ann@new.example", "tenants": ["clinic-7"] }));
        let changes = between(Some(&before), Some(&after));
        let changed_at: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let stamp = Stamp { at: changed_at, by: "crm e-1".to_owned() };
        let event = announcement(PEOPLE_SOURCE, "ann", &changes[0], &stamp, changed_at);
        assert_eq!(event.id, announcement(PEOPLE_SOURCE, "ann", &changes[0], &stamp, changed_at).id);
        assert_eq!((event.kind.as_str(), event.tenant.as_deref()), (ADDRESS_CHANGED, Some("clinic-7")));
        for source in [API_SOURCE, PEOPLE_SOURCE, CLI_SOURCE] {
            let event = announcement(source, "ann", &changes[0], &stamp, changed_at);
            assert_eq!(crate::event::emitted::difference(&event), None);
        }
        let text = event.to_json();
        assert!(text.contains("ann@old.example") && !text.contains("ann@new.example"), "{text}");
        assert!(!event.kind.starts_with("carillon."), "dispatch ignores `carillon.` types");
    }

    fn person(mut members: Value) -> Recipient {
        members["id"] = "ann".into();
        serde_json::from_value(members).unwrap()
    }
}
