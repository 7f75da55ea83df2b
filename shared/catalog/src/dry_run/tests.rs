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
fn sample_keeps_the_time_beside_its_envelope_and_any_other_gets_the_first_of_the_year() {
    let time = |text: &str| event(text, &Producers::default()).unwrap().time.to_string();
    let timed = SAMPLE.replace(r#""detail":"#, r#""time":"2026-11-20T11:59:30Z","detail":"#);
    assert_eq!(time(&timed), "2026-11-20T11:59:30Z");
    let entry = r#"{"Time":"2026-11-21T08:00:00Z","Source":"core","DetailType":"core.hello","Detail":"{\"to\":\"ann\"}"}"#;
    assert_eq!(time(entry), "2026-11-21T08:00:00Z", "an entry of PutEvents");
    assert_eq!(time(SAMPLE), bus_time().to_string());
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
            "1.json: it reaches nobody (hello to bob: no recipient has this id; import the recipient first); {fix}"
        )],
        &[],
    );
    check(
        &[],
        &[SAMPLE, &SAMPLE.replace("\"to\"", "\"for\"")],
        &[&format!(
            "1.json: it reaches nobody (hello to -: the rule's path finds no recipient in this event); {fix}"
        )],
        &[],
    );
}

#[test]
fn a_template_that_cannot_be_rendered_is_told_with_its_line() {
    let fix = "`data.name` is missing: give it a `| default(…)`, ask `data.name is defined` first, or complete the sample";
    check(
        &[("templates/hello/en/socket.txt", "Dear\n{{ data.name }}")],
        &[SAMPLE],
        &[&format!(
            "templates/hello/en/socket.txt:2: rule hello: the event has no such value in `{{{{ data.name }}}}`, \
         for the sample 0.json; {fix}"
        )],
        &[],
    );
    // Ann reads English. Without the check of all languages, only a German reader would have found the problem.
    let german =
        [("templates/hello/de/socket.title.txt", "Hallo"), ("templates/hello/de/socket.txt", "{{ data.x }}")];
    check(
        &german,
        &[SAMPLE],
        &[&format!(
            "templates/hello/de/socket.txt:1: rule hello: the event has no such value in `{{{{ data.x }}}}`, \
         for the sample 0.json; {}",
            fix.replace("data.name", "data.x")
        )],
        &[],
    );
}

#[test]
fn the_advice_fits_what_is_missing() {
    check(
        &[("templates/hello/en/socket.txt", "{{ data.zz.y | default('x') }}")],
        &[SAMPLE],
        &["templates/hello/en/socket.txt:1: rule hello: the event has no such value in \
           `{{ data.zz.y | default('x') }}`, for the sample 0.json; `data.zz` is missing, and a `default` covers the last \
           name of a path only: ask `{% if data.zz is defined %}` first, or complete the sample"],
        &[],
    );
    check(
        &[("templates/hello/en/socket.txt", "{{ data.to | number }}")],
        &[SAMPLE],
        &[
            "templates/hello/en/socket.txt:1: rule hello: the value is not a number in `{{ data.to | number }}`, \
           for the sample 0.json; write another value into the sample, or ask for its kind first",
        ],
        &[],
    );
}

#[test]
fn misspelt_member_of_the_data_is_answered_with_the_one_that_is_near() {
    let sample = SAMPLE
        .replace("\"to\"", "\"prescription\": {\"medicineId\": 1}, \"prescriptionId\": \"p-1\", \"to\"");
    for (written, meant) in [
        ("data.prescriptionID", Some("data.prescriptionId")),
        ("data.prescription.medicineID", Some("data.prescription.medicineId")),
        ("data.colour", None),
        ("data.prescription.colour", None),
    ] {
        let fix = match meant {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!(
                "`{written}` is missing: give it a `| default(…)`, ask `{written} is defined` first, or complete the sample"
            ),
        };
        check(
            &[("templates/hello/en/socket.txt", &format!("{{{{ {written} }}}}"))],
            &[&sample],
            &[&format!(
                "templates/hello/en/socket.txt:1: rule hello: the event has no such value in `{{{{ {written} }}}}`, \
                 for the sample 0.json; {fix}"
            )],
            &[],
        );
    }
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
        &["0.json: it reaches nobody (hello to bob: no recipient has this id; import the recipient first); \
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
    let fix = "`data.name` is missing: give it a `| default(…)`, ask `data.name is defined` first, or complete the sample";
    let message = format!(
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
        check(&[("rules/core.yaml", &steps(held)), sms], &[SAMPLE], &[&message], &[]);
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
        &["0.json: it reaches nobody (hello to ann: the recipient has quiet hours at this time); \
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

#[test]
fn a_sample_whose_time_cannot_be_read_is_a_problem() {
    let fix = "complete the sample, or mend the path in the rule";
    let steps = |rule: &str| RULE.replace("channels: [socket]", rule);
    let wait = steps("steps: [{ send: [socket] }, { wait: $.data.at, shift: -1h }, { send: [sms] }]");
    let repeat = format!("{RULE}  repeat: {{ every: {{ every: hourly }}, times: 3, until: $.data.at }}\n");
    let expires = format!("{RULE}  expires: $.data.at\n");
    let sms = ("templates/hello/en/sms.txt", "Hi");
    for (at, found) in [
        ("\"tomorrow\"", "a text of another form"),
        ("null", "missing or null"),
        ("\"32d\"", "a length of more than 31 days"),
        ("{}", "an object"),
    ] {
        let sample = SAMPLE.replace("\"to\"", &format!("\"at\":{at},\"to\""));
        let what = format!("`$.data.at` of the event is {found}, and a time or a length is wanted");
        let message = |instead: &str| format!("0.json: rule hello: {what}, so {instead}; {fix}");
        check(&[("rules/core.yaml", &wait), sms], &[&sample], &[&message("nothing is sent")], &[]);
        check(&[("rules/core.yaml", &repeat)], &[&sample], &[&message("the rule is not repeated")], &[]);
        let nobody = "0.json: it reaches nobody (hello to ann: the event's value for a rule's time is neither a time \
                      nor a duration); name people in it who are known, or mend the rule's `to`";
        let unreached = "rules: rule hello: no sample reaches anybody through it; add a sample event whose people are known";
        check(
            &[("rules/core.yaml", &expires)],
            &[&sample],
            &[nobody, &message("nothing is sent")],
            &[unreached],
        );
    }
    for at in ["\"2026-12-24T18:00\"", "\"2026-12-24\"", "1798135200"] {
        let sample = SAMPLE.replace("\"to\"", &format!("\"at\":{at},\"to\""));
        for rule in [&wait, &repeat, &expires] {
            check(&[("rules/core.yaml", rule), sms], &[&sample], &[], &[]);
        }
    }
}

#[test]
fn a_sample_without_the_key_of_a_rule_is_a_warning() {
    let fix = "complete the sample, or mend the path in the rule";
    for (steps, instead) in [
        ("{ throttle: { most: 1, per: 1h, key: $.data.k } }", "its throttle does not count the event"),
        ("{ digest: { for: 1h, key: $.data.k } }", "its digest holds this event alone"),
    ] {
        let rule = RULE.replace("channels: [socket]", &format!("steps: [{steps}, {{ send: [socket] }}]"));
        let message =
            format!("0.json: rule hello: `$.data.k` of the event is missing or null, so {instead}; {fix}");
        check(&[("rules/core.yaml", &rule)], &[SAMPLE], &[], &[&message]);
        let whole = SAMPLE.replace("\"to\"", "\"k\":{\"a\":[1.5,true]},\"to\"");
        check(&[("rules/core.yaml", &rule)], &[&whole], &[], &[]);
    }
    let rule = format!("{RULE}  cancel: {{ key: $.data.k, when: {{ detail-type: [core.bye] }} }}\n");
    let bye = SAMPLE.replace("core.hello", "core.bye");
    let message = format!(
        "0.json: rule hello: `$.data.k` of the event is missing or null, so no event can cancel it; {fix}"
    );
    let lost = format!(
        "1.json: rule hello: `$.data.k` of the event is missing or null, so the event cancels nothing; {fix}"
    );
    let nobody = "1.json: it reaches nobody (hello to -: the event has no value for the rule's `key`); \
                  name people in it who are known, or mend the rule's `to`";
    check(&[("rules/core.yaml", &rule)], &[SAMPLE, &bye], &[nobody, &lost], &[&message]);
}

/// Runs a dry run over a rule that sends Ann a greeting, with files changed. Samples are named by their number.
#[track_caller]
fn check(changed: &[(&str, &str)], samples: &[&str], problems: &[&str], warnings: &[&str]) {
    let sound = [
        ("rules/core.yaml", RULE),
        ("templates/hello/en/socket.title.txt", "Hello"),
        ("templates/hello/en/socket.txt", "{{ recipient.name }}"),
    ];
    let files = sound.iter().chain(changed).map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    let compiled = compile_files(files.collect()).unwrap_or_else(|error| panic!("{error:?}"));
    let catalog = Catalog::open(compiled.file).unwrap();
    let ann = r#"{"id":"ann","locale":"en","phone":"+442079460000","roles":[{"role":"boss","in":"ann"}],"topics":["of:ann"]}"#;
    let ann: Recipient = serde_json::from_str(ann).unwrap();
    let people = Recipients::from([("ann".to_owned(), ann)]);
    let samples: Vec<(String, String)> =
        samples.iter().enumerate().map(|(at, text)| (format!("{at}.json"), (*text).to_owned())).collect();
    let findings = check_samples(&catalog, &samples, &people);
    let shown = |problem: &[Problem]| problem.iter().map(Problem::to_string).collect::<Vec<_>>();
    let mut found = [findings.problems, findings.unreached].concat();
    found.sort();
    assert_eq!(shown(&found), problems);
    assert_eq!(shown(&findings.warnings), warnings);
}
