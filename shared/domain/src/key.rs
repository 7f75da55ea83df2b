//! The notification key: the idempotency of a send.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::channel::Channel;
use crate::event::Event;

/// Names one notification: this event, by this rule, to this recipient, on this channel, in this step. Whoever holds
/// the ledger row of this key may send, and nobody else.
///
/// 27 characters of URL-safe base64: 160 bits of SHA-256. It says nothing about the recipient.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(String);

impl Key {
    /// `nonce` is empty, except where an operator asks for a second send on purpose.
    ///
    /// The event's source belongs to the key because CloudEvents makes ids unique only within a source; the
    /// template's version does not, because a new template must not send again.
    #[must_use]
    pub fn of(
        event: &Event,
        rule: &str,
        recipient: &str,
        channel: Option<Channel>,
        step: u32,
        nonce: &str,
    ) -> Key {
        let step = step.to_string();
        let channel = channel.map_or("-", Channel::name);
        Key(hash_of(&[&event.source, &event.id, rule, recipient, channel, &step, nonce]))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// 27 characters of URL-safe base64, 160 bits of SHA-256, of several texts that cannot run into each other.
pub(crate) fn hash_of(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // The length in front keeps `ab` + `c` and `a` + `bc` apart.
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part.as_bytes());
    }
    URL_SAFE_NO_PAD.encode(&hash.finalize()[..20])
}

impl From<String> for Key {
    fn from(text: String) -> Key {
        Key(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_key_counts_and_none_runs_into_the_next() {
        let one = event("orders", "1");
        let key = |event: &Event, rule: &str, recipient: &str, channel, step, nonce: &str| {
            Key::of(event, rule, recipient, Some(channel), step, nonce)
        };
        let first = key(&one, "paid", "ann", Channel::Email, 0, "");
        assert_eq!(first, key(&one, "paid", "ann", Channel::Email, 0, ""));
        for other in [
            key(&event("orders", "2"), "paid", "ann", Channel::Email, 0, ""),
            key(&event("bills", "1"), "paid", "ann", Channel::Email, 0, ""),
            key(&event("order", "s1"), "paid", "ann", Channel::Email, 0, ""),
            key(&one, "shipped", "ann", Channel::Email, 0, ""),
            key(&one, "paida", "nn", Channel::Email, 0, ""),
            key(&one, "paid", "ben", Channel::Email, 0, ""),
            key(&one, "paid", "ann", Channel::Socket, 0, ""),
            key(&one, "paid", "ann", Channel::Email, 1, ""),
            key(&one, "paid", "ann", Channel::Email, 0, "again"),
        ] {
            assert_ne!(first, other);
        }
    }

    fn event(source: &str, id: &str) -> Event {
        Event::parse(&format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"{source}","type":"t","time":"2026-11-20T12:00:00Z"}}"#
        ))
        .unwrap()
    }
}
