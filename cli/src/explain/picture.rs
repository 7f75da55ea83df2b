//! Decisions as readable text.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::base::channel::Channel;
use domain::catalog::Catalog;
use domain::event::Event;
use serde_json::{Value, json};
use store::LedgerRow;

use super::{Wanted, summary};
use crate::deciding::{Told, What};
use crate::terminal::{Ink, Terminal};
use crate::times::{in_utc, utc};

/// Prints the forecast decisions that the filter includes. Returns `false` if no notification is sent.
pub(super) fn show(
    (event, at): (&Event, Timestamp),
    catalog: &Catalog,
    told: &[Told],
    wanted: &Wanted,
    limit: usize,
    terminal: &Terminal,
) -> bool {
    let told: Vec<&Told> = told.iter().filter(|it| wanted.is(&it.recipient, it.channel)).collect();
    if terminal.json {
        super::refused::say_notes(event, terminal);
        told.iter().for_each(|it| terminal.say_json(&value(event, catalog, it)));
    } else {
        head(event, catalog, at, terminal);
        super::refused::say_notes(event, terminal);
        let mut left = limit;
        for (rule, of_rule) in by_rule(&told) {
            about_rule(rule, catalog, terminal);
            if told.len() > limit {
                summary::of_told(of_rule.iter().copied()).print(terminal);
            }
            for it in of_rule.into_iter().take(left) {
                left -= 1;
                line(it, at, terminal);
            }
        }
        if told.len() > limit {
            let more = told.len() - limit;
            terminal.note(&format!("{more} more lines; --limit {} shows them", told.len()));
        }
        if told.is_empty() {
            terminal.say("  nothing was decided about them: no rule that matches addresses them");
        }
    }
    told.iter().any(|it| it.what == What::Send)
}

/// Prints the decisions about a past event that have no ledger row.
pub(super) fn show_pending(
    event: &Event,
    rows: &[LedgerRow],
    catalog: &Catalog,
    missing: &[&Told],
    limit: usize,
    terminal: &Terminal,
) {
    let is_same = rows.iter().all(|row| row.catalog == catalog.version());
    if terminal.json {
        for told in missing {
            let mut value = value(event, catalog, told);
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
            summary::of_told(of_rule.iter().copied()).print(terminal);
        }
        for told in of_rule.into_iter().take(limit) {
            pending_line(told, terminal);
        }
    }
}

fn pending_line(told: &Told, terminal: &Terminal) {
    let (ink, said) = match told.what {
        What::Send => (Ink::Note, "decided, not taken up yet".to_owned()),
        What::Suppress(_) | What::Later { .. } | What::Collect { .. } | What::Cancels => verdict(told),
    };
    let channel = told.channel.map_or("", Channel::name);
    terminal.say(&format!("  {:<20} {channel:<8} {}", told.recipient, terminal.ink(ink, &said)));
}

fn head(event: &Event, catalog: &Catalog, at: Timestamp, terminal: &Terminal) {
    let tenant = event.tenant.as_ref().map_or_else(String::new, |it| format!(" of tenant {it}"));
    let kind = terminal.ink(Ink::Strong, &event.kind);
    terminal.say(&format!("{kind} {} from {}{tenant}", event.id, event.source));
    terminal
        .say(&terminal.ink(Ink::Quiet, &format!("decided as of {}, catalog {}", utc(at), catalog.version())));
}

fn by_rule<'a>(told: &[&'a Told]) -> Vec<(Option<&'a str>, Vec<&'a Told>)> {
    let mut rules: Vec<(Option<&str>, Vec<&Told>)> = Vec::new();
    for it in told {
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

fn line(it: &Told, began: Timestamp, terminal: &Terminal) {
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

fn verdict(it: &Told) -> (Ink, String) {
    match it.what {
        What::Send if it.broadcast.is_some() => {
            (Ink::Good, "goes live to open sockets (broadcast)".to_owned())
        }
        What::Send => (Ink::Good, "is sent".to_owned()),
        What::Suppress(reason) => {
            (Ink::Bad, format!("is not sent: {} ({})", reason.meaning(), reason.name()))
        }
        What::Later { until, why } => {
            (Ink::Note, format!("waits until {}: {} ({})", utc(until), why.meaning(), why.name()))
        }
        What::Collect { closes_at } => {
            (Ink::Note, format!("is collected, and told with all others at {}", utc(closes_at)))
        }
        What::Cancels => (Ink::Note, "takes back what was waiting under its key".to_owned()),
    }
}

pub(super) fn value(event: &Event, catalog: &Catalog, it: &Told) -> Value {
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
        What::Send => ("send", None, None),
        What::Suppress(reason) => ("suppress", Some(reason), None),
        What::Later { until, why } => ("later", Some(why), Some(until)),
        What::Collect { closes_at } => ("collect", None, Some(closes_at)),
        What::Cancels => ("cancel", None, None),
    };
    value.insert("decision", json!(decision));
    value.insert("reason", json!(reason));
    value.insert("until", json!(until.map(|until| until.to_string())));
    json!(value)
}
