//! Claim, send, settle: what every channel does with a batch of jobs.
//!
//! A channel brings one thing: how it asks its provider. Everything else is here, once: reading the jobs, the claim in
//! the ledger, the deadline, what was cancelled, what each answer means for the ledger and for the queue, and what becomes of a job that
//! an earlier sender left behind.

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

use aws::Refused;
use domain::job::Job;
use domain::outcome::{Failure, Sent, Status};
use futures_util::stream::{self, StreamExt as _};
use queue::{Cause, Past, newer_pause};
use runtime::{Batch, Deadline, Error, Message, Report, chain};
use store::{Settlement, Standing};

pub use breaker::Providers;
pub use cloud::{Aws, Claims, Cloud, Line, Shared, Timer};
pub use config::DeskConfig;
pub use failover::Dispatch;
use handle::Finished;
pub use later::{Later, LaterConfig};
use limits::Ticket;
use read::{Reading, Task, Unreadable};

/// What a channel needs beside its provider.
pub struct Desk<C: Cloud = Aws> {
    /// The function's name, for whoever reads a dead letter.
    pub name: &'static str,
    pub ledger: C::Claims,
    /// Where cancellations stand.
    pub counters: C::Shared,
    /// The queue the jobs come from.
    pub queue: C::Line,
    /// The queue that critical jobs come from.
    pub critical: C::Line,
    pub dead_letters: C::Line,
    /// Who decides about the next channel; nobody where the function is not told.
    pub dispatch: Option<Dispatch<C::Line>>,
    /// Whom the channel asks, as far as they are watched.
    pub providers: Providers<C>,
    /// Where jobs wait that come again later than a message can be hidden. A channel that never says
    /// [`Sent::Later`] needs none.
    pub later: Option<Later<C::Timer>>,
    /// How many sends are under way at once.
    pub concurrency: usize,
}

impl<C: Cloud> Desk<C> {
    /// Handles one batch: each job that nobody else holds is sent once, each answer is written to the ledger, and the
    /// report names the messages that the queue must show again.
    ///
    /// # Errors
    /// The ledger could not be asked before anything was sent or put aside: the whole batch goes back.
    pub async fn deliver<S>(&self, batch: Batch, send: S) -> Result<Report, Error>
    where
        S: AsyncFn(&Job) -> Result<Sent, Failure>,
    {
        self.deliver_by(batch, async |job, _| send(job).await).await
    }

    /// The same for a channel with several providers: `send` is told which of them to ask, by its place in the list.
    ///
    /// # Errors
    /// As for [`Desk::deliver`].
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
        // Only now: a batch that fails as a whole comes back whole, and would be put aside once more.
        self.put_aside(&unreadable, batch.deadline, &mut report).await;
        let (held, expected) = (waiting.len(), tasks.len());
        self.put_back(waiting, batch.deadline, &mut report).await;

        let finished: Vec<Finished> = stream::iter(tasks.iter().zip(standings).enumerate())
            .map(|(at, (it, standing))| self.handle(at, it, standing, batch.deadline, &send))
            .buffer_unordered(self.concurrency)
            .collect()
            .await;
        debug_assert_eq!(finished.len(), expected);

        let stands = self.settle(&jobs, &finished, token, batch.deadline).await;
        self.answer(&jobs, &finished, &stands, batch.deadline, &mut report).await;
        let found: Vec<_> = finished.iter().filter_map(|it| it.evidence).collect();
        within::<C, _>(batch.deadline, self.providers.report(&found, C::now())).await;
        tracing::info!(
            messages = batch.messages.len(),
            held,
            sent = finished.iter().filter(|it| it.is(Status::Sent)).count(),
            suppressed = finished.iter().filter(|it| it.is(Status::Suppressed)).count(),
            failed = finished.iter().filter(|it| it.is(Status::Failed)).count(),
            unknown = finished.iter().filter(|it| it.is(Status::Unknown)).count(),
            returned = report.returned(),
            "batch delivered"
        );
        Ok(report)
    }

    /// Who goes on in this batch, and who waits for how long without being claimed.
    async fn admit<'a>(
        &self,
        tasks: Vec<Task<'a>>,
    ) -> (Vec<(Task<'a>, Ticket)>, Vec<(Task<'a>, std::time::Duration)>) {
        let now = C::now();
        let jobs: Vec<&Job> = tasks.iter().map(|task| &task.job).collect();
        let in_time = jobs.iter().filter(|job| !job.is_expired(now)).count();
        let views = self.providers.look(in_time, now).await;
        let mut tickets = limits::tickets(&jobs, views, now);
        self.hold_to_quota(&jobs, &mut tickets, now).await;
        let (mut going, mut waiting) = (Vec::with_capacity(tasks.len()), Vec::new());
        for (task, ticket) in tasks.into_iter().zip(tickets) {
            match ticket {
                Ticket::Wait(pause) => waiting.push((task, pause)),
                ticket @ (Ticket::Go { .. } | Ticket::HandOn) => going.push((task, ticket)),
            }
        }
        (going, waiting)
    }

    /// Gives out the tokens of the providers' quotas, to what matters most first.
    async fn hold_to_quota(&self, jobs: &[&Job], tickets: &mut [Ticket], now: domain::Timestamp) {
        for provider in 0..self.providers.count() {
            let Some((name, quota)) = self.providers.quota(provider) else { continue };
            let asks = |ticket: &Ticket| matches!(ticket, Ticket::Go { providers, .. } if providers.first() == Some(&provider));
            let mut asking = limits::by_priority(jobs);
            asking.retain(|it| asks(&tickets[*it]));
            if asking.is_empty() {
                continue;
            }
            let taken = quota::take(self.providers.counters(), name, &quota, asking.len(), now).await;
            let Some(tokens) = taken else { continue };
            for (place, at) in asking.into_iter().enumerate() {
                let seed = domain::retry::chance(jobs[at].key.as_str(), jobs[at].held_s);
                match (tokens.at.get(place), &mut tickets[at]) {
                    (Some(token), Ticket::Go { at, .. }) => *at = Some(*token),
                    (_, ticket) => {
                        *ticket = Ticket::Wait(limits::in_time(jobs[at], tokens.left.pause(now, seed), now));
                    }
                }
            }
        }
    }

    /// Claims every job that the ledger has a row for. A job without a row is always ours: SQS counts its tries.
    async fn claim(
        &self,
        tasks: &[&Task<'_>],
        token: &str,
        deadline: Deadline,
    ) -> Result<Vec<Standing>, Refused> {
        let recorded: Vec<&Task<'_>> = tasks.iter().copied().filter(|task| task.job.is_recorded()).collect();
        let mut claimed = self.claim_recorded(&recorded, token, deadline).await?.into_iter();
        let standings = tasks.iter().map(|task| match task.job.is_recorded() {
            true => claimed.next().unwrap_or(Standing::Held),
            false => Standing::Ours(task.tried_by_queue(C::now())),
        });
        Ok(standings.collect())
    }

    /// Asks for every job. A call that failed may have claimed some of them all the same: they are given back, so that
    /// the next attempt may send what nobody has sent.
    async fn claim_recorded(
        &self,
        tasks: &[&Task<'_>],
        token: &str,
        deadline: Deadline,
    ) -> Result<Vec<Standing>, Refused> {
        if tasks.is_empty() {
            return Ok(Vec::new());
        }
        let jobs: Vec<&Job> = tasks.iter().map(|task| &task.job).collect();
        let claimed = self.ledger.claim(&jobs, token, C::now(), deadline.ends()).await;
        if claimed.is_err() {
            let given_back: Vec<Settlement> = jobs.into_iter().map(settle::never_tried).collect();
            if let Err(refused) = self.ledger.settle(&given_back, token, C::now()).await {
                tracing::error!(error = chain(&refused), "what may be claimed is not given back");
            }
        }
        claimed
    }

    /// What cannot be read: put aside with its cause, or left to a function that can read it.
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
                    report.show_again(message);
                    continue;
                }
            };
            tracing::error!(message.id = message.message_id, detail, "a job cannot be read");
            let cause = Cause { class: "unreadable", detail: detail.clone(), by: self.name };
            let past = Past { first_at: message.first_sent_at(), attempts: message.receive_count() };
            if let Err(refused) = self.dead_letters.bury(&message.body, message.group(), &cause, past).await {
                tracing::error!(error = chain(&refused), "it stays in the queue");
                report.show_again(message);
            }
        }
    }

    /// Hides a job of a newer release for a while, longer each time ([`newer_pause`]).
    async fn leave_to_newer(&self, message: &Message, version: u32, deadline: Deadline) {
        let pause = newer_pause(message.receive_count());
        tracing::warn!(
            message.id = message.message_id,
            version,
            pause_s = pause.as_secs(),
            code = "JOB_NEWER",
            "a job was written by a newer release: returned to the queue until a function of that release reads it"
        );
        let queue = if message.is_critical() { &self.critical } else { &self.queue };
        let hidden = within::<C, _>(deadline, queue.show_after(&message.receipt_handle, pause)).await;
        if let Some(Err(refused)) = hidden {
            tracing::warn!(error = chain(&refused), code = "JOB_NEWER", "the queue keeps its own time");
        }
    }

    /// Writes every outcome. `false` where it is not certain that it stands.
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
        let unsettled = || finished.iter().map(|it| settlement(it).is_none()).collect();
        if settlements.is_empty() {
            return unsettled();
        }
        let mut answers =
            match within::<C, _>(deadline, self.ledger.settle(&settlements, token, C::now())).await {
                Some(Ok(answers)) => answers,
                Some(Err(refused)) => {
                    tracing::error!(error = chain(&refused), "outcomes are not on record");
                    return unsettled();
                }
                None => {
                    tracing::error!("outcomes are not on record: the invocation's time is up");
                    return unsettled();
                }
            }
            .into_iter();
        let mut stands = Vec::with_capacity(finished.len());
        for it in finished {
            stands.push(match settlement(it) {
                Some(_) => matches!(answers.next(), Some(Ok(()))),
                None => true,
            });
        }
        stands
    }
}

/// Does something as long as there is time to answer the queue afterwards: half a second. `None`: it was not done in
/// time, and nobody knows how far it came.
///
/// Source: reliability F2.
async fn within<C: Cloud, T>(deadline: Deadline, doing: impl Future<Output = T>) -> Option<T> {
    const TO_ANSWER: std::time::Duration = std::time::Duration::from_millis(600);
    let left = std::time::Duration::try_from(deadline.ends().duration_since(C::now())).unwrap_or_default();
    tokio::time::timeout(left.saturating_sub(TO_ANSWER), doing).await.ok()
}

fn warn(job: &Job, what: &str, refused: &Refused) {
    tracing::warn!(job.key = job.key.as_str(), event.id = job.event.id, error = chain(refused), "{what}");
}

#[cfg(test)]
mod tests;
