//! The proof that the owner of an endpoint controls the server behind its URL.
//!
//! Carillon sends the endpoint a signed request with a random text, the challenge. Either the endpoint answers 2xx
//! with exactly that text, or its owner reads the text there and posts it to the API. Without this proof a tenant
//! could register any server as a target of requests.
//!
//! Source: Slack, "URL verification handshake"; Microsoft Graph, "Validate the notification endpoint".

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::target::origin_of;

/// The event type of a challenge. Such an event is never on a bus.
pub const VERIFY: &str = "carillon.endpoint.verify";

/// The response header that may carry the challenge instead of the body.
pub const HEADER: &str = "webhook-challenge";

/// The validity of a challenge.
pub const VALID_FOR: SignedDuration = SignedDuration::from_hours(24);

/// The random bytes in a challenge.
pub const CHALLENGE_BYTES: usize = 32;

/// A pending challenge. Only the hash is stored, so that read access to the table does not suffice to answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// SHA-256 of the text, in hexadecimal.
    pub hash: String,
    /// The end of [`VALID_FOR`].
    pub until: Timestamp,
}

impl Challenge {
    /// The stored form of a challenge that is sent at `now`.
    #[must_use]
    pub fn of(text: &str, now: Timestamp) -> Challenge {
        Challenge { hash: hash(text), until: now.saturating_add(VALID_FOR).unwrap_or(Timestamp::MAX) }
    }

    /// Whether `text` is the challenge and still valid.
    #[must_use]
    pub fn is_met_by(&self, text: &str, now: Timestamp) -> bool {
        now <= self.until && self.hash == hash(text)
    }
}

/// The challenge in an answer: the header, or the whole body as `{"challenge": "…"}` or plain text. A body with more
/// content does not count, because a server that echoes every request proves nothing.
#[must_use]
pub fn answer(header: Option<&str>, body: Option<&str>) -> Option<String> {
    if let Some(header) = header.map(str::trim).filter(|value| !value.is_empty()) {
        return Some(header.to_owned());
    }
    let body = body?.trim();
    match serde_json::from_str(body) {
        Ok(Value::Object(members)) => match (members.get("challenge"), members.len()) {
            (Some(Value::String(text)), 1) => Some(text.clone()),
            _ => None,
        },
        Ok(Value::String(text)) => Some(text),
        _ => (!body.is_empty()).then(|| body.to_owned()),
    }
}

/// Whether a proof for the URL `old` also holds for `new`: both have the same origin.
#[must_use]
pub fn is_same_origin(old: &str, new: &str) -> bool {
    origin_of(old).is_some_and(|origin| Some(origin) == origin_of(new))
}

fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_795_000_000, 0);

    #[test]
    fn challenge_is_met_by_its_own_text_for_a_day() {
        let challenge = Challenge::of("abc", NOW);
        assert!(challenge.is_met_by("abc", NOW + VALID_FOR));
        assert!(!challenge.is_met_by("abc", NOW + VALID_FOR + SignedDuration::from_secs(1)));
        assert!(!challenge.is_met_by("abd", NOW) && !challenge.is_met_by("", NOW));
        assert!(!serde_json::to_string(&challenge).unwrap().contains("abc"), "the text is not stored");
    }

    #[test]
    fn answer_is_the_header_or_the_whole_body() {
        check(None, Some(r#"{"challenge":"abc"}"#), Some("abc"));
        check(None, Some(" abc\n"), Some("abc"));
        check(None, Some(r#""abc""#), Some("abc"));
        check(Some("abc"), Some("ok"), Some("abc"));
        check(Some(" "), Some("abc"), Some("abc"));
        check(None, Some(""), None);
        check(None, None, None);
    }

    #[test]
    fn server_that_echoes_the_request_gives_no_answer() {
        check(None, Some(r#"{"type":"carillon.endpoint.verify","data":{"challenge":"abc"}}"#), None);
        check(None, Some(r#"{"challenge":"abc","url":"/"}"#), None);
        check(None, Some(r#"{"challenge":7}"#), None);
    }

    #[test]
    fn proof_holds_for_one_origin() {
        let same = |old, new| is_same_origin(old, new);
        assert!(same("https://a.example.com/x", "https://A.example.com:443/y?z"));
        assert!(!same("https://a.example.com/x", "https://b.example.com/x"));
        assert!(!same("https://a.example.com/x", "http://a.example.com/x"));
        assert!(!same("no URL", "no URL"));
    }

    #[track_caller]
    fn check(header: Option<&str>, body: Option<&str>, expected: Option<&str>) {
        assert_eq!(answer(header, body).as_deref(), expected);
    }
}
