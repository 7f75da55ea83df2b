//! The expectations of a test, one line for each decision: `<rule> to <recipient> by <channel>: <what>`.

use std::collections::BTreeSet;

use domain::Timestamp;
use domain::base::channel::Channel;
use domain::base::outcome::Reason;
use domain::catalog::Catalog;
use domain::decide::plan::Audience;
use domain::decide::{Decision, Verdict};
use domain::recipient::keyed_hash::KeyedHashes;
use domain::recipient::{Recipients, parse_address};

use crate::problem::{At, Diagnostics};
use crate::suggestions::{listed, nearest, suggestion};
use crate::values::{list, text};
use crate::yaml::{Entry, Kind, Node};

const LINE: &str = "write `<rule> to <recipient> by <channel>: send`, or `\"-\": suppressed no_rule`";

const WORDS: [&str; 5] = ["send", "suppressed", "deferred", "collected", "cancels"];

/// One decision that a test expects.
pub(super) struct Expected {
    at: At,
    /// The line as written.
    line: String,
    /// The rule; `None` if no rule matches.
    rule: Option<String>,
    recipient: String,
    channel: Option<Channel>,
    outcome: Outcome,
}

/// The decision, as precisely as a test can state it.
enum Outcome {
    Send,
    Suppressed(Reason),
    /// A deferral until a time between the first and the last of these instants; until any time if there are none.
    Deferred {
        why: Option<Reason>,
        when: Option<(Timestamp, Timestamp)>,
    },
    Collected {
        when: Option<(Timestamp, Timestamp)>,
    },
    Cancels,
}

pub(super) fn read(
    node: &Node,
    catalog: &Catalog,
    people: &Recipients,
    named: &mut BTreeSet<String>,
    report: &mut Diagnostics<'_>,
) -> Option<Vec<Expected>> {
    let nodes = list(node, report)?;
    if nodes.is_empty() {
        let what = "nothing is expected, and something is decided about every event";
        report.refuse(node.at, what, LINE);
    }
    let mut expected = Vec::new();
    for node in nodes {
        let entry = match &node.kind {
            Kind::Map(entries) if entries.len() == 1 => entries.first(),
            Kind::Map(_) | Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::List(_) => {
                None
            }
        };
        let Some(entry) = entry else {
            report.refuse(node.at, format!("found {}, wanted one decision", node.what_there_is()), LINE);
            continue;
        };
        let Some(line) = line(entry, report) else { continue };
        check_names(&line, catalog, people, report);
        named.extend(line.rule.clone());
        expected.push(line);
    }
    Some(expected)
}

fn line(Entry { key, at, value }: &Entry, report: &mut Diagnostics<'_>) -> Option<Expected> {
    let text = text(value, report)?;
    let outcome = outcome(&text, value.at, report)?;
    let line = format!("{key}: {text}");
    if key == "-" {
        return Some(Expected { at: *at, line, rule: None, recipient: key.clone(), channel: None, outcome });
    }
    let Some((rule, whom)) = key.split_once(" to ") else {
        report.refuse(*at, format!("`{key}` names no rule and recipient"), LINE);
        return None;
    };
    let (recipient, channel) = match whom.rsplit_once(" by ") {
        None => (whom, None),
        Some((recipient, channel)) => {
            let found = Channel::from_name(channel);
            if found.is_none() {
                let known = Channel::ALL.map(Channel::name);
                report.refuse(*at, format!("unknown channel `{channel}`"), suggestion(channel, &known));
                return None;
            }
            (recipient, found)
        }
    };
    let (rule, recipient) = (Some(rule.to_owned()), recipient.to_owned());
    Some(Expected { at: *at, line, rule, recipient, channel, outcome })
}

fn outcome(text: &str, at: At, report: &mut Diagnostics<'_>) -> Option<Outcome> {
    let mut words = text.split_whitespace();
    let first = words.next().unwrap_or_default();
    let rest: Vec<&str> = words.collect();
    match (first, rest.as_slice()) {
        ("send", []) => Some(Outcome::Send),
        ("cancels", []) => Some(Outcome::Cancels),
        ("suppressed", [word]) => reason(word, at, report).map(Outcome::Suppressed),
        ("deferred", []) => Some(Outcome::Deferred { why: None, when: None }),
        ("deferred", [one]) if one.contains(|one: char| one.is_ascii_digit()) => {
            Some(Outcome::Deferred { why: None, when: Some(instants(one, at, report)?) })
        }
        ("deferred", [word]) => Some(Outcome::Deferred { why: Some(reason(word, at, report)?), when: None }),
        ("deferred", [word, when]) => Some(Outcome::Deferred {
            why: Some(reason(word, at, report)?),
            when: Some(instants(when, at, report)?),
        }),
        ("collected", []) => Some(Outcome::Collected { when: None }),
        ("collected", [when]) => Some(Outcome::Collected { when: Some(instants(when, at, report)?) }),
        ("suppressed", []) => {
            report.refuse(at, "`suppressed` without a reason", "write one, such as `suppressed preference`");
            None
        }
        (word, _) if WORDS.contains(&word) => {
            report.refuse(at, format!("`{text}` says more than `{word}` can"), form(word));
            None
        }
        (word, _) => {
            report.refuse(at, format!("unknown decision `{word}`"), suggestion(word, &WORDS));
            None
        }
    }
}

/// Returns the syntax of a decision of this kind.
fn form(word: &str) -> &'static str {
    match word {
        "suppressed" => "write `suppressed` and one reason, such as `suppressed preference`",
        "deferred" => {
            "write `deferred`, `deferred wait`, or `deferred wait 2026-11-20T08:00:00Z`, where two instants with `..` between them will do"
        }
        "collected" => {
            "write `collected`, or `collected 2026-11-20T08:00:00Z`, where two instants with `..` between them will do"
        }
        "cancels" => "write `cancels` alone",
        _ => LINE,
    }
}

fn reason(word: &str, at: At, report: &mut Diagnostics<'_>) -> Option<Reason> {
    let found = Reason::ALL.into_iter().find(|it| it.name() == word);
    if found.is_none() {
        report.refuse(
            at,
            format!("unknown reason `{word}`"),
            suggestion(word, &Reason::ALL.map(Reason::name)),
        );
    }
    found
}

/// Parses one instant, or two with `..` between them.
fn instants(text: &str, at: At, report: &mut Diagnostics<'_>) -> Option<(Timestamp, Timestamp)> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) if first <= last => Some((first, last)),
        (Ok(_), Ok(_)) => {
            report.refuse(at, format!("`{text}` ends before it begins"), "write the earlier instant first");
            None
        }
        (Err(_), _) | (_, Err(_)) => {
            let fix = "write it as `2026-11-20T08:00:00Z`, or two of these with `..` between them";
            report.refuse(at, format!("`{text}` is no instant"), fix);
            None
        }
    }
}

/// Reports a rule or a person that does not exist as a misspelling.
fn check_names(expected: &Expected, catalog: &Catalog, people: &Recipients, report: &mut Diagnostics<'_>) {
    if let Some(rule) = expected.rule.as_ref().filter(|rule| catalog.rule(rule).is_none()) {
        let known: Vec<&str> = catalog.rules().iter().map(|rule| rule.name.as_str()).collect();
        report.refuse(expected.at, format!("there is no rule `{rule}`"), suggestion(rule, &known));
    }
    let id = &expected.recipient;
    let is_address = expected.channel.is_some_and(|channel| parse_address(channel, id).is_ok());
    let is_person = id != "-" && !is_address && !id.contains([':', '@', '+']);
    let unknown = matches!(expected.outcome, Outcome::Suppressed(Reason::UnknownRecipient));
    if is_person && !unknown && !people.contains_key(id) {
        let fix = match nearest(id, people.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "add them to `people`, or expect `suppressed unknown_recipient`".to_owned(),
        };
        report.refuse(expected.at, format!("nobody has the id `{id}`"), fix);
    }
}

/// Compares the expected decisions with the actual ones. Each matches once, in any order.
pub(super) fn check(
    test: &str,
    at: At,
    expected: &[Expected],
    decided: &[Decision<'_>],
    hashes: &KeyedHashes,
    report: &mut Diagnostics<'_>,
) {
    let mut left: Vec<(&Decision<'_>, String)> = Vec::new();
    for decision in decided {
        let line = message(decision);
        // One line covers all devices of a person.
        let is_other_device = decision.channel == Some(Channel::Push)
            && left.iter().any(|(it, other)| *other == line && it.step == decision.step);
        if !is_other_device {
            left.push((decision, line));
        }
    }
    let all: Vec<String> = left.iter().map(|(it, line)| format!("\n    {line}{}", noted(it))).collect();
    let mut missed = Vec::new();
    for it in expected {
        match left.iter().position(|(decision, _)| it.fits(decision, hashes)) {
            Some(found) => drop(left.remove(found)),
            None => missed.push(it),
        }
    }
    let Some(at) = missed.first().map(|it| it.at).or((!left.is_empty()).then_some(at)) else { return };
    let mut what = format!("the test `{test}` fails:");
    if !missed.is_empty() {
        let lines: Vec<&str> = missed.iter().map(|it| it.line.as_str()).collect();
        what = format!("{what} expected and not decided {}", listed(&lines));
    }
    if !left.is_empty() {
        let lines: Vec<&str> = left.iter().map(|(_, line)| line.as_str()).collect();
        let and = if missed.is_empty() { "" } else { ", and" };
        what = format!("{what}{and} decided and not expected {}", listed(&lines));
    }
    report.refuse(at, what, format!("mend the rule or the test; decided was:{}", all.concat()));
}

impl Expected {
    fn fits(&self, decision: &Decision<'_>, hashes: &KeyedHashes) -> bool {
        let same_rule = self.rule.as_deref() == decision.rule.map(|rule| rule.name.as_str());
        same_rule
            && self.channel == decision.channel
            && self.is_to(decision, hashes)
            && self.outcome.fits(&decision.verdict)
    }

    /// Reports whether the decision's recipient is the expected one. A test may contain an address, a decision only its
    /// hash.
    fn is_to(&self, decision: &Decision<'_>, hashes: &KeyedHashes) -> bool {
        let address =
            |channel| Audience::Address { channel, address: self.recipient.clone().into() }.name(hashes);
        self.recipient == decision.recipient
            || Channel::ALL.into_iter().any(|it| address(it) == decision.recipient)
    }
}

impl Outcome {
    fn fits(&self, verdict: &Verdict<'_>) -> bool {
        let within = |when: &Option<(Timestamp, Timestamp)>, at: Timestamp| {
            when.is_none_or(|(first, last)| first <= at && at <= last)
        };
        match (self, verdict) {
            (Outcome::Send, Verdict::Send(_)) | (Outcome::Cancels, Verdict::Cancel(_)) => true,
            (Outcome::Suppressed(reason), Verdict::Suppress(found)) => reason == found,
            (Outcome::Deferred { why, when }, Verdict::Later(later)) => {
                why.is_none_or(|why| why == later.why.reason()) && within(when, later.until)
            }
            (Outcome::Collected { when }, Verdict::Merge(merge)) => within(when, merge.closes_at),
            (
                Outcome::Send
                | Outcome::Cancels
                | Outcome::Suppressed(_)
                | Outcome::Deferred { .. }
                | Outcome::Collected { .. },
                Verdict::Send(_)
                | Verdict::Suppress(_)
                | Verdict::Later(_)
                | Verdict::Merge(_)
                | Verdict::Cancel(_),
            ) => false,
        }
    }
}

/// Formats a decision as a line of a test.
fn message(decision: &Decision<'_>) -> String {
    let what = match &decision.verdict {
        Verdict::Send(_) => "send".to_owned(),
        Verdict::Suppress(reason) => format!("suppressed {}", reason.name()),
        Verdict::Later(later) => format!("deferred {} {}", later.why.reason().name(), later.until),
        Verdict::Merge(merge) => format!("collected {}", merge.closes_at),
        Verdict::Cancel(_) => "cancels".to_owned(),
    };
    match (decision.rule, decision.channel) {
        (None, _) => format!("\"-\": {what}"),
        (Some(rule), None) => format!("{} to {}: {what}", rule.name, decision.recipient),
        (Some(rule), Some(channel)) => {
            format!("{} to {} by {}: {what}", rule.name, decision.recipient, channel.name())
        }
    }
}

/// Returns the step if there are several, and the notes of the decision.
fn noted(decision: &Decision<'_>) -> String {
    let mut notes: Vec<String> = Vec::new();
    if decision.rule.is_some_and(|rule| rule.steps.len() > 1) {
        notes.push(format!("step {}", decision.step));
    }
    if let Verdict::Suppress(reason) = decision.verdict {
        notes.push(reason.meaning().to_owned());
    }
    notes.extend(decision.notes.iter().map(ToString::to_string));
    if notes.is_empty() { String::new() } else { format!(" ({})", notes.join("; ")) }
}
