//! From decisions to what leaves the function: jobs for the channels' queues, outcomes for the ledger, and what is left
//! for later.

use domain::Timestamp;
use domain::cancel::{CancelKey, Cancellation};
use domain::channel::Channel;
use domain::decide::{Decision, Note, Order, Verdict};
use domain::event::Priority;
use domain::handling;
use domain::job::{Content, Failover, Job, Origin};
use domain::key::{Key, event_part};
use domain::outcome::{Reason, Status};
use domain::plan::{Plan, former_cancel_key};
use domain::policy::is_one_time;
use domain::receipt::Marks;
use domain::rule::Rule;
use domain::told::Set;
use domain::wake::{Task, Wake};
use queue::{MAX_MESSAGE_BYTES, Outgoing};
use runtime::chain;
use store::{LedgerRow, Times};
use templates::{LeftOut, Scene, Told, Written};

use crate::broadcast::{is_broadcast, is_recorded, log_unrecorded};
use crate::lane::Leaving;
use crate::sets;
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
    /// Whether more recipients of the event follow in another message.
    pub more: bool,
}

/// Renders every order that is not among `written`, and writes down everything else.
#[must_use]
pub fn work(plan: &Plan<'_>, decisions: Vec<Decision<'_>>, words: &Words<'_>, mut written: Written) -> Work {
    let mut work = Work::default();
    let (set, suppressed) = sets::sets(plan, &decisions, words.more);
    for decision in decisions {
        log_unusable(plan, &decision);
        let (set, before) = ((!is_broadcast(&decision)).then_some(&set), work.outcomes.len());
        let row = |status, reason, until| outcome(plan, &decision, status, reason, until);
        match &decision.verdict {
            Verdict::Suppress(reason) => {
                let set = suppressed.clone().filter(|_| sets::counts(&decision));
                work.outcomes.push(LedgerRow { set, ..row(Status::Suppressed, *reason, None) });
            }
            Verdict::Later(later) => {
                work.outcomes.push(row(Status::Deferred, later.why.reason(), Some(later.until)));
                work.later.push(leaving(plan, &decision, later.task(plan), later.until));
            }
            Verdict::Merge(merge) => {
                work.outcomes.push(row(Status::Suppressed, Reason::Merged, Some(merge.closes_at)));
                work.later
                    .extend(merge.timer.then(|| leaving(plan, &decision, merge.task(), merge.closes_at)));
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
            Verdict::Send(order) => match job(plan, &decision, order, set, words, &mut written) {
                Ok((it, left_out)) => {
                    work.jobs.push(it);
                    work.outcomes.extend(left_out.iter().map(|it| outcome_of_left_out(plan, &decision, it)));
                }
                Err(reason) => {
                    let row = row(Status::Failed, reason, None);
                    work.outcomes.push(LedgerRow { set: set.cloned(), ..row });
                }
            },
        }
        if !is_recorded(plan, &decision) {
            work.outcomes.drain(before..).for_each(|row| log_unrecorded(&row));
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

/// A message for a channel's queue, whether it is critical, and the events that its digest leaves out.
type Made = ((Channel, bool, Outgoing), Vec<LeftOut>);

fn job(
    plan: &Plan<'_>,
    decision: &Decision<'_>,
    order: &Order<'_>,
    set: Option<&Set>,
    words: &Words<'_>,
    written: &mut Written,
) -> Result<Made, Reason> {
    let scope = order.way_out.as_ref();
    let letters = &plan.catalog.policy().email;
    let way_out = scope.map(|scope| words.ways_out.link(plan.event, decision, scope, letters, words.now));
    let known = written.remove(&decision.key);
    let render = || words.scene.tell(order, way_out.as_deref());
    let Told { mut content, left_out } = known.map_or_else(render, Ok).map_err(|unrendered| {
        tracing::error!(
            event.id = plan.event.id,
            rule = order.rule.name,
            error = chain(&unrendered),
            code = "DISPATCH_TEMPLATE_FAILED",
            "notification failed: its template was not rendered"
        );
        unrendered.reason
    })?;
    if let Content::Push(push) = &mut content {
        let ignored = handling::handle(plan, order.rule, push);
        if !ignored.is_empty() {
            tracing::warn!(
                code = "PUSH_VALUE_IGNORED",
                event.id = plan.event.id,
                rule = order.rule.name,
                members = ignored.join(","),
                "values of the event cannot be used in a push notification: it is sent without them"
            );
        }
    }
    let channel = content.channel();
    let policy = plan.catalog.policy();
    let job = Job {
        version: content.job_version(),
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
        due: due(plan, order.rule),
        address_hash: content.address().map(|address| plan.catalog.hashes().address(channel, address)),
        set: set.cloned(),
        content,
    };
    let mut body = serde_json::to_string(&job).expect(WRITES);
    if body.len() > MAX_MESSAGE_BYTES && job.failover.is_some() {
        // The message matters more than what takes its place.
        tracing::warn!(
            code = "DISPATCH_FAILOVER_DROPPED",
            event.id = plan.event.id,
            rule = order.rule.name,
            "job sent without its fallback channel: the job is too large"
        );
        body = serde_json::to_string(&Job { failover: None, ..job }).expect(WRITES);
    }
    if body.len() > MAX_MESSAGE_BYTES {
        return Err(Reason::TooLarge);
    }
    let is_critical = order.priority == Priority::Critical;
    let outgoing = Outgoing { body, tenant: plan.event.tenant.clone(), delay: std::time::Duration::ZERO };
    Ok(((channel, is_critical, outgoing), left_out))
}

/// The outcome of an event that its digest does not tell. The row lies with the rows of that event.
fn outcome_of_left_out(plan: &Plan<'_>, decision: &Decision<'_>, left_out: &LeftOut) -> LedgerRow {
    let LeftOut { item, why } = left_out;
    tracing::error!(
        event.id = item.id,
        digest.id = plan.event.id,
        rule = decision.rule.map_or("-", |it| it.name.as_str()),
        error = chain(why),
        code = "DISPATCH_DIGEST_EVENT_LEFT_OUT",
        "a digest leaves out an event that its template cannot tell; the other events are sent"
    );
    // The key by which the event joined its window begins with the event's own part.
    let place = format!("left out {}", decision.key.as_str());
    let row = outcome(plan, decision, Status::Failed, why.reason, None);
    LedgerRow {
        key: Key::from(item.event_key.clone()).again(&place),
        origin: Origin {
            id: item.id.clone(),
            source: item.source.clone(),
            kind: item.kind.clone(),
            time: item.time,
            subject: item.subject.clone(),
            actor: item.actor.clone(),
            causation_id: None,
            ..row.origin
        },
        note: Some(format!("its digest leaves it out: {why}")),
        ..row
    }
}

/// When the run of a rule went on, where it had waited.
fn due(plan: &Plan<'_>, rule: &Rule) -> Option<Timestamp> {
    plan.matches.iter().find(|matched| matched.rule.name == rule.name)?.start.due
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
            Verdict::Merge(merge) => Some(merge.window_id.clone()),
            Verdict::Send(_) | Verdict::Suppress(_) | Verdict::Later(_) | Verdict::Cancel(_) => None,
        },
        note: note(&decision.notes),
        provider_id: None,
        marks: Marks::default(),
        set: None,
        times: Times::default(),
    }
}

/// Logs that a decision could not use a value. The notes say which; they stay out of the log.
fn log_unusable(plan: &Plan<'_>, decision: &Decision<'_>) {
    if decision.notes.iter().any(|note| matches!(note, Note::Unusable { .. })) {
        tracing::warn!(
            event.id = plan.event.id,
            rule = decision.rule.map_or("-", |it| it.name.as_str()),
            code = "DISPATCH_VALUE_UNUSABLE",
            "a value that the rule needs cannot be used; `carillon explain <event>` shows the decision"
        );
    }
}

/// What decided it; and before that, values of the event that could not be used.
fn note(notes: &[Note]) -> Option<String> {
    let (last, before) = notes.split_last()?;
    let unusable = before.iter().filter(|it| matches!(it, Note::Unusable { .. }));
    let said: Vec<String> = unusable.chain([last]).map(ToString::to_string).collect();
    Some(said.join("; "))
}
