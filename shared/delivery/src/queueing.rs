//! Replies to the queue: delete, redeliver after a pause, or replace by a new message.
//!
//! A queue moves a message to its dead-letter queue after ten deliveries. That limit is meant for
//! messages that no function can handle. A job that is deferred, or that may be retried more often, is
//! replaced by a new message.

use std::time::Duration;

use domain::Timestamp;
use domain::delivery::job::Job;
use domain::delivery::retry::Tried;
use futures_util::future::join_all;
use queue::Outgoing;
use runtime::{Deadline, Message, Report, chain};

use crate::cloud::{Backend, JobQueue as _};
use crate::handle::Finished;
use crate::read::Task;
use crate::settle::Next;
use crate::{DeliveryWorker, later, within};

/// The number of deliveries after which a message is replaced by a new one: half of the queue's limit.
const SHOWN: u32 = 5;

impl<C: Backend> DeliveryWorker<C> {
    /// Defers jobs that were not claimed. A job that the queue does not accept keeps its old message.
    pub(crate) async fn put_back(
        &self,
        waiting: Vec<(Task<'_>, Duration)>,
        deadline: Deadline,
        report: &mut Report,
    ) {
        if waiting.is_empty() {
            return;
        }
        let again: Vec<(Task<'_>, Outgoing)> = waiting
            .into_iter()
            .map(|(mut task, pause)| {
                let seconds = u32::try_from(pause.as_secs()).unwrap_or(u32::MAX);
                task.job.held_s = task.job.held_s.saturating_add(seconds);
                task.job.held_since.get_or_insert(C::now());
                let outgoing = outgoing(&task, pause);
                (task, outgoing)
            })
            .collect();
        for is_critical in [false, true] {
            let of_lane = || again.iter().filter(|(task, _)| task.is_critical() == is_critical);
            let messages: Vec<Outgoing> = of_lane().map(|(_, message)| message.clone()).collect();
            if messages.is_empty() {
                continue;
            }
            let queue = if is_critical { &self.critical } else { &self.queue };
            let sent = within::<C, _>(deadline, queue.send(&messages)).await.unwrap_or_default();
            let sent = sent.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
            for ((task, _), sent) in of_lane().zip(sent) {
                match sent {
                    Some(Ok(())) => continue,
                    Some(Err(refused)) => tracing::warn!(
                        code = "DELIVERY_DEFERRAL_FAILED",
                        error = chain(&refused),
                        "job stays in its queue: the queue did not accept the deferred copy"
                    ),
                    None => {}
                }
                task.messages.iter().for_each(|message| report.redeliver(message));
            }
        }
        tracing::info!(
            code = "DELIVERY_DEFERRED",
            messages = again.len(),
            "jobs deferred: the provider's rate limit or circuit breaker holds them"
        );
    }

    /// Replies to the queue for each job: delete, or redeliver after a pause. Failed jobs are first
    /// reported to dispatch.
    pub(crate) async fn answer(
        &self,
        tasks: &[&Task<'_>],
        finished: &[Finished],
        stands: &[bool],
        deadline: Deadline,
        report: &mut Report,
    ) {
        let answers = finished.iter().zip(stands).map(|(result, stands)| async {
            let task = tasks[result.at];
            let is_done = match result.next {
                Next::Done if *stands => self.hand_on(&task.job, result).await,
                // The job was sent but the outcome is not stored. The next delivery finds the claim and
                // decides.
                Next::Done | Next::Again(None) => false,
                Next::Later(at) => *stands && self.leave(task, at).await,
                Next::Again(Some(pause)) => self.redeliver_later(task, pause).await,
            };
            is_done.then_some(result.at)
        });
        let done: Vec<usize> = match within::<C, _>(deadline, join_all(answers)).await {
            Some(done) => done.into_iter().flatten().collect(),
            // The time is up. Messages that need no further call are deleted, the others are
            // redelivered.
            None => finished
                .iter()
                .zip(stands)
                .filter(|(result, ok)| **ok && result.is_over())
                .map(|(result, _)| result.at)
                .collect(),
        };
        for result in finished.iter().filter(|result| !done.contains(&result.at)) {
            tasks[result.at].messages.iter().for_each(|message| report.redeliver(message));
        }
    }

    /// Reports a failed job to dispatch. Returns `true` when no report is pending.
    async fn hand_on(&self, job: &Job, result: &Finished) -> bool {
        let (Some(why), Some(dispatch)) = (result.failed, &self.dispatch) else { return true };
        match dispatch.hand_on(job, why).await {
            Ok(()) => true,
            Err(refused) => {
                tracing::error!(
                    code = "DELIVERY_FAILOVER_RETRY",
                    job.key = job.key.as_str(),
                    error = chain(&refused),
                    "message returned to the queue: the fallback channel was not reached"
                );
                false
            }
        }
    }

    /// Defers the job by a new message or a schedule. On `false` the old message is redelivered, and its
    /// receiver finds that the job is not due.
    async fn leave(&self, task: &Task<'_>, at: Timestamp) -> bool {
        let Some(message) = task.messages.first() else { return true };
        let left = match &self.later {
            Some(later) => {
                let (queue, arn) = match task.is_critical() {
                    true => (&self.critical, &later.critical_arn),
                    false => (&self.queue, &later.queue_arn),
                };
                later.leave(queue, arn, &task.job, message.body.expose(), at, C::now()).await
            }
            None => Err(later::missing()),
        };
        if let Err(refused) = &left {
            tracing::warn!(
                code = "DELIVERY_DEFERRAL_FAILED",
                job.key = task.job.key.as_str(),
                event.id = task.job.event.id,
                error = chain(refused),
                "message returned to the queue: the later attempt was not scheduled"
            );
        }
        left.is_ok()
    }

    /// Replaces a message that was delivered often by a new one. Otherwise hides the old message for the
    /// pause and returns `false`.
    async fn redeliver_later(&self, task: &Task<'_>, pause: Duration) -> bool {
        let queue = if task.is_critical() { &self.critical } else { &self.queue };
        // Only the queue counts the attempts of a job without a ledger row.
        if task.receives() >= SHOWN && task.job.is_recorded() {
            match queue.send(&[outgoing(task, pause)]).await.pop() {
                Some(Err(refused)) => tracing::warn!(
                    code = "DELIVERY_REQUEUE_FAILED",
                    error = chain(&refused),
                    "job stays in its queue: the queue did not accept the new message"
                ),
                Some(Ok(())) | None => return true,
            }
        }
        for message in &task.messages {
            if let Err(refused) = queue.show_after(&message.receipt_handle, pause).await {
                tracing::warn!(
                    code = "QUEUE_DELAY_NOT_SET",
                    error = chain(&refused),
                    "message redelivered after the visibility timeout of its queue: the wanted delay was not set"
                );
            }
        }
        false
    }
}

/// The new message for a job.
fn outgoing(task: &Task<'_>, delay: Duration) -> Outgoing {
    let body = serde_json::to_string(&task.job).expect("a job is strings, numbers and JSON text");
    let tenant = task.messages.iter().find_map(|message| message.group()).map(str::to_owned);
    Outgoing { body: body.into(), tenant, delay }
}

impl Task<'_> {
    fn is_critical(&self) -> bool {
        self.messages.iter().any(|message| message.is_critical())
    }

    /// How often the queue has delivered the job.
    fn receives(&self) -> u32 {
        self.messages.iter().map(|message: &&Message| message.receive_count()).max().unwrap_or(1)
    }

    /// The attempts of a job without a ledger row, as its queue counts them.
    pub(crate) fn tried_by_queue(&self, now: Timestamp) -> Tried {
        let first = self.messages.iter().filter_map(|message| message.first_sent_at()).min();
        Tried { times: self.receives().saturating_sub(1), since: first.unwrap_or(now), held: Duration::ZERO }
    }
}
