use proptest::prelude::*;
use serde_json::json;

use domain::decide::Target;
use domain::delivery::job::Content;
use domain::recipient::EmailAddress;

use super::{envelope, letter, letter_to, message, order, person, renderer, rule};
use crate::{Extra, Unrendered};

#[test]
fn template_reads_event_data_and_recipient() {
    let text = "{{ event.type }} {{ event.data.n }} {{ data.n }} {{ recipient.id }} {{ recipient.name }} \
        {{ recipient.locale }} {{ recipient.zone }}";
    let ann = person(json!({ "name": "Ann Lee", "locale": "en-GB", "zone": "Europe/London" }));
    let letter = letter_to(&ann, &[("t/en/email.txt", text)], &json!({ "n": 7 })).unwrap();
    assert_eq!(letter.text, "order.paid 7 7 ann Ann Lee en-GB Europe/London");
}

#[test]
fn recipient_without_a_name_is_shown_by_id() {
    let letter = letter(&[("t/en/email.txt", "{{ recipient.name }}")], &json!({})).unwrap();
    assert_eq!(letter.text, "ann");
}

#[test]
fn each_part_of_an_email_has_its_own_file() {
    let files = [("t/en/email.subject.txt", "S"), ("t/en/email.html", "<p>H</p>"), ("t/en/email.txt", "T")];
    let letter = letter(&files, &json!({})).unwrap();
    assert_eq!((letter.subject, letter.html, letter.text), ("S".into(), "<p>H</p>".into(), "T".into()));
    assert_eq!(letter.to, "ann@example.com");
}

#[test]
fn each_part_of_an_in_app_message_has_its_own_file() {
    let message =
        message(&[], &[("t/en/socket.title.txt", "T"), ("t/en/socket.txt", "B")], &json!({})).unwrap();
    assert_eq!((message.title, message.body), ("T".into(), "B".into()));
}

#[test]
fn html_is_escaped_and_text_is_not() {
    let data = json!({ "name": "<b>\"Bo\" & 'Co'</b>" });
    let files = [("t/en/email.html", "<p>{{ data.name }}</p>"), ("t/en/email.txt", "{{ data.name }}")];
    let letter = letter(&files, &data).unwrap();
    assert_eq!(letter.html, "<p>&lt;b&gt;&quot;Bo&quot; &amp; &#x27;Co&#x27;&lt;/b&gt;</p>");
    assert_eq!(letter.text, "<b>\"Bo\" & 'Co'</b>");
}

#[test]
fn included_text_is_escaped_in_html() {
    let files = [
        ("t/en/email.html", "{% include 'layouts/line.html' %}"),
        ("layouts/line.html", "<i>{{ data.name }}</i>"),
    ];
    let letter = letter(&files, &json!({ "name": "<b>" })).unwrap();
    assert_eq!(letter.html, "<i>&lt;b&gt;</i>");
}

#[test]
fn layout_is_extended() {
    let files = [
        (
            "layouts/email.html",
            "<h1>{% block title %}Hello{% endblock %}</h1>\n{% block body %}{% endblock %}\n{{ self.title() }}",
        ),
        (
            "t/en/email.html",
            "{% extends 'layouts/email.html' %}{% block body %}<p>{{ data.n }}</p>{% endblock %}",
        ),
    ];
    assert_eq!(letter(&files, &json!({ "n": "<" })).unwrap().html, "<h1>Hello</h1>\n<p>&lt;</p>\nHello");
}

#[test]
fn subject_and_title_are_one_line() {
    let data = json!({ "name": "Ann\r\nBcc: all@example.com\u{2028}\u{0}!" });
    let letter = letter(&[("t/en/email.subject.txt", "\nFor {{ data.name }}\n")], &data).unwrap();
    assert_eq!(letter.subject, "For Ann Bcc: all@example.com !");
    let message = message(&[], &[("t/en/socket.title.txt", "For {{ data.name }}")], &data).unwrap();
    assert_eq!(message.title, "For Ann Bcc: all@example.com !");
}

#[test]
fn missing_value_and_null_are_errors() {
    for data in [json!({}), json!({ "name": null }), json!(null)] {
        for text in ["{{ data.name }}", "{{ data.name.first }}", "{{ data.name | upper }}", "{{ dta.name }}"]
        {
            let Err(Unrendered { problem, .. }) = letter(&[("t/en/email.txt", text)], &data) else {
                panic!("{text} was rendered with {data}")
            };
            assert!(problem.starts_with("the event has no such value in `{{ "), "{text}: {problem}");
        }
    }
    for text in ["{{ recipient.locale }}", "{{ recipient.zone }}"] {
        assert!(letter(&[("t/en/email.txt", text)], &json!({})).is_err(), "{text}");
    }
    assert!(message(&[], &[("t/en/socket.txt", "{{ recipient.name }}")], &json!({})).is_err());
}

#[test]
fn default_replaces_a_missing_value() {
    for data in [json!({}), json!({ "name": null })] {
        let text =
            "{{ data.name | default('you') }}{% if data.name is defined %}, {{ data.name }}{% endif %}";
        assert_eq!(letter(&[("t/en/email.txt", text)], &data).unwrap().text, "you");
    }
}

#[test]
fn digest_is_defined_only_for_digests() {
    let text =
        "{% if digest is defined %}{{ digest.count }}: {{ digest.items[0].name }}{% else %}one{% endif %}";
    let renderer = renderer(&[("t/en/email.txt", text), ("t/en/email.html", "{{ 0 | time }}")]);
    let (rule, ann, event) = (rule(&[]), person(json!({})), envelope(&json!({})));
    let digest = json!({ "count": 3, "items": [{ "name": "Ann" }] });
    let rendered = |extra: Extra<'_>| {
        let order = order(&rule, Some(&ann), Target::Email(EmailAddress::parse("ann@example.com").unwrap()));
        let content = renderer.context_with(&event, extra).render(&order).unwrap();
        let channel = content.channel();
        let Content::Email(email) = content else { panic!("not {:?}", channel) };
        [email.text.into_exposed(), email.html.into_exposed()]
    };
    assert_eq!(rendered(Extra::default()), ["one", "12:00\u{202f}AM"]);
    let extra = Extra { digest: Some(&digest), zone: Some("Asia/Tokyo"), ..Extra::default() };
    assert_eq!(rendered(extra), ["3: Ann", "9:00\u{202f}AM"]);
}

#[test]
fn variables_are_known_without_an_event() {
    let renderer = renderer(&[
        (
            "t/en/email.txt",
            "{% extends 'layouts/a.txt' %}{% set n = data.count %}{{ n }}{{ data.at[11:16] }}{{ data['user-id'] }}
            {% for item in data.items %}{{ item.name }}{{ loop.index }}{% if data.user.id is defined %}x{% endif %}
            {% endfor %}{{ data.total | money(data.currency) }}{{ range(3) }}{{ self.title() }}",
        ),
        ("layouts/a.txt", "{{ recipient.name }}{% include 'layouts/a.txt' %}{{ data.a if data.b else data['c'][data.d] }}"),
    ]);
    let variables: Vec<String> = renderer.variables("t/en/email.txt").unwrap().into_iter().collect();
    let expected = [
        "data.a",
        "data.at",
        "data.b",
        "data.c",
        "data.count",
        "data.currency",
        "data.d",
        "data.items",
        "data.total",
        "data.user-id",
        "data.user.id",
        "recipient.name",
    ];
    assert_eq!(variables, expected);
    assert_eq!(renderer.variables("t/en/none.txt").unwrap_err().problem, "there is no such file");
}

proptest! {
    #[test]
    fn no_value_adds_a_subject_line_or_an_html_tag(name in any::<String>()) {
        let files = [("t/en/email.subject.txt", "For {{ data.name }}"), ("t/en/email.html", "<a title=\"{{ data.name }}\">x</a>")];
        let letter = letter(&files, &json!({ "name": name })).unwrap();
        prop_assert!(!letter.subject.contains(char::is_control), "{:?}", letter.subject);
        prop_assert!(letter.subject.chars().count() <= 200);
        prop_assert_eq!(letter.html.matches(['<', '>']).count(), 4, "{}", &letter.html);
        prop_assert_eq!(letter.html.matches(['"', '\'']).count(), 2, "{}", &letter.html);
    }
}
