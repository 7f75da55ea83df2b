//! Parses a JSON object into an [`Event`].

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use jiff::Timestamp;

use super::attributes::{
    check_name, check_schema, check_source, check_tenant, check_text, check_type, extension,
    is_extension_name, moment, trace_context,
};
use super::fields::{json_depth, kind_of};
use super::{Data, Event, Fields, Found, MAX_DEPTH, Priority, Refusal, Sequence, Unusable, WrittenTimes};
use crate::json::Raw;

/// Extensions that affect the handling of an event. An invalid value is refused and never ignored.
const DECISIVE: [&str; 3] = ["authtype", crate::REPLAY_ID, crate::RENOTIFY];

/// Reads attributes with names in any letter case. `received` replaces a missing `time`.
///
/// An invalid optional attribute, such as a priority of another scale, is kept in [`Event::unusable`]. An invalid
/// attribute that decides tenant, actor or expiry is refused.
pub(super) fn cloud_event(fields: &Fields<'_>, received: Option<Timestamp>) -> Result<Event, Refusal> {
    from(Draft::default(), fields, received)
}

/// Reads an event that [`Event::to_json`] wrote. Its source may be a `Source` of the bus that is no URI reference.
pub(super) fn stored_event(fields: &Fields<'_>) -> Result<Event, Refusal> {
    from(Draft { is_stored: true, ..Draft::default() }, fields, Some(Timestamp::UNIX_EPOCH))
}

fn from(mut draft: Draft, fields: &Fields<'_>, received: Option<Timestamp>) -> Result<Event, Refusal> {
    let has_upper_case = |name: &str| name.bytes().any(|byte| byte.is_ascii_uppercase());
    if fields.iter().any(|(name, _)| has_upper_case(name)) {
        draft.take_in_any_case(fields)?;
        return draft.finish(received);
    }
    for (name, raw) in fields.iter() {
        if raw.get() != "null" {
            draft.take(name, raw)?;
        }
    }
    draft.finish(received)
}

/// The attributes read so far.
#[derive(Default)]
struct Draft {
    is_stored: bool,
    has_version: bool,
    id: Option<String>,
    source: Option<String>,
    kind: Option<String>,
    time: Option<Timestamp>,
    subject: Option<String>,
    dataschema: Option<String>,
    tenant: Option<String>,
    correlation_id: Option<String>,
    causation_id: Option<String>,
    actor: Option<String>,
    auth_id: Option<String>,
    priority: Option<Priority>,
    sequence: Option<Sequence>,
    traceparent: Option<String>,
    expiry_time: Option<Timestamp>,
    extensions: BTreeMap<String, super::Extension>,
    data: Option<Data>,
    /// Decoded bytes, which must be JSON.
    binary: Option<Data>,
    content_type: Option<String>,
    written: WrittenTimes,
    unusable: BTreeMap<String, Unusable>,
}

impl Draft {
    /// Reads attributes with names in any letter case. Two names may then denote the same attribute.
    fn take_in_any_case(&mut self, fields: &Fields<'_>) -> Result<(), Refusal> {
        let mut seen = BTreeSet::new();
        for (name, raw) in fields.iter().filter(|(_, raw)| raw.get() != "null") {
            let name = name.to_ascii_lowercase();
            self.take(&name, raw)?;
            if !seen.insert(name.clone()) {
                return Err(Refusal::new(
                    name,
                    "the name twice, in different letter case",
                    "each attribute once",
                ));
            }
        }
        Ok(())
    }

    fn take(&mut self, name: &str, raw: Raw<'_>) -> Result<(), Refusal> {
        match name {
            "specversion" => self.has_version = version(raw)?,
            "id" => self.id = Some(checked(name, raw, |id| check_name("id", id))?),
            "source" if self.is_stored => {
                self.source = Some(checked(name, raw, |source| check_name("source", source))?);
            }
            "source" => self.source = Some(checked(name, raw, check_source)?),
            "type" => self.kind = Some(checked(name, raw, check_type)?),
            "time" => {
                let moment = moment(name, &text(name, raw)?)?;
                (self.time, self.written.time) = (Some(moment.instant), moment.as_written);
            }
            "tenant" => self.tenant = Some(checked(name, raw, check_tenant)?),
            "actor" => self.actor = Some(checked(name, raw, |actor| check_name("actor", actor))?),
            "authid" => self.auth_id = Some(checked(name, raw, |auth_id| check_name("authid", auth_id))?),
            "expirytime" => {
                let moment = moment(name, &text(name, raw)?)?;
                (self.expiry_time, self.written.expiry_time) = (Some(moment.instant), moment.as_written);
            }
            "datacontenttype" => {
                self.content_type = Some(checked(name, raw, |value| check_text(name, value))?);
            }
            "data" => self.data = Some(Data::read(name, raw)?),
            "data_base64" => self.binary = Some(decoded("data_base64", &text(name, raw)?)?),
            _ => return self.take_optional(name, raw),
        }
        Ok(())
    }

    /// Reads an optional attribute.
    fn take_optional(&mut self, name: &str, raw: Raw<'_>) -> Result<(), Refusal> {
        let named = |value: &str| check_name(name, value);
        let found = match name {
            "subject" => checked(name, raw, |value| check_text(name, value))
                .map(|checked| self.subject = Some(checked)),
            "dataschema" => checked(name, raw, check_schema).map(|checked| self.dataschema = Some(checked)),
            "correlationid" => checked(name, raw, named).map(|checked| self.correlation_id = Some(checked)),
            "causationid" => checked(name, raw, named).map(|checked| self.causation_id = Some(checked)),
            "priority" => priority(raw).map(|priority| self.priority = Some(priority)),
            "sequence" => sequence(raw).map(|sequence| self.sequence = Some(sequence)),
            // A receiver ignores a `traceparent` that it cannot use (W3C Trace Context, section 4.3).
            "traceparent" => checked(name, raw, |value| trace_context(value).map(drop))
                .map(|checked| self.traceparent = Some(checked)),
            _ if is_extension_name(name) => {
                let is_decisive = DECISIVE.contains(&name);
                let found = extension(name, raw, is_decisive);
                if is_decisive && let Err(refusal) = found {
                    return Err(refusal);
                }
                found.map(|found| drop(self.extensions.insert(name.to_owned(), found)))
            }
            _ => {
                let wanted = "an attribute name of lower-case letters and digits; put content in `data`";
                return Err(Refusal::new(name.to_owned(), "a name of other characters", wanted));
            }
        };
        if let Err(why) = found {
            self.unusable.insert(name.to_owned(), Unusable { value: Data::read(name, raw)?, why });
        }
        Ok(())
    }

    fn finish(self, received: Option<Timestamp>) -> Result<Event, Refusal> {
        let missing = |name: &'static str, wanted: &str| Refusal::new(name, "nothing", wanted);
        if !self.has_version {
            return Err(missing("specversion", "\"1.0\""));
        }
        if self.data.is_some() && self.binary.is_some() {
            return Err(Refusal::new("data_base64", "data beside it", "either `data` or `data_base64`"));
        }
        let data = self.data.or(self.binary);
        if let (Some(content_type), Some(_)) = (&self.content_type, &data) {
            check_content_type(content_type)?;
        }
        Ok(Event {
            id: self.id.ok_or_else(|| missing("id", "a string that is unique within the source"))?,
            source: self.source.ok_or_else(|| missing("source", "a URI reference"))?,
            kind: self.kind.ok_or_else(|| missing("type", "the kind of event, such as order.placed"))?,
            time: self.time.or(received).ok_or_else(|| missing("time", "an RFC 3339 time"))?,
            subject: self.subject,
            dataschema: self.dataschema,
            tenant: self.tenant,
            correlation_id: self.correlation_id,
            causation_id: self.causation_id,
            actor: self.actor,
            auth_id: self.auth_id,
            priority: self.priority,
            sequence: self.sequence,
            traceparent: self.traceparent,
            expiry_time: self.expiry_time,
            extensions: self.extensions,
            content_type: self.content_type.filter(|_| data.is_none()),
            data,
            written: self.written,
            unusable: self.unusable,
        })
    }
}

fn text<'a>(name: &str, raw: Raw<'a>) -> Result<Cow<'a, str>, Refusal> {
    raw.text().ok_or_else(|| Refusal::new(name.to_owned(), kind_of(raw.get()), "a string"))
}

fn checked(name: &str, raw: Raw<'_>, check: impl Fn(&str) -> Result<(), Refusal>) -> Result<String, Refusal> {
    let value = text(name, raw)?;
    check(&value)?;
    Ok(value.into_owned())
}

fn version(raw: Raw<'_>) -> Result<bool, Refusal> {
    match text("specversion", raw)?.as_ref() {
        "1.0" => Ok(true),
        other => Err(Refusal::new("specversion", Found::text(other), "\"1.0\"")),
    }
}

fn priority(raw: Raw<'_>) -> Result<Priority, Refusal> {
    let name = text("priority", raw)?;
    Priority::from_name(&name)
        .ok_or_else(|| Refusal::new("priority", Found::text(&name), "low, normal, high or critical"))
}

/// Reads a sequence: a text as in the CloudEvents extension, or a whole number.
fn sequence(raw: Raw<'_>) -> Result<Sequence, Refusal> {
    let is_number = raw.get().bytes().all(|byte| byte.is_ascii_digit());
    let text = match raw.text() {
        Some(text) => text,
        None if is_number => Cow::Borrowed(raw.get()),
        None => {
            let wanted = "a text that sorts as the events happened";
            return Err(Refusal::new("sequence", kind_of(raw.get()), wanted));
        }
    };
    check_text("sequence", &text)?;
    Ok(Sequence::of_text(&text))
}

/// Decodes base64 to JSON: the payload member for SDKs that were given bytes.
///
/// Source: CloudEvents 1.0.2, "JSON Event Format", section 3.1.1; RFC 4648, section 4.
fn decoded(name: &'static str, value: &str) -> Result<Data, Refusal> {
    let refuse = |found: &'static str| {
        Refusal::new(name, found, "base64 of JSON; put other content in S3, and its address in `dataref`")
    };
    let engine = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let bytes = engine.decode(value).map_err(|_| refuse("text that is not base64"))?;
    let text = String::from_utf8(bytes).map_err(|_| refuse("bytes that are not UTF-8 text"))?;
    let text = text.trim_start_matches('\u{feff}');
    if json_depth(text).is_none_or(|depth| depth >= MAX_DEPTH) {
        return Err(refuse("bytes that are not JSON, or JSON that nests too deep"));
    }
    match Raw::of(text) {
        Some(raw) => Data::read(name, raw),
        None => Err(refuse("bytes that are not JSON")),
    }
}

fn check_content_type(value: &str) -> Result<(), Refusal> {
    let media_type = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if media_type == "application/json" || media_type.ends_with("+json") || media_type == "text/json" {
        return Ok(());
    }
    Err(Refusal::new("datacontenttype", Found::text(value), "application/json"))
}
