//! Headers that a tenant asks for on requests to its endpoint, such as the `Authorization` of a gateway before it.
//!
//! They stand beside the headers of Carillon and never in place of one. Values are secrets: they are encrypted at rest,
//! and no answer shows them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::{Found, Refusal};

/// The most headers of one endpoint, the longest name and the longest value, in bytes.
pub const MAX_HEADERS: usize = 10;
const MAX_NAME_BYTES: usize = 64;
const MAX_VALUE_BYTES: usize = 1_024;

/// What all names and values may have together, in bytes of JSON. KMS encrypts 4,096 bytes directly.
///
/// Source: AWS KMS API Reference, `Encrypt`.
const MAX_BYTES: usize = 3_500;

/// Names that are Carillon's own, or that belong to the connection or to the body.
///
/// Source: RFC 9110, sections 7.6.1 and 8; Standard Webhooks 1.0; CloudEvents HTTP binding 1.0.2; W3C Trace Context.
const RESERVED: [&str; 25] = [
    "accept-encoding",
    "alt-used",
    "baggage",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "traceparent",
    "tracestate",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-real-ip",
];
const RESERVED_BEGINNINGS: [&str; 6] = ["webhook-", "svix-", "ce-", "sec-", "x-forwarded-", "carillon-"];

/// What a member `headers` is, for refusals.
const WANTED: &str = "an object of at most 10 names and texts, such as {\"Authorization\":\"Bearer …\"}";
const WANTED_VALUE: &str = "1 to 1,024 visible ASCII characters, spaces between them";

/// Headers of an endpoint with their values, by names in small letters. No `Debug`: values are secrets.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CustomHeaders(BTreeMap<String, String>);

impl CustomHeaders {
    /// Reads a member `headers`. `null` and `{}` are no headers.
    ///
    /// # Errors
    /// [`Refusal`] names the header at fault and never its value.
    pub fn read(value: &Value) -> Result<CustomHeaders, Refusal> {
        let members = match value {
            Value::Null => return Ok(CustomHeaders::default()),
            Value::Object(members) => members,
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                return Err(Refusal::new("headers", "something that is no object", WANTED));
            }
        };
        if members.len() > MAX_HEADERS {
            return Err(Refusal::new("headers", "more than 10 headers", WANTED));
        }
        let mut headers = BTreeMap::new();
        for (written, value) in members {
            let name = name(written)?;
            let place = format!("headers.{name}");
            let text = match value {
                Value::String(text) if is_value(text) => text.clone(),
                Value::String(_) => {
                    return Err(Refusal::new(place, "a text that no header can carry", WANTED_VALUE));
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                    return Err(Refusal::new(place, "something that is no text", WANTED_VALUE));
                }
            };
            if headers.insert(name, text).is_some() {
                return Err(Refusal::new(place, "the same name twice", "each name once, in any case"));
            }
        }
        let headers = CustomHeaders(headers);
        match headers.to_json().len() {
            0..=MAX_BYTES => Ok(headers),
            _ => Err(Refusal::new("headers", "more than 3,500 bytes", "at most 3,500 bytes together")),
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names and values, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// What may be known of them.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    /// As they are encrypted.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(&self.0).expect("texts always serialize")
    }

    /// Reads what [`CustomHeaders::to_json`] writes, and judges it again.
    #[must_use]
    pub fn parse(text: &str) -> Option<CustomHeaders> {
        CustomHeaders::read(&serde_json::from_str(text).ok()?).ok()
    }
}

/// Headers as a row of the table holds them: their names, and the rest for KMS. No `Debug`: it stands for secrets.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncryptedHeaders {
    pub names: Vec<String>,
    /// The ciphertext in Base64. Its encryption context binds it to its endpoint.
    pub ciphertext: String,
}

/// A name that may be used, in small letters.
fn name(written: &str) -> Result<String, Refusal> {
    let name = written.to_ascii_lowercase();
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if !(1..=MAX_NAME_BYTES).contains(&name.len()) || !name.bytes().all(is_token) {
        let found = Found::value(&Value::String(written.to_owned()));
        return Err(Refusal::new("headers", found, "names of 1 to 64 letters, digits and `-`"));
    }
    let is_reserved = RESERVED.contains(&name.as_str())
        || RESERVED_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning));
    match is_reserved {
        true => Err(Refusal::new(
            format!("headers.{name}"),
            "a header that is Carillon's own, or the connection's",
            "another name, such as Authorization or X-Api-Key",
        )),
        false => Ok(name),
    }
}

fn is_value(text: &str) -> bool {
    (1..=MAX_VALUE_BYTES).contains(&text.len())
        && text.bytes().all(|byte| byte == b' ' || byte == b'\t' || byte.is_ascii_graphic())
        && text.trim() == text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn headers_are_read_by_names_in_small_letters_and_come_back_from_their_json() {
        let headers =
            CustomHeaders::read(&json!({ "Authorization": "Bearer a b", "X-Api-Key": "k" })).ok().unwrap();
        assert_eq!(headers.iter().collect::<Vec<_>>(), [("authorization", "Bearer a b"), ("x-api-key", "k")]);
        assert!(CustomHeaders::parse(&headers.to_json()) == Some(headers.clone()));
        assert_eq!(headers.names(), ["authorization", "x-api-key"]);
        for none in [Value::Null, json!({})] {
            assert!(CustomHeaders::read(&none).is_ok_and(|it| it.is_empty()));
        }
    }

    #[test]
    fn header_of_ours_or_of_the_connection_is_refused_in_any_case() {
        for name in [
            "webhook-id",
            "Webhook-Signature",
            "WEBHOOK-TIMESTAMP",
            "webhook-anything",
            "svix-id",
            "Host",
            "Content-Type",
            "content-length",
            "Transfer-Encoding",
            "connection",
            "Keep-Alive",
            "TE",
            "Trailer",
            "Upgrade",
            "Expect",
            "Proxy-Authorization",
            "User-Agent",
            "Accept-Encoding",
            "ce-id",
            "X-Forwarded-For",
            "traceparent",
        ] {
            check(&json!({ name: "x" }), "Carillon's own");
        }
    }

    #[test]
    fn name_or_value_that_no_request_can_carry_is_refused_without_its_value() {
        for name in ["", "a b", "a:b", "ä", "a\r\nb", "(x)", &"n".repeat(65)] {
            check(&json!({ name: "x" }), "names of 1 to 64");
        }
        for value in
            [json!("s3cret\r\nX: y"), json!("s3cret\u{0}"), json!("s3crét"), json!(" s3cret"), json!("")]
        {
            check(&json!({ "x-key": value }), "visible ASCII");
        }
        for value in [json!(1), json!(true), json!(null), json!(["s3cret"]), json!({ "s3cret": 1 })] {
            check(&json!({ "x-key": value }), "no text");
        }
        check(&json!({ "X-Key": "s3cret", "x-key": "s3cret" }), "twice");
        check(&json!(["s3cret"]), "no object");
        check(&json!({ "x-key": "v".repeat(1_025) }), "1,024");
    }

    #[test]
    fn ten_headers_and_3500_bytes_are_the_most() {
        let many = |count: usize, length: usize| {
            let members = (0..count).map(|at| (format!("x-{at:02}"), json!("v".repeat(length))));
            Value::Object(members.collect())
        };
        assert!(CustomHeaders::read(&many(MAX_HEADERS, 300)).is_ok());
        check(&many(MAX_HEADERS + 1, 1), "more than 10");
        check(&many(MAX_HEADERS, 400), "together");
        assert!(CustomHeaders::read(&many(3, MAX_VALUE_BYTES)).is_ok());
    }

    proptest! {
        #[test]
        fn properties_no_text_makes_headers_stumble_and_what_is_taken_fits_a_request(name in ".{0,70}", value in ".{0,70}") {
            if let Ok(headers) = CustomHeaders::read(&json!({ name: value })) {
                for (name, value) in headers.iter() {
                    prop_assert!(!name.contains([':', ' ', '\r', '\n']));
                    prop_assert!(!value.contains(['\r', '\n', '\0']));
                }
            }
        }
    }

    #[track_caller]
    fn check(value: &Value, expected: &str) {
        let refusal = CustomHeaders::read(value).err().map(|err| err.to_string()).unwrap_or_default();
        assert!(refusal.contains(expected), "{value}: {refusal}");
        assert!(!refusal.contains("s3cret"), "{refusal}");
    }
}
