//! From a JSON object to an [`Event`].

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::attributes::{
    check_name, check_schema, check_source, check_tenant, check_text, check_type, extension,
    is_extension_name, timestamp, trace_context,
};
use super::fields::kind_of;
use super::{Data, Event, Fields, Found, Priority, Refusal};
use crate::json::Raw;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Strictness {
    /// To the letter: what we put on the bus ourselves.
    Strict,
    /// What can be understood is taken: names in any case, a trace that cannot be used is left out.
    Tolerant,
}

/// `received` stands in for a missing `time`.
pub(super) fn cloud_event(
    fields: &Fields<'_>,
    received: Option<Timestamp>,
    strictness: Strictness,
) -> Result<Event, Refusal> {
    let mut draft = Draft::default();
    let is_loud = |name: &str| name.bytes().any(|it| it.is_ascii_uppercase());
    if strictness == Strictness::Tolerant && fields.iter().any(|(name, _)| is_loud(name)) {
        draft.take_in_any_case(fields)?;
        return draft.finish(received);
    }
    for (name, raw) in fields.iter() {
        if raw.get() != "null" {
            draft.take(name, raw, strictness)?;
        }
    }
    draft.finish(received)
}

/// The attributes seen so far.
#[derive(Default)]
struct Draft {
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
    sequence: Option<u64>,
    traceparent: Option<String>,
    expiry_time: Option<Timestamp>,
    extensions: BTreeMap<String, super::Extension>,
    data: Option<Data>,
}

impl Draft {
    /// Takes attributes whose names are written in any case. Two of them may be one and the same then.
    fn take_in_any_case(&mut self, fields: &Fields<'_>) -> Result<(), Refusal> {
        let mut seen = BTreeSet::new();
        for (name, raw) in fields.iter().filter(|(_, raw)| raw.get() != "null") {
            let name = name.to_ascii_lowercase();
            self.take(&name, raw, Strictness::Tolerant)?;
            if !seen.insert(name.clone()) {
                return Err(Refusal::new(name, "the name twice, in other letters", "each attribute once"));
            }
        }
        Ok(())
    }

    fn take(&mut self, name: &str, raw: Raw<'_>, strictness: Strictness) -> Result<(), Refusal> {
        match name {
            "specversion" => self.has_version = version(raw)?,
            "id" => self.id = Some(checked(name, raw, |it| check_name("id", it))?),
            "source" => self.source = Some(checked(name, raw, check_source)?),
            "type" => self.kind = Some(checked(name, raw, check_type)?),
            "time" => self.time = Some(timestamp(name, &text(name, raw)?)?),
            "subject" => self.subject = Some(checked(name, raw, |it| check_text("subject", it))?),
            "dataschema" => self.dataschema = Some(checked(name, raw, check_schema)?),
            "tenant" => self.tenant = Some(checked(name, raw, check_tenant)?),
            "correlationid" => self.correlation_id = Some(checked(name, raw, |it| check_name(name, it))?),
            "causationid" => self.causation_id = Some(checked(name, raw, |it| check_name(name, it))?),
            "actor" => self.actor = Some(checked(name, raw, |it| check_name("actor", it))?),
            "authid" => self.auth_id = Some(checked(name, raw, |it| check_name("authid", it))?),
            "priority" => self.priority = Some(priority(raw)?),
            "sequence" => self.sequence = Some(sequence(raw)?),
            "traceparent" => self.traceparent = trace(raw, strictness)?,
            "expirytime" => self.expiry_time = Some(timestamp(name, &text(name, raw)?)?),
            "datacontenttype" => check_content_type(&text(name, raw)?)?,
            "data" => self.data = Some(Data::read(name, raw)?),
            "data_base64" => return Err(Refusal::new("data_base64", "binary data", "JSON in `data`")),
            _ if is_extension_name(name) => {
                self.extensions.insert(name.to_owned(), extension(name, raw)?);
            }
            _ => {
                let wanted = "an attribute name of lower-case letters and digits; put content in `data`";
                return Err(Refusal::new(name.to_owned(), "a name of other characters", wanted));
            }
        }
        Ok(())
    }

    fn finish(self, received: Option<Timestamp>) -> Result<Event, Refusal> {
        let missing = |name: &'static str, wanted: &str| Refusal::new(name, "nothing", wanted);
        if !self.has_version {
            return Err(missing("specversion", "\"1.0\""));
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
            data: self.data,
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

/// A decimal string as in the CloudEvents extension, or a plain number.
fn sequence(raw: Raw<'_>) -> Result<u64, Refusal> {
    let digits = raw.text().unwrap_or(Cow::Borrowed(raw.get()));
    match digits.parse() {
        Ok(it) if it > 0 => Ok(it),
        Ok(_) | Err(_) => {
            let found = if raw.is_string() { Found::text(&digits) } else { kind_of(raw.get()).into() };
            Err(Refusal::new("sequence", found, "a whole number from 1 on"))
        }
    }
}

fn trace(raw: Raw<'_>, strictness: Strictness) -> Result<Option<String>, Refusal> {
    let value = text("traceparent", raw)?;
    match (trace_context(&value), strictness) {
        (Ok(it), Strictness::Strict | Strictness::Tolerant) => Ok(Some(it.to_owned())),
        // W3C Trace Context, section 4.3: a receiver that cannot use it goes on without it.
        (Err(_), Strictness::Tolerant) => Ok(None),
        (Err(refusal), Strictness::Strict) => Err(refusal),
    }
}

fn check_content_type(value: &str) -> Result<(), Refusal> {
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence == "application/json" || essence.ends_with("+json") || essence == "text/json" {
        return Ok(());
    }
    Err(Refusal::new("datacontenttype", Found::text(value), "application/json"))
}
