//! Jobs deferred for longer than a message can be hidden, by the queue's own delay or by a schedule.

use std::time::Duration;

use aws::{CallError, Verdict};
use aws_types::SdkConfig;
use domain::Timestamp;
use domain::decide::continuation::Continuation;
use domain::delivery::job::Job;
use queue::{MAX_DELAY, Outgoing};
use runtime::{Env, Unset};
use schedule::Schedules;

use crate::cloud::{JobQueue, Scheduler};

/// The means by which a channel defers jobs.
pub struct Later<T = Schedules> {
    pub schedules: T,
    /// The ARNs of the channel's queues, as the targets of schedules.
    pub queue_arn: String,
    pub critical_arn: String,
}

impl<T: Scheduler> Later<T> {
    /// Defers a job until `at`. Up to 15 minutes use the queue's delay. Longer deferrals use a schedule
    /// that carries the job and deletes itself. Deferring twice to the same time is harmless.
    pub(crate) async fn leave(
        &self,
        queue: &impl JobQueue,
        arn: &str,
        job: &Job,
        body: &str,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<(), CallError> {
        let delay = Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO);
        if delay > MAX_DELAY {
            return self.schedules.at(arn, at, body, &Continuation::name(&job.key, at)).await;
        }
        let message = Outgoing { body: body.into(), tenant: job.event.tenant.clone(), delay };
        queue.send(&[message]).await.pop().unwrap_or(Ok(()))
    }
}

/// The error of a channel that defers a job without the means to do so.
pub(crate) fn missing() -> CallError {
    let source = "this channel has no means to defer jobs".into();
    CallError { doing: "put a job back", verdict: Verdict::Permanent, source }
}

/// The settings of a channel that defers jobs.
pub struct LaterConfig {
    pub schedule: schedule::Config,
    pub queue_arn: String,
    pub critical_queue_arn: String,
}

impl LaterConfig {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`Unset`] names the missing variable.
    pub fn from_env(env: &Env) -> Result<LaterConfig, Unset> {
        Ok(LaterConfig {
            schedule: schedule::Config {
                prefix: env.required("SCHEDULE_PREFIX")?,
                role_arn: env.required("SCHEDULE_ROLE_ARN")?,
            },
            queue_arn: env.required("QUEUE_ARN")?,
            critical_queue_arn: env.required("CRITICAL_QUEUE_ARN")?,
        })
    }

    pub(crate) fn open(self, aws: &SdkConfig) -> Later {
        Later {
            schedules: Schedules::new(aws, self.schedule),
            queue_arn: self.queue_arn,
            critical_arn: self.critical_queue_arn,
        }
    }
}
