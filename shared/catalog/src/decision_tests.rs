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

use crate::problem::{Diagnostics, Problem, RULES};
use crate::suggestions::suggestion;
use crate::yaml::{Kind, list_of};
use crate::{folder, settle};

mod answers;
mod expected;
mod test_case;

pub use folder::read_tests;

use test_case::TestCase;

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
pub struct TestReport {
    /// The results of all tests that could be read, in the order of the files.
    pub verdicts: Vec<Verdict>,
    /// Tests that cannot be read or run, and decisions that differ from the expected ones.
    pub problems: Vec<Problem>,
    /// Rules that no test names.
    pub warnings: Vec<Problem>,
}

/// The catalog, people and sample events that tests run with.
#[derive(Clone, Copy)]
struct Environment<'a> {
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
) -> TestReport {
    let environment = Environment { catalog, people, events };
    let renderer = Renderer::new(catalog);
    let mut results = TestReport::default();
    let mut named = BTreeSet::new();
    for (file, text) in files {
        let mut report = Diagnostics { file, rule: None, problems: &mut results.problems };
        for node in list_of("test", text, &mut report) {
            let Kind::Map(members) = &node.kind else {
                let what = format!("a test is a map, and this is {}", node.what_there_is());
                report.refuse(node.at, what, "write `- test: <what it shows>`");
                continue;
            };
            let before = report.problems.len();
            let test_case = test_case::read(members, node.at, environment, &mut named, &mut report);
            if let Some(test_case) = &test_case {
                run(test_case, catalog, &renderer, &mut report);
            }
            let test = test_case::name(members).unwrap_or_default();
            let holds = report.problems.len() == before;
            results.verdicts.push(Verdict { file: file.clone(), line: node.at.line, test, holds });
        }
    }
    for rule in catalog.rules().iter().filter(|rule| !named.contains(&rule.name)) {
        let fix = "add one to `tests/<pack>.yaml` that begins with `- test: <what it shows>`";
        results
            .warnings
            .push(Problem::of_file(RULES, "no decision test names it", fix).of_rule(Some(&rule.name)));
    }
    results.problems.sort();
    results
}

/// Decides as the test says, and compares the decisions with the expected ones.
fn run(test_case: &TestCase, catalog: &Catalog, renderer: &Renderer, report: &mut Diagnostics<'_>) {
    let asked = RefCell::new(BTreeSet::new());
    let answer = |ask: &Ask| test_case.answers.answer(ask, test_case.now, &mut asked.borrow_mut());
    let addressed = RefCell::new(BTreeSet::new());
    let members = |group: &Group| {
        let name = name_of(group);
        let ids = match test_case.members.get(&name) {
            Some((_, ids)) => ids.clone(),
            None => members(group, &test_case.people),
        };
        addressed.borrow_mut().insert(name);
        ids
    };
    let endpoint = |id: &EndpointId| Some(sample_endpoint(id));
    let facts = Fixtures {
        recipients: &test_case.people,
        tenant: test_case.tenant.as_ref(),
        members: Some(&members),
        endpoint: Some(&endpoint),
        answer: Some(&answer),
    };
    let engine = Engine::unpaged(catalog, renderer, &facts);
    let whole = Subject::event(test_case.event.clone());
    let planned = run_ready(engine.plan(&whole, test_case.now));
    refuse_unused_members(test_case, &addressed.borrow(), report);
    let compare = |evaluation: Evaluation<'_>, report: &mut Diagnostics<'_>| {
        test_case.answers.check_asked(&asked.borrow(), report);
        let (decisions, hashes) = (&evaluation.decisions, catalog.hashes());
        expected::check(&test_case.test, test_case.expect_at, &test_case.expect, decisions, hashes, report);
    };
    let Some((rule, step, place)) = &test_case.step else {
        let visit = |evaluation: Evaluation<'_>| compare(evaluation, report);
        return run_ready(engine.run_planned(&planned, test_case.now, visit));
    };
    match subject_from_step(test_case, &planned.plan, rule, *step) {
        Some(subject) => {
            run_ready(engine.run(&subject, test_case.now, |evaluation| compare(evaluation, report)));
        }
        None => {
            let fix = "name a rule that does, or mend the event";
            report.refuse(*place, format!("the rule `{rule}` does not match this event"), fix);
        }
    }
}

/// Refuses members of groups that no rule addresses.
fn refuse_unused_members(test_case: &TestCase, addressed: &BTreeSet<String>, report: &mut Diagnostics<'_>) {
    for (name, (at, _)) in test_case.members.iter().filter(|(name, _)| !addressed.contains(*name)) {
        let known: Vec<&str> = addressed.iter().map(String::as_str).collect();
        let fix = if known.is_empty() { "take it out".to_owned() } else { suggestion(name, &known) };
        report.refuse(*at, format!("no rule that matches addresses `{name}`"), fix);
    }
}

/// Returns one rule of the event from one of its steps on. `None` if the rule does not match the event.
fn subject_from_step(test_case: &TestCase, plan: &Plan<'_>, rule: &str, step: usize) -> Option<Subject> {
    let matched = plan.matches.iter().find(|matched| matched.rule.name == rule)?;
    let before = step.checked_sub(1).and_then(|before| matched.rule.steps.get(before));
    let digest = match before {
        Some(Step::Digest(digest)) => Some(settle::digest_of(&test_case.event, &digest.policy)),
        Some(Step::Send(_) | Step::Wait(_) | Step::Throttle(_)) | None => None,
    };
    let start = Start { step: u32::try_from(step).unwrap_or(u32::MAX), ..Start::default() };
    Some(Subject::rule(test_case.event.clone(), rule.to_owned(), matched.audience.clone(), start, digest))
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
