//! Dispatch's own queues, and the schedules that put messages there.

use std::time::Duration;

use aws::CallError;
use domain::Timestamp;
use engine::{Lane, ScheduledMessage};
use queue::{MAX_DELAY, Outgoing, Queue, Sqs};
use runtime::Message;

use crate::config::{Lanes as Urls, Targets};
use schedule::Schedules;

/// The three lanes.
pub(crate) struct Lanes {
    critical: Queue,
    normal: Queue,
    bulk: Queue,
    schedules: Schedules,
    targets: Targets,
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
    pub(crate) async fn show_after(&self, message: &Message, pause: Duration) -> Result<(), CallError> {
        let arn = message.queue_arn();
        let lane = match arn {
            _ if arn == self.targets.critical_arn => Lane::Critical,
            _ if arn == self.targets.bulk_arn => Lane::Bulk,
            _ => Lane::Normal,
        };
        self.queue(lane).show_after(&message.receipt_handle, pause).await
    }

    /// Schedules a message. Up to 15 minutes ahead, the queue's own delay is used. Later messages get a schedule that
    /// deletes itself.
    pub(crate) async fn schedule(&self, message: ScheduledMessage, now: Timestamp) -> Result<(), CallError> {
        let ScheduledMessage { lane, at, body, tenant, name } = message;
        let delay = Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO);
        if delay > MAX_DELAY {
            let arn = match lane {
                Lane::Critical => &self.targets.critical_arn,
                Lane::Normal => &self.targets.normal_arn,
                Lane::Bulk => &self.targets.bulk_arn,
            };
            return self.schedules.at(arn, at, body.expose(), &name).await;
        }
        self.queue(lane).send(&[Outgoing { body, tenant, delay }]).await.pop().unwrap_or(Ok(()))
    }

    fn queue(&self, lane: Lane) -> &Queue {
        match lane {
            Lane::Critical => &self.critical,
            Lane::Normal => &self.normal,
            Lane::Bulk => &self.bulk,
        }
    }
}
