//! Helpers for tests of whole runs: a world with a rule, its clock, and descriptions of its log.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::world::{Entry, LogResult, Setting, World};
use super::{known, paid, rule};
use crate::catalog::rule::Unless;
use crate::catalog::{CATALOG_FORMAT, Catalog};
use crate::event::Event;

/// Every event of these tests happens at noon of a Friday, UTC.
pub(super) const NOON: &str = "2026-11-20T12:00:00Z";

pub(super) fn at(time: &str) -> Timestamp {
    let time = if time.contains('T') { time.to_owned() } else { format!("2026-11-20T{time}:00Z") };
    time.parse().unwrap()
}

/// Ann has every address; Ben has only an e-mail address.
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

/// One rule, the people from [`people`], and noon.
pub(super) fn world_with(others: Value, policy: Value) -> World {
    world_with_people(others, policy, people())
}

pub(super) fn world_with_people(others: Value, policy: Value, people: Value) -> World {
    World::new(setting(&[rule("paid", others)], &policy, &people, &json!({})), at(NOON))
}

/// A paid order of Ann, now.
pub(super) fn order(world: &World, id: &str) -> Event {
    paid("ann", json!({ "id": id, "time": world.now.to_string() }))
}

impl World {
    /// Advances the clock to a time of day or an instant.
    pub(super) fn until(&mut self, time: &str) {
        let length = at(time).duration_since(self.now);
        assert!(!length.is_negative(), "{time} is over");
        self.pass(length);
    }

    pub(super) fn minutes(&mut self, minutes: i64) {
        self.pass(SignedDuration::from_mins(minutes));
    }

    /// Delivers a paid order of Ann.
    pub(super) fn order(&mut self, id: &str) -> Event {
        let event = order(self, id);
        self.deliver(&event);
        event
    }

    /// Delivers several paid orders of Ann at one instant.
    pub(super) fn orders(&mut self, ids: &[&str]) {
        for id in ids {
            self.order(id);
        }
    }

    /// The recipient sees or acknowledges the last notification.
    pub(super) fn notice_last(&mut self, how: Unless) {
        let key = self.sent().last().unwrap().key.clone();
        self.notice(&key, how);
    }

    /// The sends, such as `12:30 1 sms` with the event's id in the middle. For a digest the number of its events
    /// replaces the id.
    pub(super) fn sends(&self) -> Vec<String> {
        self.sent().map(|sent| format!("{} {}", clock(sent.at), message(sent))).collect()
    }

    /// The suppressions in order: time, channel and reason.
    pub(super) fn refusals(&self) -> Vec<String> {
        let refused = self.log.iter().filter_map(|entry| match entry.result {
            LogResult::Suppressed(reason) => Some((entry, reason)),
            LogResult::Sent { .. } | LogResult::Later | LogResult::Merged | LogResult::Cancels => None,
        });
        refused
            .map(|(entry, reason)| {
                let channel = entry.channel.map_or("-", crate::base::channel::Channel::name);
                format!("{} {channel} {}", clock(entry.at), reason.name())
            })
            .collect()
    }
}

fn message(entry: &Entry) -> String {
    let channel = entry.channel.map_or("-", crate::base::channel::Channel::name);
    let of = match &entry.digest {
        Some(digest) => format!("{} together", digest["total_activities"]),
        None => entry.event.1.clone(),
    };
    match &entry.result {
        LogResult::Sent { device, .. } if !device.is_empty() => format!("{of} {channel} {device}"),
        LogResult::Sent { .. }
        | LogResult::Suppressed(_)
        | LogResult::Later
        | LogResult::Merged
        | LogResult::Cancels => {
            format!("{of} {channel}")
        }
    }
}

/// `12:30`, preceded by the day of November unless it is the first day.
pub(super) fn clock(at: Timestamp) -> String {
    let text = at.to_string();
    let (day, time) = (&text[8..10], &text[11..16]);
    if day == "20" { time.to_owned() } else { format!("{day}. {time}") }
}
