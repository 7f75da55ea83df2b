//! What the queue is told: done with, shown again after a while, or put back as if it were new.
//!
//! A queue moves a message to its dead letters when it has shown it ten times. That is for messages that nobody can
//! handle. One that is only held back, or that may be tried more often than that, is put back as a new one.

use std::time::Duration;

use domain::Timestamp;
use domain::job::Job;
use domain::retry::Tried;
use futures_util::future::join_all;
use queue::Outgoing;
use runtime::{Deadline, Message, Report, chain};

use crate::cloud::{Cloud, Line as _};
use crate::handle::Finished;
use crate::read::Task;
use crate::settle::Next;
use crate::{Desk, later, warn, within};

/// A message that was shown this often is put back as a new one: half of what the queues allow.
const SHOWN: u32 = 5;

impl<C: Cloud> Desk<C> {
    /// Puts those back that wait without having been claimed. What the queue does not take stays where it is.
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
            let messages: Vec<Outgoing> = of_lane().map(|(_, it)| it.clone()).collect();
            if messages.is_empty() {
                continue;
            }
            let queue = if is_critical { &self.critical } else { &self.queue };
            let sent = within::<C, _>(deadline, queue.send(&messages)).await.unwrap_or_default();
            let sent = sent.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
            for ((task, _), sent) in of_lane().zip(sent) {
                match sent {
                    Some(Ok(())) => continue,
                    Some(Err(refused)) => tracing::warn!(error = chain(&refused), "it waits where it is"),
                    None => {}
                }
                task.messages.iter().for_each(|message| report.show_again(message));
            }
        }
        tracing::info!(messages = again.len(), "held back");
    }

    /// Tells the queue about each job: done with, or when to show it again. What failed is handed on first.
    pub(crate) async fn answer(
        &self,
        tasks: &[&Task<'_>],
        finished: &[Finished],
        stands: &[bool],
        deadline: Deadline,
        report: &mut Report,
    ) {
        let answers = finished.iter().zip(stands).map(|(it, stands)| async {
            let task = tasks[it.at];
            let is_done = match it.next {
                Next::Done if *stands => self.hand_on(&task.job, it).await,
                // It was sent and the record of that is missing: the next attempt finds the claim and decides.
                Next::Done | Next::Again(None) => false,
                Next::Later(at) => *stands && self.leave(task, at).await,
                Next::Again(Some(pause)) => self.show_later(task, pause).await,
            };
            is_done.then_some(it.at)
        });
        let done: Vec<usize> = match within::<C, _>(deadline, join_all(answers)).await {
            Some(done) => done.into_iter().flatten().collect(),
            // No time to tell the queue more: what needs no word is done, the rest comes back.
            None => finished
                .iter()
                .zip(stands)
                .filter(|(it, ok)| **ok && it.is_over())
                .map(|(it, _)| it.at)
                .collect(),
        };
        for it in finished.iter().filter(|it| !done.contains(&it.at)) {
            tasks[it.at].messages.iter().for_each(|message| report.show_again(message));
        }
    }

    /// Whether there is nothing more to hand on.
    async fn hand_on(&self, job: &Job, it: &Finished) -> bool {
        let (Some(why), Some(dispatch)) = (it.failed, &self.dispatch) else { return true };
        match dispatch.hand_on(job, why).await {
            Ok(()) => true,
            Err(refused) => {
                tracing::error!(
                    job.key = job.key.as_str(),
                    error = chain(&refused),
                    "is not handed on, and comes back"
                );
                false
            }
        }
    }

    /// Whether the job waits for its time elsewhere now. Otherwise the message is shown again; who receives it then finds
    /// out that it is not time yet.
    async fn leave(&self, task: &Task<'_>, at: Timestamp) -> bool {
        let Some(message) = task.messages.first() else { return true };
        let left = match &self.later {
            Some(later) => {
                let (queue, arn) = match task.is_critical() {
                    true => (&self.critical, &later.critical_arn),
                    false => (&self.queue, &later.queue_arn),
                };
                later.leave(queue, arn, &task.job, &message.body, at, C::now()).await
            }
            None => Err(later::missing()),
        };
        if let Err(refused) = &left {
            warn(&task.job, "is not put back for later", refused);
        }
        left.is_ok()
    }

    /// Whether a new message stands for the old one now. Otherwise the old one is shown after the pause.
    async fn show_later(&self, task: &Task<'_>, pause: Duration) -> bool {
        let queue = if task.is_critical() { &self.critical } else { &self.queue };
        // Only the queue counts the tries of a job without a row.
        if task.receives() >= SHOWN && task.job.is_recorded() {
            match queue.send(&[outgoing(task, pause)]).await.pop() {
                Some(Err(refused)) => tracing::warn!(error = chain(&refused), "it waits where it is"),
                Some(Ok(())) | None => return true,
            }
        }
        for message in &task.messages {
            if let Err(refused) = queue.show_after(&message.receipt_handle, pause).await {
                tracing::warn!(error = chain(&refused), "the queue keeps its own time");
            }
        }
        false
    }
}

/// The job as a new message.
fn outgoing(task: &Task<'_>, delay: Duration) -> Outgoing {
    let body = serde_json::to_string(&task.job).expect("a job is strings, numbers and JSON text");
    let tenant = task.messages.iter().find_map(|message| message.group()).map(str::to_owned);
    Outgoing { body, tenant, delay }
}

impl Task<'_> {
    fn is_critical(&self) -> bool {
        self.messages.iter().any(|message| message.is_critical())
    }

    /// How often the queue has shown it.
    fn receives(&self) -> u32 {
        self.messages.iter().map(|message: &&Message| message.receive_count()).max().unwrap_or(1)
    }

    /// The tries of a job without a row in the ledger, as its queue counts them.
    pub(crate) fn tried_by_queue(&self, now: Timestamp) -> Tried {
        let first = self.messages.iter().filter_map(|message| message.first_sent_at()).min();
        Tried { times: self.receives().saturating_sub(1), since: first.unwrap_or(now), held: Duration::ZERO }
    }
}
