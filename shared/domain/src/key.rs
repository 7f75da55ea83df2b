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
/// URL-safe base64 of SHA-256. The first 16 characters (96 bits) name the event, so that everything that came of one
/// event lies together in the ledger; the other 27 (160 bits) name the notification. It says nothing about the
/// recipient.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(String);

/// How many characters of a key name the event.
const EVENT_CHARS: usize = 16;

/// How many characters a key has.
const CHARS: usize = 43;

/// What the keys of all notifications of one event begin with.
#[must_use]
pub fn event_part(source: &str, id: &str) -> String {
    let mut whole = hash_of(&[source, id]);
    whole.truncate(EVENT_CHARS);
    whole
}

/// 27 characters of URL-safe base64: 160 bits of SHA-256 over the parts, each with its length in front.
pub(crate) fn hash_of(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // The length in front keeps `ab` + `c` and `a` + `bc` apart.
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part.as_bytes());
    }
    URL_SAFE_NO_PAD.encode(&hash.finalize()[..20])
}

impl Key {
    /// `nonce` is empty, except where something keeps several notifications of one step and channel apart, or somebody
    /// asks for a second send on purpose. A replay that is to tell again ([`Event::nonce`]) has keys of its own besides.
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
        let mut parts = vec![&event.source, &event.id, rule, recipient, channel, &step, nonce];
        parts.extend(event.nonce().into_iter().flat_map(|it| ["replay", it]));
        let own = hash_of(&parts);
        Key(format!("{}{own}", event_part(&event.source, &event.id)))
    }

    /// The key of a second send of the same notification, which somebody asked for. It belongs to the same event.
    #[must_use]
    pub fn again(&self, nonce: &str) -> Key {
        let (event, own) = self.parts();
        Key(format!("{event}{}", hash_of(&[own, "again", nonce])))
    }

    /// Reads what somebody says is a key. `None` when no [`Key::of`] can have made it: it is not 43 characters of URL-safe
    /// base64.
    #[must_use]
    pub fn parse(text: &str) -> Option<Key> {
        let is_base64 = |it: u8| it.is_ascii_alphanumeric() || it == b'-' || it == b'_';
        (text.len() == CHARS && text.bytes().all(is_base64)).then(|| Key(text.to_owned()))
    }

    /// The part that all notifications of one event share, and the part that is its own. The second is empty for a text
    /// that no [`Key::of`] made.
    #[must_use]
    pub fn parts(&self) -> (&str, &str) {
        self.0.split_at_checked(EVENT_CHARS).unwrap_or((&self.0, ""))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
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

    #[test]
    fn a_key_is_read_back_and_what_cannot_be_one_is_not() {
        let key = Key::of(&event("orders", "1"), "paid", "ann", Some(Channel::Socket), 0, "");
        assert_eq!(Key::parse(key.as_str()), Some(key.clone()));
        let (short, long) = (&key.as_str()[1..], format!("{}A", key.as_str()));
        let (odd, wide) = (format!("{short}#"), format!("{}é", &short[1..]));
        for text in ["", short, &long, &odd, &wide] {
            assert_eq!(Key::parse(text), None, "{text}");
        }
    }

    fn event(source: &str, id: &str) -> Event {
        Event::parse(&format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"{source}","type":"t","time":"2026-11-20T12:00:00Z"}}"#
        ))
        .unwrap()
    }
}
