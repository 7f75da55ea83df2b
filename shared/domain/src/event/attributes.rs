//! What each attribute may hold.

use jiff::Timestamp;

use super::rfc3339::{self, Moment};
use super::{Extension, Found, Refusal};
use crate::json::{Raw, is_printable_ascii};
use crate::recipient::ALL_TENANTS;

/// Longest `id` and `source` that are accepted, in bytes. EventBridge stops at 256 for a source.
const MAX_NAME_BYTES: usize = 256;

/// Longest `type`, in characters: EventBridge's limit for `DetailType`.
const MAX_TYPE_CHARS: usize = 128;

/// Longest value of any other attribute of ours, in bytes.
const MAX_TEXT_BYTES: usize = 1024;

pub(crate) fn check_name(attribute: &str, value: &str) -> Result<(), Refusal> {
    check_text(attribute, value)?;
    if value.len() > MAX_NAME_BYTES {
        let wanted = format!("at most {MAX_NAME_BYTES} bytes");
        return Err(Refusal::new(attribute.to_owned(), Found::count(value.len(), "bytes"), wanted));
    }
    Ok(())
}

/// A tenant's name. `*` names no tenant: among a person's tenants it stands for all of them.
pub(crate) fn check_tenant(value: &str) -> Result<(), Refusal> {
    check_name("tenant", value)?;
    match value == ALL_TENANTS {
        true => Err(Refusal::new("tenant", "the name that stands for all tenants", "the name of one tenant")),
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

/// A URI reference by its characters (RFC 3986, section 2); what a scheme demands beyond that is not our business.
pub(crate) fn check_source(value: &str) -> Result<(), Refusal> {
    check_name("source", value)?;
    match value.bytes().any(|byte| !is_of_uri(byte)) {
        true => Err(Refusal::new("source", "a character that no URI has", "a URI reference")),
        false => Ok(()),
    }
}

/// A URI reference by more of its grammar: percent signs begin two hexadecimal digits, one `#` at most begins the fragment,
/// and brackets stand round an address in the authority alone. Producers at our own doors are held to it; the bus and
/// stored events are not, so that no event is lost for it.
///
/// Source: RFC 3986, sections 2.1, 3.2.2 and 3.5.
pub(crate) fn check_reference(attribute: &'static str, value: &str) -> Result<(), Refusal> {
    let refuse = |found: &'static str| Err(Refusal::new(attribute, found, "a URI reference"));
    let is_escape =
        |rest: &str| rest.as_bytes().get(..2).is_some_and(|it| it.iter().all(u8::is_ascii_hexdigit));
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

pub(crate) fn check_type(value: &str) -> Result<(), Refusal> {
    check_text("type", value)?;
    // It has no more characters than bytes.
    let length = if value.len() > MAX_TYPE_CHARS { value.chars().count() } else { value.len() };
    if length > MAX_TYPE_CHARS {
        let wanted = format!("at most {MAX_TYPE_CHARS} characters");
        return Err(Refusal::new("type", Found::count(length, "characters"), wanted));
    }
    Ok(())
}

/// An absolute URI: a scheme, a colon, and something behind it.
pub(crate) fn check_schema(value: &str) -> Result<(), Refusal> {
    check_text("dataschema", value)?;
    let scheme = value.split_once(':').filter(|(_, rest)| !rest.is_empty()).map(|(scheme, _)| scheme);
    let is_scheme = |it: &str| {
        it.starts_with(|c: char| c.is_ascii_alphabetic())
            && it.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    };
    match scheme {
        Some(scheme) if is_scheme(scheme) && value.bytes().all(is_of_uri) => Ok(()),
        Some(scheme) if is_scheme(scheme) => {
            Err(Refusal::new("dataschema", "a character that no URI has", "an absolute URI"))
        }
        Some(_) | None => Err(Refusal::new("dataschema", "a relative reference", "an absolute URI")),
    }
}

/// RFC 3339, section 5.6.
pub(crate) fn timestamp(attribute: &str, value: &str) -> Result<Timestamp, Refusal> {
    moment(attribute, value).map(|moment| moment.instant)
}

/// The same, and the text where a [`Timestamp`] holds less than it says.
pub(crate) fn moment(attribute: &str, value: &str) -> Result<Moment, Refusal> {
    rfc3339::read(value).ok_or_else(|| {
        let wanted = "an RFC 3339 time such as 2026-11-20T09:30:00Z, with seconds and an offset";
        Refusal::new(attribute.to_owned(), Found::text(value), wanted)
    })
}

/// W3C Trace Context, section 3.2: version 00, no zero ids.
pub(crate) fn trace_context(value: &str) -> Result<&str, Refusal> {
    let parts: Vec<&str> = value.split('-').collect();
    let hex = |it: &str, length: usize| {
        it.len() == length && it.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    let zero = |it: &str| it.bytes().all(|b| b == b'0');
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

/// Lower-case ASCII letters and digits (CloudEvents 1.0.2, "Attribute Naming Convention").
pub(crate) fn is_extension_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// Reads an extension. An empty text is a String of CloudEvents; `wants_text` refuses it.
pub(crate) fn extension(name: &str, raw: Raw<'_>, wants_text: bool) -> Result<Extension, Refusal> {
    let refuse = || {
        let wanted = "a string, a boolean or a 32-bit integer";
        Err(Refusal::new(name.to_owned(), super::fields::kind_of(raw.get()), wanted))
    };
    match serde_json::from_str(raw.get()) {
        Ok(serde_json::Value::Bool(it)) => Ok(Extension::Bool(it)),
        Ok(serde_json::Value::String(text)) => {
            if wants_text || !text.is_empty() {
                check_text(name, &text)?;
            }
            Ok(Extension::Text(text))
        }
        Ok(serde_json::Value::Number(it)) => {
            match it.as_i64().and_then(|number| i32::try_from(number).ok()) {
                Some(it) => Ok(Extension::Integer(it)),
                None => refuse(),
            }
        }
        Ok(serde_json::Value::Null | serde_json::Value::Array(_) | serde_json::Value::Object(_)) | Err(_) => {
            refuse()
        }
    }
}
