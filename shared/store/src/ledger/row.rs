//! One row of the ledger, as written and as read.

use domain::Timestamp;
use domain::base::channel::Channel;
use domain::base::outcome::{Reason, Status};
use domain::delivery::job::{Job, Origin};
use domain::event::key::Key;
use domain::feedback::delivery_events::{NotificationState, Set};
use domain::feedback::receipt::{Marks, awaited_in};
use domain::recipient::keyed_hash::former;
use jiff::SignedDuration;

use super::{RETENTION_DAYS, pk};
use crate::item::Item;
use crate::seconds;

/// The recipient of a row about an event that has no recipients.
const NOBODY: &str = "-";

/// The begin and settle times of a row. Both are `None` in a row that is about to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Times {
    /// The time of the first claim, or of the decision not to send.
    pub begun_at: Option<Timestamp>,
    /// The time at which the last claim ended. For a sent notification, the time of the send.
    pub settled_at: Option<Timestamp>,
}

/// An outcome that is known without a call to a provider, or a row as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    pub key: Key,
    pub status: Status,
    pub reason: Option<Reason>,
    pub origin: Origin,
    pub rule: String,
    pub catalog: String,
    pub recipient: String,
    pub channel: Option<Channel>,
    /// The index of the rule's step, counted from 0.
    pub step: u32,
    /// The time at which a deferred notification continues.
    pub until: Option<Timestamp>,
    /// The digest window that this notification joined: the id of the digest event.
    pub joined: Option<String>,
    /// A sentence for people that explains the decision.
    pub note: Option<String>,
    pub provider_id: Option<String>,
    /// The times that receipts and the recipient reported later.
    pub marks: Marks,
    /// The set of notifications that this row belongs to. `None` where the event had no recipients.
    pub set: Option<Set>,
    pub times: Times,
}

impl LedgerRow {
    /// The time of the outcome. For a sent notification, the time of the send. `None` for a notification under way
    /// and for a row without times.
    #[must_use]
    pub fn ended_at(&self) -> Option<Timestamp> {
        match self.status {
            Status::Claimed | Status::Released => None,
            Status::Sent
            | Status::Suppressed
            | Status::Deferred
            | Status::Failed
            | Status::Unknown
            | Status::Unconfirmed
            | Status::Undelivered
            | Status::Bounced
            | Status::Delivered => self.times.settled_at,
        }
    }

    /// The time from the first claim to the outcome.
    #[must_use]
    pub fn took(&self) -> Option<SignedDuration> {
        let (begun, ended) = (self.times.begun_at?, self.ended_at()?);
        Some(ended.duration_since(begun)).filter(|took| !took.is_negative())
    }

    /// Parses an item of the table or of its stream. `None` if the item is not a ledger row.
    #[must_use]
    pub fn read(item: &Item) -> Option<LedgerRow> {
        let reason = item.get("reason").and_then(|name| Reason::ALL.into_iter().find(|r| r.name() == name));
        let channel =
            item.get("channel").and_then(|name| Channel::ALL.into_iter().find(|c| c.name() == name));
        let owned = |name: &str| item.get(name).map(str::to_owned);
        Some(LedgerRow {
            key: Key::from(owned("pk")? + item.get("sk")?),
            status: Status::from_name(item.get("status")?)?,
            reason,
            origin: Origin {
                id: owned("event_id")?,
                source: owned("event_source")?,
                kind: owned("event_type")?,
                time: item.get("event_time")?.parse().ok()?,
                subject: owned("subject"),
                tenant: owned("tenant"),
                correlation_id: owned("correlation_id"),
                causation_id: owned("causation_id"),
                actor: owned("actor"),
                traceparent: owned("traceparent"),
                replay: owned("replay_id"),
            },
            rule: owned("rule")?,
            catalog: owned("catalog")?,
            recipient: owned("recipient")?,
            channel,
            step: item.get_number("step").and_then(|number| u32::try_from(number).ok()).unwrap_or(0),
            until: item.get("until").and_then(|text| text.parse().ok()),
            joined: owned("joined"),
            note: owned("note"),
            provider_id: owned("provider_id"),
            marks: marks(item),
            set: read_set(item),
            times: times(item),
        })
    }
}

fn times(item: &Item) -> Times {
    let begun_at = item.get_number("begun_at").and_then(|number| Timestamp::from_millisecond(number).ok());
    let claimed_at = || item.get("claimed_at").and_then(|text| text.parse().ok());
    Times {
        begun_at: begun_at.or_else(claimed_at),
        settled_at: item.get("settled_at").and_then(|text| text.parse().ok()),
    }
}

pub(super) fn marks(item: &Item) -> Marks {
    let time = |name: &str| item.get(name).and_then(|text| text.parse().ok());
    Marks {
        delivered_at: time("delivered_at"),
        bounced_at: time("bounced_at"),
        complained_at: time("complained_at"),
        seen_at: time("seen_at"),
    }
}

impl LedgerRow {
    /// The row as a delivery event on the bus. `at` is the time of the current status.
    #[must_use]
    pub fn delivery_state(&self, at: Timestamp) -> NotificationState<'_> {
        NotificationState {
            key: &self.key,
            origin: &self.origin,
            status: self.status,
            reason: self.reason,
            rule: &self.rule,
            recipient: &self.recipient,
            channel: self.channel,
            step: self.step,
            provider_id: self.provider_id.as_deref(),
            at,
        }
    }
}

/// The time of a row's current status: the settle time, or the event's time in a row without one.
#[must_use]
pub fn stands_since(item: &Item) -> Option<Timestamp> {
    ["settled_at", "event_time"].iter().find_map(|name| item.get(name)?.parse().ok())
}

pub(super) fn claim_item(job: &Job, token: &str, now: Timestamp, lease: Timestamp) -> Item {
    let channel = job.channel();
    // A job of the last release has no hash. Its row gets the former one, which this release reads.
    let former = || job.content.address().map(|address| former::address(channel, address.expose()));
    let address = job.address_hash.clone().or_else(former);
    // Both indices are sparse: only rows whose channel has receipts carry these attributes.
    let expects = channel.has_receipts().then(|| now.to_string());
    let awaits = channel.confirms().then(|| awaited_in(now));
    origin_item(&job.event)
        .with(pk(&job.key))
        .maybe("address", address.as_deref())
        .maybe("expects", expects.as_deref())
        .maybe("awaits", awaits.as_deref())
        .text("status", Status::Claimed.name())
        .text("rule", &job.rule)
        .text("catalog", &job.catalog)
        .text("recipient", &job.recipient)
        .text("channel", channel.name())
        .number("step", i64::from(job.step))
        .text("claim_token", token)
        .text("claimed_at", now.to_string())
        .number("lease_until", lease.as_millisecond())
        .number("attempts", 1)
        .maybe("note", job.instead_of.map(|instead_of| instead_of.to_string()).as_deref())
        .with(set_item(job.set.as_ref()))
        .number("ttl", seconds(now) + RETENTION_DAYS * 86_400)
        .with(whose_item(&job.recipient, now))
}

pub(super) fn row_item(row: &LedgerRow, now: Timestamp) -> Item {
    origin_item(&row.origin)
        .with(pk(&row.key))
        .text("status", row.status.name())
        .maybe("reason", row.reason.map(Reason::name))
        .text("rule", &row.rule)
        .text("catalog", &row.catalog)
        .text("recipient", &row.recipient)
        .maybe("channel", row.channel.map(Channel::name))
        .number("step", i64::from(row.step))
        .maybe("until", row.until.map(|until| until.to_string()).as_deref())
        .maybe("joined", row.joined.as_deref())
        .maybe("note", row.note.as_deref())
        .maybe("provider_id", row.provider_id.as_deref())
        .with(set_item(row.set.as_ref()))
        .text("settled_at", now.to_string())
        .number("ttl", seconds(now) + RETENTION_DAYS * 86_400)
        .with(whose_item(&row.recipient, now))
}

/// The attributes of the index `by_recipient`. A row without a recipient is left out, because all such rows would
/// share one partition.
fn whose_item(recipient: &str, now: Timestamp) -> Item {
    if recipient == NOBODY {
        return Item::default();
    }
    Item::default().text("whose", recipient).number("begun_at", now.as_millisecond())
}

pub(super) fn set_item(set: Option<&Set>) -> Item {
    let Some(set) = set else { return Item::default() };
    Item::default()
        .text("set_id", &set.id)
        .number("set_of", i64::from(set.of))
        .maybe("set_category", set.category.as_deref())
}

pub(super) fn read_set(item: &Item) -> Option<Set> {
    let of = item.get_number("set_of").and_then(|number| u32::try_from(number).ok())?;
    let category = item.get("set_category").map(str::to_owned);
    Some(Set { id: item.get("set_id")?.to_owned(), of, category })
}

fn origin_item(origin: &Origin) -> Item {
    Item::default()
        .text("event_id", &origin.id)
        .text("event_source", &origin.source)
        .text("event_type", &origin.kind)
        .text("event_time", origin.time.to_string())
        .maybe("subject", origin.subject.as_deref())
        .maybe("tenant", origin.tenant.as_deref())
        .maybe("correlation_id", origin.correlation_id.as_deref())
        .maybe("causation_id", origin.causation_id.as_deref())
        .maybe("actor", origin.actor.as_deref())
        .maybe("traceparent", origin.traceparent.as_deref())
        .maybe("replay_id", origin.replay.as_deref())
}
