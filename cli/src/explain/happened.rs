//! Explanations of past events: the ledger rows of the event and of the digests that contain it.

use std::collections::BTreeSet;

use domain::Timestamp;
use domain::audit::access::Object;
use domain::base::channel::Channel;
use domain::base::finding::Finding;
use domain::base::outcome::{Reason, Status};
use domain::catalog::rule::Record;
use domain::event::Event;
use domain::event::own_events::DIGEST_SOURCE;
use serde_json::{Value, json};
use store::{Events, Ledger, LedgerRow};

use super::Wanted;
use super::pending::{self, Decider};
use super::refused;
use super::replays::{self, Replayed};
use super::summary;
use super::webhooks::{self, Answers};
use crate::access;
use crate::args::{Explain, Target};
use crate::cloud::Cloud;
use crate::deciding::PreviewedDecision;
use crate::error::{Done, Error};
use crate::since::ago;
use crate::terminal::{Ink, Terminal};
use crate::times::{in_utc, utc};

/// The shortest duration of a send that the output mentions, in seconds.
const WORTH_SAYING_S: i64 = 5;

pub(super) async fn run(args: &Explain, wanted: &Wanted, target: &Target, terminal: &Terminal) -> Done {
    if args.at.is_some() {
        let fix = "name a file to decide about at another time, or leave --at out";
        return Err(Error::usage("--at is for an event that has not happened", fix));
    }
    let cloud = Cloud::of(target).await?;
    let object = Object::new("event", Some(&args.event));
    access::record(&cloud, "explain", object, None).await?;
    let Some(event) = find(args, &cloud, terminal).await? else {
        return refused::run(args, &cloud, terminal).await;
    };
    let ledger = Ledger::new(&store::client(&cloud.config), cloud.name("ledger"));
    let all = rows(&ledger, &event).await?;
    let mut rows = all.clone();
    rows.retain(|row| wanted.is(&row.recipient, row.channel));
    let replays = replays::of(&event, &rows, &cloud).await?;
    let events = Events::new(&store::client(&cloud.config), cloud.name("events"));
    let findings = events.findings(&event).await?;
    let answers = webhooks::answers(&rows, &cloud).await?;
    print(&event, &findings, &replays, terminal);
    print_rows(&rows, &answers, args.limit, terminal);
    let pending = still_pending(args, wanted, (&event, &all), &cloud, terminal).await;
    match pending {
        Some(count) if rows.is_empty() && count == 0 => {
            terminal.note("nothing is on record, and no rule of this catalog addresses them; --recipient and --channel narrow what is shown");
        }
        None if rows.is_empty() => {
            terminal.note(
                "nothing is on record: no rule that matched addressed them, or the event is not decided yet",
            );
        }
        Some(_) | None => {}
    }
    Ok(rows.iter().any(|row| row.status.was_sent()))
}

/// Prints decisions that no channel has claimed yet, and counts them. Returns `None` if they cannot be determined here.
async fn still_pending(
    args: &Explain,
    wanted: &Wanted,
    (event, rows): (&Event, &[LedgerRow]),
    cloud: &Cloud,
    terminal: &Terminal,
) -> Option<usize> {
    if pending::is_own(event) {
        return Some(0);
    }
    let decided = async {
        let decider = Decider::open(args.config.as_deref(), cloud).await?;
        let seen_at = decider.seen_at(event).await?;
        let previewed = decider.decide(event, seen_at, None).await?;
        Ok::<_, Error>((decider, previewed))
    };
    let (decider, previewed) = match decided.await {
        Ok(decided) => decided,
        Err(error) => {
            terminal.note(&format!("messages that wait in a channel's queue are not shown: {error}"));
            return None;
        }
    };
    let unrecorded = say_unrecorded(&previewed, terminal);
    let mut missing = pending::missing(&previewed, rows, event, runtime::now());
    missing.retain(|previewed| wanted.is(&previewed.recipient, previewed.channel));
    if *decider.is_cut.borrow() {
        let most = pending::MAX_MEMBERS;
        terminal.note(&format!("of groups with more than {most} members only the first are looked at"));
    }
    super::picture::show_pending(event, rows, decider.catalog(), &missing, args.limit, terminal);
    Some(missing.len() + unrecorded)
}

/// Names the broadcast rules without ledger rows, and counts them.
fn say_unrecorded(previewed: &[PreviewedDecision], terminal: &Terminal) -> usize {
    let unrecorded = previewed.iter().filter(|previewed| previewed.broadcast == Some(Record::None));
    let rules: BTreeSet<&str> = unrecorded.filter_map(|previewed| previewed.rule.as_deref()).collect();
    for rule in &rules {
        terminal.note(&format!(
            "the rule {rule} broadcasts with `record: none`, so no row says who got it; `carillon explain FILE` shows its targets"
        ));
    }
    rules.len()
}

/// Returns all ledger rows of an event and of the digests that contain it, ordered by rule and recipient.
pub(crate) async fn rows(ledger: &Ledger, event: &Event) -> Result<Vec<LedgerRow>, Error> {
    let mut rows = ledger.of_event(&event.source, &event.id).await?;
    let windows: BTreeSet<String> = rows.iter().filter_map(|row| row.joined.clone()).collect();
    for window in windows {
        rows.extend(ledger.of_event(DIGEST_SOURCE, &window).await?);
    }
    rows.sort_by_key(order);
    Ok(rows)
}

/// Finds the accepted event with this id.
async fn find(args: &Explain, cloud: &Cloud, terminal: &Terminal) -> Result<Option<Event>, Error> {
    let events = Events::new(&store::client(&cloud.config), cloud.name("events"));
    let from = ago(&args.since)?;
    terminal.progress(&format!("looking for {} …", args.event));
    let mut found = events.by_id(&args.event, from, runtime::now()).await?;
    terminal.clear();
    if let Some(source) = &args.source {
        if let Some(other) = found.first().filter(|_| found.iter().all(|it| it.source != *source)) {
            let what = format!("{} is no event of {source}", args.event);
            return Err(Error::usage(what, format!("it is one of {}", other.source)));
        }
        found.retain(|it| it.source == *source);
    }
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some(event), None) => Ok(Some(event)),
        (Some(one), Some(other)) => {
            let what = format!("{} is an event of {} and of {}", args.event, one.source, other.source);
            Err(Error::usage(what, "name one with --source"))
        }
        (None, _) => Ok(None),
    }
}

/// Sorts by recipient, then by the order of a rule's steps, then by channel.
fn order(row: &LedgerRow) -> (String, String, bool, u32, Option<&'static str>) {
    let is_digest = row.origin.source == DIGEST_SOURCE;
    (row.rule.clone(), row.recipient.clone(), is_digest, row.step, row.channel.map(Channel::name))
}

fn print(event: &Event, findings: &[Finding], replays: &[Replayed], terminal: &Terminal) {
    if terminal.json {
        for finding in findings {
            terminal.say_json(&json!({ "finding": finding.name(), "meaning": finding.meaning() }));
        }
        refused::say_notes(event, terminal);
        replays.iter().for_each(|replay| terminal.say_json(replay));
        return;
    }
    let tenant = event.tenant.as_ref().map_or_else(String::new, |it| format!(" of tenant {it}"));
    terminal.say(&format!(
        "{} {} from {}{tenant}",
        terminal.ink(Ink::Strong, &event.kind),
        event.id,
        event.source
    ));
    for finding in findings {
        let states = format!("{}: {}", finding.name(), finding.meaning());
        terminal.say(&terminal.ink(Ink::Bad, &states));
    }
    refused::say_notes(event, terminal);
    replays.iter().for_each(|replay| terminal.say(&replay.line(terminal)));
}

/// Prints one line for each row. Above `limit` rows, prints a summary for each rule and the first rows.
fn print_rows(rows: &[LedgerRow], answers: &Answers, limit: usize, terminal: &Terminal) {
    if terminal.json {
        for row in rows {
            let mut value = value(row);
            answers.add_to(&mut value, &row.key);
            terminal.say_json(&value);
        }
        return;
    }
    let mut rule = None;
    for (place, row) in rows.iter().enumerate() {
        if rule != Some(&row.rule) {
            terminal.say("");
            let name = terminal.ink(Ink::Strong, &row.rule);
            terminal.say(&format!(
                "rule {name}  {}",
                terminal.ink(Ink::Quiet, &format!("catalog {}", row.catalog))
            ));
            rule = Some(&row.rule);
            if rows.len() > limit {
                summary::of(rows.iter().filter(|other| other.rule == row.rule)).print(terminal);
            }
        }
        if place < limit {
            line(row, terminal);
            if let Some(states) = answers.states(&row.key) {
                terminal.say(&terminal.ink(Ink::Quiet, &format!("  {:<20} {:<8} · {states}", "", "")));
            }
        }
    }
    if rows.len() > limit {
        let left = rows.len() - limit;
        terminal
            .note(&format!("{left} more lines; --limit {} shows them, --recipient those of one", rows.len()));
    }
}

pub(crate) fn value(row: &LedgerRow) -> Value {
    json!({
        "event": row.origin.id, "source": row.origin.source, "key": row.key, "rule": row.rule,
        "recipient": row.recipient, "channel": row.channel, "step": row.step, "status": row.status,
        "reason": row.reason, "because": row.note, "until": row.until, "digest": row.joined,
        "catalog": row.catalog, "provider_id": row.provider_id,
        "at": row.ended_at().or(row.times.begun_at), "begun_at": row.times.begun_at,
        "delivered_at": row.marks.delivered_at, "bounced_at": row.marks.bounced_at,
        "complained_at": row.marks.complained_at, "seen_at": row.marks.seen_at, "replay": row.origin.replay,
    })
}

pub(crate) fn line(row: &LedgerRow, terminal: &Terminal) {
    let (ink, states) = match row.status {
        Status::Sent => (Ink::Good, format!("was sent{}", sent_at(row))),
        Status::Claimed => (Ink::Note, format!("is being sent{}", taken_up(row))),
        Status::Released => {
            (Ink::Note, format!("is retried: its provider has not taken it yet{}", taken_up(row)))
        }
        Status::Unknown => {
            let states = "may have been sent: the provider's answer never came";
            (Ink::Bad, format!("{states}{}", row.ended_at().map_or_else(String::new, since)))
        }
        Status::Deferred => {
            let until = row.until.map_or_else(|| "later".to_owned(), utc);
            let verb = if row.until.is_some_and(|until| until > runtime::now()) { "waits" } else { "waited" };
            (Ink::Note, format!("{verb} until {until}: {}", meaning(row.reason)))
        }
        Status::Suppressed if row.reason == Some(Reason::Merged) => {
            let until = row.until.map_or_else(|| "later".to_owned(), utc);
            (Ink::Note, format!("was collected, and told with all others at {until}"))
        }
        Status::Suppressed => (Ink::Bad, format!("was not sent: {}", meaning(row.reason))),
        Status::Failed => (Ink::Bad, format!("failed{}: {}", sent_at(row), meaning(row.reason))),
        Status::Unconfirmed => (Ink::Note, format!("was sent{}, and {}", sent_at(row), meaning(row.reason))),
        Status::Undelivered => {
            (Ink::Bad, format!("was sent and not delivered: {}; sent{}", meaning(row.reason), sent_at(row)))
        }
        Status::Bounced => {
            (Ink::Bad, format!("was sent and came back: {}; sent{}", meaning(row.reason), sent_at(row)))
        }
        Status::Delivered => (Ink::Good, format!("was delivered; sent{}", sent_at(row))),
    };
    let marks: String =
        row.marks.states(row.status).map(|(states, at)| format!("; {states} at {}", utc(at))).collect();
    let states = format!("{states}{marks}");
    let channel = row.channel.map_or("", Channel::name);
    let states = match &row.origin.replay {
        Some(replay) => format!("{states} (by replay {replay})"),
        None => states,
    };
    let digest = if row.origin.source == DIGEST_SOURCE { " (the digest)" } else { "" };
    terminal.say(&format!("  {:<20} {channel:<8} {}{digest}", row.recipient, terminal.ink(ink, &states)));
    if let Some(note) = &row.note {
        terminal.say(&terminal.ink(Ink::Quiet, &format!("  {:<20} {:<8} · {}", "", "", in_utc(note))));
    }
}

/// Returns the end of the send, and the time of the claim if the send took seconds.
fn sent_at(row: &LedgerRow) -> String {
    let Some(ended) = row.ended_at() else { return String::new() };
    let took = row.took().map_or(0, |took| took.as_secs());
    match row.times.begun_at.filter(|_| took >= WORTH_SAYING_S) {
        Some(begun) => format!(" at {} (taken up at {}, {took} s before)", utc(ended), utc(begun)),
        None => format!(" at {}", utc(ended)),
    }
}

fn taken_up(row: &LedgerRow) -> String {
    row.times.begun_at.map_or_else(String::new, |begun| format!("; taken up at {}", utc(begun)))
}

fn since(ended: Timestamp) -> String {
    format!("; since {}", utc(ended))
}

fn meaning(reason: Option<Reason>) -> String {
    reason.map_or_else(|| "-".to_owned(), |it| format!("{} ({})", it.meaning(), it.name()))
}
