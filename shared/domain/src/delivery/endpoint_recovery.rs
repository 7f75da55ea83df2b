//! Recovery of events that an endpoint missed because of its own state: it was disabled or unverified, or its filter
//! or version did not match. The ledger has a suppressed row for each of these events.
//!
//! Recovery lets dispatch decide such a row again, for this endpoint only and by the current rules. The new job has
//! the key of the row, so repeated recovery sends the message once.

use jiff::Timestamp;

use crate::base::channel::Channel;
use crate::base::outcome::{Reason, Status};
use crate::decide::continuation::{Continuation, Start, Task};
use crate::decide::plan::Audience;
use crate::event::Event;
use crate::event::key::Key;
use crate::pattern::condition::When;
use crate::webhook::endpoint::{Endpoint, EndpointId, endpoint_name};

/// The highest number of occurrences of a recurring rule that are tried to reproduce a key.
const MAX_OCCURRENCES: u32 = 366;

/// A ledger row of a missed event.
#[derive(Debug, Clone, Copy)]
pub struct Missed<'a> {
    pub key: &'a Key,
    pub rule: &'a str,
    /// The send step of the rule.
    pub step: u32,
}

/// The reason why a missed event is not recovered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotNow {
    /// The event's `expirytime` has passed.
    Expired,
    /// The endpoint's current filter does not match.
    Unwanted,
}

/// Whether an outcome says that the endpoint's own state suppressed the message. A later job may take over such a row.
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

/// Whether the endpoint would receive an event now, judged by the event and the endpoint's filter. The disabled state
/// and the rules are not checked here; dispatch checks them.
///
/// # Errors
/// [`NotNow`] with the reason.
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

/// The continuation that lets dispatch decide a missed event again, for this endpoint only.
///
/// The job has the key of the row. The key of a forced resend cannot be reproduced, so its job gets a key derived from
/// the row's key.
#[must_use]
pub fn continuation(event: &Event, to: &EndpointId, missed: &Missed<'_>) -> Continuation {
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
    Continuation::new(event, missed.rule, Task::Run { audience: Audience::Endpoint(to.clone()), start })
}

/// The key of the run's message for an endpoint.
fn key_of(event: &Event, to: &EndpointId, missed: &Missed<'_>, occurrence: u32) -> Key {
    let nonce = if occurrence == 0 { String::new() } else { format!("{occurrence} ") };
    Key::of(event, missed.rule, &endpoint_name(to), Some(Channel::Webhook), missed.step, &nonce)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recovery_addresses_one_endpoint_under_the_key_of_the_row() {
        let (event, to) = (event(""), EndpointId::parse("acme/erp").unwrap());
        for occurrence in [0, 1, 7] {
            let probe = Missed { key: &Key::from(String::new()), rule: "paid", step: 2 };
            let key = key_of(&event, &to, &probe, occurrence);
            let continuation = continuation(&event, &to, &Missed { key: &key, rule: "paid", step: 2 });
            let Task::Run { audience, start } = &continuation.task else { panic!("not a run") };
            assert!(*audience == Audience::Endpoint(to.clone()));
            assert_eq!(
                (continuation.rule.as_str(), start.step, start.only),
                ("paid", 2, Some(Channel::Webhook))
            );
            assert_eq!((start.occurrence, start.again.as_deref()), (occurrence, None));
            assert_eq!(continuation.event().unwrap(), event);
        }
    }

    #[test]
    fn irreproducible_key_yields_a_derived_key() {
        let (event, to) = (event(""), EndpointId::parse("-/erp").unwrap());
        let key = Key::parse(&"k".repeat(43)).unwrap();
        let missed = Missed { key: &key, rule: "paid", step: 0 };
        let again = || {
            let Task::Run { start, .. } = continuation(&event, &to, &missed).task else {
                panic!("not a run")
            };
            start.again.unwrap()
        };
        assert_eq!(again(), again());
        assert!(again().contains(key.as_str()));
    }

    #[test]
    fn only_suppression_by_endpoint_state_is_recoverable() {
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
    fn expired_and_filtered_events_are_not_recovered() {
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
