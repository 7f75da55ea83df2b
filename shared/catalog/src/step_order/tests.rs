use super::*;
use crate::steps::steps;
use crate::yaml::map_of;

#[test]
fn escalation_is_valid() {
    check(
        "[{ throttle: { most: 1, per: 1h } }, { digest: 10m }, { send: [socket] }, { wait: 5m }, \
         { send: [push], unless: seen }, { wait: 5m }, { send: [sms], unless: acknowledged }]",
        &[],
    );
}

#[test]
fn steps_must_end_with_a_send() {
    check(
        "[{ wait: 5m }, { digest: 5m }]",
        &["1:9: no step sends a notification; add a step `- send: [socket, email]`"],
    );
    for (step, name) in
        [("wait: 5m", "wait"), ("digest: 5m", "digest"), ("throttle: { most: 1, per: 1h }", "throttle")]
    {
        check(
            &format!("[{{ send: [email] }}, {{ {step} }}]"),
            &[&format!(
                "1:28: the last step is `{name}`, and nothing comes after it; \
                 add a step `- send: …` after it, or take it out"
            )],
        );
    }
}

#[test]
fn digest_of_a_digest_is_refused() {
    check(
        "[{ digest: 5m }, { wait: 1h }, { digest: 1h }, { send: [email] }]",
        &[
            "1:39: a digest of a digest: nothing is sent between this one and the one before; take one of them out",
        ],
    );
    check(
        "[{ digest: 5m }, { send: [email] }, { digest: 1h }, { send: [email] }]",
        &["1:44: a second digest in one run: what was told as a digest cannot be collected again; \
           take one of them out, or make it two rules"],
    );
    check_outside(
        "[{ digest: 5m }, { send: [email] }]",
        Outside::Digest,
        &["9:9: `outside: digest` would collect again what a step has collected; \
           write `outside: defer` or `drop`, or take the digest step out"],
    );
    check_outside("[{ send: [email] }]", Outside::Digest, &[]);
    check_outside("[{ digest: 5m }, { send: [email] }]", Outside::Drop, &[]);
}

#[test]
fn unless_needs_an_earlier_send_that_reports() {
    check(
        "[{ wait: 5m }, { send: [socket], unless: seen }]",
        &["1:23: `unless: seen` has nothing before it that could be seen; \
           take it out, or put a step `- send: [socket]` before it"],
    );
    check(
        "[{ send: [email, push] }, { wait: 5m }, { send: [email, sms] }, { send: [sms], unless: acknowledged }]",
        &[
            "1:72: `unless: acknowledged` never holds: what was sent before on `email`, `push`, `sms` cannot be \
           acknowledged, for today only `socket` says so; add `socket` to a step before it, or take `unless` out",
        ],
    );
    check("[{ send: [email, socket] }, { send: [sms], unless: seen }]", &[]);
}

#[track_caller]
fn check(written: &str, expected: &[&str]) {
    check_outside(written, Outside::Defer, expected);
}

#[track_caller]
fn check_outside(written: &str, outside: Outside, expected: &[&str]) {
    let mut problems = Vec::new();
    let mut report = Diagnostics { file: "r", rule: None, problems: &mut problems };
    let members = map_of(&format!("steps: {written}"), &mut report);
    let steps = steps(&members, At { line: 1, column: 1 }, &mut report).unwrap();
    super::check(&steps, outside, Some(At { line: 9, column: 9 }), &mut report);
    let message: Vec<String> =
        problems.iter().map(|problem| problem.to_string().trim_start_matches("r:").to_owned()).collect();
    assert_eq!(message, expected, "{written}");
}
