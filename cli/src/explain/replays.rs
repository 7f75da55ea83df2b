//! The replays of an event, each with its operator and reason.

use std::collections::BTreeSet;

use domain::Timestamp;
use domain::event::Event;
use domain::event::replay::STARTED;
use serde::Serialize;
use serde_json::{Value, json};
use store::{Events, LedgerRow};

use crate::cloud::Cloud;
use crate::error::Error;
use crate::replay;
use crate::terminal::{Ink, Terminal, plain};
use crate::times::utc;

/// A replay that contained the event, as far as the audit recorded it.
#[derive(Serialize)]
pub(super) struct Replayed {
    replay: String,
    #[serde(rename = "at")]
    began_at: Option<Timestamp>,
    by: Option<String>,
    reason: Option<String>,
    mode: Option<String>,
}

/// Returns the replays that the audit saw on the bus and those that have ledger rows. Their names are times and give
/// the order.
pub(super) async fn of(event: &Event, rows: &[LedgerRow], cloud: &Cloud) -> Result<Vec<Replayed>, Error> {
    let events = Events::new(&store::client(&cloud.config), cloud.name("events"));
    let seen = events.replays(event).await?;
    let names: BTreeSet<String> = seen
        .iter()
        .filter_map(|it| it.get("replay_id"))
        .chain(rows.iter().filter_map(|row| row.origin.replay.as_deref()))
        .map(str::to_owned)
        .collect();
    let mut replays = Vec::new();
    for name in names {
        replays.push(look_up(name, &events).await?);
    }
    Ok(replays)
}

async fn look_up(replay: String, events: &Events) -> Result<Replayed, Error> {
    let id = replay::replay_event_id(&replay, STARTED);
    let mut found = None;
    for source in [replay::SOURCE, replay::FORMER_SOURCE] {
        let word = Event::new(source, STARTED, id.clone(), Timestamp::UNIX_EPOCH, &json!({}));
        let word = Event { subject: Some(replay::subject(&replay)), ..word };
        found = events.find(&word).await?;
        if found.is_some() {
            break;
        }
    }
    let found = found.and_then(|found| found.event());
    let data = found.as_ref().and_then(|found| found.data.as_ref()).map(|it| it.text());
    let data: Value = data.and_then(|data| serde_json::from_str(data).ok()).unwrap_or_default();
    let text = |place: &str| data.pointer(place).and_then(Value::as_str).map(str::to_owned);
    Ok(Replayed {
        began_at: found.as_ref().map(|found| found.time),
        by: text("/by"),
        reason: text("/reason"),
        mode: text("/choice/mode"),
        replay,
    })
}

impl Replayed {
    pub(super) fn line(&self, terminal: &Terminal) -> String {
        let at = self.began_at.map_or_else(|| "?".to_owned(), utc);
        let by = self.by.as_deref().unwrap_or("?");
        let why = self.reason.as_ref().map_or_else(String::new, |it| format!(": {it}"));
        let mode = self.mode.as_deref().unwrap_or("?");
        let text = format!("replayed at {at} by {by} ({mode}, {}){why}", self.replay);
        terminal.ink(Ink::Note, &plain(&text))
    }
}
