//! `carillon match`: does this pattern match this event?

use catalog::BusEntry;
use domain::Timestamp;
use domain::bus::BusEvent;
use domain::pattern::Pattern;
use serde_json::Value;

use crate::args::Match;
use crate::error::{Done, Error};
use crate::files;
use crate::terminal::{Ink, Terminal};

pub(crate) fn run(args: &Match, terminal: &Terminal) -> Done {
    let place = args.pattern.display();
    let source: Value = serde_json::from_str(&files::read(&args.pattern)?)
        .map_err(|it| Error::usage(format!("{place} is not JSON: {it}"), "a pattern is one JSON object"))?;
    let pattern = Pattern::compile(&source).map_err(|it| {
        Error::usage(
            format!("{place} is no pattern: {} holds {}", it.at, it.found),
            format!("wanted {}", it.wanted),
        )
    })?;
    let event = event(&files::read(&args.event)?)
        .map_err(|it| Error::usage(format!("{}: {it}", args.event.display()), "give one event"))?;
    let matches = pattern.matches(&event);
    if terminal.json {
        terminal.say_json(&serde_json::json!({ "matches": matches }));
    } else {
        let (ink, word) = if matches { (Ink::Good, "match") } else { (Ink::Bad, "no match") };
        terminal.say(&terminal.ink(ink, word));
    }
    Ok(matches)
}

/// What the pattern is held against: an EventBridge event as it is, everything else as rules see it.
fn event(text: &str) -> Result<Value, String> {
    let value: Value = serde_json::from_str(text).map_err(|it| format!("not JSON: {it}"))?;
    if value.get("detail-type").is_some() && value.get("detail").is_some() {
        return Ok(value);
    }
    let entry = BusEntry::read(text).map_err(|it| it.to_string())?;
    let wrapped = entry.to_bus_event("event", Timestamp::UNIX_EPOCH);
    let event =
        BusEvent::parse(&wrapped).and_then(|it| it.unverified_event()).map_err(|it| it.to_string())?;
    Ok(event.document())
}
