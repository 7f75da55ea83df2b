//! Marks, which prove to the audit that the relay or the sweep published an outbox entry.
//!
//! EventBridge passes `Resources` on as the publisher wrote them, so a plain word there proves nothing. A mark is
//! `carillon:outbox:<digest>.<mac>`: the SHA-256 of the stored text, and an HMAC-SHA256 that only functions with the
//! stack's secret can compute. The HMAC covers the entry's source, id, table key and digest, and the content of its
//! text. A mark is therefore valid for one event with one content in one table row.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use carillon_event::outbox::DIGEST_PREFIX;
pub use carillon_event::outbox::text_digest;
use sha2::{Digest as _, Sha256};

use crate::base::json::content_hash;
use crate::base::stack_secret::{DerivedKey, StackSecret};

/// The label from which the key of marks is derived.
const LABEL: &str = "outbox-mark";

/// The prefix of a mark. [`crate::event::bus::FROM_OUTBOX`] alone is the mark of older releases.
pub const PREFIX: &str = "carillon:outbox:";

/// The key that signs and verifies marks.
#[derive(Clone)]
pub struct MarkKey(DerivedKey);

/// The outbox entry that a mark refers to.
#[derive(Clone, Copy)]
pub struct MarkedEntry<'a> {
    /// The source and id of the event.
    pub source: &'a str,
    pub id: &'a str,
    /// The entry's partition key and sort key in the events table.
    pub pk: &'a str,
    pub sk: &'a str,
}

impl MarkKey {
    #[must_use]
    pub fn of(secret: &StackSecret) -> MarkKey {
        MarkKey(secret.derive(LABEL))
    }

    /// The mark of an entry with this text. `None` if the text is not JSON.
    #[must_use]
    pub fn sign(&self, entry: MarkedEntry<'_>, stored: &str) -> Option<String> {
        let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(stored.as_bytes()));
        let content = content_hash(stored)?;
        let mac = self.0.mac(&parts(&entry, &digest, &content));
        Some(format!("{PREFIX}{digest}.{}", URL_SAFE_NO_PAD.encode(mac)))
    }

    /// The digest of the stored text, in the form of [`text_digest`], if one of the marks proves that `detail` has
    /// the same content as the text stored in this entry.
    #[must_use]
    pub fn prove(&self, entry: MarkedEntry<'_>, detail: &str, marks: &[String]) -> Option<String> {
        let content = content_hash(detail)?;
        marks.iter().find_map(|mark| {
            let (digest, mac) = mark.strip_prefix(PREFIX)?.split_once('.')?;
            let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
            self.0.verify(&parts(&entry, digest, &content), &mac).then(|| format!("{DIGEST_PREFIX}{digest}"))
        })
    }
}

fn parts<'a>(entry: &MarkedEntry<'a>, digest: &'a str, content: &'a [u8; 32]) -> [&'a [u8]; 6] {
    let MarkedEntry { source, id, pk, sk } = *entry;
    [source.as_bytes(), id.as_bytes(), pk.as_bytes(), sk.as_bytes(), digest.as_bytes(), content]
}

/// Removes whitespace between the tokens of JSON. This restores the original text if a bus added whitespace.
#[must_use]
pub fn compact(json: &str) -> String {
    let (mut text, mut is_quoted, mut is_escaped) = (String::with_capacity(json.len()), false, false);
    for character in json.chars() {
        if !is_quoted && matches!(character, ' ' | '\n' | '\t' | '\r') {
            continue;
        }
        text.push(character);
        (is_quoted, is_escaped) = match character {
            _ if is_escaped => (is_quoted, false),
            '\\' => (is_quoted, is_quoted),
            '"' => (!is_quoted, false),
            _ => (is_quoted, false),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORED: &str = r#"{"specversion":"1.0","id":"e-1","source":"shop","data":{"total":12.50}}"#;
    const ENTRY: MarkedEntry<'_> =
        MarkedEntry { source: "shop", id: "e-1", pk: "stream#-#order/1", sk: "version#1" };

    #[test]
    fn mark_proves_the_stored_text_in_any_spelling() {
        let mark = key('0').sign(ENTRY, STORED).unwrap();
        let behind_the_bus =
            r#"{"specversion": "1.0", "id": "e-1", "source": "shop", "data": {"total": 12.5}}"#;
        let proven = key('0').prove(ENTRY, behind_the_bus, &["arn:x".to_owned(), mark]);
        assert_eq!(proven, Some(text_digest(STORED)));
    }

    #[test]
    fn mark_is_valid_for_one_entry_and_content_only() {
        let mark = key('0').sign(ENTRY, STORED).unwrap();
        let prove =
            |key: &MarkKey, entry, detail: &str, mark: &str| key.prove(entry, detail, &[mark.to_owned()]);
        for entry in [
            MarkedEntry { source: "shops", ..ENTRY },
            MarkedEntry { id: "e-2", ..ENTRY },
            MarkedEntry { pk: "stream#t#order/1", ..ENTRY },
            MarkedEntry { sk: "version#2", ..ENTRY },
        ] {
            assert_eq!(prove(&key('0'), entry, STORED, &mark), None);
        }
        assert_eq!(prove(&key('0'), ENTRY, &STORED.replace("12.50", "12.51"), &mark), None);
        assert_eq!(prove(&key('1'), ENTRY, STORED, &mark), None, "made with another secret");
        let (_, mac) = mark.rsplit_once('.').unwrap();
        let of_other_text = format!("{PREFIX}{}.{mac}", text_digest("{}").trim_start_matches(DIGEST_PREFIX));
        for forged in [
            of_other_text.as_str(),
            "carillon:outbox",
            PREFIX,
            "carillon:outbox:.",
            "carillon:outbox:a.b",
            "",
        ] {
            assert_eq!(prove(&key('0'), ENTRY, STORED, forged), None, "{forged}");
        }
        assert_eq!(prove(&key('0'), ENTRY, "not json", &mark), None);
    }

    #[test]
    fn compact_removes_whitespace_between_tokens_only() {
        let text = r#"{ "a b" : [ 1, "c \" d\\" ] ,"e": " f"}"#;
        assert_eq!(compact(text), r#"{"a b":[1,"c \" d\\"],"e":" f"}"#);
    }

    fn key(digit: char) -> MarkKey {
        MarkKey::of(&StackSecret::read(&digit.to_string().repeat(32)).unwrap())
    }
}
