use crate::Problem;
use crate::compile_files;

const RULE: &str = "- rule: hello\n  when: { detail-type: [core.hello] }\n  category: system\n  channels: [email]\n  \
                    to: [{ user: $.data.to }]\n  template: hello\n";

#[test]
fn unknown_role_or_topic_is_reported() {
    let to = |to: &str| RULE.replace("[{ user: $.data.to }]", to);
    let policy = "roles: [clinic-staff]\ntopics: { family: [carers, 'relatives:all'] }";
    check(&to("[{ role: clinic-staff, in: $.data.id }]"), policy, &[]);
    for topic in ["family", "carers", "relatives"] {
        check(&to(&format!("[{{ topic: {topic}, of: $.data.id }}]")), policy, &[]);
    }
    check(
        &to("[{ role: clinic-staf, in: $.data.id }]"),
        policy,
        &["rules/r.yaml:5:8: rule hello: unknown role `clinic-staf`; did you mean `clinic-staff`?"],
    );
    check(
        &to("[{ role: doctor, in: $.data.id }, { topic: project, of: $.data.id }]"),
        "",
        &[
            "rules/r.yaml:5:8: rule hello: unknown role `doctor`; add it to `roles` in policy.yaml",
            "rules/r.yaml:5:41: rule hello: unknown topic `project`; add it to `topics` in policy.yaml",
        ],
    );
    // An unreadable rule may define the name.
    check(
        &to("[{ role: doctor, in: $.data.id }]"),
        "roles: [",
        &["policy.yaml:1:8: no YAML that can be read: unclosed bracket '['; \
           look for a missing quote, bracket, colon or space just before it"],
    );
}

#[test]
fn topic_cycle_is_reported() {
    let fix = "take one of them out of the other's list";
    check(
        RULE,
        "topics:\n  a: [a]",
        &[&format!("policy.yaml:2:3: the topic `a` includes itself: `a` → `a`; {fix}")],
    );
    check(
        RULE,
        "topics:\n  x: [a]\n  a: [b, c]\n  b: ['c:7']\n  c: [x, d]\n",
        &[
            &format!("policy.yaml:2:3: the topic `x` includes itself: `x` → `a` → `c` → `x`; {fix}"),
            &format!("policy.yaml:4:3: the topic `b` includes itself: `b` → `c` → `x` → `a` → `b`; {fix}"),
        ],
    );
    check(RULE, "topics:\n  a: [b, c]\n  b: [c]\n", &[]);
}

#[test]
fn unknown_name_in_preferences_is_reported() {
    check(
        RULE,
        "preferences:\n  workflows: { helo: false }\n  categories:\n    systm: true\n    system: { channel_types: { fax: true } }\n  \
         channels: { mail: false }\n",
        &[
            "policy.yaml:2:16: there is no rule `helo`; did you mean `hello`?",
            "policy.yaml:4:5: no rule has the category `systm`; did you mean `system`?",
            "policy.yaml:5:32: there is no channel `fax`; take it out, or write the name of a channel that there is",
            "policy.yaml:6:15: there is no channel `mail`; did you mean `email`?",
        ],
    );
    check(
        RULE,
        "preferences: { workflows: { hello: true }, categories: { system: true }, channels: { email: true } }",
        &[],
    );
}

#[test]
fn unknown_category_of_a_cap_is_reported() {
    check(
        RULE,
        "caps:\n  - { cap: a, most: 1, per: tenant, period: day, category: sytem, except: [account] }\n",
        &[
            "policy.yaml:2:60: no rule has the category `sytem`; did you mean `system`?",
            "policy.yaml:2:76: no rule has the category `account`; \
             take it out, or write the name of a category that there is",
        ],
    );
}

#[track_caller]
fn check(rule: &str, policy: &str, expected: &[&str]) {
    let template = ["email.subject.txt", "email.html", "email.txt"];
    let files = template.iter().map(|part| (format!("templates/hello/en/{part}"), String::new()));
    let others =
        [("rules/r.yaml".to_owned(), rule.to_owned()), ("policy.yaml".to_owned(), policy.to_owned())];
    let problems = compile_files(files.chain(others).collect()).err().unwrap_or_default();
    let message: Vec<String> = problems.iter().map(Problem::to_string).collect();
    assert_eq!(message, expected, "{rule}\n{policy}");
}
