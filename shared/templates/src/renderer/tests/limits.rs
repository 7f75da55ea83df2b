use serde_json::json;

use super::{letter, renderer};

#[test]
fn endless_loop_stops() {
    check("{% for i in range(100000000) %}x{% endfor %}", "the list has more than 2000 items");
    let nested = "{% for i in range(999) %}{% for j in range(999) %}{% endfor %}{% endfor %}";
    check(nested, "rendering takes more than 20000 steps; check its loops");
    check(
        "{% for i in range(2000) %}{% set x = i - 1 %}{% set x = x - 1 %}{% set x = x - 1 %}{% endfor %}",
        "rendering takes more than 20000 steps; check its loops",
    );
}

#[test]
fn recursive_include_or_extends_stops() {
    let too_deep = "more than 5 includes within one another; check for a file that includes itself";
    check("{% include 't/en/email.txt' %}", too_deep);
    check("{% extends 't/en/email.txt' %}", "invalid operation");
    check("{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}", too_deep);
    check("{% block a %}{{ self.a() }}{% endblock %}", too_deep);
}

#[test]
fn five_nested_includes_are_allowed() {
    assert_eq!(nested(5), Ok("end".to_owned()));
    assert!(nested(6).unwrap_err().contains("more than 5 includes within one another"));
}

#[test]
fn thousands_of_brackets_are_refused_without_stack_overflow() {
    let renderer = renderer(&[("t/en/email.txt", &format!("{{{{ {} }}}}", "(".repeat(100_000)))]);
    assert!(renderer.compile("t/en/email.txt").is_err());
}

#[test]
fn part_is_limited_to_200_kib() {
    let text = |length: usize| "x".repeat(length);
    let files = [("t/en/email.txt", "{{ data.text }}")];
    assert_eq!(letter(&files, &json!({ "text": text(204_800) })).unwrap().text.len(), 204_800);
    let failure = letter(&files, &json!({ "text": text(204_801) })).err().unwrap();
    assert_eq!(failure.problem, "the text is longer than 204800 bytes");
    let in_pieces = letter(
        &[("t/en/email.txt", "{% for i in range(3) %}{{ data.text }}{% endfor %}")],
        &json!({ "text": text(100_000) }),
    );
    assert!(in_pieces.err().unwrap().problem.starts_with("the text is longer than 204800 bytes"));
}

#[track_caller]
fn check(text: &str, problem: &str) {
    let failure = match letter(&[("t/en/email.txt", text)], &json!({})) {
        Ok(letter) => panic!("{text} gave {} bytes", letter.text.len()),
        Err(error) => error,
    };
    assert_eq!(failure.problem, format!("{problem} in `{text}`"));
}

/// An e-mail that includes a file that includes another, this many levels deep.
fn nested(includes: usize) -> Result<String, String> {
    let names: Vec<String> = (1..=includes).map(|number| format!("layouts/{number}.txt")).collect();
    let texts: Vec<String> = names.iter().map(|name| format!("{{% include '{name}' %}}")).collect();
    let mut files = vec![("t/en/email.txt", texts[0].as_str())];
    for (index, name) in names.iter().enumerate() {
        files.push((name, texts.get(index + 1).map_or("end", String::as_str)));
    }
    letter(&files, &json!({})).map(|letter| letter.text).map_err(|error| error.to_string())
}

#[test]
fn growing_operators_are_refused_before_rendering() {
    let concat = "`~` is not supported: write {{ a }}{{ b }}, or [a, b] | join";
    check("{% set x = 'aaaa' %}{% set x = x ~ x %}", concat);
    check("{{ default(x ~ x) }}", concat);
    check("{% if x ~ x %}{% endif %}", concat);
    let times = "`*` takes numbers, and both sides must be seen to be one: (a | float) * (b | float)";
    for text in
        ["{{ 'a' * 100000000 }}", "{{ data.x * 9999 }}", "{{ [1] * 9999 }}", "{{ (x | int('aaa')) * 9999 }}"]
    {
        check(text, times);
    }
    let plus = "`+` adds numbers, and one side must be seen to be one: (a | float) + b";
    check("{% set x = 'a' %}{% set x = x + x %}", plus);
    check("{{ [1] + [2] }}", plus);
    let kept = "a stored list holds constants only; use the list in the tag that makes it";
    check("{% set x = [1] %}{% set x = [x, x] %}", kept);
    check("{% with x = {'a': y} %}{% endwith %}", kept);
    check("{% for x in [[y, y]] %}{% endfor %}", kept);
    check("{% for x in [1] recursive %}{{ loop([x, x]) }}{% endfor %}", kept);
    let slices = "a tag slices 4 times at most, the variables of a file 20";
    check("{{ x[1:][1:][1:][1:][1:] }}", slices);
    check(&"{% set x = x[1:] %}".repeat(21), slices);
    check(&"{% set x = 1 %}".repeat(101), "a file sets 100 variables at most");
    check("{% import 'a' as b %}", "`import` is not supported; use `include`");
    let long = format!("{{{{ x{} }}}}", ".x".repeat(5_000));
    check(&long, "a tag has 200 words and signs at most; cut it in two");
}

#[test]
fn arithmetic_and_short_lists_are_allowed() {
    let data = json!({ "n": 5, "items": ["a", "b", "c"], "price": "2.5", "at": "2026-11-03T17:05:00Z" });
    for (text, expected) in [
        ("{{ data.n + 1 }} {{ data.n - 1 }} {{ data.n // 2 }} {{ data.n % 2 }} {{ 2 * 3 }}", "6 4 2 1 6"),
        ("{{ (data.price | float) * (data.n | int) }}", "12.5"),
        ("{{ (data.items | length) * 2 + 1 }}", "7"),
        ("{{ data.at[11:16] }} {{ data.items[:2] | join('/') }}", "17:05 a/b"),
        ("{% if data.n in [4, 5] %}yes{% endif %}", "yes"),
        ("{% for it in [data.n, 'x'] %}{{ it }}{% endfor %}", "5x"),
        ("{% set pair = ['a', 'b'] %}{{ pair | join('-') }}", "a-b"),
        ("{{ [data.n, data.price] | join(' ') }}", "5 2.5"),
        ("{% set all %}{{ data.n }}!{% endset %}{{ all }}{{ all }}", "5!5!"),
        ("{% filter upper %}{{ data.items | join }}{% endfilter %}", "ABC"),
        ("{% for i in range(3) %}{{ i }}{% endfor %}{{ range(4, 0, -2) | join }}", "01242"),
        ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
    ] {
        let letter = letter(&[("t/en/email.txt", text)], &data);
        assert_eq!(letter.map(|letter| letter.text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn unlimited_filters_and_functions_do_not_exist() {
    for filter in ["format", "indent", "batch", "slice", "chain", "zip", "pprint"] {
        check(&format!("{{{{ 'x' | {filter} }}}}"), &format!("unknown filter: filter {filter} is unknown"));
    }
    for function in ["dict", "namespace", "debug"] {
        check(&format!("{{{{ {function}() }}}}"), &format!("unknown function: {function} is unknown"));
    }
}

#[test]
fn filters_process_at_most_four_megabytes() {
    let long = "x".repeat(100_000);
    let data = json!({ "text": long, "words": vec!["word"; 2_000], "nest": [["x".repeat(90_000)]] });
    for text in [
        "{% for i in range(2000) %}{% set x = data.text | upper %}{% endfor %}",
        "{% for i in range(2000) %}{% set x = data.words | sort %}{% endfor %}",
        "{% for i in range(2000) %}{% set x = data.nest | string %}{% endfor %}",
        "{{ data.text | replace('x', data.text) }}",
        "{{ data.words | join(data.text) }}",
        "{{ data.words | join(d=data.text) }}",
        "{{ data.words | map('replace', 'w', data.text) }}",
        "{% set x %}{% for i in range(2000) %}{{ data.text }}{% endfor %}{% endset %}",
        "{% filter upper %}{% for i in range(2000) %}{{ data.nest }}{% endfor %}{% endfilter %}",
    ] {
        let failure = letter(&[("t/en/email.txt", text)], &data).err().unwrap();
        assert!(
            failure.problem.starts_with("filters process more than 4 MB of values in `"),
            "{text}: {failure}"
        );
    }
}

#[test]
fn doubling_variable_stops_at_four_megabytes() {
    let text = format!("{{% set x = 'xxxx' %}}{}", "{% set x %}{{ x }}{{ x }}{% endset %}".repeat(90));
    let failure = letter(&[("t/en/email.txt", &text)], &json!({})).err().unwrap();
    assert!(failure.problem.starts_with("filters process more than 4 MB of values"), "{failure}");
}

#[test]
fn list_of_more_than_2000_items_fails_only_templates_that_use_it() {
    let data = |items: usize| json!({ "list": vec![1; items], "n": 1 });
    let count = [("t/en/email.txt", "{{ data.list | length }}")];
    assert_eq!(letter(&count, &data(2_000)).unwrap().text, "2000");
    let failure = letter(&count, &data(2_001)).err().unwrap();
    assert!(failure.problem.starts_with("the list has more than 2000 items in `"), "{failure}");
    assert_eq!(letter(&[("t/en/email.txt", "{{ data.n }}")], &data(2_001)).unwrap().text, "1");
    let split = letter(
        &[("t/en/email.txt", "{{ data.t | split(',') | length }}")],
        &json!({ "t": ",".repeat(2_000) }),
    );
    assert!(split.err().unwrap().problem.starts_with("the list has more than 2000 items in `"));
}

#[test]
fn long_text_between_tags_is_counted_and_unchanged() {
    let long = "ä<b>\n".repeat(700);
    let letter = |text: &str| letter(&[("t/en/email.txt", text)], &json!({ "n": 1 }));
    let text = format!("{{{{ data.n }}}}{long}{{% if data.n -%}}\n {long}{{%- endif %}}{{{{ data.n }}}}");
    assert_eq!(letter(&text).unwrap().text, format!("1{}{}1", long, long.trim_end()));
    let many = format!("{{% set x %}}{{% for i in range(2000) %}}{long}{{% endfor %}}{{% endset %}}");
    assert!(letter(&many).err().unwrap().problem.starts_with("rendering takes more than 20000 steps"));
    let raw = letter(&format!("{{% raw %}}{long}{{% endraw %}}")).err().unwrap();
    assert!(raw.problem.starts_with("`raw` holds 256 bytes at most"), "{raw}");
    let after = letter(&format!("\n{}{{{{ data.none }}}}", "line\n".repeat(200))).err().unwrap();
    assert_eq!(after.line, 202, "{after}");
}
