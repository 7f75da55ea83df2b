//! Robustness: any input gives a catalog, or problems that refer to lines of the files.

use std::collections::BTreeMap;

use domain::catalog::Catalog;
use domain::recipient::Recipients;
use proptest::prelude::*;

use crate::{Problem, compile_files, run_tests};

const RULES: &str = "- rule: a\n  when: { detail-type: [a.b], $or: [{ source: [x] }, { detail: { data: { n: [{ numeric: ['>', 5] }] } } }] }\n  \
    category: c\n  priority: high\n  commercial: true\n  to:\n    - { user: $.data.to }\n    - { role: r, in: $.data.x }\n    \
    - { topic: t, of: y }\n    - { phone: $.data.e }\n  actor: include\n  steps:\n    - throttle: { most: 3, per: 1h, key: $.data.k }\n    \
    - digest: { for: { every: daily, at: '09:00' }, max-items: 5, sort-by: $.data.n }\n    - send: [socket, email]\n    \
    - wait: $.data.at\n      shift: -1h\n    - send: [sms]\n      unless: seen\n  template: t\n  reply-to: $.data.e\n  attachments: [{ from: $.data.f, name: f.pdf }]\n  expose: [$.data.id]\n  expires: 24h\n  \
    outside: drop\n  cancel: { key: [$.data.id], when: { detail-type: [a.c] } }\n  repeat: { every: { every: hourly }, times: 3 }\n";

const POLICY: &str = "zone: Europe/London\nquiet:\n  quiet: [{ start: '22:00', end: '07:00', days: [fri] }]\nrate: 7\nweek-starts: mon\n\
    caps:\n  - { cap: d, most: 2, per: tenant, period: week, category: c, except: [c] }\n  - { cap: e, most: 2, per: tenant, rolling: 2h }\n\
    email: { reply-to: a@example.com, postal-address: x, senders: { c: a@example.com }, unsubscribe: [c] }\npreferences:\n  categories: { c: { channel_types: { email: false }, conditions: [{ source: [x] }] } }\nroles: [r]\n\
    topics:\n  t: [u]\n  u: ['w:1']\n";

const TESTS: &str = "- test: x\n  event: { type: a.b, source: x, data: { to: ann } }\n  with: { data: { x: 1 } }\n  at: 2026-11-20T12:00:00Z\n  \
    people: [{ id: ann, zone: Asia/Tokyo }]\n  tenant: { zone: Asia/Tokyo }\n  answers: { seen: true, full: [throttle] }\n  \
    members: { 't:y': [ann] }\n  rule: a\n  step: 2\n  expect:\n    - a to ann by sms: deferred wait 2026-11-20T07:00:00Z..2026-11-20T07:10:00Z\n";

/// A change: the position, the number of characters removed, and the text inserted.
type Change = (usize, usize, String);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    #[test]
    fn no_file_makes_it_panic_and_every_problem_is_in_a_line_of_its_file(
        which in 0..3_usize,
        changes in prop::collection::vec((0..1_500_usize, 0..12_usize, piece()), 0..4),
    ) {
        let mut texts = [RULES, POLICY, TESTS].map(str::to_owned);
        texts[which] = changed(&texts[which], &changes);
        play(&texts)?;
    }

    #[test]
    fn no_text_makes_it_panic(which in 0..3_usize, text in "([-a-c:\\[\\]{}\"'&*|>#!?$., \\n\\t\\PC]){0,80}") {
        let mut texts = [RULES, POLICY, TESTS].map(str::to_owned);
        texts[which] = text;
        play(&texts)?;
    }
}

#[test]
fn what_the_changes_begin_with_is_sound() {
    let compiled = compile_files(files(&[RULES, POLICY, TESTS].map(str::to_owned)));
    assert_eq!(compiled.map(|compiled| compiled.warnings), Ok(vec![]));
}

fn piece() -> impl Strategy<Value = String> {
    let pieces = vec![
        "",
        " ",
        "\n",
        "\n  ",
        "- ",
        ": ",
        ":",
        "[",
        "]",
        "{",
        "}",
        "'",
        "\"",
        "0",
        "-1",
        "99999999999999999999",
        "1e400",
        "null",
        "~",
        "true",
        "$.",
        "$.data",
        "[]",
        "{}",
        "&a ",
        "*a",
        "!!str ",
        "é",
        "\u{0}",
        "2026-11-20T12:00:00Z",
        "-9999h",
        "prefix",
        "send",
        "digest",
        "wait",
        "unless",
        "for",
        "every",
        "when",
        "#",
        "---\n",
        "<<",
        "10000000w",
    ];
    prop_oneof![prop::sample::select(pieces).prop_map(str::to_owned), ".{0,4}"]
}

fn changed(text: &str, changes: &[Change]) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for (at, gone, piece) in changes {
        let at = at % (letters.len() + 1);
        let end = (at + gone).min(letters.len());
        letters.splice(at..end, piece.chars());
    }
    letters.into_iter().collect()
}

fn files(texts: &[String; 3]) -> BTreeMap<String, String> {
    let parts = domain::base::channel::Channel::ALL
        .iter()
        .flat_map(|channel| channel.parts())
        .filter(|part| part.required);
    let mut files: BTreeMap<String, String> =
        parts.map(|part| (format!("templates/t/en/{}", part.file), "digest".to_owned())).collect();
    files.insert("rules/r.yaml".into(), texts[0].clone());
    files.insert("policy.yaml".into(), texts[1].clone());
    files
}

/// Compiles the files and runs the tests if there is a catalog.
fn play(texts: &[String; 3]) -> Result<(), TestCaseError> {
    let compiled = match compile_files(files(texts)) {
        Ok(compiled) => compiled,
        Err(problems) => {
            prop_assert!(!problems.is_empty());
            return in_their_files(&problems, texts);
        }
    };
    in_their_files(&compiled.warnings, texts)?;
    let written = serde_json::to_string(&compiled.file).unwrap();
    let catalog = Catalog::open(serde_json::from_str(&written).unwrap()).unwrap();
    let tests = BTreeMap::from([("tests/t.yaml".to_owned(), texts[2].clone())]);
    let results = run_tests(&tests, &catalog, &Recipients::new(), &BTreeMap::new());
    in_their_files(&results.problems, texts)
}

fn in_their_files(problems: &[Problem], texts: &[String; 3]) -> Result<(), TestCaseError> {
    for problem in problems {
        let text = match problem.file.as_str() {
            "rules/r.yaml" => &texts[0],
            "policy.yaml" => &texts[1],
            "tests/t.yaml" => &texts[2],
            _ => continue,
        };
        // A lone carriage return ends a YAML line too.
        let lines = text.replace("\r\n", "\n").matches(['\n', '\r']).count() + 1;
        prop_assert!((1..=lines).contains(&problem.line.unwrap_or(1)), "{problem}");
        prop_assert!(problem.column != Some(0), "{problem}");
    }
    Ok(())
}
