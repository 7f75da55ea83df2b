//! Decisions as readable text.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::base::channel::Channel;
use domain::catalog::Catalog;
use domain::event::Event;
use serde_json::{Value, json};
use store::LedgerRow;

use super::{Wanted, summary};
use crate::deciding::{PreviewedDecision, PreviewedOutcome};
use crate::terminal::{Ink, Terminal};
use crate::times::{in_utc, utc};

/// Prints the forecast decisions that the filter includes. Returns `false` if no notification is sent.
pub(super) fn show(
    (event, at): (&Event, Timestamp),
    catalog: &Catalog,
    previewed: &[PreviewedDecision],
    wanted: &Wanted,
    limit: usize,
    terminal: &Terminal,
) -> bool {
    let previewed: Vec<&PreviewedDecision> =
        previewed.iter().filter(|it| wanted.is(&it.recipient, it.channel)).collect();
    if terminal.json {
        super::refused::say_notes(event, terminal);
        previewed.iter().for_each(|it| terminal.say_json(&value(event, catalog, it)));
    } else {
        head(event, catalog, at, terminal);
        super::refused::say_notes(event, terminal);
        let mut left = limit;
        for (rule, of_rule) in by_rule(&previewed) {
            about_rule(rule, catalog, terminal);
            if previewed.len() > limit {
                summary::of_previewed(of_rule.iter().copied()).print(terminal);
            }
            for it in of_rule.into_iter().take(left) {
                left -= 1;
                line(it, at, terminal);
            }
        }
        if previewed.len() > limit {
            let more = previewed.len() - limit;
            terminal.note(&format!("{more} more lines; --limit {} shows them", previewed.len()));
        }
        if previewed.is_empty() {
            terminal.say("  nothing was decided about them: no rule that matches addresses them");
        }
    }
    previewed.iter().any(|it| it.what == PreviewedOutcome::Send)
}

/// Prints the decisions about a past event that have no ledger row.
pub(super) fn show_pending(
    event: &Event,
    rows: &[LedgerRow],
    catalog: &Catalog,
    missing: &[&PreviewedDecision],
    limit: usize,
    terminal: &Terminal,
) {
    let is_same = rows.iter().all(|row| row.catalog == catalog.version());
    if terminal.json {
        for previewed in missing {
            let mut value = value(event, catalog, previewed);
            value["status"] = json!("pending");
            terminal.say_json(&value);
        }
        return;
    }
    if missing.is_empty() {
        return;
    }
    terminal.say("");
    let version = catalog.version();
    let heading = match (rows.is_empty(), is_same) {
        (true, _) => format!("nothing is on record yet; decided again now, by catalog {version}:"),
        (false, true) => format!("decided again now, by catalog {version}; the ledger does not have:"),
        (false, false) => {
            format!(
                "decided again now, by catalog {version}, which is not the one of that time; the ledger does not have:"
            )
        }
    };
    terminal.say(&terminal.ink(Ink::Quiet, &heading));
    for (rule, of_rule) in by_rule(missing) {
        about_rule(rule, catalog, terminal);
        if missing.len() > limit {
            summary::of_previewed(of_rule.iter().copied()).print(terminal);
        }
        for previewed in of_rule.into_iter().take(limit) {
            pending_line(previewed, terminal);
        }
    }
}

fn pending_line(previewed: &PreviewedDecision, terminal: &Terminal) {
    let (ink, text) = match previewed.what {
        PreviewedOutcome::Send => (Ink::Note, "decided, not taken up yet".to_owned()),
        PreviewedOutcome::Suppress(_)
        | PreviewedOutcome::Later { .. }
        | PreviewedOutcome::Collect { .. }
        | PreviewedOutcome::Cancels => verdict(previewed),
    };
    let channel = previewed.channel.map_or("", Channel::name);
    terminal.say(&format!("  {:<20} {channel:<8} {}", previewed.recipient, terminal.ink(ink, &text)));
}

fn head(event: &Event, catalog: &Catalog, at: Timestamp, terminal: &Terminal) {
    let tenant = event.tenant.as_ref().map_or_else(String::new, |it| format!(" of tenant {it}"));
    let kind = terminal.ink(Ink::Strong, &event.kind);
    terminal.say(&format!("{kind} {} from {}{tenant}", event.id, event.source));
    terminal
        .say(&terminal.ink(Ink::Quiet, &format!("decided as of {}, catalog {}", utc(at), catalog.version())));
}

fn by_rule<'a>(previewed: &[&'a PreviewedDecision]) -> Vec<(Option<&'a str>, Vec<&'a PreviewedDecision>)> {
    let mut rules: Vec<(Option<&str>, Vec<&PreviewedDecision>)> = Vec::new();
    for it in previewed {
        let name = it.rule.as_deref();
        match rules.iter_mut().find(|(rule, _)| *rule == name) {
            Some((_, list)) => list.push(it),
            None => rules.push((name, vec![it])),
        }
    }
    rules
}

fn about_rule(rule: Option<&str>, catalog: &Catalog, terminal: &Terminal) {
    let Some(name) = rule else { return };
    let found = catalog.rule(name);
    let category = found.map_or("-", |it| it.category.as_str());
    let about = found.map_or("", |it| it.about.as_str());
    terminal.say("");
    terminal.say(&format!(
        "rule {} ({category})  {}",
        terminal.ink(Ink::Strong, name),
        terminal.ink(Ink::Quiet, about)
    ));
}

fn line(it: &PreviewedDecision, began: Timestamp, terminal: &Terminal) {
    let (ink, verdict) = verdict(it);
    let channel = it.channel.map_or("", Channel::name);
    let when = if it.at == began { String::new() } else { format!("{} ", utc(it.at)) };
    let (when, verdict) = (terminal.ink(Ink::Quiet, &when), terminal.ink(ink, &verdict));
    terminal.say(&format!("  {:<20} {channel:<8} {when}{verdict}", it.recipient));
    for note in &it.notes {
        let note = in_utc(&note.to_string());
        terminal.say(&terminal.ink(Ink::Quiet, &format!("  {:<20} {:<8} · {note}", "", "")));
    }
}

fn verdict(it: &PreviewedDecision) -> (Ink, String) {
    match it.what {
        PreviewedOutcome::Send if it.broadcast.is_some() => {
            (Ink::Good, "goes live to open sockets (broadcast)".to_owned())
        }
        PreviewedOutcome::Send => (Ink::Good, "is sent".to_owned()),
        PreviewedOutcome::Suppress(reason) => {
            (Ink::Bad, format!("is not sent: {} ({})", reason.meaning(), reason.name()))
        }
        PreviewedOutcome::Later { until, why } => {
            (Ink::Note, format!("waits until {}: {} ({})", utc(until), why.meaning(), why.name()))
        }
        PreviewedOutcome::Collect { closes_at } => {
            (Ink::Note, format!("is collected, and told with all others at {}", utc(closes_at)))
        }
        PreviewedOutcome::Cancels => (Ink::Note, "takes back what was waiting under its key".to_owned()),
    }
}

pub(super) fn value(event: &Event, catalog: &Catalog, it: &PreviewedDecision) -> Value {
    let mut value = BTreeMap::from([
        ("event", json!(event.id)),
        ("catalog", json!(catalog.version())),
        ("at", json!(it.at.to_string())),
        ("key", json!(it.key)),
        ("rule", json!(it.rule)),
        ("recipient", json!(it.recipient)),
        ("channel", json!(it.channel)),
        ("step", json!(it.step)),
        ("notes", json!(it.notes)),
        ("because", json!(it.notes.iter().map(ToString::to_string).collect::<Vec<_>>())),
    ]);
    if it.broadcast.is_some() {
        value.insert("broadcast", json!(true));
    }
    let (decision, reason, until) = match it.what {
        PreviewedOutcome::Send => ("send", None, None),
        PreviewedOutcome::Suppress(reason) => ("suppress", Some(reason), None),
        PreviewedOutcome::Later { until, why } => ("later", Some(why), Some(until)),
        PreviewedOutcome::Collect { closes_at } => ("collect", None, Some(closes_at)),
        PreviewedOutcome::Cancels => ("cancel", None, None),
    };
    value.insert("decision", json!(decision));
    value.insert("reason", json!(reason));
    value.insert("until", json!(until.map(|until| until.to_string())));
    json!(value)
}
