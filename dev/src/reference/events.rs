//! `events.md`, from the table of emitted events in `domain`.

use std::fmt::Write as _;

use domain::Timestamp;
use domain::base::outcome::Status;
use domain::event::Event;
use domain::event::emitted::{EMITTED, Emitted};
use serde_json::Value;

use super::markdown::{cell, json_block, wrap};

const HEAD: &str = "# Events that Carillon publishes

Subscribe to these events with rules of your own on the bus. They name recipients by id, and never carry an address or a
text, except `recipient.address_changed`. Each of them costs one event of EventBridge. A replay publishes recorded
events of other types under the source `carillon/replay` ([Replay](../operate/replay.md)).

[consumer-rust](../../examples/consumer-rust/README.md) and [consumer-python](../../examples/consumer-python/README.md)
subscribe to such events and handle each once.

| type | source | when |
|---|---|---|
";

/// Sections about single events, written by hand.
const NOTES: [(&str, &str); 2] = [
    (
        "communication.sent",
        "`messageId` of a result is the provider's id, or the notification's key if the provider gives none. It is null if no\nmessage was sent. An event whose notifications all failed or were suppressed leads to one with `success: false`.\n\nAn event leads to no `communication.sent` in these cases:\n\n- No rule matches it.\n- It only takes back waiting notifications.\n- It was collected into a digest.\n- It only concerns endpoints that do not want it.\n",
    ),
    (
        "recipient.address_changed",
        "The event never carries the new address. [Privacy](../security/privacy.md#changed-addresses) describes its use.\n",
    ),
];

/// The page.
pub(super) fn page() -> String {
    let mut page = HEAD.to_owned();
    for row in &EMITTED {
        let _ = writeln!(page, "| {} | {} | {} |", codes(row.types), codes(row.sources), cell(row.when));
    }
    for row in &EMITTED {
        section(&mut page, row);
    }
    page
}

fn codes(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn section(page: &mut String, row: &Emitted) {
    let _ = writeln!(page, "\n## {}\n", codes(row.types));
    if row.types.iter().any(|name| name.contains("<status>")) {
        let finals = Status::ALL.into_iter().filter(|status| status.is_final()).map(Status::name);
        let finals = finals.collect::<Vec<_>>();
        let _ = writeln!(page, "{}\n", wrap(&format!("A `<status>` is one of {}.", codes(&finals))));
    }
    let _ = writeln!(
        page,
        "The subject is {}. Members of `data`:\n\n| member | content |\n|---|---|",
        row.subject
    );
    for member in row.members {
        let optional = if member.is_optional { "; can be absent" } else { "" };
        let _ = writeln!(page, "| `{}` | {}{optional} |", member.name, cell(member.meaning));
    }
    let _ = writeln!(page, "\n```json\n{}\n```", json_block(&example(row)));
    for (kind, note) in NOTES {
        if row.types.contains(&kind) {
            let _ = write!(page, "\n{note}");
        }
    }
}

/// The whole event, as a rule of the bus sees it under `detail`.
fn example(row: &Emitted) -> Value {
    let kind = row.types[0].replace("<status>", Status::Failed.name());
    let time: Timestamp = Timestamp::constant(1_795_176_000, 0);
    let event = Event::new(row.sources[0], &kind, "9f2c5d".to_owned(), time, &row.example());
    serde_json::from_str(&event.to_json()).unwrap_or_default()
}
