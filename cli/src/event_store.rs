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
use crate::terminal::{Ink, Terminal, plain};
use crate::times::{utc, utc_text};

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
    for refused in matching.iter().take(limit) {
        refused::show(refused, terminal);
    }
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
    while let Some(RecordedEvent { event, recorded_at, findings }) = selection.next().await? {
        if shown == limit {
            let newest = if args.oldest_first { "oldest" } else { "newest" };
            terminal.note(&format!(
                "the {newest} {limit}; --limit shows more, --mine leaves Carillon's own events out"
            ));
            break;
        }
        shown += 1;
        if terminal.json {
            let names: Vec<&str> = findings.iter().map(|finding| finding.name()).collect();
            let event = envelope(&event);
            terminal.say_json(
                &json!({ "recordedAt": recorded_at.to_string(), "event": event, "findings": names }),
            );
        } else {
            let text = line(&utc(recorded_at), &event, terminal);
            terminal.say(&format!("{text}{}", shown_findings(&findings, terminal)));
        }
    }
    if shown == 0 {
        terminal.note(&format!("no matching event was recorded since {}", chosen.since));
    }
    Ok(shown > 0)
}

async fn export(events: &Events, chosen: &Chosen, terminal: &Terminal) -> Done {
    let mut selection = Selection::of(events, chosen, Way::Forward)?;
    while let Some(RecordedEvent { event, .. }) = selection.next().await? {
        // Numbers and the order of members stay unchanged.
        let text = RawValue::from_string(event.to_json()).expect("events serialize to JSON");
        terminal.say_json(&text);
        // An incomplete backup is an error.
        terminal.is_complete()?;
    }
    Ok(true)
}

async fn stream(events: &Events, args: &EventsStream, terminal: &Terminal) -> Done {
    let stream = Stream::new(args.tenant.as_deref(), &args.subject);
    let (way, first) = if args.back { (Way::Back, u64::MAX) } else { (Way::Forward, 1) };
    let mut next = Some(args.from.unwrap_or(first));
    let mut left = args.limit;
    while let Some(from) = next.filter(|_| left > 0) {
        let page = events.of_stream(&stream, from, way, u32::try_from(left).unwrap_or(MAX_PAGE)).await?;
        left = left.saturating_sub(page.events.len());
        for event in &page.events {
            show(event, terminal);
        }
        next = page.next;
    }
    if left == args.limit {
        terminal.note(
            "no event; a stream has events that were written to the outbox with a `sequence`, or appended",
        );
    }
    Ok(left < args.limit)
}

fn show(versioned: &Versioned, terminal: &Terminal) {
    if terminal.json {
        let event = envelope(&versioned.event);
        return terminal.say_json(
            &json!({ "version": versioned.version, "pending": versioned.is_pending, "event": event }),
        );
    }
    let pending = if versioned.is_pending { "  pending" } else { "" };
    let time = utc_text(&versioned.event.time_text());
    terminal.say(&format!("{:>6}  {}{pending}", versioned.version, line(&time, &versioned.event, terminal)));
}

fn line(time: &str, event: &Event, terminal: &Terminal) -> String {
    let time = terminal.ink(Ink::Quiet, time);
    let about = event.subject.as_deref().unwrap_or("-");
    let kind = terminal.ink(Ink::Strong, &event.kind);
    format!("{time}  {kind}  {}  {}  from {}", plain(about), plain(&event.id), plain(&event.source))
}

/// The names of findings, for the end of a line.
fn shown_findings(findings: &[Finding], terminal: &Terminal) -> String {
    let shown = findings.iter().map(|finding| format!("  {}", terminal.ink(Ink::Bad, finding.name())));
    shown.collect()
}

fn envelope(event: &Event) -> Value {
    serde_json::from_str(&event.to_json()).unwrap_or_default()
}
