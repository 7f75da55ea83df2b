use super::*;
use serde_json::json;

#[test]
fn policy_is_read_completely() {
    let yaml = "zone: europe/london\nquiet: { quiet: { start: \"22:00\", end: \"07:00\" } }\nrate: 500\nweek-starts: sun\n\
        caps:\n  - { cap: daily, most: 20, per: recipient, period: day, channel: email, except: [account] }\n  \
        - { cap: weekly, most: 9, per: tenant, period: week }\n  - { cap: burst, most: 5, per: environment, period: 10m }\n  \
        - { cap: rolls, most: 5, per: recipient, rolling: 24h }\n\
        unknown: { emergency: resend, push: hold }\n\
        preferences: { channel_types: { sms: false } }\nroles: [doctor]\ntopics:\n  project:\n  family: [carers, 'care:all']\n";
    let (policy, problems) = read(yaml);
    assert_eq!(problems, [""; 0]);
    let expected = json!({
        "zone": "Europe/London",
        "quiet": { "quiet": { "start": "22:00", "end": "07:00" } },
        "rate": 500,
        "caps": [
            { "limit": { "name": "daily", "most": 20, "period": { "calendar": "day" }, "blocks": true },
              "per": "recipient", "channel": "email", "except": ["account"] },
            { "limit": { "name": "weekly", "most": 9, "period": { "calendar": "week", "week_starts": "sun" }, "blocks": true },
              "per": "tenant" },
            { "limit": { "name": "burst", "most": 5, "period": { "fixed": "10m" }, "blocks": true }, "per": "environment" },
            { "limit": { "name": "rolls", "most": 5, "period": { "rolling": "24h" }, "blocks": true }, "per": "recipient" },
        ],
        "unknown": { "emergency": "resend", "push": "hold" },
        "preferences": { "channel_types": { "sms": false } },
        "roles": ["doctor"],
        "topics": { "project": [], "family": ["carers", "care:all"] },
    });
    assert_eq!(serde_json::to_value(policy).unwrap(), expected);
}

#[test]
fn missing_or_empty_policy_gives_defaults() {
    assert!(super::read(None, &mut Vec::new()).policy == Policy::default());
    let (policy, problems) = read("# nothing yet\n");
    assert!(policy == Policy::default());
    assert_eq!(problems, [""; 0]);
}

#[test]
fn policy_is_a_map_of_known_keys() {
    check(
        "- a",
        &["1:1: the file is a list, not a map; write each setting as `<key>: …` at the start of a line"],
    );
    check("zone: UTC\nrates: 7", &["2:1: unknown key `rates`; did you mean `rate`?"]);
    check("rate: 1\nrate: 2", &["2:1: the key `rate` stands here twice; keep one of the two"]);
    check("rate: 0", &["1:7: found `0`, wanted a whole number; write 1 to 100000"]);
}

#[test]
fn default_language_is_a_normalised_tag() {
    let (policy, problems) = read("locale: de\n");
    assert_eq!((policy.locale.as_str(), problems), ("de", Vec::new()));
    assert_eq!(read("locale: pt-BR\n").0.locale, "pt-BR");
    assert_eq!(read("zone: UTC\n").0.locale, "en");
    check("locale: pt_br", &["1:9: `pt_br` is not how a locale is written; write `pt-BR`"]);
    check("locale: d", &["1:9: `d` is no language; write a language tag, such as `de` or `pt-BR`"]);
}

#[test]
fn rate_is_one_number_or_one_per_kind() {
    for (yaml, expected) in [
        ("rate: 700", (700, 500, 2_000)),
        ("rate: { per-source: 2000, per-tenant: 50, critical: 90 }", (2_000, 50, 90)),
        ("rate: { per-tenant: 900 }", (1_000, 900, 2_000)),
    ] {
        let (policy, problems) = read(yaml);
        assert_eq!(problems, [""; 0], "{yaml}");
        assert_eq!((policy.rate, policy.tenant_rate, policy.critical_rate), expected, "{yaml}");
    }
    check("rate: { per-user: 7 }", &["1:9: unknown key `per-user`; did you mean `per-source`?"]);
    check("rate: { critical: 0 }", &["1:19: found `0`, wanted a whole number; write 1 to 100000"]);
    check(
        "rate: { per-tenant: 50, critical: 40 }",
        &[
            "1:25: fewer critical events than other ones of a tenant, 50, are let through; write a higher number for \
           `critical`",
        ],
    );
}

#[test]
fn cap_may_include_critical_messages() {
    let (policy, problems) = read("caps:\n  - { cap: a, most: 9, per: tenant, period: day, critical: true }");
    assert_eq!(problems, [""; 0]);
    assert!(policy.caps[0].critical);
    check_cap(
        "cap: a, most: 1, per: tenant, period: day, critical: yes",
        &["found text, wanted a boolean; write `true` or `false`"],
    );
}

#[test]
fn unknown_outcome_is_held_or_resent() {
    check(
        "unknown: { sms: maybe }",
        &["1:17: unknown word for what got no answer `maybe`; it is one of `hold`, `resend`"],
    );
}

#[test]
fn unknown_zone_is_refused() {
    check("zone: Tokyo", &["1:7: \"Tokyo\" is no IANA time zone; write `Asia/Tokyo`"]);
}

#[test]
fn quiet_hours_are_read_exactly() {
    let range = "a `start` and an `end` that differ; a whole day is from 00:00 to 24:00";
    check(
        "quiet:\n  quiet: { start: '07:00', end: '07:00' }",
        &[&format!("2:3: `quiet` cannot be read: at `quiet`, found 07:00–07:00; write {range}")],
    );
    check(
        "quiet:\n  quiet:\n    - { start: '20:00', end: '23:00' }\n    - { start: '22:00', end: '24:00' }",
        &[
            "4:7: `quiet` cannot be read: at `quiet[1]`, found mon 22:00–24:00, which overlaps mon 20:00–23:00 of quiet[0]; \
           write ranges of one day that do not overlap",
        ],
    );
    check(
        "quiet:\n  - { day: mond, type: send }",
        &[
            "2:7: `quiet` cannot be read: at `[0].day`, found \"mond\"; write one of mon, tue, wed, thu, fri, sat, sun",
        ],
    );
    check(
        "week-starts: monday",
        &["1:14: unknown day `monday`; it is one of `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`"],
    );
}

#[test]
fn cap_needs_a_number_and_a_period() {
    let fix =
        "write `period: hour`, `day`, `week` or `month`, a length such as `period: 10m`, or `rolling: 24h`";
    check_cap(
        "cap: a, most: 0, per: tenant, period: day",
        &["found `0`, wanted a whole number; write 1 or more"],
    );
    check_cap("cap: a, most: 1, per: tenant", &[&format!("the cap has no period; {fix}")]);
    check_cap(
        "cap: a, most: 1, per: tenant, period: 40d",
        &[&format!("the period cannot be read: found \"40d\"; {fix}")],
    );
    check_cap(
        "cap: a, most: 1, per: tenant, period: day, rolling: 1h",
        &["the cap has both `period` and `rolling`; take one out"],
    );
    check_cap(
        "cap: a, most: 101, per: tenant, rolling: 1h",
        &["`most` cannot be 101 over a period that rolls; write a whole number from 1 to 100"],
    );
    check_cap(
        "cap: a, most: 1, per: user, period: day",
        &["unknown value for `per` `user`; it is one of `recipient`, `tenant`, `environment`"],
    );
    check_cap(
        "cap: a, most: 1, per: tenant, period: day, channel: mail",
        &["unknown channel `mail`; did you mean `email`?"],
    );
    check_cap(
        "cap: throttle, most: 1, per: tenant, period: day",
        &["`throttle` is what the throttles of rules are called; write another name"],
    );
    check_cap(
        "cap: A cap, most: 1, per: tenant, period: day",
        &[
            "`A cap` is no name for a cap; use small letters, digits and single dashes, at most 64: `daily-email`",
        ],
    );
    let cap = "  - { cap: a, most: 1, per: tenant, period: day }\n";
    check(
        &format!("caps:\n{cap}{cap}"),
        &["3:12: there is a cap `a` already; give one of them another name"],
    );
}

#[test]
fn preferences_have_the_format_of_profiles() {
    check(
        "preferences:\n  categories:\n    lab: { channel_types: { email: 'no' } }",
        &[
            "3:29: `preferences` cannot be read: at `categories.lab.channel_types.email`, found \"no\"; write true or false",
        ],
    );
}

#[test]
fn roles_and_topics_have_unique_plain_names() {
    let fix = "use letters, digits, `-` and `_`; put values of the event into a key of their own";
    check("roles: [a, b, a]", &["1:15: the role `a` stands here twice; take one out"]);
    check("roles: ['a:b']", &[&format!("1:9: `a:b` is no name for a role; {fix}")]);
    check("topics: { 'a:b': [] }", &[&format!("1:11: `a:b` is no name for a topic; {fix}")]);
    check(
        "topics: { a: [b, 'c:', b] }",
        &[
            "1:18: `c:` is no topic; write the name of a topic, or one topic as `<name>:<value>`",
            "1:24: the topic `b` stands here twice; take one out",
        ],
    );
}

#[track_caller]
fn check_cap(cap: &str, expected: &[&str]) {
    let (_, problems) = read(&format!("caps:\n  - {{ {cap} }}"));
    let bare: Vec<&str> =
        problems.iter().filter_map(|problem| problem.split_once(": ").map(|(_, problem)| problem)).collect();
    assert_eq!(bare, expected, "{cap}");
}

#[track_caller]
fn check(yaml: &str, expected: &[&str]) {
    assert_eq!(read(yaml).1, expected, "{yaml}");
}

fn read(yaml: &str) -> (Policy, Vec<String>) {
    let mut problems = Vec::new();
    let policy = super::read(Some(yaml), &mut problems).policy;
    let message = problems
        .iter()
        .map(|problem| problem.to_string().trim_start_matches("policy.yaml:").to_owned())
        .collect();
    (policy, message)
}
