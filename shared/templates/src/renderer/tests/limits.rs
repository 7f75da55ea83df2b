use serde_json::json;

use super::{letter, renderer};

#[test]
fn a_loop_without_an_end_stops() {
    check("{% for i in range(100000000) %}x{% endfor %}", "invalid operation");
    let nested = "{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}";
    check(nested, "it takes more than 200000 steps; does it loop?");
    check(
        "{% for i in range(99999) %}{% set x = i * 2 %}{% endfor %}",
        "it takes more than 200000 steps; does it loop?",
    );
}

#[test]
fn a_template_that_includes_or_extends_itself_stops() {
    let too_deep = "it nests too deep, 5 includes are the limit; does it include itself?";
    check("{% include 't/en/email.txt' %}", too_deep);
    check("{% extends 't/en/email.txt' %}", "invalid operation");
    check("{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}", too_deep);
    check("{% block a %}{{ self.a() }}{% endblock %}", too_deep);
}

#[test]
fn five_includes_may_stand_within_each_other() {
    assert_eq!(nested(5), Ok("end".to_owned()));
    assert!(nested(6).unwrap_err().contains("it nests too deep, 5 includes are the limit"));
}

#[test]
fn a_template_of_thousands_of_brackets_is_refused_and_does_not_overflow_the_stack() {
    let renderer = renderer(&[("t/en/email.txt", &format!("{{{{ {} }}}}", "(".repeat(100_000)))]);
    assert!(renderer.compile("t/en/email.txt").is_err());
}

#[test]
fn a_part_stops_growing_at_200_kib() {
    let text = |length: usize| "x".repeat(length);
    let files = [("t/en/email.txt", "{{ data.text }}")];
    assert_eq!(letter(&files, &json!({ "text": text(204_800) })).unwrap().text.len(), 204_800);
    let failure = letter(&files, &json!({ "text": text(204_801) })).err().unwrap();
    assert_eq!(failure.problem, "it grows beyond 204800 bytes");
    let in_pieces = letter(
        &[("t/en/email.txt", "{% for i in range(3) %}{{ data.text }}{% endfor %}")],
        &json!({ "text": text(100_000) }),
    );
    assert!(in_pieces.err().unwrap().problem.starts_with("it grows beyond 204800 bytes"));
}

#[track_caller]
fn check(text: &str, problem: &str) {
    let failure = match letter(&[("t/en/email.txt", text)], &json!({})) {
        Ok(letter) => panic!("{text} gave {} bytes", letter.text.len()),
        Err(it) => it,
    };
    assert_eq!(failure.problem, format!("{problem} in `{text}`"));
}

/// A letter that includes a file that includes a file …
fn nested(includes: usize) -> Result<String, String> {
    let names: Vec<String> = (1..=includes).map(|it| format!("layouts/{it}.txt")).collect();
    let texts: Vec<String> = names.iter().map(|it| format!("{{% include '{it}' %}}")).collect();
    let mut files = vec![("t/en/email.txt", texts[0].as_str())];
    for (at, name) in names.iter().enumerate() {
        files.push((name, texts.get(at + 1).map_or("end", String::as_str)));
    }
    letter(&files, &json!({})).map(|it| it.text).map_err(|it| it.to_string())
}
