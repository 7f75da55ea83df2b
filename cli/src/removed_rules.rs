//! Deployed rules that a new catalog lacks. Notifications that wait for such a rule (a wait, a digest, quiet hours, a
//! failover) end as `rule_gone`.

use domain::catalog::Catalog;
use domain::catalog::rule::{Outside, Rule, Step};
use serde::Serialize;

use crate::status::counted;
use crate::terminal::{Ink, Terminal};

/// A removed rule, with the kinds of waiting notifications.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RemovedRule {
    pub rule: String,
    pub waits: Vec<&'static str>,
}

/// The rules of `before` that `after` lacks and that notifications can wait for, in the order of `before`.
pub fn rules(before: &Catalog, after: &Catalog) -> Vec<RemovedRule> {
    let removed = before.rules().iter().filter(|rule| after.rule(&rule.name).is_none());
    removed
        .map(|rule| RemovedRule { rule: rule.name.clone(), waits: waits(rule) })
        .filter(|removed| !removed.waits.is_empty())
        .collect()
}

fn waits(rule: &Rule) -> Vec<&'static str> {
    let has = |condition: fn(&Step) -> bool| rule.steps.iter().any(condition);
    let sends_waiting = has(|step| match step {
        // In-app messages never wait.
        Step::Send(send) => send.channels.iter().any(|channel| channel.disturbs()),
        Step::Wait(_) | Step::Throttle(_) | Step::Digest(_) => false,
    });
    let found = [
        (has(|step| matches!(step, Step::Wait(_))), "its waits"),
        (has(|step| matches!(step, Step::Digest(_))), "its digests"),
        (rule.repeat.is_some(), "its repetitions"),
        (sends_waiting && rule.outside != Outside::Drop, "quiet hours"),
        (has(|step| matches!(step, Step::Send(send) if !send.failover.is_empty())), "its failovers"),
    ];
    found.into_iter().filter_map(|(is, name)| is.then_some(name)).collect()
}

/// Prints a warning for each removed rule, and the remedy.
pub fn warn(removed: &[RemovedRule], terminal: &Terminal) {
    for RemovedRule { rule, waits } in removed {
        if terminal.json {
            terminal.say_json(&serde_json::json!({
                "severity": "warning", "code": "rule_gone", "rule": rule, "waits": waits,
            }));
            continue;
        }
        let text = format!(
            "the deployed rule `{rule}` is missing in this catalog: messages that wait for it ({}) end as `rule_gone` and \
             are never sent",
            waits.join(", ")
        );
        terminal.say(&format!("{} {text}", terminal.ink(Ink::Note, "warning")));
    }
    if !removed.is_empty() && !terminal.json {
        let count = counted(removed.len(), "rule", "rules");
        terminal.note(&format!(
            "{count} removed: keep a rule under its name until no message waits for it (31 days at most), with a `when` that \
             matches no event; a renamed rule is a new one"
        ));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn removed_rules_with_waits_are_found() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config");
        let before = crate::project::read(&folder).compile().expect("the shipped packs compile").file;
        let mut after = before.clone();
        let name = "demo-escalation";
        after.rules.retain(|rule| rule.name != name);
        let (before, after) = (Catalog::open(before).unwrap(), Catalog::open(after).unwrap());
        let removed = rules(&before, &after);
        assert_eq!(removed.iter().map(|removed| removed.rule.as_str()).collect::<Vec<_>>(), [name]);
        assert!(removed[0].waits.contains(&"its waits"), "{:?}", removed[0]);
        assert!(rules(&after, &before).is_empty(), "a new rule is not removed");
    }
}
