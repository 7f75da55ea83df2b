use super::*;
use crate::yaml::items;

#[test]
fn a_pattern_is_what_eventbridge_takes() {
    check(
        "{ source: [a], detail-type: [{ prefix: b }], detail: { data: { n: [{ numeric: ['>', 0] }] } } }",
        &[],
    );
    check("{ detail-type: [carillon.delivery.sent] }", &[]);
    check("{ detail.data.n: [1], id: [a], time: [{ exists: true }] }", &[]);
    check("{ $or: [{ source: [a] }, { detail: { data: { n: [1] } } }] }", &[]);
}

#[test]
fn a_refusal_stands_where_the_pattern_is_wrong() {
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
fn a_field_that_no_event_has_is_refused() {
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
         it is one of `source`, `detail-type`, `detail`, `id`, `time`"],
    );
}

#[test]
fn a_pattern_that_can_match_nothing_is_refused_where_that_is_seen() {
    let fix = "mend the values, or take them out";
    check(
        "{ detail-type: [a.b], detail: { type: [a.c] } }",
        &[&format!(
            "3:35: it matches nothing: `detail.type` and `detail-type` are the same, and no value is in both lists; {fix}"
        )],
    );
    check(
        "{ source: [{ numeric: ['>', 5] }] }",
        &[&format!(
            "3:5: it matches nothing: `source` is always a text that is not empty, and none of these values matches one; {fix}"
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

/// Only the place and which part of the pattern is at fault.
#[track_caller]
fn check_place(pattern: &str, at: &str, column: usize) {
    let told = problems(pattern);
    let expected = format!("3:{column}: `when` is no pattern: at {at}");
    assert!(told.len() == 1 && told[0].starts_with(&expected), "{expected} in {told:?}");
}

#[track_caller]
fn check(pattern: &str, expected: &[&str]) {
    assert_eq!(problems(pattern), expected, "{pattern}");
}

/// The pattern begins at line 3, column 3.
fn problems(pattern: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let mut page = Page { file: "r", rule: None, problems: &mut problems };
    for node in items(&format!("\n\n- {pattern}"), &mut page) {
        when(&node, &mut page);
    }
    problems.iter().map(|it| it.to_string().trim_start_matches("r:").to_owned()).collect()
}
