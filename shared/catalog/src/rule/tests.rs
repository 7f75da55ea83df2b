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
fn rule_is_read_completely() {
    let yaml = "- rule: hello\n  about: A hello.\n  when: { detail-type: [core.hello], detail: { data: { n: [7, 1.5, true, null, '7'] } } }\n  \
                category: system\n  priority: high\n  channels: [socket, email]\n  to: [{ user: ann }, { room: queue, of: $.data.q }]\n  \
                template: hello\n  expose: [$.data.q]\n  expires: 1h 30m\n";
    let mut problems = Vec::new();
    let nodes = items(yaml, &mut Diagnostics { file: "r.yaml", rule: None, problems: &mut problems });
    let rule = draft(&nodes[0], "r.yaml", &mut problems).and_then(|draft| draft.rule).unwrap();
    assert_eq!(problems, []);
    let expected = serde_json::json!({
        "rule": "hello",
        "about": "A hello.",
        "when": { "detail-type": ["core.hello"], "detail": { "data": { "n": [7, 1.5, true, null, "7"] } } },
        "category": "system",
        "priority": "high",
        "steps": [{ "send": { "channels": ["socket", "email"] } }],
        "to": [
            { "user": { "literal": "ann" } },
            { "room": { "name": "queue", "of": { "path": "$.data.q" } } },
        ],
        "template": "hello",
        "expose": ["$.data.q"],
        "expires": "PT1H30M",
        "outside": "defer",
    });
    assert_eq!(serde_json::to_value(rule).unwrap(), expected);
}

#[test]
fn unknown_key_is_refused() {
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
        `priority`, `commercial`, `ephemeral`, `to`, `actor`, `channels`, `delay`, `steps`, `template`, `subject`, `refuse`, `reply-to`, `attachments`, `expose`, `versions`, `expires`, `outside`, `push`, \
        `cancel`, `repeat`, `broadcast`, `exclude`, `record`"],
    );
}

#[test]
fn value_of_the_wrong_type_is_refused() {
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
fn name_is_short_kebab_case() {
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
fn unknown_priority_is_refused() {
    check("priority", "  priority: critical", &[]);
    check("priority", "  priority: hihg", &["7:13: unknown priority `hihg`; did you mean `high`?"]);
    check(
        "priority",
        "  priority: asap",
        &["7:13: unknown priority `asap`; it is one of `low`, `normal`, `high`, `critical`"],
    );
}

#[test]
fn channels_are_known_and_distinct() {
    check("channels", "  channels: [emial]", &["4:14: unknown channel `emial`; did you mean `email`?"]);
    check(
        "channels",
        "  channels: [fax]",
        &[&format!("4:14: unknown channel `fax`; it is one of {}", every_channel())],
    );
    check(
        "channels",
        "  channels: [email, email]",
        &["4:21: the channel `email` stands here twice; take one out"],
    );
    check(
        "channels",
        "  channels: []",
        &[&format!(
            "4:13: there is no channel in it, so nothing is ever sent; name one of {}",
            every_channel()
        )],
    );
}

fn every_channel() -> String {
    Channel::ALL.map(|channel| format!("`{}`", channel.name())).join(", ")
}

#[test]
fn quiet_hours_and_ephemeral_settings_are_checked() {
    check("commercial", "  commercial: true", &[]);
    check(
        "commercial",
        "  commercial: 'yes'",
        &["7:15: found text, wanted a boolean; write `true` or `false`"],
    );
    check("ephemeral", "  ephemeral: true", &[]);
    check(
        "channels",
        "  channels: [email]\n  ephemeral: true",
        &[
            "5:14: `ephemeral` leaves something out of the inbox, and nothing of this rule gets there; take it out, or send by `socket`",
        ],
    );
    check("actor", "  actor: include", &[]);
    check("actor", "  actor: exlude", &["7:10: unknown value for `actor` `exlude`; did you mean `exclude`?"]);
    check("outside", "  outside: drop", &[]);
    check(
        "outside",
        "  outside: hold",
        &["7:12: unknown value for `outside` `hold`; it is one of `defer`, `drop`, `digest`"],
    );
}

#[test]
fn cancel_needs_a_key_and_another_event() {
    let line =
        |key: &str, when: &str| format!("  cancel: {{ key: {key}, when: {{ detail-type: [{when}] }} }}");
    check("cancel", &line("$.data.id", "core.gone"), &[]);
    check("cancel", &line("[$.data.id, $.data.part]", "core.gone"), &[]);
    check(
        "cancel",
        &line("data.id", "core.gone"),
        &["7:18: `data.id` is not a path; did you mean `$.data.id`?"],
    );
    check(
        "cancel",
        &line("[]", "core.gone"),
        &["7:18: `key` is empty, so one event would cancel everything; \
           write a path that both events have, such as `$.data.appointmentId`"],
    );
    check(
        "cancel",
        &line("[$.data.id, $.data.id]", "core.gone"),
        &["7:30: the same path stands here twice; take one out"],
    );
    check(
        "cancel",
        &line("$.data.id", "core.hello"),
        &["7:35: the events that the rule tells are the ones that cancel it; \
           name the type of the event that takes it back"],
    );
    check(
        "cancel",
        "  cancel: { when: { detail-type: [core.gone] } }",
        &["7:11: the key `key` is missing; add a line `key: …`"],
    );
}

#[test]
fn repeat_needs_at_least_two_times() {
    check(
        "repeat",
        "  repeat: { every: { every: daily, at: '09:00' }, times: 10, until: $.data.endsAt }",
        &[],
    );
    check(
        "repeat",
        "  repeat: { every: { every: daily }, times: 1 }",
        &["7:45: found `1`, wanted a whole number; write 2 or more"],
    );
    check(
        "repeat",
        "  repeat: { every: { every: daily, days: [mon, tuesday] }, times: 2 }",
        &[
            "7:48: `every` cannot be read: at `days[1]`, found \"tuesday\"; write one of mon, tue, wed, thu, fri, sat, sun",
        ],
    );
    check(
        "repeat",
        "  repeat: daily",
        &[
            "7:11: found text, wanted a map; write it as `{ every: { every: daily, at: \"09:00\" }, times: 10 }`",
        ],
    );
}

#[test]
fn endless_repeat_and_universal_pattern_are_warnings() {
    warn("repeat", "  repeat: { every: { every: daily }, times: 2 }", &[]);
    warn("repeat", "  repeat: { every: { every: daily }, until: $.data.endsAt }", &[]);
    warn(
        "repeat",
        "  repeat: { every: { every: daily } }",
        &["7:11: the rule repeats without an end; \
           add `times: <n>` or `until: $.data.<instant>`, or let the rule expire"],
    );
    warn("when", "  when: { source: [{ prefix: /shop }] }", &[]);
    warn(
        "when",
        "  when: { source: [{ prefix: '' }] }",
        &["2:9: `when` matches every event; \
           name the types in `detail-type`, or what else tells the events apart"],
    );
}

#[test]
fn exposed_paths_have_distinct_last_names() {
    check("expose", "  expose: [$.data.a, $.data.b]", &[]);
    check("expose", "  expose: [data.a]", &["7:12: `data.a` is not a path; did you mean `$.data.a`?"]);
    check(
        "expose",
        "  expose: [$.data.a.id, $.data.b.id]",
        &["7:25: two paths end in `id`, and only one value can have that name; expose one of them"],
    );
}

#[test]
fn expiry_must_be_positive() {
    let fix = "write a length, such as `24h`, `7d` or `1h 30m`, or a path to a time: `$.data.validUntil`";
    for good in ["24h", "90m", "1h 30m", "PT1H", "7d", "2w", "P1DT12H", "$.data.validUntil"] {
        check("expires", &format!("  expires: {good}"), &[]);
    }
    for bad in ["soon", "1 month"] {
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
fn alternatives_are_allowed_for_every_path() {
    let yaml = "- rule: hello\n  when: { detail-type: [core.hello] }\n  category: system\n  \
                steps: [{ wait: [$.data.startsAt, $.data.at] }, { digest: { for: 1h, key: $.data.a | $.data.b } }, { send: [email, push] }]\n  \
                to: [{ user: [$.data.patientId, $.data.userId] }, { topic: project, of: $.data.p | $.data.q }]\n  template: hello\n  \
                expose: [$.data.q | $.data.r]\n  expires: [$.data.until, $.data.end]\n  reply-to: $.data.desk | $.data.clinic\n  \
                push: { collapse: [$.data.a, $.data.b], link: $.data.link | $.data.url }\n  \
                cancel: { key: [$.data.a | $.data.b, $.tenant], when: { detail-type: [core.over] } }\n  \
                repeat: { every: { every: daily, at: \"09:00\" }, until: [$.data.end, $.data.until] }\n  \
                attachments: [{ from: [$.data.file, $.data.invoice], name: $.data.name | $.data.title }]\n";
    let mut problems = Vec::new();
    let nodes = items(yaml, &mut Diagnostics { file: "r.yaml", rule: None, problems: &mut problems });
    let rule = draft(&nodes[0], "r.yaml", &mut problems).and_then(|draft| draft.rule).unwrap();
    assert_eq!(problems, []);
    let written = serde_json::to_string(&rule).unwrap();
    assert_eq!(written.matches(" | ").count(), 13, "{written}");
    assert_eq!(serde_json::from_str::<Rule>(&written).unwrap(), rule);
    assert_eq!(rule.expose[0].last(), "q");
}

#[test]
fn all_wrong_values_are_reported() {
    let yaml = "- rule: Hello\n  when: []\n  category: 1\n  priority: x\n  channels: [x]\n  to: []\n  template: []\n  \
                expose: [x]\n  expires: x\n  x: x\n";
    let mut problems = Vec::new();
    let nodes = items(yaml, &mut Diagnostics { file: "r.yaml", rule: None, problems: &mut problems });
    draft(&nodes[0], "r.yaml", &mut problems);
    let mut lines: Vec<Option<usize>> = problems.iter().map(|problem| problem.line).collect();
    lines.sort_unstable();
    assert_eq!(lines, (1..=10).map(Some).collect::<Vec<_>>());
}

/// Checks a valid rule with `line` in place of the line of `key`.
#[track_caller]
fn check(key: &str, line: &str, expected: &[&str]) {
    assert_eq!(problems(&with(key, line)), expected, "{line}");
}

fn with(key: &str, line: &str) -> String {
    let mut lines = LINES.map(|(its, text)| if its == key { line } else { text }).to_vec();
    if LINES.iter().all(|(its, _)| *its != key) {
        lines.push(line);
    }
    lines.join("\n")
}

/// Checks the warnings of such a rule.
#[track_caller]
fn warn(key: &str, line: &str, expected: &[&str]) {
    let yaml = with(key, line);
    assert_eq!(problems(&yaml), [""; 0], "{line}");
    let mut problems = Vec::new();
    let nodes = items(&yaml, &mut Diagnostics { file: "r.yaml", rule: None, problems: &mut problems });
    let drafts = nodes.iter().filter_map(|node| draft(node, "r.yaml", &mut problems));
    let warnings =
        drafts.flat_map(|draft| draft.warnings).map(|problem| Problem { rule: None, ..problem }.to_string());
    let warnings: Vec<String> =
        warnings.map(|warning| warning.trim_start_matches("r.yaml:").to_owned()).collect();
    assert_eq!(warnings, expected, "{line}");
}

#[track_caller]
fn check_item(item: &str, expected: &str) {
    assert_eq!(problems(item), [expected]);
}

/// The problems of one rule, without file and rule.
fn problems(yaml: &str) -> Vec<String> {
    let mut problems = Vec::new();
    for node in items(yaml, &mut Diagnostics { file: "r.yaml", rule: None, problems: &mut problems }) {
        draft(&node, "r.yaml", &mut problems);
    }
    problems.sort();
    let bare = problems.into_iter().map(|problem| Problem { rule: None, ..problem }.to_string());
    bare.map(|bare| bare.trim_start_matches("r.yaml:").to_owned()).collect()
}
