//! `carillon publish`: events from files onto the bus.

use aws::chain;
use catalog::BusEntry;
use publish::{Bus, Entry};
use serde::Serialize;

use crate::args::{Publish, Target};
use crate::cloud::Cloud;
use crate::error::Done;
use crate::files::{self, Piece};
use crate::terminal::{Ink, Terminal, plain};

pub(crate) mod fresh;

/// How many events are under way between two lines of progress.
const AT_ONCE: usize = 100;

/// What became of one event, for machines.
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
}

/// An event that is ready for the bus.
pub(crate) struct Ready {
    pub(crate) place: String,
    /// The event's own id; the bus gives one to those that have none.
    pub(crate) id: Option<String>,
    pub(crate) entry: Entry,
}

pub(crate) async fn run(args: &Publish, target: &Target, terminal: &Terminal) -> Done {
    let mut complete = true;
    let mut ready = Vec::new();
    for file in &args.files {
        for piece in files::pieces(file)? {
            match prepare(&piece, args.fresh) {
                Ok(it) => ready.push(it),
                Err(why) => {
                    complete = false;
                    refused(terminal, &piece.place, &why);
                }
            }
        }
    }
    if args.dry_run {
        for it in &ready {
            published(terminal, it, None);
        }
        return Ok(complete);
    }
    if ready.is_empty() {
        return Ok(complete);
    }
    let cloud = Cloud::of(target).await?;
    let bus = Bus::new(&cloud.config, cloud.bus());
    for (at, some) in ready.chunks(AT_ONCE).enumerate() {
        let entries: Vec<Entry> = some.iter().map(|it| it.entry.clone()).collect();
        for (it, put) in some.iter().zip(bus.put(&entries).await) {
            match put {
                Ok(bus_id) => published(terminal, it, Some(&bus_id)),
                Err(error) => {
                    complete = false;
                    refused(terminal, &it.place, &chain(&error));
                }
            }
        }
        if ready.len() > AT_ONCE {
            terminal.progress(&format!("{} of {} events", at * AT_ONCE + some.len(), ready.len()));
        }
    }
    terminal.clear();
    Ok(complete)
}

/// Reads one event and, where asked, makes it new.
pub(crate) fn prepare(piece: &Piece, fresh: bool) -> Result<Ready, String> {
    let text = match fresh {
        true => fresh::renewed(&piece.text, runtime::now())?,
        false => piece.text.clone(),
    };
    let entry = BusEntry::read(&text).map_err(|it| it.to_string())?;
    if entry.source.starts_with("aws.") {
        return Err(format!(
            "source: found {:?}, wanted a name that does not begin with `aws.`",
            entry.source
        ));
    }
    Ok(Ready {
        place: piece.place.clone(),
        id: fresh::id_of(&text),
        entry: Entry { source: entry.source, detail_type: entry.detail_type, detail: entry.detail },
    })
}

fn published(terminal: &Terminal, it: &Ready, bus_id: Option<&str>) {
    let kind = &it.entry.detail_type;
    if terminal.json {
        let answer =
            Answer { place: &it.place, kind: Some(kind), id: it.id.as_deref(), bus_id, refused: None };
        return terminal.say_json(&answer);
    }
    let id = it.id.as_deref().or(bus_id).unwrap_or("(an id from the bus)");
    let word = if bus_id.is_some() { "published" } else { "would publish" };
    terminal.say(&format!("{} {}  {}", terminal.ink(Ink::Good, word), plain(kind), plain(id)));
}

fn refused(terminal: &Terminal, place: &str, why: &str) {
    if terminal.json {
        let answer = Answer { place, kind: None, id: None, bus_id: None, refused: Some(why) };
        return terminal.say_json(&answer);
    }
    terminal.say(&format!("{} {}: {}", terminal.ink(Ink::Bad, "refused"), plain(place), plain(why)));
}
