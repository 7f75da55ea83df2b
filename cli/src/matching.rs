//! `carillon match`: tests a pattern against an event.

use catalog::BusEntry;
use domain::Timestamp;
use domain::event::bus::{BusEvent, Shape, shape_of};
use domain::pattern::Pattern;
use serde_json::Value;

use crate::args::Match;
use crate::error::{Done, Error};
use crate::files;
use crate::terminal::{Ink, Terminal};

/// The fields of an EventBridge event. A value with one of these fields is matched without conversion.
const FIELDS: [&str; 3] = ["source", "detail-type", "detail"];

pub(crate) fn run(args: &Match, terminal: &Terminal) -> Done {
    let place = args.pattern.display();
    let source: Value = serde_json::from_str(&files::read(&args.pattern)?).map_err(|error| {
        Error::usage(format!("{place} is not JSON: {error}"), "a pattern is one JSON object")
    })?;
    let pattern =
        Pattern::check_complexity(&source).and_then(|()| Pattern::compile(&source)).map_err(|error| {
            Error::usage(
                format!("{place} is no pattern: {} holds {}", error.at, error.found),
                format!("wanted {}", error.wanted),
            )
        })?;
    let seen = seen(&files::read(&args.event)?)
        .map_err(|error| Error::usage(format!("{}: {error}", args.event.display()), "give one event"))?;
    let answer = Answer::of(&pattern, &seen);
    if terminal.json {
        terminal.say_json(&serde_json::json!({
            "matches": answer.matches, "matchesInRules": answer.in_rules, "note": answer.note(),
        }));
    } else {
        let (ink, word) = if answer.matches { (Ink::Good, "match") } else { (Ink::Bad, "no match") };
        terminal.say(&terminal.ink(ink, word));
        if let Some(note) = answer.note() {
            terminal.note(note);
        }
    }
    Ok(answer.matches)
}

/// The two forms of an event that a pattern is tested against.
struct Seen {
    /// The EventBridge event without conversion. Other inputs are in the form that rules see.
    event: Value,
    /// The event in the form that rules see; `None` if dispatch would refuse it.
    in_rules: Option<Value>,
    /// Whether the detail has no envelope format that Carillon reads.
    is_plain: bool,
}

/// The results of EventBridge and of a rule with this pattern as its `when`.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    matches: bool,
    in_rules: Option<bool>,
    is_plain: bool,
}

impl Answer {
    fn of(pattern: &Pattern, seen: &Seen) -> Answer {
        let in_rules = seen.in_rules.as_ref().map(|in_rule| pattern.matches(in_rule));
        Answer { matches: pattern.matches(&seen.event), in_rules, is_plain: seen.is_plain }
    }

    /// Explains why the result of a rule differs from EventBridge's.
    fn note(&self) -> Option<&'static str> {
        match (self.matches, self.in_rules, self.is_plain) {
            (_, None, _) => {
                Some("a rule never sees this event: dispatch refuses it; `carillon explain` says why")
            }
            (true, Some(false), true) => Some(
                "EventBridge matches; a rule in config/rules with this `when` does not: rules see the detail of a plain \
                 event under `detail.data`",
            ),
            (false, Some(true), true) => Some(
                "EventBridge does not match; a rule in config/rules with this `when` does: rules see the detail of a \
                 plain event under `detail.data`",
            ),
            (true, Some(false), false) => Some(
                "EventBridge matches; a rule in config/rules with this `when` does not: rules see `id`, `source`, \
                 `detail-type`, `time` and the envelope under `detail`",
            ),
            (false, Some(true), false) => Some(
                "EventBridge does not match; a rule in config/rules with this `when` does: rules see the envelope's own \
                 `id` and `time`, and attribute names in lower case",
            ),
            (true, Some(true), _) | (false, Some(false), _) => None,
        }
    }
}

fn seen(text: &str) -> Result<Seen, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
    let shape = shape_of(text);
    let is_of_bus = shape == Some(Shape::Plain) && FIELDS.iter().any(|field| value.get(field).is_some());
    // EventBridge requires no field of the event. A rule sees only events that dispatch can read.
    if is_of_bus {
        let in_rules = in_rules(text).ok();
        let is_plain = value.get("detail").is_some_and(|it| shape_of(&it.to_string()) == Some(Shape::Plain));
        return Ok(Seen { event: value, in_rules, is_plain });
    }
    let document = in_rules(text)?;
    Ok(Seen { event: document.clone(), in_rules: Some(document), is_plain: false })
}

/// Converts the event to the form that rules see. The producer's permissions are not checked.
fn in_rules(text: &str) -> Result<Value, String> {
    let entry = BusEntry::read(text).map_err(|error| error.to_string())?;
    let id = serde_json::from_str::<Value>(text).ok();
    let id = id.as_ref().and_then(|id| id.get("id")?.as_str()).unwrap_or("event");
    let time = catalog::time_beside(text, &entry).unwrap_or(Timestamp::UNIX_EPOCH);
    let on_bus = entry.to_bus_event(id, time);
    let event =
        BusEvent::parse(&on_bus).and_then(|it| it.unverified_event()).map_err(|error| error.to_string())?;
    Ok(event.document())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = r#"{"id":"e-1","detail-type":"order.shipped","source":"shop","time":"2026-11-20T09:30:00Z","detail":{"orderId":"1"}}"#;

    #[test]
    fn plain_event_is_matched_as_eventbridge_does_and_a_rule_that_differs_is_named() {
        let of_detail = r#"{"detail-type":["order.shipped"],"detail":{"orderId":["1"]}}"#;
        let found = answer(of_detail, PLAIN);
        assert_eq!((found.matches, found.in_rules), (true, Some(false)));
        assert!(found.note().is_some_and(|note| note.contains("`detail.data`")));
        let of_data = answer(r#"{"detail":{"data":{"orderId":["1"]}}}"#, PLAIN);
        assert_eq!((of_data.matches, of_data.in_rules), (false, Some(true)));
        assert!(of_data.note().is_some_and(|note| note.contains("`detail.data`")));
        assert_eq!(answer(r#"{"source":["shop"]}"#, PLAIN).note(), None);
        assert!(
            answer(r#"{"region":["eu"]}"#, &PLAIN.replace("\"id\"", "\"region\":\"eu\",\"id\""))
                .note()
                .is_some()
        );
    }

    #[test]
    fn event_that_test_event_pattern_takes_is_taken() {
        for (event, matches) in [
            (r#"{"id":"1","source":"shop","detail-type":"t"}"#, true),
            (r#"{"source":"shop"}"#, true),
            (r#"{"source":["shop","bank"],"detail-type":["t"],"detail":{}}"#, true),
            (r#"{"source":"bank","detail":[1]}"#, false),
        ] {
            let found = answer(r#"{"source":["shop"]}"#, event);
            assert_eq!(found.matches, matches, "{event}");
        }
        assert_eq!(answer(r#"{"source":["shop"]}"#, r#"{"source":"shop"}"#).in_rules, None);
        assert!(seen(r#"{"n":1}"#).is_err());
    }

    #[test]
    fn cloud_event_is_matched_as_rules_see_it_with_or_without_a_time() {
        for time in ["", r#","time":"2026-11-20T09:30:00Z""#] {
            let event = format!(
                r#"{{"SpecVersion":"1.0","id":"1","source":"/s","type":"t"{time},"data":{{"n":1}}}}"#
            );
            let found = answer(r#"{"detail-type":["t"],"detail":{"data":{"n":[1]}}}"#, &event);
            assert_eq!(found, Answer { matches: true, in_rules: Some(true), is_plain: false });
        }
    }

    fn answer(pattern: &str, event: &str) -> Answer {
        let pattern = Pattern::compile(&serde_json::from_str(pattern).unwrap()).unwrap();
        Answer::of(&pattern, &seen(event).unwrap())
    }
}
