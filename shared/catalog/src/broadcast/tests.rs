use std::collections::BTreeMap;

use domain::base::channel::Channel;
use domain::catalog::Catalog;
use domain::catalog::rule::{Record, Rule, Selector};
use domain::recipient::Recipients;

use crate::{Compiled, Problem, check_samples, compile_files, run_tests};

const TARGETS: &str = "broadcast: [{ room: clinic, of: $.data.clinicId }, { user: $.data.userId }]";

#[test]
fn broadcast_needs_neither_template_nor_channels_nor_category() {
    let rule = read(&format!(
        "{TARGETS}\n  exclude: [$.data.target.excludeUsers, robot]\n  expose: [$.data.queueId]\n  record: none"
    ));
    let broadcast = rule.broadcast.as_ref().unwrap();
    assert_eq!((rule.category.as_str(), rule.template.as_str()), ("broadcast", ""));
    assert_eq!((rule.channels(), rule.to.len()), (vec![Channel::Socket], 2));
    assert!(matches!(&rule.to[0], Selector::Room { name, .. } if name == "clinic"));
    assert_eq!((broadcast.exclude.len(), broadcast.expose_all), (2, false));
    assert_eq!((broadcast.record, rule.expose.len()), (Some(Record::None), 1));
    assert_eq!(read(&format!("{TARGETS}\n  category: screens")).category, "screens");
}

#[test]
fn whole_payload_is_exposed_by_a_broadcast_only() {
    let rule = read(&format!("{TARGETS}\n  expose: all"));
    assert!(rule.broadcast.unwrap().expose_all && rule.expose.is_empty());
    check(
        "to: [{ user: $.data.userId }]\n  category: c\n  channels: [socket]\n  template: t\n  expose: all",
        &["found text, wanted a list"],
    );
}

#[test]
fn keys_of_other_rules_are_refused_beside_broadcast_and_its_own_keys_without_it() {
    for (key, value) in [
        ("to", "[{ user: $.data.userId }]"),
        ("template", "t"),
        ("channels", "[socket]"),
        ("steps", "[{ send: [socket] }]"),
        ("delay", "10m"),
        ("ephemeral", "true"),
        ("commercial", "true"),
        ("outside", "drop"),
        ("reply-to", "a@example.com"),
        ("attachments", "[{ from: $.data.file }]"),
        ("push", "{ link: $.data.url }"),
        ("versions", "{ \"2026-01\": [$.data.id] }"),
        ("cancel", "{ key: $.data.id, when: { detail-type: [b] } }"),
        ("repeat", "{ every: { every: daily, at: \"09:00\" }, times: 3 }"),
    ] {
        let problems = refused(&format!("{TARGETS}\n  {key}: {value}"), "");
        let expected = format!("the rule has both `broadcast` and `{key}`");
        let found = problems.iter().find(|problem| problem.what == expected);
        assert!(found.is_some_and(|found| found.line == Some(4)), "{key}: {problems:?}");
    }
    let usual = "to: [{ user: $.data.userId }]\n  category: c\n  channels: [socket]\n  template: t";
    check(&format!("{usual}\n  record: none"), &["`record` belongs to `broadcast`, and the rule has none"]);
}

#[test]
fn target_that_no_socket_belongs_to_is_refused() {
    check("broadcast: []", &["`broadcast` is empty, so no socket ever gets the event"]);
    check("broadcast: clinic", &["found text, wanted a list of targets"]);
    check(
        "broadcast: [{ email: $.data.email }]",
        &["a broadcast goes to open sockets, and `email` has none"],
    );
    check(
        "broadcast: [{ endpoints: tenant }]",
        &["a broadcast goes to open sockets, and `endpoints` has none"],
    );
    check("broadcast: [{ room: clinic }]", &["a room without `of` is no one room"]);
    check("broadcast: [{ role: ghost, in: $.data.clinicId }]", &["unknown role `ghost`"]);
    check(&format!("{TARGETS}\n  record: nothing"), &["unknown value for `record` `nothing`"]);
    check(
        &format!("{TARGETS}\n  exclude: [data.userId]"),
        &["`data.userId` is read as a name, and not as a path into the event"],
    );
}

#[test]
fn policy_says_what_is_recorded_of_all_broadcasts() {
    let compiled =
        compiled(TARGETS, "broadcast: { record: none }\n").unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(compiled.file.policy.broadcast.record, Record::None);
    let problems = refused(TARGETS, "broadcast: { record: all }\n");
    assert_eq!(problems[0].file, "policy.yaml");
    let problems = refused(TARGETS, "broadcast: {}\n");
    assert_eq!(problems[0].what, "the key `record` is missing");
}

#[test]
fn sample_without_a_value_for_a_room_is_advice() {
    let compiled = compiled(TARGETS, "").unwrap_or_else(|error| panic!("{error:?}"));
    let catalog = Catalog::open(compiled.file).unwrap();
    let people: Vec<domain::recipient::Recipient> = serde_json::from_str(r#"[{ "id": "ann" }]"#).unwrap();
    let people: Recipients = people.into_iter().map(|person| (person.id.clone(), person)).collect();
    let warnings = |data: &str| {
        let sample = format!(
            r#"{{"specversion":"1.0","id":"1","source":"/s","type":"a","time":"2026-11-20T12:00:00Z","data":{data}}}"#
        );
        let findings = check_samples(&catalog, &[("events/a.json".to_owned(), sample)], &people);
        assert_eq!(findings.problems, [], "{data}");
        findings.warnings.into_iter().map(|warning| warning.what).collect::<Vec<String>>()
    };
    assert_eq!(warnings(r#"{"clinicId":7,"userId":"ann"}"#), [""; 0]);
    assert_eq!(warnings(r#"{"clinicId":7}"#), [""; 0], "a user may be left out, as in `to`");
    let what =
        "`$.data.clinicId` of the event names no value for the room `clinic`, so this target gets no message";
    assert_eq!(warnings(r#"{"userId":"ann"}"#), [what]);
}

#[test]
fn decision_test_names_each_target_of_a_broadcast() {
    let compiled = compiled(&format!("{TARGETS}\n  exclude: [$.data.not]"), "")
        .unwrap_or_else(|error| panic!("{error:?}"));
    let catalog = Catalog::open(compiled.file).unwrap();
    let test = "- test: x\n  event: { type: a, data: { clinicId: 7, userId: [ann, ben], not: ben } }\n  \
                people: [{ id: ann }, { id: ben }]\n  expect:\n    \
                - screens to room:clinic:7 by socket: send\n    \
                - screens to ann by socket: send\n    \
                - screens to ben by socket: suppressed excluded\n\
                - test: y\n  event: { type: a, data: {} }\n  expect:\n    \
                - screens to - by socket: suppressed no_recipient\n";
    let tests = BTreeMap::from([("tests/a.yaml".to_owned(), test.to_owned())]);
    let results = run_tests(&tests, &catalog, &Recipients::new(), &BTreeMap::new());
    assert_eq!(results.problems, []);
    assert!(results.verdicts.len() == 2 && results.verdicts.iter().all(|verdict| verdict.holds));
}

/// A rule with these lines, which must be valid.
#[track_caller]
fn read(lines: &str) -> Rule {
    let compiled = compiled(lines, "").unwrap_or_else(|problems| panic!("{problems:?}"));
    compiled.file.rules.into_iter().next().unwrap()
}

#[track_caller]
fn check(lines: &str, expected: &[&str]) {
    let found: Vec<String> = refused(lines, "").into_iter().map(|problem| problem.what).collect();
    for expected in expected {
        assert!(found.iter().any(|what| what == expected), "{expected}: {found:?}");
    }
}

#[track_caller]
fn refused(lines: &str, policy: &str) -> Vec<Problem> {
    match compiled(lines, policy) {
        Ok(_) => panic!("the rule is accepted: {lines}"),
        Err(problems) => problems,
    }
}

fn compiled(lines: &str, policy: &str) -> Result<Compiled, Vec<Problem>> {
    compile_files(BTreeMap::from([
        ("policy.yaml".to_owned(), policy.to_owned()),
        ("rules/a.yaml".to_owned(), format!("- rule: screens\n  when: {{ detail-type: [a] }}\n  {lines}\n")),
        ("templates/t/en/socket.txt".to_owned(), "A".to_owned()),
        ("templates/t/en/socket.title.txt".to_owned(), "A".to_owned()),
    ]))
}
