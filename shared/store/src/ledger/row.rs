//! One row of the ledger: as it is written and as it is read.

use domain::Timestamp;
use domain::channel::Channel;
use domain::job::{Job, Origin};
use domain::key::Key;
use domain::keyed_hash::former;
use domain::outcome::{Reason, Status};
use domain::receipt::{Marks, awaited_in};
use domain::told::{Set, Told};
use jiff::SignedDuration;

use super::{RETENTION_DAYS, pk};
use crate::item::Item;
use crate::seconds;

/// The recipient of a row about an event that concerns nobody.
const NOBODY: &str = "-";

/// When a row was begun and settled, as the table has it. Rows that are to be written have neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Times {
    /// When the channel took it up for the first time, or when it was decided that it is not sent.
    pub begun_at: Option<Timestamp>,
    /// When the last claim of it ended: for a notification that was sent the time of the send.
    pub settled_at: Option<Timestamp>,
}

/// An outcome that is known without asking a provider, or a row as it was read.
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
    /// The step of the rule, counted from 0.
    pub step: u32,
    /// When it is gone on with, where that is later.
    pub until: Option<Timestamp>,
    /// The window of the digest that it joined: the id of the event it is told with.
    pub joined: Option<String>,
    /// What decided it, as a sentence for people.
    pub note: Option<String>,
    pub provider_id: Option<String>,
    /// What receipts, and the recipient, said of it later.
    pub marks: Marks,
    /// The hand-over it was part of; `None` where nobody was to be told.
    pub set: Option<Set>,
    pub times: Times,
}

impl LedgerRow {
    /// When it came to be what it is: the time of the send for what was sent. `None` while it is under way, and for a
    /// row that says no time.
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

    /// How long it took from the moment it was taken up until it ended.
    #[must_use]
    pub fn took(&self) -> Option<SignedDuration> {
        let (begun, ended) = (self.times.begun_at?, self.ended_at()?);
        Some(ended.duration_since(begun)).filter(|took| !took.is_negative())
    }

    /// Reads an item of the ledger, from the table or from its stream. `None` when it is none.
    #[must_use]
    pub fn read(item: &Item) -> Option<LedgerRow> {
        let reason = item.get("reason").and_then(|it| Reason::ALL.into_iter().find(|r| r.name() == it));
        let channel = item.get("channel").and_then(|it| Channel::ALL.into_iter().find(|c| c.name() == it));
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
            until: item.get("until").and_then(|it| it.parse().ok()),
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
    let claimed_at = || item.get("claimed_at").and_then(|it| it.parse().ok());
    Times {
        begun_at: begun_at.or_else(claimed_at),
        settled_at: item.get("settled_at").and_then(|it| it.parse().ok()),
    }
}

pub(super) fn marks(item: &Item) -> Marks {
    let at = |name: &str| item.get(name).and_then(|it| it.parse().ok());
    Marks {
        delivered_at: at("delivered_at"),
        bounced_at: at("bounced_at"),
        complained_at: at("complained_at"),
        seen_at: at("seen_at"),
    }
}

impl LedgerRow {
    /// The row as the bus hears of it; `at` is since when it stands as it does.
    #[must_use]
    pub fn told(&self, at: Timestamp) -> Told<'_> {
        Told {
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

/// When a row, as it was read, came to stand as it does: when it was settled, or when its event happened for one that
/// does not say.
#[must_use]
pub fn stands_since(item: &Item) -> Option<Timestamp> {
    ["settled_at", "event_time"].iter().find_map(|it| item.get(it)?.parse().ok())
}

pub(super) fn claim_item(job: &Job, token: &str, now: Timestamp, lease: Timestamp) -> Item {
    let channel = job.channel();
    // A job of the last release brings no hash. Its row gets the former one, which this release reads.
    let former = || job.content.address().map(|address| former::address(channel, address));
    let address = job.address_hash.clone().or_else(former);
    // The two indices are sparse: only what a receipt may come for has these.
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

/// What the index `by_recipient` goes by. A row about nobody is not in it: all of those would be one partition.
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
