use serde_json::{Value, json};

use domain::base::outcome::Reason;
use domain::base::sensitive::Sensitive;
use domain::catalog::policy::EmailPolicy;
use domain::catalog::rule::Rule;
use domain::decide::Target;
use domain::delivery::job::{Content, Email};
use domain::recipient::EmailAddress;

use super::{envelope, order, person, renderer, rule};
use crate::{Extra, SAMPLE_WAY_OUT, Unrendered};

const TEXT: &str = "{% if unsubscribe_url is defined %}Leave: {{ unsubscribe_url }}{% else %}Stay{% endif %}";

#[test]
fn unsubscribe_link_is_shown_only_if_present() {
    let link = "https://u.example/v1/unsubscribe/AQ";
    let left = letter(&json!({}), &json!({}), &json!({}), Some(link)).unwrap();
    assert_eq!(
        (left.text.into_exposed(), left.unsubscribe.map(Sensitive::into_exposed)),
        (format!("Leave: {link}"), Some(link.to_owned()))
    );
    let stays = letter(&json!({}), &json!({}), &json!({}), None).unwrap();
    assert_eq!((stays.text.into_exposed(), stays.unsubscribe.is_some()), ("Stay".to_owned(), false));
}

#[test]
fn preview_shows_a_placeholder_for_the_link() {
    let mut rule = rule(&[]);
    rule.commercial = true;
    let (ann, event) = (person(json!({})), envelope(&json!({})));
    let mut order = order(&rule, Some(&ann), to_ann());
    order.way_out = Some(domain::recipient::unsubscribe::Scope::Commercial);
    let Ok(Content::Email(email)) = renderer(&[("t/en/email.txt", TEXT)]).context(&event).render(&order)
    else {
        panic!("a letter was ordered")
    };
    assert!(email.unsubscribe == Some(SAMPLE_WAY_OUT.into()));
}

#[test]
fn reply_to_comes_from_the_rule_or_the_policy() {
    let policy = json!({ "reply_to": { "literal": "help@example.com" } });
    let asked = json!({ "reply_to": { "path": "$.data.clinic" } });
    let answers = |rule: &Value, policy: &Value, data: Value| {
        let letter = letter(rule, policy, &data, None).unwrap();
        letter.answers_to().map(|answers_to| answers_to.to_header())
    };
    let (help, worker) = (Some("help@example.com".to_owned()), Some("desk@example.com".to_owned()));
    assert_eq!(answers(&asked, &policy, json!({ "clinic": "desk@example.com" })), worker);
    assert_eq!(answers(&asked, &policy, json!({ "clinic": " desk@example.com " })), worker);
    let named =
        |name: &str| answers(&asked, &policy, json!({ "clinic": format!("{name} <desk@example.com>") }));
    assert_eq!(named("Clinic").as_deref(), Some("Clinic <desk@example.com>"));
    assert_eq!(named("Clínica").as_deref(), Some("=?UTF-8?B?Q2zDrW5pY2E=?= <desk@example.com>"));
    assert_eq!(answers(&asked, &policy, json!({})), help);
    assert_eq!(answers(&asked, &json!({}), json!({})), None);
}

#[test]
fn commercial_email_shows_the_postal_address_of_its_tenant() {
    let policy: EmailPolicy = serde_json::from_value(json!({
        "postal_address": { "default": "Example GmbH, Berlin", "tenants": { "clinic-7": "Clinic 7, London" } },
    }))
    .unwrap();
    let text = "{% if postal_address is defined %}{{ postal_address }}{% else %}none{% endif %}";
    for (commercial, tenant, expected) in [
        (true, json!("clinic-7"), "Clinic 7, London"),
        (true, json!("clinic-8"), "Example GmbH, Berlin"),
        (true, Value::Null, "Example GmbH, Berlin"),
        (false, json!("clinic-7"), "none"),
    ] {
        let mut rule = rule(&[]);
        rule.commercial = commercial;
        let mut event = envelope(&json!({}));
        event["tenant"] = tenant.clone();
        let ann = person(json!({}));
        let renderer = renderer(&[("t/en/email.txt", text)]);
        let extra = Extra { policy: Some(&policy), ..Extra::default() };
        let order = order(&rule, Some(&ann), to_ann());
        let Ok(Content::Email(letter)) = renderer.context_with(&event, extra).render(&order) else {
            panic!("a letter was ordered")
        };
        assert_eq!(letter.text.expose(), expected, "{commercial} {tenant}");
    }
}

#[test]
fn invalid_reply_to_fails_the_email() {
    let policy = json!({ "reply_to": { "literal": "help@example.com" } });
    let asked = json!({ "reply_to": { "path": "$.data.clinic" } });
    for clinic in [
        json!("nobody"),
        json!("desk@example.com\r\nBcc: all@example.com"),
        json!("Desk\n <desk@example.com>"),
        json!(["nobody", "desk@example.com"]),
        json!(""),
    ] {
        let Err(refused) = letter(&asked, &policy, &json!({ "clinic": clinic }), None) else {
            panic!("{clinic} is no mailbox")
        };
        assert!(refused.problem.starts_with("`reply-to` leads to a value that is no mailbox"), "{refused}");
        assert!(!refused.problem.contains("example.com"), "the value is quoted nowhere: {refused}");
    }
}

#[test]
fn category_can_have_its_own_sender() {
    let policy = json!({ "senders": { "c": "Clinic News <news@example.com>" } });
    let sender = |policy: &Value| {
        letter(&json!({}), policy, &json!({}), None).unwrap().sender().map(|sender| sender.to_header())
    };
    assert_eq!(sender(&policy).as_deref(), Some("Clinic News <news@example.com>"));
    let unicode = sender(&json!({ "senders": { "c": "Café <news@example.com>" } }));
    assert_eq!(unicode.as_deref(), Some("=?UTF-8?B?Q2Fmw6k=?= <news@example.com>"));
    assert_eq!(sender(&json!({ "senders": { "other": "news@example.com" } })), None);
}

#[test]
fn attachment_is_named_by_the_event_or_the_email_fails() {
    let rule = json!({ "attachments": [{ "from": "$.data.file" }] });
    let with = |data: &Value| letter(&rule, &json!({}), data, None);
    let files = with(&json!({ "file": "s3://bills/2026/7.pdf" })).unwrap().attachments;
    assert_eq!(files.len(), 1);
    assert_eq!(
        (files[0].bucket.as_str(), files[0].key.as_str(), files[0].name.expose().as_str()),
        ("bills", "2026/7.pdf", "7.pdf")
    );
    let Err(Unrendered { problem, reason, .. }) = with(&json!({})) else { panic!("there is no file") };
    assert_eq!(reason, Reason::NoAttachment);
    assert!(problem.starts_with("$.data.file names no file: found nothing"), "{problem}");
}

fn letter(members: &Value, policy: &Value, data: &Value, way_out: Option<&str>) -> Result<Email, Unrendered> {
    let mut rule = serde_json::to_value(rule(&[])).unwrap();
    for (name, value) in members.as_object().unwrap() {
        rule[name] = value.clone();
    }
    let rule: Rule = serde_json::from_value(rule).unwrap();
    let policy: EmailPolicy = serde_json::from_value(policy.clone()).unwrap();
    let (ann, event) = (person(json!({})), envelope(data));
    let renderer = renderer(&[("t/en/email.txt", TEXT)]);
    let extra = Extra { policy: Some(&policy), ..Extra::default() };
    let content =
        renderer.context_with(&event, extra).render_with(&order(&rule, Some(&ann), to_ann()), way_out)?;
    let Content::Email(email) = content else { panic!("a letter was ordered") };
    Ok(email)
}

fn to_ann() -> Target {
    Target::Email(EmailAddress::parse("ann@example.com").unwrap())
}
