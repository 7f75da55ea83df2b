//! Decisions. Each subject has a file; `world` simulates tables and the clock.

#![expect(clippy::needless_pass_by_value, reason = "tests hand in json!(…)")]

mod audience;
mod broadcasts;
mod cancelling;
mod digests;
mod emergency;
mod endpoints;
mod engine;
mod escalation;
mod extremes;
mod failover;
mod generated;
mod keys;
mod limits;
mod notes;
mod oracle;
mod places;
mod properties;
mod quiet;
mod recurring;
mod steps;
mod tables;
mod times;
mod together;
mod upgrade;
mod verdicts;
mod when;
mod wording;
mod world;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Answers, Decision, Facts, Order, Target, Verdict, decide};
use crate::catalog::{CATALOG_FORMAT, Catalog};
use crate::decide::plan::Plan;
use crate::delivery::job::SocketTarget;
use crate::event::Event;
use crate::recipient::Recipients;

/// One hour after every event of these tests.
const NOW: &str = "2026-11-20T13:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// Decides with empty tables.
fn decided<'a>(plan: &Plan<'a>, recipients: &'a Recipients, now: Timestamp) -> Vec<Decision<'a>> {
    let mut answers = Answers::default();
    loop {
        let decided = decide(plan, &Facts { recipients, tenant: None, answers: &answers, now });
        if decided.asks.is_empty() {
            return decided.decisions;
        }
        for ask in &decided.asks {
            answers.insert(ask, ask.default_answer());
        }
    }
}

/// Describes every decision in one line.
fn decision_lines(event: &Event, rules: &[Value], people: &Value) -> Vec<String> {
    let (catalog, recipients) = (catalog(rules), known(people));
    let plan = Plan::of(event, &catalog);
    decided(&plan, &recipients, now()).iter().map(describe).collect()
}

/// `<rule> → <recipient> by <channel>: <decision>`
fn describe(decision: &Decision<'_>) -> String {
    let rule = decision.rule.map_or("-", |rule| rule.name.as_str());
    let channel = decision.channel.map_or("-", |channel| channel.name());
    format!("{rule} → {} by {channel}: {}", decision.recipient, verdict(&decision.verdict))
}

fn verdict(verdict: &Verdict<'_>) -> String {
    match verdict {
        Verdict::Send(order) => format!("send to {}", destination(order)),
        Verdict::Suppress(reason) => reason.name().to_owned(),
        Verdict::Later(later) => format!("{} until {}", later.why.reason().name(), later.until),
        Verdict::Merge(_) => "merged".to_owned(),
        Verdict::Cancel(_) => "cancels".to_owned(),
    }
}

fn destination(order: &Order<'_>) -> String {
    match &order.target {
        Target::Email(to) => to.expose().to_owned(),
        Target::Push(device) => format!("the device {}", device.id),
        Target::Sms(to) | Target::Whatsapp(to) => to.expose().to_owned(),
        Target::Message { to, .. } => to.expose().clone(),
        Target::Socket(SocketTarget::User(id)) => format!("the sockets of {id}"),
        Target::Socket(SocketTarget::Room(room)) => format!("the room {room}"),
        Target::Broadcast(live) => match &live.to {
            SocketTarget::User(id) => format!("the sockets of {id}, live"),
            SocketTarget::Room(room) => format!("the room {room}, live, without {:?}", live.exclude),
        },
        Target::Webhook { to, .. } => format!("the endpoint {}", to.name()),
    }
}

fn catalog(rules: &[Value]) -> Catalog {
    let file = json!({ "format": CATALOG_FORMAT, "version": "1", "rules": rules, "templates": {} });
    Catalog::open(serde_json::from_value(file).unwrap()).unwrap()
}

/// A rule for every paid order, with other members set. `channels` stands for one send step.
fn rule(name: &str, others: Value) -> Value {
    let mut rule = json!({
        "rule": name, "when": { "detail-type": ["order.paid"] }, "category": "c", "template": "t",
        "steps": [send(json!(["email"]))], "to": [user("$.data.user")],
    });
    for (member, value) in others.as_object().unwrap() {
        match member.as_str() {
            "channels" => rule["steps"] = json!([send(value.clone())]),
            _ => rule[member] = value.clone(),
        }
    }
    rule
}

fn send(channels: Value) -> Value {
    json!({ "send": { "channels": channels } })
}

fn user(path: &str) -> Value {
    json!({ "user": { "path": path } })
}

fn room(name: &str, path: &str) -> Value {
    json!({ "room": { "name": name, "of": { "path": path } } })
}

fn known(people: &Value) -> Recipients {
    let people: Vec<crate::recipient::Recipient> = serde_json::from_value(people.clone()).unwrap();
    people.into_iter().map(|person| (person.id.clone(), person)).collect()
}

/// An order that `user` paid, with other envelope members set.
fn paid(user: &str, others: Value) -> Event {
    let mut event = json!({
        "specversion": "1.0", "id": "1", "source": "/shop", "type": "order.paid", "time": "2026-11-20T12:00:00Z",
        "data": { "user": user },
    });
    for (member, value) in others.as_object().unwrap() {
        event[member] = value.clone();
    }
    Event::parse(&event.to_string()).unwrap()
}
