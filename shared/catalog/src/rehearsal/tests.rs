use super::*;
use crate::compile_files;

const RULE: &str = "- rule: hello\n  when: { detail-type: [core.hello] }\n  category: system\n  channels: [socket]\n  \
                    to: [{ user: $.data.to }]\n  template: hello\n";

const SAMPLE: &str = r#"{"source":"demo","detail-type":"core.hello","detail":{"to":"ann"}}"#;

#[test]
fn a_sample_that_reaches_somebody_in_every_language_is_sound() {
    check(&[], &[SAMPLE], &[], &[]);
    let german = [
        ("templates/hello/de/socket.title.txt", "Hallo"),
        ("templates/hello/de/socket.txt", "{{ data.to }}"),
    ];
    check(&german, &[SAMPLE], &[], &[]);
}

#[test]
fn a_sample_that_is_refused_says_why() {
    check(
        &[],
        &[SAMPLE, "{}"],
        &["1.json: it is refused: at body, found an object of no known form; \
         write a CloudEvent with specversion, an EventBridge event with source, detail-type and detail, or an entry of \
         PutEvents"],
        &[],
    );
}

#[test]
fn a_sample_that_no_rule_matches_is_told() {
    check(
        &[],
        &[SAMPLE, &SAMPLE.replace("core.hello", "core.helo")],
        &["1.json: no rule matches `core.helo` from `demo`; add a rule for it, or mend a rule's `when`"],
        &[],
    );
}

#[test]
fn a_sample_that_reaches_nobody_says_why() {
    let fix = "name people in it who are known, or mend the rule's `to`";
    check(
        &[],
        &[SAMPLE, &SAMPLE.replace("ann", "bob")],
        &[&format!(
            "1.json: it reaches nobody (hello to bob: nobody of this id is known; import the person first); {fix}"
        )],
        &[],
    );
    check(
        &[],
        &[SAMPLE, &SAMPLE.replace("\"to\"", "\"for\"")],
        &[&format!(
            "1.json: it reaches nobody (hello to -: the rule's path finds nobody in this event); {fix}"
        )],
        &[],
    );
}

#[test]
fn a_template_that_cannot_be_rendered_is_told_with_its_line() {
    let fix = "give it a `| default(…)`, ask `is defined` first, or complete the sample";
    check(
        &[("templates/hello/en/socket.txt", "Dear\n{{ data.name }}")],
        &[SAMPLE],
        &[&format!(
            "templates/hello/en/socket.txt:2: rule hello: the event has no such value in `{{{{ data.name }}}}`, \
         for the sample 0.json; {fix}"
        )],
        &[],
    );
    // Ann reads English, and a German reader would have been the first to notice.
    let german =
        [("templates/hello/de/socket.title.txt", "Hallo"), ("templates/hello/de/socket.txt", "{{ data.x }}")];
    check(
        &german,
        &[SAMPLE],
        &[&format!(
            "templates/hello/de/socket.txt:1: rule hello: the event has no such value in `{{{{ data.x }}}}`, \
         for the sample 0.json; {fix}"
        )],
        &[],
    );
}

#[test]
fn a_rule_that_no_sample_reaches_anybody_through_is_a_warning() {
    check(
        &[],
        &[],
        &[],
        &[
            "rules: rule hello: no sample reaches anybody through it; add a sample event whose people are known",
        ],
    );
    check(
        &[],
        &[&SAMPLE.replace("ann", "bob")],
        &["0.json: it reaches nobody (hello to bob: nobody of this id is known; import the person first); \
         name people in it who are known, or mend the rule's `to`"],
        &[
            "rules: rule hello: no sample reaches anybody through it; add a sample event whose people are known",
        ],
    );
}

#[test]
fn later_steps_are_rehearsed_too() {
    let steps = |steps: &str| RULE.replace("channels: [socket]", &format!("steps: [{steps}]"));
    let sms = ("templates/hello/en/sms.txt", "{{ data.name }}");
    let fix = "give it a `| default(…)`, ask `is defined` first, or complete the sample";
    let told = format!(
        "templates/hello/en/sms.txt:1: rule hello: the event has no such value in `{{{{ data.name }}}}`, \
         for the sample 0.json; {fix}"
    );
    for held in [
        "{ send: [socket] }, { wait: 5m }, { send: [sms], unless: seen }",
        "{ wait: 5m }, { wait: 5m }, { send: [sms] }",
        "{ digest: 5m }, { send: [sms] }",
        "{ digest: { for: 5m, flush-first: true } }, { wait: 1h }, { send: [sms] }",
        "{ throttle: { most: 1, per: 1h } }, { send: [sms] }",
    ] {
        check(&[("rules/core.yaml", &steps(held)), sms], &[SAMPLE], &[&told], &[]);
    }
}

#[test]
fn who_is_not_to_be_disturbed_is_reached_later() {
    let rule = RULE.replace("[socket]", "[sms]");
    let files = |policy| {
        [("rules/core.yaml", rule.as_str()), ("templates/hello/en/sms.txt", "Hi"), ("policy.yaml", policy)]
    };
    check(&files("quiet: { quiet: { start: '23:00', end: '07:00' } }"), &[SAMPLE], &[], &[]);
    check(
        &files("quiet: { quiet: { start: '00:00', end: '24:00' } }"),
        &[SAMPLE],
        &["0.json: it reaches nobody (hello to ann: the recipient is not to be disturbed at this time); \
           name people in it who are known, or mend the rule's `to`"],
        &[
            "rules: rule hello: no sample reaches anybody through it; add a sample event whose people are known",
        ],
    );
}

#[test]
fn members_of_roles_and_topics_are_reached() {
    for to in ["[{ role: boss, in: $.data.to }]", "[{ topic: of, of: $.data.to }]"] {
        let rule = RULE.replace("[{ user: $.data.to }]", to);
        let files = [("rules/core.yaml", rule.as_str()), ("policy.yaml", "roles: [boss]\ntopics: { of: }")];
        check(&files, &[SAMPLE], &[], &[]);
    }
}

#[test]
fn a_rule_that_comes_round_is_played_once() {
    let rule = format!("{RULE}  repeat: {{ every: {{ every: hourly }}, times: 100 }}\n");
    check(&[("rules/core.yaml", &rule)], &[SAMPLE], &[], &[]);
}

#[test]
fn an_event_that_only_takes_something_back_is_sound() {
    let rule = format!("{RULE}  cancel: {{ key: $.data.to, when: {{ detail-type: [core.bye] }} }}\n");
    check(&[("rules/core.yaml", &rule)], &[SAMPLE, &SAMPLE.replace("core.hello", "core.bye")], &[], &[]);
}

/// A rule that tells Ann hello, with files changed; samples are named by their number.
#[track_caller]
fn check(changed: &[(&str, &str)], samples: &[&str], problems: &[&str], warnings: &[&str]) {
    let sound = [
        ("rules/core.yaml", RULE),
        ("templates/hello/en/socket.title.txt", "Hello"),
        ("templates/hello/en/socket.txt", "{{ recipient.name }}"),
    ];
    let files = sound.iter().chain(changed).map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    let compiled = compile_files(files.collect()).unwrap_or_else(|it| panic!("{it:?}"));
    let catalog = Catalog::open(compiled.file).unwrap();
    let ann = r#"{"id":"ann","locale":"en","phone":"+442079460000","roles":[{"role":"boss","in":"ann"}],"topics":["of:ann"]}"#;
    let ann: Recipient = serde_json::from_str(ann).unwrap();
    let people = Recipients::from([("ann".to_owned(), ann)]);
    let samples: Vec<(String, String)> =
        samples.iter().enumerate().map(|(at, text)| (format!("{at}.json"), (*text).to_owned())).collect();
    let findings = check_samples(&catalog, &samples, &people);
    let shown = |it: &[Problem]| it.iter().map(Problem::to_string).collect::<Vec<_>>();
    assert_eq!(shown(&findings.problems), problems);
    assert_eq!(shown(&findings.warnings), warnings);
}
