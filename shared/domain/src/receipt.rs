//! What providers say of a message after they took it over: receipts, as EventBridge delivers them.
//!
//! Receipts are best effort. They come late, twice, in any order, before our own record of the send, and sometimes not
//! at all. So a receipt is reduced to its [`News`], and [`Progress`] takes news in: whatever the order, and however
//! often, it ends in one state.
//!
//! No address is read here. Which address a message went to is known from the ledger, as a hash.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::bus::BusEvent;
use crate::channel::Channel;
use crate::event::Refusal;
use crate::key::Key;
use crate::outcome::Reason;
use crate::recipient::{PhoneNumber, SuppressedBecause, Suppression};

mod progress;
mod ses;
mod sms;
mod whatsapp;

pub use progress::{Marks, Progress};

/// What a queue of provider events holds.
pub enum Heard {
    Receipt(Receipt),
    /// Somebody wrote to us.
    Inbound(Inbound),
    /// Nothing that changes anything; the word says what it was, for the log.
    Nothing(&'static str),
}

/// What a provider says of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The notification, where the receipt brings back what we sent along.
    pub key: Option<Key>,
    /// What the provider calls the message.
    pub provider_id: Option<String>,
    pub news: News,
    /// When it happened, by the provider's clock.
    pub at: Timestamp,
}

/// What happened to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// The provider has it.
    Accepted,
    /// It is at the recipient's mail server, or on their phone.
    Delivered,
    /// The recipient has it before their eyes.
    Seen,
    /// It could not be handed over; another one may.
    Undelivered(Reason),
    /// There is nobody at the address.
    Bounced,
    /// The recipient called it spam.
    Complained,
    /// Nobody will ever know.
    Unconfirmed,
}

/// Somebody wrote to our WhatsApp number: for 24 hours free text may go to them. No `Debug`: it holds a number.
#[derive(Clone, PartialEq, Eq)]
pub struct Inbound {
    pub from: PhoneNumber,
    pub at: Timestamp,
}

/// How long a receipt that comes before our own record is kept.
///
/// Source: GOV.UK Notify retries delivery receipts of unknown notifications for five minutes.
pub const EARLY: Duration = Duration::from_secs(300);

/// How long networks may take for a receipt.
///
/// Source: End User Messaging SMS user guide, "Event destinations": up to 72 hours, then `UNKNOWN`.
pub const LATE: SignedDuration = SignedDuration::from_hours(72);

/// How far back the sweep looks for messages that nobody has confirmed: a sweep that stood still for a day misses none.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(24);

/// Reads what a rule of the default bus put into a queue.
///
/// # Errors
/// [`Refusal`] when it is no event of a provider that is known here, or not of the shape that its provider documents.
/// It quotes nothing of what was sent.
pub fn read(body: &str) -> Result<Heard, Refusal> {
    let event = BusEvent::parse(body)?;
    match event.source.as_ref() {
        "aws.ses" => ses::read(&event),
        "aws.sms-voice" => sms::read(&event),
        "aws.social-messaging" => whatsapp::read(&event),
        other => {
            let found = crate::event::Found::text(other);
            Err(Refusal::new("source", found, "aws.ses, aws.sms-voice or aws.social-messaging"))
        }
    }
}

impl News {
    /// Whether it proves that somebody has the message. What says the contrary may be about another attempt.
    #[must_use]
    pub fn is_good(self) -> bool {
        match self {
            News::Accepted | News::Delivered | News::Seen | News::Complained => true,
            News::Undelivered(_) | News::Bounced | News::Unconfirmed => false,
        }
    }

    /// What it closes for its term: the address that the message went to, as `address_hash` calls it. A network that is
    /// busy closes nothing, and a phone that is off neither.
    #[must_use]
    pub fn closes(self, channel: Channel, address: &str, at: Timestamp) -> Option<Suppression> {
        let why = match self {
            News::Bounced => SuppressedBecause::Bounced,
            News::Complained => SuppressedBecause::Complained,
            News::Accepted | News::Delivered | News::Seen | News::Undelivered(_) | News::Unconfirmed => {
                return None;
            }
        };
        let term = SignedDuration::from_hours(24 * channel.closed_for_days()?);
        let until = at.saturating_add(term).unwrap_or(Timestamp::MAX);
        let address = Some(address.to_owned());
        Some(Suppression { channel, why, until: Some(until), address })
    }
}

/// What a message that awaits its receipt is filed under: the hour in which it was claimed, as `2026-11-21T14`.
#[must_use]
pub fn awaited_in(at: Timestamp) -> String {
    let mut text = at.to_string();
    text.truncate("2026-11-21T14".len());
    text
}

/// The hours, the oldest first, whose messages are [`LATE`] by now.
#[must_use]
pub fn overdue_hours(now: Timestamp) -> Vec<String> {
    let hour = SignedDuration::from_hours(1);
    let mut hours = Vec::new();
    // The whole of an hour is over when its end is.
    let mut age = LATE + LOOK_BACK + hour;
    while age > LATE {
        if let Ok(at) = now.checked_sub(age) {
            hours.push(awaited_in(at));
        }
        age -= hour;
    }
    hours
}

/// A receipt's `detail`, by the shape that its provider documents.
fn detail<'a, T: Deserialize<'a>>(event: &BusEvent<'a>, wanted: &'static str) -> Result<T, Refusal> {
    serde_json::from_str(event.detail.get())
        .map_err(|_| Refusal::new("detail", "JSON of another shape", wanted))
}

/// The time that a receipt names, or that of the event it came in.
fn time(named: Option<Timestamp>, event: &BusEvent<'_>) -> Result<Timestamp, Refusal> {
    match named {
        Some(named) => Ok(named),
        None => crate::event::timestamp("time", &event.time),
    }
}

#[cfg(test)]
mod tests;
