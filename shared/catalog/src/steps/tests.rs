use super::*;
use crate::Problem;
use serde_json::json;

#[test]
fn steps_are_read_in_their_order() {
    let yaml = "steps:\n\
        - throttle: { most: 3, per: 1h, key: $.data.ticketId }\n\
        - digest: { for: 10m, key: $.data.boardId, max-items: 50, sliding: 1h, flush-first: true, show: 5, keep: last }\n\
        - send: [socket]\n\
        - wait: 5m\n\
        - send: [push]\n  unless: seen\n\
        - wait: $.data.startsAt\n  shift: -1h\n\
        - wait: 2026-12-24T08:00:00Z\n\
        - send: [sms]\n  unless: acknowledged\n  failover: [whatsapp, email]\n";
    let expected = json!([
        { "throttle": { "most": 3, "per": "1h", "key": "$.data.ticketId" } },
        { "digest": {
            "span": "10m", "key": "$.data.boardId",
            "policy": { "max_items": 50, "sliding": { "max": "PT1H" }, "flush_first": true, "lookback": false,
                        "keep": "last", "show": 5 },
        } },
        { "send": { "channels": ["socket"] } },
        { "wait": { "for": "PT5M" } },
        { "send": { "channels": ["push"], "unless": "seen" } },
        { "wait": { "event": { "path": "$.data.startsAt", "shift": "-PT1H" } } },
        { "wait": { "until": "2026-12-24T08:00:00Z" } },
        { "send": { "channels": ["sms"], "failover": ["whatsapp", "email"], "unless": "acknowledged" } },
    ]);
    assert_eq!(read(yaml), (expected, vec![]));
}

#[test]
fn channels_and_delay_are_a_short_form_of_two_steps() {
    let expected = json!([{ "wait": { "for": "PT10M" } }, { "send": { "channels": ["email"] } }]);
    assert_eq!(read("channels: [email]\ndelay: 10m"), (expected.clone(), vec![]));
    assert_eq!(read("steps: [{ wait: 10m }, { send: [email] }]"), (expected, vec![]));
}

#[test]
fn rule_has_either_channels_or_steps() {
    check(
        "about: x",
        &["1:1: the rule has neither `channels` nor `steps`; add a line `channels: [socket, email]`"],
    );
    check(
        "steps: [{ send: [email] }]\nchannels: [email]\ndelay: 1m",
        &[
            "2:1: the rule has both `channels` and `steps`; \
             keep one of the two: `channels: [email]` is short for `steps: [{ send: [email] }]`",
            "3:1: `delay` belongs to `channels`, and the rule has `steps`; make it the first step: `- wait: …`",
        ],
    );
}

#[test]
fn failover_names_other_channels_and_belongs_to_send() {
    check_step(
        "{ send: [push, sms], failover: [sms] }",
        &["`sms` is sent anyway, so it cannot take the place of another channel; \
           take it out of `failover`, or out of `send`"],
    );
    check_step(
        "{ wait: 5m, failover: [sms] }",
        &["`failover` belongs to `send`, and this step is `wait`; take it out, or move it"],
    );
    check_step(
        "{ send: [push], failover: [] }",
        &["`failover` names no channel; name one, or take `failover` out"],
    );
}

#[test]
fn step_has_exactly_one_kind() {
    check_step("send", &[&format!("found text, wanted a step; {STEP}")]);
    check_step("{ unless: seen }", &[&format!("the step does nothing; {STEP}")]);
    check_step(
        "{ send: [email], wait: 1m }",
        &["one step does several things: `send`, `wait`; make it one step each"],
    );
    check_step(
        "{ sned: [email] }",
        &["unknown key `sned`; did you mean `send`?", &format!("the step does nothing; {STEP}")],
    );
    check_step(
        "{ wait: 1m, unless: seen }",
        &["`unless` belongs to `send`, and this step is `wait`; take it out, or move it"],
    );
    check_step(
        "{ send: [email], unless: read }",
        &["unknown value for `unless` `read`; it is one of `seen`, `acknowledged`"],
    );
    check("steps: []", &[&format!("1:8: `steps` is empty, so nothing is ever sent; {STEP}")]);
    let many = format!("steps: [{}]", "{ wait: 1m }, ".repeat(MAX_STEPS + 1));
    check(&many, &["1:8: there are 51 steps, and a rule has 50 at most; make it two rules"]);
}

#[test]
fn unknown_step_is_not_read_as_a_throttle() {
    check_step(
        "{ throtle: { most: 1, per: 1h } }",
        &["unknown key `throtle`; did you mean `throttle`?", &format!("the step does nothing; {STEP}")],
    );
    check_step("{ throttle: { most: 1, per: 1h } }", &[]);
}

#[test]
fn wait_is_a_duration_a_time_or_a_path() {
    check_step("{ wait: 1d 2h }", &[]);
    check_step("{ wait: soon }", &[&format!("`soon` is nothing to wait for; {WAIT}")]);
    check_step("{ wait: 0s }", &[&format!("`0s` is over before it begins; {WAIT}")]);
    check_step("{ wait: 5w }", &[&format!("`5w` is longer than 31 days; {WAIT}")]);
    check_step(
        "{ wait: $.data..at }",
        &["`$.data..at` is not a path; write `$.` and names with dots between them, such as `$.data.userId`"],
    );
    check_step(
        "{ wait: 1h, shift: -1m }",
        &["`shift` moves an instant that the event names, and none is named; \
           take it out, or wait for an instant of the event: `wait: $.data.startsAt`"],
    );
    check_step(
        "{ wait: $.data.at, shift: earlier }",
        &[
            "`earlier` is no shift; write how much later, or with a minus how much earlier, up to 31 days: `-1h`",
        ],
    );
}

#[test]
fn throttle_needs_a_number_and_a_period() {
    check_step("{ throttle: { most: 1, per: { every: weekly, days: [mon] } } }", &[]);
    check_step("{ throttle: { most: 0, per: 1h } }", &["found `0`, wanted a whole number; write 1 or more"]);
    let long = "a length from more than nothing to 31 days such as \"10m\", \"1h 30m\", \"7d\" or \"2w\"";
    check_step(
        "{ throttle: { most: 1, per: 32d } }",
        &[&format!("`per` cannot be read: found \"32d\"; write {long}")],
    );
    check_step("{ throttle: 3 }", &["found a number, wanted a map; write it as `{ most: 3, per: 1h }`"]);
    check_step("{ throttle: { per: 1h } }", &["the key `most` is missing; add a line `most: …`"]);
    check_step(
        "{ throttle: { most: 1, per: 1h, key: ticket } }",
        &["`ticket` is not a path; write `$.` and names with dots between them, such as `$.data.userId`"],
    );
}

#[test]
fn digest_settings_are_read() {
    check_step("{ digest: 10m }", &[]);
    check_step("{ digest: { for: { every: daily, at: '09:00' }, sort-by: $.severity, order: lowest } }", &[]);
    check_step(
        "{ digest: 10 }",
        &["`digest` cannot be read: found 10; \
           write a length from more than nothing to 31 days such as \"10m\", \"1h 30m\", \"7d\" or \"2w\""],
    );
    check_step("{ digest: { key: $.data.id } }", &["the key `for` is missing; add a line `for: …`"]);
    check_step(
        "{ digest: { for: { every: daily, at: '9' } } }",
        &[
            "`for` cannot be read: at `at`, found \"9\"; write a time from \"00:00\" to \"24:00\" such as \"08:30\", in quotes",
        ],
    );
    check_step("{ digest: { for: 1h, max-items: 1 } }", &["`max-items` cannot be 1; write 2 to 1000"]);
    check_step("{ digest: { for: 1h, show: 101 } }", &["`show` cannot be 101; write 1 to 100"]);
    check_step(
        "{ digest: { for: 1h, sliding: 40d } }",
        &["`sliding` cannot be PT960H; write more than 0 and at most 31 days"],
    );
    check_step("{ digest: { for: 1h, sliding: true } }", &["found a boolean, wanted text; put it in quotes"]);
}

#[test]
fn contradicting_digest_settings_are_refused() {
    check_step(
        "{ digest: { for: 1h, order: lowest } }",
        &["`order` without `sort-by` orders nothing; add `sort-by: $.data.<value>`"],
    );
    check_step(
        "{ digest: { for: 1h, keep: last, sort-by: $.data.n } }",
        &["`keep` and `sort-by` contradict each other; \
           keep one of the two: `sort-by` shows the highest or the lowest, `keep` the first or the last"],
    );
    check_step(
        "{ digest: { for: 1h, flush-first: true, lookback: true } }",
        &["`flush-first` and `lookback` stand side by side; \
           keep one of the two; each lets an event through in its own way"],
    );
    check_step("{ digest: { for: 1h, flush-first: false, lookback: true } }", &[]);
}

/// Checks one step, followed by a send. Places are left out.
#[track_caller]
fn check_step(step: &str, expected: &[&str]) {
    let (_, problems) = read(&format!("steps: [{step}]"));
    let bare: Vec<&str> =
        problems.iter().filter_map(|problem| problem.split_once(": ").map(|(_, problem)| problem)).collect();
    assert_eq!(bare, expected, "{step}");
}

#[track_caller]
fn check(yaml: &str, expected: &[&str]) {
    assert_eq!(read(yaml).1, expected, "{yaml}");
}

/// The steps in the catalog's form, and the problems.
fn read(yaml: &str) -> (Value, Vec<String>) {
    let mut problems: Vec<Problem> = Vec::new();
    let mut report = Diagnostics { file: "r", rule: None, problems: &mut problems };
    let members = crate::yaml::map_of(yaml, &mut report);
    let at = At { line: 1, column: 1 };
    let steps: Option<Vec<Step>> =
        steps(&members, at, &mut report).map(|step| step.into_iter().map(|(step, _)| step).collect());
    let message =
        problems.iter().map(|problem| problem.to_string().trim_start_matches("r:").to_owned()).collect();
    (serde_json::to_value(steps).unwrap(), message)
}
