use super::*;
use proptest::prelude::*;
use serde_json::json;

const SYNTAX: &str = "look for a missing quote, bracket, colon or space just before it";

#[test]
fn values_keep_their_type() {
    check("- [a, '7', 7, -3, 1.5, 0x10]", &[json!(["a", "7", 7, -3, 1.5, 16])], &[]);
    check(
        "- [true, FALSE, yes, on, null, ~, 2026-11-20]",
        &[json!([true, false, "yes", "on", null, null, "2026-11-20"])],
        &[],
    );
    check("- &x { a: b }\n- *x", &[json!({"a": "b"}), json!({"a": "b"})], &[]);
}

#[test]
fn values_and_keys_have_places() {
    let mut problems = Vec::new();
    let nodes = items("\n- a: b\n  cd:\n    - é: e\n", &mut report(&mut problems));
    let Kind::Map(entries) = &nodes[0].kind else { panic!("a map") };
    let places =
        |entry: &Entry| ((entry.at.line, entry.at.column), (entry.value.at.line, entry.value.at.column));
    assert_eq!(entries.iter().map(places).collect::<Vec<_>>(), [((2, 3), (2, 6)), ((3, 3), (4, 5))]);
}

#[test]
fn file_must_be_one_list() {
    check("", &[], &[]);
    check("# nothing yet\n", &[], &[]);
    let fix = "begin each rule with `- rule: <name>` at the start of a line";
    check("rule: a", &[], &[&format!("1:1: the file is a map, not a list of rules; {fix}")]);
    check("rule", &[], &[&format!("1:1: the file is text, not a list of rules; {fix}")]);
    check(
        "- a\n---\n- b\n",
        &[],
        &["3:1: there is more than one YAML document; take `---` out, or make it two files"],
    );
}

#[test]
fn error_in_one_item_hides_no_other_item() {
    let text = "# head\n- a: b: c\n- d: 1\n- e: [\n- f: 2\n";
    check(
        text,
        &[json!({"d": 1}), json!({"f": 2})],
        &[
            &format!(
                "2:7: no YAML that can be read: mapping values are not allowed in this context; {SYNTAX}"
            ),
            &format!("4:6: no YAML that can be read: unclosed bracket '['; {SYNTAX}"),
        ],
    );
    check(
        "- a: 1\n\tb: 2\n- c: 3\n",
        &[json!({"c": 3})],
        &[&format!("1:6: no YAML that can be read: while scanning a plain scalar, found a tab; {SYNTAX}")],
    );
    check(
        "- a: *nobody\n",
        &[],
        &[&format!("1:6: no YAML that can be read: reference to unknown value; {SYNTAX}")],
    );
}

#[test]
fn duplicate_key_is_refused() {
    check(
        "- a: 1\n  a: 2\n  b: 3\n- c: 4\n  c: 5\n",
        &[json!({"a": 1, "b": 3}), json!({"c": 4})],
        &[
            "2:3: the key `a` stands here twice; keep one of the two",
            "5:3: the key `c` stands here twice; keep one of the two",
        ],
    );
    check("- <<: { a: 1 }\n", &[], &["1:3: the merge key `<<` is not understood; write the keys out"]);
}

#[test]
fn deep_nesting_is_refused() {
    let nested = |depth: usize| format!("- {}{}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    assert_eq!(problems(&nested(MAX_DEPTH)), [""; 0]);
    let message = format!(
        "lists and maps nest deeper than {MAX_DEPTH} levels, or the file is too large; make it flatter, or split the file"
    );
    assert_eq!(problems(&nested(MAX_DEPTH + 1)), [format!("1:34: {message}")]);
    assert_eq!(problems(&nested(100_000)).len(), 1);
}

proptest! {
    #[test]
    fn any_text_is_accepted_without_panic(text in "([-a:\\[\\]{}\"'&*|>#!?, \\n\\t\\PC]){0,60}") {
        problems(&text);
    }
}

#[track_caller]
fn check(text: &str, expected: &[Value], message: &[&str]) {
    let mut problems = Vec::new();
    let found: Vec<Value> = items(text, &mut report(&mut problems)).iter().map(Node::to_json).collect();
    assert_eq!(found, expected, "{text}");
    assert_eq!(shown(&problems), message, "{text}");
}

fn problems(text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    items(text, &mut report(&mut problems));
    shown(&problems)
}

fn shown(problems: &[crate::Problem]) -> Vec<String> {
    problems.iter().map(|problem| problem.to_string().trim_start_matches("r:").to_owned()).collect()
}

fn report(problems: &mut Vec<crate::Problem>) -> Diagnostics<'_> {
    Diagnostics { file: "r", rule: None, problems }
}
