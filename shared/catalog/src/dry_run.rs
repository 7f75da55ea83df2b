//! Dry runs: plays sample events through a catalog as dispatch would, and reports which rules reach recipients.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use domain::Timestamp;
use domain::base::outcome::Reason;
use domain::catalog::Catalog;
use domain::catalog::rule::Step;
use domain::decide::continuation::Start;
use domain::decide::plan::Plan;
use domain::decide::{Decision, Note, Order, Verdict, Waiting};
use domain::event::bus::BusEvent;
use domain::event::producers::Producers;
use domain::event::{Event, Refusal};
use domain::recipient::{Group, Recipient, Recipients, members};
use domain::webhook::endpoint::EndpointId;
use engine::{Engine, Fixtures, Part, Subject, run_ready, sample_endpoint};
use serde_json::Value;
use templates::{Cause, Extra, Renderer, Unrendered};

use crate::advice::advice;
use crate::problem::{Problem, RULES, TEMPLATES};
use crate::sample::{BusEntry, time_beside};
use crate::settle;
use crate::suggestions::nearest;

/// The id of the EventBridge event around a sample.
const BUS_ID: &str = "00000000-0000-4000-8000-000000000000";

/// The time of the EventBridge event around a sample: 2026-01-01T00:00:00Z, in seconds since 1970.
const BUS_TIME_S: i64 = 1_767_225_600;

/// The most passes that are played for one event. A rule has up to 50 steps, and a sample addresses a few people.
const MAX_SCENES: usize = 2_000;

/// The findings of a dry run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Samples that are refused, or for which a template gives no text.
    pub problems: Vec<Problem>,
    /// Samples that match no rule or reach no recipient. A project that switches off a rule of a pack has such samples.
    pub unreached: Vec<Problem>,
    /// Rules through which no sample reaches a recipient.
    pub warnings: Vec<Problem>,
}

/// Checks that every sample reaches a recipient at the time at which it happened. Each template that a sample needs
/// must give text in the recipient's language and in all others that the template has.
///
/// `samples` are files by name, in a form that [`BusEntry::read`] takes.
#[must_use]
pub fn check_samples(catalog: &Catalog, samples: &[(String, String)], people: &Recipients) -> Findings {
    let members = |group: &Group| present(group, people);
    let endpoint = |id: &EndpointId| Some(sample_endpoint(id));
    let facts = Fixtures { members: Some(&members), endpoint: Some(&endpoint), ..Fixtures::of(people) };
    let renderer = Renderer::new(catalog);
    let engine = Engine::unpaged(catalog, &renderer, &facts);
    let dry_run = DryRun { engine, locales: locales(catalog) };
    let mut findings = Findings::default();
    let mut reached = BTreeSet::new();
    for (file, text) in samples {
        match event(text, &catalog.policy().producers) {
            Ok(event) => reached.extend(dry_run.run_sample(file, &event, &mut findings)),
            Err(refusal) => {
                let what = format!("it is refused: at {}, found {}", refusal.attribute, refusal.found);
                findings.problems.push(Problem::of_file(file, what, format!("write {}", refusal.wanted)));
            }
        }
    }
    for rule in catalog.rules().iter().filter(|rule| !reached.contains(&rule.name)) {
        let fix = "add a sample event whose people are known";
        let warning = Problem::of_file(RULES, "no sample reaches anybody through it", fix);
        findings.warnings.push(warning.of_rule(Some(&rule.name)));
    }
    findings.problems.sort();
    findings.problems.dedup();
    findings.unreached.sort();
    findings.unreached.dedup();
    findings.warnings.sort();
    findings.warnings.dedup();
    findings
}

impl Findings {
    /// Reports the values of a sample that a decision could not use. They are problems if they prevent a send.
    fn add_unusable(&mut self, decision: &Decision<'_>, sample: &str) {
        let is_lost = match &decision.verdict {
            Verdict::Suppress(reason) => matches!(
                reason,
                Reason::UnreadableTime | Reason::NoKey | Reason::UnknownTemplate | Reason::UnreadableContext
            ),
            Verdict::Send(_) | Verdict::Later(_) | Verdict::Merge(_) | Verdict::Cancel(_) => false,
        };
        for note in &decision.notes {
            let Note::Unusable { .. } = note else { continue };
            let fix = "complete the sample, or mend the path in the rule";
            let problem = Problem::of_file(sample, note.to_string(), fix);
            let problem = problem.of_rule(decision.rule.map(|rule| rule.name.as_str()));
            if is_lost { &mut self.problems } else { &mut self.warnings }.push(problem);
        }
    }
}

/// Returns the time of samples without a time of their own.
pub(crate) fn bus_time() -> Timestamp {
    Timestamp::from_second(BUS_TIME_S).unwrap_or_default()
}

/// Parses the event of a sample. The policy must permit its producer to publish it.
pub(crate) fn event(text: &str, producers: &Producers) -> Result<Event, Refusal> {
    event_as(text, None, producers)
}

/// Parses an event under the given source, as [`BusEntry::read_as`] does. An EventBridge event and an
/// entry of `PutEvents` keep the time beside the envelope.
pub(crate) fn event_as(text: &str, source: Option<&str>, producers: &Producers) -> Result<Event, Refusal> {
    let entry = BusEntry::read_as(text, source)?;
    let time = time_beside(text, &entry).unwrap_or_else(bus_time);
    BusEvent::parse(&entry.to_bus_event(BUS_ID, time))?.event(producers)
}

/// Returns the locales of every template.
fn locales(catalog: &Catalog) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut locales: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for path in catalog.templates().keys() {
        if let [template, locale, _] = path.split('/').collect::<Vec<&str>>()[..] {
            locales.entry(template).or_default().insert(locale);
        }
    }
    locales
}

/// A dry run of samples: the engine over given people and empty tables.
struct DryRun<'a> {
    engine: Engine<'a, Fixtures<'a>>,
    locales: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

/// The results of one sample.
#[derive(Default)]
struct SampleResult {
    /// The rules through which the sample reaches a recipient.
    reached: BTreeSet<String>,
    /// The reasons of suppressed notifications, each once.
    reasons: Vec<String>,
    /// The places in rules at which a pass has begun.
    begun: BTreeSet<String>,
    /// The deferred passes, each with its time.
    waiting: VecDeque<(Timestamp, Subject)>,
}

impl DryRun<'_> {
    /// Plays one event and all its deferred passes. Returns the rules through which it reaches a recipient.
    fn run_sample(&self, file: &str, event: &Event, findings: &mut Findings) -> BTreeSet<String> {
        let mut matches = false;
        let mut result = SampleResult::default();
        result.waiting.push_back((event.time, Subject::event(event.clone())));
        for _ in 0..MAX_SCENES {
            let Some((now, subject)) = result.waiting.pop_front() else { break };
            run_ready(async {
                let planned = self.engine.plan(&subject, now).await?;
                if let Part::Event = &subject.part {
                    matches = !planned.plan.matches.is_empty() || !planned.plan.unnamed_cancels.is_empty();
                    let after_digests = behind_digests(&planned.plan).map(|subject| (now, subject));
                    result.waiting.extend(after_digests);
                }
                let profiles = self.engine.profiles([&planned]).await?;
                let evaluation = self.engine.decide(&planned, &profiles, now).await?;
                for decision in &evaluation.decisions {
                    self.record(file, decision, &planned.plan, findings, &mut result);
                }
                Ok(())
            });
        }
        let SampleResult { reached, reasons, .. } = result;
        if !matches && reached.is_empty() {
            let what = format!("no rule matches `{}` from `{}`", event.kind, event.source);
            findings.unreached.push(Problem::of_file(
                file,
                what,
                "add a rule for it, or mend a rule's `when`",
            ));
        } else if reached.is_empty() {
            let what = format!("it reaches nobody ({})", reasons.join(", "));
            let fix = "name people in it who are known, or mend the rule's `to`";
            findings.unreached.push(Problem::of_file(file, what, fix));
        }
        reached
    }

    /// Records the result of one decision.
    fn record(
        &self,
        file: &str,
        decision: &Decision<'_>,
        plan: &Plan<'_>,
        findings: &mut Findings,
        result: &mut SampleResult,
    ) {
        findings.add_unusable(decision, file);
        match &decision.verdict {
            Verdict::Send(order) => {
                result.reached.insert(order.rule.name.clone());
                let unrendered = self.renderings(order, plan).into_iter().filter_map(Result::err);
                let problems = unrendered.map(|error| silent(&error, order, file, plan.envelope()));
                findings.problems.extend(problems);
            }
            // A refusal by the rule or a cancellation is the intended effect of the rule.
            Verdict::Suppress(Reason::RefusedByRule) | Verdict::Cancel(_) => {
                result.reached.extend(decision.rule.map(|rule| rule.name.clone()));
            }
            Verdict::Suppress(reason) => {
                let rule = decision.rule.map_or("-", |rule| rule.name.as_str());
                let message = format!("{rule} to {}: {}", decision.recipient, reason.meaning());
                if !result.reasons.contains(&message) {
                    result.reasons.push(message);
                }
            }
            Verdict::Later(_) | Verdict::Merge(_) => {
                if let Some((now, subject, place)) = self.next(plan, decision)
                    && result.begun.insert(place)
                {
                    result.waiting.push_back((now, subject));
                }
            }
        }
    }

    /// Returns the pass that a decision defers, its time, and the place in the rule at which it begins.
    fn next(&self, plan: &Plan<'_>, decision: &Decision<'_>) -> Option<(Timestamp, Subject, String)> {
        let rule = decision.rule?;
        let event = plan.event;
        let (audience, start, now, digest) = match &decision.verdict {
            Verdict::Later(later) if later.why != Waiting::Recurrence => {
                (later.audience.clone(), later.start.clone(), later.until, plan.digest.clone())
            }
            Verdict::Merge(merge) => {
                let digest = settle::digest_of(event, &rule.digest_policy(merge.step));
                let start = Start::after_digest(merge.step, merge.only);
                (merge.audience.clone(), start, merge.closes_at, Some(digest))
            }
            Verdict::Later(_) | Verdict::Send(_) | Verdict::Suppress(_) | Verdict::Cancel(_) => return None,
        };
        let place = (start.step, start.only, start.instead_of);
        let place = format!("{} {} {place:?}", rule.name, audience.name(self.engine.catalog.hashes()));
        let subject = Subject::rule(event.clone(), rule.name.clone(), vec![audience], start, digest);
        Some((now, subject, place))
    }

    /// Renders the order for its recipient, and once for each other language.
    fn renderings(&self, order: &Order<'_>, plan: &Plan<'_>) -> Vec<Result<(), Unrendered>> {
        let renderer = self.engine.renderer;
        let mut renderings = vec![render(renderer, plan, order)];
        if let Some(person) = order.person {
            let template = order.rule.template_for(plan.envelope()).unwrap_or_default();
            for locale in self.locales.get(template).into_iter().flatten() {
                let reader = Recipient { locale: Some((*locale).to_owned()), ..person.clone() };
                let order = Order {
                    rule: order.rule,
                    person: Some(&reader),
                    target: order.target.clone(),
                    priority: order.priority,
                    expires_at: order.expires_at,
                    cancel: order.cancel.clone(),
                    way_out: order.way_out.clone(),
                    instead_of: order.instead_of,
                    failover: None,
                };
                renderings.push(render(renderer, plan, &order));
            }
        }
        renderings
    }
}

/// Returns the event once more from the step after each digest of its rules, because some events skip the digest.
fn behind_digests(plan: &Plan<'_>) -> impl Iterator<Item = Subject> {
    plan.matches.iter().flat_map(|matched| {
        let steps = matched.rule.steps.iter().enumerate();
        steps.filter_map(|(index, step)| {
            let Step::Digest(digest) = step else { return None };
            let start = Start { step: number(index + 1), ..Start::default() };
            let digest = Some(settle::digest_of(plan.event, &digest.policy));
            let (rule, audience) = (matched.rule.name.clone(), matched.audience.clone());
            Some(Subject::rule(plan.event.clone(), rule, audience, start, digest))
        })
    })
}

/// Renders one order as dispatch would.
fn render(renderer: &Renderer, plan: &Plan<'_>, order: &Order<'_>) -> Result<(), Unrendered> {
    let policy = Some(&plan.catalog.policy().email);
    let (digest, payload) = (plan.digest.as_ref().map(|digest| &digest.summary), plan.event.data.as_ref());
    let extra = Extra { digest, payload, policy, ..Extra::default() };
    renderer.context_with(plan.envelope(), extra).render(order).map(drop)
}

/// Returns the members of a group. For endpoints, one sample id stands for all.
fn present(group: &Group, people: &Recipients) -> Vec<String> {
    match group {
        Group::Role { .. } | Group::Topic { .. } => members(group, people),
        Group::Endpoints { .. } => vec!["endpoint".to_owned()],
    }
}

fn number(step: usize) -> u32 {
    u32::try_from(step).unwrap_or(u32::MAX)
}

fn silent(unrendered: &Unrendered, order: &Order<'_>, sample: &str, envelope: &Value) -> Problem {
    let what = format!("{}, for the sample {sample}", unrendered.problem);
    let is_missing = matches!(unrendered.cause, Cause::Missing(_));
    let meant = is_missing.then(|| meant(&unrendered.problem, envelope)).flatten();
    let fix = if let Some(path) = meant {
        format!("did you mean `{path}`?")
    } else if unrendered.cause == Cause::Argument {
        "write another value into the sample, or ask for its kind first".to_owned()
    } else {
        advice(&unrendered.cause)
    };
    Problem::of_file(&format!("{TEMPLATES}/{}", unrendered.template), what, fix)
        .at_line((unrendered.line > 0).then_some(unrendered.line))
        .of_rule(Some(&order.rule.name))
}

/// Returns the path of the event data member that a template probably meant. This is the first quoted member whose
/// spelling is near to one in the data.
fn meant(problem: &str, envelope: &Value) -> Option<String> {
    let is_of_path = |sign: char| sign.is_ascii_alphanumeric() || sign == '_' || sign == '.';
    problem.match_indices("data.").find_map(|(place, _)| {
        let path = problem[place..].split(|sign| !is_of_path(sign)).next().unwrap_or_default();
        let mut value = envelope.get("data")?;
        let mut known = vec!["data"];
        for member in path.trim_end_matches('.').split('.').skip(1) {
            let members = value.as_object()?;
            match members.get(member) {
                Some(found) => {
                    known.push(member);
                    value = found;
                }
                None => {
                    known.push(nearest(member, members.keys().map(String::as_str))?);
                    return Some(known.join("."));
                }
            }
        }
        None
    })
}

#[cfg(test)]
mod tests;
