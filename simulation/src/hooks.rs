//! Delivery to a webhook endpoint, including the message state between attempts, in the order of `webhook`'s sender.
//! The meaning of a response and the time of the next attempt come from the real schedule.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use aws::CallError;
use domain::base::outcome::{Failure, Reason, Sent};
use domain::delivery::job::Job;
use domain::webhook::endpoint::attempt::{Answer, Next};
use jiff::SignedDuration;
use store::{Message, MessageState};

use crate::clock::{now, sleep_ms};
use crate::process::Process;

/// Tolerance of the sender: an attempt earlier than this is deferred.
const EARLY: SignedDuration = SignedDuration::from_secs(1);

/// Makes one attempt if it is due. Calls `accepted` when the endpoint accepts the message.
pub(crate) async fn send(
    process: &Rc<Process>,
    job: &Job,
    token: &str,
    accepted: impl Fn(),
) -> Result<Sent, Failure> {
    let world = &process.world;
    let found = process.call("look at a message", || world.hooks.borrow().get(&job.key).cloned()).await;
    let found = found.map_err(transient)?;
    match &found {
        Some(Message { state: MessageState::Delivered, .. }) => {
            return Ok(Sent::Accepted { provider_id: "by hand".to_owned() });
        }
        Some(Message { state: MessageState::Failed, .. }) => return Err(never(Reason::Exhausted)),
        Some(Message { state: MessageState::Retrying, next_at: Some(at), .. })
            if at.duration_since(now()) > EARLY =>
        {
            return Ok(Sent::Later(*at));
        }
        Some(Message { state: MessageState::Retrying, .. }) | None => {}
    }
    let open = Open { process, job, token, is_notified: Cell::new(false) };
    let answer = ask(process, accepted).await;
    let attempts = found.as_ref().map_or(0, |item| item.attempts) + 1;
    let next = answer.next(&job.key, attempts, now());
    world.tell(|| format!("{} attempt {attempts}: {answer:?}", job.key.as_str()));
    match remember(process, job, found.is_some(), attempts, &next).await {
        Ok(()) => {}
        // The endpoint has the message. A failed write must not lead to a second send.
        Err(_) if next == Next::Delivered => {}
        Err(refused) => return Err(transient(refused)),
    }
    open.is_notified.set(answer != Answer::TimedOut);
    match next {
        Next::Delivered => Ok(Sent::Accepted { provider_id: "HTTP 200".to_owned() }),
        Next::Again(at) => Ok(Sent::Later(at)),
        Next::Never(reason) => Err(never(reason)),
        Next::Disable(_) => Err(never(Reason::EndpointGone)),
    }
}

/// An attempt whose result has not reached the delivery worker. If the invocation times out, the message is sent again
/// although it may have arrived. The receiver recognises it by its id.
struct Open<'a> {
    process: &'a Process,
    job: &'a Job,
    token: &'a str,
    is_notified: Cell<bool>,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if !self.is_notified.get() && self.process.was_disturbed() {
            self.process.world.check.borrow_mut().doubt(self.token, &self.job.key);
        }
    }
}

async fn ask(process: &Rc<Process>, accepted: impl Fn()) -> Answer {
    let world = &process.world;
    let faults = world.faults();
    let (busy, broken, gone, silent, latency, wait) = {
        let mut chance = world.chance.borrow_mut();
        (
            chance.hits(faults.refused),
            chance.hits(faults.refused),
            chance.hits(faults.refused / 8),
            chance.hits(faults.unanswered),
            chance.between(5, 400),
            [0, 60, 1_200][usize::try_from(chance.below(3)).unwrap_or(0)],
        )
    };
    sleep_ms(latency).await;
    let status = |status| Answer::Status { status, retry_after: None, wish: None };
    if world.outages.borrow().has("webhook") {
        return Answer::Unreachable;
    }
    if busy {
        return Answer::Status { status: 503, retry_after: Some(Duration::from_secs(wait)), wish: None };
    }
    if broken {
        return status(500);
    }
    if gone {
        return status(410);
    }
    accepted();
    if silent {
        process.disturb();
        sleep_ms(15_000).await;
        return Answer::TimedOut;
    }
    status(200)
}

/// Stores the state on condition that the message has not arrived meanwhile, as `store` does.
async fn remember(
    process: &Process,
    job: &Job,
    is_known: bool,
    attempts: u32,
    next: &Next,
) -> Result<(), CallError> {
    let (state, next_at) = match next {
        Next::Delivered if is_known => (MessageState::Delivered, None),
        Next::Delivered => return Ok(()),
        Next::Again(at) => (MessageState::Retrying, Some(*at)),
        Next::Never(_) | Next::Disable(_) => (MessageState::Failed, None),
    };
    process
        .call("remember a message", || {
            let mut hooks = process.world.hooks.borrow_mut();
            let arrived = hooks.get(&job.key).is_some_and(|hook| hook.state == MessageState::Delivered);
            if !arrived {
                hooks.insert(job.key.clone(), Message { state, attempts, next_at });
            }
        })
        .await
}

fn transient(refused: CallError) -> Failure {
    Failure::Transient(Box::new(refused))
}

fn never(reason: Reason) -> Failure {
    Failure::Permanent { reason, source: "the endpoint's own no".into() }
}
