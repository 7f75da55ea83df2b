use serde_json::json;

use super::{letter, message, renderer};

#[test]
fn failure_names_template_and_line_and_quotes_the_line() {
    check(
        &[("t/en/email.txt", "Hello,\n\n  you owe {{ data.total }}.\n")],
        "template t/en/email.txt, line 3: the event has no such value in `you owe {{ data.total }}.`",
    );
    check(
        &[("t/en/email.html", "{{ data.total | no_such }}")],
        "template t/en/email.html, line 1: unknown filter: filter no_such is unknown in `{{ data.total | no_such }}`",
    );
    check(
        &[("t/en/email.txt", "\n{% include 'layouts/none.txt' %}")],
        "template t/en/email.txt, line 2: there is no such file in `{% include 'layouts/none.txt' %}`",
    );
}

#[test]
fn failure_in_an_included_file_names_that_file() {
    let line = ("layouts/line.txt", "--\n{{ data.total }}");
    let expected = "template layouts/line.txt, line 2: the event has no such value in `{{ data.total }}`";
    check(&[("t/en/email.txt", "\n\n{% include 'layouts/line.txt' %}"), line], expected);
    check(&[("t/en/email.txt", "{% extends 'layouts/line.txt' %}"), line], expected);
    let layout = ("layouts/page.txt", "{% block body %}\n{{ data.total }}{% endblock %}");
    check(
        &[
            ("t/en/email.txt", "{% extends 'layouts/page.txt' %}{% block body %}{{ super() }}{% endblock %}"),
            layout,
        ],
        "template layouts/page.txt, line 2: the event has no such value in `{{ data.total }}{% endblock %}`",
    );
}

#[test]
fn failure_never_quotes_the_event() {
    let data = json!({
        "word": "secret", "number": 49_297_531, "large": 49_297_531_000_000_000_i64, "list": ["secret"], "map": { "secret": 1 },
    });
    for text in [
        "{{ data.number // 0 }}",
        "{{ data.number % 0 }}",
        "{{ data.large * data.large * data.large }}",
        "{{ data.number ** data.large }}",
        "{{ data.word / 2 }}",
        "{{ data.word + 1 }}",
        "{{ data.word | int }}",
        "{{ data.word | float }}",
        "{{ data.word | round }}",
        "{{ data.word | abs }}",
        "{{ data.word.secret.more }}",
        "{{ data.word() }}",
        "{{ data.word.shout() }}",
        "{{ data.map.shout() }}",
        "{{ data.number | length }}",
        "{{ data.number[1:2] }}",
        "{{ data.list[data.number] }}",
        "{{ data.map[data.word].more }}",
        "{{ dict(data.word) }}",
        "{{ data.word | replace(**data.map) }}",
        "{{ range(data.number) }}",
        "{{ data.word * data.number }}",
        "{% for x in data.number %}{% endfor %}",
        "{% set a, b = data.list %}",
        "{% include data.word %}",
        "{% include [data.word, data.number] %}",
        "{% include data.list %}",
        "{% extends data.word %}",
        "{% extends data.number %}",
    ] {
        let failure = match letter(&[("t/en/email.txt", text)], &data) {
            Ok(letter) => panic!("{text} gave {}", letter.text),
            Err(error) => error,
        };
        // The cause contains paths of the template.
        let shown = format!("{failure} {failure:?}").replace(text, "").replace("data.word.secret", "");
        assert!(!shown.contains("secret") && !shown.contains("49297531"), "{shown}");
        assert_eq!((failure.template.as_str(), failure.line), ("t/en/email.txt", 1), "{shown}");
    }
}

#[test]
fn missing_part_is_named() {
    let Err(failure) = renderer_without("email.html") else { panic!("an e-mail without HTML was rendered") };
    assert_eq!(failure, "template t/en/email.html, line 0: there is no such file");
}

#[test]
fn template_compiles_without_an_event() {
    let renderer =
        renderer(&[("t/en/email.txt", "Hello\n{% if %}"), ("t/en/email.html", "{{ data.total }}")]);
    assert_eq!(renderer.compile("t/en/email.html"), Ok(()));
    let failure = renderer.compile("t/en/email.txt").unwrap_err();
    assert_eq!((failure.template.as_str(), failure.line), ("t/en/email.txt", 2));
    assert!(failure.problem.starts_with("syntax error: "), "{failure}");
    assert!(failure.problem.ends_with(" in `{% if %}`"), "{failure}");
    assert_eq!(renderer.compile("t/en/none.txt").unwrap_err().problem, "there is no such file");
}

#[test]
fn failing_part_fails_the_whole_message() {
    assert!(message(&[], &[("t/en/socket.title.txt", "{{ data.total }}")], &json!({})).is_err());
    assert!(message(&[], &[("t/en/socket.txt", "{{ data.total }}")], &json!({})).is_err());
    assert!(letter(&[("t/en/email.subject.txt", "{{ data.total }}")], &json!({})).is_err());
}

#[track_caller]
fn check(files: &[(&str, &str)], expected: &str) {
    let failure = letter(files, &json!({})).err().map(|err| err.to_string());
    assert_eq!(failure.as_deref(), Some(expected));
}

fn renderer_without(part: &str) -> Result<(), String> {
    use super::{Renderer, order, person, rule};
    use domain::decide::Target;
    use domain::recipient::EmailAddress;

    let sources = super::PARTS.into_iter().filter(|name| *name != part);
    let renderer = Renderer::of(sources.map(|source| (format!("t/en/{source}"), String::new())).collect());
    let (rule, person) = (rule(&[]), person(json!({})));
    let target = Target::Email(EmailAddress::parse("ann@example.com").unwrap());
    let rendered =
        renderer.context(&super::envelope(&json!({}))).render(&order(&rule, Some(&person), target));
    rendered.map(drop).map_err(|error| error.to_string())
}
