//! Decision tests: what a pack's author expects of an event, held against what is decided.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use domain::catalog::Catalog;
use domain::decide::{Ask, decide_with};
use domain::plan::{Match, Plan};
use domain::recipient::{Group, Recipients, members};
use domain::rule::Step;
use domain::wake::Start;
use templates::{Renderer, proofread};

use crate::nearest::suggestion;
use crate::problem::{At, Page, Problem, RULES};
use crate::yaml::{Kind, list_of};
use crate::{folder, settle};

mod expected;
mod given;
mod script;

pub use folder::read_tests;

use script::Script;

/// What a test came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// As [`Problem::file`] has it.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// What the author calls it.
    pub test: String,
    /// Whether exactly that was decided which it expects. If not, a problem says what was.
    pub holds: bool,
}

/// What came to light when decision tests were run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trials {
    /// Every test that could be read, in the order of the files.
    pub verdicts: Vec<Verdict>,
    /// What cannot be read or run, and what was decided other than expected.
    pub problems: Vec<Problem>,
    /// Rules that no test names.
    pub warnings: Vec<Problem>,
}

/// Where tests are played.
#[derive(Clone, Copy)]
struct Stage<'a> {
    catalog: &'a Catalog,
    people: &'a Recipients,
    events: &'a BTreeMap<String, String>,
}

/// Runs decision tests, each on its own: nothing that one of them does is seen by another.
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
                run(script, catalog, &mut page);
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

/// Decides as the test says, and holds what is decided against what is expected.
fn run(script: &Script, catalog: &Catalog, page: &mut Page<'_>) {
    let Some(plan) = plan(script, catalog, page) else { return };
    let asked = RefCell::new(BTreeSet::new());
    let answer = |ask: &Ask| script.given.answer(ask, script.now, &mut asked.borrow_mut());
    let tenant = script.tenant.as_ref();
    let decided = decide_with(&plan, &script.people, tenant, script.now, answer);
    let zone = tenant.and_then(|tenant| tenant.zone.as_deref());
    let renderer = Renderer::new(catalog);
    let (decided, _) = proofread(&renderer, &plan, decided, zone, script.now, &answer);
    script.given.check_asked(&asked.borrow(), page);
    expected::check(&script.test, script.expect_at, &script.expect, &decided, catalog.hashes(), page);
}

/// What dispatch would decide about: the event, or one rule from one of its steps on.
fn plan<'a>(script: &'a Script, catalog: &'a Catalog, page: &mut Page<'_>) -> Option<Plan<'a>> {
    let mut plan = Plan::of(&script.event, catalog);
    let mut unused: BTreeMap<&str, At> =
        script.members.iter().map(|(it, (at, _))| (it.as_str(), *at)).collect();
    let mut groups = BTreeSet::new();
    for matched in &mut plan.matches {
        for group in matched.groups.clone() {
            let name = name_of(&group);
            unused.remove(name.as_str());
            match script.members.get(&name) {
                Some((_, ids)) => matched.add(&group, ids.iter().cloned()),
                None => matched.add(&group, members(&group, &script.people)),
            }
            groups.insert(name);
        }
    }
    settle::welcome(&mut plan);
    for (name, at) in unused {
        let known: Vec<&str> = groups.iter().map(String::as_str).collect();
        let fix = if known.is_empty() { "take it out".to_owned() } else { suggestion(name, &known) };
        page.refuse(at, format!("no rule that matches addresses `{name}`"), fix);
    }
    let Some((rule, step, at)) = &script.step else { return Some(plan) };
    let endpoints = std::mem::take(&mut plan.endpoints);
    let Some(matched) = plan.matches.into_iter().find(|it| it.rule.name == *rule) else {
        let fix = "name a rule that does, or mend the event";
        page.refuse(*at, format!("the rule `{rule}` does not match this event"), fix);
        return None;
    };
    let before = step.checked_sub(1).and_then(|difference| matched.rule.steps.get(difference));
    let digest = match before {
        Some(Step::Digest(digest)) => Some(settle::digest_of(&script.event, &digest.policy)),
        Some(Step::Send(_) | Step::Wait(_) | Step::Throttle(_)) | None => None,
    };
    let start = Start { step: u32::try_from(*step).unwrap_or(u32::MAX), ..Start::default() };
    let mut plan = Plan::woken(&script.event, catalog, Some(Match { start, ..matched }), digest);
    plan.endpoints = endpoints;
    Some(plan)
}

/// As tests write it: `role:<role>:<scope>`, the topic's own name, or `endpoints`.
fn name_of(group: &Group) -> String {
    match group {
        Group::Role { scope, role } => format!("role:{role}:{scope}"),
        Group::Topic { name, .. } => name.clone(),
        Group::Endpoints { .. } => "endpoints".to_owned(),
    }
}

#[cfg(test)]
mod tests;
