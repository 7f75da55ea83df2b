use proptest::prelude::*;

use super::*;

const SHEET: &str = "<style data-inline>\n/* of paragraphs */\np { margin: 0; color: red }\n.big { font-size: 20px }\np.big { color: blue; }\n</style>\n";

#[test]
fn sheet_is_applied_by_specificity_and_own_styles_come_last() {
    check("<p>", "<p style=\"margin:0;color:red;\">");
    check("<p class=\"big\">", "<p style=\"margin:0;color:red;font-size:20px;color:blue;\" class=\"big\">");
    check("<div class='small big'>", "<div style=\"font-size:20px;\" class='small big'>");
    check("<P style=\"color:green\">", "<P style=\"margin:0;color:red;color:green\">");
    check(
        "<p style=\"color:{{ data.c | default(\"red\") }}\">",
        "<p style=\"margin:0;color:red;color:{{ data.c | default(\"red\") }}\">",
    );
    check("<br/><p/>", "<br/><p style=\"margin:0;color:red;\"/>");
}

#[test]
fn text_outside_tags_is_unchanged() {
    for text in [
        "a < b and <pre>, </p>",
        "<!--[if mso]><p><![endif]-->",
        "{# <p> #}{{ '<p>' }}{% if a == '<p>' %}{% endif %}",
        "<style>p { color: red }</style>",
        "<!doctype html>",
        "{ <b>é</b>",
    ] {
        check(text, text);
    }
    check(
        "{% for it in data.items %}<tr><td>{% endfor %}<p>",
        "{% for it in data.items %}<tr><td>{% endfor %}<p style=\"margin:0;color:red;\">",
    );
}

#[test]
fn layout_sheet_applies_to_extending_pages() {
    let mut sources = files(&[
        ("layouts/a.html", &format!("{SHEET}<p>{{% block body %}}{{% endblock %}}")),
        (
            "t/en/email.html",
            "{% extends \"layouts/a.html\" %}<style data-inline>p { color: black }</style><p>",
        ),
        ("other/en/email.html", "<p>"),
        ("t/en/email.txt", "<p>"),
    ]);
    let mut problems = Vec::new();
    apply(&mut sources, &mut problems);
    assert_eq!(problems, []);
    assert_eq!(
        sources["layouts/a.html"].trim_start(),
        "<p style=\"margin:0;color:red;\">{% block body %}{% endblock %}"
    );
    assert_eq!(sources["layouts/a.html"].matches('\n').count(), SHEET.matches('\n').count(), "lines stay");
    assert!(sources["t/en/email.html"].ends_with("<p style=\"margin:0;color:red;color:black;\">"));
    assert_eq!((sources["other/en/email.html"].as_str(), sources["t/en/email.txt"].as_str()), ("<p>", "<p>"));
}

#[test]
fn unsupported_rule_is_refused_with_its_line() {
    for (sheet, line, what) in [
        ("\n\ndiv p { a: b }", 3, "the selector `div p` needs the whole page"),
        ("a:hover { a: b }", 1, "the selector `a:hover`"),
        ("p > b { a: b }", 1, "the selector `p > b`"),
        ("#one { a: b }", 1, "the selector `#one`"),
        ("* { a: b }", 1, "the selector `*`"),
        ("@media (max-width: 1px) { p { a: b } }", 1, "the selector `@media"),
        ("p { color: red !important }", 1, "`color` is !important"),
        ("p { font-family: \"A\" }", 1, "the value of `font-family` cannot stand in a tag"),
        ("\np { color: {{ data.c }} }", 2, "cannot ask the event"),
        ("p { color }", 1, "`color` is no declaration"),
        ("p { a: b", 1, "a rule that does not end"),
        ("p { a: b } rest", 1, "`rest` is no rule"),
    ] {
        refuse(&format!("<style data-inline>{sheet}</style>"), line, what);
    }
    refuse("\n<style data-inline>p {}", 2, "a style sheet that does not end");
    let sheet = "<style data-inline>p { a: b } .c { d: 'e' }</style>\n";
    refuse(&format!("{sheet}<p {{% if x %}}id=\"a\"{{% endif %}}>"), 2, "depends on the event");
    refuse(&format!("{sheet}<i class=\"{{{{ data.c }}}}\">"), 2, "the class of `i` is not known");
    refuse(&format!("{sheet}<i class=c style='x:y'>"), 2, "is in single quotes");
    refuse(&format!("{sheet}<p style=x>"), 2, "the style of `p` is not in quotes");
    refuse(&format!("{sheet}<p class=\"a\""), 2, "the tag `p` does not end");
}

proptest! {
    #[test]
    fn any_text_is_accepted_and_unchanged_without_a_sheet(text in "([-a-c<>/='\"{}%# \\n.]|<p|class=|style=|\\PC){0,60}") {
        let mut sources = files(&[("t/en/email.html", &text)]);
        apply(&mut sources, &mut Vec::new());
        prop_assert_eq!(&sources["t/en/email.html"], &text);
        apply(&mut files(&[("t/en/email.html", &format!("{SHEET}{text}"))]), &mut Vec::new());
        apply(&mut files(&[("t/en/email.html", &format!("<style data-inline>{text}</style>"))]), &mut Vec::new());
    }
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let mut sources = files(&[("t/en/email.html", &format!("{SHEET}{text}"))]);
    let mut problems = Vec::new();
    apply(&mut sources, &mut problems);
    assert_eq!(problems, []);
    assert_eq!(sources["t/en/email.html"].trim_start_matches('\n'), expected);
}

#[track_caller]
fn refuse(text: &str, line: usize, what: &str) {
    let mut problems = Vec::new();
    apply(&mut files(&[("t/en/email.html", text)]), &mut problems);
    let [problem] = problems.as_slice() else { panic!("{text}: {problems:?}") };
    assert!(problem.what.contains(what), "{}", problem.what);
    assert_eq!(problem.line, Some(line), "{text}");
}

fn files(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}
