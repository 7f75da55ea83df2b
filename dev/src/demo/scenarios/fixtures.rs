//! Fixtures of the scenarios: events, people and counts.

use domain::base::outcome::{Reason, Status};
use domain::event::Event;
use domain::recipient::Recipient;
use publish::{Entry, EventBridge};
use serde_json::{Value, json};
use store::LedgerRow;

use cli::error::Error;

/// The source of the events.
const SOURCE: &str = "/carillon/demo";

/// The number of rows with this status, and this reason if one is given.
pub(super) fn count(rows: &[LedgerRow], status: Status, reason: Option<Reason>) -> usize {
    rows.iter().filter(|row| row.status == status && (reason.is_none() || row.reason == reason)).count()
}

/// An event of this run; `about` and the run make a unique subject.
pub(super) fn event(
    run: &str,
    name: &str,
    kind: &str,
    to: &str,
    about: &str,
    text: &str,
) -> Result<Event, Error> {
    let data = json!({ "to": [to], "about": format!("{about} ({run})"), "text": text });
    checked(&Event::new(SOURCE, kind, format!("demo-{run}-{name}"), runtime::now(), &data))
}

/// The same event with other data.
pub(super) fn with(event: &Event, data: &Value) -> Result<Event, Error> {
    checked(&Event::new(&event.source, &event.kind, event.id.clone(), event.time, data))
}

/// The event after the checks that producers' events pass.
fn checked(event: &Event) -> Result<Event, Error> {
    Event::parse(&event.to_json())
        .map_err(|error| Error::Cloud(format!("an event of the demo is refused: {error}")))
}

/// A person with an e-mail address and preferences.
pub(super) fn person(id: &str, name: &str, quiet: Option<&Value>) -> Result<Recipient, Error> {
    let email = format!("{}@example.com", name.to_lowercase());
    recipient(
        json!({ "id": id, "name": name, "email": email, "locale": "en", "zone": "Etc/UTC", "quiet": quiet }),
    )
}

/// A recipient from its JSON form.
pub(super) fn recipient(recipient: Value) -> Result<Recipient, Error> {
    serde_json::from_value(recipient)
        .map_err(|error| Error::Cloud(format!("a person of the demo is refused: {error}")))
}

/// Publishes events.
pub(super) async fn put(bus: &EventBridge, events: impl Iterator<Item = &Event>) -> Result<(), Error> {
    let entries: Vec<Entry> = events.map(Entry::of).collect();
    for put in bus.put(&entries).await {
        put?;
    }
    Ok(())
}
