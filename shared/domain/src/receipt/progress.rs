//! How far a message got, as far as anybody said so.

use jiff::Timestamp;

use super::News;
use crate::outcome::{Reason, Status};

/// Where a notification stands after what was heard of it. Status and reason are what is most certain; the marks beside
/// them are what else was heard, each since when.
///
/// A status is never lowered: what was delivered stays so, and a bounce or a complaint that comes later is a mark.
///
/// Source: `semantics.md` 4.5, the order of statuses. A bounce outranks `sent` here, because it is the news about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub status: Status,
    pub reason: Option<Reason>,
    pub marks: Marks,
}

/// What was heard of a message, and since when.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks {
    pub delivered_at: Option<Timestamp>,
    pub bounced_at: Option<Timestamp>,
    /// The recipient called it spam.
    pub complained_at: Option<Timestamp>,
    pub seen_at: Option<Timestamp>,
}

impl Marks {
    /// What the status does not say already, as words after *it*, each with its time.
    pub fn said(&self, status: Status) -> impl Iterator<Item = (&'static str, Timestamp)> {
        let all = [
            ("came back as undeliverable", self.bounced_at.filter(|_| status != Status::Bounced)),
            ("was called spam", self.complained_at),
            ("was seen", self.seen_at),
        ];
        all.into_iter().filter_map(|(said, at)| Some((said, at?)))
    }
}

impl Progress {
    /// Nothing was heard yet.
    #[must_use]
    pub fn of(status: Status, reason: Option<Reason>) -> Progress {
        Progress { status, reason, marks: Marks::default() }
    }

    /// Takes a piece of news in. What no provider was asked for, or refused at once, is not changed by any.
    ///
    /// The same news in any order, and however often, ends in the same progress.
    #[must_use]
    pub fn hear(mut self, news: News, at: Timestamp) -> Progress {
        if rank(self.status).is_none() {
            return self;
        }
        let (status, reason) = match news {
            News::Accepted | News::Complained => (Status::Sent, None),
            News::Unconfirmed => (Status::Unconfirmed, Some(Reason::NoReceipt)),
            News::Undelivered(reason) => (Status::Undelivered, Some(reason)),
            News::Bounced => (Status::Bounced, Some(Reason::Bounced)),
            News::Delivered | News::Seen => (Status::Delivered, None),
        };
        if rank(status) > rank(self.status) {
            (self.status, self.reason) = (status, reason);
        } else if status == self.status {
            // Two reasons for one status: the same of them in either order.
            self.reason = [self.reason, reason].into_iter().flatten().min_by_key(|it| it.name());
        }
        match news {
            News::Accepted | News::Unconfirmed | News::Undelivered(_) => {}
            News::Delivered => first(&mut self.marks.delivered_at, at),
            News::Seen => {
                first(&mut self.marks.delivered_at, at);
                first(&mut self.marks.seen_at, at);
            }
            News::Bounced => first(&mut self.marks.bounced_at, at),
            News::Complained => first(&mut self.marks.complained_at, at),
        }
        self
    }

    /// Whether its sender may still be about to say what came of it: the claim is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.status.is_final()
    }
}

/// The earlier time counts.
fn first(mark: &mut Option<Timestamp>, at: Timestamp) {
    *mark = Some(mark.map_or(at, |it| it.min(at)));
}

/// The order in which receipts raise a status. `None`: no receipt can be about it.
fn rank(status: Status) -> Option<u8> {
    Some(match status {
        Status::Claimed | Status::Released => 0,
        Status::Unknown => 1,
        Status::Sent => 2,
        Status::Unconfirmed => 3,
        Status::Undelivered => 4,
        Status::Bounced => 5,
        Status::Delivered => 6,
        Status::Suppressed | Status::Deferred | Status::Failed => return None,
    })
}
