//! CloudEvents over HTTP: structured, binary and batched content modes.
//!
//! Source: CloudEvents 1.0.2, "HTTP Protocol Binding", section 3, and "JSON Event Format", sections 3
//! and 4.

use serde_json::value::RawValue;

use crate::problem::Problem;
use crate::request::Request;

/// The most events of one batch. Each counts as a request.
pub(crate) const MAX_BATCH: usize = 100;

/// The prefix of the content types of structured and batched mode.
const STRUCTURED: &str = "application/cloudevents";
const BATCH: &str = "application/cloudevents-batch";

/// The prefix of the headers of binary mode.
const PREFIX: &str = "ce-";

/// The content of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// One envelope as JSON.
    One(String),
    /// The envelopes of a batch.
    Batch(Vec<String>),
}

/// Reads the envelopes of a request as JSON. The event parser checks them later.
///
/// # Errors
/// 400: the body is not text. 413: the body or the batch is too large. 415: the event format is not
/// JSON. 422: the batch is not a list, a header cannot be decoded, or the body is not JSON.
pub(crate) fn content(request: &Request) -> Result<Content, Problem> {
    let body = request.body()?;
    let content_type = request.header("content-type").unwrap_or_default().trim();
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if let Some(format) = essence.strip_prefix(BATCH) {
        is_json(format)?;
        return batch(&body).map(Content::Batch);
    }
    if let Some(format) = essence.strip_prefix(STRUCTURED) {
        is_json(format)?;
        return Ok(Content::One(body));
    }
    let attributes: Vec<(&str, &str)> = request.headers_after(PREFIX).collect();
    if attributes.is_empty() {
        return Ok(Content::One(body));
    }
    binary(&attributes, content_type, &body).map(Content::One)
}

/// Accepts `+json` or no format.
fn is_json(format: &str) -> Result<(), Problem> {
    match format {
        "+json" | "" => Ok(()),
        _ => {
            let detail = "content-type: found another event format, wanted application/cloudevents+json or \
                          application/cloudevents-batch+json";
            Err(Problem::new(415, "unsupported_media_type", detail))
        }
    }
}

fn batch(body: &str) -> Result<Vec<String>, Problem> {
    let events: Vec<&RawValue> = serde_json::from_str(body)
        .map_err(|_| Problem::refused("body", "another JSON value", "a JSON list of CloudEvents"))?;
    if events.len() > MAX_BATCH {
        let detail = format!("the batch has {} events, wanted at most {MAX_BATCH}", events.len());
        return Err(Problem::new(413, "too_large", detail));
    }
    Ok(events.into_iter().map(|event| event.get().to_owned()).collect())
}

/// The envelope of an event with its attributes in headers and its data in the body.
fn binary(attributes: &[(&str, &str)], content_type: &str, body: &str) -> Result<String, Problem> {
    let mut members = Vec::with_capacity(attributes.len() + 2);
    for (name, value) in attributes {
        if ["data", "data_base64", "datacontenttype"].contains(name) {
            let wanted = "the data in the body, and its type in Content-Type";
            return Err(Problem::refused(name, "a header of that name", wanted));
        }
        let value = decoded(value).ok_or_else(|| {
            Problem::refused(
                "ce-* headers",
                "a value that is not percent-encoded UTF-8",
                "percent-encoded UTF-8",
            )
        })?;
        members.push(member(name, &serde_json::Value::from(value).to_string()));
    }
    if !content_type.is_empty() {
        members.push(member("datacontenttype", &serde_json::Value::from(content_type).to_string()));
    }
    if !body.trim().is_empty() {
        // Content that is not JSON is refused by its type.
        let data = match serde_json::from_str::<&RawValue>(body) {
            Ok(json) => json.get().to_owned(),
            Err(_) if content_type.is_empty() => {
                return Err(Problem::refused("body", "text that is not JSON", "JSON, or a Content-Type"));
            }
            Err(_) if content_type.to_ascii_lowercase().contains("json") => {
                return Err(Problem::refused(
                    "body",
                    "text that is not JSON",
                    "the JSON that Content-Type names",
                ));
            }
            Err(_) => serde_json::Value::from(body).to_string(),
        };
        members.push(member("data", &data));
    }
    Ok(format!("{{{}}}", members.join(",")))
}

fn member(name: &str, json: &str) -> String {
    format!("{}:{json}", serde_json::Value::from(name))
}

/// Decodes the value of an attribute's header: first the quoted string, then percent-encoding.
///
/// Source: CloudEvents 1.0.2, "HTTP Protocol Binding", section 3.1.3.2.
fn decoded(header: &str) -> Option<String> {
    let header = header.trim();
    let plain = match header.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => unquoted(quoted)?,
        None => header.to_owned(),
    };
    let mut bytes = Vec::with_capacity(plain.len());
    let mut rest = plain.as_bytes();
    while let [first, behind @ ..] = rest {
        if *first != b'%' {
            bytes.push(*first);
            rest = behind;
            continue;
        }
        let digits = behind.get(..2).filter(|value| value.iter().all(u8::is_ascii_hexdigit))?;
        let digits = std::str::from_utf8(digits).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = behind.get(2..)?;
    }
    String::from_utf8(bytes).ok()
}

/// The content of a quoted string, in which a backslash escapes the next character.
fn unquoted(quoted: &str) -> Option<String> {
    let mut text = String::with_capacity(quoted.len());
    let mut letters = quoted.chars();
    while let Some(letter) = letters.next() {
        text.push(if letter == '\\' { letters.next()? } else { letter });
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use domain::event::Event;
    use serde_json::{Value, json};

    use super::*;
    use crate::request::tests::read as request;

    #[test]
    fn binary_mode_takes_attributes_from_headers_and_data_from_the_body() {
        let headers = json!({
            "content-type": "application/json; charset=utf-8", "ce-specversion": "1.0", "ce-id": "same-id",
            "ce-source": "/shop", "ce-type": "order.shipped", "ce-time": "2026-11-20T09:30:00Z",
            "ce-subject": "Z%C3%BCrich%20%25", "ce-mood": "\"calm \\\"day\\\"\"", "host": "x",
        });
        let event = event(&headers, r#"{"type":"core.hello","total":1.50}"#);
        assert_eq!((event.id.as_str(), event.kind.as_str()), ("same-id", "order.shipped"));
        assert_eq!(event.subject.as_deref(), Some("Zürich %"));
        assert!(event.to_json().contains(r#""mood":"calm \"day\"""#), "{}", event.to_json());
        assert_eq!(event.data.unwrap().text(), r#"{"type":"core.hello","total":1.50}"#);
    }

    #[test]
    fn body_of_binary_mode_cannot_add_attributes() {
        let headers = json!({ "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t" });
        for body in [r#"1},"tenant":"b""#, r#"{}],"tenant":"b""#, "1,2"] {
            let mut headers = headers.clone();
            headers["content-type"] = "application/json".into();
            assert_eq!(read(&headers, body).unwrap_err().status, 422, "{body}");
            headers["content-type"] = "text/plain".into();
            let Content::One(text) = read(&headers, body).unwrap() else { panic!("one event") };
            let value: Value = serde_json::from_str(&text).unwrap();
            assert!(value.get("tenant").is_none());
            let refusal = Event::received(&text, NOON).unwrap_err();
            assert_eq!(
                refusal.attribute, "datacontenttype",
                "content that is not JSON is refused by its type"
            );
        }
        let without_data = event(&headers, "");
        assert_eq!(without_data.data, None);
    }

    #[test]
    fn header_that_stands_for_no_attribute_is_refused() {
        for (name, value) in [
            ("ce-data", "1"),
            ("ce-datacontenttype", "text/xml"),
            ("ce-subject", "%zz"),
            ("ce-subject", "%ff"),
        ] {
            let mut headers =
                json!({ "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t" });
            headers[name] = value.into();
            assert_eq!(read(&headers, "{}").unwrap_err().status, 422, "{name}");
        }
    }

    #[test]
    fn content_type_of_structured_mode_counts_more_than_headers() {
        let envelope = r#"{"specversion":"1.0","id":"1","source":"/s","type":"t"}"#;
        for kind in [
            "application/cloudevents+json",
            "Application/CloudEvents+JSON; charset=utf-8",
            "application/cloudevents",
        ] {
            let headers = json!({ "content-type": kind, "ce-id": "2", "ce-type": "other" });
            assert_eq!(read(&headers, envelope), Ok(Content::One(envelope.to_owned())));
        }
        for kind in [None, Some("application/json"), Some("text/plain")] {
            let headers = kind.map_or_else(|| json!({}), |value| json!({ "content-type": value }));
            assert_eq!(read(&headers, envelope), Ok(Content::One(envelope.to_owned())));
        }
    }

    #[test]
    fn event_format_other_than_json_is_refused() {
        for kind in [
            "application/cloudevents+avro",
            "application/cloudevents-batch+protobuf",
            "application/cloudevents+xml",
        ] {
            assert_eq!(read(&json!({ "content-type": kind }), "{}").unwrap_err().status, 415, "{kind}");
        }
    }

    #[test]
    fn batch_is_a_list_of_at_most_a_hundred() {
        let headers = json!({ "content-type": "application/cloudevents-batch+json" });
        let of = |count: usize| format!("[{}]", vec![r#"{"id":"1"}"#; count].join(","));
        for count in [0, 1, 100] {
            let Content::Batch(found) = read(&headers, &of(count)).unwrap() else { panic!("a batch") };
            assert_eq!(found.len(), count);
        }
        assert_eq!(read(&headers, &of(101)).unwrap_err().status, 413);
        for body in ["", "{}", "[1", "7"] {
            assert_eq!(read(&headers, body).unwrap_err().status, 422, "{body}");
        }
    }

    const NOON: domain::Timestamp = domain::Timestamp::constant(1_795_000_000, 0);

    fn event(headers: &Value, body: &str) -> Event {
        let Content::One(text) = read(headers, body).unwrap() else { panic!("one event") };
        Event::received(&text, NOON).unwrap()
    }

    fn read(headers: &Value, body: &str) -> Result<Content, Problem> {
        content(&request(&json!({
            "headers": headers, "body": body,
            "requestContext": { "requestId": "r", "http": { "method": "POST" } },
        })))
    }
}
