//! `carillon events`: lists and exports recorded events, by time or by aggregate.

use domain::audit::access::Object;
use domain::base::finding::Finding;
use domain::event::Event;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use store::{Events, MAX_PAGE, RecordedEvent, Stream, Timeline, Versioned, Way};

use crate::access;
use crate::args::{self, Chosen, EventsLs, EventsStream, Target};
use crate::cloud::Cloud;
use crate::error::{Done, Error};
use crate::explain::pending::is_own;
use crate::explain::refused;
use crate::since;
use crate::terminal::{Cell, Column, Ink, Table, Terminal, number, text, word};
use crate::times::{utc, utc_text};

/// The columns of `events ls`.
const LIST: [Column; 6] =
    [word("RECORDED"), word("TYPE"), text("SUBJECT"), word("ID"), text("SOURCE"), text("FINDINGS")];

/// The columns of `events stream`.
const STREAM: [Column; 7] = [
    number("VERSION"),
    word("TIME"),
    word("TYPE"),
    text("SUBJECT"),
    word("ID"),
    text("SOURCE"),
    word("STATE"),
];

pub(crate) async fn run(args: &args::Events, target: &Target, terminal: &Terminal) -> Done {
    let cloud = Cloud::of(target).await?;
    if let Some((operation, object, tenant)) = access_record(args, terminal.json) {
        access::record(&cloud, operation, object, tenant).await?;
    }
    let events = Events::new(&store::client(&cloud.config), cloud.name("events"));
    match args {
        args::Events::Ls(ls) if ls.refused => list_refused(&events, &ls.chosen, ls.limit, terminal).await,
        args::Events::Ls(ls) => list(&events, ls, terminal).await,
        args::Events::Stream(args) => stream(&events, args, terminal).await,
        args::Events::Export(args) => export(&events, &args.chosen, terminal).await,
    }
}

/// The access record of a command that prints payloads. Without `--json`, `ls` and `stream` print types and ids only.
fn access_record(args: &args::Events, json: bool) -> Option<(&'static str, Object, Option<&str>)> {
    match args {
        args::Events::Ls(ls) if json => {
            let event = Object::new("event", ls.chosen.id.as_deref());
            Some(("eventsLs", event, ls.chosen.tenant.as_deref()))
        }
        args::Events::Stream(stream) if json => {
            Some(("eventsStream", Object::new("stream", Some(&stream.subject)), stream.tenant.as_deref()))
        }
        args::Events::Ls(_) | args::Events::Stream(_) => None,
        args::Events::Export(export) => {
            let event = Object::new("event", export.chosen.id.as_deref());
            Some(("eventsExport", event, export.chosen.tenant.as_deref()))
        }
    }
}

/// The selected events in the order of their recording.
struct Selection<'a> {
    timeline: Timeline,
    chosen: &'a Chosen,
    /// Whether Carillon's own events are left out.
    is_mine: bool,
}

impl Selection<'_> {
    fn of<'a>(events: &Events, chosen: &'a Chosen, way: Way) -> Result<Selection<'a>, Error> {
        let (from, to) = (since::ago(&chosen.since)?, runtime::now());
        let timeline = match way {
            Way::Forward => events.timeline(from, to),
            Way::Back => events.timeline_back(from, to),
        };
        Ok(Selection { timeline, chosen, is_mine: chosen.mine })
    }

    async fn next(&mut self) -> Result<Option<RecordedEvent>, Error> {
        while let Some(dated) = self.timeline.next_dated().await? {
            let is_left_out = self.is_mine && is_own(&dated.event);
            if !is_left_out && self.chosen.matches(&dated.event) {
                return Ok(Some(dated));
            }
        }
        Ok(None)
    }
}

impl Chosen {
    fn matches(&self, event: &Event) -> bool {
        let is_tenant = self.tenant.is_none() || self.tenant == event.tenant;
        let is_type = self.kind.as_deref().is_none_or(|wanted| event.is_called(wanted));
        is_type && is_tenant && self.id.as_ref().is_none_or(|id| *id == event.id)
    }

    fn matches_type(&self, kind: &str) -> bool {
        self.kind.as_deref().is_none_or(|pattern| match pattern.strip_suffix('*') {
            Some(prefix) => kind.starts_with(prefix),
            None => kind == pattern,
        })
    }
}

/// Lists refused events. They have no tenant.
async fn list_refused(events: &Events, chosen: &Chosen, limit: usize, terminal: &Terminal) -> Done {
    let found = events.refusals(since::ago(&chosen.since)?, runtime::now(), chosen.id.as_deref()).await?;
    let matching: Vec<_> = found.iter().filter(|refused| chosen.matches_type(&refused.kind)).collect();
    let mut table = Table::new([word("RECORDED"), word("CAUSE"), word("TYPE"), word("ID"), text("SOURCE")]);
    for refused in matching.iter().take(limit) {
        if terminal.json {
            terminal.say_json(&refused::value(refused));
            continue;
        }
        table.row([
            Cell::ink(Ink::Quiet, utc(refused.recorded_at)),
            Cell::ink(Ink::Bad, &refused.class),
            Cell::ink(Ink::Strong, &refused.kind),
            refused.id.as_ref().unwrap_or(&refused.bus_id).into(),
            (&refused.source).into(),
        ]);
        table.note((&refused.why).into());
    }
    terminal.table(&table);
    if matching.len() > limit {
        terminal.note("more events exist; --limit shows them");
    }
    if matching.is_empty() {
        terminal.note(&format!("no matching event was refused since {}", chosen.since));
    }
    Ok(!matching.is_empty())
}

async fn list(events: &Events, args: &EventsLs, terminal: &Terminal) -> Done {
    let (chosen, limit) = (&args.chosen, args.limit);
    let way = if args.oldest_first { Way::Forward } else { Way::Back };
    let mut selection = Selection::of(events, chosen, way)?;
    let mut shown = 0;
    let mut table = Table::new(LIST);
    let mut more = None;
    while let Some(RecordedEvent { event, recorded_at, findings }) = selection.next().await? {
        if shown == limit {
            let newest = if args.oldest_first { "oldest" } else { "newest" };
            more = Some(format!(
                "the {newest} {limit}; --limit shows more, --mine leaves Carillon's own events out"
            ));
            break;
        }
        shown += 1;
        terminal.progress(&format!("{shown} events read …"));
        if terminal.json {
            let names: Vec<&str> = findings.iter().map(|finding| finding.name()).collect();
            let event = envelope(&event);
            terminal.say_json(
                &json!({ "recordedAt": recorded_at.to_string(), "event": event, "findings": names }),
            );
        } else {
            let [time, kind, subject, id, source] = cells(&utc(recorded_at), &event);
            table.row([time, kind, subject, id, source, Cell::ink(Ink::Bad, finding_names(&findings))]);
        }
        if terminal.is_closed() {
            return Ok(true);
        }
    }
    terminal.clear();
    terminal.table(&table);
    if let Some(more) = more {
        terminal.note(&more);
    }
    if shown == 0 {
        terminal.note(&format!("no matching event was recorded since {}", chosen.since));
    }
    Ok(shown > 0)
}

async fn export(events: &Events, chosen: &Chosen, terminal: &Terminal) -> Done {
    let mut selection = Selection::of(events, chosen, Way::Forward)?;
    let mut count = 0_usize;
    while let Some(RecordedEvent { event, .. }) = selection.next().await? {
        // Numbers and the order of members stay unchanged.
        let text = RawValue::from_string(event.to_json()).expect("events serialize to JSON");
        terminal.say_json(&text);
        // An incomplete backup is an error.
        terminal.is_complete()?;
        if terminal.is_closed() {
            break;
        }
        count += 1;
        terminal.progress(&format!("{count} events exported …"));
    }
    terminal.clear();
    Ok(true)
}

async fn stream(events: &Events, args: &EventsStream, terminal: &Terminal) -> Done {
    let stream = Stream::new(args.tenant.as_deref(), &args.subject);
    let (way, first) = if args.back { (Way::Back, u64::MAX) } else { (Way::Forward, 1) };
    let mut next = Some(args.from.unwrap_or(first));
    let mut left = args.limit;
    let mut table = Table::new(STREAM);
    while let Some(from) = next.filter(|_| left > 0) {
        let page = events.of_stream(&stream, from, way, u32::try_from(left).unwrap_or(MAX_PAGE)).await?;
        left = left.saturating_sub(page.events.len());
        for event in &page.events {
            show(event, &mut table, terminal);
        }
        next = page.next;
    }
    terminal.table(&table);
    if left == args.limit {
        terminal.note(
            "no event; a stream has events that were written to the outbox with a `sequence`, or appended",
        );
    }
    Ok(left < args.limit)
}

fn show(versioned: &Versioned, table: &mut Table, terminal: &Terminal) {
    if terminal.json {
        let event = envelope(&versioned.event);
        return terminal.say_json(
            &json!({ "version": versioned.version, "pending": versioned.is_pending, "event": event }),
        );
    }
    let pending = if versioned.is_pending { "pending" } else { "" };
    let time = utc_text(&versioned.event.time_text());
    let [time, kind, subject, id, source] = cells(&time, &versioned.event);
    let version = versioned.version.to_string();
    table.row([version.into(), time, kind, subject, id, source, Cell::ink(Ink::Note, pending)]);
}

/// The time, type, subject, id and source of an event.
fn cells(time: &str, event: &Event) -> [Cell; 5] {
    let subject = event.subject.as_deref().unwrap_or("-");
    let (time, kind) = (Cell::ink(Ink::Quiet, time), Cell::ink(Ink::Strong, &event.kind));
    [time, kind, subject.into(), (&event.id).into(), (&event.source).into()]
}

fn finding_names(findings: &[Finding]) -> String {
    findings.iter().map(|finding| finding.name()).collect::<Vec<_>>().join(", ")
}

fn envelope(event: &Event) -> Value {
    serde_json::from_str(&event.to_json()).unwrap_or_default()
}
