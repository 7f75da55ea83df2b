use super::*;
use crate::yaml::items;

#[test]
fn eventbridge_pattern_is_accepted() {
    check(
        "{ source: [a], detail-type: [{ prefix: b }], detail: { data: { n: [{ numeric: ['>', 0] }] } } }",
        &[],
    );
    check("{ detail-type: [carillon.delivery.sent] }", &[]);
    check("{ detail.data.n: [1], id: [a], time: [{ exists: true }] }", &[]);
    check("{ $or: [{ source: [a] }, { detail: { data: { n: [1] } } }] }", &[]);
}

#[test]
fn error_has_the_place_in_the_pattern() {
    check(
        "{ source: a }",
        &["3:5: `when` is no pattern: at source, found \"a\"; write an array of values, or an object"],
    );
    check(
        "{}",
        &[
            "3:3: `when` is no pattern: at the pattern, found an empty object; write an object with at least one field",
        ],
    );
    check_place("{ source: [a], detail: { data: { total: 7 } } }", "detail.data.total", 36);
    check_place("{ source: [a, { prefx: b }] }", "source[1]", 17);
    check_place("{ $or: [{ source: [a] }, { detail: { total: [] } }] }", "$or[1].detail.total", 40);
    check_place("{ detail.data: { total: [] } }", "detail.data.total", 20);
}

#[test]
fn unknown_field_is_refused() {
    check(
        "{ detial: { data: { n: [1] } } }",
        &["3:5: no event has the field `detial`, so the rule never matches; did you mean `detail`?"],
    );
    check(
        "{ $or: [{ source: [a] }, { region: [b] }] }",
        &["3:30: no event has the field `region`, so the rule never matches; \
         it is one of `source`, `detail-type`, `detail`, `id`, `time`"],
    );
    check(
        "{ data.userId: [1] }",
        &["3:5: no event has the field `data`, so the rule never matches; \
         the payload is under `detail.data`: write `detail: { data: { … } }`"],
    );
}

#[test]
fn unsatisfiable_pattern_is_refused_at_its_place() {
    let fix = "mend the values, or take them out";
    check(
        "{ detail-type: [a.b], detail: { type: [a.c] } }",
        &[&format!(
            "3:35: the pattern matches no event: `detail.type` and `detail-type` are the same, and no value is in both lists; {fix}"
        )],
    );
    check(
        "{ source: [{ numeric: ['>', 5] }] }",
        &[&format!(
            "3:5: the pattern matches no event: `source` is always a text that is not empty, and none of these values matches one; {fix}"
        )],
    );
    check(
        "{ detail: { data: { n: [{ numeric: ['>', 5, '<', 3] }] } } }",
        &[
            "3:27: `when` is no pattern: at detail.data.n[0], found 5 to 3; write for numeric a lower bound below the upper one",
        ],
    );
    check(
        "{}",
        &[
            "3:3: `when` is no pattern: at the pattern, found an empty object; write an object with at least one field",
        ],
    );
    check(
        "{ $or: [] }",
        &["3:5: `when` is no pattern: at $or, found an empty array; write an array of at least two patterns"],
    );
}

/// Checks only the place and the faulty part of the pattern.
#[track_caller]
fn check_place(pattern: &str, at: &str, column: usize) {
    let message = problems(pattern);
    let expected = format!("3:{column}: `when` is no pattern: at {at}");
    assert!(message.len() == 1 && message[0].starts_with(&expected), "{expected} in {message:?}");
}

#[track_caller]
fn check(pattern: &str, expected: &[&str]) {
    assert_eq!(problems(pattern), expected, "{pattern}");
}

/// The problems of a pattern that begins at line 3, column 3.
fn problems(pattern: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let mut report = Diagnostics { file: "r", rule: None, problems: &mut problems };
    for node in items(&format!("\n\n- {pattern}"), &mut report) {
        when(&node, &mut report);
    }
    problems.iter().map(|problem| problem.to_string().trim_start_matches("r:").to_owned()).collect()
}

#[test]
fn payload_written_under_detail_gets_a_suggestion() {
    for (when, member) in [
        ("{ detail: { orderId: ['1'] } }", "orderId"),
        ("{ detail.orderId: ['1'] }", "orderId"),
        ("{ detail: { order_id: [1] } }", "order_id"),
        ("{ $or: [{ detail: { orderId: [1] } }, { source: [a] }] }", "orderId"),
        ("{ detail: { customer: { name: [ann] } } }", "customer"),
        ("{ detail.customer.name: [ann] }", "customer.name"),
    ] {
        let found = problems(when);
        let wanted = format!("write `detail: {{ data: {{ {member}: … }} }}`");
        assert!(found.iter().any(|text| text.contains(&wanted)), "{when}: {found:?}");
    }
    for when in [
        "{ detail: { data: { orderId: [1], a: { b: [1] } } } }",
        "{ detail.data.orderId: [1] }",
        "{ detail: { tenant: [a], priority: [high], mood: [calm] } }",
    ] {
        assert_eq!(problems(when), Vec::<String>::new(), "{when}");
    }
}

#[test]
fn extension_that_may_be_a_member_of_the_payload_is_a_warning() {
    for (when, expected) in [
        ("{ detail: { status: [shipped] } }", 1),
        ("{ $or: [{ detail: { total: [1] } }, { detail.status: [a] }] }", 2),
        ("{ detail: { tenant: [a], traceparent: [{ exists: true }], data: { status: [a] } } }", 0),
    ] {
        assert_eq!(warned(when).len(), expected, "{when}");
    }
}

#[test]
fn number_in_another_format_than_json_is_a_warning() {
    for number in [
        "01067",
        "1.10",
        "1.0",
        "+491701234567",
        "12e3",
        "1E3",
        "0x1F",
        "-0",
        "12345678901234567890123",
        ".5",
    ] {
        for when in [
            format!("{{ detail: {{ data: {{ n: [a, {number}] }} }} }}"),
            format!("{{ detail: {{ data: {{ n: [{{ anything-but: {number} }}] }} }} }}"),
            format!(
                "\n    detail:\n      data:\n        n:\n          - {number} # a comment\n          - b"
            ),
        ] {
            let found = warned(&when);
            // YAML readers differ on some of these numbers. Text is valid too.
            let is_number = items(&format!("- {number}"), &mut page_of(&mut Vec::new()))
                .iter()
                .all(|item| matches!(item.kind, Kind::Number(_)));
            let wanted = format!("write \"{number}\" in quotes");
            if is_number {
                assert!(found.iter().any(|(_, _, fix)| fix.contains(&wanted)), "{when}: {found:?}");
            }
        }
    }
    for when in [
        "{ detail: { data: { n: [0, -7, 1067, 1.5, -0.25, 100] } } }",
        "{ detail: { data: { n: ['01067', \"1.10\", '+49'] } } }",
        "{ detail: { data: { n: [{ numeric: ['>', 1.50] }, { numeric: ['=', 1e3] }] } } }",
        "{ detail: { data: { n: [NO, yes, 12:30, 2026-11-20, true, null] } } }",
    ] {
        assert_eq!(warned(when), [], "{when}");
    }
}

#[test]
fn wildcards_that_eventbridge_refuses_are_refused() {
    check_place(
        "{ detail: { data: { arn: [{ wildcard: '*:*:*:*:*:event-bus/*' }] } } }",
        "detail.data.arn",
        23,
    );
}

fn warned(when: &str) -> Vec<(At, String, String)> {
    warnings(&one(when))
}

fn one(when: &str) -> Node {
    let mut problems = Vec::new();
    let mut nodes = items(&format!("- {when}"), &mut page_of(&mut problems));
    assert!(problems.is_empty(), "{when}: {problems:?}");
    nodes.remove(0)
}

fn page_of(problems: &mut Vec<crate::problem::Problem>) -> Diagnostics<'_> {
    Diagnostics { file: "r.yaml", rule: None, problems }
}
