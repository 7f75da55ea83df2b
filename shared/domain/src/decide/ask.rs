//! What a decision has to know and cannot know by itself.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::cancel::{CancelKey, Cancellation};
use crate::channel::Channel;
use crate::counter::{Limit, Refusal, Scope};
use crate::digest::{DigestPolicy, Item};
use crate::key::Key;
use crate::recipient::Suppression;
use crate::rule::Unless;
use crate::zone::Zone;

/// A question to the tables. Asked twice, it has one answer: the key names who asked.
pub enum Ask {
    /// When did an event cancel what lies under this key?
    Cancelled { key: CancelKey },
    /// Was one of these seen, or acknowledged?
    Seen { of: Vec<Key> },
    /// Was one of these sent, or is it still under way?
    Told { of: Vec<Key> },
    /// On which of these channels may one more be sent? What is granted is counted.
    Admit { key: Key, wants: Vec<Wanted>, channels: Vec<Channel>, zone: Zone },
    /// When did somebody last write to us? `caller` is [`crate::keyed_hash::KeyedHashes::caller`] of their number,
    /// `former` the name that the last release filed it under.
    Heard { caller: String, former: String },
    /// Was this put into a digest when it came before? Only then is it a matter of digests still.
    Collected { key: Key },
    /// Did a provider close this address, which is nobody's of whom there is a profile?
    Closed { address: String },
    /// Which digest does this belong to? It is put there.
    Join {
        key: Key,
        window: String,
        policy: DigestPolicy,
        ends: Timestamp,
        item: Box<Item>,
        /// What takes it back while the window is open.
        cancel: Option<CancelKey>,
    },
}

/// A counter that is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    pub id: String,
    pub limit: Limit,
    pub scope: Scope,
    /// What one message counts: 1, or its price.
    pub weight: u64,
}

/// What the tables said.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The event that cancelled it, if there is one.
    Cancelled(Option<Cancellation>),
    /// The most that is known of it.
    Seen(Option<Unless>),
    Told(bool),
    /// When they last wrote to us, as far as anybody remembers.
    Heard(Option<Timestamp>),
    Admitted {
        granted: Vec<Channel>,
        refused: Vec<(Channel, Refusal)>,
    },
    Closed(Option<Suppression>),
    /// It is in this window. `timer`: nobody else sees to it that the window closes.
    Joined {
        window_id: String,
        closes_at: Timestamp,
        timer: bool,
    },
    /// It is not collected but sent at once.
    PassThrough,
}

/// Answers by [`Ask::id`].
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Answers(BTreeMap<String, Answer>);

impl Ask {
    /// What an answer is filed under.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Ask::Cancelled { key } => format!("cancelled {}", key.as_str()),
            Ask::Seen { of } => {
                let keys: Vec<&str> = of.iter().map(Key::as_str).collect();
                format!("seen {}", keys.join(" "))
            }
            Ask::Told { of } => {
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

    /// The answer where nothing has happened before: for explaining and comparing without any table.
    #[must_use]
    pub fn if_nothing_happened(&self) -> Answer {
        match self {
            Ask::Cancelled { .. } => Answer::Cancelled(None),
            Ask::Seen { .. } => Answer::Seen(None),
            Ask::Closed { .. } => Answer::Closed(None),
            Ask::Told { .. } => Answer::Told(false),
            Ask::Heard { .. } => Answer::Heard(None),
            Ask::Collected { .. } => Answer::PassThrough,
            Ask::Admit { channels, .. } => {
                Answer::Admitted { granted: channels.clone(), refused: Vec::new() }
            }
            Ask::Join { window, key, policy, ends, .. } => match policy.flush_first || policy.lookback {
                true => Answer::PassThrough,
                false => Answer::Joined {
                    window_id: crate::digest::window_id(window, key.as_str()),
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
