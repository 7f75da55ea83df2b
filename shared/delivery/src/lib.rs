//! Claim, send, settle: what every channel does with a batch of jobs.
//!
//! A channel brings one thing: how it asks its provider. Everything else is here, once: reading the jobs, the claim in
//! the ledger, the deadline, what was cancelled, what each answer means for the ledger and for the queue, and what becomes of a job that
//! an earlier sender left behind.

mod config;
mod later;
mod pause;
mod read;
mod settle;

use aws::Refused;
use domain::channel::OnUnknown;
use domain::job::Job;
use domain::outcome::{Failure, Reason, Sent, Status};
use futures_util::stream::{self, StreamExt as _};
use queue::{Cause, Queue};
use runtime::{Batch, Deadline, Error, Message, Report, chain, now};
use store::{Counters, Ledger, Settlement, Standing};

pub use config::DeskConfig;
pub use later::{Later, LaterConfig};
use read::{Reading, Task, Unreadable};
use settle::{Next, next};

/// What a channel needs beside its provider.
pub struct Desk {
    /// The function's name, for whoever reads a dead letter.
    pub name: &'static str,
    pub ledger: Ledger,
    /// Where cancellations stand.
    pub counters: Counters,
    /// The queue the jobs come from.
    pub queue: Queue,
    /// The queue that critical jobs come from.
    pub critical: Queue,
    pub dead_letters: Queue,
    /// Where jobs wait that come again later than a message can be hidden. A channel that never says
    /// [`Sent::Later`] needs none.
    pub later: Option<Later>,
    /// How many sends are under way at once.
    pub concurrency: usize,
}

/// A task when its sender is through with it.
struct Finished {
    at: usize,
    settlement: Option<Settlement>,
    next: Next,
}

impl Desk {
    /// Handles one batch: each job that nobody else holds is sent once, each answer is written to the ledger, and the
    /// report names the messages that the queue must show again.
    ///
    /// # Errors
    /// The ledger could not be asked before anything was sent or put aside: the whole batch goes back.
    pub async fn deliver<S>(&self, batch: Batch, send: S) -> Result<Report, Error>
    where
        S: AsyncFn(&Job) -> Result<Sent, Failure>,
    {
        let mut report = Report::default();
        let Reading { tasks, unreadable } = Reading::of(&batch.messages);
        let token = batch.request_id.as_str();
        let standings = self.claim(&tasks, token, batch.deadline).await?;
        // Only now: a batch that fails as a whole comes back whole, and would be put aside once more.
        self.put_aside(&unreadable, &mut report).await;

        let finished: Vec<Finished> = stream::iter(tasks.iter().zip(standings).enumerate())
            .map(|(at, (task, standing))| self.handle(at, task, standing, batch.deadline, &send))
            .buffer_unordered(self.concurrency)
            .collect()
            .await;

        let stands = self.settle(&finished, token).await;
        for (finished, stands) in finished.iter().zip(stands) {
            let task = &tasks[finished.at];
            self.answer(task, finished, stands, &mut report).await;
        }
        tracing::info!(
            messages = batch.messages.len(),
            sent = finished.iter().filter(|it| it.is(Status::Sent)).count(),
            suppressed = finished.iter().filter(|it| it.is(Status::Suppressed)).count(),
            failed = finished.iter().filter(|it| it.is(Status::Failed)).count(),
            unknown = finished.iter().filter(|it| it.is(Status::Unknown)).count(),
            returned = report.returned(),
            "batch delivered"
        );
        Ok(report)
    }

    /// Asks for every job. A call that failed may have claimed some of them all the same: they are given back, so that
    /// the next attempt may send what nobody has sent.
    async fn claim(
        &self,
        tasks: &[Task<'_>],
        token: &str,
        deadline: Deadline,
    ) -> Result<Vec<Standing>, Refused> {
        let jobs: Vec<&Job> = tasks.iter().map(|it| &it.job).collect();
        let claimed = self.ledger.claim(&jobs, token, now(), deadline.ends()).await;
        if claimed.is_err() {
            let given_back: Vec<Settlement> = jobs.into_iter().map(settle::released).collect();
            if let Err(refused) = self.ledger.settle(&given_back, token, now()).await {
                tracing::error!(error = chain(&refused), "what may be claimed is not given back");
            }
        }
        claimed
    }

    /// What cannot be read: put aside with its cause, or left to a function that can read it.
    async fn put_aside(&self, unreadable: &[(&Message, Unreadable)], report: &mut Report) {
        for (message, why) in unreadable {
            let detail = match why {
                Unreadable::NoJob(detail) => detail,
                Unreadable::OtherVersion(version) => {
                    tracing::warn!(
                        message.id = message.message_id,
                        version,
                        "a job of another version waits"
                    );
                    report.show_again(message);
                    continue;
                }
            };
            tracing::error!(message.id = message.message_id, detail, "a job cannot be read");
            let cause = Cause { class: "unreadable", detail: detail.clone(), by: self.name };
            if let Err(refused) = self.dead_letters.bury(&message.body, message.group(), &cause).await {
                tracing::error!(error = chain(&refused), "it stays in the queue");
                report.show_again(message);
            }
        }
    }

    /// One task, from its standing in the ledger to what is to be written there.
    async fn handle<S>(
        &self,
        at: usize,
        task: &Task<'_>,
        standing: Standing,
        deadline: Deadline,
        send: &S,
    ) -> Finished
    where
        S: AsyncFn(&Job) -> Result<Sent, Failure>,
    {
        let job = &task.job;
        let may_send = match standing {
            Standing::Ours => true,
            Standing::Abandoned => job.on_unknown == OnUnknown::Resend,
            Standing::Done(_) => return Finished { at, settlement: None, next: Next::Done },
            Standing::Held => return Finished { at, settlement: None, next: Next::Again(None) },
            Standing::Unclear { refused, unsent } => {
                warn(job, "cannot be claimed", &refused);
                let settlement = unsent.then(|| settle::released(job));
                return Finished { at, settlement, next: Next::Again(None) };
            }
        };
        let answer = if !may_send {
            Ok(Sent::Unknown)
        } else if job.is_expired(now()) {
            Err(Failure::Expired)
        } else {
            match self.is_cancelled(job, deadline).await {
                Ok(true) => {
                    let settlement = settle::suppressed(job, Reason::Cancelled);
                    return Finished { at, settlement: Some(settlement), next: Next::Done };
                }
                Ok(false) => ask(job, deadline, send).await,
                Err(failure) => Err(failure),
            }
        };
        let receives = task.messages.iter().map(|it| it.receive_count()).max().unwrap_or(1);
        let (settlement, next) = next(job, &answer, receives);
        if let Err(failure) = &answer {
            tell(job, failure);
        }
        Finished { at, settlement: Some(settlement), next }
    }

    /// Whether something took the job back since it was asked for. What cannot be looked up is not sent unchecked.
    async fn is_cancelled(&self, job: &Job, deadline: Deadline) -> Result<bool, Failure> {
        let Some(key) = &job.cancel else { return Ok(false) };
        match tokio::time::timeout(deadline.left(now()), self.counters.cancelled(key)).await {
            Ok(Ok(cancelled)) => {
                Ok(cancelled.is_some_and(|it| it.takes_back(job.event.time, job.key.parts().0)))
            }
            Ok(Err(refused)) => Err(Failure::Transient(Box::new(refused))),
            Err(late) => Err(Failure::Transient(Box::new(late))),
        }
    }

    /// Writes every outcome. `false` where it is not certain that it stands.
    async fn settle(&self, finished: &[Finished], token: &str) -> Vec<bool> {
        let settlements: Vec<Settlement> = finished.iter().filter_map(|it| it.settlement.clone()).collect();
        let mut answers = match self.ledger.settle(&settlements, token, now()).await {
            Ok(answers) => answers,
            Err(refused) => {
                tracing::error!(error = chain(&refused), "outcomes are not on record");
                return finished.iter().map(|it| it.settlement.is_none()).collect();
            }
        }
        .into_iter();
        let mut stands = Vec::with_capacity(finished.len());
        for it in finished {
            stands.push(match it.settlement {
                Some(_) => matches!(answers.next(), Some(Ok(()))),
                None => true,
            });
        }
        stands
    }

    /// Tells the queue: done with, or when to show it again.
    async fn answer(&self, task: &Task<'_>, finished: &Finished, stands: bool, report: &mut Report) {
        if let (Next::Later(at), true) = (finished.next, stands) {
            return self.put_back(task, at, report).await;
        }
        let pause = match finished.next {
            Next::Done if stands => return,
            // It was sent and the record of that is missing: the next attempt finds the claim and decides.
            Next::Done | Next::Later(_) => None,
            Next::Again(pause) => pause,
        };
        for message in &task.messages {
            report.show_again(message);
            let Some(pause) = pause else { continue };
            let queue = if message.is_critical() { &self.critical } else { &self.queue };
            if let Err(refused) = queue.show_after(&message.receipt_handle, pause).await {
                tracing::warn!(error = chain(&refused), "the queue keeps its own time");
            }
        }
    }
}

impl Desk {
    /// Leaves the job for its time. A message whose job could not be left is shown again; who receives it then finds
    /// out that it is not time yet.
    async fn put_back(&self, task: &Task<'_>, at: domain::Timestamp, report: &mut Report) {
        let Some(message) = task.messages.first() else { return };
        let left = match &self.later {
            Some(later) => {
                let (queue, arn) = match message.is_critical() {
                    true => (&self.critical, &later.critical_arn),
                    false => (&self.queue, &later.queue_arn),
                };
                later.leave(queue, arn, &task.job, &message.body, at, now()).await
            }
            None => Err(Later::missing()),
        };
        if let Err(refused) = left {
            warn(&task.job, "is not put back for later", &refused);
            task.messages.iter().for_each(|it| report.show_again(it));
        }
    }
}

impl Finished {
    fn is(&self, status: Status) -> bool {
        self.settlement.as_ref().is_some_and(|it| it.status == status)
    }
}

/// Asks the provider, if there is time.
async fn ask<S>(job: &Job, deadline: Deadline, send: &S) -> Result<Sent, Failure>
where
    S: AsyncFn(&Job) -> Result<Sent, Failure>,
{
    let left = deadline.left(now());
    if left.is_zero() {
        return Err(Failure::Transient("the invocation's time is up".into()));
    }
    // An answer that does not come in time is no answer: the provider may have accepted.
    tokio::time::timeout(left, send(job)).await.unwrap_or(Ok(Sent::Unknown))
}

fn tell(job: &Job, failure: &Failure) {
    let error = chain(failure);
    match failure {
        Failure::Transient(_) | Failure::Throttled { .. } => tracing::warn!(
            job.key = job.key.as_str(),
            event.id = job.event.id,
            channel = job.channel().name(),
            error,
            "will be tried again"
        ),
        Failure::Permanent { .. } => tracing::error!(
            job.key = job.key.as_str(),
            event.id = job.event.id,
            channel = job.channel().name(),
            error,
            "will not be tried again"
        ),
        Failure::Expired => {}
    }
}

fn warn(job: &Job, what: &str, refused: &Refused) {
    tracing::warn!(job.key = job.key.as_str(), event.id = job.event.id, error = chain(refused), "{what}");
}

#[cfg(test)]
mod tests;
