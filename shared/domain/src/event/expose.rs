//! The event values that a rule exposes: the data of an in-app message, a push notification and a webhook message.

use serde_json::Value;

use crate::base::json::pick;
use crate::base::path::Path;
use crate::event::Data;

/// Builds a JSON object of the values at `paths`, each under the last name of its path, in the order of the rule.
/// Paths without a value are omitted.
///
/// Payload values are copied as text, so members keep the producer's order and numbers keep their digits. `data` is
/// the payload of the same event as `envelope`. Without `data` the values are serialized from the envelope.
#[must_use]
pub fn exposed(paths: &[Path], data: Option<&Data>, envelope: &Value) -> String {
    let mut members: Vec<(&str, String)> = Vec::with_capacity(paths.len());
    for path in paths {
        let found = match (path.steps_in(envelope), data) {
            ([first, rest @ ..], Some(data)) if first == "data" => pick(data.text(), rest),
            _ => path.pick(envelope).map(|value| value.to_string()),
        };
        if let Some(value) = found {
            members.retain(|(name, _)| *name != path.last());
            members.push((path.last(), value));
        }
    }
    let members: Vec<String> =
        members.into_iter().map(|(name, value)| format!("{}:{value}", Value::from(name))).collect();
    format!("{{{}}}", members.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;

    #[test]
    fn exposed_data_keeps_digits_and_order() {
        let event = Event::parse(
            r#"{"specversion":"1.0","id":"1","source":"/a","type":"t","time":"2026-11-20T12:00:00Z","subject":"s",
                "data":{"z":1,"amount":12345678901234567890.12, "id":123456789012345678901234567890,"price":1.50,"none":null}}"#,
        )
        .unwrap();
        let document = event.document();
        let paths = |texts: &[&str]| texts.iter().map(|text| Path::parse(text).unwrap()).collect::<Vec<_>>();
        for (exposes, expected) in [
            (
                &["$.data"][..],
                r#"{"data":{"z":1,"amount":12345678901234567890.12,"id":123456789012345678901234567890,"price":1.50,"none":null}}"#,
            ),
            (
                &["$.data.id", "$.data.amount"],
                r#"{"id":123456789012345678901234567890,"amount":12345678901234567890.12}"#,
            ),
            (&["$.subject", "$.data.none", "$.data.gone", "$.data.z"], r#"{"subject":"s","z":1}"#),
            (&["$.data.gone | $.data.price", "$.data.none | $.data.z"], r#"{"gone":1.50,"none":1}"#),
            (&[], "{}"),
        ] {
            assert_eq!(exposed(&paths(exposes), event.data.as_ref(), &document["detail"]), expected);
        }
        let by_value = exposed(&paths(&["$.data.id", "$.data.price"]), None, &document["detail"]);
        assert_eq!(by_value, r#"{"id":123456789012345678901234567890,"price":1.50}"#);
    }
}
