//! Entries of `PutEvents`, in the format of the AWS CLI and the SDKs.
//!
//! Source: EventBridge API reference, `PutEventsRequestEntry`.

use domain::Timestamp;
use domain::event::Refusal;
use domain::event::bus::shape_of;
use serde_json::Value;

use super::{BusEntry, members, of_source, refusal, word};

/// The supported members of an entry, and those that `carillon publish` does not pass on.
const KNOWN: [&str; 5] = ["Source", "DetailType", "Detail", "Time", "EventBusName"];
const NOT_HANDED_ON: [&str; 2] = ["Resources", "TraceHeader"];

/// Whether an object is an entry of `PutEvents`.
pub(super) fn is_entry(text: &str) -> bool {
    let has = |value: &Value, name: &str| value.get(name).is_some();
    members(text).is_ok_and(|members| {
        has(&members, "DetailType") || (has(&members, "Detail") && has(&members, "Source"))
    })
}

pub(super) fn entry(text: &str, source: Option<&str>) -> Result<BusEntry, Refusal> {
    let members = members(text)?;
    let names = members.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    for name in names {
        let is_empty = members[name].as_array().is_some_and(Vec::is_empty) || members[name].is_null();
        if NOT_HANDED_ON.contains(&name) && !is_empty {
            return Err(refusal(name, "a value", "nothing: `carillon publish` does not hand it on"));
        }
        if !KNOWN.contains(&name) && !NOT_HANDED_ON.contains(&name) {
            return Err(refusal(name, "a member that no entry of PutEvents has", &KNOWN.join(", ")));
        }
    }
    let named = source
        .map_or_else(|| word(&members, "Source", "the producer's name"), |source| Ok(source.to_owned()))?;
    let detail_type = word(&members, "DetailType", "what kind of event it is")?;
    let detail = word(&members, "Detail", "one JSON object, written as text")?;
    if shape_of(&detail).is_none() {
        return Err(refusal("Detail", "text that is no JSON object", "one JSON object, written as text"));
    }
    let time = members.get("Time").filter(|member| !member.is_null()).map(time).transpose()?;
    let bus = members.get("EventBusName").and_then(Value::as_str).map(str::to_owned);
    Ok(BusEntry { time, bus, ..BusEntry::new(named, detail_type, of_source(detail, source)?) })
}

/// RFC 3339, or seconds since 1970: the timestamp formats of the AWS CLI.
fn time(value: &Value) -> Result<Timestamp, Refusal> {
    let found = match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_i64().and_then(|number| Timestamp::from_second(number).ok()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    found.ok_or_else(|| refusal("Time", "a value that is no time", "an RFC 3339 time, or seconds since 1970"))
}
