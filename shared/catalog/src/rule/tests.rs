use super::*;
use crate::yaml::items;

const LINES: [(&str, &str); 6] = [
    ("rule", "- rule: hello"),
    ("when", "  when: { detail-type: [core.hello] }"),
    ("category", "  category: system"),
    ("channels", "  channels: [socket, email]"),
    ("to", "  to: [{ user: $.data.to }]"),
    ("template", "  template: hello"),
];

#[test]
fn a_rule_says_all_that_dispatch_goes_by() {
    let yaml = "- rule: hello\n  about: A hello.\n  when: { detail-type: [core.hello], detail: { data: { n: [7, 1.5, true, null, '7'] } } }\n  \
                category: system\n  priority: high\n  channels: [socket, email]\n  to: [{ user: ann }, { room: queue, of: $.data.q }]\n  \
                template: hello\n  expose: [$.data.q]\n  expires: 1h 30m\n";
    let mut problems = Vec::new();
    let nodes = items(yaml, &mut Page { file: "r.yaml", rule: None, problems: &mut problems });
    let rule = draft(&nodes[0], "r.yaml", &mut problems).and_then(|it| it.rule).unwrap();
    assert_eq!(problems, []);
    let expected = serde_json::json!({
        "rule": "hello",
        "about": "A hello.",
        "when": { "detail-type": ["core.hello"], "detail": { "data": { "n": [7, 1.5, true, null, "7"] } } },
        "category": "system",
        "priority": "high",
        "channels": ["socket", "email"],
        "to": [
            { "user": { "literal": "ann" } },
            { "room": { "name": "queue", "of": { "path": "$.data.q" } } },
        ],
        "template": "hello",
        "expose": ["$.data.q"],
        "expires": "PT1H30M",
    });
    assert_eq!(serde_json::to_value(rule).unwrap(), expected);
}

#[test]
fn a_rule_has_its_keys_and_no_others() {
    check("about", "  about: What it is for.", &[]);
    check("when", "", &["1:3: the key `when` is missing; add a line `when: …`"]);
    check("to", "", &["1:3: the key `to` is missing; add a line `to: …`"]);
    check(
        "template",
        "  tempalte: hello",
        &[
            "1:3: the key `template` is missing; add a line `template: …`",
            "6:3: unknown key `tempalte`; did you mean `template`?",
        ],
    );
    check(
        "colour",
        "  colour: red",
        &["7:3: unknown key `colour`; it is one of `rule`, `about`, `when`, `category`, \
        `priority`, `channels`, `to`, `template`, `expose`, `expires`"],
    );
}

#[test]
fn a_value_has_the_type_that_its_key_wants() {
    check("category", "  category: 7", &["3:13: found a number, wanted text; put it in quotes"]);
    check("category", "  category: true", &["3:13: found a boolean, wanted text; put it in quotes"]);
    check(
        "category",
        "  category:",
        &["3:11: found nothing, wanted text; write something, or take the key out"],
    );
    check(
        "category",
        "  category: ' '",
        &["3:13: found text, wanted text; write something, or take the key out"],
    );
    check("category", "  category: [a]", &["3:13: found a list, wanted text; write one value here"]);
    check(
        "channels",
        "  channels: email",
        &["4:13: found text, wanted a list; write it as `[one, another]`"],
    );
    check("channels", "  channels: [7]", &["4:14: found a number, wanted text; put it in quotes"]);
    check("expires", "  expires: 24", &["7:12: found a number, wanted text; put it in quotes"]);
    check_item("- just words", "1:3: a rule is a map, and this is text; write `- rule: <name>`");
}

#[test]
fn a_name_is_in_kebab_case_and_short() {
    check("rule", "- rule: a1-b2", &[]);
    let longest = "a".repeat(MAX_NAME_BYTES);
    check("rule", &format!("- rule: {longest}"), &[]);
    let too_long = format!("{longest}a");
    for bad in [
        "Hello",
        "hello_there",
        "hello there",
        "-hello",
        "hello-",
        "he--llo",
        "1st",
        "grüße",
        too_long.as_str(),
    ] {
        let expected = format!(
            "1:9: `{bad}` is no name for a rule; use small letters, digits and single dashes, at most 64: `order-shipped`"
        );
        check("rule", &format!("- rule: {bad}"), &[&expected]);
    }
}

#[test]
fn a_priority_is_one_of_four() {
    check("priority", "  priority: critical", &[]);
    check("priority", "  priority: hihg", &["7:13: unknown priority `hihg`; did you mean `high`?"]);
    check(
        "priority",
        "  priority: asap",
        &["7:13: unknown priority `asap`; it is one of `low`, `normal`, `high`, `critical`"],
    );
}

#[test]
fn channels_are_known_and_named_once() {
    check("channels", "  channels: [emial]", &["4:14: unknown channel `emial`; did you mean `email`?"]);
    check("channels", "  channels: [fax]", &["4:14: unknown channel `fax`; it is one of `email`, `socket`"]);
    check(
        "channels",
        "  channels: [email, email]",
        &["4:21: the channel `email` stands here twice; take one out"],
    );
    check(
        "channels",
        "  channels: []",
        &["4:13: `channels` is empty, so nothing is ever sent; name one of `email`, `socket`"],
    );
}

#[test]
fn what_is_exposed_is_found_by_paths_with_different_last_names() {
    check("expose", "  expose: [$.data.a, $.data.b]", &[]);
    check(
        "expose",
        "  expose: [data.a]",
        &[
            "7:12: `data.a` is not a path; write `$.` and names with dots between them, such as `$.data.userId`",
        ],
    );
    check(
        "expose",
        "  expose: [$.data.a.id, $.data.b.id]",
        &["7:25: two paths end in `id`, and only one value can have that name; expose one of them"],
    );
}

#[test]
fn a_rule_expires_after_a_time_that_is_not_over_yet() {
    let fix = "write hours, minutes or seconds, such as `24h`, `90m` or `1h 30m`";
    for good in ["24h", "90m", "1h 30m", "PT1H"] {
        check("expires", &format!("  expires: {good}"), &[]);
    }
    for bad in ["soon", "3d", "1 month"] {
        check("expires", &format!("  expires: {bad}"), &[&format!("7:12: `{bad}` is no duration; {fix}")]);
    }
    for over in ["0s", "-1h"] {
        check(
            "expires",
            &format!("  expires: {over}"),
            &[&format!("7:12: `{over}` is over before it begins; {fix}")],
        );
    }
}

#[test]
fn one_wrong_value_hides_no_other() {
    let yaml = "- rule: Hello\n  when: []\n  category: 1\n  priority: x\n  channels: [x]\n  to: []\n  template: []\n  \
                expose: [x]\n  expires: x\n  x: x\n";
    let mut problems = Vec::new();
    let nodes = items(yaml, &mut Page { file: "r.yaml", rule: None, problems: &mut problems });
    draft(&nodes[0], "r.yaml", &mut problems);
    let mut lines: Vec<Option<usize>> = problems.iter().map(|it| it.line).collect();
    lines.sort_unstable();
    assert_eq!(lines, (1..=10).map(Some).collect::<Vec<_>>());
}

/// A sound rule in which `line` stands in place of the line of `key`.
#[track_caller]
fn check(key: &str, line: &str, expected: &[&str]) {
    let mut lines = LINES.map(|(its, text)| if its == key { line } else { text }).to_vec();
    if LINES.iter().all(|(its, _)| *its != key) {
        lines.push(line);
    }
    assert_eq!(problems(&lines.join("\n")), expected, "{line}");
}

#[track_caller]
fn check_item(item: &str, expected: &str) {
    assert_eq!(problems(item), [expected]);
}

/// The problems of one rule, without file and rule.
fn problems(yaml: &str) -> Vec<String> {
    let mut problems = Vec::new();
    for node in items(yaml, &mut Page { file: "r.yaml", rule: None, problems: &mut problems }) {
        draft(&node, "r.yaml", &mut problems);
    }
    problems.sort();
    let bare = problems.into_iter().map(|it| Problem { rule: None, ..it }.to_string());
    bare.map(|it| it.trim_start_matches("r.yaml:").to_owned()).collect()
}
