//! From decisions to what leaves the function: jobs for the channels' queues, and outcomes for the ledger.

use domain::channel::Channel;
use domain::decide::{Decision, Order, Verdict};
use domain::job::{JOB_VERSION, Job, Origin};
use domain::outcome::{Reason, Status};
use domain::plan::Plan;
use queue::{MAX_MESSAGE_BYTES, Outgoing};
use runtime::chain;
use store::LedgerRow;
use templates::{Renderer, Scene};

/// What one event leads to.
#[derive(Default)]
pub struct Work {
    pub jobs: Vec<(Channel, Outgoing)>,
    pub outcomes: Vec<LedgerRow>,
}

/// Renders every order and writes down every suppression.
#[must_use]
pub fn work(plan: &Plan<'_>, decisions: Vec<Decision<'_>>, renderer: &Renderer) -> Work {
    let mut work = Work::default();
    let scene = renderer.scene(plan.envelope());
    for decision in decisions {
        match &decision.verdict {
            Verdict::Suppress(reason) => {
                work.outcomes.push(outcome(plan, &decision, Status::Suppressed, *reason));
            }
            Verdict::Send(order) => match job(plan, &decision, order, &scene) {
                Ok(it) => work.jobs.push(it),
                Err(reason) => work.outcomes.push(outcome(plan, &decision, Status::Failed, reason)),
            },
        }
    }
    work
}

fn job(
    plan: &Plan<'_>,
    decision: &Decision<'_>,
    order: &Order<'_>,
    scene: &Scene<'_>,
) -> Result<(Channel, Outgoing), Reason> {
    let content = scene.render(order).map_err(|unrendered| {
        tracing::error!(
            event.id = plan.event.id,
            rule = order.rule.name,
            error = chain(&unrendered),
            "a template gave no text"
        );
        Reason::Template
    })?;
    let channel = content.channel();
    let job = Job {
        version: JOB_VERSION,
        key: decision.key.clone(),
        event: Origin::of(plan.event),
        rule: order.rule.name.clone(),
        catalog: plan.catalog.version().to_owned(),
        recipient: decision.recipient.clone(),
        priority: order.priority,
        on_unknown: channel.on_unknown(),
        expires_at: order.expires_at,
        cancel: None,
        content,
    };
    let body = serde_json::to_string(&job).expect("a job is strings, numbers and JSON text");
    if body.len() > MAX_MESSAGE_BYTES {
        return Err(Reason::TooLarge);
    }
    Ok((channel, Outgoing { body, tenant: plan.event.tenant.clone() }))
}

fn outcome(plan: &Plan<'_>, decision: &Decision<'_>, status: Status, reason: Reason) -> LedgerRow {
    LedgerRow {
        key: decision.key.clone(),
        status,
        reason: Some(reason),
        origin: Origin::of(plan.event),
        rule: decision.rule.map_or("-", |it| it.name.as_str()).to_owned(),
        catalog: plan.catalog.version().to_owned(),
        recipient: decision.recipient.clone(),
        channel: decision.channel,
        provider_id: None,
    }
}
