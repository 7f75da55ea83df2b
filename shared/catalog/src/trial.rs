//! Decision tests: compares the outcomes that a pack's author expects of an event with the engine's decisions.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use domain::catalog::Catalog;
use domain::catalog::rule::Step;
use domain::decide::Ask;
use domain::decide::continuation::Start;
use domain::decide::plan::Plan;
use domain::recipient::{Group, Recipients, members};
use domain::webhook::endpoint::EndpointId;
use engine::{Engine, Evaluation, Fixtures, Subject, run_ready, sample_endpoint};
use templates::Renderer;

use crate::problem::{Page, Problem, RULES};
use crate::suggestions::suggestion;
use crate::yaml::{Kind, list_of};
use crate::{folder, settle};

mod expected;
mod given;
mod script;

pub use folder::read_tests;

use script::Script;

/// The result of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The file name, as in [`Problem::file`].
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The name that the author gave the test.
    pub test: String,
    /// Whether the decisions are exactly the expected ones. If not, a problem lists the decisions.
    pub holds: bool,
}

/// The results of a run of decision tests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trials {
    /// The results of all tests that could be read, in the order of the files.
    pub verdicts: Vec<Verdict>,
    /// Tests that cannot be read or run, and decisions that differ from the expected ones.
    pub problems: Vec<Problem>,
    /// Rules that no test names.
    pub warnings: Vec<Problem>,
}

/// The catalog, people and sample events that tests run with.
#[derive(Clone, Copy)]
struct Stage<'a> {
    catalog: &'a Catalog,
    people: &'a Recipients,
    events: &'a BTreeMap<String, String>,
}

/// Runs decision tests. Each test runs in isolation and does not see the effects of another.
///
/// `files` are texts of tests by name, as [`read_tests`] has them; `events` are sample events by the name that tests
/// give them, such as `care/emergency.alert.created.json`.
#[must_use]
pub fn run_tests(
    files: &BTreeMap<String, String>,
    catalog: &Catalog,
    people: &Recipients,
    events: &BTreeMap<String, String>,
) -> Trials {
    let stage = Stage { catalog, people, events };
    let renderer = Renderer::new(catalog);
    let mut trials = Trials::default();
    let mut named = BTreeSet::new();
    for (file, text) in files {
        let mut page = Page { file, rule: None, problems: &mut trials.problems };
        for node in list_of("test", text, &mut page) {
            let Kind::Map(members) = &node.kind else {
                let what = format!("a test is a map, and this is {}", node.what_there_is());
                page.refuse(node.at, what, "write `- test: <what it shows>`");
                continue;
            };
            let before = page.problems.len();
            let script = script::read(members, node.at, stage, &mut named, &mut page);
            if let Some(script) = &script {
                run(script, catalog, &renderer, &mut page);
            }
            let test = script::name(members).unwrap_or_default();
            let holds = page.problems.len() == before;
            trials.verdicts.push(Verdict { file: file.clone(), line: node.at.line, test, holds });
        }
    }
    for rule in catalog.rules().iter().filter(|rule| !named.contains(&rule.name)) {
        let fix = "add one to `tests/<pack>.yaml` that begins with `- test: <what it shows>`";
        trials
            .warnings
            .push(Problem::of_file(RULES, "no decision test names it", fix).of_rule(Some(&rule.name)));
    }
    trials.problems.sort();
    trials
}

/// Decides as the test says, and compares the decisions with the expected ones.
fn run(script: &Script, catalog: &Catalog, renderer: &Renderer, page: &mut Page<'_>) {
    let asked = RefCell::new(BTreeSet::new());
    let answer = |ask: &Ask| script.given.answer(ask, script.now, &mut asked.borrow_mut());
    let addressed = RefCell::new(BTreeSet::new());
    let members = |group: &Group| {
        let name = name_of(group);
        let ids = match script.members.get(&name) {
            Some((_, ids)) => ids.clone(),
            None => members(group, &script.people),
        };
        addressed.borrow_mut().insert(name);
        ids
    };
    let endpoint = |id: &EndpointId| Some(sample_endpoint(id));
    let facts = Fixtures {
        recipients: &script.people,
        tenant: script.tenant.as_ref(),
        members: Some(&members),
        endpoint: Some(&endpoint),
        answer: Some(&answer),
    };
    let engine = Engine::unpaged(catalog, renderer, &facts);
    let whole = Subject::event(script.event.clone());
    let planned = run_ready(engine.plan(&whole, script.now));
    refuse_unused_members(script, &addressed.borrow(), page);
    let compare = |evaluation: Evaluation<'_>, page: &mut Page<'_>| {
        script.given.check_asked(&asked.borrow(), page);
        let (decisions, hashes) = (&evaluation.decisions, catalog.hashes());
        expected::check(&script.test, script.expect_at, &script.expect, decisions, hashes, page);
    };
    let Some((rule, step, place)) = &script.step else {
        let visit = |evaluation: Evaluation<'_>| compare(evaluation, page);
        return run_ready(engine.run_planned(&planned, script.now, visit));
    };
    match subject_from_step(script, &planned.plan, rule, *step) {
        Some(subject) => {
            run_ready(engine.run(&subject, script.now, |evaluation| compare(evaluation, page)));
        }
        None => {
            let fix = "name a rule that does, or mend the event";
            page.refuse(*place, format!("the rule `{rule}` does not match this event"), fix);
        }
    }
}

/// Refuses members of groups that no rule addresses.
fn refuse_unused_members(script: &Script, addressed: &BTreeSet<String>, page: &mut Page<'_>) {
    for (name, (at, _)) in script.members.iter().filter(|(name, _)| !addressed.contains(*name)) {
        let known: Vec<&str> = addressed.iter().map(String::as_str).collect();
        let fix = if known.is_empty() { "take it out".to_owned() } else { suggestion(name, &known) };
        page.refuse(*at, format!("no rule that matches addresses `{name}`"), fix);
    }
}

/// Returns one rule of the event from one of its steps on. `None` if the rule does not match the event.
fn subject_from_step(script: &Script, plan: &Plan<'_>, rule: &str, step: usize) -> Option<Subject> {
    let matched = plan.matches.iter().find(|matched| matched.rule.name == rule)?;
    let before = step.checked_sub(1).and_then(|before| matched.rule.steps.get(before));
    let digest = match before {
        Some(Step::Digest(digest)) => Some(settle::digest_of(&script.event, &digest.policy)),
        Some(Step::Send(_) | Step::Wait(_) | Step::Throttle(_)) | None => None,
    };
    let start = Start { step: u32::try_from(step).unwrap_or(u32::MAX), ..Start::default() };
    Some(Subject::rule(script.event.clone(), rule.to_owned(), matched.audience.clone(), start, digest))
}

/// Returns the group name that tests use: `role:<role>:<scope>`, the topic's own name, or `endpoints`.
fn name_of(group: &Group) -> String {
    match group {
        Group::Role { scope, role } => format!("role:{role}:{scope}"),
        Group::Topic { name, .. } => name.clone(),
        Group::Endpoints { .. } => "endpoints".to_owned(),
    }
}

#[cfg(test)]
mod tests;
