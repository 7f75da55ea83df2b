//! Telling dispatch that a channel could not deliver, so that it decides about the next one.
//!
//! It is told after the failure is on record and before the message leaves the queue: a message that comes again is
//! told on again. What dispatch makes of it has one key, however often it is told.

use std::time::Duration;

use aws::Refused;
use domain::event::Priority;
use domain::job::Job;
use domain::outcome::Reason;
use queue::{Outgoing, Queue};

use crate::cloud::Line;

/// The queues that dispatch is fed from.
pub struct Dispatch<Q = Queue> {
    pub normal: Q,
    pub critical: Q,
}

impl<Q: Line> Dispatch<Q> {
    /// Hands a notification on. Does nothing for a job whose rule names no other channel.
    ///
    /// # Errors
    /// The queue did not take it: the job's message must come again.
    pub(crate) async fn hand_on(&self, job: &Job, why: Reason) -> Result<(), Refused> {
        let Some(failover) = &job.failover else { return Ok(()) };
        let body = failover.wake.clone().because(why).to_json();
        let tenant = job.event.tenant.clone();
        let queue = if job.priority == Priority::Critical { &self.critical } else { &self.normal };
        let sent =
            queue.send(&[Outgoing { body, tenant, delay: Duration::ZERO }]).await.pop().unwrap_or(Ok(()));
        if sent.is_ok() {
            tracing::warn!(
                job.key = job.key.as_str(),
                event.id = job.event.id,
                channel = job.channel().name(),
                to = failover.to.name(),
                reason = why.name(),
                "handed on to another channel"
            );
        }
        sent
    }
}
