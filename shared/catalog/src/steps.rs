//! The steps of a rule, in the long and the short form.

use domain::base::channel::Channel;
use domain::catalog::rule::{DigestStep, SendStep, Step, ThrottleStep, Unless, Wait};
use domain::limits::counter::{Limit, Period};
use domain::limits::digest::DigestPolicy;
use domain::time::span::{MAX, Span};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::problem::{At, Diagnostics};
use crate::suggestions::{listed, suggestion};
use crate::values::{
    Fields, calendar_days, check_keys, duration, find, flag, is_path, key_at, list, map, number, path_in,
    text, typed, word,
};
use crate::yaml::{Entry, Kind, Node};

/// The number of steps per rule, which is also the limit of dispatch.
const MAX_STEPS: usize = 50;

/// The kind of a step. Every match is exhaustive, so that a new kind cannot be mistaken for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StepKind {
    Send,
    Wait,
    Digest,
    Throttle,
}

impl StepKind {
    const ALL: [StepKind; 4] = [StepKind::Send, StepKind::Wait, StepKind::Digest, StepKind::Throttle];

    /// The key of the kind in a rule.
    fn name(self) -> &'static str {
        match self {
            StepKind::Send => "send",
            StepKind::Wait => "wait",
            StepKind::Digest => "digest",
            StepKind::Throttle => "throttle",
        }
    }
}

/// The additional keys of steps, each with the kind it belongs to.
const BESIDE: [(&str, StepKind); 3] =
    [("unless", StepKind::Send), ("failover", StepKind::Send), ("shift", StepKind::Wait)];

const STEP: &str =
    "write `- send: [socket]`, `- wait: 10m`, `- digest: 10m` or `- throttle: { most: 1, per: 1h }`";

const UNLESS: [(&str, Unless); 2] = [("seen", Unless::Seen), ("acknowledged", Unless::Acknowledged)];

const DIGEST_KEYS: [&str; 10] =
    ["for", "key", "max-items", "sliding", "flush-first", "lookback", "show", "keep", "sort-by", "order"];

const WAIT: &str = "write a length such as `10m`, an instant such as `2026-12-24T08:00:00Z`, or a path such as `$.data.startsAt`";

/// Reads the steps of a rule, each with its place: from `steps`, or from `channels` and `delay`.
pub(crate) fn steps(members: &[Entry], at: At, report: &mut Diagnostics<'_>) -> Option<Vec<(Step, At)>> {
    match (find(members, "steps"), find(members, "channels")) {
        (Some(steps), channels) => {
            if channels.is_some() {
                let fix =
                    "keep one of the two: `channels: [email]` is short for `steps: [{ send: [email] }]`";
                let at = key_at(members, "channels").unwrap_or(at);
                report.refuse(at, "the rule has both `channels` and `steps`", fix);
            }
            if let Some(at) = key_at(members, "delay") {
                let fix = "make it the first step: `- wait: …`";
                report.refuse(at, "`delay` belongs to `channels`, and the rule has `steps`", fix);
            }
            long(steps, report)
        }
        (None, Some(node)) => {
            let delay = find(members, "delay").map(|node| (wait(node, None, report), node.at));
            let send = Step::Send(SendStep {
                channels: channels(node, report)?,
                failover: Vec::new(),
                unless: None,
            });
            let first = match delay {
                Some((wait, at)) => Some((Step::Wait(wait?), at)),
                None => None,
            };
            Some(first.into_iter().chain([(send, node.at)]).collect())
        }
        (None, None) => {
            let fix = "add a line `channels: [socket, email]`";
            report.refuse(at, "the rule has neither `channels` nor `steps`", fix);
            None
        }
    }
}

fn long(node: &Node, report: &mut Diagnostics<'_>) -> Option<Vec<(Step, At)>> {
    let nodes = list(node, report)?;
    if nodes.len() > MAX_STEPS {
        let what = format!("there are {} steps, and a rule has {MAX_STEPS} at most", nodes.len());
        report.refuse(node.at, what, "make it two rules");
        return None;
    }
    if nodes.is_empty() {
        report.refuse(node.at, "`steps` is empty, so nothing is ever sent", STEP);
        return None;
    }
    let steps: Vec<(Step, At)> =
        nodes.iter().filter_map(|node| Some((step(node, report)?, node.at))).collect();
    (steps.len() == nodes.len()).then_some(steps)
}

fn step(node: &Node, report: &mut Diagnostics<'_>) -> Option<Step> {
    let Kind::Map(members) = &node.kind else {
        report.refuse(node.at, format!("found {}, wanted a step", node.what_there_is()), STEP);
        return None;
    };
    let names = StepKind::ALL.map(StepKind::name);
    let known: Vec<&str> = names.into_iter().chain(BESIDE.iter().map(|(key, _)| *key)).collect();
    check_keys(members, node.at, &known, &[], report);
    let kinds: Vec<(StepKind, &Node)> =
        StepKind::ALL.into_iter().filter_map(|kind| Some((kind, find(members, kind.name())?))).collect();
    let [(kind, value)] = kinds[..] else {
        let what = match kinds.is_empty() {
            true => "the step does nothing".to_owned(),
            false => {
                let names: Vec<&str> = kinds.iter().map(|(kind, _)| kind.name()).collect();
                format!("one step does several things: {}", listed(&names))
            }
        };
        report.refuse(node.at, what, if kinds.is_empty() { STEP } else { "make it one step each" });
        return None;
    };
    for (key, owner) in BESIDE {
        if let Some(at) = key_at(members, key).filter(|_| kind != owner) {
            let (owner, kind) = (owner.name(), kind.name());
            let what = format!("`{key}` belongs to `{owner}`, and this step is `{kind}`");
            report.refuse(at, what, "take it out, or move it");
        }
    }
    match kind {
        StepKind::Send => {
            let unless =
                find(members, "unless").map(|node| word(node, "value for `unless`", &UNLESS, report));
            let channels = channels(value, report)?;
            let failover = match find(members, "failover") {
                Some(node) => failover(node, &channels, report)?,
                None => Vec::new(),
            };
            let unless = unless.map_or(Some(None), |unless| unless.map(Some))?;
            Some(Step::Send(SendStep { channels, failover, unless }))
        }
        StepKind::Wait => wait(value, find(members, "shift"), report).map(Step::Wait),
        StepKind::Digest => digest(value, report).map(Step::Digest),
        StepKind::Throttle => throttle(value, report).map(Step::Throttle),
    }
}

pub(crate) fn channels(node: &Node, report: &mut Diagnostics<'_>) -> Option<Vec<Channel>> {
    let known = Channel::ALL.map(Channel::name);
    let nodes = list(node, report)?;
    if nodes.is_empty() {
        let what = "there is no channel in it, so nothing is ever sent";
        report.refuse(node.at, what, format!("name one of {}", listed(&known)));
    }
    let mut channels = Vec::new();
    for node in nodes {
        let Some(word) = text(node, report) else { continue };
        match Channel::from_name(&word) {
            Some(name) if channels.contains(&name) => {
                report.refuse(node.at, format!("the channel `{word}` stands here twice"), "take one out");
            }
            Some(name) => channels.push(name),
            None => report.refuse(node.at, format!("unknown channel `{word}`"), suggestion(&word, &known)),
        }
    }
    Some(channels)
}

/// Reads the fallback channels, which must differ from the channels of the send.
fn failover(node: &Node, sent: &[Channel], report: &mut Diagnostics<'_>) -> Option<Vec<Channel>> {
    if matches!(&node.kind, Kind::List(nodes) if nodes.is_empty()) {
        report.refuse(node.at, "`failover` names no channel", "name one, or take `failover` out");
        return None;
    }
    let found = channels(node, report)?;
    match found.iter().find(|channel| sent.contains(channel)) {
        Some(channel) => {
            let what = format!(
                "`{}` is sent anyway, so it cannot take the place of another channel",
                channel.name()
            );
            report.refuse(node.at, what, "take it out of `failover`, or out of `send`");
            None
        }
        None => Some(found),
    }
}

fn wait(node: &Node, shift: Option<&Node>, report: &mut Diagnostics<'_>) -> Option<Wait> {
    if is_path(node) {
        let path = path_in(node, report);
        let (shift, days) = match shift {
            Some(shift) => shifted(shift, report)?,
            None => (SignedDuration::ZERO, 0),
        };
        return Some(Wait::Event { path: path?, shift, days });
    }
    let written = text(node, report)?;
    if let Some(shift) = shift {
        let fix = "take it out, or wait for an instant of the event: `wait: $.data.startsAt`";
        report.refuse(shift.at, "`shift` moves an instant that the event names, and none is named", fix);
    }
    if let Ok(instant) = written.parse::<Timestamp>() {
        return Some(Wait::Until(instant));
    }
    match duration(&written).filter(|duration| duration.is_positive() && *duration <= MAX) {
        Some(length) => Some(Wait::For(length)),
        None => {
            let what = match duration(&written) {
                Some(duration) if duration > MAX => format!("`{written}` is longer than 31 days"),
                Some(_) => format!("`{written}` is over before it begins"),
                None => format!("`{written}` is nothing to wait for"),
            };
            report.refuse(node.at, what, WAIT);
            None
        }
    }
}

/// The whole shift, and the number of calendar days in it.
fn shifted(node: &Node, report: &mut Diagnostics<'_>) -> Option<(SignedDuration, i64)> {
    let written = text(node, report)?;
    let found = duration(&written).filter(|duration| duration.abs() <= MAX);
    if found.is_none() {
        let fix = "write how much later, or with a minus how much earlier, up to 31 days: `-1h`";
        report.refuse(node.at, format!("`{written}` is no shift"), fix);
    }
    Some((found?, calendar_days(&written)))
}

fn throttle(node: &Node, report: &mut Diagnostics<'_>) -> Option<ThrottleStep> {
    let members = map(node, "{ most: 3, per: 1h }", report)?;
    check_keys(members, node.at, &["most", "per", "key"], &["most", "per"], report);
    let mut fields = Fields { members, report };
    let most = fields.read("most", |node, report| number(node, 1, u32::MAX, report));
    let per = fields.read("per", |node, report| typed::<Span>(node, "per", report));
    let key = fields.read("key", path_in);
    if find(members, "key").is_some() && key.is_none() {
        return None;
    }
    let (most, per) = (most?, per?);
    if let Err(error) = Limit::new("throttle", u64::from(most), Period::Fixed(per), true) {
        report.refuse(
            node.at,
            format!("{}: found {}", error.at, error.found),
            format!("write {}", error.wanted),
        );
        return None;
    }
    Some(ThrottleStep { most, per, key })
}

fn digest(node: &Node, report: &mut Diagnostics<'_>) -> Option<DigestStep> {
    let Kind::Map(members) = &node.kind else {
        let span = typed::<Span>(node, "digest", report)?;
        return Some(DigestStep { span, key: None, policy: DigestPolicy::default() });
    };
    check_keys(members, node.at, &DIGEST_KEYS, &["for"], report);
    let mut fields = Fields { members, report };
    let span = fields.read("for", |node, report| typed::<Span>(node, "for", report));
    let key = fields.read("key", path_in);
    let policy = policy(node.at, &mut fields);
    if find(members, "key").is_some() && key.is_none() {
        return None;
    }
    Some(DigestStep { span: span?, key, policy: policy? })
}

/// Reads the digest policy. The domain has names of its own for these settings.
fn policy(at: At, fields: &mut Fields<'_, '_, '_>) -> Option<DigestPolicy> {
    let before = fields.report.problems.len();
    let mut written = Map::new();
    let mut add =
        |name: &str, value: Option<Value>| value.map(|value| written.insert(name.to_owned(), value));
    let count =
        |node: &Node, report: &mut Diagnostics<'_>| number(node, 1, u32::MAX, report).map(Value::from);
    add("max_items", fields.read("max-items", count));
    add("show", fields.read("show", count));
    let sliding = fields.read("sliding", |node, report| {
        let written = text(node, report)?;
        let found = duration(&written);
        if found.is_none() {
            report.refuse(
                node.at,
                format!("`{written}` is no duration"),
                "write the longest that it may slide: `2h`",
            );
        }
        found
    });
    add("sliding", sliding.map(|sliding| serde_json::json!({ "max": format!("{sliding:#}") })));
    add("flush_first", fields.read("flush-first", |node, report| flag(node, report).map(Value::from)));
    add("lookback", fields.read("lookback", |node, report| flag(node, report).map(Value::from)));
    let keep = fields.read("keep", |node, report| {
        word(node, "value for `keep`", &[("first", "first"), ("last", "last")], report)
    });
    let order = fields.read("order", |node, report| {
        word(node, "value for `order`", &[("highest", "highest"), ("lowest", "lowest")], report)
    });
    let sort_by = fields.read("sort-by", path_in);
    contradictions(fields);
    add("sort_by", sort_by.clone().map(|sort_by| String::from(sort_by).into()));
    add("keep", sort_by.map(|_| order.unwrap_or("highest")).or(keep).map(Value::from));
    if fields.report.problems.len() > before {
        return None;
    }
    match serde_json::from_value(Value::Object(written)) {
        Ok(policy) => Some(policy),
        Err(error) => {
            refuse_policy(at, &error.to_string(), fields);
            None
        }
    }
}

/// Reports settings that contradict each other.
fn contradictions(fields: &mut Fields<'_, '_, '_>) {
    let members = fields.members;
    let there = |key: &str| key_at(members, key);
    let is_on = |key: &str| matches!(find(members, key).map(|node| &node.kind), Some(Kind::Bool(true)));
    if let (Some(at), None) = (there("order"), there("sort-by")) {
        fields.report.refuse(at, "`order` without `sort-by` orders nothing", "add `sort-by: $.data.<value>`");
    }
    if let (Some(at), Some(_)) = (there("keep"), there("sort-by")) {
        let fix =
            "keep one of the two: `sort-by` shows the highest or the lowest, `keep` the first or the last";
        fields.report.refuse(at, "`keep` and `sort-by` contradict each other", fix);
    }
    if let Some(at) = there("lookback").filter(|_| is_on("lookback") && is_on("flush-first")) {
        let fix = "keep one of the two; each lets an event through in its own way";
        fields.report.refuse(at, "`flush-first` and `lookback` stand side by side", fix);
    }
}

/// Reports the domain's error `max_items: found 1, wanted 2 to 1000` under the key in the file.
fn refuse_policy(at: At, error: &str, fields: &mut Fields<'_, '_, '_>) {
    let (member, rest) = error.split_once(": found ").unwrap_or(("", error));
    let (found, wanted) = rest.split_once(", wanted ").unwrap_or((rest, "what the error asks for"));
    let key = member.trim_end_matches(".max").replace('_', "-");
    let at = find(fields.members, &key).map_or(at, |node| node.at);
    fields.report.refuse(at, format!("`{key}` cannot be {found}"), format!("write {wanted}"));
}

#[cfg(test)]
mod tests;
