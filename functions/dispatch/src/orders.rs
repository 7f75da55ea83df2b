//! From decisions to what leaves the function: jobs for the channels' queues, outcomes for the ledger, and what is left
//! for later.

use domain::Timestamp;
use domain::cancel::{CancelKey, Cancellation};
use domain::channel::Channel;
use domain::decide::{Decision, Order, Verdict};
use domain::event::Priority;
use domain::handling;
use domain::job::{Content, Failover, JOB_VERSION, Job, Origin};
use domain::key::event_part;
use domain::outcome::{Reason, Status};
use domain::plan::{Plan, former_cancel_key};
use domain::policy::is_one_time;
use domain::receipt::Marks;
use domain::told::Set;
use domain::wake::{Task, Wake};
use queue::{MAX_MESSAGE_BYTES, Outgoing};
use runtime::chain;
use store::{LedgerRow, Times};
use templates::{Scene, Written};

use crate::lane::Leaving;
use crate::way_out::WaysOut;

const WRITES: &str = "a job is strings, numbers and JSON text";

/// What one event leads to.
#[derive(Default)]
pub struct Work {
    /// Each with its channel, and whether it is critical: then it takes the lane of its own.
    pub jobs: Vec<(Channel, bool, Outgoing)>,
    pub outcomes: Vec<LedgerRow>,
    pub later: Vec<Leaving>,
    /// What is taken back, and by which event.
    pub cancelled: Vec<(CancelKey, Cancellation)>,
}

/// What orders are rendered with, beside the event.
pub struct Words<'a> {
    pub scene: &'a Scene<'a>,
    pub ways_out: &'a WaysOut,
    pub now: Timestamp,
}

/// Renders every order that is not among `written`, and writes down everything else.
#[must_use]
pub fn work(plan: &Plan<'_>, decisions: Vec<Decision<'_>>, words: &Words<'_>, mut written: Written) -> Work {
    let mut work = Work::default();
    let orders = decisions.iter().filter(|it| matches!(it.verdict, Verdict::Send(_))).count();
    let set = Set { id: set_name(plan), of: u32::try_from(orders).unwrap_or(u32::MAX) };
    for decision in decisions {
        let row = |status, reason, until| outcome(plan, &decision, status, reason, until);
        match &decision.verdict {
            Verdict::Suppress(reason) => work.outcomes.push(row(Status::Suppressed, *reason, None)),
            Verdict::Later(it) => {
                work.outcomes.push(row(Status::Deferred, it.why.reason(), Some(it.until)));
                work.later.push(leaving(plan, &decision, it.task(plan), it.until));
            }
            Verdict::Merge(it) => {
                work.outcomes.push(row(Status::Suppressed, Reason::Merged, Some(it.closes_at)));
                work.later.extend(it.timer.then(|| leaving(plan, &decision, it.task(), it.closes_at)));
            }
            Verdict::Cancel(key) => {
                work.outcomes.push(row(Status::Suppressed, Reason::Cancels, None));
                let by = event_part(&plan.event.source, &plan.event.id);
                // Jobs of the last release carry its key.
                let former =
                    decision.rule.and_then(|rule| former_cancel_key(rule, plan.event, plan.envelope()));
                let cancellation = Cancellation { at: plan.event.time, by };
                work.cancelled.extend(former.map(|key| (key, cancellation.clone())));
                work.cancelled.push((key.clone(), cancellation));
            }
            Verdict::Send(order) => match job(plan, &decision, order, &set, words, &mut written) {
                Ok(it) => work.jobs.push(it),
                Err(reason) => {
                    let row = row(Status::Failed, reason, None);
                    work.outcomes.push(LedgerRow { set: Some(set.clone()), ..row });
                }
            },
        }
    }
    work
}

fn leaving(plan: &Plan<'_>, decision: &Decision<'_>, task: Task, at: Timestamp) -> Leaving {
    let rule = decision.rule.map_or("-", |it| it.name.as_str());
    let wake = Wake::new(plan.event, rule, task);
    let name = Wake::name(&decision.key, at);
    Leaving::wake(plan.catalog, plan.event, &wake, at, name)
}

fn job(
    plan: &Plan<'_>,
    decision: &Decision<'_>,
    order: &Order<'_>,
    set: &Set,
    words: &Words<'_>,
    written: &mut Written,
) -> Result<(Channel, bool, Outgoing), Reason> {
    let scope = order.way_out.as_ref();
    let letters = &plan.catalog.policy().email;
    let way_out = scope.map(|it| words.ways_out.link(plan.event, decision, it, letters, words.now));
    let known = written.remove(&decision.key);
    let render = || words.scene.render_with(order, way_out.as_deref());
    let mut content = known.map_or_else(render, Ok).map_err(|unrendered| {
        tracing::error!(
            event.id = plan.event.id,
            rule = order.rule.name,
            error = chain(&unrendered),
            "a template gave no text"
        );
        unrendered.reason
    })?;
    if let Content::Push(push) = &mut content {
        handling::handle(plan, order.rule, push);
    }
    let channel = content.channel();
    let policy = plan.catalog.policy();
    let job = Job {
        version: JOB_VERSION,
        key: decision.key.clone(),
        event: Origin::of(plan.event),
        rule: order.rule.name.clone(),
        catalog: plan.catalog.version().to_owned(),
        recipient: decision.recipient.clone(),
        step: decision.step,
        priority: order.priority,
        on_unknown: policy.on_unknown(&order.rule.category, channel),
        expires_at: order.expires_at,
        cancel: order.cancel.clone(),
        one_time: is_one_time(&order.rule.category),
        held_s: 0,
        held_since: None,
        instead_of: order.instead_of,
        failover: order.failover.clone().map(|(to, task)| failover(plan, order, to, task)),
        address_hash: content.address().map(|address| plan.catalog.hashes().address(channel, address)),
        set: Some(set.clone()),
        content,
    };
    let mut body = serde_json::to_string(&job).expect(WRITES);
    if body.len() > MAX_MESSAGE_BYTES && job.failover.is_some() {
        // The message matters more than what takes its place.
        tracing::warn!(event.id = plan.event.id, rule = order.rule.name, "too large to carry its failover");
        body = serde_json::to_string(&Job { failover: None, ..job }).expect(WRITES);
    }
    if body.len() > MAX_MESSAGE_BYTES {
        return Err(Reason::TooLarge);
    }
    let is_critical = order.priority == Priority::Critical;
    Ok((
        channel,
        is_critical,
        Outgoing { body, tenant: plan.event.tenant.clone(), delay: std::time::Duration::ZERO },
    ))
}

/// What dispatch is told should the message fail.
fn failover(plan: &Plan<'_>, order: &Order<'_>, to: Channel, task: Task) -> Failover {
    Failover { to, wake: Wake::new(plan.event, &order.rule.name, task) }
}

fn outcome(
    plan: &Plan<'_>,
    decision: &Decision<'_>,
    status: Status,
    reason: Reason,
    until: Option<Timestamp>,
) -> LedgerRow {
    LedgerRow {
        key: decision.key.clone(),
        status,
        reason: Some(reason),
        origin: Origin::of(plan.event),
        rule: decision.rule.map_or("-", |it| it.name.as_str()).to_owned(),
        catalog: plan.catalog.version().to_owned(),
        recipient: decision.recipient.clone(),
        channel: decision.channel,
        step: decision.step,
        until,
        joined: match &decision.verdict {
            Verdict::Merge(it) => Some(it.window_id.clone()),
            Verdict::Send(_) | Verdict::Suppress(_) | Verdict::Later(_) | Verdict::Cancel(_) => None,
        },
        note: decision.notes.last().map(ToString::to_string),
        provider_id: None,
        marks: Marks::default(),
        set: None,
        times: Times::default(),
    }
}

/// Names this hand-over by what it goes on with, so that its repetition has the same name.
fn set_name(plan: &Plan<'_>) -> String {
    // Whoever is told again is told in a hand-over of its own.
    let mut goes_on_with = plan.event.nonce().unwrap_or_default().to_owned();
    if !plan.woken {
        return Set::name(Some(goes_on_with.as_str()).filter(|it| !it.is_empty()));
    }
    for it in &plan.matches {
        let hashes = plan.catalog.hashes();
        let audience: Vec<String> = it.audience.iter().map(|audience| audience.name(hashes)).collect();
        let start = serde_json::to_string(&it.start).expect("a start is numbers and names");
        goes_on_with.push_str(&serde_json::json!([it.rule.name, audience, start]).to_string());
    }
    Set::name(Some(&goes_on_with))
}
