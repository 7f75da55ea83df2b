//! `/v1/recipients/{id}/preferences`: a recipient's notification preferences. With a token or `?tenant=`
//! they are the deviations in that tenant. Otherwise they apply to events without a tenant, and as
//! defaults within tenants.

use domain::recipient::recipient_changes::{Change, check_preferences, check_zones, merge};
use domain::recipient::{Recipient, Settings};
use serde_json::{Map, Value};

use crate::caller::Scope;
use crate::changes::Changed;
use crate::problem::Problem;
use crate::response::Response;
use crate::{Api, ApiCall};

impl Api {
    pub(crate) async fn get_preferences(&self, call: &ApiCall<'_>) -> Result<Response, Problem> {
        let person = self.person(call.parameter(0), call).await?;
        Ok(Response::json(200, &settings(&person, call.scope)))
    }

    pub(crate) async fn put_preferences(&self, call: &ApiCall<'_>) -> Result<Response, Problem> {
        let next = call.request.object()?;
        read(&next)?;
        check_preferences(&next)?;
        self.edit_preferences(call, |before| Ok(difference(before, &next))).await
    }

    pub(crate) async fn patch_preferences(&self, call: &ApiCall<'_>) -> Result<Response, Problem> {
        let patch = call.request.object()?;
        if let Some(problem) = Problem::stranger(&patch, &MEMBERS) {
            return Err(problem);
        }
        check_zones(&patch)?;
        check_preferences(&patch)?;
        self.edit_preferences(call, |before| {
            fits(before, &patch)?;
            Ok(patch.clone())
        })
        .await
    }

    /// Edits the preferences. `change` creates a merge patch from the current settings.
    async fn edit_preferences(
        &self,
        call: &ApiCall<'_>,
        change: impl Fn(&Map<String, Value>) -> Result<Map<String, Value>, Problem>,
    ) -> Result<Response, Problem> {
        let id = call.parameter(0);
        let decide = |before: Option<&Recipient>| {
            call.authorize_person(before)?;
            let person = before.ok_or_else(Problem::no_recipient)?;
            let patch = change(&object(&settings(person, call.scope)))?;
            if patch.is_empty() {
                return Ok(None);
            }
            Ok(Some(Change::Update(match call.scope {
                Scope::All => patch,
                Scope::Tenant(tenant) => {
                    object_of([("in_tenants", object_of([(tenant.as_str(), patch.into())]).into())])
                }
            })))
        };
        let amended = self.people.edit(id, &call.stamp(), decide).await.map_err(Problem::from)?;
        if amended.changed {
            let members: &[&str] = match call.scope {
                Scope::All => &MEMBERS,
                Scope::Tenant(_) => &["in_tenants"],
            };
            self.announce(call, Changed::Recipient, members).await;
        }
        self.get_preferences(call).await
    }
}

/// The members of [`Settings`].
pub(crate) const MEMBERS: [&str; 3] = ["zone", "preferences", "quiet"];

fn settings(person: &Recipient, scope: &Scope) -> Settings {
    match scope {
        Scope::Tenant(tenant) => person.in_tenants.get(tenant).cloned().unwrap_or_default(),
        Scope::All => Settings {
            zone: person.zone.clone(),
            preferences: person.preferences.clone(),
            quiet: person.quiet.clone(),
        },
    }
}

/// Reads the settings in a body.
///
/// # Errors
/// 422 names the malformed member.
pub(crate) fn read(members: &Map<String, Value>) -> Result<Settings, Problem> {
    Ok(domain::recipient::recipient_changes::settings(members)?)
}

/// Checks that a patch turns settings into valid settings. Of the zone only the patch's own value is
/// checked, because the stored one may be invalid.
///
/// # Errors
/// 422 names the member as the caller wrote it. In the table the member can be nested in those of a
/// tenant.
fn fits(before: &Map<String, Value>, patch: &Map<String, Value>) -> Result<(), Problem> {
    let mut next = before.clone();
    if !patch.contains_key("zone") {
        next.remove("zone");
    }
    let mut next = Value::Object(next);
    merge(&mut next, Value::Object(patch.clone()));
    match next {
        Value::Object(next) => read(&next).map(drop),
        // A patch that is an object creates an object.
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Ok(()),
    }
}

fn object(settings: &Settings) -> Map<String, Value> {
    match serde_json::to_value(settings) {
        Ok(Value::Object(object)) => object,
        // A struct of options serializes to an object.
        Ok(_) | Err(_) => Map::new(),
    }
}

fn object_of<const N: usize>(members: [(&str, Value); N]) -> Map<String, Value> {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The merge patch (RFC 7396) that turns `before` into `next`.
fn difference(before: &Map<String, Value>, next: &Map<String, Value>) -> Map<String, Value> {
    let mut patch = Map::new();
    for name in before.keys().filter(|key| !next.contains_key(*key)) {
        patch.insert(name.clone(), Value::Null);
    }
    for (name, value) in next {
        match (before.get(name), value) {
            (Some(same), value) if same == value => {}
            (Some(Value::Object(before)), Value::Object(next)) => {
                patch.insert(name.clone(), difference(before, next).into());
            }
            (_, value) => drop(patch.insert(name.clone(), value.clone())),
        }
    }
    patch
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_difference_makes_the_next_of_the_one_before() {
        check(json!({}), json!({ "zone": "Etc/UTC" }), &json!({ "zone": "Etc/UTC" }));
        check(json!({ "zone": "Etc/UTC" }), json!({}), &json!({ "zone": null }));
        check(
            json!({ "a": { "b": 1, "c": 2 } }),
            json!({ "a": { "c": 3, "d": 4 } }),
            &json!({ "a": { "b": null, "c": 3, "d": 4 } }),
        );
        check(json!({ "a": { "b": 1 } }), json!({ "a": { "b": 1 } }), &json!({}));
        check(json!({ "a": 1 }), json!({ "a": { "b": 1 } }), &json!({ "a": { "b": 1 } }));
    }

    #[test]
    fn malformed_patch_is_refused_with_its_member() {
        let before = json!({ "zone": "Mars/Phobos", "preferences": { "channel_types": { "sms": true } } });
        patched(&before, json!({ "preferences": { "channel_types": { "sms": false } } }), None);
        patched(&before, json!({ "quiet": null, "zone": null }), None);
        patched(
            &before,
            json!({ "preferences": { "channel_types": { "sms": "maybe" } } }),
            Some("preferences.channel_types.sms: found something else, wanted true or false"),
        );
        patched(
            &before,
            json!({ "quiet": { "quiet": { "start": "25:00", "end": "07:00" } } }),
            Some("quiet.quiet.start: found something else, wanted"),
        );
        patched(&before, json!({ "zone": 7 }), Some("zone: found a number, wanted a name of the IANA"));
    }

    #[track_caller]
    fn patched(before: &Value, patch: Value, refused: Option<&str>) {
        let (Value::Object(before), Value::Object(patch)) = (before, patch) else { panic!() };
        match (fits(before, &patch), refused) {
            (Ok(()), None) => {}
            (Err(problem), Some(detail)) => assert!(problem.detail.starts_with(detail), "{}", problem.detail),
            (found, _) => panic!("{found:?}"),
        }
    }

    #[track_caller]
    fn check(before: Value, next: Value, expected: &Value) {
        let (Value::Object(before), Value::Object(next)) = (before, next) else { panic!() };
        assert_eq!(Value::Object(difference(&before, &next)), *expected);
    }
}
