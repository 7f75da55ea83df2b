//! Turns decisions into the output of a pass: jobs for the channels, outcomes for the ledger, and deferred messages.

use domain::Timestamp;
use domain::base::channel::Channel;
use domain::base::outcome::{Reason, Status};
use domain::base::sensitive::Sensitive;
use domain::catalog::policy::is_one_time;
use domain::catalog::rule::Rule;
use domain::decide::continuation::{Continuation, Task};
use domain::decide::plan::{Plan, former_cancel_key};
use domain::decide::{Decision, Note, Order, Verdict};
use domain::delivery::handling;
use domain::delivery::job::{Content, Failover, Job, Origin};
use domain::event::Priority;
use domain::event::key::{Key, event_part};
use domain::feedback::delivery_events::Set;
use domain::limits::cancel::{CancelKey, Cancellation};
use templates::{LeftOut, Rendered};

use crate::broadcast::{is_broadcast, is_recorded};
use crate::evaluate::Evaluation;
use crate::links::UnsubscribeLinks;
use crate::sets;
use crate::subject::{FollowUp, ScheduledMessage};
use crate::warning::Warning;

const WRITES: &str = "a job is strings, numbers and JSON text";

/// The output of one pass. The caller writes it in this order: cancellations, deferred messages, jobs, outcomes, the
/// page. A second write is harmless, because it has the same keys.
#[derive(Default)]
pub struct Output {
    pub jobs: Vec<EncodedJob>,
    pub outcomes: Vec<Outcome>,
    pub later: Vec<ScheduledMessage>,
    /// The cancelled keys, each with the cancelling event.
    pub cancelled: Vec<(CancelKey, Cancellation)>,
    /// The page of a large audience that is done after all other output is written.
    pub page: Option<String>,
    pub warnings: Vec<Warning>,
}

/// A job and its JSON text.
pub struct EncodedJob {
    pub job: Job,
    pub body: Sensitive<String>,
    pub tenant: Option<String>,
}

impl EncodedJob {
    /// Reports whether the job takes the channel's critical lane.
    #[must_use]
    pub fn is_critical(&self) -> bool {
        self.job.priority == Priority::Critical
    }
}

/// An outcome that needs no channel: suppressed, deferred, or failed before the send.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub key: Key,
    pub status: Status,
    pub reason: Reason,
    pub origin: Origin,
    /// The name of the rule; `-` stands for no rule.
    pub rule: String,
    /// The version of the catalog.
    pub catalog: String,
    pub recipient: String,
    pub channel: Option<Channel>,
    pub step: u32,
    /// The end of a deferral.
    pub until: Option<Timestamp>,
    /// The digest window that the notification joined.
    pub joined: Option<String>,
    pub note: Option<String>,
    pub set: Option<Set>,
}

/// The settings of an installation that its jobs depend on.
#[derive(Clone, Copy)]
pub struct OutputSettings<'a> {
    pub links: &'a UnsubscribeLinks,
    /// The most bytes of a message in a channel's queue.
    pub max_job_bytes: usize,
}

impl Output {
    /// Returns the output of an event that is over its rate. The message returns unchanged at its time.
    #[must_use]
    pub fn deferred(message: ScheduledMessage) -> Output {
        Output { later: vec![message], ..Output::default() }
    }
}

impl Evaluation<'_> {
    /// Renders every message that the check has not rendered, and records every other decision as an outcome.
    #[must_use]
    pub fn output(mut self, settings: OutputSettings<'_>) -> Output {
        let plan = &self.planned.plan;
        let decisions = std::mem::take(&mut self.decisions);
        let (set, suppressed) = sets::sets(plan, &decisions, self.planned.is_of_large_audience());
        let mut output = Output::default();
        for decision in decisions {
            let (set, before) = ((!is_broadcast(&decision)).then_some(&set), output.outcomes.len());
            if decision.notes.iter().any(|note| matches!(note, Note::Unusable { .. })) {
                output.warnings.push(Warning::UnusableValue { rule: rule_name(&decision) });
            }
            let outcome = |status, reason, until| outcome(plan, &decision, status, reason, until);
            match &decision.verdict {
                Verdict::Suppress(reason) => {
                    let set = suppressed.clone().filter(|_| sets::counts(&decision));
                    output.outcomes.push(Outcome { set, ..outcome(Status::Suppressed, *reason, None) });
                }
                Verdict::Later(later) => {
                    let (reason, until) = (later.why.reason(), later.until);
                    output.outcomes.push(outcome(Status::Deferred, reason, Some(until)));
                    output.later.push(continuation(plan, &decision, later.task(plan), until));
                }
                Verdict::Merge(merge) => {
                    let until = merge.closes_at;
                    output.outcomes.push(outcome(Status::Suppressed, Reason::Merged, Some(until)));
                    if merge.timer {
                        output.later.push(continuation(plan, &decision, merge.task(), until));
                    }
                }
                Verdict::Cancel(key) => {
                    output.outcomes.push(outcome(Status::Suppressed, Reason::Cancels, None));
                    output.cancelled.extend(cancellations(plan, &decision, key));
                }
                Verdict::Send(order) => {
                    if let Err(reason) = self.send(&decision, order, set, settings, &mut output) {
                        let failed = outcome(Status::Failed, reason, None);
                        output.outcomes.push(Outcome { set: set.cloned(), ..failed });
                    }
                }
            }
            if !is_recorded(plan, &decision) {
                let unrecorded = output.outcomes.drain(before..).map(|outcome| {
                    let Outcome { rule, status, reason, .. } = outcome;
                    Warning::BroadcastUnrecorded { rule, status, reason }
                });
                output.warnings.extend(unrecorded);
            }
        }
        let follow_ups = self.planned.subject.follow_ups.iter().chain(&self.planned.pages).cloned();
        output.later.extend(follow_ups.map(|it: FollowUp| it.message(plan.catalog, plan.event)));
        output.page.clone_from(&self.planned.subject.page);
        output
    }

    /// Renders one message and adds its job, with the outcomes of the events that its digest leaves out.
    fn send(
        &mut self,
        decision: &Decision<'_>,
        order: &Order<'_>,
        set: Option<&Set>,
        settings: OutputSettings<'_>,
        output: &mut Output,
    ) -> Result<(), Reason> {
        let (plan, rule) = (&self.planned.plan, &order.rule.name);
        let emails = &plan.catalog.policy().email;
        let link = order.way_out.as_ref();
        let link = link.map(|scope| settings.links.link(plan.event, decision, scope, emails, self.now));
        let rendered = match self.checked.remove(&decision.key) {
            Some(rendered) => Ok(rendered),
            None => self.context.tell(order, link.as_deref()),
        };
        let Rendered { mut content, left_out } = rendered.map_err(|error| {
            let (reason, key) = (error.reason, decision.key.clone());
            output.warnings.push(Warning::Unrendered { rule: rule.clone(), key, error });
            reason
        })?;
        if let Content::Push(push) = &mut content {
            let members = handling::handle(plan, order.rule, push);
            if !members.is_empty() {
                output.warnings.push(Warning::PushValues { rule: rule.clone(), members });
            }
        }
        let mut job = job(plan, decision, order, set, content);
        let mut body = serde_json::to_string(&job).expect(WRITES);
        if body.len() > settings.max_job_bytes && job.failover.is_some() {
            // The job is sent without its failover, because the message matters more.
            output.warnings.push(Warning::FailoverDropped { rule: rule.clone() });
            job.failover = None;
            body = serde_json::to_string(&job).expect(WRITES);
        }
        if body.len() > settings.max_job_bytes {
            return Err(Reason::TooLarge);
        }
        output.jobs.push(EncodedJob { job, body: body.into(), tenant: plan.event.tenant.clone() });
        for event in left_out {
            output.outcomes.push(outcome_of_left_out(plan, decision, &event));
            let (event_id, error) = (event.item.id, event.why);
            output.warnings.push(Warning::LeftOut { rule: rule_name(decision), event_id, error });
        }
        Ok(())
    }
}

fn job(
    plan: &Plan<'_>,
    decision: &Decision<'_>,
    order: &Order<'_>,
    set: Option<&Set>,
    content: Content,
) -> Job {
    let channel = content.channel();
    let policy = plan.catalog.policy();
    Job {
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
        address_hash: content
            .address()
            .map(|address| plan.catalog.hashes().address(channel, address.expose())),
        set: set.cloned(),
        content,
    }
}

/// The message that continues a run at its time.
fn continuation(plan: &Plan<'_>, decision: &Decision<'_>, task: Task, at: Timestamp) -> ScheduledMessage {
    let name = Continuation::name(&decision.key, at);
    let follow_up = FollowUp { rule: rule_name(decision), task, at, name, is_page: false };
    follow_up.message(plan.catalog, plan.event)
}

/// Returns the cancellation under a key, and under the key that the last release made of the same values. Jobs of the
/// last release carry that key.
fn cancellations(
    plan: &Plan<'_>,
    decision: &Decision<'_>,
    key: &CancelKey,
) -> impl Iterator<Item = (CancelKey, Cancellation)> {
    let former = decision.rule.and_then(|rule| former_cancel_key(rule, plan.event, plan.envelope()));
    let by = event_part(&plan.event.source, &plan.event.id);
    let cancellation = Cancellation { at: plan.event.time, by };
    former.into_iter().chain([key.clone()]).map(move |key| (key, cancellation.clone()))
}

/// Returns the outcome of an event that its digest leaves out. Its row is stored with the rows of that event.
fn outcome_of_left_out(plan: &Plan<'_>, decision: &Decision<'_>, left_out: &LeftOut) -> Outcome {
    let LeftOut { item, why } = left_out;
    // The key under which the event joined its window begins with the event's own part.
    let place = format!("left out {}", decision.key.as_str());
    let outcome = outcome(plan, decision, Status::Failed, why.reason, None);
    Outcome {
        key: Key::from(item.event_key.clone()).again(&place),
        origin: Origin {
            id: item.id.clone(),
            source: item.source.clone(),
            kind: item.kind.clone(),
            time: item.time,
            subject: item.subject.clone(),
            actor: item.actor.clone(),
            causation_id: None,
            ..outcome.origin
        },
        note: Some(format!("its digest leaves it out: {why}")),
        ..outcome
    }
}

/// The time at which a run that waited was to continue.
fn due(plan: &Plan<'_>, rule: &Rule) -> Option<Timestamp> {
    plan.matches.iter().find(|matched| matched.rule.name == rule.name)?.start.due
}

/// The message to dispatch if the send fails.
fn failover(plan: &Plan<'_>, order: &Order<'_>, to: Channel, task: Task) -> Failover {
    Failover { to, continuation: Continuation::new(plan.event, &order.rule.name, task) }
}

fn outcome(
    plan: &Plan<'_>,
    decision: &Decision<'_>,
    status: Status,
    reason: Reason,
    until: Option<Timestamp>,
) -> Outcome {
    Outcome {
        key: decision.key.clone(),
        status,
        reason,
        origin: Origin::of(plan.event),
        rule: rule_name(decision),
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
        set: None,
    }
}

/// The name of a decision's rule; `-` stands for no rule.
fn rule_name(decision: &Decision<'_>) -> String {
    decision.rule.map_or("-", |rule| rule.name.as_str()).to_owned()
}

/// The note that decided, after the notes about unusable values of the event.
fn note(notes: &[Note]) -> Option<String> {
    let (last, before) = notes.split_last()?;
    let unusable = before.iter().filter(|note| matches!(note, Note::Unusable { .. }));
    let texts: Vec<String> = unusable.chain([last]).map(ToString::to_string).collect();
    Some(texts.join("; "))
}
