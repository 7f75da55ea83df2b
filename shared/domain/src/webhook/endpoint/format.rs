//! The format of webhook messages.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::event::origin::Origin;

/// The message format of an endpoint.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// `{type, timestamp, data, event}`, as in Standard Webhooks.
    #[default]
    Standard,
    /// A CloudEvent in structured mode, as JSON.
    ///
    /// Source: CloudEvents 1.0.2, "HTTP Protocol Binding", section 3.2.
    CloudEvents,
}

impl Format {
    /// The name in an endpoint's `format`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Format::Standard => "standard",
            Format::CloudEvents => "cloudevents",
        }
    }

    /// Parses the name of a format.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Format> {
        [Format::Standard, Format::CloudEvents].into_iter().find(|format| format.name() == name)
    }

    /// The `Content-Type` of a request.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Format::Standard => "application/json",
            Format::CloudEvents => "application/cloudevents+json; charset=utf-8",
        }
    }

    /// Converts the body in the job, `standard`, to this format. The endpoint's format may have changed since the job
    /// was made.
    #[must_use]
    pub fn body(self, standard: &str, origin: &Origin) -> String {
        match self {
            Format::Standard => standard.to_owned(),
            Format::CloudEvents => cloud_event(standard, origin).unwrap_or_else(|| standard.to_owned()),
        }
    }
}

/// The members of a standard body that a CloudEvent needs.
#[derive(Deserialize)]
struct Standard<'a> {
    r#type: String,
    timestamp: String,
    #[serde(borrow)]
    data: &'a RawValue,
}

/// Builds a CloudEvent. `None` for a body of another shape.
fn cloud_event(standard: &str, origin: &Origin) -> Option<String> {
    let body: Standard<'_> = serde_json::from_str(standard).ok()?;
    let source = uri_reference(&origin.source);
    let attributes = [
        ("specversion", Some("1.0")),
        ("id", Some(origin.id.as_str())),
        ("source", Some(source.as_str())),
        ("type", Some(&body.r#type)),
        ("time", Some(&body.timestamp)),
        ("subject", origin.subject.as_deref()),
        ("tenant", origin.tenant.as_deref()),
        ("correlationid", origin.correlation_id.as_deref()),
        ("traceparent", origin.traceparent.as_deref()),
        ("datacontenttype", Some("application/json")),
    ];
    let members = attributes.iter().filter_map(|(name, value)| Some((name, (*value)?)));
    let members: Vec<String> =
        members.map(|(name, value)| format!("\"{name}\":{}", Value::from(value))).collect();
    Some(format!("{{{},\"data\":{}}}", members.join(","), body.data.get()))
}

/// Percent-encodes the characters that a URI reference does not allow. EventBridge accepts any text as a source.
///
/// Source: RFC 3986, section 2.1.
fn uri_reference(source: &str) -> String {
    let mut encoded = String::with_capacity(source.len());
    for byte in source.bytes() {
        if byte.is_ascii_graphic() && !b"<>\"{}|\\^`".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;

    const BODY: &str = r#"{"type":"order.paid","timestamp":"9999-12-31T23:59:59Z","data":{"total": 12.50},"event":{"id":"e-1"}}"#;

    #[test]
    fn cloud_event_has_the_attributes_and_unchanged_data() {
        let body = Format::CloudEvents.body(BODY, &origin("/shop"));
        let event = Event::parse(&body).unwrap();
        assert_eq!(
            (event.id.as_str(), event.source.as_str(), event.kind.as_str()),
            ("e-1", "/shop", "order.paid")
        );
        assert_eq!((event.subject.as_deref(), event.tenant.as_deref()), (Some("order/7"), Some("acme")));
        assert_eq!(event.time_text(), "9999-12-31T23:59:59Z");
        assert_eq!(event.data.unwrap().text(), r#"{"total": 12.50}"#);
        assert_eq!(event.unusable.len(), 0);
    }

    #[test]
    fn invalid_characters_of_a_source_are_encoded() {
        for source in ["my shop", "café", "<shop>", "a|b"] {
            let event = Event::parse(&Format::CloudEvents.body(BODY, &origin(source))).unwrap();
            assert!(event.source.contains('%'), "{source}");
        }
    }

    #[test]
    fn standard_body_is_unchanged() {
        assert_eq!(Format::Standard.body(BODY, &origin("/shop")), BODY);
        assert_eq!(Format::CloudEvents.body("not ours", &origin("/shop")), "not ours");
        for format in [Format::Standard, Format::CloudEvents] {
            assert_eq!(Format::from_name(format.name()), Some(format));
        }
    }

    fn origin(source: &str) -> Origin {
        let text = r#"{"specversion":"1.0","id":"e-1","source":"/shop","type":"order.paid","subject":"order/7","tenant":"acme"}"#;
        let event = Event::received(text, jiff::Timestamp::UNIX_EPOCH).unwrap();
        Origin { source: source.to_owned(), ..Origin::of(&event) }
    }
}
