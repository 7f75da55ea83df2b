//! The report of the demo, and whether all expectations hold.

use domain::Timestamp;
use domain::base::channel::Channel;
use domain::base::outcome::{Reason, Status};
use serde_json::{Value, json};

use cli::terminal::{Cell, Ink, Table, Terminal, text, word};
use cli::times::utc;

use cli::sent_emails::SentEmails;

use super::expectations::{Expected, Notification, SampleRun};
use super::ws_clients::Received;

/// The longest shown text, in characters.
const WIDTH: usize = 68;

/// A line of the report.
struct Row {
    right: bool,
    sign: &'static str,
    recipient: String,
    channel: &'static str,
    text: String,
    json: Value,
}

/// The counts of the summary.
#[derive(Default)]
struct Tally {
    emails: usize,
    messages: usize,
    withheld: usize,
    wrong: usize,
}

/// Prints every sample. Returns whether all expected notifications arrived once.
pub(super) fn show(
    runs: &[SampleRun],
    emails: &SentEmails,
    received: &Received,
    started: Timestamp,
    terminal: &Terminal,
) -> bool {
    let mut tally = Tally::default();
    for run in runs {
        head(run, terminal);
        let mut table = Table::bare([word("SIGN"), word("RECIPIENT"), word("CHANNEL"), text("TEXT")]);
        for notification in &run.notifications {
            let row = row(run, notification, emails, received);
            count(&mut tally, notification, &row);
            print(&row, &mut table, terminal);
        }
        let row = record(run);
        tally.wrong += usize::from(!row.right);
        print(&row, &mut table, terminal);
        terminal.table(&table);
    }
    sum(runs.len(), &tally, runtime::now().duration_since(started), terminal);
    tally.wrong == 0
}

fn head(run: &SampleRun, terminal: &Terminal) {
    if terminal.json {
        return;
    }
    let event = &run.event;
    let mut about = vec![format!("from {}", event.source)];
    about.extend(event.tenant.as_ref().map(|tenant| format!("tenant {tenant}")));
    about.extend(event.actor.as_ref().map(|actor| format!("by {actor}")));
    terminal.say("");
    let kind = terminal.ink(Ink::Strong, &event.kind);
    terminal.say(&format!("● {kind}   {}", terminal.ink(Ink::Quiet, &about.join(" · "))));
}

fn row(run: &SampleRun, notification: &Notification, emails: &SentEmails, received: &Received) -> Row {
    let (sign, right, text) = match &notification.expected {
        _ if notification.is_of_earlier_events() => {
            ("·", true, format!("not sent: {}", reason(notification)))
        }
        Expected::Email { to, subject } => {
            let id = notification.row.as_ref().and_then(|row| row.provider_id.as_deref()).unwrap_or_default();
            match emails.find(id) {
                Some(email) => {
                    let right = email.subject == *subject && email.to == *to;
                    ("✉", right, format!("“{}”  to {}", cut(&email.subject), email.to))
                }
                None => ("✉", false, format!("no such e-mail; expected “{subject}”")),
            }
        }
        Expected::InApp { to, title } => {
            let frames = received.of(notification.key.as_str());
            let mut users: Vec<&str> = frames.iter().map(|frame| frame.user.as_str()).collect();
            let mut expected = received.expected(to, run.event.tenant.as_deref());
            users.sort_unstable();
            expected.sort_unstable();
            let right = users == expected && frames.iter().all(|frame| frame.title == *title);
            match frames.first() {
                Some(frame) => ("⇄", right, format!("“{}”  {}", cut(&frame.title), cut(&frame.body))),
                None => ("⇄", right, format!("no frame; expected “{title}”")),
            }
        }
        Expected::Broadcast { to, exclude, recorded } => {
            let users = received.of_broadcast(&run.event.id, &notification.rule);
            let mut expected = received.expected(to, run.event.tenant.as_deref());
            expected.retain(|user| !exclude.iter().any(|excluded| excluded == user));
            let reached = notification.row.as_ref().is_none_or(|row| row.status == Status::Sent);
            let right = expected.iter().all(|user| users.contains(user)) && (reached || expected.is_empty());
            let note = if *recorded { "" } else { ", without a ledger row" };
            let live = expected.iter().filter(|user| users.contains(*user)).count();
            ("⇄", right, format!("live on {live} of {} open sockets{note}", expected.len()))
        }
        Expected::OtherChannel => ("✉", true, "handed to the provider".to_owned()),
        Expected::Deferred => {
            let until = notification.row.as_ref().and_then(|row| row.until).map_or_else(String::new, utc);
            ("◷", true, format!("later, at {until}"))
        }
        Expected::Suppressed(reason) | Expected::Failed(reason) => {
            ("·", true, format!("not sent: {}", expected_reason(notification, *reason)))
        }
    };
    let right = right && notification.is_as_expected();
    let channel = notification.channel.map_or("-", Channel::name);
    let status = notification.row.as_ref().map_or("no ledger row", |row| row.status.name());
    let json = json!({
        "event": run.event.id, "type": run.event.kind, "rule": notification.rule, "recipient": notification.recipient,
        "channel": channel, "status": status, "text": text, "right": right,
    });
    let wrong = if right { String::new() } else { format!("   ({status})") };
    Row {
        right,
        sign,
        recipient: notification.recipient.clone(),
        channel,
        text: format!("{text}{wrong}"),
        json,
    }
}

/// The reason of a decision that earlier events caused.
fn reason(notification: &Notification) -> String {
    let reason = notification.row.as_ref().and_then(|row| row.reason).map_or("-", Reason::meaning);
    let note = notification.row.as_ref().and_then(|row| row.note.clone());
    note.map_or_else(|| reason.to_owned(), |note| format!("{reason}; {note}"))
}

fn expected_reason(notification: &Notification, expected: Reason) -> String {
    match notification.row.as_ref().and_then(|row| row.reason) {
        Some(reason) => reason.meaning().to_owned(),
        None => format!("no reason in the ledger; expected: {}", expected.meaning()),
    }
}

fn record(run: &SampleRun) -> Row {
    let get = |name: &str| run.record.as_ref().and_then(|record| record.get(name)).unwrap_or("-").to_owned();
    let right = run.record.is_some();
    let text = match right {
        true => format!("recorded at {}  {}", get("recorded_at").get(11..19).unwrap_or("-"), get("digest")),
        false => "no record".to_owned(),
    };
    let json = json!({
        "event": run.event.id, "type": run.event.kind, "audit": run.record.is_some(),
        "digest": get("digest"), "right": right, "file": run.place,
    });
    Row { right, sign: "▣", recipient: "audit".to_owned(), channel: "", text, json }
}

fn count(tally: &mut Tally, notification: &Notification, row: &Row) {
    match (&notification.expected, row.right) {
        (_, false) => tally.wrong += 1,
        (_, true) if notification.is_of_earlier_events() => tally.withheld += 1,
        (Expected::Email { .. }, true) => tally.emails += 1,
        (Expected::Broadcast { .. } | Expected::InApp { .. } | Expected::OtherChannel, true) => {
            tally.messages += 1;
        }
        (Expected::Suppressed(_) | Expected::Deferred | Expected::Failed(_), true) => tally.withheld += 1,
    }
}

/// The widths of the recipients and channels of most samples, so that the tables of two samples are in line.
const RECIPIENT: usize = 27;
const CHANNEL: usize = 8;

fn print(row: &Row, table: &mut Table, terminal: &Terminal) {
    if terminal.json {
        return terminal.say_json(&row.json);
    }
    let cell = |text: String| if row.right { Cell::from(text) } else { Cell::ink(Ink::Bad, text) };
    let sign = if row.right { row.sign } else { "✗" };
    table.row([
        cell(format!("  {sign}")),
        cell(format!("{:<RECIPIENT$}", row.recipient)),
        cell(format!("{:<CHANNEL$}", row.channel)),
        cell(row.text.clone()),
    ]);
}

fn sum(events: usize, tally: &Tally, took: jiff::SignedDuration, terminal: &Terminal) {
    let Tally { emails, messages, withheld, wrong } = tally;
    if terminal.json {
        return terminal.say_json(&json!({
            "events": events, "letters": emails, "messages": messages, "withheld": withheld, "wrong": wrong,
            "seconds": took.as_secs_f64(),
        }));
    }
    terminal.say("");
    let line = format!(
        "{events} events: {emails} e-mails, {messages} live messages, {withheld} withheld with a reason, \
         {events} audit records, in {:.1} s",
        took.as_secs_f64()
    );
    match wrong {
        0 => terminal.say(&terminal.ink(Ink::Good, &format!("✓ {line}; all notifications arrived once."))),
        _ => terminal.say(&terminal.ink(Ink::Bad, &format!("✗ {wrong} not as expected. {line}"))),
    }
}

fn cut(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.chars().count() > WIDTH {
        true => line.chars().take(WIDTH - 1).chain(['…']).collect(),
        false => line,
    }
}
