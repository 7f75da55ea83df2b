//! Claim, send, settle: what every channel does with a batch of jobs.
//!
//! A channel brings one thing: how it asks its provider. Everything else is here, once: reading the jobs, the claim in
//! the ledger, the deadline, what each answer means for the ledger and for the queue, and what becomes of a job that
//! an earlier sender left behind.

mod config;
mod pause;
mod settle;

use std::collections::HashMap;

use aws::Refused;
use domain::channel::OnUnknown;
use domain::job::{JOB_VERSION, Job};
use domain::key::Key;
use domain::outcome::{Failure, Sent, Status};
use futures_util::stream::{self, StreamExt as _};
use queue::{Cause, Queue};
use runtime::{Batch, Deadline, Error, Message, Report, chain, now};
use store::{Ledger, Settlement, Standing};

pub use config::DeskConfig;
use settle::{Next, next};

/// What a channel needs beside its provider.
pub struct Desk {
    /// The function's name, for whoever reads a dead letter.
    pub name: &'static str,
    pub ledger: Ledger,
    /// The queue the jobs come from.
    pub queue: Queue,
    pub dead_letters: Queue,
    /// How many sends are under way at once.
    pub concurrency: usize,
}

/// A job and the messages that carry it. SQS may deliver one twice, even in one batch.
struct Task<'a> {
    job: Job,
    messages: Vec<&'a Message>,
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
    /// The ledger could not be asked before anything was sent: the whole batch goes back.
    pub async fn deliver<S>(&self, batch: Batch, send: S) -> Result<Report, Error>
    where
        S: AsyncFn(&Job) -> Result<Sent, Failure>,
    {
        let mut report = Report::default();
        let tasks = self.read(&batch.messages, &mut report).await;
        let jobs: Vec<&Job> = tasks.iter().map(|it| &it.job).collect();
        let token = batch.request_id.as_str();
        let standings = self.ledger.claim(&jobs, token, now(), batch.deadline.ends()).await?;

        let finished: Vec<Finished> = stream::iter(tasks.iter().zip(standings).enumerate())
            .map(|(at, (task, standing))| handle(at, task, standing, batch.deadline, &send))
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

    /// The jobs in the batch, each once. What cannot be read is put aside with its cause.
    async fn read<'a>(&self, messages: &'a [Message], report: &mut Report) -> Vec<Task<'a>> {
        let mut tasks: Vec<Task<'a>> = Vec::with_capacity(messages.len());
        let mut by_key: HashMap<Key, usize> = HashMap::with_capacity(messages.len());
        for message in messages {
            match parse(&message.body) {
                Ok(job) => match by_key.get(&job.key) {
                    Some(&at) => tasks[at].messages.push(message),
                    None => {
                        by_key.insert(job.key.clone(), tasks.len());
                        tasks.push(Task { job, messages: vec![message] });
                    }
                },
                Err(detail) => {
                    tracing::error!(message.id = message.message_id, detail, "a job cannot be read");
                    let cause = Cause { class: "unreadable", detail, by: self.name };
                    let buried = self.dead_letters.bury(&message.body, message.group(), &cause).await;
                    if let Err(refused) = buried {
                        tracing::error!(error = chain(&refused), "it stays in the queue");
                        report.show_again(message);
                    }
                }
            }
        }
        tasks
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
        let pause = match finished.next {
            Next::Done if stands => return,
            // It was sent and the record of that is missing: the next attempt finds the claim and decides.
            Next::Done => None,
            Next::Again(pause) => pause,
        };
        for message in &task.messages {
            report.show_again(message);
            let Some(pause) = pause else { continue };
            if let Err(refused) = self.queue.show_after(&message.receipt_handle, pause).await {
                tracing::warn!(error = chain(&refused), "the queue keeps its own time");
            }
        }
    }
}

impl Finished {
    fn is(&self, status: Status) -> bool {
        self.settlement.as_ref().is_some_and(|it| it.status == status)
    }
}

fn parse(body: &str) -> Result<Job, String> {
    let job: Job = serde_json::from_str(body)
        .map_err(|error| format!("not a job (line {}, column {})", error.line(), error.column()))?;
    match job.version {
        JOB_VERSION => Ok(job),
        other => Err(format!("job version {other}; this function reads version {JOB_VERSION}")),
    }
}

/// One task, from its standing in the ledger to what is to be written there.
async fn handle<S>(at: usize, task: &Task<'_>, standing: Standing, deadline: Deadline, send: &S) -> Finished
where
    S: AsyncFn(&Job) -> Result<Sent, Failure>,
{
    let job = &task.job;
    let resend = match standing {
        Standing::Ours => true,
        Standing::Abandoned => job.on_unknown == OnUnknown::Resend,
        Standing::Done(_) => return Finished { at, settlement: None, next: Next::Done },
        Standing::Held => return Finished { at, settlement: None, next: Next::Again(None) },
        Standing::Unclear(refused) => {
            warn(job, "cannot be claimed", &refused);
            return Finished { at, settlement: None, next: Next::Again(None) };
        }
    };
    let left = deadline.left(now());
    let answer = if !resend {
        Ok(Sent::Unknown)
    } else if job.is_expired(now()) {
        Err(Failure::Expired)
    } else if left.is_zero() {
        Err(Failure::Transient("the invocation's time is up".into()))
    } else {
        // An answer that does not come in time is no answer: the provider may have accepted.
        tokio::time::timeout(left, send(job)).await.unwrap_or(Ok(Sent::Unknown))
    };
    let receives = task.messages.iter().map(|it| it.receive_count()).max().unwrap_or(1);
    let (settlement, next) = next(job, &answer, receives);
    if let Err(failure) = &answer {
        tell(job, failure);
    }
    Finished { at, settlement: Some(settlement), next }
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
