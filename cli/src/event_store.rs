//! `carillon events`: what happened, by time and by aggregate.

use domain::access::Object;
use domain::event::Event;
use domain::finding::Finding;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use store::{Dated, Events, MAX_PAGE, Stream, Timeline, Versioned, Way};

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
    if let Some((operation, object, tenant)) = discloses(args, terminal.json) {
        access::record(&cloud, operation, object, tenant).await?;
    }
    let events = Events::new(&store::client(&cloud.config), cloud.name("events"));
    match args {
        args::Events::Ls(ls) if ls.refused => list_refused(&events, &ls.chosen, ls.limit, terminal).await,
        args::Events::Ls(ls) => list(&events, ls, terminal).await,
        args::Events::Stream(it) => stream(&events, it, terminal).await,
        args::Events::Export(it) => export(&events, &it.chosen, terminal).await,
    }
}

/// The record of a command that prints payloads. Without `--json`, `ls` and `stream` print types and ids alone.
fn discloses(args: &args::Events, json: bool) -> Option<(&'static str, Object, Option<&str>)> {
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

/// Events as they were recorded, those that were chosen.
struct Choice<'a> {
    timeline: Timeline,
    chosen: &'a Chosen,
    /// Events of Carillon's own are left out.
    is_mine: bool,
}

impl Choice<'_> {
    fn of<'a>(events: &Events, chosen: &'a Chosen, way: Way) -> Result<Choice<'a>, Error> {
        let (from, to) = (since::ago(&chosen.since)?, runtime::now());
        let timeline = match way {
            Way::Forward => events.timeline(from, to),
            Way::Back => events.timeline_back(from, to),
        };
        Ok(Choice { timeline, chosen, is_mine: chosen.mine })
    }

    async fn next(&mut self) -> Result<Option<Dated>, Error> {
        while let Some(dated) = self.timeline.next_dated().await? {
            let is_left_out = self.is_mine && is_own(&dated.event);
            if !is_left_out && self.chosen.means(&dated.event) {
                return Ok(Some(dated));
            }
        }
        Ok(None)
    }
}

impl Chosen {
    fn means(&self, event: &Event) -> bool {
        let is_tenant = self.tenant.is_none() || self.tenant == event.tenant;
        let is_type = self.kind.as_deref().is_none_or(|wanted| event.is_called(wanted));
        is_type && is_tenant && self.id.as_ref().is_none_or(|id| *id == event.id)
    }

    fn means_type(&self, kind: &str) -> bool {
        self.kind.as_deref().is_none_or(|it| match it.strip_suffix('*') {
            Some(beginning) => kind.starts_with(beginning),
            None => kind == it,
        })
    }
}

/// Lists what was refused. Tenants are not told apart: a refused event speaks for none.
async fn list_refused(events: &Events, chosen: &Chosen, limit: usize, terminal: &Terminal) -> Done {
    let found = events.refusals(since::ago(&chosen.since)?, runtime::now(), chosen.id.as_deref()).await?;
    let chosen_ones: Vec<_> = found.iter().filter(|it| chosen.means_type(&it.kind)).collect();
    for refused in chosen_ones.iter().take(limit) {
        refused::show(refused, terminal);
    }
    if chosen_ones.len() > limit {
        terminal.note("there is more; --limit shows it");
    }
    if chosen_ones.is_empty() {
        terminal.note(&format!("nothing that fits was refused since {}", chosen.since));
    }
    Ok(!chosen_ones.is_empty())
}

async fn list(events: &Events, args: &EventsLs, terminal: &Terminal) -> Done {
    let (chosen, limit) = (&args.chosen, args.limit);
    let way = if args.oldest_first { Way::Forward } else { Way::Back };
    let mut choice = Choice::of(events, chosen, way)?;
    let mut shown = 0;
    while let Some(Dated { event, recorded_at: at, findings }) = choice.next().await? {
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
            terminal.say_json(&json!({ "recordedAt": at.to_string(), "event": event, "findings": names }));
        } else {
            let said = line(&utc(at), &event, terminal);
            terminal.say(&format!("{said}{}", shown_findings(&findings, terminal)));
        }
    }
    if shown == 0 {
        terminal.note(&format!("nothing that fits was recorded since {}", chosen.since));
    }
    Ok(shown > 0)
}

async fn export(events: &Events, chosen: &Chosen, terminal: &Terminal) -> Done {
    let mut choice = Choice::of(events, chosen, Way::Forward)?;
    while let Some(Dated { event, .. }) = choice.next().await? {
        // Numbers and the order of members stay as they were written.
        let text = RawValue::from_string(event.to_json()).expect("an event writes itself as JSON");
        terminal.say_json(&text);
        // A backup that is cut off is none.
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
        terminal.note("there is no event; a stream holds what was put into the outbox with a `sequence`, or appended to it");
    }
    Ok(left < args.limit)
}

fn show(it: &Versioned, terminal: &Terminal) {
    if terminal.json {
        let event = envelope(&it.event);
        return terminal
            .say_json(&json!({ "version": it.version, "pending": it.is_pending, "event": event }));
    }
    let pending = if it.is_pending { "  pending" } else { "" };
    let time = utc_text(&it.event.time_text());
    terminal.say(&format!("{:>6}  {}{pending}", it.version, line(&time, &it.event, terminal)));
}

fn line(time: &str, event: &Event, terminal: &Terminal) -> String {
    let at = terminal.ink(Ink::Quiet, time);
    let about = event.subject.as_deref().unwrap_or("-");
    let kind = terminal.ink(Ink::Strong, &event.kind);
    format!("{at}  {kind}  {}  {}  from {}", plain(about), plain(&event.id), plain(&event.source))
}

/// The names of findings, behind an event's line.
fn shown_findings(findings: &[Finding], terminal: &Terminal) -> String {
    let shown = findings.iter().map(|finding| format!("  {}", terminal.ink(Ink::Bad, finding.name())));
    shown.collect()
}

fn envelope(event: &Event) -> Value {
    serde_json::from_str(&event.to_json()).unwrap_or_default()
}
