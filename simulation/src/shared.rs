//! Services that processes share beside the ledger: counters, queues and schedules.

use std::rc::Rc;
use std::time::Duration;

use aws::{CallError, Verdict};
use delivery::{JobQueue, Scheduler, SharedState};
use domain::Timestamp;
use domain::delivery::breaker::Breaker;
use domain::delivery::rate_limit::Bucket;
use domain::limits::cancel::{CancelKey, Cancellation};
use queue::{Cause, MessageHistory, Outgoing};
use store::{Kept, WriteResult};

use crate::clock::now;
use crate::process::Process;
use crate::queue::{Due, Line, fire};
use crate::variant::Variant;

/// Counters as one process calls them.
#[derive(Clone)]
pub(crate) struct Counters(pub(crate) Rc<Process>);

/// The scheduler as one process calls it. Its queues are identified by name.
pub(crate) struct Timetable(pub(crate) Rc<Process>);

/// A queue as one process calls it.
pub(crate) struct Sender(pub(crate) Rc<Process>, pub(crate) Rc<Line>);

impl SharedState for Counters {
    async fn cancelled(&self, key: &CancelKey) -> Result<Option<Cancellation>, CallError> {
        let world = &self.0.world;
        if world.is(Variant::NoCancelCheck) {
            return Ok(None);
        }
        self.0
            .call("was it cancelled?", || {
                self.0.looked.borrow_mut().insert(key.clone(), now());
                world.cancelled.borrow().get(key).map(|(item, _)| item.clone())
            })
            .await
    }

    async fn breaker(&self, provider: &str) -> Result<Kept<Breaker>, CallError> {
        let world = &self.0.world;
        self.0.call("how is a provider?", || kept(world.breakers.borrow().get(provider))).await
    }

    async fn keep_breaker(
        &self,
        provider: &str,
        over: &Kept<Breaker>,
        next: Breaker,
        _: Timestamp,
    ) -> Result<WriteResult<Breaker>, CallError> {
        let world = &self.0.world;
        self.0
            .call("tell how a provider is", || {
                let mut breakers = world.breakers.borrow_mut();
                let found = breakers.get(provider);
                if found.map(|found| found.0) != over.version() {
                    return WriteResult::Theirs(kept(found));
                }
                let version = over.version().unwrap_or(0) + 1;
                breakers.insert(provider.to_owned(), (version, next.clone()));
                WriteResult::Ours(Kept::at(next.clone(), Some(version)))
            })
            .await
    }

    async fn bucket(&self, _: &str) -> Result<Kept<Bucket>, CallError> {
        Ok(Kept::default())
    }

    async fn keep_bucket(
        &self,
        _: &str,
        _: &Kept<Bucket>,
        next: Bucket,
        _: Timestamp,
    ) -> Result<WriteResult<Bucket>, CallError> {
        Ok(WriteResult::Ours(Kept::at(next, Some(1))))
    }
}

fn kept(found: Option<&(i64, Breaker)>) -> Kept<Breaker> {
    found.map_or_else(Kept::default, |(version, item)| Kept::at(item.clone(), Some(*version)))
}

impl JobQueue for Sender {
    /// Each message of a call is accepted or refused separately.
    async fn send(&self, messages: &[Outgoing]) -> Vec<Result<(), CallError>> {
        let world = &self.0.world;
        let sent = self.0.call("send", || {
            let one = |outgoing: &Outgoing| {
                let fails = world.chance.borrow_mut().hits(world.faults().partial);
                if !fails {
                    self.1.push(world, outgoing.body.expose(), outgoing.tenant.clone(), outgoing.delay);
                }
                !fails
            };
            messages.iter().map(one).collect::<Vec<bool>>()
        });
        let refused = |verdict| CallError { doing: "send", verdict, source: "not taken".into() };
        match sent.await {
            Ok(taken) => taken
                .into_iter()
                .map(|item| item.then_some(()).ok_or_else(|| refused(Verdict::Transient)))
                .collect(),
            Err(error) => messages.iter().map(|_| Err(refused(error.verdict))).collect(),
        }
    }

    async fn show_after(&self, receipt: &str, pause: Duration) -> Result<(), CallError> {
        self.0.call("show later", || self.1.show_after(receipt, pause)).await
    }

    async fn dead_letter(
        &self,
        body: &str,
        _: Option<&str>,
        _: &Cause,
        _: MessageHistory,
    ) -> Result<(), CallError> {
        self.0.call("put aside", || self.1.dead.borrow_mut().push(body.into())).await
    }
}

impl Scheduler for Timetable {
    /// Creating a schedule twice with one name creates one schedule.
    async fn at(&self, queue_arn: &str, at: Timestamp, body: &str, name: &str) -> Result<(), CallError> {
        let world = &self.0.world;
        if world.is(Variant::LaterLost) {
            return Ok(());
        }
        self.0
            .call("schedule", || {
                let mut schedules = world.schedules.borrow_mut();
                if schedules.contains_key(name) {
                    return;
                }
                let due = Due { at, line: world.line(queue_arn), body: body.to_owned() };
                schedules.insert(name.to_owned(), due);
                tokio::task::spawn_local(fire(Rc::clone(world), name.to_owned()));
            })
            .await
    }
}
