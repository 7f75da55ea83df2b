//! Forecasts: plays an event now, and each continuation at the time it waits for.

use domain::Timestamp;
use domain::decide::continuation::Start;
use domain::decide::digest_event;
use domain::decide::plan::Plan;
use domain::decide::{Decision, Verdict};
use domain::event::Event;
use domain::limits::digest::{Collected, Item, Window};

use crate::evaluate::Evaluation;
use crate::subject::Subject;
use crate::{Engine, Facts};

/// The most passes of a forecast. A recurring rule has no last pass.
const MAX_PASSES: usize = 200;

impl<F: Facts> Engine<'_, F> {
    /// Decides about an event at `at`, and about every continuation at its time, the earliest first. `visit` gets the
    /// decisions of each pass and its time.
    ///
    /// # Errors
    /// A look-up failed.
    pub async fn forecast(
        &self,
        event: &Event,
        at: Timestamp,
        visit: &mut dyn FnMut(Evaluation<'_>, Timestamp),
    ) -> Result<(), F::Error> {
        let mut waiting = vec![(at, Subject::event(event.clone()))];
        for _ in 0..MAX_PASSES {
            // Of two passes at the same time, the one that was deferred first runs first.
            let Some(next) = (0..waiting.len()).min_by_key(|index| waiting[*index].0) else { break };
            let (now, subject) = waiting.remove(next);
            let later = self
                .run(&subject, now, |evaluation| {
                    let plan = &evaluation.planned.plan;
                    let later: Vec<(Timestamp, Subject)> = evaluation
                        .decisions
                        .iter()
                        .filter_map(|decision| next_pass(plan, decision))
                        .collect();
                    visit(evaluation, now);
                    later
                })
                .await?;
            waiting.extend(later);
        }
        Ok(())
    }
}

/// Returns the pass that a decision defers, and its time. A digest window collects no other event.
fn next_pass(plan: &Plan<'_>, decision: &Decision<'_>) -> Option<(Timestamp, Subject)> {
    let rule = decision.rule?;
    match &decision.verdict {
        Verdict::Later(later) => {
            let (audience, start) = (later.audience.clone(), later.start.clone());
            let (event, digest) = (plan.event.clone(), plan.digest.clone());
            Some((later.until, Subject::rule(event, rule.name.clone(), vec![audience], start, digest)))
        }
        Verdict::Merge(merge) => {
            let policy = rule.digest_policy(merge.step);
            let (opened_at, closed_at) = (plan.event.time, merge.closes_at);
            let window =
                Window { name: &merge.window, step: merge.step, only: merge.only, opened_at, closed_at };
            let digest = Collected::of(vec![Item::of(plan.event)], policy, &window);
            let event =
                digest_event::event(plan.event, &merge.window_id, &digest.items, &digest.summary, closed_at);
            let start = Start::after_digest(merge.step, merge.only);
            let audience = merge.audience.clone();
            Some((closed_at, Subject::rule(event, rule.name.clone(), vec![audience], start, Some(digest))))
        }
        Verdict::Send(_) | Verdict::Suppress(_) | Verdict::Cancel(_) => None,
    }
}
