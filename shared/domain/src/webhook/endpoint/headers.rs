//! Custom headers that a tenant configures for its endpoint, such as the `Authorization` of a gateway.
//!
//! Custom headers never replace headers of Carillon. Values are secrets: they are encrypted at rest and never
//! returned.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::base::sensitive::{self, Sensitive};
use crate::event::{Found, Refusal};

/// The highest number of headers of one endpoint, the longest name and the longest value, in bytes.
pub const MAX_HEADERS: usize = 10;
const MAX_NAME_BYTES: usize = 64;
const MAX_VALUE_BYTES: usize = 1_024;

/// The limit of all names and values together, in bytes of JSON. KMS encrypts at most 4,096 bytes directly.
///
/// Source: AWS KMS API Reference, `Encrypt`.
const MAX_BYTES: usize = 3_500;

/// Names that Carillon uses itself, or that belong to the connection or the body.
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

/// The expected form of the member `headers`, for refusals.
const WANTED: &str = "an object of at most 10 names and texts, such as {\"Authorization\":\"Bearer …\"}";
const WANTED_VALUE: &str = "1 to 1,024 visible ASCII characters, spaces between them";

/// Custom headers with their values, by lower-case name. Values are secrets.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CustomHeaders(#[serde(serialize_with = "sensitive::stored")] Sensitive<BTreeMap<String, String>>);

impl CustomHeaders {
    /// Reads the member `headers`. `null` and `{}` mean no headers.
    ///
    /// # Errors
    /// [`Refusal`] with the name of the invalid header, never its value.
    pub fn read(value: &Value) -> Result<CustomHeaders, Refusal> {
        let members = match value {
            Value::Null => return Ok(CustomHeaders::default()),
            Value::Object(members) => members,
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                return Err(Refusal::new("headers", "a value that is not an object", WANTED));
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
                    return Err(Refusal::new(place, "a text that is not a valid header value", WANTED_VALUE));
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                    return Err(Refusal::new(place, "a value that is not text", WANTED_VALUE));
                }
            };
            if headers.insert(name, text).is_some() {
                return Err(Refusal::new(place, "the same name twice", "each name once, in any case"));
            }
        }
        let headers = CustomHeaders(Sensitive::new(headers));
        match headers.to_json().len() {
            0..=MAX_BYTES => Ok(headers),
            _ => Err(Refusal::new("headers", "more than 3,500 bytes", "at most 3,500 bytes together")),
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.expose().is_empty()
    }

    /// Names and values, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Sensitive<&str>)> {
        self.0.expose().iter().map(|(name, value)| (name.as_str(), Sensitive::new(value.as_str())))
    }

    /// The names, which are not secret.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.0.expose().keys().cloned().collect()
    }

    /// The plaintext for encryption.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self.0.expose()).expect("texts always serialize")
    }

    /// Parses and checks the output of [`CustomHeaders::to_json`].
    #[must_use]
    pub fn parse(text: &str) -> Option<CustomHeaders> {
        CustomHeaders::read(&serde_json::from_str(text).ok()?).ok()
    }
}

/// Custom headers in a table row: their names, and the rest encrypted by KMS.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncryptedHeaders {
    pub names: Vec<String>,
    /// The ciphertext in Base64. Its encryption context binds it to its endpoint.
    pub ciphertext: String,
}

/// A valid name in lower case.
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
            "a header that Carillon or the connection uses",
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
    fn header_names_are_lower_case_and_json_round_trips() {
        let headers =
            CustomHeaders::read(&json!({ "Authorization": "Bearer a b", "X-Api-Key": "k" })).ok().unwrap();
        let pairs: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name, *value.expose())).collect();
        assert_eq!(pairs, [("authorization", "Bearer a b"), ("x-api-key", "k")]);
        assert!(CustomHeaders::parse(&headers.to_json()) == Some(headers.clone()));
        assert_eq!(headers.names(), ["authorization", "x-api-key"]);
        for none in [Value::Null, json!({})] {
            assert!(CustomHeaders::read(&none).is_ok_and(|headers| headers.is_empty()));
        }
    }

    #[test]
    fn reserved_header_is_refused_in_any_letter_case() {
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
            check(&json!({ name: "x" }), "Carillon or the connection uses");
        }
    }

    #[test]
    fn refusal_of_an_invalid_header_does_not_quote_its_value() {
        for name in ["", "a b", "a:b", "ä", "a\r\nb", "(x)", &"n".repeat(65)] {
            check(&json!({ name: "x" }), "names of 1 to 64");
        }
        for value in
            [json!("s3cret\r\nX: y"), json!("s3cret\u{0}"), json!("s3crét"), json!(" s3cret"), json!("")]
        {
            check(&json!({ "x-key": value }), "visible ASCII");
        }
        for value in [json!(1), json!(true), json!(null), json!(["s3cret"]), json!({ "s3cret": 1 })] {
            check(&json!({ "x-key": value }), "not text");
        }
        check(&json!({ "X-Key": "s3cret", "x-key": "s3cret" }), "twice");
        check(&json!(["s3cret"]), "not an object");
        check(&json!({ "x-key": "v".repeat(1_025) }), "1,024");
    }

    #[test]
    fn at_most_10_headers_and_3500_bytes() {
        let many = |count: usize, length: usize| {
            let members = (0..count).map(|number| (format!("x-{number:02}"), json!("v".repeat(length))));
            Value::Object(members.collect())
        };
        assert!(CustomHeaders::read(&many(MAX_HEADERS, 300)).is_ok());
        check(&many(MAX_HEADERS + 1, 1), "more than 10");
        check(&many(MAX_HEADERS, 400), "together");
        assert!(CustomHeaders::read(&many(3, MAX_VALUE_BYTES)).is_ok());
    }

    proptest! {
        #[test]
        fn properties_accepted_headers_fit_a_request(name in ".{0,70}", value in ".{0,70}") {
            if let Ok(headers) = CustomHeaders::read(&json!({ name: value })) {
                for (name, value) in headers.iter() {
                    prop_assert!(!name.contains([':', ' ', '\r', '\n']));
                    prop_assert!(!value.expose().contains(['\r', '\n', '\0']));
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
