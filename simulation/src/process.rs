//! A process that makes calls. Each call can fail, be throttled, take effect without a reply, or take too long. The
//! process can also be killed before or after the call.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::{pending, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use aws::{CallError, Verdict};
use domain::Timestamp;
use domain::limits::cancel::CancelKey;

use crate::clock::sleep_ms;
use crate::world::World;

/// Probability of each fault, in ten-thousandths of the calls.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Faults {
    pub(crate) fails: u32,
    pub(crate) throttled: u32,
    pub(crate) answer_lost: u32,
    pub(crate) slow: u32,
    pub(crate) killed: u32,
    /// Share of queue messages that are delivered twice.
    pub(crate) twice: u32,
    /// Share of bus entries that are refused individually.
    pub(crate) partial: u32,
    /// Share of accepted outbox entries that are lost behind the bus.
    pub(crate) dropped: u32,
    /// Share of stream records that are lost, or whose position is lost.
    pub(crate) stream: u32,
    /// Share of provider calls that are accepted without a reply, refused, or throttled.
    pub(crate) unanswered: u32,
    pub(crate) refused: u32,
}

/// Fate of one call.
enum Fate {
    Fine,
    Fails(Verdict),
    AnswerLost,
    Slow(u64),
}

/// A process. When killed, it makes no more calls and its work is dropped.
pub(crate) struct Process {
    pub(crate) world: Rc<World>,
    pub(crate) name: String,
    killed: Cell<bool>,
    /// Whether a fault was injected in this invocation.
    disturbed: Cell<bool>,
    /// Sends of this invocation that a provider accepted and that are not recorded.
    pub(crate) token: RefCell<String>,
    /// Time of this invocation's last check for each cancellation.
    pub(crate) looked: RefCell<BTreeMap<CancelKey, Timestamp>>,
}

impl Process {
    pub(crate) fn new(world: &Rc<World>, name: String) -> Rc<Process> {
        let token = RefCell::default();
        Rc::new(Process {
            world: Rc::clone(world),
            name,
            killed: Cell::new(false),
            disturbed: Cell::new(false),
            token,
            looked: RefCell::default(),
        })
    }

    pub(crate) fn was_disturbed(&self) -> bool {
        self.disturbed.get()
    }

    pub(crate) fn disturb(&self) {
        self.disturbed.set(true);
    }

    /// Runs one invocation. `None`: the process was killed, or the invocation timed out.
    pub(crate) async fn invoke<T>(
        &self,
        token: &str,
        limit: Duration,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        self.disturbed.set(false);
        self.looked.borrow_mut().clear();
        token.clone_into(&mut self.token.borrow_mut());
        let mut work = pin!(work);
        let killable = poll_fn(|cx| match work.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending if self.killed.get() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        });
        let done = tokio::time::timeout(limit, killable).await.ok().flatten();
        if done.is_none() {
            self.killed.set(true);
            self.world.tell(|| format!("{} is dead", self.name));
            if self.was_disturbed() {
                self.world.check.borrow_mut().died(token);
            }
        }
        done
    }

    /// A call with the SDK's three attempts.
    pub(crate) async fn call<T>(
        &self,
        doing: &'static str,
        commit: impl FnMut() -> T,
    ) -> Result<T, CallError> {
        self.attempts(3, doing, commit).await
    }

    /// A call with this many attempts.
    pub(crate) async fn attempts<T>(
        &self,
        most: u32,
        doing: &'static str,
        mut commit: impl FnMut() -> T,
    ) -> Result<T, CallError> {
        let mut tried = 0;
        loop {
            tried += 1;
            match self.once(doing, &mut commit).await {
                Ok(answer) => return Ok(answer),
                Err(verdict) if tried >= most => {
                    return Err(CallError { doing, verdict, source: "a fault of the simulation".into() });
                }
                Err(_) => {
                    let pause = self.world.chance.borrow_mut().between(20, 1_000);
                    sleep_ms(pause).await;
                }
            }
        }
    }

    async fn once<T>(&self, doing: &'static str, commit: &mut impl FnMut() -> T) -> Result<T, Verdict> {
        let faults = self.world.faults();
        let (fate, latency, before, after) = {
            let mut chance = self.world.chance.borrow_mut();
            let fate = if chance.hits(faults.fails) {
                // To the caller a lost request looks like a lost reply.
                Fate::Fails(if chance.hits(5_000) { Verdict::Transient } else { Verdict::Unanswered })
            } else if chance.hits(faults.throttled) {
                Fate::Fails(Verdict::Throttled)
            } else if chance.hits(faults.answer_lost) {
                Fate::AnswerLost
            } else if chance.hits(faults.slow) {
                Fate::Slow(chance.between(2_000, 40_000))
            } else {
                Fate::Fine
            };
            (fate, chance.between(1, 30), chance.hits(faults.killed), chance.hits(faults.killed))
        };
        self.world.calls.set(self.world.calls.get() + 1);
        if !matches!(fate, Fate::Fine) || before || after {
            self.disturbed.set(true);
        }
        sleep_ms(latency).await;
        if before {
            self.die(doing, "before").await;
        }
        let answer = match fate {
            Fate::Fails(verdict) => {
                self.world.tell(|| format!("{} {doing}: {verdict:?}", self.name));
                Err(verdict)
            }
            Fate::AnswerLost => {
                commit();
                self.world.tell(|| format!("{} {doing}: done, and the answer is lost", self.name));
                Err(Verdict::Unanswered)
            }
            Fate::Slow(millis) => {
                self.world.tell(|| format!("{} {doing}: takes {millis} ms", self.name));
                sleep_ms(millis).await;
                Ok(commit())
            }
            Fate::Fine => {
                let answer = commit();
                self.world.tell(|| format!("{} {doing}", self.name));
                Ok(answer)
            }
        };
        if after {
            self.die(doing, "after").await;
        }
        answer
    }

    /// Kills the process: its tasks never resume and are dropped.
    pub(crate) async fn die(&self, doing: &str, when: &str) {
        self.world.tell(|| format!("{} is killed {when} {doing}", self.name));
        self.disturbed.set(true);
        self.killed.set(true);
        pending::<()>().await;
    }
}
