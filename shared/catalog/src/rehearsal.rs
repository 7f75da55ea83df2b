//! Plays sample events through a catalog, as dispatch would, and sees who is reached.

use std::collections::{BTreeMap, BTreeSet};

use domain::Timestamp;
use domain::bus::BusEvent;
use domain::catalog::Catalog;
use domain::decide::{Decision, Facts, Order, Verdict, decide};
use domain::event::{Event, Refusal};
use domain::plan::Plan;
use domain::recipient::{Recipient, Recipients};
use templates::{Renderer, Unrendered};

use crate::problem::{Problem, RULES, TEMPLATES};
use crate::sample::BusEntry;

/// The id of the EventBridge event round a sample.
const BUS_ID: &str = "00000000-0000-4000-8000-000000000000";

/// When the EventBridge event round a sample was made: 2026-01-01T00:00:00Z, in seconds since 1970.
const BUS_TIME_S: i64 = 1_767_225_600;

/// What came to light when samples were played through a catalog.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// A sample that is refused, that matches no rule or reaches nobody, or for which a template gives no text.
    pub problems: Vec<Problem>,
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
        match event(text) {
            Ok(event) => reached.extend(stage.play(file, &event, &mut findings.problems)),
            Err(refusal) => {
                let what = format!("it is refused: at {}, found {}", refusal.attribute, refusal.found);
                findings.problems.push(Problem::of_file(file, what, format!("write {}", refusal.wanted)));
            }
        }
    }
    for rule in catalog.rules().iter().filter(|it| !reached.contains(&it.name)) {
        let fix = "add a sample event whose people are known";
        let warning = Problem::of_file(RULES, "no sample reaches anybody through it", fix);
        findings.warnings.push(warning.of_rule(Some(&rule.name)));
    }
    findings.problems.sort();
    findings.problems.dedup();
    findings.warnings.sort();
    findings
}

fn event(text: &str) -> Result<Event, Refusal> {
    let time = Timestamp::from_second(BUS_TIME_S).unwrap_or_default();
    BusEvent::parse(&BusEntry::read(text)?.to_bus_event(BUS_ID, time))?.event()
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

impl Stage<'_> {
    /// Plays one event. Returns the rules through which it reaches somebody.
    fn play(&self, file: &str, event: &Event, problems: &mut Vec<Problem>) -> BTreeSet<String> {
        let plan = Plan::of(event, self.catalog);
        let facts = Facts { recipients: self.people, now: event.time };
        let mut reached = BTreeSet::new();
        let decisions = decide(&plan, &facts);
        for decision in &decisions {
            let Verdict::Send(order) = &decision.verdict else {
                continue;
            };
            reached.insert(order.rule.name.clone());
            let unrendered = self.renderings(order, &plan).into_iter().filter_map(Result::err);
            problems.extend(unrendered.map(|it| silent(&it, order, file)));
        }
        if plan.matches.is_empty() {
            let what = format!("no rule matches `{}` from `{}`", event.kind, event.source);
            problems.push(Problem::of_file(file, what, "add a rule for it, or mend a rule's `when`"));
        } else if reached.is_empty() {
            problems.push(nobody(file, &decisions));
        }
        reached
    }

    /// The order rendered for the person it is meant for, and as it would be if they read each other language.
    fn renderings(&self, order: &Order<'_>, plan: &Plan<'_>) -> Vec<Result<(), Unrendered>> {
        let render = |order: &Order<'_>| self.renderer.scene(plan.envelope()).render(order).map(drop);
        let mut renderings = vec![render(order)];
        if let Some(person) = order.person {
            for locale in self.locales.get(order.rule.template.as_str()).into_iter().flatten() {
                let reader = Recipient { locale: Some((*locale).to_owned()), ..person.clone() };
                renderings.push(render(&Order {
                    rule: order.rule,
                    person: Some(&reader),
                    target: order.target.clone(),
                    priority: order.priority,
                    expires_at: order.expires_at,
                }));
            }
        }
        renderings
    }
}

fn silent(unrendered: &Unrendered, order: &Order<'_>, sample: &str) -> Problem {
    let what = format!("{}, for the sample {sample}", unrendered.problem);
    let fix = "give it a `| default(…)`, ask `is defined` first, or complete the sample";
    Problem::of_file(&format!("{TEMPLATES}/{}", unrendered.template), what, fix)
        .at_line((unrendered.line > 0).then_some(unrendered.line))
        .of_rule(Some(&order.rule.name))
}

fn nobody(file: &str, decisions: &[Decision<'_>]) -> Problem {
    let mut reasons: Vec<String> = Vec::new();
    for decision in decisions {
        let Verdict::Suppress(reason) = decision.verdict else {
            continue;
        };
        let rule = decision.rule.map_or("-", |it| it.name.as_str());
        let told = format!("{rule} to {}: {}", decision.recipient, reason.meaning());
        if !reasons.contains(&told) {
            reasons.push(told);
        }
    }
    let what = format!("it reaches nobody ({})", reasons.join(", "));
    Problem::of_file(file, what, "name people in it who are known, or mend the rule's `to`")
}

#[cfg(test)]
mod tests;
