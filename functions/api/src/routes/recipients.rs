//! `/v1/recipients` and `/v1/recipients/{id}`: recipients.

use std::collections::BTreeSet;

use domain::event::own_events::API_SOURCE;
use domain::recipient::address_change::announcement;
use domain::recipient::recipient_changes::{self, Change, Stamp};
use domain::recipient::{Group, Recipient};
use publish::Entry;
use runtime::now;
use serde_json::{Map, Value, json};
use store::{ChangeResult, SignOut};

use crate::caller::Scope;
use crate::changes::{Changed, names};
use crate::page::Page;
use crate::problem::Problem;
use crate::response::Response;
use crate::tenancy::{Grant, Role, change, view};
use crate::{Api, ApiCall};

/// The longest id, in bytes: the limit of names in events.
const MAX_ID_BYTES: usize = 256;

impl Api {
    /// `GET /v1/recipients?topic=…` or `?role=…&in=…`: lists the followers of a topic or the holders of
    /// a role. There is no list of all recipients.
    pub(crate) async fn list_recipients(&self, call: &ApiCall<'_>) -> Result<Response, Problem> {
        let (group, list) = group(call)?;
        let page = Page::of(call.request, call.scope, &["recipients", &list])?;
        let members = self.people.members(&group, page.after.as_deref(), page.limit).await?;
        let ids: BTreeSet<&str> = members.ids.iter().map(String::as_str).collect();
        let mut known = self.people.find(&ids).await?;
        let people = members.ids.iter().filter_map(|id| known.remove(id));
        let seen: Vec<Recipient> = people.filter_map(|person| self.seen(call, person).ok()).collect();
        Ok(Response::json(200, &json!({ "recipients": seen, "next": page.next(members.next) })))
    }

    pub(crate) async fn get_recipient(&self, call: &ApiCall<'_>) -> Result<Response, Problem> {
        Ok(Response::json(200, &self.person(call.parameter(0), call).await?))
    }

    pub(crate) async fn put_recipient(&self, call: &ApiCall<'_>) -> Result<Response, Problem> {
        let id = call.parameter(0);
        let mut members = call.request.object()?;
        same_id(&mut members, id)?;
        let written = members.clone();
        let mut person = recipient_changes::person(&Value::Object(members).to_string())?;
        if let Scope::Tenant(tenant) = call.scope {
            person.tenants.insert(tenant.clone());
            change::check_put(&person, tenant)?;
        }
        let decide = |before: Option<&Recipient>| {
            call.authorize_person(before)?;
            let mut next = person.clone();
            if let Scope::Tenant(tenant) = call.scope {
                change::mark(&mut next.devices, before, tenant);
            }
            Ok(Some(Change::Put(Box::new(next))))
        };
        let amended = self.people.edit(id, &call.stamp(), decide).await.map_err(Problem::from)?;
        self.announce_addresses(id, &amended, &call.stamp()).await;
        self.after_change(call, amended.changed, &names(&written)).await?;
        self.get_recipient(call).await
    }

    pub(crate) async fn patch_recipient(&self, call: &ApiCall<'_>) -> Result<Response, Problem> {
        let id = call.parameter(0);
        let mut patch = call.request.object()?;
        same_id(&mut patch, id)?;
        patch.remove("id");
        check_id(id)?;
        recipient_changes::check_zones(&patch)?;
        recipient_changes::check_preferences(&patch)?;
        recipient_changes::check_members(&patch)?;
        recipient_changes::normalize_addresses(&mut patch);
        let decide = |before: Option<&Recipient>| {
            let grant = call.authorize_person(before)?;
            let mut patch = patch.clone();
            if let Scope::Tenant(tenant) = call.scope {
                change::check_patch(&patch, grant, Role::of(call.caller, call.scope), tenant)?;
                change::mark_patch(&mut patch, before, tenant);
                if before.is_none() {
                    patch.insert("tenants".to_owned(), json!([tenant]));
                }
            }
            Ok((!patch.is_empty()).then_some(Change::Update(patch)))
        };
        let amended = self.people.edit(id, &call.stamp(), decide).await.map_err(Problem::from)?;
        self.announce_addresses(id, &amended, &call.stamp()).await;
        self.after_change(call, amended.changed, &names(&patch)).await?;
        self.get_recipient(call).await
    }

    /// Publishes a change of a person, and ends the sessions of tenants that the person has left.
    /// Sessions also end for an earlier change, because the caller may repeat a request whose session
    /// end failed.
    async fn after_change(&self, call: &ApiCall<'_>, changed: bool, members: &[&str]) -> Result<(), Problem> {
        let id = call.parameter(0);
        if changed {
            self.announce(call, Changed::Recipient, members).await;
        }
        // A replacement without tenants removes them.
        if call.request.method() == "PUT" || members.contains(&"tenants") {
            let found = self.people.find(&BTreeSet::from([id])).await?;
            if let Some(person) = found.get(id) {
                self.sessions.enforce(id, Some(person), now()).await?;
            }
        }
        Ok(())
    }

    pub(crate) async fn delete_recipient(&self, call: &ApiCall<'_>) -> Result<Response, Problem> {
        let id = call.parameter(0);
        let removes = |before: Option<&Recipient>| -> Result<bool, Problem> {
            match call.authorize_person(before)? {
                Grant::Nothing => Ok(false),
                Grant::Whole | Grant::Part | Grant::Own => Ok(true),
            }
        };
        let known = self.people.find(&BTreeSet::from([id])).await?;
        let is_ours = removes(known.get(id))?;
        if is_ours {
            self.announce_deletion(call).await?;
            // The inbox is deleted first. If that fails, the person still exists and the caller can
            // repeat the request.
            self.inbox.forget(id).await?;
            self.sessions.end(id, &SignOut::Everywhere, call.now).await?;
        }
        let decide = |before: Option<&Recipient>| Ok(removes(before)?.then_some(Change::Remove));
        self.people.edit(id, &call.stamp(), decide).await.map_err(Problem::from)?;
        if is_ours {
            // A second time, for tickets issued in between. A deleted person gets no further tickets.
            self.sessions.end(id, &SignOut::Everywhere, now()).await?;
        }
        Ok(Response::empty(204))
    }

    /// Publishes address changes of a person, so that the old addresses are notified. The change remains
    /// if the bus refuses the event, and an error is logged.
    async fn announce_addresses(&self, id: &str, amended: &ChangeResult, stamp: &Stamp) {
        let event = |change| Entry::of(&announcement(API_SOURCE, id, change, stamp, stamp.at));
        let entries: Vec<Entry> = amended.addresses.iter().map(event).collect();
        if entries.is_empty() {
            return;
        }
        for refused in self.bus().put(&entries).await.into_iter().filter_map(Result::err) {
            tracing::error!(
                code = "ADDRESS_CHANGE_NOT_ANNOUNCED",
                error = runtime::chain(&refused),
                "address change event not published: the old address is not notified"
            );
        }
    }

    /// The person with this id, in the caller's view.
    ///
    /// # Errors
    /// The refusal of [`tenancy::authorize`](crate::tenancy::authorize), or 404 for an unknown id.
    pub(crate) async fn person(&self, id: &str, call: &ApiCall<'_>) -> Result<Recipient, Problem> {
        match self.people.find(&BTreeSet::from([id])).await?.remove(id) {
            Some(person) => self.seen(call, person),
            None => Err(Problem::no_recipient()),
        }
    }

    pub(crate) fn seen(&self, call: &ApiCall<'_>, person: Recipient) -> Result<Recipient, Problem> {
        let grant = call.authorize_person(Some(&person))?;
        match call.scope {
            Scope::All => Ok(person),
            Scope::Tenant(tenant) => {
                view::of(person, grant, tenant, self.shows_shared_addresses).ok_or_else(Problem::no_recipient)
            }
        }
    }
}

impl ApiCall<'_> {
    /// The version of a change: its author and time.
    pub(crate) fn stamp(&self) -> Stamp {
        Stamp { at: self.now, by: format!("api {}", self.request.id()) }
    }
}

/// The requested group, and its name in cursors.
fn group(call: &ApiCall<'_>) -> Result<(Group, String), Problem> {
    let tenant = call.scope.tenant();
    let bad = |detail: &str| Err(Problem::new(400, "bad_query", detail));
    match (call.request.query("topic"), call.request.query("role")) {
        (Some(topic), None) => Ok((Group::topic(tenant, topic), format!("topic {topic}"))),
        (None, Some(role)) => {
            let Some(scope) = call.request.query("in").or(tenant) else {
                return bad("in: wanted the scope of the role");
            };
            if tenant.is_some_and(|tenant| tenant != scope) {
                return Err(Problem::forbidden("in: a token reaches its own tenant alone"));
            }
            let group = Group::Role { scope: scope.to_owned(), role: role.to_owned() };
            Ok((group, format!("role {} {scope} {role}", scope.len())))
        }
        (Some(_), Some(_)) | (None, None) => bad("wanted either topic, such as project:42, or role"),
    }
}

/// Adds the path's id to the body. Another id in the body is refused.
pub(crate) fn same_id(members: &mut Map<String, Value>, id: &str) -> Result<(), Problem> {
    match members.insert("id".to_owned(), id.into()) {
        Some(other) if other != *id => {
            Err(Problem::refused("id", "another id than in the path", "the same, or none"))
        }
        Some(_) | None => Ok(()),
    }
}

pub(crate) fn check_id(id: &str) -> Result<(), Problem> {
    if id.len() > MAX_ID_BYTES {
        let found = format!("{} bytes", id.len());
        return Err(Problem::refused("id", &found, &format!("at most {MAX_ID_BYTES} bytes")));
    }
    match id.chars().any(char::is_control) {
        true => Err(Problem::refused("id", "a control character", "printable text")),
        false => Ok(()),
    }
}
