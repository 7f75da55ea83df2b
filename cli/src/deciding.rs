//! Forecasts: every decision about an event, and about its continuations at the times they wait for. The engine decides
//! over fixtures whose tables are empty. No limit is full, and no message was seen.

use std::collections::BTreeSet;

use domain::Timestamp;
use domain::base::channel::Channel;
use domain::base::outcome::Reason;
use domain::catalog::Catalog;
use domain::catalog::rule::Record;
use domain::decide::plan::Plan;
use domain::decide::{Decision, Note, Verdict};
use domain::event::Event;
use domain::event::key::Key;
use domain::recipient::Group;
use engine::{Engine, Evaluation, Fixtures, run_ready};

/// The engine of a preview.
pub(crate) type Preview<'a> = Engine<'a, Fixtures<'a>>;

/// One decision, as owned values.
#[derive(Clone)]
pub(crate) struct PreviewedDecision {
    /// The time of the decision.
    pub(crate) at: Timestamp,
    pub(crate) key: Key,
    pub(crate) rule: Option<String>,
    pub(crate) recipient: String,
    pub(crate) channel: Option<Channel>,
    pub(crate) step: u32,
    pub(crate) what: PreviewedOutcome,
    pub(crate) notes: Vec<Note>,
    /// The outcomes that the ledger keeps, if the rule is a broadcast.
    pub(crate) broadcast: Option<Record>,
}

/// The decision itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PreviewedOutcome {
    Send,
    Suppress(Reason),
    Later { until: Timestamp, why: Reason },
    Collect { closes_at: Timestamp },
    Cancels,
}

/// Decides about an event at `at`, and about its continuations at their times.
pub(crate) fn preview(event: &Event, engine: &Preview<'_>, at: Timestamp) -> Vec<PreviewedDecision> {
    preview_with(event, engine, at, &mut |_, _| {})
}

/// Decides like [`preview`]. `visit` gets the decisions of each pass with their messages, and the time of the pass.
pub(crate) fn preview_with(
    event: &Event,
    engine: &Preview<'_>,
    at: Timestamp,
    visit: &mut dyn FnMut(Evaluation<'_>, Timestamp),
) -> Vec<PreviewedDecision> {
    let mut previewed = Vec::new();
    run_ready(engine.forecast(event, at, &mut |evaluation, at| {
        let plan = &evaluation.planned.plan;
        previewed
            .extend(evaluation.decisions.iter().map(|decision| PreviewedDecision::of(decision, plan, at)));
        visit(evaluation, at);
    }));
    previewed
}

impl PreviewedDecision {
    fn of(decision: &Decision<'_>, plan: &Plan<'_>, at: Timestamp) -> PreviewedDecision {
        PreviewedDecision {
            at,
            key: decision.key.clone(),
            rule: decision.rule.map(|rule| rule.name.clone()),
            recipient: decision.recipient.clone(),
            channel: decision.channel,
            step: decision.step,
            what: match &decision.verdict {
                Verdict::Send(_) => PreviewedOutcome::Send,
                Verdict::Suppress(reason) => PreviewedOutcome::Suppress(*reason),
                Verdict::Later(later) => {
                    PreviewedOutcome::Later { until: later.until, why: later.why.reason() }
                }
                Verdict::Merge(merge) => PreviewedOutcome::Collect { closes_at: merge.closes_at },
                Verdict::Cancel(_) => PreviewedOutcome::Cancels,
            },
            notes: decision.notes.clone(),
            broadcast: broadcast(plan, decision),
        }
    }
}

/// Returns the outcomes that the ledger keeps of a broadcast.
fn broadcast(plan: &Plan<'_>, decision: &Decision<'_>) -> Option<Record> {
    let broadcast = decision.rule?.broadcast.as_ref()?;
    Some(broadcast.record_by(&plan.catalog.policy().broadcast))
}

/// Returns the ids of the people whose profiles are needed to decide about an event.
pub(crate) fn people(
    event: &Event,
    catalog: &Catalog,
    members: &dyn Fn(&Group) -> Vec<String>,
) -> BTreeSet<String> {
    let plan = Plan::of(event, catalog);
    let mut people: BTreeSet<String> = plan.people().into_iter().map(str::to_owned).collect();
    people.extend(plan.matches.iter().flat_map(|matched| &matched.groups).flat_map(members));
    people
}

/// Returns the groups that an event addresses.
pub(crate) fn groups(event: &Event, catalog: &Catalog) -> Vec<Group> {
    Plan::of(event, catalog).matches.into_iter().flat_map(|matched| matched.groups).collect()
}
