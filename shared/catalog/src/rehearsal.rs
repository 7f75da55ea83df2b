//! Plays sample events through a catalog, as dispatch would, and sees who is reached.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use domain::Timestamp;
use domain::bus::BusEvent;
use domain::catalog::Catalog;
use domain::decide::{Ask, Decision, Note, Order, Verdict, Waiting, decide_with};
use domain::digest::Collected;
use domain::event::{Event, Refusal};
use domain::outcome::Reason;
use domain::plan::{Match, Plan};
use domain::producers::Producers;
use domain::recipient::{Group, Recipient, Recipients, members};
use domain::rule::Step;
use domain::wake::{Start, Task};
use serde_json::Value;
use templates::{Cause, Extra, Renderer, Unrendered};

use crate::advice::advice;
use crate::nearest::nearest;
use crate::problem::{Problem, RULES, TEMPLATES};
use crate::sample::{BusEntry, named_by_the_bus};
use crate::settle::{self, welcome};

/// The id of the EventBridge event round a sample.
const BUS_ID: &str = "00000000-0000-4000-8000-000000000000";

/// When the EventBridge event round a sample was made: 2026-01-01T00:00:00Z, in seconds since 1970.
const BUS_TIME_S: i64 = 1_767_225_600;

/// The most that is played of one event: a rule has 50 steps, and an event addresses a few people.
const MAX_SCENES: usize = 2_000;

/// What came to light when samples were played through a catalog.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// A sample that is refused, or for which a template gives no text.
    pub problems: Vec<Problem>,
    /// A sample that matches no rule or reaches nobody. A project that switches a rule of a pack off has such samples.
    pub unreached: Vec<Problem>,
    /// Rules through which no sample reaches anybody.
    pub warnings: Vec<Problem>,
}

/// Checks that every sample reaches somebody, at the time at which it happened, and that every template it needs gives
/// text, in the recipient's language and in all others that the template has.
///
/// `samples` are files by name, in a form that [`BusEntry::read`] takes.
#[must_use]
pub fn check_samples(catalog: &Catalog, samples: &[(String, String)], people: &Recipients) -> Findings {
    let stage = Stage { catalog, people, renderer: Renderer::new(catalog), locales: locales(catalog) };
    let mut findings = Findings::default();
    let mut reached = BTreeSet::new();
    for (file, text) in samples {
        match event(text, &catalog.policy().producers) {
            Ok(event) => reached.extend(stage.play(file, &event, &mut findings)),
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
    /// Reports the values of a sample that a decision could not use. They are problems where nothing is sent because of
    /// them.
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

/// When that was which says nothing about it itself.
pub(crate) fn bus_time() -> Timestamp {
    Timestamp::from_second(BUS_TIME_S).unwrap_or_default()
}

/// The event of a sample, if the policy lets its producer publish it.
pub(crate) fn event(text: &str, producers: &Producers) -> Result<Event, Refusal> {
    event_as(text, None, producers)
}

/// The same for an event that gets this source, as [`BusEntry::read_as`] gives it. An EventBridge event in a file keeps
/// the time that the bus gave to it.
pub(crate) fn event_as(text: &str, source: Option<&str>, producers: &Producers) -> Result<Event, Refusal> {
    let time = named_by_the_bus(text).1.unwrap_or_else(bus_time);
    BusEvent::parse(&BusEntry::read_as(text, source)?.to_bus_event(BUS_ID, time))?.event(producers)
}

/// The locales of every template.
fn locales(catalog: &Catalog) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut locales: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for path in catalog.templates().keys() {
        if let [template, locale, _] = path.split('/').collect::<Vec<&str>>()[..] {
            locales.entry(template).or_default().insert(locale);
        }
    }
    locales
}

struct Stage<'a> {
    catalog: &'a Catalog,
    people: &'a Recipients,
    renderer: Renderer,
    locales: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

/// What is still to be played of an event: from the event itself, or from what was left for later.
struct Scene<'a> {
    plan: Plan<'a>,
    now: Timestamp,
}

impl<'a> Stage<'a> {
    /// Plays one event and all that it leaves for later. Returns the rules through which it reaches somebody.
    fn play(&self, file: &str, event: &Event, findings: &mut Findings) -> BTreeSet<String> {
        let mut reached = BTreeSet::new();
        let mut reasons = Vec::new();
        let mut seen = BTreeSet::new();
        let mut waiting = VecDeque::from(self.scenes(event));
        let matches = waiting
            .front()
            .is_some_and(|front| !front.plan.matches.is_empty() || !front.plan.unnamed_cancels.is_empty());
        for _ in 0..MAX_SCENES {
            let Some(Scene { plan, now }) = waiting.pop_front() else { break };
            for decision in &decide_with(&plan, self.people, None, now, Ask::if_nothing_happened) {
                findings.add_unusable(decision, file);
                match &decision.verdict {
                    Verdict::Send(order) => {
                        reached.insert(order.rule.name.clone());
                        let unrendered = self.renderings(order, &plan).into_iter().filter_map(Result::err);
                        findings.problems.extend(
                            unrendered.map(|unrendered| silent(&unrendered, order, file, plan.envelope())),
                        );
                    }
                    // The rule did with the sample what it is for.
                    Verdict::Suppress(Reason::RefusedByRule) => {
                        reached.extend(decision.rule.map(|rule| rule.name.clone()));
                    }
                    Verdict::Suppress(reason) => {
                        let rule = decision.rule.map_or("-", |it| it.name.as_str());
                        let told = format!("{rule} to {}: {}", decision.recipient, reason.meaning());
                        if !reasons.contains(&told) {
                            reasons.push(told);
                        }
                    }
                    Verdict::Later(_) | Verdict::Merge(_) => {
                        waiting.extend(self.next(event, decision, plan.digest.as_ref(), &mut seen));
                    }
                    Verdict::Cancel(_) => reached.extend(decision.rule.map(|rule| rule.name.clone())),
                }
            }
        }
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

    /// The event itself; and once more from behind each digest, because some go straight through it.
    fn scenes<'e>(&self, event: &'e Event) -> Vec<Scene<'e>>
    where
        'a: 'e,
    {
        let mut plan = Plan::of(event, self.catalog);
        for matched in &mut plan.matches {
            for group in matched.groups.clone() {
                matched.add(&group, present(&group, self.people));
            }
        }
        welcome(&mut plan);
        let mut later = Vec::new();
        for matched in &plan.matches {
            for (at, step) in matched.rule.steps.iter().enumerate() {
                let Step::Digest(digest) = step else { continue };
                let start = Start { step: number(at + 1), ..Start::default() };
                let audience = matched.audience.clone();
                let next = Match { rule: matched.rule, audience, groups: Vec::new(), start };
                let told = settle::digest_of(event, &digest.policy);
                let mut plan = Plan::woken(event, self.catalog, Some(next), Some(told));
                welcome(&mut plan);
                later.push(Scene { plan, now: event.time });
            }
        }
        [Scene { plan, now: event.time }].into_iter().chain(later).collect()
    }

    /// What a decision leaves for later, once for each place in a rule where it goes on.
    fn next<'e>(
        &self,
        event: &'e Event,
        decision: &Decision<'_>,
        told: Option<&Collected>,
        seen: &mut BTreeSet<String>,
    ) -> Option<Scene<'e>>
    where
        'a: 'e,
    {
        let rule = self.catalog.rule(&decision.rule?.name)?;
        let (audience, start, now, digest) = match &decision.verdict {
            Verdict::Later(it) if it.why != Waiting::Recurrence => {
                (it.audience.clone(), it.start.clone(), it.until, told.cloned())
            }
            Verdict::Merge(merge) => {
                let policy = rule.digest_policy(merge.step);
                let start = Start::after_digest(merge.step, merge.only);
                (merge.audience.clone(), start, merge.closes_at, Some(settle::digest_of(event, &policy)))
            }
            Verdict::Send(order) => match order.failover.clone()?.1 {
                Task::Run { audience, start } | Task::Close { audience, resume: Some(start), .. } => {
                    (audience, start, event.time, told.cloned())
                }
                Task::Close { resume: None, .. } | Task::FanOut { .. } => return None,
            },
            Verdict::Later(_) | Verdict::Suppress(_) | Verdict::Cancel(_) => return None,
        };
        let place = (start.step, start.only, start.instead_of);
        let name = format!("{} {} {place:?}", rule.name, audience.name(self.catalog.hashes()));
        if !seen.insert(name) {
            return None;
        }
        let matched = Match { rule, audience: vec![audience], groups: Vec::new(), start };
        let mut plan = Plan::woken(event, self.catalog, Some(matched), digest);
        welcome(&mut plan);
        Some(Scene { plan, now })
    }

    /// The order rendered for the person it is meant for, and as it would be if they read each other language.
    fn renderings(&self, order: &Order<'_>, plan: &Plan<'_>) -> Vec<Result<(), Unrendered>> {
        let mut renderings = vec![render(&self.renderer, plan, order)];
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
                renderings.push(render(&self.renderer, plan, &order));
            }
        }
        renderings
    }
}

/// Renders one order, as dispatch would.
fn render(renderer: &Renderer, plan: &Plan<'_>, order: &Order<'_>) -> Result<(), Unrendered> {
    let policy = Some(&plan.catalog.policy().email);
    let (digest, payload) = (plan.digest.as_ref().map(|digest| &digest.summary), plan.event.data.as_ref());
    let extra = Extra { digest, payload, policy, ..Extra::default() };
    renderer.scene_with(plan.envelope(), extra).render(order).map(drop)
}

/// Who is in a group; where endpoints are meant, one that stands for all.
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

/// The member of the event's data that a template probably meant, as a path: the first one of those it quotes whose
/// spelling is near to one that the data has.
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
