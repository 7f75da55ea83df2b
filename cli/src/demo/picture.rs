//! What a person sees at the end of the demo, and whether all of it is right.

use domain::Timestamp;
use domain::channel::Channel;
use domain::outcome::{Reason, Status};
use serde_json::{Value, json};

use crate::terminal::{Ink, Terminal};
use crate::times::utc;

use super::ears::Heard;
use super::mailbox::Mailbox;
use super::story::{Expected, Notification, Story};

/// How wide a line may be before a text in it is cut.
const WIDTH: usize = 68;

/// One line of the picture.
struct Row {
    right: bool,
    sign: &'static str,
    text: String,
    json: Value,
}

/// What is counted.
#[derive(Default)]
struct Tally {
    letters: usize,
    messages: usize,
    withheld: usize,
    wrong: usize,
}

/// Prints every story; `true` when everything that was expected arrived, once.
pub(super) fn show(
    stories: &[Story],
    mailbox: &Mailbox,
    heard: &Heard,
    begun: Timestamp,
    terminal: &Terminal,
) -> bool {
    let mut tally = Tally::default();
    for story in stories {
        head(story, terminal);
        for notification in &story.notifications {
            let row = row(story, notification, mailbox, heard);
            count(&mut tally, notification, &row);
            print(&row, terminal);
        }
        let row = record(story);
        tally.wrong += usize::from(!row.right);
        print(&row, terminal);
    }
    sum(stories.len(), &tally, runtime::now().duration_since(begun), terminal);
    tally.wrong == 0
}

fn head(story: &Story, terminal: &Terminal) {
    if terminal.json {
        return;
    }
    let event = &story.event;
    let mut about = vec![format!("from {}", event.source)];
    about.extend(event.tenant.as_ref().map(|tenant| format!("tenant {tenant}")));
    about.extend(event.actor.as_ref().map(|actor| format!("by {actor}")));
    terminal.say("");
    let kind = terminal.ink(Ink::Strong, &event.kind);
    terminal.say(&format!("● {kind}   {}", terminal.ink(Ink::Quiet, &about.join(" · "))));
}

fn row(story: &Story, it: &Notification, mailbox: &Mailbox, heard: &Heard) -> Row {
    let (sign, right, text) = match &it.expected {
        _ if it.is_of_earlier_events() => ("·", true, format!("not sent: {}", told(it))),
        Expected::Letter { to, subject } => {
            let id = it.row.as_ref().and_then(|row| row.provider_id.as_deref()).unwrap_or_default();
            match mailbox.find(id) {
                Some(letter) => {
                    let right = letter.subject == *subject && letter.to == *to;
                    ("✉", right, format!("“{}”  to {}", cut(&letter.subject), letter.to))
                }
                None => ("✉", false, format!("no such letter; expected “{subject}”")),
            }
        }
        Expected::Message { to, title } => {
            let frames = heard.of(it.key.as_str());
            let mut listeners: Vec<&str> = frames.iter().map(|frame| frame.user.as_str()).collect();
            let mut expected = heard.expected(to, story.event.tenant.as_deref());
            listeners.sort_unstable();
            expected.sort_unstable();
            let right = listeners == expected && frames.iter().all(|frame| frame.title == *title);
            match frames.first() {
                Some(frame) => ("⇄", right, format!("“{}”  {}", cut(&frame.title), cut(&frame.body))),
                None => ("⇄", right, format!("nothing was heard; expected “{title}”")),
            }
        }
        Expected::Live { to, exclude, recorded } => {
            let listeners = heard.of_broadcast(&story.event.id, &it.rule);
            let mut expected = heard.expected(to, story.event.tenant.as_deref());
            expected.retain(|user| !exclude.iter().any(|excluded| excluded == user));
            let reached = it.row.as_ref().is_none_or(|row| row.status == Status::Sent);
            let right =
                expected.iter().all(|user| listeners.contains(user)) && (reached || expected.is_empty());
            let kept = if *recorded { "" } else { ", without a record" };
            ("⇄", right, format!("live on {} of {} open sockets{kept}", listeners.len(), expected.len()))
        }
        Expected::Elsewhere => ("✉", true, "handed to the provider".to_owned()),
        Expected::Deferred => {
            let until = it.row.as_ref().and_then(|row| row.until).map_or_else(String::new, utc);
            ("◷", true, format!("later, at {until}"))
        }
        Expected::Suppressed(reason) | Expected::Failed(reason) => {
            ("·", true, format!("not sent: {}", said(it, *reason)))
        }
    };
    let right = right && it.is_as_expected();
    let channel = it.channel.map_or("-", Channel::name);
    let status = it.row.as_ref().map_or("nothing on record", |it| it.status.name());
    let json = json!({
        "event": story.event.id, "type": story.event.kind, "rule": it.rule, "recipient": it.recipient,
        "channel": channel, "status": status, "text": text, "right": right,
    });
    let wrong = if right { String::new() } else { format!("   ({status})") };
    Row { right, sign, text: format!("{:<27} {channel:<7} {text}{wrong}", it.recipient), json }
}

/// What was decided because of what happened before.
fn told(it: &Notification) -> String {
    let reason = it.row.as_ref().and_then(|row| row.reason).map_or("-", Reason::meaning);
    let note = it.row.as_ref().and_then(|row| row.note.clone());
    note.map_or_else(|| reason.to_owned(), |note| format!("{reason}; {note}"))
}

fn said(it: &Notification, expected: Reason) -> String {
    match it.row.as_ref().and_then(|row| row.reason) {
        Some(reason) => reason.meaning().to_owned(),
        None => format!("no reason on record; expected: {}", expected.meaning()),
    }
}

fn record(story: &Story) -> Row {
    let get =
        |name: &str| story.record.as_ref().and_then(|record| record.get(name)).unwrap_or("-").to_owned();
    let right = story.record.is_some();
    let text = match right {
        true => format!("kept at {}  {}", get("recorded_at").get(11..19).unwrap_or("-"), get("digest")),
        false => "no record".to_owned(),
    };
    let json = json!({
        "event": story.event.id, "type": story.event.kind, "audit": story.record.is_some(),
        "digest": get("digest"), "right": right, "file": story.place,
    });
    Row { right, sign: "▣", text: format!("{:<27} {:<7} {text}", "audit", ""), json }
}

fn count(tally: &mut Tally, it: &Notification, row: &Row) {
    match (&it.expected, row.right) {
        (_, false) => tally.wrong += 1,
        (_, true) if it.is_of_earlier_events() => tally.withheld += 1,
        (Expected::Letter { .. }, true) => tally.letters += 1,
        (Expected::Live { .. } | Expected::Message { .. } | Expected::Elsewhere, true) => tally.messages += 1,
        (Expected::Suppressed(_) | Expected::Deferred | Expected::Failed(_), true) => tally.withheld += 1,
    }
}

fn print(row: &Row, terminal: &Terminal) {
    if terminal.json {
        return terminal.say_json(&row.json);
    }
    match row.right {
        true => terminal.say(&format!("  {} {}", row.sign, row.text)),
        false => terminal.say(&terminal.ink(Ink::Bad, &format!("  ✗ {}", row.text))),
    }
}

fn sum(events: usize, tally: &Tally, took: jiff::SignedDuration, terminal: &Terminal) {
    let Tally { letters, messages, withheld, wrong } = tally;
    if terminal.json {
        return terminal.say_json(&json!({
            "events": events, "letters": letters, "messages": messages, "withheld": withheld, "wrong": wrong,
            "seconds": took.as_secs_f64(),
        }));
    }
    terminal.say("");
    let line = format!(
        "{events} events: {letters} letters, {messages} live messages, {withheld} withheld with a reason, \
         {events} audit records, in {:.1} s",
        took.as_secs_f64()
    );
    match wrong {
        0 => terminal.say(&terminal.ink(Ink::Good, &format!("✓ {line}; everything arrived, once."))),
        _ => terminal.say(&terminal.ink(Ink::Bad, &format!("✗ {wrong} not as decided. {line}"))),
    }
}

fn cut(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.chars().count() > WIDTH {
        true => line.chars().take(WIDTH - 1).chain(['…']).collect(),
        false => line,
    }
}
