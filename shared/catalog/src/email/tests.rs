use domain::catalog::rule::Rule;

use super::*;
use crate::rule::draft;
use crate::yaml::{items, map_of};

#[test]
fn rule_sets_reply_to_and_attachments() {
    let (rule, problems) = read(
        "  reply-to: $.data.clinic.email\n  attachments:\n    - { from: $.data.file, name: Invoice.pdf }\n    \
         - { from: $.data.logo, inline: logo, optional: true }\n",
    );
    assert_eq!(problems, [""; 0]);
    let rule = serde_json::to_value(rule.unwrap()).unwrap();
    assert_eq!(rule["reply_to"], serde_json::json!({ "path": "$.data.clinic.email" }));
    let files = serde_json::json!([
        { "from": "$.data.file", "name": { "literal": "Invoice.pdf" } },
        { "from": "$.data.logo", "inline": "logo", "optional": true },
    ]);
    assert_eq!(rule["attachments"], files);
}

#[test]
fn invalid_header_value_is_refused() {
    check("  reply-to: help at example", "`help at example` is no address to answer to");
    check("  reply-to: \"a@example.com\\r\\nBcc: b@example.com\"", "is no address to answer to");
    check("  attachments: [{ from: data.file }]", "`data.file` is not a path");
    check("  attachments: [{ from: $.data.f, name: a/b.pdf }]", "`a/b.pdf` is no name for a file");
    check(
        "  attachments: [{ from: $.data.f, inline: a b }]",
        "`a b` is no content id for the HTML of an e-mail",
    );
    check("  attachments: [{ name: a.pdf }]", "the key `from` is missing");
    let two = "  attachments: [{ from: $.data.f, inline: a }, { from: $.data.g, inline: a }]";
    check(two, "two files are shown under the same name");
}

#[test]
fn commercial_rule_needs_recipients_who_can_unsubscribe() {
    check("  commercial: true\n  priority: critical", "the rule is commercial and critical");
    check_to(
        "[{ email: $.data.email }]",
        "  commercial: true",
        "the owner of a bare address cannot unsubscribe",
    );
}

#[test]
fn email_settings_need_the_email_channel() {
    let yaml = "- rule: r\n  when: { detail-type: [a.b] }\n  category: c\n  channels: [sms]\n  to: [{ user: ann }]\n  \
                template: t\n  reply-to: a@example.com\n";
    let (_, problems) = rule_of(yaml);
    assert!(problems.iter().any(|problem| problem.contains("the rule sends none")), "{problems:?}");
}

#[test]
fn policy_sets_senders_and_unsubscribe_categories() {
    let yaml = "reply-to: help@example.com\nsenders: { news: Clinic News <news@example.com> }\nunsubscribe: [news, tips]\n";
    let (policy, categories, problems) = settings(yaml);
    assert_eq!(problems, [""; 0]);
    assert_eq!(categories, ["news", "news", "tips"]);
    let expected = serde_json::json!({
        "reply_to": { "literal": "help@example.com" },
        "senders": { "news": "Clinic News <news@example.com>" },
        "unsubscribe": ["news", "tips"],
    });
    assert_eq!(serde_json::to_value(policy).unwrap(), expected);
    for (yaml, what) in [
        ("senders: { news: \"nobody\" }", "there is no @ in it"),
        ("senders: { news: \"A\\u202EB <a@example.com>\" }", "an invisible character"),
        ("postal-address: \"a\\u0007\"", "this is no postal address"),
        ("postal-address: { standard: x }", "unknown key `standard`"),
        ("senders: { news: \"A\\r\\nBcc: b <a@example.com>\" }", "is no sender of an e-mail"),
        ("unsubscribe: [news, news]", "stands here twice"),
        ("sender: a@example.com", "unknown key `sender`"),
    ] {
        let (_, _, problems) = settings(yaml);
        assert!(problems.iter().any(|problem| problem.contains(what)), "{yaml}: {problems:?}");
    }
}

#[test]
fn sender_name_may_use_any_language() {
    for name in [
        "Acme News",
        "Café Central",
        "Acme, Inc.",
        "O'Brien",
        "Muller & Sohne",
        "Support (Billing)",
        "日本支店",
        "Zoë",
    ] {
        let (policy, _, problems) = settings(&format!("senders: {{ news: \"{name} <o@example.com>\" }}"));
        assert_eq!(problems, [""; 0], "{name}");
        assert_eq!(policy.senders["news"].name(), name);
    }
    let (_, problems) = read("  reply-to: Clínica São José <desk@example.com>");
    assert_eq!(problems, [""; 0]);
}

#[test]
fn postal_address_is_global_or_per_tenant() {
    let of = |yaml: &str, tenant: &str| {
        let (policy, _, problems) = settings(yaml);
        assert_eq!(problems, [""; 0], "{yaml}");
        policy.postal_address.of(Some(tenant)).map(str::to_owned)
    };
    let both = "postal-address: { default: \"A, Berlin\", tenants: { b: \"B, London\" } }";
    assert_eq!(of("postal-address: \"A, Berlin\"", "b").as_deref(), Some("A, Berlin"));
    assert_eq!(of("postal-address: |\n  A GmbH\n  Street 1\n", "b").as_deref(), Some("A GmbH, Street 1"));
    assert_eq!((of(both, "a").as_deref(), of(both, "b").as_deref()), (Some("A, Berlin"), Some("B, London")));
    assert_eq!(of("unsubscribe: [news]", "a"), None);
}

fn settings(yaml: &str) -> (EmailPolicy, Vec<String>, Vec<String>) {
    let mut problems = Vec::new();
    let mut report = Diagnostics { file: "policy.yaml", rule: None, problems: &mut problems };
    let entries = map_of(yaml, &mut report);
    let node = Node { at: At { line: 1, column: 1 }, kind: Kind::Map(entries), written: None };
    let (policy, categories) = policy(&node, &mut report).unwrap();
    let problems = problems.iter().map(ToString::to_string).collect();
    (policy, categories.into_iter().map(|(category, _)| category).collect(), problems)
}

#[track_caller]
fn check(lines: &str, what: &str) {
    check_to("[{ user: $.data.userId }]", lines, what);
}

#[track_caller]
fn check_to(to: &str, lines: &str, what: &str) {
    let (_, problems) = rule_of(&yaml(to, lines));
    assert!(problems.iter().any(|problem| problem.contains(what)), "{lines}: {problems:?}");
}

fn read(lines: &str) -> (Option<Rule>, Vec<String>) {
    rule_of(&yaml("[{ user: $.data.userId }]", lines))
}

fn yaml(to: &str, lines: &str) -> String {
    format!(
        "- rule: r\n  when: {{ detail-type: [a.b] }}\n  category: c\n  channels: [email]\n  to: {to}\n  template: t\n{lines}\n"
    )
}

fn rule_of(yaml: &str) -> (Option<Rule>, Vec<String>) {
    let mut problems = Vec::new();
    let nodes = items(yaml, &mut Diagnostics { file: "r.yaml", rule: None, problems: &mut problems });
    let rule = draft(&nodes[0], "r.yaml", &mut problems).and_then(|draft| draft.rule);
    (rule, problems.iter().map(ToString::to_string).collect())
}
