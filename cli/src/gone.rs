//! Rules that a catalog does not have any more. What waits for one of them (a wait, a digest, quiet hours, a failover)
//! finds no rule when its time comes, and ends as `rule_gone`.

use domain::catalog::Catalog;
use domain::rule::{Outside, Rule, Step};
use serde::Serialize;

use crate::status::counted;
use crate::terminal::{Ink, Terminal};

/// A rule that is gone, and what may wait for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gone {
    pub rule: String,
    #[serde(rename = "waits")]
    pub for_what: Vec<&'static str>,
}

/// The rules of `before` that `after` has not and that something may wait for, in the order of `before`.
pub fn rules(before: &Catalog, after: &Catalog) -> Vec<Gone> {
    let gone = before.rules().iter().filter(|rule| after.rule(&rule.name).is_none());
    gone.map(|rule| Gone { rule: rule.name.clone(), for_what: for_what(rule) })
        .filter(|gone| !gone.for_what.is_empty())
        .collect()
}

fn for_what(rule: &Rule) -> Vec<&'static str> {
    let has = |fits: fn(&Step) -> bool| rule.steps.iter().any(fits);
    let sends_what_waits = has(|step| match step {
        // A live message never waits.
        Step::Send(send) => send.channels.iter().any(|channel| channel.disturbs()),
        Step::Wait(_) | Step::Throttle(_) | Step::Digest(_) => false,
    });
    let found = [
        (has(|step| matches!(step, Step::Wait(_))), "its waits"),
        (has(|step| matches!(step, Step::Digest(_))), "its digests"),
        (rule.repeat.is_some(), "its repetitions"),
        (sends_what_waits && rule.outside != Outside::Drop, "quiet hours"),
        (has(|step| matches!(step, Step::Send(send) if !send.failover.is_empty())), "its failovers"),
    ];
    found.into_iter().filter_map(|(is, what)| is.then_some(what)).collect()
}

/// Says which rules are gone, and what to do about it.
pub fn warn(gone: &[Gone], terminal: &Terminal) {
    for Gone { rule, for_what } in gone {
        if terminal.json {
            terminal.say_json(&serde_json::json!({
                "severity": "warning", "code": "rule_gone", "rule": rule, "waits": for_what,
            }));
            continue;
        }
        let what = format!(
            "the rule `{rule}` is deployed and not in this catalog: messages that wait for it ({}) end as `rule_gone` \
             and are never sent",
            for_what.join(", ")
        );
        terminal.say(&format!("{} {what}", terminal.ink(Ink::Note, "warning")));
    }
    if !gone.is_empty() && !terminal.json {
        let count = counted(gone.len(), "rule", "rules");
        terminal.note(&format!(
            "{count} gone: keep a rule under its name until nothing waits for it (31 days at most), with a `when` that \
             matches no event; a renamed rule is a new one"
        ));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn rule_that_something_may_wait_for_is_missed_and_one_that_is_only_live_is_not() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config");
        let before = crate::project::read(&folder).compile().expect("the shipped packs compile").file;
        let mut after = before.clone();
        let waits = "demo-escalation";
        after.rules.retain(|rule| rule.name != waits);
        let (before, after) = (Catalog::open(before).unwrap(), Catalog::open(after).unwrap());
        let gone = rules(&before, &after);
        assert_eq!(gone.iter().map(|gone| gone.rule.as_str()).collect::<Vec<_>>(), [waits]);
        assert!(gone[0].for_what.contains(&"its waits"), "{:?}", gone[0]);
        assert!(rules(&after, &before).is_empty(), "a new rule is no loss");
    }
}
