//! `/v1/events`: puts an event on the bus.

use domain::Timestamp;
use domain::event::Event;
use publish::Entry;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use crate::caller::{Caller, Scope};
use crate::problem::Problem;
use crate::response::Response;
use crate::router::Operation;
use crate::tenancy::{self, Relation, Role};
use crate::{Api, Asked};

/// What our own events are called: what is said by them is not for tenants to say.
const RESERVED: &str = "carillon.";

/// The members of an envelope that may be left out here.
#[derive(Default, Deserialize)]
struct Head {
    #[serde(default)]
    specversion: Option<IgnoredAny>,
    #[serde(default)]
    id: Option<IgnoredAny>,
    #[serde(default)]
    source: Option<IgnoredAny>,
    #[serde(default)]
    time: Option<IgnoredAny>,
}

impl Api {
    pub(crate) async fn publish(&self, asked: &Asked<'_>) -> Result<Response, Problem> {
        // Done again, it is the same event.
        let id = asked.nonce()?;
        let mut event = Event::parse(&completed(&asked.request.body()?, &id, asked.scope, asked.now))?;
        hold(&mut event, asked.caller, asked.scope)?;
        let put = self.bus().put(&[Entry::of(&event)]).await.pop();
        match put {
            Some(Ok(_)) => {}
            Some(Err(refused)) => return Err(refused.into()),
            None => return Err(Problem::new(503, "unavailable", "the bus said nothing; ask again").after(1)),
        }
        let said = json!({ "id": event.id, "source": event.source, "type": event.kind, "time": event.time.to_string() });
        Ok(Response::json(202, &said))
    }
}

/// The source of what a tenant says for itself.
pub(crate) fn source_of(scope: &Scope) -> String {
    match scope.tenant() {
        Some(tenant) => format!("/tenants/{}", escaped(tenant)),
        None => "/api".to_owned(),
    }
}

/// A tenant's name as a part of a URI's path.
///
/// Source: RFC 3986, section 2.3, unreserved characters.
fn escaped(name: &str) -> String {
    let is_plain = |it: u8| it.is_ascii_alphanumeric() || b"-._~".contains(&it);
    name.bytes()
        .map(|it| if is_plain(it) { char::from(it).to_string() } else { format!("%{it:02X}") })
        .collect()
}

/// The envelope with what may be left out. The text is not read and written again, so that its numbers stay as they
/// are; what cannot be read is left for the reader to refuse.
fn completed(body: &str, id: &str, scope: &Scope, now: Timestamp) -> String {
    let Some(members) = body.trim_start().strip_prefix('{') else { return body.to_owned() };
    let Ok(head) = serde_json::from_str::<Head>(body) else { return body.to_owned() };
    let missing = [
        (head.specversion.is_none(), "specversion", "1.0".to_owned()),
        (head.id.is_none(), "id", id.to_owned()),
        (head.source.is_none(), "source", source_of(scope)),
        (head.time.is_none(), "time", now.to_string()),
    ];
    let missing = missing.into_iter().filter(|(is_missing, ..)| *is_missing);
    let added: Vec<String> =
        missing.map(|(_, name, value)| format!("{}:{}", json!(name), json!(value))).collect();
    let is_last = added.is_empty() || members.trim_start().starts_with('}');
    format!("{{{}{}{members}", added.join(","), if is_last { "" } else { "," })
}

/// Holds an event to its tenant: a token speaks for its tenant alone, and in its tenant's own name. Events with the
/// same source and id are one event, so a source must be nobody else's.
fn hold(event: &mut Event, caller: &Caller, scope: &Scope) -> Result<(), Problem> {
    let Scope::Tenant(tenant) = scope else { return Ok(()) };
    let relation = Relation::of_tenant(event.tenant.as_deref(), scope);
    tenancy::authorize(Operation::Publish, Role::of(caller, scope), relation)
        .map_err(|refusal| refusal.problem(Operation::Publish))?;
    event.tenant = Some(tenant.clone());
    if *caller == Caller::Program {
        return Ok(());
    }
    if event.kind.starts_with(RESERVED) {
        return Err(Problem::forbidden("type: what begins with carillon. is not for tenants to say"));
    }
    let own = source_of(scope);
    match event.source.strip_prefix(&own) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => Ok(()),
        Some(_) | None => {
            Err(Problem::forbidden(format!("source: wanted {own}, or what begins with {own}/")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::Person;

    const NOW: Timestamp = Timestamp::constant(1_795_000_000, 0);

    #[test]
    fn what_is_left_out_is_filled_in_and_what_is_there_stays_as_it_was_written() {
        let event = Event::parse(&read(r#"{"type":"order.placed","data":{"x":1.50}}"#)).unwrap();
        assert_eq!(
            (event.id.as_str(), event.source.as_str(), event.time),
            ("new", "/tenants/clinic%207", NOW)
        );
        assert_eq!(event.data.unwrap().text(), r#"{"x":1.50}"#);
        let whole =
            r#"{"specversion":"1.0","id":"1","source":"/s","time":"2026-11-20T12:00:00Z","type":"t"}"#;
        assert_eq!(read(whole), whole);
        for bad in
            ["", "[]", "{", "{}", r#"{"id":"1","id":"2"}"#, r#"{"type":"t",}"#, "7", r#"{"id":7,"type":"t"}"#]
        {
            assert!(Event::parse(&read(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_empty_envelope_is_told_what_it_lacks() {
        for empty in ["{}", "{ }", " {\n}\n", r#"{"data":{}}"#] {
            let refusal = Event::parse(&read(empty)).unwrap_err().to_string();
            assert!(refusal.starts_with("type: found nothing"), "{empty}: {refusal}");
        }
    }

    fn read(body: &str) -> String {
        completed(body, "new", &Scope::Tenant("clinic 7".into()), NOW)
    }

    #[test]
    fn a_token_speaks_for_its_tenant_and_in_its_name() {
        let admin = Person { user: "ann".into(), tenant: "a".into(), is_admin: true, rooms: vec![] };
        let (admin, ours) = (Caller::Person(admin), Scope::Tenant("a".into()));
        check(&admin, &ours, "/tenants/a", None, "t", None);
        check(&admin, &ours, "/tenants/a/shop", Some("a"), "t", None);
        check(&admin, &ours, "/tenants/ab", None, "t", Some(403));
        check(&admin, &ours, "/orders", None, "t", Some(403));
        check(&admin, &ours, "/tenants/a", Some("b"), "t", Some(403));
        check(&admin, &ours, "/tenants/a", None, "carillon.recipient.deleted", Some(403));
        check(&Caller::Program, &ours, "/orders", None, "carillon.topic.joined", None);
        check(&Caller::Program, &ours, "/orders", Some("b"), "t", Some(403));
        check(&Caller::Program, &Scope::All, "/orders", Some("b"), "t", None);
    }

    #[track_caller]
    fn check(
        caller: &Caller,
        scope: &Scope,
        source: &str,
        tenant: Option<&str>,
        kind: &str,
        status: Option<u16>,
    ) {
        let mut text = json!({
            "specversion": "1.0", "id": "1", "source": source, "type": kind, "time": "2026-11-20T12:00:00Z",
        });
        if let Some(tenant) = tenant {
            text["tenant"] = tenant.into();
        }
        let mut event = Event::parse(&text.to_string()).unwrap();
        assert_eq!(hold(&mut event, caller, scope).err().map(|it| it.status), status, "{source} {kind}");
        if status.is_none() {
            assert_eq!(event.tenant.as_deref(), scope.tenant().or(tenant));
        }
    }
}
