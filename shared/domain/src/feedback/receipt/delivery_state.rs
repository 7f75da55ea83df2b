//! The delivery state of a message, as far as receipts report it.

use jiff::Timestamp;

use super::StatusUpdate;
use crate::base::outcome::{Reason, Status};

/// The state of a notification after its receipts. Status and reason hold the most certain report, and the marks hold
/// other reports with their times.
///
/// Receipts never lower a status. A delivered message stays delivered, and a later bounce or complaint becomes a
/// mark.
///
/// The status order is documented in ARCHITECTURE.md. A bounce outranks `sent`, because it is a report about that
/// send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryState {
    pub status: Status,
    pub reason: Option<Reason>,
    pub marks: Marks,
}

/// Reports about a message, each with its time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks {
    pub delivered_at: Option<Timestamp>,
    pub bounced_at: Option<Timestamp>,
    /// The time at which the recipient reported the message as spam.
    pub complained_at: Option<Timestamp>,
    pub seen_at: Option<Timestamp>,
}

impl Marks {
    /// The marks that the status does not imply, each as a predicate ("was seen") with its time.
    pub fn states(&self, status: Status) -> impl Iterator<Item = (&'static str, Timestamp)> {
        let all = [
            ("came back as undeliverable", self.bounced_at.filter(|_| status != Status::Bounced)),
            ("was reported as spam", self.complained_at),
            ("was seen", self.seen_at),
        ];
        all.into_iter().filter_map(|(predicate, at)| Some((predicate, at?)))
    }
}

impl DeliveryState {
    /// The state before any receipt.
    #[must_use]
    pub fn of(status: Status, reason: Option<Reason>) -> DeliveryState {
        DeliveryState { status, reason, marks: Marks::default() }
    }

    /// Merges a report. Notifications that were never sent, or that the provider refused, do not change.
    ///
    /// The result does not depend on the order or the repetition of reports.
    #[must_use]
    pub fn hear(mut self, news: StatusUpdate, at: Timestamp) -> DeliveryState {
        if rank(self.status).is_none() {
            return self;
        }
        let (status, reason) = match news {
            StatusUpdate::Accepted | StatusUpdate::Complained => (Status::Sent, None),
            StatusUpdate::Unconfirmed => (Status::Unconfirmed, Some(Reason::NoReceipt)),
            StatusUpdate::Undelivered(reason) => (Status::Undelivered, Some(reason)),
            StatusUpdate::Bounced => (Status::Bounced, Some(Reason::Bounced)),
            StatusUpdate::Delivered | StatusUpdate::Seen => (Status::Delivered, None),
        };
        if rank(status) > rank(self.status) {
            (self.status, self.reason) = (status, reason);
        } else if status == self.status {
            // Of two reasons for one status, the same one is chosen in either order.
            self.reason = [self.reason, reason].into_iter().flatten().min_by_key(|reason| reason.name());
        }
        match news {
            StatusUpdate::Accepted | StatusUpdate::Unconfirmed | StatusUpdate::Undelivered(_) => {}
            StatusUpdate::Delivered => keep_earlier(&mut self.marks.delivered_at, at),
            StatusUpdate::Seen => {
                keep_earlier(&mut self.marks.delivered_at, at);
                keep_earlier(&mut self.marks.seen_at, at);
            }
            StatusUpdate::Bounced => keep_earlier(&mut self.marks.bounced_at, at),
            StatusUpdate::Complained => keep_earlier(&mut self.marks.complained_at, at),
        }
        self
    }

    /// Whether the claim is open, so that the delivery worker may still record the outcome.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.status.is_final()
    }
}

/// Keeps the earlier time.
fn keep_earlier(mark: &mut Option<Timestamp>, at: Timestamp) {
    *mark = Some(mark.map_or(at, |earlier| earlier.min(at)));
}

/// The order in which receipts raise a status. `None` for a status that receipts do not change.
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
