//! Claims, sends and settles the jobs of a channel.
//!
//! A channel contributes only the call to its provider. This crate reads the jobs, claims them in the
//! ledger, keeps the deadline and checks cancellations. It turns each answer into a settlement and a
//! reply to the queue. It also handles jobs that an earlier sender abandoned.

mod breaker;
mod cloud;
mod config;
mod failover;
mod handle;
mod later;
mod limits;
mod queueing;
mod quota;
mod read;
mod settle;

use aws::CallError;
use domain::base::outcome::{Failure, Sent, Status};
use domain::delivery::job::Job;
use futures_util::stream::{self, StreamExt as _};
use queue::{Cause, MessageHistory, newer_release_pause};
use runtime::{Batch, Deadline, Error, Message, Report, chain};
use store::{ClaimStatus, Settlement};

pub use breaker::Providers;
pub use cloud::{Aws, Backend, ClaimStore, JobQueue, Scheduler, SharedState};
pub use config::DeliveryWorkerConfig;
pub use failover::Dispatch;
use handle::Finished;
pub use later::{Later, LaterConfig};
use limits::Admission;
use read::{Reading, Task, Unreadable};

/// The delivery worker of a channel, without the call to the provider.
pub struct DeliveryWorker<C: Backend = Aws> {
    /// The function's name, recorded in dead letters.
    pub name: &'static str,
    pub ledger: C::ClaimStore,
    /// The table of cancellations and breakers.
    pub counters: C::SharedState,
    /// The channel's normal queue.
    pub queue: C::JobQueue,
    /// The channel's critical queue.
    pub critical: C::JobQueue,
    pub dead_letters: C::JobQueue,
    /// The queues of dispatch, which decides about the fallback channel. `None` disables failover.
    pub dispatch: Option<Dispatch<C::JobQueue>>,
    /// The watched providers of the channel.
    pub providers: Providers<C>,
    /// The means to defer jobs for longer than a message can be hidden. Not needed by a channel that
    /// never returns [`Sent::Later`].
    pub later: Option<Later<C::Scheduler>>,
    /// The number of parallel sends.
    pub concurrency: usize,
}

impl<C: Backend> DeliveryWorker<C> {
    /// Handles one batch. Each job that no other process holds is sent once, and each answer is stored
    /// in the ledger. The report names the messages to redeliver.
    ///
    /// # Errors
    /// The claim failed before any job was sent or dead-lettered. The whole batch is redelivered.
    pub async fn deliver<S>(&self, batch: Batch, send: S) -> Result<Report, Error>
    where
        S: AsyncFn(&Job) -> Result<Sent, Failure>,
    {
        self.deliver_by(batch, async |job, _| send(job).await).await
    }

    /// Handles one batch for a channel with several providers. `send` gets the index of the provider to
    /// call.
    ///
    /// # Errors
    /// The same as for [`DeliveryWorker::deliver`].
    pub async fn deliver_by<S>(&self, batch: Batch, send: S) -> Result<Report, Error>
    where
        S: AsyncFn(&Job, usize) -> Result<Sent, Failure>,
    {
        let mut report = Report::default();
        let Reading { tasks, unreadable } = Reading::of(&batch.messages);
        let token = batch.request_id.as_str();
        let (tasks, waiting) = self.admit(tasks).await;
        let jobs: Vec<&Task<'_>> = tasks.iter().map(|(task, _)| task).collect();
        let standings = self.claim(&jobs, token, batch.deadline).await?;
        // Unreadable messages move only after the claims succeeded. A batch that fails as a whole is
        // redelivered, and they would move twice.
        self.put_aside(&unreadable, batch.deadline, &mut report).await;
        let (held, expected) = (waiting.len(), tasks.len());
        self.put_back(waiting, batch.deadline, &mut report).await;

        let finished: Vec<Finished> = stream::iter(tasks.iter().zip(standings).enumerate())
            .map(|(index, (task, standing))| self.handle(index, task, standing, batch.deadline, &send))
            .buffer_unordered(self.concurrency)
            .collect()
            .await;
        debug_assert_eq!(finished.len(), expected);

        let stands = self.settle(&jobs, &finished, token, batch.deadline).await;
        self.answer(&jobs, &finished, &stands, batch.deadline, &mut report).await;
        let found: Vec<_> = finished.iter().filter_map(|result| result.evidence).collect();
        within::<C, _>(batch.deadline, self.providers.report(&found, C::now())).await;
        tracing::info!(
            code = "DELIVERY_BATCH",
            messages = batch.messages.len(),
            held,
            sent = finished.iter().filter(|result| result.is(Status::Sent)).count(),
            suppressed = finished.iter().filter(|result| result.is(Status::Suppressed)).count(),
            failed = finished.iter().filter(|result| result.is(Status::Failed)).count(),
            unknown = finished.iter().filter(|result| result.is(Status::Unknown)).count(),
            returned = report.returned(),
            "batch of jobs processed"
        );
        Ok(report)
    }

    /// Splits the batch into jobs to handle now and jobs to defer without a claim.
    async fn admit<'a>(
        &self,
        tasks: Vec<Task<'a>>,
    ) -> (Vec<(Task<'a>, Admission)>, Vec<(Task<'a>, std::time::Duration)>) {
        let now = C::now();
        let jobs: Vec<&Job> = tasks.iter().map(|task| &task.job).collect();
        let in_time = jobs.iter().filter(|job| !job.is_expired(now)).count();
        let views = self.providers.look(in_time, now).await;
        let mut tickets = limits::tickets(&jobs, views, now);
        self.assign_quota_tokens(&jobs, &mut tickets, now).await;
        let (mut going, mut waiting) = (Vec::with_capacity(tasks.len()), Vec::new());
        for (task, ticket) in tasks.into_iter().zip(tickets) {
            match ticket {
                Admission::Wait(pause) => waiting.push((task, pause)),
                ticket @ (Admission::Go { .. } | Admission::HandOn) => going.push((task, ticket)),
            }
        }
        (going, waiting)
    }

    /// Assigns the tokens of the providers' quotas, critical jobs first.
    async fn assign_quota_tokens(&self, jobs: &[&Job], tickets: &mut [Admission], now: domain::Timestamp) {
        for provider in 0..self.providers.count() {
            let Some((name, quota)) = self.providers.quota(provider) else { continue };
            let asks = |ticket: &Admission| matches!(ticket, Admission::Go { providers, .. } if providers.first() == Some(&provider));
            let mut aws_request = limits::by_priority(jobs);
            aws_request.retain(|index| asks(&tickets[*index]));
            if aws_request.is_empty() {
                continue;
            }
            let taken = quota::take(self.providers.counters(), name, &quota, aws_request.len(), now).await;
            let Some(tokens) = taken else { continue };
            for (place, at) in aws_request.into_iter().enumerate() {
                let seed = domain::delivery::retry::chance(jobs[at].key.as_str(), jobs[at].held_s);
                match (tokens.at.get(place), &mut tickets[at]) {
                    (Some(token), Admission::Go { at, .. }) => *at = Some(*token),
                    (_, ticket) => {
                        *ticket =
                            Admission::Wait(limits::in_time(jobs[at], tokens.left.pause(now, seed), now));
                    }
                }
            }
        }
    }

    /// Claims every job that has a ledger row. A job without a row counts as claimed, and SQS counts its
    /// attempts.
    async fn claim(
        &self,
        tasks: &[&Task<'_>],
        token: &str,
        deadline: Deadline,
    ) -> Result<Vec<ClaimStatus>, CallError> {
        let recorded: Vec<&Task<'_>> = tasks.iter().copied().filter(|task| task.job.is_recorded()).collect();
        let mut claimed = self.claim_recorded(&recorded, token, deadline).await?.into_iter();
        let standings = tasks.iter().map(|task| match task.job.is_recorded() {
            true => claimed.next().unwrap_or(ClaimStatus::Held),
            false => ClaimStatus::Ours(task.tried_by_queue(C::now())),
        });
        Ok(standings.collect())
    }

    /// Claims all jobs in one call. A failed call may have claimed some of them. They are released, so
    /// that the next attempt can send them.
    async fn claim_recorded(
        &self,
        tasks: &[&Task<'_>],
        token: &str,
        deadline: Deadline,
    ) -> Result<Vec<ClaimStatus>, CallError> {
        if tasks.is_empty() {
            return Ok(Vec::new());
        }
        let jobs: Vec<&Job> = tasks.iter().map(|task| &task.job).collect();
        let claimed = self.ledger.claim(&jobs, token, C::now(), deadline.ends()).await;
        if claimed.is_err() {
            let given_back: Vec<Settlement> = jobs.into_iter().map(settle::never_tried).collect();
            if let Err(refused) = self.ledger.settle(&given_back, token, C::now()).await {
                tracing::error!(
                    code = "DELIVERY_CLAIM_NOT_RELEASED",
                    error = chain(&refused),
                    "claims not released: the jobs wait until their leases end"
                );
            }
        }
        claimed
    }

    /// Moves unreadable messages to the dead-letter queue. Jobs of a newer release stay in their queue.
    async fn put_aside(
        &self,
        unreadable: &[(&Message, Unreadable)],
        deadline: Deadline,
        report: &mut Report,
    ) {
        for (message, why) in unreadable {
            let detail = match why {
                Unreadable::NoJob(detail) => detail,
                Unreadable::Newer(version) => {
                    self.leave_to_newer(message, *version, deadline).await;
                    report.redeliver(message);
                    continue;
                }
            };
            tracing::error!(
                code = "MESSAGE_REFUSED",
                message.id = message.message_id,
                detail,
                "message moves to the dead-letter queue: its content cannot be processed"
            );
            let cause = Cause { class: "unreadable", detail: detail.clone(), by: self.name };
            let past =
                MessageHistory { first_at: message.first_sent_at(), attempts: message.receive_count() };
            if let Err(refused) =
                self.dead_letters.dead_letter(message.body.expose(), message.group(), &cause, past).await
            {
                tracing::error!(
                    code = "DEAD_LETTER_NOT_SENT",
                    error = chain(&refused),
                    "message returned to the queue: the dead-letter queue did not accept it"
                );
                report.redeliver(message);
            }
        }
    }

    /// Hides a job of a newer release for a while, longer after each delivery ([`newer_pause`]).
    async fn leave_to_newer(&self, message: &Message, version: u32, deadline: Deadline) {
        let pause = newer_release_pause(message.receive_count());
        tracing::warn!(
            message.id = message.message_id,
            version,
            pause_s = pause.as_secs(),
            code = "JOB_NEWER",
            "message returned to the queue: a newer release wrote the job"
        );
        let queue = if message.is_critical() { &self.critical } else { &self.queue };
        let hidden = within::<C, _>(deadline, queue.show_after(&message.receipt_handle, pause)).await;
        if let Some(Err(refused)) = hidden {
            tracing::warn!(
                error = chain(&refused),
                code = "QUEUE_DELAY_NOT_SET",
                "message redelivered after the visibility timeout of its queue: the wanted delay was not set"
            );
        }
    }

    /// Stores every outcome. Returns `false` for an outcome that may not be stored.
    async fn settle(
        &self,
        tasks: &[&Task<'_>],
        finished: &[Finished],
        token: &str,
        deadline: Deadline,
    ) -> Vec<bool> {
        let settlement = |finished: &Finished| {
            finished.settlement.clone().filter(|_| tasks[finished.at].job.is_recorded())
        };
        let settlements: Vec<Settlement> = finished.iter().filter_map(settlement).collect();
        let unsettled = || finished.iter().map(|result| settlement(result).is_none()).collect();
        if settlements.is_empty() {
            return unsettled();
        }
        let mut answers =
            match within::<C, _>(deadline, self.ledger.settle(&settlements, token, C::now())).await {
                Some(Ok(answers)) => answers,
                Some(Err(refused)) => {
                    tracing::error!(
                        code = "DELIVERY_NOT_SETTLED",
                        error = chain(&refused),
                        "outcomes not stored: the write was refused, the jobs are redelivered"
                    );
                    return unsettled();
                }
                None => {
                    tracing::error!(
                        code = "DELIVERY_NOT_SETTLED",
                        "outcomes not stored: the time is up, the jobs are redelivered"
                    );
                    return unsettled();
                }
            }
            .into_iter();
        let mut stands = Vec::with_capacity(finished.len());
        for result in finished {
            stands.push(match settlement(result) {
                Some(_) => matches!(answers.next(), Some(Ok(()))),
                None => true,
            });
        }
        stands
    }
}

/// Runs a future until 600 ms before the deadline, which leaves time to answer the queue. `None` means
/// that the time is up and the progress unknown.
async fn within<C: Backend, T>(deadline: Deadline, doing: impl Future<Output = T>) -> Option<T> {
    const TO_ANSWER: std::time::Duration = std::time::Duration::from_millis(600);
    let left = std::time::Duration::try_from(deadline.ends().duration_since(C::now())).unwrap_or_default();
    tokio::time::timeout(left.saturating_sub(TO_ANSWER), doing).await.ok()
}

#[cfg(test)]
mod tests;
