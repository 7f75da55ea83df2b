//! What the acts are made of: events, people and what is counted.

use domain::event::Event;
use domain::outcome::{Reason, Status};
use domain::recipient::Recipient;
use publish::{Bus, Entry};
use serde_json::{Value, json};
use store::LedgerRow;

use crate::error::Error;

/// Who sends the events of the acts.
const SOURCE: &str = "/carillon/demo";

pub(super) fn count(rows: &[LedgerRow], status: Status, reason: Option<Reason>) -> usize {
    rows.iter().filter(|row| row.status == status && (reason.is_none() || row.reason == reason)).count()
}

/// An event of this run, about something that no other run knows.
pub(super) fn event(
    run: &str,
    what: &str,
    kind: &str,
    to: &str,
    about: &str,
    text: &str,
) -> Result<Event, Error> {
    let data = json!({ "to": [to], "about": format!("{about} ({run})"), "text": text });
    checked(&Event::new(SOURCE, kind, format!("demo-{run}-{what}"), runtime::now(), &data))
}

/// The same event with other data.
pub(super) fn with(event: &Event, data: &Value) -> Result<Event, Error> {
    checked(&Event::new(&event.source, &event.kind, event.id.clone(), event.time, data))
}

/// As any producer's event is checked.
fn checked(event: &Event) -> Result<Event, Error> {
    Event::parse(&event.to_json())
        .map_err(|error| Error::Cloud(format!("an event of the demo is refused: {error}")))
}

pub(super) fn person(id: &str, name: &str, quiet: Option<&Value>) -> Result<Recipient, Error> {
    let email = format!("{}@example.com", name.to_lowercase());
    somebody(
        json!({ "id": id, "name": name, "email": email, "locale": "en", "zone": "Etc/UTC", "quiet": quiet }),
    )
}

pub(super) fn somebody(written: Value) -> Result<Recipient, Error> {
    serde_json::from_value(written)
        .map_err(|error| Error::Cloud(format!("somebody in the demo is nobody: {error}")))
}

pub(super) async fn put(bus: &Bus, events: impl Iterator<Item = &Event>) -> Result<(), Error> {
    let entries: Vec<Entry> = events.map(Entry::of).collect();
    for put in bus.put(&entries).await {
        put?;
    }
    Ok(())
}
