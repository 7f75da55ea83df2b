//! Publishes changes made through the API as events, so that other systems can follow them. The events
//! contain ids and the names of changed members, never values.
//!
//! | type | subject | data |
//! |---|---|---|
//! | `carillon.api.recipient_changed` | the person | `{id, members, request}` |
//! | `carillon.api.recipient_deleted` | the person | `{id, request}` |
//! | `carillon.api.tenant_changed` | the tenant | `{id, members, request}` |
//! | `carillon.api.endpoint_changed`, `…_deleted` | the endpoint | `{id, members, request}` |
//!
//! These types report changes. The types `carillon.recipient.*` request changes. No function of Carillon
//! applies the reports.

use domain::event::Event;
use domain::event::own_events::API_SOURCE;
use publish::Entry;
use serde_json::{Map, Value, json};

use crate::caller::Caller;
use crate::problem::Problem;
use crate::{Api, ApiCall};

/// The kind of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Changed {
    Recipient,
    RecipientDeleted,
    Tenant,
    Endpoint,
    EndpointDeleted,
}

impl Changed {
    fn kind(self) -> &'static str {
        match self {
            Changed::Recipient => "carillon.api.recipient_changed",
            Changed::RecipientDeleted => "carillon.api.recipient_deleted",
            Changed::Tenant => "carillon.api.tenant_changed",
            Changed::Endpoint => "carillon.api.endpoint_changed",
            Changed::EndpointDeleted => "carillon.api.endpoint_deleted",
        }
    }
}

impl Api {
    /// Publishes a change after it was stored. If the bus refuses the event, the change remains and an
    /// error is logged.
    pub(crate) async fn announce(&self, call: &ApiCall<'_>, changed: Changed, members: &[&str]) {
        if let Err(error) = self.put_announcement(call, changed, members).await {
            tracing::error!(
                code = "CHANGE_NOT_ANNOUNCED",
                error,
                change = changed.kind(),
                request.id = call.request.id(),
                "change event not published: the change is stored, other systems are not informed"
            );
        }
    }

    /// Publishes a deletion before it happens, because copies elsewhere must be deleted too. If the bus
    /// refuses the event, no data is deleted and the caller repeats the request.
    ///
    /// # Errors
    /// 503: the bus did not accept the event.
    pub(crate) async fn announce_deletion(&self, call: &ApiCall<'_>) -> Result<(), Problem> {
        let announced = self.put_announcement(call, Changed::RecipientDeleted, &[]).await;
        announced.map_err(|error| {
            tracing::error!(
                code = "DELETION_NOT_ANNOUNCED",
                error,
                request.id = call.request.id(),
                "deletion event not published: nothing was deleted, the caller is asked to repeat the request"
            );
            Problem::new(503, "unavailable", "the deletion could not be announced; ask again").after(1)
        })
    }

    async fn put_announcement(
        &self,
        call: &ApiCall<'_>,
        changed: Changed,
        members: &[&str],
    ) -> Result<(), String> {
        let entry = Entry::of(&event(call, changed, members));
        match self.bus().put(&[entry]).await.pop() {
            Some(Ok(_)) => Ok(()),
            Some(Err(refused)) => Err(runtime::chain(&refused)),
            None => Err("no answer".to_owned()),
        }
    }
}

/// The names of an object's members, for a change event.
pub(crate) fn names(members: &Map<String, Value>) -> Vec<&str> {
    members.keys().map(String::as_str).filter(|name| *name != "id").collect()
}

fn event(call: &ApiCall<'_>, changed: Changed, members: &[&str]) -> Event {
    let (id, request) = (call.parameter(0), call.request.id());
    let mut data = json!({ "id": id, "request": request });
    match changed {
        Changed::RecipientDeleted | Changed::EndpointDeleted => {}
        Changed::Recipient | Changed::Tenant | Changed::Endpoint => data["members"] = json!(members),
    }
    let actor = match call.caller {
        Caller::Person(person) => &person.user,
        Caller::Program(arn) => arn,
    };
    Event {
        subject: Some(id.to_owned()),
        tenant: call.scope.tenant().map(str::to_owned),
        // Names in events are limited to 256 bytes.
        actor: Some(actor.clone()).filter(|actor| (1..=256).contains(&actor.len())),
        ..Event::new(API_SOURCE, changed.kind(), format!("change-{request}"), call.now, &data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::Scope;
    use crate::request::tests::read as request;
    use domain::Timestamp;
    use domain::event::producers::Tenants;
    use domain::recipient::recipient_changes;

    const NOW: Timestamp = Timestamp::constant(1_795_000_000, 0);

    #[test]
    fn change_names_members_and_no_values_and_asks_for_no_change() {
        let request =
            request(&json!({ "requestContext": { "requestId": "r-1", "http": { "method": "PATCH" } } }));
        let (caller, scope) =
            (Caller::Program("arn:aws:iam::1:user/shop".into()), Scope::Tenant("clinic-7".into()));
        let parameters = ["ann".to_owned()];
        let call = ApiCall {
            operation: crate::Operation::PatchRecipient,
            request: &request,
            caller: &caller,
            scope: &scope,
            parameters: &parameters,
            name: None,
            now: NOW,
        };
        let patch = json!({ "email": "ann@example.com", "id": "ann" });
        let event = event(&call, Changed::Recipient, &names(patch.as_object().unwrap()));
        let text = event.to_json();
        assert!(text.contains(r#""members":["email"]"#) && !text.contains("example.com"), "{text}");
        assert_eq!(event.actor.as_deref(), Some("arn:aws:iam::1:user/shop"));
        assert!(recipient_changes::read(&event, &Tenants::All, NOW).is_err(), "people applies nothing of it");
        assert!(Event::parse(&text).is_ok());
        for changed in [
            Changed::Recipient,
            Changed::RecipientDeleted,
            Changed::Tenant,
            Changed::Endpoint,
            Changed::EndpointDeleted,
        ] {
            let event = super::event(&call, changed, &["email"]);
            assert_eq!(domain::event::emitted::difference(&event), None);
        }
    }
}
