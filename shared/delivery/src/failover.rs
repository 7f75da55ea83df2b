//! Reports failed notifications to dispatch, which decides about the fallback channel.
//!
//! The report is sent after the failure is stored and before the message leaves the queue. A redelivered
//! message is reported again. All reports of a notification lead to one key, so repeats are harmless.

use std::time::Duration;

use aws::CallError;
use domain::base::outcome::Reason;
use domain::delivery::job::Job;
use domain::event::Priority;
use queue::{Outgoing, Queue};

use crate::cloud::JobQueue;

/// The queues that feed dispatch.
pub struct Dispatch<Q = Queue> {
    pub normal: Q,
    pub critical: Q,
}

impl<Q: JobQueue> Dispatch<Q> {
    /// Sends the continuation of a failed notification to dispatch. Does nothing for a job without a
    /// fallback channel.
    ///
    /// # Errors
    /// The queue did not accept the continuation. The job's message must be redelivered.
    pub(crate) async fn hand_on(&self, job: &Job, why: Reason) -> Result<(), CallError> {
        let Some(failover) = &job.failover else { return Ok(()) };
        let body = failover.continuation.clone().because(why).to_json();
        let tenant = job.event.tenant.clone();
        let queue = if job.priority == Priority::Critical { &self.critical } else { &self.normal };
        let sent = queue
            .send(&[Outgoing { body: body.into(), tenant, delay: Duration::ZERO }])
            .await
            .pop()
            .unwrap_or(Ok(()));
        if sent.is_ok() {
            tracing::warn!(
                code = "DELIVERY_FAILOVER",
                job.key = job.key.as_str(),
                event.id = job.event.id,
                channel = job.channel().name(),
                to = failover.to.name(),
                reason = why.name(),
                "notification handed to the fallback channel"
            );
        }
        sent
    }
}
