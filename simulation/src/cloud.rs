//! The ledger in memory, with the conditions that `store` writes.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use aws::{CallError, Verdict};
use delivery::{Backend, ClaimStore};
use domain::Timestamp;
use domain::base::outcome::Status;
use domain::delivery::job::Job;
use domain::delivery::retry::Tried;
use domain::event::key::Key;
use store::{ClaimDecision, ClaimStatus, Item, Settlement, claimed, evaluate_claim};

use crate::clock::now;
use crate::process::Process;
use crate::shared::{Counters, Sender, Timetable};
use crate::variant::Variant;

/// The simulation's cloud.
pub(crate) struct Model;

impl Backend for Model {
    type ClaimStore = Ledger;
    type SharedState = Counters;
    type JobQueue = Sender;
    type Scheduler = Timetable;

    fn now() -> Timestamp {
        now()
    }
}

/// The ledger as one process calls it.
pub(crate) struct Ledger(pub(crate) Rc<Process>);

fn unclear() -> CallError {
    let source = "one statement of a batch failed".into();
    CallError { doing: "claim", verdict: Verdict::Transient, source }
}

/// Result of one statement of a batch.
enum Written {
    Done,
    Refused,
    Failed,
}

impl Ledger {
    fn token(&self, token: &str) -> String {
        if self.0.world.is(Variant::NoToken) { "anybody".to_owned() } else { token.to_owned() }
    }

    /// Inserts a claim if there is no row.
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

    async fn look(&self, key: &Key) -> Result<Option<Item>, CallError> {
        let world = &self.0.world;
        self.0.call("look at a claim", || world.ledger.borrow().get(key).cloned()).await
    }

    /// Takes over a claim as `store` does. The domain decides about the stored row.
    async fn take_over(&self, key: &Key, token: &str, now: Timestamp, lease: Timestamp) -> ClaimStatus {
        let world = &self.0.world;
        let row = match self.look(key).await {
            Ok(Some(row)) => row,
            Ok(None) => return ClaimStatus::Held,
            Err(refused) => return ClaimStatus::Unclear { refused, unsent: true },
        };
        let seen =
            if world.is(Variant::NoLease) { row.clone().number("lease_until", 0) } else { row.clone() };
        let (taken, status) = match evaluate_claim(&seen, token, now) {
            ClaimDecision::Stays(standing) => return standing,
            ClaimDecision::Take { standing, status } => (standing, status),
        };
        let unsent = !matches!(taken, ClaimStatus::Abandoned(_));
        let holder = row.get("claim_token").unwrap_or_default();
        let attempts = row.get_number("attempts").unwrap_or(0) + 1;
        let written = self
            .0
            .call("take a claim over", || {
                let mut rows = world.ledger.borrow_mut();
                let row = rows.get_mut(key).filter(|row| {
                    row.get("claim_token").unwrap_or_default() == holder
                        && row.get("status") == Some(status.name())
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
                Ok(_) => ClaimStatus::Held,
                Err(refused) => ClaimStatus::Unclear { refused, unsent },
            },
            Err(refused) => ClaimStatus::Unclear { refused, unsent },
        }
    }

    fn write(&self, settlement: &Settlement, token: &str, at: Timestamp) -> bool {
        let world = &self.0.world;
        let mut rows = world.ledger.borrow_mut();
        let Some(row) = rows.get_mut(&settlement.key) else { return false };
        let is_ours =
            row.get("claim_token") == Some(token) && row.get("status") == Some(Status::Claimed.name());
        if !is_ours && !world.is(Variant::SettleUnconditionally) {
            return false;
        }
        let mut next = std::mem::take(row)
            .text("status", settlement.status.name())
            .text("settled_at", at.to_string())
            .maybe("reason", settlement.reason.map(domain::base::outcome::Reason::name))
            .maybe("note", settlement.note.as_deref())
            .maybe("provider_id", settlement.provider_id.as_deref());
        if let Some(tries) = settlement.tries {
            next = next.number("attempts", i64::from(tries));
        }
        *row = next;
        true
    }
}

impl ClaimStore for Ledger {
    async fn claim(
        &self,
        jobs: &[&Job],
        token: &str,
        now: Timestamp,
        lease: Timestamp,
    ) -> Result<Vec<ClaimStatus>, CallError> {
        let fresh = || Tried { times: 0, since: now, held: Duration::ZERO };
        if self.0.world.is(Variant::NoClaim) {
            return Ok(jobs.iter().map(|_| ClaimStatus::Ours(fresh())).collect());
        }
        let token = &self.token(token);
        let written: Vec<Written> = self
            .0
            .call("claim", || jobs.iter().map(|job| self.insert(job, token, now, lease)).collect())
            .await?;
        let mut standings = Vec::with_capacity(jobs.len());
        for (job, written) in jobs.iter().zip(written) {
            standings.push(match written {
                Written::Done => ClaimStatus::Ours(fresh()),
                Written::Refused => self.take_over(&job.key, token, now, lease).await,
                Written::Failed => ClaimStatus::Unclear { refused: unclear(), unsent: true },
            });
        }
        Ok(standings)
    }

    async fn settle(
        &self,
        settlements: &[Settlement],
        token: &str,
        now: Timestamp,
    ) -> Result<Vec<Result<(), CallError>>, CallError> {
        let world = &self.0.world;
        let own = self.token(token);
        let doubt = Doubt { process: &self.0, settlements, token, is_written: Cell::new(false) };
        self.0
            .call("settle", || {
                for settlement in settlements {
                    if self.write(settlement, &own, now) {
                        world.check.borrow_mut().settled(settlement, token);
                        world.tell(|| format!("{} is {}", settlement.key.as_str(), settlement.status.name()));
                    } else if self.0.was_disturbed() {
                        world.check.borrow_mut().doubt(token, &settlement.key);
                    }
                }
                doubt.is_written.set(true);
            })
            .await?;
        Ok(settlements.iter().map(|_| Ok(())).collect())
    }
}

/// A settlement that has not been written. Its drop records the outcome as uncertain if an injected fault was the
/// cause.
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
            self.settlements.iter().for_each(|settlement| check.doubt(self.token, &settlement.key));
        }
    }
}
