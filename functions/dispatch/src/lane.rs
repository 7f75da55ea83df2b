//! The queues that dispatch itself is fed from, and how it leaves something there for later.

use std::time::Duration;

use aws::Refused;
use domain::Timestamp;
use domain::catalog::Catalog;
use domain::event::{Event, Priority};
use domain::wake::Wake;
use queue::{MAX_DELAY, Outgoing, Queue, Sqs};
use runtime::Message;

use crate::config::{Lanes as Urls, Targets};
use schedule::Schedules;

/// A queue of dispatch's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// What must not wait behind anything.
    Critical,
    /// What just happened, and what waited for its time.
    Normal,
    /// The rest of large audiences, and events over their source's rate.
    Bulk,
}

/// Something that is gone on with at `at`.
pub struct Leaving {
    pub lane: Lane,
    pub at: Timestamp,
    pub body: String,
    pub tenant: Option<String>,
    /// Names it: leaving it twice under one name is leaving it once, where that can be had.
    pub name: String,
}

/// All lanes.
pub(crate) struct Lanes {
    critical: Queue,
    normal: Queue,
    bulk: Queue,
    schedules: Schedules,
    targets: Targets,
}

impl Leaving {
    /// What of `rule` is gone on with at `at`.
    #[must_use]
    pub fn wake(catalog: &Catalog, event: &Event, wake: &Wake, at: Timestamp, name: String) -> Leaving {
        let rule = catalog.rule(&wake.rule);
        let lane = match rule.and_then(|rule| rule.priority).or(event.priority) {
            Some(Priority::Critical) => Lane::Critical,
            Some(Priority::Low | Priority::Normal | Priority::High) | None => Lane::Normal,
        };
        Leaving { lane, at, body: wake.to_json(), tenant: event.tenant.clone(), name }
    }
}

impl Lanes {
    pub(crate) fn new(sqs: &Sqs, urls: Urls, schedules: Schedules, targets: Targets) -> Lanes {
        Lanes {
            critical: Queue::new(sqs, urls.critical),
            normal: Queue::new(sqs, urls.normal),
            bulk: Queue::new(sqs, urls.bulk),
            schedules,
            targets,
        }
    }

    /// Hides a message of one of these queues for a while.
    pub(crate) async fn show_after(&self, message: &Message, pause: Duration) -> Result<(), Refused> {
        let queue = match message.queue_arn() {
            arn if arn == self.targets.critical_arn => &self.critical,
            arn if arn == self.targets.bulk_arn => &self.bulk,
            _ => &self.normal,
        };
        queue.show_after(&message.receipt_handle, pause).await
    }

    /// Leaves something for its time: with the queue itself when it is at most 15 minutes away, with a schedule that
    /// deletes itself when it is later.
    pub(crate) async fn leave(&self, it: Leaving, now: Timestamp) -> Result<(), Refused> {
        let delay = Duration::try_from(it.at.duration_since(now)).unwrap_or(Duration::ZERO);
        if delay > MAX_DELAY {
            let queue = match it.lane {
                Lane::Critical => &self.targets.critical_arn,
                Lane::Normal => &self.targets.normal_arn,
                Lane::Bulk => &self.targets.bulk_arn,
            };
            return self.schedules.at(queue, it.at, &it.body, &it.name).await;
        }
        let queue = match it.lane {
            Lane::Critical => &self.critical,
            Lane::Normal => &self.normal,
            Lane::Bulk => &self.bulk,
        };
        let message = Outgoing { body: it.body, tenant: it.tenant, delay };
        queue.send(&[message]).await.pop().unwrap_or(Ok(()))
    }
}
