//! `/v1/deliveries/{key}/retry`: sends a notification again.
//!
//! The API does not send the notification itself. It sends a continuation with a new nonce to dispatch,
//! which decides with the current preferences, addresses and rules. The resulting notifications have new
//! keys.

use std::time::Duration;

use domain::base::outcome::Status;
use domain::decide::continuation::{Continuation, Start, Task};
use domain::decide::plan::Audience;
use domain::event::key::Key;
use domain::webhook::endpoint::EndpointId;
use queue::Outgoing;
use serde_json::json;

use crate::problem::Problem;
use crate::response::Response;
use crate::routes::deliveries::may_know;
use crate::{Api, ApiCall};

impl Api {
    pub(crate) async fn retry(&self, call: &ApiCall<'_>) -> Result<Response, Problem> {
        let unknown = || Problem::new(404, "no_delivery", "no delivery of this key is known");
        let key = Key::parse(call.parameter(0)).ok_or_else(unknown)?;
        let row = self.ledger.find(&key).await?.filter(|row| may_know(call, row)).ok_or_else(unknown)?;
        is_over(row.status)?;
        let audience = audience(&row.recipient)
            .ok_or_else(|| not_again("its recipient is an address that is not kept"))?;
        let event = self
            .events
            .of_origin(&row.origin)
            .await?
            .ok_or_else(|| not_again("its event is not on record"))?;
        let nonce = call.nonce()?;
        let start =
            Start { step: row.step, only: row.channel, again: Some(nonce.clone()), ..Start::default() };
        let continuation = Continuation::new(&event, &row.rule, Task::Run { audience, start });
        let outgoing = Outgoing {
            body: continuation.to_json().into(),
            tenant: event.tenant.clone(),
            delay: Duration::ZERO,
        };
        match self.dispatch.send(&[outgoing]).await.pop() {
            Some(Ok(())) => {}
            Some(Err(refused)) => return Err(refused.into()),
            None => {
                return Err(
                    Problem::new(503, "unavailable", "the queue did not answer; repeat the request").after(1)
                );
            }
        }
        Ok(Response::json(202, &json!({ "retries": key.as_str(), "nonce": nonce })))
    }
}

/// Checks that the notification has ended without success.
fn is_over(status: Status) -> Result<(), Problem> {
    match status {
        Status::Failed
        | Status::Suppressed
        | Status::Unknown
        | Status::Unconfirmed
        | Status::Undelivered
        | Status::Bounced => Ok(()),
        Status::Sent | Status::Delivered => Err(Problem::new(409, "sent", "the notification was sent")),
        Status::Claimed | Status::Released | Status::Deferred => {
            Err(Problem::new(409, "in_progress", "the notification is in progress or deferred"))
        }
    }
}

fn not_again(why: &str) -> Problem {
    Problem::new(422, "not_again", format!("the notification cannot be sent again: {why}"))
}

/// The audience of a row's recipient name. An address is stored as a hash.
fn audience(name: &str) -> Option<Audience> {
    if let Some(room) = name.strip_prefix("room:") {
        return Some(Audience::Room(room.to_owned()));
    }
    if let Some(endpoint) = name.strip_prefix("endpoint:") {
        return EndpointId::parse(endpoint).map(Audience::Endpoint);
    }
    if name.starts_with("address:") || name == "-" {
        return None;
    }
    Some(Audience::User(name.strip_prefix("user:").unwrap_or(name).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipient_name_gives_its_audience() {
        let endpoint = |name| Audience::Endpoint(EndpointId::parse(name).unwrap());
        for expected in [
            Audience::User("ann".into()),
            Audience::User("room:x".into()),
            Audience::User("endpoint:acme/erp".into()),
            Audience::Room("queue:7".into()),
            endpoint("acme/erp"),
            endpoint("-/erp"),
        ] {
            let name = expected.name(&domain::recipient::keyed_hash::KeyedHashes::development());
            assert!(audience(&name) == Some(expected));
        }
        assert!(audience("address:email:0123").is_none());
    }
}
