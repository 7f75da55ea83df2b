//! `carillon tail`: follows events, decisions and deliveries.

use std::time::Duration;

use serde_json::{Value, json};
use store::{Item, LedgerRow, Record};

use crate::args::{Tail, Target};
use crate::cloud::Cloud;
use crate::error::{Done, Error};
use crate::status;
use crate::terminal::{Ink, Terminal, plain};
use crate::times::{in_utc, utc, utc_text};

mod source;
mod stream;
mod table;

use source::Source;

/// The interval between two reads. DynamoDB allows five reads a second for each shard.
const PAUSE: Duration = Duration::from_millis(500);

pub(crate) async fn run(args: &Tail, target: &Target, terminal: &Terminal) -> Done {
    let cloud = Cloud::of(target).await?;
    let mut events = Source::open(&cloud, "events", args.all).await?;
    let mut ledger = Source::open(&cloud, "ledger", args.all).await?;
    let until = args.seconds.map(|second| runtime::now() + Duration::from_secs(second));
    terminal.note(&format!("following {}; stop with Ctrl-C", cloud.bus()));
    loop {
        for line in events.read().await?.into_iter().filter_map(event) {
            show(terminal, &line);
        }
        for line in ledger.read().await?.iter().filter_map(notification) {
            show(terminal, &line);
        }
        if terminal.is_closed() || until.is_some_and(|until| until <= runtime::now()) {
            return Ok(true);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// A line of the output.
struct Line {
    time: String,
    word: &'static str,
    ink: Ink,
    text: String,
    json: Value,
}

fn show(terminal: &Terminal, line: &Line) {
    if terminal.json {
        return terminal.say_json(&line.json);
    }
    let word = terminal.ink(line.ink, &format!("{:<10}", line.word));
    // Names, ids and reasons come from producers.
    terminal.say(&format!("{}  {word}  {}", terminal.ink(Ink::Quiet, &line.time), plain(&line.text)));
}

/// The line of an event in the event store or outbox. `None` for rows without an event (the head of a stream, the guard of an
/// id), and for events that a ledger line shows already.
fn event(item: Item) -> Option<Line> {
    let record = Record::from_item(item);
    let kind = record.get("type")?;
    // `carillon audit access` lists access records.
    if kind.starts_with(domain::feedback::delivery_events::DELIVERY)
        || kind == domain::audit::access::RECORDED
    {
        return None;
    }
    let get = |name: &str| record.get(name).unwrap_or("-").to_owned();
    let (kind, id, source) = (get("type"), get("id"), get("source"));
    let mut text = format!("{kind}  {id}  from {source}");
    for (name, value) in [("tenant", record.get("tenant")), ("actor", record.get("actor"))] {
        if let Some(value) = value {
            text.push_str(&format!("  {name} {value}"));
        }
    }
    let replay = record.get("replay_id").map(str::to_owned);
    if let Some(replay) = &replay {
        text.push_str(&format!("  by replay {replay}"));
    }
    let refused = record.get("refused").map(str::to_owned);
    if let Some(why) = &refused {
        text.push_str(&format!("  {why}"));
    }
    let findings = record.findings();
    for finding in &findings {
        text.push_str(&format!("  {}", finding.name()));
    }
    let (word, ink) = match (&refused, record.get("pending")) {
        (Some(_), _) => ("refused", Ink::Bad),
        (None, None) if replay.is_some() => ("replayed", Ink::Note),
        (None, Some(_)) => ("pending", Ink::Note),
        (None, None) => ("event", Ink::Strong),
    };
    let recorded_at = record.get("recorded_at").or(record.get("appended_at"));
    let json = json!({
        "at": recorded_at, "kind": word, "type": kind, "id": id, "source": source,
        "tenant": record.get("tenant"), "actor": record.get("actor"), "traceparent": record.get("traceparent"),
        "correlationid": record.get("correlation_id"), "refused": refused, "replay": replay,
        "findings": findings.iter().map(|finding| finding.name()).collect::<Vec<_>>(),
    });
    Some(Line { time: clock(recorded_at), word, ink, text, json })
}

/// The line of a ledger row.
fn notification(item: &Item) -> Option<Line> {
    let row = LedgerRow::read(item)?;
    let (ink, word) = (status::ink(row.status), status::word(row.status, row.reason));
    let channel = row.channel.map_or("-", domain::base::channel::Channel::name);
    let mut text = format!("{channel} to {}  {}  by rule {}", row.recipient, row.origin.kind, row.rule);
    if let Some(reason) = row.reason {
        text.push_str(&format!("  because {} ({})", reason.meaning(), reason.name()));
    }
    if let Some(until) = row.until {
        text.push_str(&format!(", at {}", utc(until)));
    }
    if let Some(note) = &row.note {
        text.push_str(&format!("  ({})", in_utc(note)));
    }
    if let Some(replay) = &row.origin.replay {
        text.push_str(&format!("  by replay {replay}"));
    }
    for (mark, time) in row.marks.states(row.status) {
        text.push_str(&format!("  {mark} at {}", utc(time)));
    }
    let changed_at = item.get("heard_at").or(item.get("settled_at")).or(item.get("claimed_at"));
    let json = json!({
        "at": changed_at, "kind": "notification", "status": row.status, "reason": row.reason, "note": row.note,
        "until": row.until, "step": row.step, "digest": row.joined, "key": row.key,
        "event": row.origin.id, "type": row.origin.kind, "tenant": row.origin.tenant, "rule": row.rule,
        "recipient": row.recipient, "channel": channel, "catalog": row.catalog, "provider_id": row.provider_id,
        "correlationid": row.origin.correlation_id, "traceparent": row.origin.traceparent,
        "delivered_at": row.marks.delivered_at, "bounced_at": row.marks.bounced_at,
        "complained_at": row.marks.complained_at, "seen_at": row.marks.seen_at, "replay": row.origin.replay,
    });
    Some(Line { time: clock(changed_at), word, ink, text, json })
}

fn clock(time: Option<&str>) -> String {
    time.map_or_else(|| "-".to_owned(), utc_text)
}

/// An error of the streams API.
fn stream_error(doing: &str, error: &(dyn std::error::Error + 'static)) -> Error {
    Error::Cloud(format!("cannot {doing}: {}", aws::chain(error)))
}
