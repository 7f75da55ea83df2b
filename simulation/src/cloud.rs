//! What a desk asks of tables and queues, answered from memory with the conditions that `store` writes.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use aws::{Refused, Verdict};
use delivery::{Claims, Cloud, Line as DeskLine, Shared, Timer};
use domain::Timestamp;
use domain::breaker::Breaker;
use domain::cancel::{CancelKey, Cancellation};
use domain::job::Job;
use domain::key::Key;
use domain::outcome::Status;
use domain::quota::Bucket;
use domain::retry::Tried;
use queue::{Cause, Outgoing, Past};
use store::{Item, Kept, Settlement, Standing, Stood, Weighed, claimed, weigh};

use crate::clock::now;
use crate::process::Process;
use crate::queue::{Due, Line, fire};
use crate::variant::Variant;

/// The simulation's cloud.
pub(crate) struct Model;

impl Cloud for Model {
    type Claims = Ledger;
    type Shared = Counters;
    type Line = Sender;
    type Timer = Timetable;

    fn now() -> Timestamp {
        now()
    }
}

/// The ledger, as one process reaches it.
pub(crate) struct Ledger(pub(crate) Rc<Process>);

/// The counters, as one process reaches them.
#[derive(Clone)]
pub(crate) struct Counters(pub(crate) Rc<Process>);

/// The scheduler, as one process reaches it. Its queues are called by their names.
pub(crate) struct Timetable(pub(crate) Rc<Process>);

/// A queue, as one process reaches it.
pub(crate) struct Sender(pub(crate) Rc<Process>, pub(crate) Rc<Line>);

fn unclear() -> Refused {
    let source = "one statement of a batch failed".into();
    Refused { doing: "claim", verdict: Verdict::Transient, source }
}

/// What one statement of a batch led to.
enum Written {
    Done,
    Refused,
    Failed,
}

impl Ledger {
    fn token(&self, token: &str) -> String {
        if self.0.world.is(Variant::NoToken) { "anybody".to_owned() } else { token.to_owned() }
    }

    /// Inserts a claim, on condition that there is none.
    fn insert(&self, job: &Job, token: &str, now: Timestamp, lease: Timestamp) -> Written {
        let world = &self.0.world;
        let (fails, first) = {
            let mut chance = world.chance.borrow_mut();
            (chance.hits(world.faults().partial), chance.hits(5_000))
        };
        if fails && first {
            return Written::Failed;
        }
        let mut rows = world.ledger.borrow_mut();
        if rows.contains_key(&job.key) {
            return if fails { Written::Failed } else { Written::Refused };
        }
        let mut row = claimed(job, token, now, lease);
        if world.is(Variant::SettleBeforeSend) {
            row = row.text("status", Status::Sent.name());
        }
        rows.insert(job.key.clone(), row);
        if fails { Written::Failed } else { Written::Done }
    }

    async fn look(&self, key: &Key) -> Result<Option<Item>, Refused> {
        let world = &self.0.world;
        self.0.call("look at a claim", || world.ledger.borrow().get(key).cloned()).await
    }

    /// As `store` does it: what a row means is weighed there.
    async fn take_over(&self, key: &Key, token: &str, now: Timestamp, lease: Timestamp) -> Standing {
        let world = &self.0.world;
        let row = match self.look(key).await {
            Ok(Some(row)) => row,
            Ok(None) => return Standing::Held,
            Err(refused) => return Standing::Unclear { refused, unsent: true },
        };
        let seen =
            if world.is(Variant::NoLease) { row.clone().number("lease_until", 0) } else { row.clone() };
        let (taken, status) = match weigh(&seen, token, now) {
            Weighed::Stays(standing) => return standing,
            Weighed::Take { standing, status } => (standing, status),
        };
        let unsent = !matches!(taken, Standing::Abandoned(_));
        let holder = row.get("claim_token").unwrap_or_default();
        let attempts = row.get_number("attempts").unwrap_or(0) + 1;
        let written = self
            .0
            .call("take a claim over", || {
                let mut rows = world.ledger.borrow_mut();
                let row = rows.get_mut(key).filter(|it| {
                    it.get("claim_token") == Some(holder) && it.get("status") == Some(status.name())
                });
                row.is_some_and(|row| {
                    *row = std::mem::take(row)
                        .text("status", Status::Claimed.name())
                        .text("claim_token", token)
                        .number("lease_until", lease.as_millisecond())
                        .number("attempts", attempts);
                    true
                })
            })
            .await;
        match written {
            Ok(true) => taken,
            Ok(false) => match self.look(key).await {
                Ok(Some(row)) if row.get("claim_token") == Some(token) => taken,
                Ok(_) => Standing::Held,
                Err(refused) => Standing::Unclear { refused, unsent },
            },
            Err(refused) => Standing::Unclear { refused, unsent },
        }
    }

    fn write(&self, it: &Settlement, token: &str, at: Timestamp) -> bool {
        let world = &self.0.world;
        let mut rows = world.ledger.borrow_mut();
        let Some(row) = rows.get_mut(&it.key) else { return false };
        let is_ours =
            row.get("claim_token") == Some(token) && row.get("status") == Some(Status::Claimed.name());
        if !is_ours && !world.is(Variant::SettleUnconditionally) {
            return false;
        }
        let mut next = std::mem::take(row)
            .text("status", it.status.name())
            .text("settled_at", at.to_string())
            .maybe("reason", it.reason.map(domain::outcome::Reason::name))
            .maybe("note", it.note.as_deref())
            .maybe("provider_id", it.provider_id.as_deref());
        if let Some(tries) = it.tries {
            next = next.number("attempts", i64::from(tries));
        }
        *row = next;
        true
    }
}

impl Claims for Ledger {
    async fn claim(
        &self,
        jobs: &[&Job],
        token: &str,
        now: Timestamp,
        lease: Timestamp,
    ) -> Result<Vec<Standing>, Refused> {
        let fresh = || Tried { times: 0, since: now, held: Duration::ZERO };
        if self.0.world.is(Variant::NoClaim) {
            return Ok(jobs.iter().map(|_| Standing::Ours(fresh())).collect());
        }
        let token = &self.token(token);
        let written: Vec<Written> = self
            .0
            .call("claim", || jobs.iter().map(|it| self.insert(it, token, now, lease)).collect())
            .await?;
        let mut standings = Vec::with_capacity(jobs.len());
        for (job, written) in jobs.iter().zip(written) {
            standings.push(match written {
                Written::Done => Standing::Ours(fresh()),
                Written::Refused => self.take_over(&job.key, token, now, lease).await,
                Written::Failed => Standing::Unclear { refused: unclear(), unsent: true },
            });
        }
        Ok(standings)
    }

    async fn settle(
        &self,
        settlements: &[Settlement],
        token: &str,
        now: Timestamp,
    ) -> Result<Vec<Result<(), Refused>>, Refused> {
        let world = &self.0.world;
        let own = self.token(token);
        let doubt = Doubt { process: &self.0, settlements, token, is_written: Cell::new(false) };
        self.0
            .call("settle", || {
                for it in settlements {
                    if self.write(it, &own, now) {
                        world.check.borrow_mut().settled(it, token);
                        world.tell(|| format!("{} is {}", it.key.as_str(), it.status.name()));
                    } else if self.0.was_disturbed() {
                        world.check.borrow_mut().doubt(token, &it.key);
                    }
                }
                doubt.is_written.set(true);
            })
            .await?;
        Ok(settlements.iter().map(|_| Ok(())).collect())
    }
}

/// What was to be settled and never was: in doubt, if that was made to go wrong.
struct Doubt<'a> {
    process: &'a Process,
    settlements: &'a [Settlement],
    token: &'a str,
    is_written: Cell<bool>,
}

impl Drop for Doubt<'_> {
    fn drop(&mut self) {
        if !self.is_written.get() && self.process.was_disturbed() {
            let mut check = self.process.world.check.borrow_mut();
            self.settlements.iter().for_each(|it| check.doubt(self.token, &it.key));
        }
    }
}

impl Shared for Counters {
    async fn cancelled(&self, key: &CancelKey) -> Result<Option<Cancellation>, Refused> {
        let world = &self.0.world;
        if world.is(Variant::NoCancelCheck) {
            return Ok(None);
        }
        self.0
            .call("was it cancelled?", || {
                self.0.looked.borrow_mut().insert(key.clone(), now());
                world.cancelled.borrow().get(key).map(|(it, _)| it.clone())
            })
            .await
    }

    async fn breaker(&self, provider: &str) -> Result<Kept<Breaker>, Refused> {
        let world = &self.0.world;
        self.0.call("how is a provider?", || kept(world.breakers.borrow().get(provider))).await
    }

    async fn keep_breaker(
        &self,
        provider: &str,
        over: &Kept<Breaker>,
        next: Breaker,
        _: Timestamp,
    ) -> Result<Stood<Breaker>, Refused> {
        let world = &self.0.world;
        self.0
            .call("tell how a provider is", || {
                let mut breakers = world.breakers.borrow_mut();
                let found = breakers.get(provider);
                if found.map(|it| it.0) != over.version() {
                    return Stood::Theirs(kept(found));
                }
                let version = over.version().unwrap_or(0) + 1;
                breakers.insert(provider.to_owned(), (version, next.clone()));
                Stood::Ours(Kept::at(next.clone(), Some(version)))
            })
            .await
    }

    async fn bucket(&self, _: &str) -> Result<Kept<Bucket>, Refused> {
        Ok(Kept::default())
    }

    async fn keep_bucket(
        &self,
        _: &str,
        _: &Kept<Bucket>,
        next: Bucket,
        _: Timestamp,
    ) -> Result<Stood<Bucket>, Refused> {
        Ok(Stood::Ours(Kept::at(next, Some(1))))
    }
}

fn kept(found: Option<&(i64, Breaker)>) -> Kept<Breaker> {
    found.map_or_else(Kept::default, |(version, it)| Kept::at(it.clone(), Some(*version)))
}

impl DeskLine for Sender {
    /// Each of a call's messages is taken or refused on its own.
    async fn send(&self, messages: &[Outgoing]) -> Vec<Result<(), Refused>> {
        let world = &self.0.world;
        let sent = self.0.call("send", || {
            let one = |it: &Outgoing| {
                let fails = world.chance.borrow_mut().hits(world.faults().partial);
                if !fails {
                    self.1.push(world, &it.body, it.tenant.clone(), it.delay);
                }
                !fails
            };
            messages.iter().map(one).collect::<Vec<bool>>()
        });
        let refused = |verdict| Refused { doing: "send", verdict, source: "not taken".into() };
        match sent.await {
            Ok(taken) => taken
                .into_iter()
                .map(|it| it.then_some(()).ok_or_else(|| refused(Verdict::Transient)))
                .collect(),
            Err(it) => messages.iter().map(|_| Err(refused(it.verdict))).collect(),
        }
    }

    async fn show_after(&self, receipt: &str, pause: Duration) -> Result<(), Refused> {
        self.0.call("show later", || self.1.show_after(receipt, pause)).await
    }

    async fn bury(&self, body: &str, _: Option<&str>, _: &Cause, _: Past) -> Result<(), Refused> {
        self.0.call("put aside", || self.1.dead.borrow_mut().push(body.into())).await
    }
}

impl Timer for Timetable {
    /// Scheduling one name twice is scheduling it once.
    async fn at(&self, queue_arn: &str, at: Timestamp, body: &str, name: &str) -> Result<(), Refused> {
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
