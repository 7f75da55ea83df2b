//! Questions of a decision to the tables.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::base::channel::Channel;
use crate::catalog::rule::Unless;
use crate::event::key::Key;
use crate::limits::cancel::{CancelKey, Cancellation};
use crate::limits::counter::{Limit, Refusal, Scope};
use crate::limits::digest::{DigestPolicy, Item};
use crate::recipient::Suppression;
use crate::time::zone::Zone;

/// A question to the tables. Its key makes it idempotent: a repeated question gets the same answer.
pub enum Ask {
    /// The latest cancellation of this key.
    Cancelled { key: CancelKey },
    /// Whether one of these notifications was seen or acknowledged.
    Seen { of: Vec<Key> },
    /// Whether one of these notifications was sent or is still pending.
    Notified { of: Vec<Key> },
    /// The channels on which one more notification may be sent. Granted channels are counted.
    Admit { key: Key, wants: Vec<Wanted>, channels: Vec<Channel>, zone: Zone },
    /// The time of the recipient's last WhatsApp message to us. `caller` is [`crate::recipient::keyed_hash::KeyedHashes::caller`]
    /// of the number, `former` the name of the last release.
    Heard { caller: String, former: String },
    /// Whether an earlier attempt put this event into a digest. Only then the digest still applies.
    Collected { key: Key },
    /// The suppression of an address that belongs to no known recipient.
    Closed { address: String },
    /// Adds the event to a digest window and returns the window.
    Join {
        key: Key,
        window: String,
        policy: DigestPolicy,
        ends: Timestamp,
        item: Box<Item>,
        /// The key that cancels the event while the window is open.
        cancel: Option<CancelKey>,
    },
}

/// A counter to evaluate.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    pub id: String,
    pub limit: Limit,
    pub scope: Scope,
    /// The weight of one message: 1, or its price.
    pub weight: u64,
}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The cancelling event, if there is one.
    Cancelled(Option<Cancellation>),
    /// The strongest known engagement.
    Seen(Option<Unless>),
    Notified(bool),
    /// The time of the last inbound message, if stored.
    Heard(Option<Timestamp>),
    Admitted {
        granted: Vec<Channel>,
        refused: Vec<(Channel, Refusal)>,
    },
    Closed(Option<Suppression>),
    /// The event is in this window. `timer`: the caller must schedule the closing.
    Joined {
        window_id: String,
        closes_at: Timestamp,
        timer: bool,
    },
    /// The event is not collected and is sent at once.
    PassThrough,
}

/// Answers by [`Ask::id`].
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Answers(BTreeMap<String, Answer>);

impl Ask {
    /// The key of the answer in [`Answers`].
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Ask::Cancelled { key } => format!("cancelled {}", key.as_str()),
            Ask::Seen { of } => {
                let keys: Vec<&str> = of.iter().map(Key::as_str).collect();
                format!("seen {}", keys.join(" "))
            }
            Ask::Notified { of } => {
                let keys: Vec<&str> = of.iter().map(Key::as_str).collect();
                format!("told {}", keys.join(" "))
            }
            Ask::Admit { key, .. } => format!("admit {}", key.as_str()),
            Ask::Heard { caller, .. } => format!("heard {caller}"),
            Ask::Collected { key } => format!("collected {}", key.as_str()),
            Ask::Closed { address } => format!("closed {address}"),
            Ask::Join { key, .. } => format!("join {}", key.as_str()),
        }
    }

    /// The answer for empty tables, to explain and compare decisions without tables.
    #[must_use]
    pub fn default_answer(&self) -> Answer {
        match self {
            Ask::Cancelled { .. } => Answer::Cancelled(None),
            Ask::Seen { .. } => Answer::Seen(None),
            Ask::Closed { .. } => Answer::Closed(None),
            Ask::Notified { .. } => Answer::Notified(false),
            Ask::Heard { .. } => Answer::Heard(None),
            Ask::Collected { .. } => Answer::PassThrough,
            Ask::Admit { channels, .. } => {
                Answer::Admitted { granted: channels.clone(), refused: Vec::new() }
            }
            Ask::Join { window, key, policy, ends, .. } => match policy.flush_first || policy.lookback {
                true => Answer::PassThrough,
                false => Answer::Joined {
                    window_id: crate::limits::digest::window_id(window, key.as_str()),
                    closes_at: *ends,
                    timer: true,
                },
            },
        }
    }
}

impl Answers {
    pub fn insert(&mut self, ask: &Ask, answer: Answer) {
        self.0.insert(ask.id(), answer);
    }

    #[must_use]
    pub(super) fn to(&self, ask: &Ask) -> Option<&Answer> {
        self.0.get(&ask.id())
    }
}
