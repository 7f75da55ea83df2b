//! The members of a person that a grant allows to write.

use domain::base::channel::Channel;
use domain::recipient::{Device, Recipient};
use serde_json::{Map, Value, json};

use super::{Grant, Refusal, Role};
use crate::problem::Problem;
use crate::router::Operation;

/// The members of a person with one entry for each tenant.
const BY_TENANT: [&str; 2] = ["in_tenants", "topics_in"];

/// The members that people may change about themselves. Roles and topics are excluded, because they
/// decide about notifications.
fn own() -> Vec<&'static str> {
    let addresses = Channel::with_addresses().map(|(_, address)| address.member);
    let settings = ["locale", "zone", "preferences", "quiet", "in_tenants"];
    std::iter::once("name").chain(addresses).chain(settings).collect()
}

/// Checks a whole person written by a tenant. The person becomes that tenant's.
///
/// # Errors
/// 403: the person would get members of another tenant.
pub(crate) fn check_put(next: &Recipient, tenant: &str) -> Result<(), Problem> {
    let reaches_elsewhere = next.tenants.iter().any(|other| other != tenant)
        || next.roles.iter().any(|role| role.scope != tenant)
        || next.in_tenants.keys().chain(next.topics_in.keys()).any(|key| key != tenant);
    match reaches_elsewhere {
        true => Err(Problem::forbidden(
            "a person of one tenant has tenants, roles and settings of that tenant alone",
        )),
        false => Ok(()),
    }
}

/// Checks a patch of a person written by a tenant.
///
/// # Errors
/// 403: the patch changes another tenant's part, a shared member, or a member that the caller may not
/// change.
pub(crate) fn check_patch(
    patch: &Map<String, Value>,
    grant: Grant,
    role: Role,
    tenant: &str,
) -> Result<(), Problem> {
    only_here(patch, tenant)?;
    let stranger = |known: &[&str]| patch.keys().any(|key| !known.contains(&key.as_str()));
    match grant {
        Grant::Whole | Grant::Nothing => Ok(()),
        Grant::Part if stranger(&BY_TENANT) => {
            Err(Refusal::KnownElsewhere.problem(Operation::PatchRecipient))
        }
        // An admin may also follow topics of the tenant.
        Grant::Own if role == Role::Admin && !stranger(&[&own()[..], &BY_TENANT].concat()) => Ok(()),
        Grant::Own if stranger(&own()) => {
            Err(Problem::forbidden(format!("only these members may be changed: {}", own().join(", "))))
        }
        Grant::Part | Grant::Own => Ok(()),
    }
}

/// Checks that a patch changes only this tenant's part.
fn only_here(patch: &Map<String, Value>, tenant: &str) -> Result<(), Problem> {
    let no =
        |member: &str| Err(Problem::forbidden(format!("{member}: a token reaches its own tenant alone")));
    for member in BY_TENANT {
        match patch.get(member) {
            None => {}
            Some(Value::Object(entries)) if entries.keys().all(|key| key == tenant) => {}
            // Any other value would replace the entries of other tenants.
            Some(_) => return no(member),
        }
    }
    if patch.get("tenants").is_some_and(|value| *value != json!([tenant])) {
        return no("tenants");
    }
    let roles = patch.get("roles").filter(|value| !value.is_null());
    let here = |value: &Value| value.get("in").is_none_or(|scope| scope == tenant);
    match roles.and_then(Value::as_array) {
        Some(all) if !all.iter().all(here) => no("roles"),
        Some(_) | None => Ok(()),
    }
}

/// Writes the registering tenant into devices. A known device with the same endpoint keeps its owner.
pub(crate) fn mark(devices: &mut [Device], before: Option<&Recipient>, tenant: &str) {
    let before = before.map(|before| before.devices.as_slice()).unwrap_or_default();
    for device in devices {
        let known =
            before.iter().find(|endpoint| endpoint.id == device.id && endpoint.endpoint == device.endpoint);
        device.tenant = known.map_or_else(|| Some(tenant.to_owned()), |device| device.tenant.clone());
    }
}

/// Writes the registering tenant into the devices of a patch. The parser refuses malformed lists later.
pub(crate) fn mark_patch(patch: &mut Map<String, Value>, before: Option<&Recipient>, tenant: &str) {
    let Some(devices) = patch.get_mut("devices") else { return };
    let Ok(mut read) = serde_json::from_value::<Vec<Device>>(devices.clone()) else { return };
    mark(&mut read, before, tenant);
    *devices = json!(read);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admin_changes_of_a_shared_person_only_what_differs_here() {
        check(
            Grant::Whole,
            Role::Admin,
            json!({ "name": "Ann", "roles": [{ "role": "r", "in": "a" }] }),
            true,
        );
        check(Grant::Part, Role::Admin, json!({ "in_tenants": { "a": null } }), true);
        check(Grant::Part, Role::Admin, json!({ "topics_in": { "a": ["x:1"] } }), true);
        for member in ["name", "devices", "email", "roles", "topics", "suppressed", "unsubscribed", "tenants"]
        {
            check(Grant::Part, Role::Admin, json!({ member: [] }), false);
        }
    }

    #[test]
    fn no_patch_reaches_into_another_tenant() {
        for patch in [
            json!({ "tenants": ["a", "b"] }),
            json!({ "tenants": ["*"] }),
            json!({ "tenants": null }),
            json!({ "tenants": [] }),
            json!({ "in_tenants": { "b": null } }),
            json!({ "in_tenants": null }),
            json!({ "topics_in": { "-": ["x:1"] } }),
            json!({ "roles": [{ "role": "r", "in": "b" }] }),
        ] {
            check(Grant::Whole, Role::Admin, patch, false);
        }
    }

    #[test]
    fn person_cannot_add_own_roles_tenants_or_topics() {
        let mine = json!({ "email": "x@example.com", "in_tenants": { "a": { "zone": "Etc/UTC" } } });
        check(Grant::Own, Role::Member, mine, true);
        for patch in [
            json!({ "roles": [{ "role": "admin", "in": "a" }] }),
            json!({ "tenants": ["a"] }),
            json!({ "topics": ["x:1"] }),
            json!({ "topics_in": { "a": ["x:1"] } }),
            json!({ "suppressed": null }),
            json!({ "devices": [] }),
        ] {
            check(Grant::Own, Role::Member, patch, false);
        }
        check(Grant::Own, Role::Admin, json!({ "topics_in": { "a": ["x:1"] } }), true);
        check(Grant::Own, Role::Admin, json!({ "roles": [] }), false);
    }

    #[test]
    fn person_of_a_tenant_has_no_foreign_members() {
        let put = |members: Value| check_put(&person(members), "a").is_ok();
        assert!(put(json!({ "tenants": ["a"], "roles": [{ "role": "r", "in": "a" }] })));
        for members in [
            json!({ "tenants": ["a", "b"] }),
            json!({ "tenants": ["*"] }),
            json!({ "roles": [{ "role": "r", "in": "b" }] }),
            json!({ "in_tenants": { "b": {} } }),
            json!({ "topics_in": { "-": ["x:1"] } }),
        ] {
            assert!(!put(members.clone()), "{members}");
        }
    }

    #[test]
    fn new_device_is_its_tenants_and_a_known_one_stays_its_persons() {
        let device = |id: &str, endpoint: &str| json!({ "id": id, "platform": "fcm", "endpoint": endpoint });
        let before = person(json!({ "devices": [device("1", "arn:1"), device("2", "arn:2")] }));
        let mut patch = Map::new();
        patch.insert(
            "devices".to_owned(),
            json!([device("1", "arn:1"), device("2", "arn:x"), device("3", "arn:3")]),
        );
        mark_patch(&mut patch, Some(&before), "a");
        let tenants: Vec<&Value> =
            patch["devices"].as_array().unwrap().iter().map(|item| &item["tenant"]).collect();
        assert_eq!(tenants, [&Value::Null, &json!("a"), &json!("a")]);
        let mut broken = Map::from_iter([("devices".to_owned(), json!("none"))]);
        mark_patch(&mut broken, None, "a");
        assert_eq!(broken["devices"], "none");
    }

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "tests hand in json!(…)")]
    fn check(grant: Grant, role: Role, patch: Value, is_allowed: bool) {
        let found = check_patch(patch.as_object().unwrap(), grant, role, "a");
        assert_eq!(found.is_ok(), is_allowed, "{patch}");
        assert!(found.is_ok() || found == Err(Problem { status: 403, ..found.clone().unwrap_err() }));
    }

    fn person(mut members: Value) -> Recipient {
        members["id"] = "x".into();
        serde_json::from_value(members).unwrap()
    }
}
