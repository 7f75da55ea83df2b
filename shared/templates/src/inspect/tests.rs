use std::collections::BTreeMap;

use super::*;
use crate::Renderer;

#[test]
fn mistakes_are_found_in_every_branch_without_an_event() {
    let text = "Hello{% if data.vip is defined %},\n{{ data.name | upcase }}: {{ data.total | money(\"EURO\") }}\n\
                {{ data.at | date(\"shrt\") }} {{ data.n | plural(one=\"# day\") }} {{ now() }}\n\
                {% else %}{% for a in data.list %}{{ a is fien }}{% endfor %}{% endif %}";
    let found: Vec<(usize, String)> = mistakes(&[("t/en/email.txt", text)])
        .into_iter()
        .map(|mistake| (mistake.line, mistake.problem))
        .collect();
    let expected = [
        (2, "there is no filter `upcase`"),
        (2, "`money(\"EURO\")`: the currency is no code of ISO 4217, such as EUR"),
        (3, "`date(\"shrt\")`: there is no such length; write short, medium, long or full"),
        (3, "`plural(one=\"# day\")`: `plural` needs other=\"…\": the form for every number without its own"),
        (3, "there is no function `now`"),
        (4, "there is no test `fien`"),
    ];
    let expected: Vec<(usize, String)> =
        expected.into_iter().map(|(line, problem)| (line, problem.to_owned())).collect();
    assert_eq!(found, expected);
}

#[test]
fn mistakes_are_found_in_every_kind_of_expression() {
    for (text, problem) in [
        ("{{ data.x if data.y else data.z | nope }}", "there is no filter `nope`"),
        ("{{ data[data.x | nope] }}", "there is no filter `nope`"),
        ("{% set x = data.y | nope %}", "there is no filter `nope`"),
        ("{% set x | nope %}a{% endset %}", "there is no filter `nope`"),
        ("{% filter nope %}a{% endfilter %}", "there is no filter `nope`"),
        ("{% filter upper | nope %}a{% endfilter %}", "there is no filter `nope`"),
        ("{% with x = data.y | nope %}{% endwith %}", "there is no filter `nope`"),
        ("{% block b %}{{ data.x | default(data.y | nope) }}{% endblock %}", "there is no filter `nope`"),
        ("{% for x in data.l if x | nope %}{% else %}{% endfor %}", "there is no filter `nope`"),
        ("{{ data.l | map(\"nope\") | list }}", "there is no filter `nope`"),
        ("{{ data.l | select(\"nope\") | list }}", "there is no test `nope`"),
        ("{{ data.l | selectattr(\"a\", \"nope\") | list }}", "there is no test `nope`"),
        ("{{ data.l | map(\"upper\") | nope }}", "there is no filter `nope`"),
        ("{% if data.x is not nope %}{% endif %}", "there is no test `nope`"),
        ("{{ debug() }}", "there is no function `debug`"),
        ("{{ data.name.upper() }}", "a value has no function `upper`"),
        ("{{ dta.name }}", "there is no variable `dta`"),
        ("{{ recipient.email | upper }}", "`recipient` has no `email`, only id, name, locale, zone"),
        (
            "{{ data.at | time(zone=\"Mars/Olympus\") }}",
            "`time(zone=\"Mars/Olympus\")`: there is no such zone; write one as Europe/London",
        ),
        (
            "{{ data.at | date(\"shrt\", zone=data.zone) }}",
            "`date(\"shrt\", zone=…)`: there is no such length; write short, medium, long or full",
        ),
        (
            "{{ data.at | date(pattern=\"dd.MM.jj\") }}",
            "`date(pattern=\"dd.MM.jj\")`: the pattern letter `j` is unknown; write y M L d E c a h H m s, and put words in single quotes: \"d 'of' MMMM\"",
        ),
        ("{{ data.n | number(40) }}", "`number(40)`: a number has 20 digits after the point at most"),
        (
            "{{ data.l | list(\"nor\") }}",
            "`list(\"nor\")`: a list ends with \"and\" or \"or\"; write one of these words",
        ),
        (
            "{{ data.n | plural(on='#', other='#') }}",
            "`plural(on=\"#\", other=\"#\")`: `plural` takes only zero, one, two, few, many and other",
        ),
        ("{{ data.n | default(\"none\") | number }}", "`\"none\" | number`: the value is not a number"),
        (
            "{{ \"2026-13-01\" | date }}",
            "`\"2026-13-01\" | date`: the value is not a time, such as 2026-11-03T17:05:00Z",
        ),
        (
            "{{ data.s | truncate(length=3, ende=\"\") }}",
            "`truncate(length=3, ende=\"\")`: `truncate` takes only length, killwords and end",
        ),
    ] {
        let found: Vec<String> =
            mistakes(&[("t/en/email.txt", text)]).into_iter().map(|mistake| mistake.problem).collect();
        assert_eq!(found, [problem], "{text}");
    }
    let arity = mistakes(&[("t/en/email.txt", "{{ data.s | upper(3) }}")]);
    assert!(arity[0].problem.starts_with("`upper(3)`: too many arguments"), "{arity:?}");
}

#[test]
fn valid_template_has_no_mistakes() {
    let text = "{% extends 'layouts/a.txt' %}{% set n = data.count %}{{ n }}{% for a, b in data.map | items %}\
        {{ loop.index }}{{ loop.cycle('x', 'y') }}{{ a }}{{ b.any.thing }}{% endfor %}\
        {% for i in range(3) %}{{ i }}{% endfor %}{% block b %}{{ super() }}{{ self.b() }}{% endblock %}\
        {{ data.x | default('') }}{{ data.total | default(0) | money(data.currency | default('EUR')) }}\
        {{ recipient.name }}{% if digest is defined %}{{ digest.count }}{% endif %}{{ event.time | date('full') }}\
        {{ unsubscribe_url | default('') }}{{ of_layout }}{{ data.at | date(pattern=\"EEEE, d. MMMM\", zone=data.zone) }}\
        {{ data.n | ordinal }}{{ data.at | relative(from=data.start) }}{{ data.l | map(attribute='name') | list('or') }}\
        {{ data.s | truncate(40, true, '') }}{{ data.s | replace('a', data.b) }}{{ data.l | join(', ') }}\
        {{ data.l | sort(attribute='x', reverse=true) | first }}{{ data.l | groupby('x') | length }}{{ data.o | tojson(indent=2) }}";
    let layout = "{% set of_layout = 1 %}{% block b %}{% endblock %}";
    assert_eq!(mistakes(&[("t/en/email.txt", text), ("layouts/a.txt", layout)]), []);
}

#[test]
fn suggested_filters_and_tests_exist() {
    let engine = crate::limits::engine();
    let mut engine = engine;
    crate::locale_format::register(&mut engine);
    let probe = Probe::new(&engine, None);
    for name in FILTERS {
        assert!(probe.has_filter(name), "{name}");
        let args = match name {
            "attr" | "groupby" | "map" | "selectattr" | "rejectattr" => "('x')",
            "money" => "('EUR')",
            "plural" => "(one='a', other='b')",
            "replace" => "('a', 'b')",
            _ => "",
        };
        let text = if name == "map" {
            "{{ data.x | map(attribute='x') }}".to_owned()
        } else {
            format!("{{{{ data.x | {name}{args} }}}}")
        };
        assert_eq!(mistakes(&[("t/en/email.txt", &text)]), [], "{text}");
    }
    for name in TESTS {
        assert!(probe.has_test(name), "{name}");
    }
}

#[test]
fn absent_path_is_named_unless_guarded() {
    let json = serde_json::json!({ "data": { "user": { "name": "Ann" }, "n": null } });
    let values = Value::from(minijinja::value::Serde(&json));
    for (text, expected) in [
        ("{{ data.user.name }}{{ data.total }}", Some(("data.total", false))),
        ("{{ data.zz.y | default('x') }}", Some(("data.zz", true))),
        ("{% if data.a is defined %}{{ data.a }}{% endif %}{{ data.b }}", Some(("data.b", false))),
        ("{{ data.a | default('x') }}{{ data.user.age }}", Some(("data.user.age", false))),
        ("{{ data.n.x }}", Some(("data.n", false))),
        ("{{ item.name }}{{ data.a | default('x') }}", None),
    ] {
        let found = absent(&paths_on("t/en/sms.txt", text, 1), &values);
        let expected = expected.map(|(path, has_default)| Path { absent: path.to_owned(), has_default });
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn missing_plural_form_is_a_warning() {
    let text = "{{ data.n | plural(one='# task', other='# tasks') }}";
    let found = |locale: &str| {
        let name = format!("t/{locale}/sms.txt");
        let found = mistakes(&[(&name, text)]).into_iter();
        found.map(|found| (found.problem, found.is_warning)).collect::<Vec<_>>()
    };
    for locale in ["en", "de", "fr", "es", "pt-BR", "ja", "it"] {
        assert_eq!(found(locale), [], "{locale}");
    }
    let polish = "`plural` has no form for `few` (such as 2) and `many` (such as 0) in this language, and takes `other`";
    assert_eq!(found("pl"), [(polish.to_owned(), true)]);
    assert_eq!(found("ar").len(), 1);
    // Czech has a form for fractions, which templates need not give.
    let czech = "`plural` has no form for `few` (such as 2) in this language, and takes `other`";
    assert_eq!(found("cs"), [(czech.to_owned(), true)]);
}

#[test]
fn guarded_unknown_variable_is_a_warning() {
    let found =
        mistakes(&[("t/en/sms.txt", "{% if urgent is defined %}{{ urgnt | default('') }}{% endif %}")]);
    let found: Vec<(String, bool)> =
        found.into_iter().map(|mistake| (mistake.problem, mistake.is_warning)).collect();
    let expected = [("there is no variable `urgent`", true), ("there is no variable `urgnt`", true)];
    assert_eq!(found, expected.map(|(problem, warns)| (problem.to_owned(), warns)));
}

fn mistakes(files: &[(&str, &str)]) -> Vec<Mistake> {
    let sources: BTreeMap<String, String> =
        files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    let renderer = Renderer::of(sources);
    for (name, _) in files {
        assert_eq!(renderer.compile(name), Ok(()), "{name}");
    }
    renderer.mistakes().into_iter().map(|(_, mistake)| mistake).collect()
}
