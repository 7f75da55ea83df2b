//! Refused events, and attributes that could not be used.

use domain::event::Event;
use serde_json::{Value, json};
use store::{Events, RefusedEvent};

use crate::args::Explain;
use crate::cloud::Cloud;
use crate::error::{Done, Error};
use crate::since::ago;
use crate::terminal::{Ink, Terminal, plain};
use crate::times::utc;

/// Prints why an event was refused. The id is the event's own, or EventBridge's.
pub(super) async fn run(args: &Explain, cloud: &Cloud, terminal: &Terminal) -> Done {
    let events = Events::new(&store::client(&cloud.config), cloud.name("events"));
    let mut found = events.refusals(ago(&args.since)?, runtime::now(), Some(&args.event)).await?;
    found.retain(|it| args.source.as_ref().is_none_or(|source| it.is_of(source)));
    if found.is_empty() {
        let what = format!("no event {} is on record in the last {}", args.event, args.since);
        return Err(Error::usage(what, "look further back with --since, or name a file"));
    }
    for refused in &found {
        show(refused, terminal);
    }
    Ok(false)
}

/// Prints one refused event as text or as JSON.
pub(crate) fn show(refused: &RefusedEvent, terminal: &Terminal) {
    if terminal.json {
        return terminal.say_json(&value(refused));
    }
    let inside = refused.id.as_deref().filter(|id| *id != refused.bus_id);
    let inside = inside.map_or_else(String::new, |it| format!("{} ", plain(it)));
    let kind = terminal.ink(Ink::Strong, &plain(&refused.kind));
    let source = plain(&refused.source);
    terminal.say(&format!("{kind} {inside}from {source}, event {} of the bus", plain(&refused.bus_id)));
    let why = format!("  was refused at {}: {} ({})", utc(refused.recorded_at), refused.why, refused.class);
    terminal.say(&terminal.ink(Ink::Bad, &plain(&why)));
    if let (Some(source), Some(kind)) = (&refused.inner_source, &refused.inner_type)
        && (*source != refused.source || *kind != refused.kind)
    {
        terminal.say(&format!("  its envelope names type {} and source {}", plain(kind), plain(source)));
    }
}

pub(crate) fn value(refused: &RefusedEvent) -> Value {
    json!({
        "refused": refused.why, "cause": refused.class, "event": refused.id, "bus_id": refused.bus_id,
        "source": refused.source, "type": refused.kind, "at": refused.recorded_at.to_string(),
        "inner_source": refused.inner_source, "inner_type": refused.inner_type,
    })
}

/// Prints which attributes of an event count as absent, and why.
pub(super) fn say_notes(event: &Event, terminal: &Terminal) {
    for (name, why) in event.notes() {
        if terminal.json {
            terminal.say_json(&json!({ "note": name, "found": why.found, "wanted": why.wanted }));
            continue;
        }
        let text = format!("note: {name}: found {}, wanted {}; it counts as absent", why.found, why.wanted);
        terminal.say(&terminal.ink(Ink::Note, &plain(&text)));
    }
}
