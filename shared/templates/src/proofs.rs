//! Checks that depend on rendered text: for dispatch, which asks tables, and for dry runs.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::base::channel::Channel;
use domain::decide::plan::Plan;
use domain::decide::{Answer, Decision, Verdict};
use domain::delivery::job::Content;
use domain::delivery::render_checks::RenderCheck;
use domain::event::key::Key;
use domain::time::zone::Zone;

use crate::extra::Extra;
use crate::renderer::Renderer;
use crate::survivors::{LeftOut, Rendered};
use crate::template_context::{SAMPLE_WAY_OUT, TemplateContext};

/// Messages that are already rendered, by their keys.
#[derive(Default)]
pub struct Written {
    contents: BTreeMap<Key, Content>,
    left_out: BTreeMap<Key, Vec<LeftOut>>,
}

impl Written {
    /// Removes the message of a key, with the events of its digest that were left out.
    pub fn remove(&mut self, key: &Key) -> Option<Rendered> {
        let content = self.contents.remove(key)?;
        Some(Rendered { content, left_out: self.left_out.remove(key).unwrap_or_default() })
    }
}

/// The template context of an event that is rendered at `now`. `tenant_zone` is the zone of rooms, and of
/// recipients without a zone of their own.
#[must_use]
pub fn context_of<'a>(
    renderer: &'a Renderer,
    plan: &'a Plan<'_>,
    tenant_zone: Option<&'a str>,
    now: Timestamp,
) -> TemplateContext<'a> {
    let zone = tenant_zone.unwrap_or_else(|| plan.catalog.policy().zone.name());
    let digest = plan.digest.as_ref().map(|digest| &digest.summary);
    let policy = Some(&plan.catalog.policy().email);
    let (collected, payload) = (plan.digest.as_ref(), plan.event.data.as_ref());
    let extra = Extra { digest, collected, payload, zone: Some(zone), policy, now: Some(now) };
    renderer.context_with(plan.envelope(), extra)
}

/// Renders the messages that need a check, and returns the checks. A message that fails to render is skipped: it
/// fails again when the rest is rendered, and is reported there.
#[must_use]
pub fn proofs(
    context: &TemplateContext<'_>,
    plan: &Plan<'_>,
    decisions: &[Decision<'_>],
    tenant_zone: Option<&str>,
) -> (Vec<RenderCheck>, Written) {
    let zone = tenant_zone.and_then(|tenant_zone| Zone::parse(tenant_zone).ok());
    let zone = zone.unwrap_or_else(|| plan.catalog.policy().zone.clone());
    let (mut proofs, mut written) = (Vec::new(), Written::default());
    for decision in decisions {
        let Verdict::Send(order) = &decision.verdict else { continue };
        if !needs_check(decision.channel) {
            continue;
        }
        let sample = order.way_out.as_ref().map(|_| SAMPLE_WAY_OUT);
        let Ok(Rendered { content, left_out }) = context.tell(order, sample) else { continue };
        if !left_out.is_empty() {
            written.left_out.insert(decision.key.clone(), left_out);
        }
        match RenderCheck::of(plan, decision, order, content, &zone) {
            Ok(proof) => proofs.push(proof),
            Err(content) => drop(written.contents.insert(decision.key.clone(), *content)),
        }
    }
    (proofs, written)
}

/// Applies the answer to a check: the message is accepted, or its decision changes.
pub fn settle(
    proof: RenderCheck,
    answer: &Answer,
    now: Timestamp,
    decisions: &mut [Decision<'_>],
    written: &mut Written,
) {
    let key = proof.key.clone();
    let Some(decision) = decisions.iter_mut().find(|decision| decision.key == key) else { return };
    match proof.pass(answer, now) {
        Ok((content, note)) => {
            decision.notes.extend(note);
            written.contents.insert(key, *content);
        }
        Err(stopped) => {
            decision.notes.push(stopped.note);
            decision.verdict = Verdict::Suppress(stopped.reason);
        }
    }
}

/// Whether messages on this channel may need a check.
fn needs_check(channel: Option<Channel>) -> bool {
    channel.is_some_and(|channel| channel.spec().has_render_check)
}
