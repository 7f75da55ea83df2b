//! What a tenant may see of a person, and change about them.
//!
//! People are global: somebody may be in two clinics. Who is in one tenant alone is that tenant's. Of everybody else a
//! tenant sees the person and what differs in this tenant, and changes only the latter: what holds for others as well is
//! for the person and for programs of the account.

use domain::recipient::Recipient;
use serde_json::{Map, Value};

use crate::problem::Problem;

/// The members of a person that hold something for each tenant, by its name.
const BY_TENANT: [&str; 2] = ["in_tenants", "topics_in"];

/// What somebody may change about themselves: not what they are, and not what they would hear of by it.
const OWN: [&str; 9] =
    ["name", "email", "phone", "whatsapp", "locale", "zone", "preferences", "quiet", "in_tenants"];

/// Whether this tenant is the only one that knows the person.
pub(crate) fn is_ours_alone(person: &Recipient, tenant: &str) -> bool {
    person.tenants.len() == 1 && person.tenants.contains(tenant)
}

/// The person as one tenant sees them; `None` when they are not of this tenant.
pub(crate) fn seen(mut person: Recipient, tenant: &str) -> Option<Recipient> {
    if !person.belongs_to(Some(tenant)) {
        return None;
    }
    if !is_ours_alone(&person, tenant) {
        person.tenants.retain(|it| it == tenant);
        person.roles.retain(|it| it.scope == tenant);
        // What they want to hear elsewhere is nobody's business here.
        person.preferences = None;
        person.quiet = None;
    }
    person.in_tenants.retain(|it, _| it == tenant);
    person.topics_in.retain(|it, _| it == tenant);
    Some(person)
}

/// A whole person, as an admin of this tenant describes them: they become this tenant's.
///
/// # Errors
/// 403: they would reach into another tenant. 409: the id is somebody's whom this tenant does not know, or shares.
pub(crate) fn may_put(before: Option<&Recipient>, next: &Recipient, tenant: &str) -> Result<(), Problem> {
    let elsewhere = next.tenants.iter().any(|it| it != tenant)
        || next.roles.iter().any(|it| it.scope != tenant)
        || next.in_tenants.keys().chain(next.topics_in.keys()).any(|it| it != tenant);
    if elsewhere {
        return Err(Problem::forbidden(
            "a person of one tenant has tenants, roles and settings of that tenant alone",
        ));
    }
    match before {
        Some(person) if !is_ours_alone(person, tenant) => Err(taken(person, tenant)),
        Some(_) | None => Ok(()),
    }
}

/// What an admin of this tenant changes about somebody.
///
/// # Errors
/// 403: it reaches into another tenant, or holds for others as well. 409: as for [`may_put`].
pub(crate) fn may_patch(
    before: Option<&Recipient>,
    patch: &Map<String, Value>,
    tenant: &str,
) -> Result<(), Problem> {
    if before.is_some_and(|it| !it.belongs_to(Some(tenant))) {
        return Err(taken_by_others());
    }
    only_here(patch, tenant)?;
    if before.is_none_or(|it| is_ours_alone(it, tenant)) {
        return Ok(());
    }
    match patch.keys().find(|it| !BY_TENANT.contains(&it.as_str())) {
        Some(_) => Err(shared()),
        None => Ok(()),
    }
}

/// What somebody changes about themselves.
///
/// # Errors
/// 403: it is not for them to say, or reaches into another tenant. 404: nobody knows them here.
pub(crate) fn may_patch_self(
    before: Option<&Recipient>,
    patch: &Map<String, Value>,
    tenant: &str,
) -> Result<(), Problem> {
    if !before.is_some_and(|it| it.belongs_to(Some(tenant))) {
        return Err(Problem::no_recipient());
    }
    only_here(patch, tenant)?;
    match patch.keys().find(|it| !OWN.contains(&it.as_str())) {
        Some(_) => Err(Problem::forbidden(format!("you may change {} and nothing else", OWN.join(", ")))),
        None => Ok(()),
    }
}

/// Whether an admin of this tenant may forget somebody. `false`: there is nobody here to forget.
///
/// # Errors
/// 403: others know them as well.
pub(crate) fn may_remove(before: Option<&Recipient>, tenant: &str) -> Result<bool, Problem> {
    match before.filter(|it| it.belongs_to(Some(tenant))) {
        Some(person) if !is_ours_alone(person, tenant) => Err(shared()),
        Some(_) => Ok(true),
        None => Ok(false),
    }
}

/// Whether a patch touches what belongs to this tenant alone.
fn only_here(patch: &Map<String, Value>, tenant: &str) -> Result<(), Problem> {
    let no =
        |member: &str| Err(Problem::forbidden(format!("{member}: a token reaches its own tenant alone")));
    for member in BY_TENANT {
        match patch.get(member) {
            None => {}
            Some(Value::Object(it)) if it.keys().all(|it| it == tenant) => {}
            // Whatever else it is would take the place of what others have there.
            Some(_) => return no(member),
        }
    }
    if patch.get("tenants").is_some_and(|it| *it != serde_json::json!([tenant])) {
        return no("tenants");
    }
    let roles = patch.get("roles").filter(|it| !it.is_null());
    let here = |it: &Value| it.get("in").is_none_or(|scope| scope == tenant);
    match roles.and_then(Value::as_array) {
        Some(all) if !all.iter().all(here) => no("roles"),
        Some(_) | None => Ok(()),
    }
}

fn taken(person: &Recipient, tenant: &str) -> Problem {
    if person.belongs_to(Some(tenant)) { shared() } else { taken_by_others() }
}

fn taken_by_others() -> Problem {
    Problem::new(409, "taken", "this id is taken; choose another one")
}

fn shared() -> Problem {
    Problem::forbidden("other tenants know this person as well: change in_tenants and topics_in of your own")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_tenant_sees_of_a_shared_person_what_is_its_own() {
        let shared = person(json!({
            "id": "ann", "name": "Ann", "tenants": ["a", "b"], "preferences": { "channel_types": { "sms": false } },
            "roles": [{ "role": "staff", "in": "a" }, { "role": "patient", "in": "b" }],
            "in_tenants": { "a": { "zone": "Asia/Tokyo" }, "b": { "zone": "Etc/UTC" } },
            "topics_in": { "b": ["x:1"] },
        }));
        let told = |tenant| seen(shared.clone(), tenant).map(|it| serde_json::to_value(it).unwrap());
        let expected = json!({
            "id": "ann", "name": "Ann", "tenants": ["a"], "roles": [{ "role": "staff", "in": "a" }],
            "in_tenants": { "a": { "zone": "Asia/Tokyo" } },
        });
        assert_eq!(told("a"), Some(expected));
        assert_eq!(told("c"), None);
    }

    #[test]
    fn an_admin_changes_those_of_their_tenant_and_of_others_only_what_differs_here() {
        let (ours, shared) = (person(json!({ "id": "x", "tenants": ["a"] })), person(json!({ "id": "x" })));
        let theirs = person(json!({ "id": "x", "tenants": ["b"] }));
        let check = |before: Option<&Recipient>, patch: Value, status: Option<u16>| {
            let found = may_patch(before, patch.as_object().unwrap(), "a");
            assert_eq!(found.err().map(|it| it.status), status, "{patch}");
        };
        check(Some(&ours), json!({ "name": "Ann", "roles": [{ "role": "r", "in": "a" }] }), None);
        check(None, json!({ "name": "Ann" }), None);
        check(Some(&shared), json!({ "in_tenants": { "a": null } }), None);
        check(Some(&shared), json!({ "name": "Ann" }), Some(403));
        check(Some(&theirs), json!({ "in_tenants": { "a": {} } }), Some(409));
        for patch in [
            json!({ "tenants": ["a", "b"] }),
            json!({ "tenants": null }),
            json!({ "tenants": [] }),
            json!({ "in_tenants": { "b": null } }),
            json!({ "in_tenants": null }),
            json!({ "topics_in": { "-": ["x:1"] } }),
            json!({ "roles": [{ "role": "r", "in": "b" }] }),
        ] {
            check(Some(&ours), patch, Some(403));
        }
    }

    #[test]
    fn nobody_gives_themselves_a_role_a_tenant_or_a_topic() {
        let me = person(json!({ "id": "x", "tenants": ["a"] }));
        let check = |before: Option<&Recipient>, patch: Value, status: Option<u16>| {
            let found = may_patch_self(before, patch.as_object().unwrap(), "a");
            assert_eq!(found.err().map(|it| it.status), status, "{patch}");
        };
        check(
            Some(&me),
            json!({ "email": "x@example.com", "in_tenants": { "a": { "zone": "Etc/UTC" } } }),
            None,
        );
        for patch in [
            json!({ "roles": [{ "role": "admin", "in": "a" }] }),
            json!({ "tenants": ["a"] }),
            json!({ "topics": ["x:1"] }),
            json!({ "topics_in": { "a": ["x:1"] } }),
            json!({ "suppressed": null }),
            json!({ "devices": [] }),
        ] {
            check(Some(&me), patch, Some(403));
        }
        check(None, json!({ "name": "x" }), Some(404));
        check(Some(&person(json!({ "id": "x", "tenants": ["b"] }))), json!({ "name": "x" }), Some(404));
    }

    #[test]
    fn whom_others_know_as_well_is_neither_replaced_nor_forgotten() {
        let next = person(json!({ "id": "x", "tenants": ["a"] }));
        let put = |before: Option<&Recipient>, next: &Recipient| {
            may_put(before, next, "a").err().map(|it| it.status)
        };
        assert_eq!((put(None, &next), put(Some(&next), &next)), (None, None));
        for (before, status) in [(json!({ "id": "x" }), 403), (json!({ "id": "x", "tenants": ["b"] }), 409)] {
            assert_eq!(put(Some(&person(before)), &next), Some(status));
        }
        let elsewhere = person(json!({ "id": "x", "roles": [{ "role": "r", "in": "b" }] }));
        assert_eq!(put(None, &elsewhere), Some(403));
        let remove = |before: Option<&Recipient>| may_remove(before, "a").map_err(|it| it.status);
        assert_eq!((remove(Some(&next)), remove(None)), (Ok(true), Ok(false)));
        assert_eq!(remove(Some(&person(json!({ "id": "x" })))), Err(403));
        assert_eq!(remove(Some(&person(json!({ "id": "x", "tenants": ["b"] })))), Ok(false));
    }

    fn person(it: Value) -> Recipient {
        serde_json::from_value(it).unwrap()
    }
}
