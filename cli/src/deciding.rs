//! What would be decided about an event, and about what waits for its time: the same `decide` that dispatch runs, with
//! the clock turned forward. Nothing is asked of any table: nobody has seen anything, nothing is full.

use std::collections::BTreeSet;

use domain::Timestamp;
use domain::catalog::Catalog;
use domain::channel::Channel;
use domain::closing;
use domain::decide::{Ask, Decision, Note, Verdict, decide_with};
use domain::digest::{Collected, Item, Window};
use domain::endpoint::{Endpoint, EndpointId};
use domain::event::Event;
use domain::key::Key;
use domain::outcome::Reason;
use domain::plan::{Audience, Match, Plan, endpoint_name};
use domain::recipient::{Group, Recipients, Settings};
use domain::rule::Record;
use domain::wake::Start;
use templates::{Renderer, Written, proofread};

/// How often a recurring rule is followed, and how far a long one.
const MAX_TURNS: usize = 200;

/// What is known of an endpoint.
pub(crate) type Known<'a> = &'a dyn Fn(&EndpointId) -> Option<Endpoint>;

/// Everything beside the event.
#[derive(Clone, Copy)]
pub(crate) struct World<'a> {
    pub(crate) catalog: &'a Catalog,
    /// Of the same catalog: some things only a message's words can ask.
    pub(crate) renderer: &'a Renderer,
    pub(crate) recipients: &'a Recipients,
    pub(crate) tenant: Option<&'a Settings>,
    pub(crate) members: &'a dyn Fn(&Group) -> Vec<String>,
    /// What is known of endpoints: those of a table, or samples in their place.
    pub(crate) endpoint: Option<Known<'a>>,
}

/// One decision, on its own.
#[derive(Clone)]
pub(crate) struct Told {
    /// When it is made.
    pub(crate) at: Timestamp,
    pub(crate) key: Key,
    pub(crate) rule: Option<String>,
    pub(crate) recipient: String,
    pub(crate) channel: Option<Channel>,
    pub(crate) step: u32,
    pub(crate) what: What,
    pub(crate) notes: Vec<Note>,
    /// What the ledger keeps, where the rule is a broadcast.
    pub(crate) broadcast: Option<Record>,
}

/// What it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Send,
    Suppress(Reason),
    Later { until: Timestamp, why: Reason },
    Collect { closes_at: Timestamp },
    Cancels,
}

/// Something that is to be decided about at its time.
enum Turn {
    Event,
    Rule(Box<Going>),
}

/// A rule that is gone on with for somebody.
struct Going {
    event: Event,
    rule: String,
    audience: Audience,
    start: Start,
    digest: Option<Collected>,
}

/// Sees each plan and what was decided about it, with the messages that were rendered on the way, and the time.
pub(crate) type Seen<'s> = &'s mut dyn FnMut(&Plan<'_>, Vec<Decision<'_>>, Written, Timestamp);

/// Decides about an event at `at`, and about all that it leaves for later at the time it waits for.
pub(crate) fn foretell(event: &Event, world: &World<'_>, at: Timestamp) -> Vec<Told> {
    foretell_with(event, world, at, &mut |_, _, _, _| {})
}

/// The same, and `seen` gets every decision whole.
pub(crate) fn foretell_with(event: &Event, world: &World<'_>, at: Timestamp, seen: Seen<'_>) -> Vec<Told> {
    let mut told = Vec::new();
    let mut turns: Vec<(Timestamp, Turn)> = vec![(at, Turn::Event)];
    for _ in 0..MAX_TURNS {
        // The earliest first; of two at one time the one that was left first.
        let Some(next) = (0..turns.len()).min_by_key(|it| turns[*it].0) else { break };
        let (at, turn) = turns.remove(next);
        let mut later: Vec<(Timestamp, Turn)> = Vec::new();
        match &turn {
            Turn::Event => {
                let mut plan = Plan::of(event, world.catalog);
                for matched in &mut plan.matches {
                    let groups = std::mem::take(&mut matched.groups);
                    for group in &groups {
                        matched.add(group, (world.members)(group));
                    }
                }
                welcome(&mut plan, world);
                later.extend(tell(&plan, world, at, &mut told, seen));
            }
            Turn::Rule(it) => {
                let Going { event, rule, audience, start, digest } = &**it;
                let matched = world.catalog.rule(rule).map(|rule| Match {
                    rule,
                    audience: vec![audience.clone()],
                    groups: Vec::new(),
                    start: start.clone(),
                });
                let mut plan = Plan::woken(event, world.catalog, matched, digest.clone());
                welcome(&mut plan, world);
                later.extend(tell(&plan, world, at, &mut told, seen));
            }
        }
        turns.extend(later);
    }
    told
}

/// Adds what is known of the endpoints that a plan addresses.
fn welcome(plan: &mut Plan<'_>, world: &World<'_>) {
    let Some(known) = world.endpoint else { return };
    for id in plan.unknown_endpoints() {
        if let Some(endpoint) = known(&id) {
            plan.endpoints.insert(endpoint_name(&id), endpoint);
        }
    }
}

/// Everybody whose profile is needed to decide about an event.
pub(crate) fn people(
    event: &Event,
    catalog: &Catalog,
    members: &dyn Fn(&Group) -> Vec<String>,
) -> BTreeSet<String> {
    let plan = Plan::of(event, catalog);
    let mut people: BTreeSet<String> = plan.people().into_iter().map(str::to_owned).collect();
    people.extend(plan.matches.iter().flat_map(|it| &it.groups).flat_map(members));
    people
}

/// The groups that an event addresses.
pub(crate) fn groups(event: &Event, catalog: &Catalog) -> Vec<Group> {
    Plan::of(event, catalog).matches.into_iter().flat_map(|it| it.groups).collect()
}

/// Adds what is decided about a plan to `told`. Returns what is left for later.
fn tell(
    plan: &Plan<'_>,
    world: &World<'_>,
    at: Timestamp,
    told: &mut Vec<Told>,
    seen: Seen<'_>,
) -> Vec<(Timestamp, Turn)> {
    let (decisions, written) = settled(plan, world, at);
    for decision in &decisions {
        told.push(Told {
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
        });
    }
    let later = decisions.iter().filter_map(|decision| turn(plan, decision)).collect();
    seen(plan, decisions, written, at);
    later
}

/// What the ledger keeps of a broadcast.
fn broadcast(plan: &Plan<'_>, decision: &Decision<'_>) -> Option<Record> {
    let broadcast = decision.rule?.broadcast.as_ref()?;
    Some(broadcast.record.unwrap_or(plan.catalog.policy().broadcast.record))
}

/// The decisions, where every question has the answer of a table in which nothing has happened yet.
pub(crate) fn answered<'a>(plan: &Plan<'a>, world: &World<'a>, now: Timestamp) -> Vec<Decision<'a>> {
    settled(plan, world, now).0
}

/// The same, with the messages that had to be rendered for the answer.
fn settled<'a>(plan: &Plan<'a>, world: &World<'a>, now: Timestamp) -> (Vec<Decision<'a>>, Written) {
    let decided = decide_with(plan, world.recipients, world.tenant, now, Ask::if_nothing_happened);
    let zone = world.tenant.and_then(|tenant| tenant.zone.as_deref());
    proofread(world.renderer, plan, decided, zone, now, Ask::if_nothing_happened)
}

fn turn(plan: &Plan<'_>, decision: &Decision<'_>) -> Option<(Timestamp, Turn)> {
    let rule = decision.rule?;
    match &decision.verdict {
        Verdict::Later(later) => {
            let (audience, start) = (later.audience.clone(), later.start.clone());
            Some((
                later.until,
                Turn::Rule(Box::new(Going {
                    event: plan.event.clone(),
                    rule: rule.name.clone(),
                    audience,
                    start,
                    digest: plan.digest.clone(),
                })),
            ))
        }
        Verdict::Merge(merge) => {
            let policy = rule.digest_policy(merge.step);
            let (opened_at, closed_at) = (plan.event.time, merge.closes_at);
            let window =
                Window { name: &merge.window, step: merge.step, only: merge.only, opened_at, closed_at };
            let digest = Collected::of(vec![Item::of(plan.event)], policy, &window);
            let event =
                closing::event(plan.event, &merge.window_id, &digest.items, &digest.summary, closed_at);
            let digest = Some(digest);
            let start = Start::after_digest(merge.step, merge.only);
            let (rule, audience) = (rule.name.clone(), merge.audience.clone());
            Some((merge.closes_at, Turn::Rule(Box::new(Going { event, rule, audience, start, digest }))))
        }
        Verdict::Send(_) | Verdict::Suppress(_) | Verdict::Cancel(_) => None,
    }
}
