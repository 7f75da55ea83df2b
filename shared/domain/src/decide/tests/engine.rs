//! What the sentences about whole runs are written with: a stage, its clock, and what was seen on it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::world::{Entry, Setting, What, World};
use super::{known, paid, rule};
use crate::catalog::{CATALOG_FORMAT, Catalog};
use crate::event::Event;
use crate::rule::Unless;

/// Every event here happens at noon of a Friday, UTC.
pub(super) const NOON: &str = "2026-11-20T12:00:00Z";

pub(super) fn at(time: &str) -> Timestamp {
    let time = if time.contains('T') { time.to_owned() } else { format!("2026-11-20T{time}:00Z") };
    time.parse().unwrap()
}

/// Ann can be reached everywhere; Ben has nothing but an email address.
pub(super) fn people() -> Value {
    json!([
        {
            "id": "ann", "email": "ann@example.com", "phone": "+4915112345678", "whatsapp": "+4915112345678",
            "devices": [{ "id": "phone", "platform": "fcm", "endpoint": "arn:phone" }], "tenants": ["*"],
        },
        { "id": "ben", "email": "ben@example.com", "tenants": ["*"] },
    ])
}

pub(super) fn setting(rules: &[Value], policy: &Value, people: &Value, tenants: &Value) -> Setting {
    let file = json!({
        "format": CATALOG_FORMAT, "version": "1", "policy": policy, "rules": rules, "templates": {},
    });
    let tenants: BTreeMap<String, crate::recipient::Settings> =
        serde_json::from_value(tenants.clone()).unwrap();
    let catalog = Catalog::open(serde_json::from_value(file).unwrap()).unwrap();
    Setting { catalog, recipients: known(people), tenants }
}

/// One rule, everybody from [`people`], and noon.
pub(super) fn stage(others: Value, policy: Value) -> World {
    staged(others, policy, people())
}

pub(super) fn staged(others: Value, policy: Value, people: Value) -> World {
    World::new(setting(&[rule("paid", others)], &policy, &people, &json!({})), at(NOON))
}

/// An order of Ann's that is paid now.
pub(super) fn order(world: &World, id: &str) -> Event {
    paid("ann", json!({ "id": id, "time": world.now.to_string() }))
}

impl World {
    /// Time goes by up to this time of the day, or up to an instant.
    pub(super) fn until(&mut self, time: &str) {
        let length = at(time).duration_since(self.now);
        assert!(!length.is_negative(), "{time} is over");
        self.pass(length);
    }

    pub(super) fn minutes(&mut self, minutes: i64) {
        self.pass(SignedDuration::from_mins(minutes));
    }

    /// An order of Ann's is paid.
    pub(super) fn order(&mut self, id: &str) -> Event {
        let event = order(self, id);
        self.deliver(&event);
        event
    }

    /// Orders of Ann's are paid at one instant.
    pub(super) fn orders(&mut self, ids: &[&str]) {
        for id in ids {
            self.order(id);
        }
    }

    /// The recipient sees the last that was sent.
    pub(super) fn notice_last(&mut self, how: Unless) {
        let key = self.sent().last().unwrap().key.clone();
        self.notice(&key, how);
    }

    /// What was really sent: `12:30 1 sms`, the event's id in the middle; a digest says how much it tells instead.
    pub(super) fn sends(&self) -> Vec<String> {
        self.sent().map(|sent| format!("{} {}", clock(sent.at), message(sent))).collect()
    }

    /// The reasons why not, in order, each with its channel.
    pub(super) fn refusals(&self) -> Vec<String> {
        let refused = self.log.iter().filter_map(|it| match it.what {
            What::No(reason) => Some((it, reason)),
            What::Sent { .. } | What::Later | What::Merged | What::Cancels => None,
        });
        refused
            .map(|(it, reason)| {
                let channel = it.channel.map_or("-", crate::channel::Channel::name);
                format!("{} {channel} {}", clock(it.at), reason.name())
            })
            .collect()
    }
}

fn message(it: &Entry) -> String {
    let channel = it.channel.map_or("-", crate::channel::Channel::name);
    let of = match &it.digest {
        Some(digest) => format!("{} together", digest["total_activities"]),
        None => it.event.1.clone(),
    };
    match &it.what {
        What::Sent { device, .. } if !device.is_empty() => format!("{of} {channel} {device}"),
        What::Sent { .. } | What::No(_) | What::Later | What::Merged | What::Cancels => {
            format!("{of} {channel}")
        }
    }
}

/// `12:30`, with the day of November in front where it is not the first.
pub(super) fn clock(at: Timestamp) -> String {
    let text = at.to_string();
    let (day, time) = (&text[8..10], &text[11..16]);
    if day == "20" { time.to_owned() } else { format!("{day}. {time}") }
}
