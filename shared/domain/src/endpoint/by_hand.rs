//! What is sent to an endpoint because somebody asked for it: a ping, or a message that did not arrive. Each is a job of
//! its own key, so that no earlier outcome stands in its way.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::EndpointId;
use super::challenge::VERIFY;
use crate::channel::Channel;
use crate::event::{Event, Priority};
use crate::job::{ByHand, Content, Job, Origin, Webhook};
use crate::key::Key;
use crate::plan::endpoint_name;

/// The type of the event that a ping is about. It is on no bus.
const PING: &str = "carillon.endpoint.ping";

/// How far back messages are recovered: 14 days, and five minutes for slow hands.
///
/// Source: Svix, "Recovering failed messages".
const FURTHEST: SignedDuration = SignedDuration::from_secs(14 * 86_400 + 300);

/// Whether messages that failed at `since` can still be sent again.
#[must_use]
pub fn is_recoverable(since: Timestamp, now: Timestamp) -> bool {
    now.duration_since(since) <= FURTHEST
}

/// A message that says nothing, to see whether it arrives. `source` says who asks; asked twice with one nonce, it is one
/// message.
#[must_use]
pub fn ping(to: &EndpointId, source: &str, nonce: &str, now: Timestamp) -> Job {
    let event = Event::new(source, PING, format!("ping-{nonce}"), now, &json!({}));
    asked(to, event, "ping", &json!({}), now)
}

/// The request that asks an endpoint's owner for a proof of control. A release that does not know challenges sends the
/// request as a ping and ignores the answer.
#[must_use]
pub fn verify(to: &EndpointId, source: &str, nonce: &str, challenge: &str, now: Timestamp) -> Job {
    let event = Event::new(source, VERIFY, format!("verify-{nonce}"), now, &json!({}));
    asked(to, event, "verify", &json!({ "challenge": challenge }), now)
}

/// A request that says nothing about any event of the tenant.
fn asked(to: &EndpointId, event: Event, what: &str, data: &Value, now: Timestamp) -> Job {
    let event = Event { tenant: to.tenant.clone(), ..event };
    let recipient = endpoint_name(to);
    let body = json!({ "type": event.kind, "timestamp": now.to_string(), "data": data }).to_string();
    Job {
        version: 1,
        key: Key::of(&event, "-", &recipient, Some(Channel::Webhook), 0, what),
        event: Origin::of(&event),
        rule: "-".to_owned(),
        catalog: "-".to_owned(),
        recipient,
        step: 0,
        priority: Priority::Normal,
        on_unknown: Channel::Webhook.on_unknown(),
        expires_at: None,
        cancel: None,
        address_hash: None,
        due: None,
        set: None,
        one_time: false,
        held_s: 0,
        held_since: None,
        instead_of: None,
        failover: None,
        content: Content::Webhook(Webhook { to: to.clone(), body, by_hand: Some(ByHand::Ping) }),
    }
}

/// The same message once more: the receiver knows it by the id that it had. `None` for what is no message to an endpoint.
#[must_use]
pub fn again(job: Job, nonce: &str) -> Option<Job> {
    let Content::Webhook(webhook) = &job.content else { return None };
    let of = webhook.id(&job.key).clone();
    let content = Content::Webhook(Webhook { by_hand: Some(ByHand::Retry { of }), ..webhook.clone() });
    let key = job.key.again(nonce);
    Some(Job { key, content, expires_at: None, cancel: None, ..job })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_795_000_000, 0);

    #[test]
    fn a_ping_is_one_message_however_often_it_is_asked_for_with_one_nonce() {
        let id = EndpointId::parse("acme/erp").unwrap();
        let first = ping(&id, "carillon/api", "n-1", NOW);
        assert_eq!(first.key, ping(&id, "carillon/api", "n-1", NOW + SignedDuration::from_secs(9)).key);
        assert_ne!(first.key, ping(&id, "carillon/api", "n-2", NOW).key);
        assert_eq!(
            (first.recipient.as_str(), first.event.tenant.as_deref()),
            ("endpoint:acme/erp", Some("acme"))
        );
        assert_eq!(first.event.kind, "carillon.endpoint.ping");
    }

    #[test]
    fn challenge_is_in_the_body_of_its_request_and_nowhere_else() {
        let id = EndpointId::parse("acme/erp").unwrap();
        let job = verify(&id, "carillon/api", "n-1", "c-secret", NOW);
        let Content::Webhook(webhook) = &job.content else { panic!("a request") };
        let body: Value = serde_json::from_str(&webhook.body).unwrap();
        assert_eq!((&body["type"], &body["data"]["challenge"]), (&json!(VERIFY), &json!("c-secret")));
        assert_eq!((job.event.kind.as_str(), &webhook.by_hand), (VERIFY, &Some(ByHand::Ping)));
        assert_ne!(job.key, ping(&id, "carillon/api", "n-1", NOW).key);
        let rest = serde_json::to_string(&(&job.event, &job.key, &job.recipient)).unwrap();
        assert!(!rest.contains("c-secret"));
    }

    #[test]
    fn what_is_sent_again_has_a_key_of_its_own_and_the_id_that_the_receiver_knows() {
        let id = EndpointId::parse("acme/erp").unwrap();
        let job = ping(&id, "carillon/api", "n-1", NOW);
        let first = job.key.clone();
        let second = again(job, "a").unwrap();
        let third = again(second.clone(), "b").unwrap();
        for it in [&second, &third] {
            let Content::Webhook(webhook) = &it.content else { panic!("it is a request") };
            assert_eq!(webhook.id(&it.key), &first);
            assert_ne!(it.key, first);
        }
        assert_ne!(second.key, third.key);
    }

    #[test]
    fn messages_are_recovered_for_fourteen_days_and_a_little() {
        let ago = |seconds: i64| is_recoverable(NOW - SignedDuration::from_secs(seconds), NOW);
        assert!(ago(14 * 86_400 + 300));
        assert!(!ago(14 * 86_400 + 301));
        assert!(ago(-60));
    }
}
