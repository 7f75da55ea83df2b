//! `carillon publish`: publishes events of files to the bus.

use aws::chain;
use catalog::BusEntry;
use publish::{Entry, EventBridge};
use serde::Serialize;

use crate::args::{Publish, Target};
use crate::cloud::Cloud;
use crate::error::{Done, Error};
use crate::files::{self, Piece};
use crate::terminal::{Ink, Terminal, plain};

pub(crate) mod renewal;

/// The events of a call, and between two progress lines.
const BATCH: usize = 100;

/// The JSON result of an event.
#[derive(Serialize)]
struct Answer<'a> {
    place: &'a str,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(rename = "busId", skip_serializing_if = "Option::is_none")]
    bus_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    notes: &'a [String],
}

/// An event that is ready for the bus.
pub struct Ready {
    pub place: String,
    /// The event's own id. The bus gives an id to events without one.
    pub id: Option<String>,
    pub entry: Entry,
    /// The bus that the event names.
    pub bus: Option<String>,
    /// Notes about ignored attributes.
    pub notes: Vec<String>,
}

pub(crate) async fn run(args: &Publish, target: &Target, terminal: &Terminal) -> Done {
    let mut complete = true;
    let mut ready = Vec::new();
    for file in &args.files {
        let pieces = files::events(file)?;
        if pieces.is_empty() {
            let what = format!("{} holds no event", file.display());
            return Err(Error::usage(what, "give one event, a JSON list of events, or one event a line"));
        }
        for piece in pieces {
            match prepare(&piece, args.fresh, args.source.as_deref()) {
                Ok(event) => ready.push(event),
                Err(why) => {
                    complete = false;
                    refused(terminal, &piece.place, &why);
                }
            }
        }
    }
    if args.dry_run {
        for event in &ready {
            published(terminal, event, None);
        }
        return Ok(complete);
    }
    if ready.is_empty() {
        return Ok(complete);
    }
    let cloud = Cloud::of(target).await?;
    ready.retain(|event| {
        let other = event.bus.as_deref().filter(|bus| !is_bus(bus, &cloud.bus()));
        if let Some(other) = other {
            complete = false;
            let why = format!("EventBusName: found {other:?}, wanted {} or no name", cloud.bus());
            refused(terminal, &event.place, &why);
        }
        other.is_none()
    });
    let bus = EventBridge::new(&cloud.config, cloud.bus());
    for (index, batch) in ready.chunks(BATCH).enumerate() {
        let entries: Vec<Entry> = batch.iter().map(|event| event.entry.clone()).collect();
        for (event, put) in batch.iter().zip(bus.put(&entries).await) {
            match put {
                Ok(bus_id) => published(terminal, event, Some(&bus_id)),
                Err(error) => {
                    complete = false;
                    refused(terminal, &event.place, &chain(&error));
                }
            }
        }
        if ready.len() > BATCH {
            terminal.count(index * BATCH + batch.len(), ready.len(), "events");
        }
    }
    terminal.clear();
    Ok(complete)
}

/// Whether a name or ARN is of this bus.
fn is_bus(named: &str, bus: &str) -> bool {
    named == bus || (named.starts_with("arn:") && named.ends_with(&format!(":event-bus/{bus}")))
}

/// Reads an event. `fresh` gives it a new id and time, `source` replaces its source.
///
/// # Errors
/// The text is no event.
pub fn prepare(piece: &Piece, fresh: bool, source: Option<&str>) -> Result<Ready, String> {
    let text = match fresh {
        true => renewal::renewed(&piece.text, runtime::now())?,
        false => piece.text.clone(),
    };
    let entry = BusEntry::read_as(&text, source).map_err(|error| error.to_string())?;
    if entry.source.starts_with("aws.") {
        return Err(format!(
            "source: found {:?}, wanted a name that does not begin with `aws.`",
            entry.source
        ));
    }
    let id = domain::event::bus::id_inside(&entry.detail);
    let (source, detail_type, detail, time) = (entry.source, entry.detail_type, entry.detail, entry.time);
    Ok(Ready {
        place: piece.place.clone(),
        id,
        entry: Entry::new(source, detail_type, detail).with_time(time),
        bus: entry.bus,
        notes: entry.notes,
    })
}

fn published(terminal: &Terminal, event: &Ready, bus_id: Option<&str>) {
    let kind = &event.entry.detail_type;
    if terminal.json {
        let (id, notes) = (event.id.as_deref(), event.notes.as_slice());
        let answer = Answer { place: &event.place, kind: Some(kind), id, bus_id, refused: None, notes };
        return terminal.say_json(&answer);
    }
    let id = event.id.as_deref().or(bus_id).unwrap_or("(an id from the bus)");
    let word = if bus_id.is_some() { "published" } else { "would publish" };
    terminal.say(&format!("{} {}  {}", terminal.ink(Ink::Good, word), plain(kind), plain(id)));
    for note in &event.notes {
        terminal.say(&terminal.ink(Ink::Quiet, &format!("  note {}", plain(note))));
    }
}

fn refused(terminal: &Terminal, place: &str, why: &str) {
    if terminal.json {
        let answer = Answer { place, kind: None, id: None, bus_id: None, refused: Some(why), notes: &[] };
        return terminal.say_json(&answer);
    }
    terminal.say(&format!("{} {}: {}", terminal.ink(Ink::Bad, "refused"), plain(place), plain(why)));
}
