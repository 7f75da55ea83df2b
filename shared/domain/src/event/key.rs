//! The notification key, which makes sends idempotent.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::base::channel::Channel;
use crate::event::Event;

/// The key of one notification: one event, rule, recipient, channel and step. Only the holder of the ledger row with
/// this key may send.
///
/// The key is URL-safe base64 of SHA-256. The first 16 characters (96 bits) identify the event, so that all
/// notifications of one event are adjacent in the ledger. The other 27 characters (160 bits) identify the
/// notification. The key reveals nothing about the recipient.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(String);

/// Number of characters that identify the event.
const EVENT_CHARS: usize = 16;

/// Length of a key in characters.
const CHARS: usize = 43;

/// The common prefix of the keys of all notifications of one event.
#[must_use]
pub fn event_part(source: &str, id: &str) -> String {
    let mut whole = hash_of(&[source, id]);
    whole.truncate(EVENT_CHARS);
    whole
}

/// 27 characters of URL-safe base64: 160 bits of SHA-256 over the parts, each with its length as prefix.
pub(crate) fn hash_of(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // The length prefix keeps `ab` + `c` and `a` + `bc` apart.
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part.as_bytes());
    }
    URL_SAFE_NO_PAD.encode(&hash.finalize()[..20])
}

impl Key {
    /// The key of a notification. `nonce` is usually empty. It distinguishes several notifications of one step and
    /// channel, and deliberate second sends. A replay with mode force has keys of its own ([`Event::nonce`]).
    ///
    /// The event's source is part of the key, because CloudEvents ids are unique only within a source. The template's
    /// version is not, because a new template must not cause a second send.
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
        parts.extend(event.nonce().into_iter().flat_map(|nonce| ["replay", nonce]));
        let own = hash_of(&parts);
        Key(format!("{}{own}", event_part(&event.source, &event.id)))
    }

    /// The key of a requested second send of the same notification. It has the same event part.
    #[must_use]
    pub fn again(&self, nonce: &str) -> Key {
        let (event, own) = self.parts();
        Key(format!("{event}{}", hash_of(&[own, "again", nonce])))
    }

    /// Reads a key from untrusted text. `None` if the text is not 43 characters of URL-safe base64.
    #[must_use]
    pub fn parse(text: &str) -> Option<Key> {
        let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (text.len() == CHARS && text.bytes().all(is_base64)).then(|| Key(text.to_owned()))
    }

    /// The event part and the notification part. The second part is empty for a text that is not a key.
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
    fn each_part_changes_the_key() {
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
    fn parse_accepts_keys_and_refuses_other_text() {
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
