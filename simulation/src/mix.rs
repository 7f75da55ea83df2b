//! Mixes of event types. The seed chooses one, so that each property meets the faults often enough.

use crate::chance::Chance;

/// The event types of a run.
#[derive(Clone, Copy)]
pub(crate) enum Mix {
    /// Notifications to one or two recipients.
    Single,
    /// Digests, and cancellations of their events.
    Digests,
    /// Audiences of several pages.
    Audiences,
}

/// Event types, and the probability of each in percent.
type Shares = &'static [(&'static str, u64)];

impl Mix {
    /// Half of the runs have single notifications.
    pub(crate) fn of(seed: u64) -> Mix {
        match seed % 4 {
            0 | 1 => Mix::Single,
            2 => Mix::Digests,
            _ => Mix::Audiences,
        }
    }

    fn shares(self) -> Shares {
        match self {
            Mix::Single => &[
                ("order.paid", 30),
                ("alarm.raised", 15),
                ("code.issued", 15),
                ("visit.booked", 15),
                ("visit.cancelled", 10),
                ("chat.posted", 15),
            ],
            Mix::Digests => &[("remark.added", 75), ("remark.removed", 15), ("visit.booked", 10)],
            Mix::Audiences => &[("news.posted", 35), ("list.posted", 15), ("order.paid", 50)],
        }
    }

    pub(crate) fn choose(self, chance: &mut Chance) -> &'static str {
        let mut roll = chance.below(100);
        for (kind, share) in self.shares() {
            if roll < *share {
                return kind;
            }
            roll -= share;
        }
        self.shares()[0].0
    }
}
