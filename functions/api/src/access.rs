//! Writes one access record for every answered request, including refusals.
//!
//! The record goes to the audit queue before the answer goes to the caller. It is derived from the
//! request and the answer, so new routes are recorded without further work.

use std::time::Duration;

use domain::Timestamp;
use domain::audit::access::{Access, AccessRecord, CallerKind, NO_OPERATION, Object, PERSON};
use domain::event::own_events::API_SOURCE;
use domain::recipient::unsubscribe::{Claim, Keys};
use queue::Outgoing;
use serde_json::Value;

use crate::Api;
use crate::caller::{Caller, Issuer};
use crate::problem::Problem;
use crate::request::Request;
use crate::response::Response;
use crate::router::{Found, Operation, Route, find};
use crate::unsubscribe;

/// How long an answer waits for its record. A `SendMessage` takes some milliseconds.
const TO_RECORD: Duration = Duration::from_secs(3);

/// The input of one record.
pub(crate) struct Subject<'a> {
    pub(crate) request: &'a Request,
    pub(crate) issuer: Option<&'a Issuer>,
    pub(crate) links: &'a Keys,
    pub(crate) now: Timestamp,
}

/// A record, and whether its answer may be sent without it.
pub(crate) struct Recorded {
    pub(crate) record: AccessRecord,
    /// The answer contains personal data and is withheld if the record is not written.
    pub(crate) discloses: bool,
}

impl Api {
    /// Sends the access record of an answered request to the audit, and returns the answer.
    ///
    /// An answer with personal data fails closed: if the record was not written, the answer becomes a
    /// 503. All routes with such answers are safe to repeat. Other answers fail open. A refusal contains
    /// no personal data, and a 503 would not undo a change, an event or an unsubscription.
    pub(crate) async fn with_record(&self, recorded: Recorded, response: Response) -> Response {
        let Recorded { record, discloses } = recorded;
        let outgoing = Outgoing {
            body: record.to_message().into(),
            tenant: record.access.tenant.clone(),
            delay: Duration::ZERO,
        };
        let sent = tokio::time::timeout(TO_RECORD, self.audit.send(std::slice::from_ref(&outgoing))).await;
        let error = match sent.map(|mut results| results.pop()) {
            Ok(Some(Ok(()))) => return response,
            Ok(Some(Err(refused))) => runtime::chain(&refused),
            Ok(None) | Err(_) => format!("no answer within {} s", TO_RECORD.as_secs()),
        };
        let withheld = discloses && (200..300).contains(&response.status_code);
        let Access { by, operation, object, status, request, .. } = &record.access;
        // Subjects and object ids are left out, because they name people.
        tracing::error!(
            code = "ACCESS_NOT_RECORDED",
            error,
            withheld,
            operation,
            by = by.name(),
            object = object.as_ref().map(|object| object.kind.as_str()),
            status,
            request.id = request,
            time = %record.time,
            "access record not written: answers with personal data are withheld, other answers are sent"
        );
        if !withheld {
            return response;
        }
        let detail = "the access record of this request could not be written; ask again";
        Response::problem(&Problem::new(503, "unavailable", detail).after(1), request)
            .with("x-request-id", request.clone())
    }
}

impl Subject<'_> {
    /// The record of a request with this answer.
    pub(crate) fn record(&self, response: &Response) -> Recorded {
        match unsubscribe::token(self.request) {
            Some(token) => self.of_link(self.links.verify(&token, self.now).ok().as_ref(), response),
            None => self.of_route(response),
        }
    }

    /// The record of a request made through a link of a message.
    fn of_link(&self, claim: Option<&Claim>, response: &Response) -> Recorded {
        let operation = match self.request.method() {
            "POST" => "unsubscribe",
            _ => "showUnsubscribe",
        };
        let person = claim.map(|claim| claim.recipient.as_str());
        let access = Access {
            by: claim.map_or(CallerKind::Unknown, |_| CallerKind::Link),
            subject: person.map(str::to_owned),
            tenant: claim.and_then(|claim| claim.tenant.clone()),
            operation: operation.to_owned(),
            object: person.map(|id| Object::new(PERSON, Some(id))),
            listed: Vec::new(),
            status: Some(response.status_code),
            request: self.request.id().to_owned(),
        };
        Recorded { record: self.finish(access), discloses: false }
    }

    fn of_route(&self, response: &Response) -> Recorded {
        let caller = Caller::of(self.request, self.issuer, self.now).ok();
        let (by, subject, tenant) = self.who(caller.as_ref());
        let (route, parameters) = match find(self.request.method(), &self.request.path()) {
            Found::Route(route, parameters) => (Some(route), parameters),
            Found::OtherMethods(_) | Found::Nothing => (None, Vec::new()),
        };
        let answer = serde_json::from_str(response.body.expose()).unwrap_or(Value::Null);
        let access = Access {
            by,
            subject,
            tenant,
            operation: route.map_or_else(|| NO_OPERATION.to_owned(), |route| name(route.operation)),
            object: route.map(|route| self.object(route, &parameters, caller.as_ref(), &answer)),
            listed: route.map(|route| listed(route.operation, &answer)).unwrap_or_default(),
            status: Some(response.status_code),
            request: self.request.id().to_owned(),
        };
        Recorded {
            record: self.finish(access),
            discloses: route.is_some_and(|route| discloses(route.operation)),
        }
    }

    fn finish(&self, access: Access) -> AccessRecord {
        AccessRecord { source: API_SOURCE.to_owned(), time: self.now, access }
    }

    /// The caller's kind, name and tenant. A refused caller is named as far as API Gateway has verified
    /// the name.
    fn who(&self, caller: Option<&Caller>) -> (CallerKind, Option<String>, Option<String>) {
        match caller {
            Some(Caller::Person(person)) => {
                (CallerKind::Token, Some(person.user.clone()), Some(person.tenant.clone()))
            }
            Some(caller @ Caller::Program(arn)) => {
                let scope = caller.scope(self.request).ok();
                let tenant = scope.and_then(|scope| scope.tenant().map(str::to_owned));
                (CallerKind::Iam, Some(arn.clone()), tenant)
            }
            None => {
                let claims = self
                    .request
                    .authorizer()
                    .and_then(|authorizer| authorizer.jwt.as_ref())
                    .map(|jwt| &jwt.claims);
                let claim = |name: &str| claims?.get(name).cloned().filter(|text| is_name(text));
                let subject = self.issuer.and_then(|issuer| claim(&issuer.user_claim));
                let tenant = self.issuer.and_then(|issuer| claim(&issuer.tenant_claim));
                (CallerKind::Unknown, subject, tenant)
            }
        }
    }

    /// The object of a route: the person, tenant, event, delivery or endpoint in its path. The object of
    /// a ticket is its user. The object of a publication is the event.
    fn object(
        &self,
        route: &Route,
        parameters: &[String],
        caller: Option<&Caller>,
        answer: &Value,
    ) -> Object {
        let id = parameters.first().map(String::as_str);
        match (route.path.split('/').nth(2).unwrap_or_default(), id) {
            ("recipients", Some(id)) => Object::new(PERSON, Some(id)),
            ("recipients" | "lookups", None) => Object::new("group", None),
            ("tickets", _) => {
                let wish = self.request.object().ok();
                let named = wish.as_ref().and_then(|wish| wish.get("user")).and_then(Value::as_str);
                let own = match caller {
                    Some(Caller::Person(person)) => Some(person.user.as_str()),
                    Some(Caller::Program(_)) | None => None,
                };
                Object::new(PERSON, named.or(own))
            }
            ("events", id) => Object::new("event", id.or_else(|| answer.get("id").and_then(Value::as_str))),
            ("tenants", id) => Object::new("tenant", id),
            ("deliveries", id) => Object::new("delivery", id),
            ("endpoints", id) => Object::new("endpoint", id),
            (other, id) => Object::new(other, id),
        }
    }
}

/// The `operationId` of `openapi.yaml`: the variant's name in lower camel case.
fn name(operation: Operation) -> String {
    let name = format!("{operation:?}");
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// Whether a successful answer contains personal data. Unlisted routes count as such.
fn discloses(operation: Operation) -> bool {
    !matches!(
        operation,
        Operation::DeleteRecipient
            | Operation::DeleteDevice
            | Operation::CloseSockets
            | Operation::PutTenant
            | Operation::Publish
            | Operation::Retry
            | Operation::PutEndpoint
            | Operation::DeleteEndpoint
            | Operation::RotateSecret
            | Operation::EnableEndpoint
            | Operation::DisableEndpoint
            | Operation::PingEndpoint
            | Operation::RetryMessage
            | Operation::RecoverMessages
    )
}

/// The ids of the people in a list.
fn listed(operation: Operation, answer: &Value) -> Vec<String> {
    let (list, member) = if matches!(operation, Operation::ListRecipients | Operation::LookUpRecipients) {
        ("recipients", "id")
    } else if operation == Operation::ListDeliveries {
        ("deliveries", "recipient")
    } else {
        return Vec::new();
    };
    let entries = answer.get(list).and_then(Value::as_array).into_iter().flatten();
    let ids = entries.filter_map(|entry| entry.get(member).and_then(Value::as_str));
    // Rooms and addresses are not people with an id.
    let people = ids.filter(|id| !id.starts_with("room:") && !id.starts_with("address:") && is_name(id));
    let mut people: Vec<String> =
        people.map(|id| id.strip_prefix("user:").unwrap_or(id).to_owned()).collect();
    people.sort();
    people.dedup();
    people
}

/// Whether a text is no longer than a name may be.
fn is_name(text: &str) -> bool {
    (1..=256).contains(&text.len())
}

#[cfg(test)]
mod tests;
