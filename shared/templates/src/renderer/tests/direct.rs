//! Text from the event: template name, context, subject and body.

use domain::base::outcome::Reason;
use domain::decide::Target;
use domain::delivery::job::{Content, SocketTarget};
use domain::recipient::EmailAddress;
use serde_json::{Value, json};

use super::{Letter, envelope, order, person, renderer, rule};
use crate::Unrendered;

const FILES: [(&str, &str); 6] = [
    ("t/en/email.html", "<p>{{ data.body }}</p>"),
    ("t/en/email.txt", "{{ data.body }}"),
    ("reminder/en/email.subject.txt", "Reminder"),
    ("reminder/en/email.html", "<p>{{ when }} {{ place | default(\"here\") }}</p>"),
    ("reminder/en/email.txt", "{{ when }} {{ event.type }}"),
    ("t/en/email.subject.txt", "{{ data.gone }}"),
];

#[test]
fn event_names_the_template_and_its_context_has_variables() {
    let data = json!({ "template": "reminder", "context": { "when": "<b>noon</b>", "place": null } });
    let letter = letter(&data).unwrap();
    assert_eq!(letter.html, "<p>&lt;b&gt;noon&lt;/b&gt; here</p>");
    assert_eq!(letter.text, "<b>noon</b> order.paid", "a plain text is not HTML");
    assert_eq!(letter.subject, "Reminder");
}

#[test]
fn event_subject_replaces_the_templates_subject() {
    let letter = letter(&json!({ "subject": " Hello\r\nBcc: x@example.com ", "body": "Hi" })).unwrap();
    assert_eq!(letter.subject, "Hello Bcc: x@example.com", "one line");
    let mut rule = rule(&[]);
    rule.subject = Some("$.data.subject".to_owned().try_into().unwrap());
    let event = envelope(&json!({ "subject": "Hello {{ data.body }}" }));
    let target = Target::Socket(SocketTarget::Room("shop:1".to_owned()));
    let Ok(Content::Socket(message)) = renderer(&[]).context(&event).render(&order(&rule, None, target))
    else {
        panic!("a live message was ordered")
    };
    assert_eq!(message.title.expose(), "Hello {{ data.body }}");
}

#[test]
fn event_text_is_not_a_template_and_is_escaped_in_html() {
    let body =
        "{{ recipient.name }} {% for x in data %}{{ x }}{% endfor %} <script>alert(1)</script> {# gone #}";
    let letter = letter(&json!({ "subject": "{{ 7 * 7 }}", "body": body })).unwrap();
    assert_eq!(letter.subject, "{{ 7 * 7 }}");
    assert_eq!(letter.text, body);
    assert!(letter.html.contains("{{ recipient.name }}") && letter.html.contains("{% for x in data %}"));
    assert!(letter.html.contains("&lt;script&gt;") && !letter.html.contains("<script>"), "{}", letter.html);
    let data = json!({ "template": "reminder", "context": { "when": "{{ recipient.name }}" } });
    assert_eq!(self::letter(&data).unwrap().text, "{{ recipient.name }} order.paid");
}

#[test]
fn context_cannot_replace_built_in_names() {
    let context = json!({
        "event": "x", "data": { "body": "x" }, "recipient": { "name": "x" }, "digest": "x", "postal_address": "x",
        "unsubscribe_url": "https://evil.example", "range": "x", "own": "kept", "when": "noon",
    });
    let text = "{{ event.type }} {{ data.template }} {{ recipient.name }} {{ own }} {{ range(2) | join(\",\") }} \
                {{ digest is defined }} {{ unsubscribe_url is defined }} {{ postal_address is defined }}";
    let files = [("reminder/en/email.txt", text)];
    let data = json!({ "template": "reminder", "context": context });
    let letter = letter_of(&data, &files).unwrap();
    assert_eq!(letter.text, "order.paid reminder ann kept 0,1 False False False");
}

#[test]
fn unknown_template_and_invalid_context_give_a_reason() {
    let reason = |data: Value| letter(&data).map(drop).unwrap_err().reason;
    assert_eq!(reason(json!({ "template": "invoice" })), Reason::UnknownTemplate);
    assert_eq!(reason(json!({ "template": "reminder", "context": "when" })), Reason::UnreadableContext);
    assert_eq!(reason(json!({ "template": "reminder" })), Reason::Template, "`when` is missing");
}

fn letter(data: &Value) -> Result<Letter, Unrendered> {
    letter_of(data, &[])
}

fn letter_of(data: &Value, files: &[(&str, &str)]) -> Result<Letter, Unrendered> {
    let mut rule = rule(&[]);
    rule.subject = Some("$.data.subject".to_owned().try_into().unwrap());
    let choice = json!({ "from": "$.data.template", "among": ["reminder"], "context": "$.data.context" });
    rule.template_choice = Some(serde_json::from_value(choice).unwrap());
    let (ann, event) = (person(json!({})), envelope(data));
    let target = Target::Email(EmailAddress::parse("ann@example.com").unwrap());
    let files: Vec<(&str, &str)> = FILES.iter().chain(files).copied().collect();
    let content = renderer(&files).context(&event).render(&order(&rule, Some(&ann), target))?;
    let Content::Email(letter) = content else { panic!("the content is not an e-mail") };
    Ok(letter.into())
}
