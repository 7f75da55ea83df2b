//! What a decision asks, put to the tables.

use aws::{Refused, Verdict};
use domain::Timestamp;
use domain::decide::{Answer, Answers, Ask, Decided, Decision, Facts, decide};
use domain::plan::Plan;
use domain::proof::Proof;
use domain::recipient::{Recipients, Settings};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use store::{Counters, Joining, Ledger};
use templates::{Scene, Written, proofs, settle};

/// Each round answers at least one question of every open run; a run has fewer than this.
const ROUNDS: usize = 60;

/// How many questions are on their way at once.
const AT_ONCE: usize = 8;

/// The tables that know.
pub(crate) struct Questions {
    pub(crate) counters: Counters,
    pub(crate) ledger: Ledger,
}

impl Questions {
    /// Decides, with every question answered.
    ///
    /// # Errors
    /// A table could not be asked. What was counted by then is remembered: deciding again counts nothing twice.
    pub(crate) async fn decide<'a>(
        &self,
        plan: &Plan<'a>,
        recipients: &'a Recipients,
        tenant: Option<&'a Settings>,
        now: Timestamp,
    ) -> Result<Decided<'a>, Refused> {
        let mut answers = Answers::default();
        for _ in 0..ROUNDS {
            let decided = decide(plan, &Facts { recipients, tenant, answers: &answers, now });
            if decided.asks.is_empty() {
                return Ok(decided);
            }
            let found: Vec<(Ask, Answer)> = stream::iter(decided.asks)
                .map(|ask| async move {
                    let answer = self.ask(&ask, now).await?;
                    Ok::<_, Refused>((ask, answer))
                })
                .buffer_unordered(AT_ONCE)
                .try_collect()
                .await?;
            for (ask, answer) in found {
                answers.insert(&ask, answer);
            }
        }
        let source = "a decision went on asking".into();
        Err(Refused { doing: "decide about an event", verdict: Verdict::Permanent, source })
    }

    /// Asks what only the words of a message can ask, and changes the decisions where the answer is no. What is rendered
    /// for it is returned.
    ///
    /// # Errors
    /// As [`Questions::decide`].
    pub(crate) async fn proofread(
        &self,
        scene: &Scene<'_>,
        plan: &Plan<'_>,
        decisions: &mut [Decision<'_>],
        tenant_zone: Option<&str>,
        now: Timestamp,
    ) -> Result<Written, Refused> {
        let (proofs, mut written) = proofs(scene, plan, decisions, tenant_zone);
        let found: Vec<(Proof, Answer)> = stream::iter(proofs)
            .map(|proof| async move {
                let answer = self.ask(&proof.ask, now).await?;
                Ok::<_, Refused>((proof, answer))
            })
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        for (proof, answer) in found {
            settle(proof, &answer, now, decisions, &mut written);
        }
        Ok(written)
    }

    /// When a number last wrote to us. A row of the last release has the number's former name.
    async fn heard(&self, caller: &str, former: &str) -> Result<Option<Timestamp>, Refused> {
        match self.counters.heard(caller).await? {
            Some(at) => Ok(Some(at)),
            None => self.counters.heard(former).await,
        }
    }

    async fn ask(&self, ask: &Ask, now: Timestamp) -> Result<Answer, Refused> {
        match ask {
            Ask::Cancelled { key } => self.counters.cancelled(key).await.map(Answer::Cancelled),
            Ask::Seen { of } => self.ledger.noticed(of).await.map(Answer::Seen),
            Ask::Told { of } => self.ledger.has_told(of).await.map(Answer::Told),
            Ask::Heard { caller, former } => self.heard(caller, former).await.map(Answer::Heard),
            Ask::Admit { key, wants, channels, zone } => {
                self.counters.admit(key, wants, channels, zone, now).await
            }
            Ask::Closed { address } => self.counters.closed_address(address).await.map(Answer::Closed),
            Ask::Collected { key } => self.counters.joined(key, now).await,
            Ask::Join { key, window, policy, ends, item, cancel } => {
                let joining = Joining { key, window, policy, ends: *ends, item, cancel: cancel.as_ref() };
                self.counters.join(&joining, now).await
            }
        }
    }
}
