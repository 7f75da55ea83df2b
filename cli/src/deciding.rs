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
pub(crate) struct Told {
    /// The time of the decision.
    pub(crate) at: Timestamp,
    pub(crate) key: Key,
    pub(crate) rule: Option<String>,
    pub(crate) recipient: String,
    pub(crate) channel: Option<Channel>,
    pub(crate) step: u32,
    pub(crate) what: What,
    pub(crate) notes: Vec<Note>,
    /// The outcomes that the ledger keeps, if the rule is a broadcast.
    pub(crate) broadcast: Option<Record>,
}

/// The decision itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Send,
    Suppress(Reason),
    Later { until: Timestamp, why: Reason },
    Collect { closes_at: Timestamp },
    Cancels,
}

/// Decides about an event at `at`, and about its continuations at their times.
pub(crate) fn foretell(event: &Event, engine: &Preview<'_>, at: Timestamp) -> Vec<Told> {
    foretell_with(event, engine, at, &mut |_, _| {})
}

/// Decides like [`foretell`]. `visit` gets the decisions of each pass with their messages, and the time of the pass.
pub(crate) fn foretell_with(
    event: &Event,
    engine: &Preview<'_>,
    at: Timestamp,
    visit: &mut dyn FnMut(Evaluation<'_>, Timestamp),
) -> Vec<Told> {
    let mut told = Vec::new();
    run_ready(engine.forecast(event, at, &mut |evaluation, at| {
        let plan = &evaluation.planned.plan;
        told.extend(evaluation.decisions.iter().map(|decision| Told::of(decision, plan, at)));
        visit(evaluation, at);
    }));
    told
}

impl Told {
    fn of(decision: &Decision<'_>, plan: &Plan<'_>, at: Timestamp) -> Told {
        Told {
            at,
            key: decision.key.clone(),
            rule: decision.rule.map(|rule| rule.name.clone()),
            recipient: decision.recipient.clone(),
            channel: decision.channel,
            step: decision.step,
            what: match &decision.verdict {
                Verdict::Send(_) => What::Send,
                Verdict::Suppress(reason) => What::Suppress(*reason),
                Verdict::Later(later) => What::Later { until: later.until, why: later.why.reason() },
                Verdict::Merge(merge) => What::Collect { closes_at: merge.closes_at },
                Verdict::Cancel(_) => What::Cancels,
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
