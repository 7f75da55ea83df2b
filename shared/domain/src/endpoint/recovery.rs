//! What an endpoint has missed because of its own state: it was switched off, its owner had not proved control, or its
//! pattern or version kept the event away. For each of these events the ledger has a row that says so, and nothing was
//! sent.
//!
//! Recovery lets dispatch decide about such a row once more, for this endpoint alone and by the rules of now. The job
//! that comes of it has the key of the row, so that the endpoint is told once, however often recovery is asked for.

use jiff::Timestamp;

use super::{Endpoint, EndpointId};
use crate::channel::Channel;
use crate::event::Event;
use crate::key::Key;
use crate::outcome::{Reason, Status};
use crate::plan::{Audience, endpoint_name};
use crate::rule::When;
use crate::wake::{Start, Task, Wake};

/// The most runs of a recurring rule that are tried to find the one that a key belongs to.
const MAX_OCCURRENCES: u32 = 366;

/// A row of the ledger that says that an endpoint was not told.
#[derive(Debug, Clone, Copy)]
pub struct Missed<'a> {
    pub key: &'a Key,
    pub rule: &'a str,
    /// The step of the rule that was to tell the endpoint.
    pub step: u32,
}

/// Why a missed event is not sent after all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotNow {
    /// The event's own `expirytime` is over.
    Expired,
    /// The endpoint's pattern of now does not match.
    Unwanted,
}

/// Whether an outcome says that nothing was sent because of the endpoint's own state. Such a row is not the end of its
/// key: a later job may take it over.
#[must_use]
pub fn was_missed(status: Status, reason: Option<Reason>) -> bool {
    let of_state = [
        Reason::EndpointDisabled,
        Reason::EndpointUnverified,
        Reason::EndpointPattern,
        Reason::EndpointVersion,
    ];
    status == Status::Suppressed && reason.is_some_and(|reason| of_state.contains(&reason))
}

/// Whether the endpoint would be told of an event now, as far as the event and the endpoint say. Whether it is switched
/// on is not asked. What the rules say, dispatch knows.
///
/// # Errors
/// [`NotNow`] says why not.
pub fn is_wanted(endpoint: &Endpoint, event: &Event, now: Timestamp) -> Result<(), NotNow> {
    if event.expiry_time.is_some_and(|expiry| expiry < now) {
        return Err(NotNow::Expired);
    }
    let pattern = endpoint.when.as_ref().map(When::pattern);
    match pattern.is_none_or(|pattern| pattern.matches(&event.document())) {
        true => Ok(()),
        false => Err(NotNow::Unwanted),
    }
}

/// What lets dispatch decide once more about a missed event, for this endpoint alone.
///
/// The job has the key of the row. Where the row is of a second send on purpose, whose key cannot be made again, the job
/// has a key that follows from the row's.
#[must_use]
pub fn wake(event: &Event, to: &EndpointId, missed: &Missed<'_>) -> Wake {
    let only = Some(Channel::Webhook);
    let occurrence =
        (0..MAX_OCCURRENCES).find(|occurrence| key_of(event, to, missed, *occurrence) == *missed.key);
    let start = match occurrence {
        Some(occurrence) => Start { step: missed.step, only, occurrence, ..Start::default() },
        None => {
            let again = Some(format!("recover {}", missed.key.as_str()));
            Start { step: missed.step, only, again, ..Start::default() }
        }
    };
    Wake::new(event, missed.rule, Task::Run { audience: Audience::Endpoint(to.clone()), start })
}

/// The key that a run gives to its message for an endpoint.
fn key_of(event: &Event, to: &EndpointId, missed: &Missed<'_>, occurrence: u32) -> Key {
    let nonce = if occurrence == 0 { String::new() } else { format!("{occurrence} ") };
    Key::of(event, missed.rule, &endpoint_name(to), Some(Channel::Webhook), missed.step, &nonce)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wake_tells_this_endpoint_alone_under_the_key_of_the_row() {
        let (event, to) = (event(""), EndpointId::parse("acme/erp").unwrap());
        for occurrence in [0, 1, 7] {
            let probe = Missed { key: &Key::from(String::new()), rule: "paid", step: 2 };
            let key = key_of(&event, &to, &probe, occurrence);
            let wake = wake(&event, &to, &Missed { key: &key, rule: "paid", step: 2 });
            let Task::Run { audience, start } = &wake.task else { panic!("a run") };
            assert!(*audience == Audience::Endpoint(to.clone()));
            assert_eq!((wake.rule.as_str(), start.step, start.only), ("paid", 2, Some(Channel::Webhook)));
            assert_eq!((start.occurrence, start.again.as_deref()), (occurrence, None));
            assert_eq!(wake.event().unwrap(), event);
        }
    }

    #[test]
    fn key_that_cannot_be_made_again_gets_one_that_follows_from_it() {
        let (event, to) = (event(""), EndpointId::parse("-/erp").unwrap());
        let key = Key::parse(&"k".repeat(43)).unwrap();
        let missed = Missed { key: &key, rule: "paid", step: 0 };
        let again = || {
            let Task::Run { start, .. } = wake(&event, &to, &missed).task else { panic!("a run") };
            start.again.unwrap()
        };
        assert_eq!(again(), again());
        assert!(again().contains(key.as_str()));
    }

    #[test]
    fn only_what_the_endpoints_own_state_kept_away_was_missed() {
        let missed: Vec<&str> = Reason::ALL
            .into_iter()
            .filter(|reason| was_missed(Status::Suppressed, Some(*reason)))
            .map(Reason::name)
            .collect();
        let expected = ["endpoint_disabled", "endpoint_unverified", "endpoint_pattern", "endpoint_version"];
        assert_eq!(missed, expected);
        for status in [Status::Failed, Status::Sent, Status::Claimed, Status::Unknown] {
            assert!(!was_missed(status, Some(Reason::EndpointDisabled)), "{status:?}");
        }
        assert!(!was_missed(Status::Suppressed, None));
    }

    #[test]
    fn expired_event_and_one_that_the_pattern_of_now_leaves_out_are_not_wanted() {
        let now = "2026-11-30T12:00:00Z".parse().unwrap();
        let check = |when: &str, extension: &str, expected| {
            let written = format!(r#"{{"id":"erp","url":"https://e.example/x","when":{when}}}"#);
            let endpoint: Endpoint = serde_json::from_str(&written).unwrap();
            assert_eq!(is_wanted(&endpoint, &event(extension), now), expected, "{when} {extension}");
        };
        check("null", "", Ok(()));
        check(r#"{"detail-type":["order.paid"]}"#, "", Ok(()));
        check(r#"{"detail-type":["order.sent"]}"#, "", Err(NotNow::Unwanted));
        check("null", r#","expirytime":"2026-11-30T11:59:59Z""#, Err(NotNow::Expired));
        check("null", r#","expirytime":"2026-11-30T12:00:01Z""#, Ok(()));
    }

    fn event(extensions: &str) -> Event {
        Event::parse(&format!(
            r#"{{"specversion":"1.0","id":"1","source":"shop","type":"order.paid","tenant":"acme",
                "time":"2026-11-20T12:00:00Z"{extensions},"data":{{"a":1.50}}}}"#
        ))
        .unwrap()
    }
}
