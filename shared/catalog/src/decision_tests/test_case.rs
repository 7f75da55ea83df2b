//! One test case: an event, the people, the fixtures, and the expected decisions.

use std::collections::{BTreeMap, BTreeSet};

use domain::Timestamp;
use domain::event::bus::{Shape, shape_of};
use domain::event::{Event, Refusal};
use domain::recipient::preference::check_channels;
use domain::recipient::{Recipient, Recipients, Settings};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Environment;
use super::answers::{self, TestAnswers};
use super::expected::{self, Expected};
use crate::dry_run::{bus_time, event_as as sample};
use crate::problem::{At, Diagnostics};
use crate::suggestions::{nearest, suggestion};
use crate::values::{Fields, check_keys, find, list, map, number, text};
use crate::yaml::{Entry, Kind, Node};

const KEYS: [&str; 12] = [
    "test", "event", "source", "with", "at", "people", "tenant", "answers", "members", "rule", "step",
    "expect",
];

const REQUIRED: [&str; 3] = ["test", "event", "expect"];

/// A test that could be read.
pub(super) struct TestCase {
    pub(super) test: String,
    pub(super) event: Event,
    /// The time of the decision.
    pub(super) now: Timestamp,
    pub(super) people: Recipients,
    pub(super) tenant: Option<Settings>,
    pub(super) answers: TestAnswers,
    /// The ids of each group's members, with their position in the file.
    pub(super) members: BTreeMap<String, (At, Vec<String>)>,
    /// The rule and step at which the test begins, with their position in the file.
    pub(super) step: Option<(String, usize, At)>,
    pub(super) expect: Vec<Expected>,
    pub(super) expect_at: At,
}

/// Returns the name that the author gave the test.
pub(super) fn name(members: &[Entry]) -> Option<String> {
    match &find(members, "test")?.kind {
        Kind::Text(text) => Some(text.clone()),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::List(_) | Kind::Map(_) => None,
    }
}

/// Parses one test. `named` collects the rules that it names. Returns `None` if a problem was reported.
pub(super) fn read(
    members: &[Entry],
    at: At,
    environment: Environment<'_>,
    named: &mut BTreeSet<String>,
    report: &mut Diagnostics<'_>,
) -> Option<TestCase> {
    let before = report.problems.len();
    check_keys(members, at, &KEYS, &REQUIRED, report);
    let mut fields = Fields { members, report };
    let test = fields.read("test", text);
    let at_time = fields.read("at", instant);
    let source = fields.read("source", text);
    let event =
        fields.read("event", |node, report| event(node, at_time, source.as_deref(), environment, report));
    let event = match (event, find(members, "with")) {
        (Some(event), Some(with)) => patched(&event, with, fields.report),
        (event, _) => event,
    };
    let people = match find(members, "people") {
        Some(node) => people(node, environment.people, fields.report).unwrap_or_default(),
        None => environment.people.clone(),
    };
    let tenant =
        fields.read("tenant", |node, report| value(node, node.to_json(), "the tenant's settings", report));
    let answers =
        fields.read("answers", |node, report| answers::read(node, environment, report)).unwrap_or_default();
    let groups = fields.read("members", |node, report| groups(node, &people, report)).unwrap_or_default();
    let step = step(&mut fields, environment, named);
    let expect = fields
        .read("expect", |node, report| expected::read(node, environment.catalog, &people, named, report));
    if fields.report.problems.len() > before {
        return None;
    }
    let event = event?;
    Some(TestCase {
        test: test?,
        now: at_time.unwrap_or(event.time),
        event,
        people,
        tenant,
        answers,
        members: groups,
        step,
        expect: expect?,
        expect_at: find(members, "expect").map_or(at, |it| it.at),
    })
}

fn instant(node: &Node, report: &mut Diagnostics<'_>) -> Option<Timestamp> {
    let written = text(node, report)?;
    let found = written.parse::<Timestamp>().ok();
    if found.is_none() {
        report.refuse(node.at, format!("`{written}` is no instant"), "write it as `2026-11-20T08:00:00Z`");
    }
    found
}

/// Parses the event of a test. Accepts the name of a sample, an event in its producer's format, or a CloudEvent without
/// the attributes that all events have. `source` is the bus's, for an event that names none.
fn event(
    node: &Node,
    at: Option<Timestamp>,
    source: Option<&str>,
    environment: Environment<'_>,
    report: &mut Diagnostics<'_>,
) -> Option<Event> {
    let producers = &environment.catalog.policy().producers;
    if let Kind::Map(_) = node.kind {
        let mut envelope = node.to_json();
        let written = envelope.to_string();
        let is_of_bus = envelope.get("detail").is_some() && envelope.get("detail-type").is_some();
        if is_of_bus || shape_of(&written).is_some_and(Shape::is_older) {
            return read_event(sample(&written, source, producers), node.at, report);
        }
        if let Some(source) = source {
            envelope["source"] = source.into();
        }
        let time = at.unwrap_or_else(bus_time).to_string();
        for (name, value) in [("specversion", "1.0"), ("id", "test"), ("source", "/test"), ("time", &time)] {
            if envelope.get(name).is_none() {
                envelope[name] = value.into();
            }
        }
        let event = read_event(Event::parse(&envelope.to_string()), node.at, report)?;
        return Some(producers.completed(event));
    }
    let name = text(node, report)?;
    let Some(sample_text) = environment.events.get(&name) else {
        let fix = match nearest(&name, environment.events.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write its path below the folder of samples, such as `core/hello.json`".to_owned(),
        };
        report.refuse(node.at, format!("there is no sample event `{name}`"), fix);
        return None;
    };
    read_event(sample(sample_text, source, producers), node.at, report)
}

fn read_event(read: Result<Event, Refusal>, at: At, report: &mut Diagnostics<'_>) -> Option<Event> {
    match read {
        Ok(event) => Some(event),
        Err(error) => {
            let what = format!("the event is refused: at {}, found {}", error.attribute, error.found);
            report.refuse(at, what, format!("write {}", error.wanted));
            None
        }
    }
}

fn patched(event: &Event, with: &Node, report: &mut Diagnostics<'_>) -> Option<Event> {
    map(with, "{ data: { … } }", report)?;
    let mut envelope: Value = serde_json::from_str(&event.to_json()).unwrap_or_default();
    merge(&mut envelope, with.to_json());
    read_event(Event::parse(&envelope.to_string()), with.at, report)
}

/// Applies a JSON merge patch. Source: RFC 7396, section 2.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (name, value) in patch {
        if value.is_null() {
            target.as_object_mut().and_then(|object_mut| object_mut.remove(&name));
        } else {
            merge(&mut target[name], value);
        }
    }
}

/// Returns all known people, with these people changed or added.
fn people(node: &Node, known: &Recipients, report: &mut Diagnostics<'_>) -> Option<Recipients> {
    let mut people = known.clone();
    for node in list(node, report)? {
        let Some(members) = map(node, "{ id: <id>, … }", report) else { continue };
        let Some(id) = find(members, "id") else {
            report.refuse(node.at, "somebody without an `id`", "add `id: …`");
            continue;
        };
        let Some(id) = text(id, report) else { continue };
        let mut person = match people.get(&id) {
            Some(person) => serde_json::to_value(person).unwrap_or_default(),
            None => json!({}),
        };
        merge(&mut person, node.to_json());
        if let Err(invalid) = check_channels(&person["preferences"]) {
            report.refuse(node.at, format!("`{id}`: preferences.{invalid}"), "write the name of a channel");
        }
        if let Some(person) = value::<Recipient>(node, person, &format!("`{id}`"), report) {
            people.insert(id, person);
        }
    }
    Some(people)
}

fn value<T: DeserializeOwned>(
    node: &Node,
    written: Value,
    what: &str,
    report: &mut Diagnostics<'_>,
) -> Option<T> {
    match serde_json::from_value(written) {
        Ok(value) => Some(value),
        Err(error) => {
            report.refuse(
                node.at,
                format!("{what} cannot be read: {error}"),
                "write it as people.json has it",
            );
            None
        }
    }
}

type Groups = BTreeMap<String, (At, Vec<String>)>;

fn groups(node: &Node, people: &Recipients, report: &mut Diagnostics<'_>) -> Option<Groups> {
    let mut groups = Groups::new();
    for Entry { key, at, value } in map(node, "{ \"role:<role>:<scope>\": [<id>] }", report)? {
        let mut ids = Vec::new();
        for node in list(value, report).unwrap_or_default() {
            let Some(id) = text(node, report) else { continue };
            // Endpoints are not people, so a test may name any endpoint id.
            if key != "endpoints" && !people.contains_key(&id) {
                let fix = match nearest(&id, people.keys().map(String::as_str)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "add them to `people`".to_owned(),
                };
                report.refuse(node.at, format!("nobody has the id `{id}`"), fix);
            }
            ids.push(id);
        }
        groups.insert(key.clone(), (*at, ids));
    }
    Some(groups)
}

/// Parses `rule` and `step`, which are used together.
fn step(
    fields: &mut Fields<'_, '_, '_>,
    environment: Environment<'_>,
    named: &mut BTreeSet<String>,
) -> Option<(String, usize, At)> {
    let (rule, step) = match (find(fields.members, "rule"), find(fields.members, "step")) {
        (Some(rule), Some(step)) => (rule, step),
        (None, None) => return None,
        (Some(rule), None) => {
            fields.report.refuse(rule.at, "`rule` without `step` changes nothing", "add `step: <number>`");
            return None;
        }
        (None, Some(step)) => {
            fields.report.refuse(step.at, "`step` of which rule?", "add `rule: <name>`");
            return None;
        }
    };
    let name = text(rule, fields.report)?;
    let Some(found) = environment.catalog.rule(&name) else {
        let known: Vec<&str> = environment.catalog.rules().iter().map(|rule| rule.name.as_str()).collect();
        fields.report.refuse(rule.at, format!("there is no rule `{name}`"), suggestion(&name, &known));
        return None;
    };
    named.insert(name.clone());
    let last = u32::try_from(found.steps.len().saturating_sub(1)).unwrap_or(u32::MAX);
    let number = number(step, 0, last, fields.report)?;
    Some((name, usize::try_from(number).unwrap_or(usize::MAX), rule.at))
}
