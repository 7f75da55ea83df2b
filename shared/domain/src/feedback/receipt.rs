//! Receipts: the reports of providers about a message after the send, as EventBridge delivers them.
//!
//! Receipts are best effort. They may arrive late, twice, out of order, before our own record of the send, or not at
//! all. Each receipt is therefore reduced to its [`StatusUpdate`], which [`DeliveryState`] merges. The resulting state does not
//! depend on order or repetition.
//!
//! No address is read here. The ledger stores the hash of the message's address.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::base::channel::Channel;
use crate::base::outcome::Reason;
use crate::event::Refusal;
use crate::event::bus::BusEvent;
use crate::event::key::Key;
use crate::recipient::{PhoneNumber, SuppressedBecause, Suppression};

mod delivery_state;
mod ses;
mod sms;
mod whatsapp;

pub use delivery_state::{DeliveryState, Marks};

/// An event of a provider.
pub enum ProviderEvent {
    Receipt(Receipt),
    /// An incoming message from a recipient.
    Inbound(Inbound),
    /// An event that changes no state, with a description for the log.
    Nothing(&'static str),
}

/// The report of a provider about one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The notification's key, if the receipt contains the metadata of the send.
    pub key: Option<Key>,
    /// The provider's message id.
    pub provider_id: Option<String>,
    pub news: StatusUpdate,
    /// The time of the report by the provider's clock.
    pub at: Timestamp,
}

/// The reported state of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusUpdate {
    /// The provider has accepted the message.
    Accepted,
    /// The recipient's mail server or phone has received the message.
    Delivered,
    /// The recipient has seen the message.
    Seen,
    /// The message could not be delivered. Later messages to the address may succeed.
    Undelivered(Reason),
    /// The address does not exist.
    Bounced,
    /// The recipient reported the message as spam.
    Complained,
    /// No receipt arrived, and none is expected any more.
    Unconfirmed,
}

/// A message to our WhatsApp number. For 24 hours afterwards, free text may be sent to the number.
#[derive(Clone, PartialEq, Eq)]
pub struct Inbound {
    pub from: PhoneNumber,
    pub at: Timestamp,
}

/// The time for which a receipt is kept that arrives before our own record.
///
/// Source: GOV.UK Notify retries delivery receipts of unknown notifications for five minutes.
pub const EARLY: Duration = Duration::from_secs(300);

/// Maximum time in which networks report a receipt.
///
/// Source: End User Messaging SMS user guide, "Event destinations": up to 72 hours, then `UNKNOWN`.
pub const RECEIPT_WINDOW: SignedDuration = SignedDuration::from_hours(72);

/// The period for which the sweep searches unconfirmed messages. A sweep that was down for a day misses none.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(24);

/// Reads an event that a rule of the default bus put into a queue.
///
/// # Errors
/// [`Refusal`] if the event is not from a known provider or has another shape than the provider documents. The
/// refusal does not quote the event.
pub fn read(body: &str) -> Result<ProviderEvent, Refusal> {
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

impl StatusUpdate {
    /// Whether the report proves that the message was accepted or received. A negative report may be about another
    /// attempt.
    #[must_use]
    pub fn is_good(self) -> bool {
        match self {
            StatusUpdate::Accepted
            | StatusUpdate::Delivered
            | StatusUpdate::Seen
            | StatusUpdate::Complained => true,
            StatusUpdate::Undelivered(_) | StatusUpdate::Bounced | StatusUpdate::Unconfirmed => false,
        }
    }

    /// The temporary suppression of the message's address that the report causes. `address` is the hash from
    /// `address_hash`. A busy network and a phone that is turned off cause none.
    #[must_use]
    pub fn closes(self, channel: Channel, address: &str, at: Timestamp) -> Option<Suppression> {
        let why = match self {
            StatusUpdate::Bounced => SuppressedBecause::Bounced,
            StatusUpdate::Complained => SuppressedBecause::Complained,
            StatusUpdate::Accepted
            | StatusUpdate::Delivered
            | StatusUpdate::Seen
            | StatusUpdate::Undelivered(_)
            | StatusUpdate::Unconfirmed => {
                return None;
            }
        };
        let term = SignedDuration::from_hours(24 * channel.suppression_days()?);
        let until = at.saturating_add(term).unwrap_or(Timestamp::MAX);
        let address = Some(address.to_owned());
        Some(Suppression { channel, why, until: Some(until), address })
    }
}

/// The index key of a message that awaits its receipt: the hour of its claim, as `2026-11-21T14`.
#[must_use]
pub fn awaited_in(at: Timestamp) -> String {
    let mut text = at.to_string();
    text.truncate("2026-11-21T14".len());
    text
}

/// The hours, oldest first, whose messages are older than [`RECEIPT_WINDOW`].
#[must_use]
pub fn overdue_hours(now: Timestamp) -> Vec<String> {
    let hour = SignedDuration::from_hours(1);
    let mut hours = Vec::new();
    // A whole hour has passed when its end has passed.
    let mut age = RECEIPT_WINDOW + LOOK_BACK + hour;
    while age > RECEIPT_WINDOW {
        if let Ok(at) = now.checked_sub(age) {
            hours.push(awaited_in(at));
        }
        age -= hour;
    }
    hours
}

/// The `detail` of a receipt in the shape that the provider documents.
fn detail<'a, T: Deserialize<'a>>(event: &BusEvent<'a>, wanted: &'static str) -> Result<T, Refusal> {
    serde_json::from_str(event.detail.get())
        .map_err(|_| Refusal::new("detail", "JSON of another shape", wanted))
}

/// The time in the receipt, or the time of its event.
fn time(named: Option<Timestamp>, event: &BusEvent<'_>) -> Result<Timestamp, Refusal> {
    match named {
        Some(named) => Ok(named),
        None => crate::event::timestamp("time", &event.time),
    }
}

#[cfg(test)]
mod tests;
