//! `/v1/events`: publishes events to the bus.

use std::borrow::Cow;
use std::collections::BTreeMap;

use domain::event::producers::{
    Identity, PROGRAM_SOURCE, Producers, is_api_source, is_reserved_source, is_reserved_type,
    is_source_of_tenant, tenant_source,
};
use domain::event::replay::{RENOTIFY, REPLAY_ID};
use domain::event::{Event, Extension, Priority, with_attribute};
use domain::{SignedDuration, Timestamp};
use publish::Entry;
use serde::Serialize;
use serde::de::IgnoredAny;
use serde_json::json;

use crate::caller::{Caller, Person, Scope};
use crate::cloudevents::{self, Content};
use crate::problem::Problem;
use crate::response::Response;
use crate::router::Operation;
use crate::tenancy::{self, Relation, Role};
use crate::{Api, ApiCall};

mod batch;

/// The attribute for the kind of principal in `authid`.
///
/// Source: CloudEvents, "Auth Context" extension.
const AUTH_TYPE: &str = "authtype";

/// The largest difference between the time of a token's event and the clock.
const MAX_TIME_SKEW: SignedDuration = SignedDuration::from_hours(1);

/// A published event in the answer.
#[derive(Serialize)]
struct Published<'a> {
    id: &'a str,
    source: &'a str,
    r#type: &'a str,
    time: Cow<'a, str>,
    /// The ignored attributes, with reasons.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

impl Api {
    pub(crate) async fn publish(&self, call: &ApiCall<'_>) -> Result<Response, Problem> {
        // A repeated request publishes the same event.
        let nonce = call.nonce()?;
        match cloudevents::content(call.request)? {
            Content::One(envelope) => {
                let event = self.admitted(&envelope, &nonce, call)?;
                let put = self.bus().put(&[Entry::of(&event)]).await.pop();
                let Some(put) = put else { return Err(batch::unanswered()) };
                put?;
                Ok(Response::json(202, &Published::of(&event)))
            }
            Content::Batch(envelopes) => self.publish_batch(&envelopes, &nonce, call).await,
        }
    }

    /// Publishes a batch. If one event is refused, no event is published.
    async fn publish_batch(
        &self,
        envelopes: &[String],
        nonce: &str,
        call: &ApiCall<'_>,
    ) -> Result<Response, Problem> {
        // The request itself took one token.
        for _ in 1..envelopes.len() {
            self.gate.admit(&self.counters, call.operation, call).await?;
        }
        let named = |place: usize| format!("{nonce}-{place}");
        let events: Vec<Result<Event, Problem>> = envelopes
            .iter()
            .enumerate()
            .map(|(place, envelope)| self.admitted(envelope, &named(place), call))
            .collect();
        if let Some(refused) = batch::refused(&events, call.request.id()) {
            return Ok(refused);
        }
        let events: Vec<Event> = events.into_iter().flatten().collect();
        let entries: Vec<Entry> = events.iter().map(Entry::of).collect();
        let put = self.bus().put(&entries).await;
        if let Some(partly) = batch::unpublished(put, call.request.id()) {
            return Ok(partly);
        }
        let events: Vec<Published<'_>> = events.iter().map(Published::of).collect();
        Ok(Response::json(202, &json!({ "events": events })))
    }

    /// One event of a request, if its caller may publish it.
    fn admitted(&self, envelope: &str, id: &str, call: &ApiCall<'_>) -> Result<Event, Problem> {
        let envelope = completed(envelope, id, call.scope, call.now);
        let mut event = Event::received(&envelope, call.now)?;
        event.check_source_reference()?;
        hold(&mut event, call.caller, call.scope, self.producers(), call.now)?;
        Ok(event)
    }
}

impl Published<'_> {
    fn of(event: &Event) -> Published<'_> {
        let notes = event.notes().map(|(_, why)| format!("{why}; it counts as absent")).collect();
        Published {
            id: &event.id,
            source: &event.source,
            r#type: &event.kind,
            time: event.time_text(),
            notes,
        }
    }
}

/// The default source of events.
pub(crate) fn source_of(scope: &Scope) -> String {
    scope.tenant().map_or_else(|| PROGRAM_SOURCE.to_owned(), tenant_source)
}

/// Adds missing attributes to the envelope. The text is not parsed and rewritten, so its numbers stay
/// unchanged. The parser refuses malformed text later.
fn completed(body: &str, id: &str, scope: &Scope, now: Timestamp) -> String {
    let Ok(members) = serde_json::from_str::<BTreeMap<String, Option<IgnoredAny>>>(body) else {
        return body.to_owned();
    };
    let is_there =
        |name: &str| members.iter().any(|(item, value)| value.is_some() && item.eq_ignore_ascii_case(name));
    let added = [
        ("time", now.to_string()),
        ("source", source_of(scope)),
        ("id", id.to_owned()),
        ("specversion", "1.0".to_owned()),
    ];
    let missing = added.into_iter().filter(|(name, _)| !is_there(name));
    missing.fold(body.to_owned(), |text, (name, value)| with_attribute(&text, name, &value))
}

/// Checks that the caller may publish the event. A token may publish only for its tenant, from the
/// tenant's source and as its user. Events with the same source and id are one event, so a tenant must
/// not use another tenant's source.
///
/// # Errors
/// 403 with a code for each missing right. 422 for a time far from `now`.
fn hold(
    event: &mut Event,
    caller: &Caller,
    scope: &Scope,
    producers: &Producers,
    now: Timestamp,
) -> Result<(), Problem> {
    if let Scope::Tenant(tenant) = scope {
        let relation = Relation::of_tenant(event.tenant.as_deref(), scope);
        tenancy::authorize(Operation::Publish, Role::of(caller, scope), relation)
            .map_err(|refusal| refusal.problem(Operation::Publish))?;
        event.tenant = Some(tenant.clone());
    }
    if is_reserved_type(&event.kind) {
        let detail = "type: only Carillon itself publishes events of this type";
        return Err(Problem::new(403, "reserved_type", detail));
    }
    if is_reserved_source(&event.source) && !is_api_source(&event.source) {
        let detail = "source: only Carillon itself publishes events of this source";
        return Err(Problem::new(403, "reserved_source", detail));
    }
    if event.auth_id.is_some() || event.extensions.contains_key(AUTH_TYPE) {
        let detail = "authid: the API sets authid and authtype from the caller's credentials; leave both out";
        return Err(Problem::new(403, "authid_not_allowed", detail));
    }
    let is_program = matches!(caller, Caller::Program(_));
    if is_program && !is_api_source(&event.source) && !producers.may_use_api(&event.source) {
        let detail = "source: wanted /api, a source below /api/, or a source with `api: true` in policy.yaml";
        return Err(Problem::new(403, "source_not_allowed", detail));
    }
    let is_operator = matches!(caller, Caller::Program(_)) && producers.may_replay(&event.source);
    let mark = [REPLAY_ID, RENOTIFY].into_iter().find(|name| event.extensions.contains_key(*name));
    if let Some(name) = mark.filter(|_| !is_operator) {
        let detail = format!("{name}: only operators replay events; leave it out");
        return Err(Problem::new(403, "replay_not_allowed", detail));
    }
    if let Caller::Person(person) = caller {
        hold_person(event, person, producers, now)?;
    }
    if event.priority == Some(Priority::Critical)
        && is_api_source(&event.source)
        && !producers.may_be_critical(&event.source)
    {
        let detail = "priority: critical needs `critical: true` for the source in policy.yaml";
        return Err(Problem::new(403, "priority_not_allowed", detail));
    }
    let identity = Identity { source: &event.source, detail_type: &event.kind, is_older_envelope: false };
    producers
        .receive(identity, event.clone())
        .map(drop)
        .map_err(|error| Problem::new(403, error.class.name(), error.to_string()))
}

/// Checks the further restrictions of tokens.
fn hold_person(
    event: &mut Event,
    person: &Person,
    producers: &Producers,
    now: Timestamp,
) -> Result<(), Problem> {
    if !is_source_of_tenant(&event.source, &person.tenant) {
        let own = tenant_source(&person.tenant);
        return Err(Problem::forbidden(format!("source: wanted {own}, or a source below {own}/")));
    }
    match &event.actor {
        None => event.actor = Some(person.user.clone()),
        Some(actor) if *actor == person.user || producers.may_name_any_actor(&event.source) => {}
        Some(_) => {
            let detail =
                "actor: wanted the token's user, or no actor (`actor: any` in policy.yaml relaxes it)";
            return Err(Problem::new(403, "actor_not_allowed", detail));
        }
    }
    if event.time.duration_since(now).abs() > MAX_TIME_SKEW {
        let wanted = "a time at most an hour from now; leave it out to take the time of the request";
        return Err(Problem::refused("time", "a time that is more than an hour from now", wanted));
    }
    event.auth_id = Some(person.user.clone());
    event.extensions.insert(AUTH_TYPE.to_owned(), Extension::Text("user".to_owned()));
    Ok(())
}

#[cfg(test)]
mod tests;
