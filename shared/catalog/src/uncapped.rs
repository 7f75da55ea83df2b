//! Warnings about categories with unlimited SMS or WhatsApp messages. Each message costs money, so an attacker who
//! triggers messages without limit causes unlimited costs.

use std::collections::BTreeSet;

use domain::base::channel::Channel;
use domain::catalog::policy::Policy;
use domain::event::Priority;

use crate::problem::{POLICY, Problem};
use crate::rule::Draft;

/// A warning for each category that is sent on a paid channel without a cap or budget, at its first rule. Messages
/// of critical rules pass budgets and caps. A cap with `critical: true` raises an alarm when they exceed it.
pub(crate) fn warnings(policy: &Policy, drafts: &[Draft<'_>]) -> Vec<Problem> {
    let mut message: BTreeSet<(&str, &str, bool)> = BTreeSet::new();
    let mut warnings = Vec::new();
    for draft in drafts {
        let Some(rule) = draft.rule.as_ref().filter(|rule| rule.refuse.is_none()) else { continue };
        let critical = rule.priority == Some(Priority::Critical);
        for channel in Channel::ALL.into_iter().filter(|channel| channel.spec().is_paid) {
            if !draft.channels.contains(&channel) || is_covered(policy, &rule.category, channel, critical) {
                continue;
            }
            if message.insert((&rule.category, channel.name(), critical)) {
                let (name, category) = (channel.name(), &rule.category);
                let kind = if critical { "critical messages" } else { "messages" };
                let what =
                    format!("no cap and no budget limits {kind} of the category `{category}` by {name}");
                let critical = if critical { ", critical: true" } else { "" };
                let fix = format!(
                    "add a cap to {POLICY}: `- {{ cap: {category}-{name}, most: 100, per: recipient, period: day, \
                     channel: {name}, category: {category}{critical} }}`"
                );
                warnings.push(draft.problem(draft.name_at, what, fix));
            }
        }
    }
    warnings
}

fn is_covered(policy: &Policy, category: &str, channel: Channel, critical: bool) -> bool {
    if policy.caps.iter().any(|cap| cap.covers(category, channel, critical)) {
        return true;
    }
    let texting = &policy.texting;
    let has_budget = texting.prices.is_some()
        && texting.budget.as_ref().is_some_and(|budget| !budget.except.contains(category));
    channel == Channel::Sms && !critical && has_budget
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    const BUDGET: &str = "sms:\n  prices: { currency: USD, default: 0.15 }\n\
                          spend:\n  sms: { per: tenant, most: 50.00, currency: USD, period: day }\n";

    #[test]
    fn category_that_nothing_limits_is_warned_about_once() {
        check("", "", &["security` by sms", "security` by whatsapp"]);
        check(
            "",
            "priority: critical",
            &["critical messages of the category `security` by sms", "by whatsapp"],
        );
    }

    #[test]
    fn budget_limits_texts_and_nothing_critical() {
        check(BUDGET, "", &["by whatsapp"]);
        check(BUDGET, "priority: critical", &["by sms", "by whatsapp"]);
    }

    #[test]
    fn cap_limits_critical_messages_only_where_it_says_so() {
        let cap = |more: &str| format!("caps:\n  - {{ cap: c, most: 9, per: tenant, period: day{more} }}\n");
        check(&cap(""), "", &[]);
        check(&cap(", channel: sms"), "", &["by whatsapp"]);
        check(&cap(", except: [security]"), "", &["by sms", "by whatsapp"]);
        check(&cap(""), "priority: critical", &["by sms", "by whatsapp"]);
        check(&cap(", critical: true"), "priority: critical", &[]);
    }

    #[track_caller]
    fn check(policy: &str, rule: &str, expected: &[&str]) {
        let rules = ["a", "b"].map(|name| {
            let rule = if rule.is_empty() { String::new() } else { format!("  {rule}\n") };
            format!(
                "- rule: {name}\n  about: A.\n  when: {{ detail-type: [{name}] }}\n  category: security\n{rule}  \
                 channels: [sms, whatsapp]\n  to:\n    - user: $.data.userId\n  template: t\n"
            )
        });
        let files = BTreeMap::from([
            ("policy.yaml".to_owned(), policy.to_owned()),
            ("rules/a.yaml".to_owned(), rules.concat()),
            ("templates/t/en/sms.txt".to_owned(), "A".to_owned()),
            ("templates/t/en/whatsapp.txt".to_owned(), "A".to_owned()),
        ]);
        let compiled = crate::compile_files(files);
        let warnings = match compiled {
            Ok(compiled) => compiled.warnings,
            Err(problems) => panic!("{problems:?}"),
        };
        let warnings: Vec<&str> = warnings
            .iter()
            .map(|warning| warning.what.as_str())
            .filter(|warning| warning.starts_with("no cap"))
            .collect();
        assert_eq!(warnings.len(), expected.len(), "{warnings:?}");
        for (warning, expected) in warnings.iter().zip(expected) {
            assert!(warning.ends_with(expected) || warning.contains(expected), "{warning}");
        }
    }
}
