//! Broadcast rules: targets, exclusions, and the data of the message.

use domain::base::channel::Channel;
use domain::catalog::policy::BroadcastPolicy;
use domain::catalog::rule::{BROADCAST_CATEGORY, Broadcast, Operand, Record, Selector, SendStep, Step};

use crate::audience::{Mention, operand, selectors};
use crate::problem::{At, Diagnostics};
use crate::values::{Fields, check_keys as check_known, find, key_at, list, map, word};
use crate::yaml::{Entry, Kind, Node};

/// The required keys of a broadcast rule.
pub(crate) const REQUIRED: [&str; 3] = ["rule", "when", "broadcast"];

/// The key that only a broadcast rule has.
const OWN: [&str; 1] = ["record"];

/// The keys that a broadcast rule may not have, with the reason.
const REFUSED: [(&str, &str); 15] = [
    ("to", "`broadcast` itself lists the targets"),
    ("template", "a broadcast sends the event itself, without words"),
    ("channels", "a broadcast goes to open sockets only"),
    ("steps", "a broadcast goes to open sockets only, and at once"),
    ("delay", "a broadcast goes out at once"),
    ("ephemeral", "a broadcast is kept in no inbox anyway"),
    ("commercial", "no preference is asked about a broadcast"),
    ("outside", "quiet hours do not apply to broadcasts"),
    ("reply-to", "a broadcast sends no e-mail"),
    ("attachments", "a broadcast sends no e-mail"),
    ("push", "a broadcast sends no push notification"),
    ("versions", "a broadcast goes to no webhook endpoint"),
    ("cancel", "a broadcast goes out at once, so nothing can be taken back"),
    ("repeat", "a broadcast goes out once"),
    ("refuse", "a rule either broadcasts or refuses"),
];

/// The kinds of entries without open sockets.
fn unreached() -> impl Iterator<Item = &'static str> {
    Channel::with_addresses().map(|(_, address)| address.member).chain(["endpoints"])
}

const TARGET: &str = "write `- { room: clinic, of: $.data.clinicId }`, `- { user: $.data.userId }`, `- { role: <name>, in: \
                      $.data.<id> }` or `- { topic: <name>, of: $.data.<id> }`";

/// Whether the rule is a broadcast. Reports keys that conflict with `broadcast`, and broadcast keys in other rules.
pub(crate) fn check_keys(members: &[Entry], report: &mut Diagnostics<'_>) -> bool {
    let is_broadcast = find(members, "broadcast").is_some();
    if !is_broadcast {
        for key in OWN {
            if let Some(at) = key_at(members, key) {
                let fix =
                    "take it out, or write `broadcast: [ … ]` in place of `to`, `template` and `channels`";
                report.refuse(at, format!("`{key}` belongs to `broadcast`, and the rule has none"), fix);
            }
        }
        return false;
    }
    for (key, why) in REFUSED {
        if let Some(at) = key_at(members, key) {
            let fix = format!("take it out: {why}; or make it two rules");
            report.refuse(at, format!("the rule has both `broadcast` and `{key}`"), fix);
        }
    }
    true
}

/// The single step of a broadcast rule.
pub(crate) fn step(at: At) -> (Step, At) {
    let send = SendStep { channels: vec![Channel::Socket], failover: Vec::new(), unless: None };
    (Step::Send(send), at)
}

/// The category of a broadcast rule that names none.
pub(crate) fn category(members: &[Entry]) -> Option<String> {
    let is_unnamed = find(members, "broadcast").is_some() && find(members, "category").is_none();
    is_unnamed.then(|| BROADCAST_CATEGORY.to_owned())
}

/// Reads the targets: rooms, users, roles and topics.
pub(crate) fn targets(node: &Node, report: &mut Diagnostics<'_>) -> Option<(Vec<Selector>, Vec<Mention>)> {
    let Kind::List(nodes) = &node.kind else {
        report.refuse(node.at, format!("found {}, wanted a list of targets", node.what_there_is()), TARGET);
        return None;
    };
    if nodes.is_empty() {
        report.refuse(node.at, "`broadcast` is empty, so no socket ever gets the event", TARGET);
        return None;
    }
    let mut are_reached = true;
    for entry in nodes {
        let Kind::Map(members) = &entry.kind else { continue };
        for kind in unreached().filter(|kind| find(members, kind).is_some()) {
            let what = format!("a broadcast goes to open sockets, and `{kind}` has none");
            report.refuse(key_at(members, kind).unwrap_or(entry.at), what, TARGET);
            are_reached = false;
        }
    }
    if are_reached { selectors(node, &[Channel::Socket], report) } else { None }
}

/// Reads the broadcast settings of a rule. `None` if the rule is not a broadcast.
pub(crate) fn read(fields: &mut Fields<'_, '_, '_>) -> Option<Broadcast> {
    find(fields.members, "broadcast")?;
    let expose_all = find(fields.members, "expose").is_some_and(is_all);
    Some(Broadcast {
        exclude: fields.read("exclude", exclude).unwrap_or_default(),
        expose_all,
        record: fields.read("record", record),
    })
}

/// Whether `expose` names the whole payload.
fn is_all(node: &Node) -> bool {
    matches!(&node.kind, Kind::Text(text) if text == "all")
}

/// Reads the users to exclude: paths and ids.
pub(crate) fn exclude(node: &Node, report: &mut Diagnostics<'_>) -> Option<Vec<Operand>> {
    let mut found: Vec<Operand> = Vec::new();
    for node in list(node, report)? {
        let Some(operand) = operand(node, report) else { continue };
        if found.contains(&operand) {
            report.refuse(node.at, "the same entry stands here twice", "take one out");
        }
        found.push(operand);
    }
    Some(found)
}

fn record(node: &Node, report: &mut Diagnostics<'_>) -> Option<Record> {
    word(node, "value for `record`", &Record::ALL, report)
}

/// Reads the broadcast settings of the policy.
pub(crate) fn policy(node: &Node, report: &mut Diagnostics<'_>) -> Option<BroadcastPolicy> {
    let members = map(node, "{ record: none }", report)?;
    check_known(members, node.at, &["record"], &["record"], report);
    let mut fields = Fields { members, report };
    Some(BroadcastPolicy { record: fields.read("record", record)? })
}

#[cfg(test)]
mod tests;
