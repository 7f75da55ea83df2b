use super::*;
use crate::compile_files;
use domain::recipient::Recipient;
use serde_json::json;

const RULES: &str = "\
- rule: alert
  when: { detail-type: [care.alert] }
  category: care
  steps:
    - send: [socket]
    - wait: 5m
    - send: [sms]
      unless: acknowledged
  to: [{ user: $.data.to }]
  template: t
  cancel: { key: $.data.id, when: { detail-type: [care.over] } }
- rule: comment
  when: { detail-type: [task.comment] }
  category: task
  steps: [{ throttle: { most: 1, per: 1h } }, { digest: 10m }, { send: [email] }]
  to: [{ topic: project, of: $.data.project }, { role: boss, in: $.data.project }, { email: $.data.guest }]
  template: t
- rule: note
  when: { detail-type: [task.note] }
  category: task
  channels: [push, email]
  to: [{ user: $.data.to }]
  template: t
";

const POLICY: &str = "\
roles: [boss]
topics: { project: }
caps: [{ cap: daily, most: 5, per: recipient, period: day, channel: email }]
";

const ALERT: &str = "event: alert.json\n  ";
const COMMENT: &str = "event: { type: task.comment, data: { project: '42' } }\n  ";
const NOTE: &str = "event: { type: task.note, data: { to: ann } }\n  ";

#[test]
fn a_test_holds_when_exactly_what_it_expects_is_decided() {
    check(
        &[ALERT, "expect: [alert to ann by socket: send, alert to ann: deferred wait 2026-11-20T12:05:00Z]"],
        &[],
    );
    check(&["event: { type: no.such }\n  ", "expect: [\"-\": suppressed no_rule]"], &[]);
    check(&[ALERT, "expect:\n    - alert to ann: deferred\n    - alert to ann by socket: send"], &[]);
    let over = "event: { type: care.over, data: { id: a-1 } }\n  ";
    check(&[over, "expect: [alert to -: cancels]"], &[]);
}

#[test]
fn event_stands_in_a_test_as_its_producer_sends_it() {
    let expect = "expect: [note to ann by push: send, note to ann by email: send]";
    for event in [
        "{ eventId: e-1, eventType: task.note, source: hub, userId: ann, payload: { to: ann } }",
        "{ id: e-1, type: task.note, source: hub, timestamp: 2026-11-20T12:00:00Z, data: { to: ann } }",
        "{ service: hub, version: 1.0.0, userId: ben, routingKey: task.note, data: { to: ann } }",
        "{ id: e-1, type: task, event: task.note, data: { to: ann }, source: { userId: ben } }",
        "{ id: e-1, source: hub, detail-type: task.note, detail: { to: ann } }",
    ] {
        check(&[&format!("event: {event}\n  "), expect], &[]);
    }
    let nameless = "event: { type: task.note, timestamp: 2026-11-20T12:00:00Z, data: { to: ann } }\n  ";
    check(&[nameless, "source: shop\n  ", expect], &[]);
    let text = problems(&[nameless, expect]);
    assert!(text.iter().any(|it| it.contains("at source, found nothing")), "{text:?}");
}

#[test]
fn a_test_that_fails_says_what_was_expected_what_was_decided_and_why() {
    check(
        &[
            NOTE,
            "expect:\n    - note to ann by email: send\n    - note to ann by push: suppressed no_address",
        ],
        &[
            "tests/a.yaml:5:7: the test `x` fails: expected and not decided `note to ann by push: suppressed no_address`, \
           and decided and not expected `note to ann by push: send`; mend the rule or the test; decided was:\n    \
           note to ann by push: send\n    note to ann by email: send (within the limit `daily` of 5)",
        ],
    );
    check(
        &[NOTE, "expect: [note to ann by push: send]"],
        &["tests/a.yaml:3:11: the test `x` fails: decided and not expected `note to ann by email: send`; \
           mend the rule or the test; decided was:\n    note to ann by push: send\n    note to ann by email: send (within the limit `daily` of 5)"],
    );
    check(
        &[ALERT, "answers: { cancelled: true }\n  ", "expect: [alert to ann by socket: send]"],
        &["tests/a.yaml:4:12: the test `x` fails: expected and not decided `alert to ann by socket: send`, \
           and decided and not expected `alert to ann by socket: suppressed cancelled`; \
           mend the rule or the test; decided was:\n    alert to ann by socket: suppressed cancelled \
           (step 0; a later event cancelled the notification; an event of 2026-11-20T12:00:00Z cancelled it)"],
    );
}

#[test]
fn an_event_is_patched_and_decided_at_another_time() {
    check(
        &[
            ALERT,
            "with: { data: { to: ben } }\n  ",
            "at: 2026-11-20T13:00:00Z\n  ",
            "expect: [alert to ben by socket: send, alert to ben: deferred 2026-11-20T13:00:00Z..2026-11-20T13:06:00Z]",
        ],
        &[],
    );
    check(&[ALERT, "with: { data: null }\n  ", "expect: [alert to -: suppressed no_recipient]"], &[]);
    check(
        &[ALERT, "with: { type: 7 }\n  ", "expect: [\"-\": suppressed no_rule]"],
        &["tests/a.yaml:3:9: the event is refused: at type, found a number; write a string"],
    );
}

#[test]
fn people_are_changed_and_added() {
    let expect =
        "expect: [note to ann by push: suppressed no_address, note to ann by email: suppressed preference]";
    let ann = "people: [{ id: ann, devices: null, preferences: { categories: { task: false } } }]\n  ";
    check(&[NOTE, ann, expect], &[]);
    check(
        &[
            NOTE,
            "with: { data: { to: zoe } }\n  ",
            "people: [{ id: zoe, email: zoe@example.com }]\n  ",
            "expect: [note to zoe by push: suppressed no_address, note to zoe by email: send]",
        ],
        &[],
    );
    let wrong = "people: [{ id: ann, quite: {} }]\n  ";
    let message = problems(&[NOTE, wrong, expect]);
    assert!(
        message[0].starts_with("tests/a.yaml:3:12: `ann` cannot be read: unknown field `quite`"),
        "{message:?}"
    );
}

#[test]
fn a_tenant_settles_things_for_its_people() {
    check(
        &[
            NOTE,
            "with: { tenant: north }\n  ",
            "tenant: { zone: Asia/Tokyo, quiet: { quiet: { start: '20:00', end: '23:00' } } }\n  ",
            "expect:\n    - note to ann by push: deferred quiet_hours 2026-11-20T14:00:00Z..2026-11-20T14:10:00Z\n    \
             - note to ann by email: deferred\n",
            "  at: 2026-11-20T12:00:00Z",
        ],
        &[],
    );
}

#[test]
fn groups_are_as_people_say_or_as_the_test_says() {
    let collected = |who: &str| format!("comment to {who}: collected");
    check(&[COMMENT, &format!("expect: [{}, {}]", collected("ann"), collected("ben"))], &[]);
    let members = "members: { 'project:42': [ben], 'role:boss:42': [] }\n  ";
    check(&[COMMENT, members, &format!("expect: [{}]", collected("ben"))], &[]);
    check(
        &[COMMENT, "members: { 'project:43': [bem] }\n  ", "expect: [\"-\": suppressed no_rule]"],
        &["tests/a.yaml:3:29: nobody has the id `bem`; did you mean `ben`?"],
    );
    check(
        &[
            COMMENT,
            "members: { 'project:43': [ben] }\n  ",
            &format!("expect: [{}, {}]", collected("ann"), collected("ben")),
        ],
        &["tests/a.yaml:3:14: no rule that matches addresses `project:43`; did you mean `project:42`?"],
    );
}

#[test]
fn what_has_happened_before_is_answered_as_the_test_says() {
    let full = |limit: &str| format!("answers: {{ full: [{limit}] }}\n  ");
    check(
        &[
            NOTE,
            &full("daily"),
            "expect: [note to ann by push: send, note to ann by email: suppressed capped]",
        ],
        &[],
    );
    check(
        &[
            COMMENT,
            "members: { 'role:boss:42': [] }\n  ",
            &full("throttle"),
            "expect: [comment to ann by email: suppressed throttled]",
        ],
        &[],
    );
    let later = "rule: alert\n  step: 2\n  ";
    check(&[ALERT, later, "answers: { seen: true }\n  ", "expect: [alert to ann by sms: send]"], &[]);
    check(
        &[
            ALERT,
            later,
            "answers: { acknowledged: true }\n  ",
            "expect: [alert to ann by sms: suppressed acknowledged]",
        ],
        &[],
    );
    check(
        &[NOTE, &full("weekly"), "expect: [note to ann by push: send, note to ann by email: send]"],
        &["tests/a.yaml:3:21: there is no limit `weekly`; it is one of `daily`, `throttle`"],
    );
    check(
        &[
            NOTE,
            "answers: { seen: true }\n  ",
            "expect: [note to ann by push: send, note to ann by email: send]",
        ],
        &[
            "tests/a.yaml:3:14: nothing that is decided here asks for `seen`; take it out, or mend the rule that is to ask",
        ],
    );
}

#[test]
fn a_test_may_begin_at_a_later_step() {
    check(&[ALERT, "rule: alert\n  step: 1\n  ", "expect: [alert to ann: deferred]"], &[]);
    check(
        &[ALERT, "rule: alert\n  step: 4\n  ", "expect: [alert to ann: deferred]"],
        &["tests/a.yaml:4:9: found `4`, wanted a whole number; write 0 to 2"],
    );
    check(
        &[ALERT, "rule: note\n  step: 0\n  ", "expect: [\"-\": suppressed no_rule]"],
        &[
            "tests/a.yaml:3:9: the rule `note` does not match this event; name a rule that does, or mend the event",
        ],
    );
    check(
        &[ALERT, "step: 0\n  ", "expect: [alert to ann: deferred]"],
        &["tests/a.yaml:3:9: `step` of which rule?; add `rule: <name>`"],
    );
}

#[test]
fn an_address_is_written_out() {
    check(
        &[
            COMMENT,
            "members: { 'project:42': [], 'role:boss:42': [] }\n  ",
            "with: { data: { guest: guest@example.org } }\n  ",
            "expect: [comment to guest@example.org: collected 2026-11-20T12:10:00Z]\n",
            "  at: 2026-11-20T12:00:00Z",
        ],
        &[],
    );
}

#[test]
fn a_slip_of_the_pen_is_told_as_one() {
    let note = |line: &str, message: &str| {
        check(&[NOTE, "expect:\n    - ", line], &[&format!("tests/a.yaml:4:7: {message}")]);
    };
    note("nota to ann by email: send", "there is no rule `nota`; did you mean `note`?");
    note("note to anm by email: send", "nobody has the id `anm`; did you mean `ann`?");
    note("note to ann by mail: send", "unknown channel `mail`; did you mean `email`?");
    note("note: send", &format!("`note` names no rule and recipient; {LINE}"));
    note("note to ann", &format!("found text, wanted one decision; {LINE}"));
    let text = |text: &str, message: &str| {
        let line = format!("note to ann: {text}");
        check(&[NOTE, "expect:\n    - ", &line], &[&format!("tests/a.yaml:4:20: {message}")]);
    };
    text("sent", "unknown decision `sent`; did you mean `send`?");
    text("suppressed prefrence", "unknown reason `prefrence`; did you mean `preference`?");
    text("suppressed", "`suppressed` without a reason; write one, such as `suppressed preference`");
    text("send twice", &format!("`send twice` says more than `send` can; {LINE}"));
    text(
        "deferred 2026-13-01",
        "`2026-13-01` is no instant; write it as `2026-11-20T08:00:00Z`, or two of these with `..` between them",
    );
    check(
        &[NOTE, "expect: []"],
        &[&format!(
            "tests/a.yaml:3:11: nothing is expected, and something is decided about every event; {LINE}"
        )],
    );
    check(
        &["event: alrt.json\n  ", "expect: [\"-\": suppressed no_rule]"],
        &["tests/a.yaml:2:10: there is no sample event `alrt.json`; did you mean `alert.json`?"],
    );
    check(
        &[NOTE, "expct: []"],
        &[
            "tests/a.yaml:1:3: the key `expect` is missing; add a line `expect: …`",
            "tests/a.yaml:3:3: unknown key `expct`; did you mean `expect`?",
        ],
    );
}

#[test]
fn a_rule_that_no_test_names_is_told() {
    let results = results(
        "- test: x\n  event: alert.json\n  expect: [alert to ann: deferred, alert to ann by socket: send]\n",
    );
    let message: Vec<String> = results.warnings.iter().map(Problem::to_string).collect();
    let fix = "add one to `tests/<pack>.yaml` that begins with `- test: <what it shows>`";
    assert_eq!(
        message,
        [
            format!("rules: rule comment: no decision test names it; {fix}"),
            format!("rules: rule note: no decision test names it; {fix}")
        ]
    );
    let verdict = Verdict { file: "tests/a.yaml".into(), line: 1, test: "x".into(), holds: true };
    assert_eq!(results.verdicts, [verdict]);
}

#[test]
fn one_wrong_test_hides_no_other() {
    let good = "- test: good\n  event: alert.json\n  expect: [alert to ann: deferred, alert to ann by socket: send]\n";
    let results = results(&format!("- test: [\n- 7\n- test: bad\n  event: 7\n  expect: []\n{good}"));
    let lines: Vec<Option<usize>> = results.problems.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [1, 2, 4, 5].map(Some));
    let held: Vec<(&str, bool)> =
        results.verdicts.iter().map(|verdict| (verdict.test.as_str(), verdict.holds)).collect();
    assert_eq!(held, [("bad", false), ("good", true)]);
}

/// The hint of `read` for a line that it cannot parse.
const LINE: &str = "write `<rule> to <recipient> by <channel>: send`, or `\"-\": suppressed no_rule`";

#[track_caller]
fn check(lines: &[&str], expected: &[&str]) {
    assert_eq!(problems(lines), expected, "{}", lines.concat());
}

fn problems(lines: &[&str]) -> Vec<String> {
    let results = results(&format!("- test: x\n  {}", lines.concat()));
    results.problems.iter().map(Problem::to_string).collect()
}

/// Runs a test with Ann and Ben, the followers of project 42. Ben is its manager.
fn results(test: &str) -> TestReport {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for part in domain::base::channel::Channel::ALL.iter().flat_map(|it| it.parts()).filter(|it| it.required)
    {
        files.insert(format!("templates/t/en/{}", part.file), "digest".to_owned());
    }
    files.insert("rules/r.yaml".into(), RULES.into());
    files.insert("policy.yaml".into(), POLICY.into());
    let compiled = compile_files(files).unwrap_or_else(|error| panic!("{error:#?}"));
    let catalog = Catalog::open(compiled.file).unwrap();
    let phone = |id: &str| json!({ "id": id, "platform": "fcm", "endpoint": "arn" });
    let people: Vec<Recipient> = serde_json::from_value(json!([
        { "id": "ann", "email": "ann@example.com", "phone": "+44 20 7946 0000", "tenants": ["*"], "devices": [phone("a"), phone("b")],
          "topics": ["project:42"] },
        { "id": "ben", "email": "ben@example.com", "roles": [{ "role": "boss", "in": "42" }] },
    ]))
    .unwrap();
    let people = people.into_iter().map(|person| (person.id.clone(), person)).collect();
    let alert = json!({
        "specversion": "1.0", "id": "1", "source": "/care", "type": "care.alert", "time": "2026-11-20T12:00:00Z",
        "data": { "id": "a-1", "to": "ann" },
    });
    let events = BTreeMap::from([("alert.json".to_owned(), alert.to_string())]);
    run_tests(&BTreeMap::from([("tests/a.yaml".to_owned(), test.to_owned())]), &catalog, &people, &events)
}
