//! Handles one job of a batch, from its claim status to its settlement.

use std::time::Duration;

use domain::Timestamp;
use domain::base::channel::OnUnknown;
use domain::base::outcome::{Failure, Reason, Sent, Status};
use domain::delivery::job::Job;
use domain::delivery::retry::Tried;
use runtime::{Deadline, chain};
use store::{ClaimStatus, Settlement};

use crate::DeliveryWorker;
use crate::breaker::Evidence;
use crate::cloud::{Backend, SharedState as _};
use crate::limits::Admission;
use crate::read::Task;
use crate::settle::{self, Next, Turn, evidence};

/// The result of one job.
pub(crate) struct Finished {
    pub(crate) at: usize,
    pub(crate) settlement: Option<Settlement>,
    pub(crate) next: Next,
    /// The result for the health of the provider.
    pub(crate) evidence: Option<Evidence>,
    /// The reason of a failure that the fallback channel may take over. Set also for a failure of an
    /// earlier delivery.
    pub(crate) failed: Option<Reason>,
}

/// The result of calling the provider.
enum Asked {
    /// The provider's answer.
    Answer(Result<Sent, Failure>),
    /// No provider was called.
    Not(Failure),
}

impl<C: Backend> DeliveryWorker<C> {
    pub(crate) async fn handle<S>(
        &self,
        at: usize,
        (task, ticket): &(Task<'_>, Admission),
        standing: ClaimStatus,
        deadline: Deadline,
        send: &S,
    ) -> Finished
    where
        S: AsyncFn(&Job, usize) -> Result<Sent, Failure>,
    {
        let job = &task.job;
        let finished = |settlement, next| Finished { at, settlement, next, evidence: None, failed: None };
        let (may_send, before) = match standing {
            ClaimStatus::Ours(before) => (true, before),
            ClaimStatus::Abandoned(before) => (job.on_unknown == OnUnknown::Resend, before),
            ClaimStatus::Done(status, reason) => {
                // The function that stored the failure may have crashed before it reported the failure
                // to dispatch.
                let reason = reason.unwrap_or(Reason::RetriesExhausted);
                let failed = (status == Status::Failed).then_some(reason);
                return Finished { failed, ..finished(None, Next::Done) };
            }
            ClaimStatus::Held => return finished(None, Next::Again(None)),
            ClaimStatus::Unclear { refused, unsent } => {
                tracing::warn!(
                    code = "DELIVERY_NOT_CLAIMED",
                    job.key = job.key.as_str(),
                    event.id = job.event.id,
                    error = chain(&refused),
                    "message returned to the queue: the claim was not written"
                );
                return finished(unsent.then(|| settle::released(job)), Next::Again(None));
            }
        };
        let held = Duration::from_secs(u64::from(job.held_s));
        let providers = self.providers.count();
        let down = match ticket {
            Admission::Go { down, .. } => *down,
            Admission::Wait(_) | Admission::HandOn => None,
        };
        let turn = |now| Turn { job, before: Tried { held, ..before }, providers, down, now };
        let asked = if may_send {
            if job.is_expired(C::now()) {
                Asked::Answer(Err(Failure::Expired))
            } else {
                match self.is_cancelled(job, deadline).await {
                    Ok(true) => {
                        return finished(Some(settle::suppressed(job, Reason::Cancelled)), Next::Done);
                    }
                    Ok(false) => self.ask(&turn(C::now()), ticket, deadline, send).await,
                    Err(failure) => Asked::Not(failure),
                }
            }
        } else {
            Asked::Answer(Ok(Sent::Unknown))
        };
        conclude(at, &turn(C::now()), ticket, asked, may_send)
    }

    /// Whether the job was cancelled. A failed look-up is an error, because a job is never sent
    /// unchecked.
    async fn is_cancelled(&self, job: &Job, deadline: Deadline) -> Result<bool, Failure> {
        let Some(key) = &job.cancel else { return Ok(false) };
        match tokio::time::timeout(deadline.left(C::now()), self.counters.cancelled(key)).await {
            Ok(Ok(cancelled)) => {
                Ok(cancelled.is_some_and(|cancelled| cancelled.takes_back(job.event.time, job.key.parts().0)))
            }
            Ok(Err(refused)) => Err(Failure::Transient(Box::new(refused))),
            Err(late) => Err(Failure::Transient(Box::new(late))),
        }
    }

    /// Calls the provider whose turn it is, if there is time left.
    async fn ask<S>(&self, turn: &Turn<'_>, ticket: &Admission, deadline: Deadline, send: &S) -> Asked
    where
        S: AsyncFn(&Job, usize) -> Result<Sent, Failure>,
    {
        let Admission::Go { at, .. } = ticket else {
            let source = "the provider is down".into();
            return Asked::Answer(Err(Failure::Permanent { reason: Reason::ProviderDown, source }));
        };
        if let Some(at) = at {
            wait_until::<C>(*at, deadline).await;
        }
        let left = deadline.left(C::now());
        if left.is_zero() {
            return Asked::Not(Failure::Transient("the invocation's time is up".into()));
        }
        // A call that times out is unknown, because the provider may have accepted the message.
        let aws_request = send(turn.job, provider(turn, ticket).unwrap_or(0));
        Asked::Answer(tokio::time::timeout(left, aws_request).await.unwrap_or(Ok(Sent::Unknown)))
    }
}

/// Turns the provider's answer into a settlement and a reply to the queue.
fn conclude(at: usize, turn: &Turn<'_>, ticket: &Admission, asked: Asked, was_asked: bool) -> Finished {
    let answer = match asked {
        Asked::Not(failure) => {
            tell(turn.job, &failure);
            let (settlement, next) = (Some(turn.unasked()), Next::Again(None));
            return Finished { at, settlement, next, evidence: None, failed: None };
        }
        Asked::Answer(answer) => answer,
    };
    let probe = matches!(ticket, Admission::Go { probe: true, .. });
    let found = evidence(&answer).filter(|_| was_asked).zip(provider(turn, ticket));
    let answer = if probe { turn.probed(answer) } else { answer };
    if let Err(failure) = &answer {
        tell(turn.job, failure);
    }
    let (settlement, next) = turn.answered(&answer);
    let failed = settlement.reason.filter(|_| settlement.status == Status::Failed);
    let evidence = found.map(|(failed, provider)| Evidence { provider, failed, probe });
    Finished { at, settlement: Some(settlement), next, evidence, failed }
}

/// The provider to call: the best one until its attempts are used up, then the next one.
fn provider(turn: &Turn<'_>, ticket: &Admission) -> Option<usize> {
    let Admission::Go { providers, .. } = ticket else { return None };
    let at = turn.limits_of_one().turn(turn.before.times) % providers.len().max(1);
    providers.get(at).copied()
}

async fn wait_until<C: Backend>(at: Timestamp, deadline: Deadline) {
    let wait = Duration::try_from(at.duration_since(C::now())).unwrap_or(Duration::ZERO);
    tokio::time::sleep(wait.min(deadline.left(C::now()))).await;
}

impl Finished {
    /// Whether the message can leave the queue without a further call.
    pub(crate) fn is_over(&self) -> bool {
        self.next == Next::Done && self.failed.is_none()
    }

    pub(crate) fn is(&self, status: Status) -> bool {
        self.settlement.as_ref().is_some_and(|settlement| settlement.status == status)
    }
}

fn tell(job: &Job, failure: &Failure) {
    let error = chain(failure);
    match failure {
        Failure::Transient(_) | Failure::Throttled { .. } => tracing::warn!(
            code = "DELIVERY_RETRY",
            job.key = job.key.as_str(),
            event.id = job.event.id,
            channel = job.channel().name(),
            error,
            "notification not sent: the job is retried"
        ),
        Failure::Permanent { .. } => tracing::error!(
            code = "DELIVERY_FAILED",
            job.key = job.key.as_str(),
            event.id = job.event.id,
            channel = job.channel().name(),
            error,
            "notification failed: the job is not retried"
        ),
        Failure::Expired => {}
    }
}
