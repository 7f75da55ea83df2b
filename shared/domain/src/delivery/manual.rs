//! Jobs on request: a ping, a challenge, or a resend of a message that did not arrive. Each has its own key, so that
//! an earlier outcome does not block it.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::base::channel::Channel;
use crate::delivery::job::{ByHand, Content, Job, Origin, Webhook};
use crate::event::key::Key;
use crate::event::{Event, Priority};
use crate::webhook::endpoint::challenge::VERIFY;
use crate::webhook::endpoint::{EndpointId, endpoint_name};

/// The event type of a ping. Such an event is never on a bus.
const PING: &str = "carillon.endpoint.ping";

/// How far back messages can be recovered: 14 days plus a margin of five minutes.
///
/// Source: Svix, "Recovering failed messages".
const FURTHEST: SignedDuration = SignedDuration::from_secs(14 * 86_400 + 300);

/// Whether messages that failed at `since` can still be resent.
#[must_use]
pub fn is_recoverable(since: Timestamp, now: Timestamp) -> bool {
    now.duration_since(since) <= FURTHEST
}

/// A message without content that tests an endpoint. `source` names the requester. The same nonce yields the same
/// message.
#[must_use]
pub fn ping(to: &EndpointId, source: &str, nonce: &str, now: Timestamp) -> Job {
    let event = Event::new(source, PING, format!("ping-{nonce}"), now, &json!({}));
    requested(to, event, "ping", &json!({}), now)
}

/// A request for a proof of control. A release without challenges sends the request as a ping and ignores the answer.
#[must_use]
pub fn verify(to: &EndpointId, source: &str, nonce: &str, challenge: &str, now: Timestamp) -> Job {
    let event = Event::new(source, VERIFY, format!("verify-{nonce}"), now, &json!({}));
    requested(to, event, "verify", &json!({ "challenge": challenge }), now)
}

/// A job that refers to no event of the tenant.
fn requested(to: &EndpointId, event: Event, nonce: &str, data: &Value, now: Timestamp) -> Job {
    let event = Event { tenant: to.tenant.clone(), ..event };
    let recipient = endpoint_name(to);
    let body = json!({ "type": event.kind, "timestamp": now.to_string(), "data": data }).to_string();
    Job {
        version: 1,
        key: Key::of(&event, "-", &recipient, Some(Channel::Webhook), 0, nonce),
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
        content: Content::Webhook(Webhook { to: to.clone(), body: body.into(), by_hand: Some(ByHand::Ping) }),
    }
}

/// A resend of a message under the id that the receiver already knows. `None` if the job is not a webhook message.
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
    fn ping_with_one_nonce_is_one_message() {
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
    fn challenge_is_only_in_the_request_body() {
        let id = EndpointId::parse("acme/erp").unwrap();
        let job = verify(&id, "carillon/api", "n-1", "c-secret", NOW);
        let Content::Webhook(webhook) = &job.content else { panic!("not a webhook message") };
        let body: Value = serde_json::from_str(webhook.body.expose()).unwrap();
        assert_eq!((&body["type"], &body["data"]["challenge"]), (&json!(VERIFY), &json!("c-secret")));
        assert_eq!((job.event.kind.as_str(), &webhook.by_hand), (VERIFY, &Some(ByHand::Ping)));
        assert_ne!(job.key, ping(&id, "carillon/api", "n-1", NOW).key);
        let rest = serde_json::to_string(&(&job.event, &job.key, &job.recipient)).unwrap();
        assert!(!rest.contains("c-secret"));
    }

    #[test]
    fn resend_has_a_new_key_and_the_original_id() {
        let id = EndpointId::parse("acme/erp").unwrap();
        let job = ping(&id, "carillon/api", "n-1", NOW);
        let first = job.key.clone();
        let second = again(job, "a").unwrap();
        let third = again(second.clone(), "b").unwrap();
        for job in [&second, &third] {
            let Content::Webhook(webhook) = &job.content else { panic!("not a webhook message") };
            assert_eq!(webhook.id(&job.key), &first);
            assert_ne!(job.key, first);
        }
        assert_ne!(second.key, third.key);
    }

    #[test]
    fn messages_are_recoverable_for_14_days_and_a_margin() {
        let ago = |seconds: i64| is_recoverable(NOW - SignedDuration::from_secs(seconds), NOW);
        assert!(ago(14 * 86_400 + 300));
        assert!(!ago(14 * 86_400 + 301));
        assert!(ago(-60));
    }
}
