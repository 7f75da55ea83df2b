//! Gives a sample a new id and time, so that it can be published again.

use domain::Timestamp;
use serde_json::{Map, Value};

/// The id members of the known envelopes.
const IDS: [&str; 2] = ["id", "eventId"];

/// The time members of the known envelopes.
const TIMES: [&str; 2] = ["time", "timestamp"];

/// The event with a new id and the current time.
///
/// # Errors
/// The text is not a JSON object.
pub(crate) fn renewed(text: &str, now: Timestamp) -> Result<String, String> {
    let mut event: Map<String, Value> =
        serde_json::from_str(text).map_err(|error| format!("not one JSON object: {error}"))?;
    let id = new_id()?;
    let from_the_bus = event.contains_key("detail-type");
    let is_entry = event.contains_key("DetailType");
    if let Some(Value::String(detail)) = event.get_mut("Detail").filter(|_| is_entry)
        && let Ok(mut members) = serde_json::from_str::<Map<String, Value>>(detail)
    {
        renew(&mut members, &id, now);
        *detail = Value::Object(members).to_string();
        event.remove("Time");
        return serde_json::to_string(&event).map_err(|error| error.to_string());
    }
    match event.get_mut("detail") {
        Some(Value::Object(detail)) if from_the_bus => renew(detail, &id, now),
        Some(_) | None => renew(&mut event, &id, now),
    }
    serde_json::to_string(&event).map_err(|error| error.to_string())
}

fn renew(envelope: &mut Map<String, Value>, id: &str, now: Timestamp) {
    // A CloudEvent's names can have another letter case.
    let in_any_case = envelope.keys().any(|key| key.eq_ignore_ascii_case("specversion"));
    let is_one = |names: &[&str], name: &str| {
        names.iter().any(|known| *known == name || (in_any_case && known.eq_ignore_ascii_case(name)))
    };
    for (name, value) in envelope.iter_mut() {
        if is_one(&IDS, name) {
            *value = id.into();
        } else if is_one(&TIMES, name) {
            *value = now.round(jiff::Unit::Millisecond).unwrap_or(now).to_string().into();
        }
    }
}

/// A random UUID (RFC 9562, version 4).
fn new_id() -> Result<String, String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| format!("no random numbers: {error}"))?;
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_envelope_gets_a_new_id_and_time() {
        check(r#"{"specversion":"1.0","id":"old","time":"2020-01-01T00:00:00Z"}"#, "/id", "/time");
        check(
            r#"{"eventId":"old","eventType":"t","timestamp":"2020-01-01T00:00:00Z"}"#,
            "/eventId",
            "/timestamp",
        );
        check(r#"{"SpecVersion":"1.0","Id":"old","Time":"2020-01-01T00:00:00Z"}"#, "/Id", "/Time");
        let entry =
            r#"{"Source":"s","DetailType":"t","Detail":"{\"specversion\":\"1.0\",\"id\":\"old\"}","Time":1}"#;
        let renewed = renewed(entry, NOON).unwrap();
        assert!(!renewed.contains("old") && !renewed.contains("Time"), "{renewed}");
        let wrapped = r#"{"source":"s","detail-type":"t","detail":{"type":"t","timestamp":1,"data":{}}}"#;
        let renewed: Value = serde_json::from_str(&super::renewed(wrapped, NOON).unwrap()).unwrap();
        assert_eq!(renewed.pointer("/detail/timestamp").unwrap(), "2026-11-20T12:00:00Z");
        assert!(super::renewed("[]", NOON).is_err());
    }

    const NOON: Timestamp = Timestamp::constant(1_795_176_000, 0);

    #[track_caller]
    fn check(text: &str, id: &str, time: &str) {
        let renewed: Value = serde_json::from_str(&renewed(text, NOON).unwrap()).unwrap();
        assert_ne!(renewed.pointer(id).unwrap(), "old");
        assert_eq!(renewed.pointer(time).unwrap(), "2026-11-20T12:00:00Z");
    }
}
