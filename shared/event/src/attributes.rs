//! Checks of attribute values.

use jiff::Timestamp;

use super::rfc3339::{self, Moment};
use super::{Extension, Found, Refusal};
use crate::ALL_TENANTS;
use crate::json::{Raw, is_printable_ascii};

/// The longest `id` and `source`, in bytes. EventBridge limits a source to 256 characters.
const MAX_NAME_BYTES: usize = 256;

/// The longest `type`, in characters: EventBridge's limit of `DetailType`.
const MAX_TYPE_CHARS: usize = 128;

/// The longest value of any other attribute, in bytes.
const MAX_TEXT_BYTES: usize = 1024;

/// Checks a name: printable text of 1 to 256 bytes.
///
/// # Errors
/// [`Refusal`] with the reason.
pub fn check_name(attribute: &str, value: &str) -> Result<(), Refusal> {
    check_text(attribute, value)?;
    if value.len() > MAX_NAME_BYTES {
        let wanted = format!("at most {MAX_NAME_BYTES} bytes");
        return Err(Refusal::new(attribute.to_owned(), Found::count(value.len(), "bytes"), wanted));
    }
    Ok(())
}

/// Checks a tenant name. `*` is not a tenant: in a person's tenants it means all tenants.
pub fn check_tenant(value: &str) -> Result<(), Refusal> {
    check_name("tenant", value)?;
    match value == ALL_TENANTS {
        true => Err(Refusal::new("tenant", "the name for all tenants", "the name of one tenant")),
        false => Ok(()),
    }
}

pub(crate) fn check_text(attribute: &str, value: &str) -> Result<(), Refusal> {
    if value.is_empty() {
        return Err(Refusal::new(attribute.to_owned(), "an empty string", "a string that is not empty"));
    }
    if !is_printable_ascii(value) && value.chars().any(char::is_control) {
        return Err(Refusal::new(attribute.to_owned(), "a control character", "printable text"));
    }
    if value.len() > MAX_TEXT_BYTES {
        let wanted = format!("at most {MAX_TEXT_BYTES} bytes");
        return Err(Refusal::new(attribute.to_owned(), Found::count(value.len(), "bytes"), wanted));
    }
    Ok(())
}

fn is_of_uri(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"<>\"{}|\\^`".contains(&byte)
}

/// Checks the characters of a URI reference (RFC 3986, section 2). Rules of a scheme are not checked.
pub(crate) fn check_source(value: &str) -> Result<(), Refusal> {
    check_name("source", value)?;
    match value.bytes().any(|byte| !is_of_uri(byte)) {
        true => Err(Refusal::new("source", "a character that URIs do not allow", "a URI reference")),
        false => Ok(()),
    }
}

/// Checks more of the grammar of a URI reference. A percent sign begins two hexadecimal digits. At most one `#` begins
/// the fragment. Brackets enclose an address in the authority. Only our own APIs make this check. The bus and stored
/// events are exempt, so that no event is lost for it.
///
/// Source: RFC 3986, sections 2.1, 3.2.2 and 3.5.
pub(crate) fn check_reference(attribute: &'static str, value: &str) -> Result<(), Refusal> {
    let refuse = |found: &'static str| Err(Refusal::new(attribute, found, "a URI reference"));
    let is_escape =
        |rest: &str| rest.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    if !value.split('%').skip(1).all(is_escape) {
        return refuse("a percent sign that begins no escape");
    }
    if value.matches('#').count() > 1 {
        return refuse("two fragments");
    }
    let behind = value.split_once("//").map_or("", |(_, rest)| rest);
    let authority = behind.split(['/', '?', '#']).next().unwrap_or_default();
    let brackets = |text: &str| text.matches(['[', ']']).count();
    if brackets(value) > brackets(authority) {
        return refuse("a bracket outside an address");
    }
    Ok(())
}

/// Checks a type: printable text of 1 to 128 characters.
///
/// # Errors
/// [`Refusal`] with the reason.
pub fn check_type(value: &str) -> Result<(), Refusal> {
    check_text("type", value)?;
    // A text has at most as many characters as bytes.
    let length = if value.len() > MAX_TYPE_CHARS { value.chars().count() } else { value.len() };
    if length > MAX_TYPE_CHARS {
        let wanted = format!("at most {MAX_TYPE_CHARS} characters");
        return Err(Refusal::new("type", Found::count(length, "characters"), wanted));
    }
    Ok(())
}

/// Whether the text is the scheme of a URI (RFC 3986, section 3.1).
#[must_use]
pub fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

/// Checks an absolute URI: a scheme, a colon, and a non-empty rest.
pub(crate) fn check_schema(value: &str) -> Result<(), Refusal> {
    check_text("dataschema", value)?;
    let scheme = value.split_once(':').filter(|(_, rest)| !rest.is_empty()).map(|(scheme, _)| scheme);
    match scheme {
        Some(scheme) if is_scheme(scheme) && value.bytes().all(is_of_uri) => Ok(()),
        Some(scheme) if is_scheme(scheme) => {
            Err(Refusal::new("dataschema", "a character that URIs do not allow", "an absolute URI"))
        }
        Some(_) | None => Err(Refusal::new("dataschema", "a relative reference", "an absolute URI")),
    }
}

/// Parses a time (RFC 3339, section 5.6).
pub fn timestamp(attribute: &str, value: &str) -> Result<Timestamp, Refusal> {
    moment(attribute, value).map(|moment| moment.instant)
}

/// Parses a time, and keeps its text if a [`Timestamp`] cannot represent it.
pub(crate) fn moment(attribute: &str, value: &str) -> Result<Moment, Refusal> {
    rfc3339::read(value).ok_or_else(|| {
        let wanted = "an RFC 3339 time such as 2026-11-20T09:30:00Z, with seconds and an offset";
        Refusal::new(attribute.to_owned(), Found::text(value), wanted)
    })
}

/// Checks a trace context. Source: W3C Trace Context, section 3.2: version 00, no zero ids.
pub fn trace_context(value: &str) -> Result<&str, Refusal> {
    let parts: Vec<&str> = value.split('-').collect();
    let hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    let zero = |text: &str| text.bytes().all(|b| b == b'0');
    match parts[..] {
        ["00", trace, parent, flags]
            if hex(trace, 32) && hex(parent, 16) && hex(flags, 2) && !zero(trace) && !zero(parent) =>
        {
            Ok(value)
        }
        _ => Err(Refusal::new(
            "traceparent",
            Found::text(value),
            "00-<32 hex digits>-<16 hex digits>-<2 hex digits>",
        )),
    }
}

/// Whether a name has only lower-case ASCII letters and digits (CloudEvents 1.0.2, "Attribute Naming Convention").
pub fn is_extension_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// Reads an extension. An empty text is a valid CloudEvents string; `wants_text` refuses it.
pub fn extension(name: &str, raw: Raw<'_>, wants_text: bool) -> Result<Extension, Refusal> {
    let refuse = || {
        let wanted = "a string, a boolean or a 32-bit integer";
        Err(Refusal::new(name.to_owned(), super::fields::kind_of(raw.get()), wanted))
    };
    match serde_json::from_str(raw.get()) {
        Ok(serde_json::Value::Bool(flag)) => Ok(Extension::Bool(flag)),
        Ok(serde_json::Value::String(text)) => {
            if wants_text || !text.is_empty() {
                check_text(name, &text)?;
            }
            Ok(Extension::Text(text))
        }
        Ok(serde_json::Value::Number(number)) => {
            match number.as_i64().and_then(|number| i32::try_from(number).ok()) {
                Some(integer) => Ok(Extension::Integer(integer)),
                None => refuse(),
            }
        }
        Ok(serde_json::Value::Null | serde_json::Value::Array(_) | serde_json::Value::Object(_)) | Err(_) => {
            refuse()
        }
    }
}
