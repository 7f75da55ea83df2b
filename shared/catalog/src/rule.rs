//! Reads one rule from YAML. References to other rules and templates are checked elsewhere.

use std::collections::BTreeMap;

use domain::base::channel::Channel;
use domain::base::path::Path;
use domain::catalog::rule::{ActorPolicy, Cancel, Expiry, Outside, Repeat, Rule, Step, When};
use domain::event::Priority;
use domain::time::recurrence::Recurrence;
use domain::webhook::endpoint;

use crate::audience::{Mention, selectors};
use crate::problem::{At, Diagnostics, Problem};
use crate::values::{
    Fields, check_keys, duration, find, flag, is_path, key_at, list, map, number, path_in, text, typed, word,
};
use crate::when::when;
use crate::yaml::{Entry, Kind, Node};
use crate::{broadcast, email, push, satisfiability, step_order, steps, wording};

/// The longest name of a rule, in bytes. The name is part of every key.
pub const MAX_NAME_BYTES: usize = 64;

const REQUIRED: [&str; 5] = ["rule", "when", "category", "to", "template"];

/// The required keys of a rule without a template.
const REQUIRED_OF_SILENT: [&str; 4] = ["rule", "when", "category", "to"];

const KEYS: [&str; 27] = [
    "rule",
    "about",
    "when",
    "category",
    "priority",
    "commercial",
    "ephemeral",
    "to",
    "actor",
    "channels",
    "delay",
    "steps",
    "template",
    "subject",
    "refuse",
    "reply-to",
    "attachments",
    "expose",
    "versions",
    "expires",
    "outside",
    "push",
    "cancel",
    "repeat",
    "broadcast",
    "exclude",
    "record",
];

const PRIORITIES: [Priority; 4] = [Priority::Low, Priority::Normal, Priority::High, Priority::Critical];

const ACTORS: [(&str, ActorPolicy); 2] =
    [("include", ActorPolicy::Include), ("exclude", ActorPolicy::Exclude)];

const OUTSIDE: [(&str, Outside); 3] =
    [("defer", Outside::Defer), ("drop", Outside::Drop), ("digest", Outside::Digest)];

/// The readable parts of a rule, for checks against others even if the rule has mistakes.
pub(crate) struct Draft<'a> {
    pub(crate) file: &'a str,
    pub(crate) name: Option<String>,
    pub(crate) name_at: At,
    pub(crate) category: Option<String>,
    pub(crate) templates: wording::Templates,
    /// The channels of all its steps.
    pub(crate) channels: Vec<Channel>,
    /// The roles and topics that it names.
    pub(crate) mentions: Vec<Mention>,
    /// Legal settings that are likely mistakes.
    pub(crate) warnings: Vec<Problem>,
    /// The rule itself. `None` only if a problem explains why.
    pub(crate) rule: Option<Rule>,
}

impl Draft<'_> {
    pub(crate) fn problem(&self, at: At, what: impl Into<String>, fix: impl Into<String>) -> Problem {
        Problem::at(self.file, at, what, fix).of_rule(self.name.as_deref())
    }
}

/// Reads one item of a file of rules.
pub(crate) fn draft<'a>(node: &Node, file: &'a str, problems: &mut Vec<Problem>) -> Option<Draft<'a>> {
    let mut report = Diagnostics { file, rule: None, problems };
    let Kind::Map(members) = &node.kind else {
        report.refuse(
            node.at,
            format!("a rule is a map, and this is {}", node.what_there_is()),
            "write `- rule: <name>`",
        );
        return None;
    };
    if let Some(Kind::Text(name)) = find(members, "rule").map(|node| &node.kind) {
        report.rule = Some(name);
    }
    let is_broadcast = broadcast::check_keys(members, &mut report);
    let steps = match is_broadcast {
        true => Some(vec![broadcast::step(node.at)]),
        false => steps::steps(members, node.at, &mut report),
    };
    let channels = channels_of(steps.as_deref().unwrap_or_default());
    let is_silent = !channels.is_empty() && channels.iter().all(|channel| channel.parts().is_empty());
    let required = match (is_broadcast, find(members, "refuse"), is_silent) {
        (true, _, _) => &broadcast::REQUIRED[..],
        (false, Some(_), _) => &wording::REQUIRED_OF_REFUSING[..],
        (false, None, true) => &REQUIRED_OF_SILENT[..],
        (false, None, false) => &REQUIRED[..],
    };
    check_keys(members, node.at, &KEYS, required, &mut report);
    let place = |key| find(members, key).map_or(node.at, |node| node.at);

    let mut fields = Fields { members, report: &mut report };
    let mut draft = Draft {
        file,
        name: fields.read("rule", name),
        name_at: place("rule"),
        category: fields.read("category", text),
        templates: fields.read("template", wording::templates).unwrap_or_default(),
        channels,
        mentions: Vec::new(),
        warnings: Vec::new(),
        rule: None,
    };
    draft.rule = rule(&mut fields, steps, &mut draft);
    draft.warnings = draft.rule.iter().flat_map(|rule| warnings(rule, members, &draft)).collect();
    Some(draft)
}

/// Reads the remaining keys. Returns the rule if all keys are valid.
fn rule(
    fields: &mut Fields<'_, '_, '_>,
    steps: Option<Vec<(Step, At)>>,
    draft: &mut Draft<'_>,
) -> Option<Rule> {
    let about = fields.read("about", text).unwrap_or_default();
    let when = fields.read("when", when);
    let priority = fields.read("priority", priority);
    let commercial = fields.read("commercial", flag).unwrap_or_default();
    let channels = &draft.channels;
    let ephemeral =
        fields.read("ephemeral", |node, report| ephemeral(node, channels, report)).unwrap_or_default();
    let broadcast = broadcast::read(fields);
    let to = match &broadcast {
        Some(_) => fields.read("broadcast", broadcast::targets),
        None => fields.read("to", |node, report| selectors(node, &draft.channels, report)),
    };
    let actor = fields.read("actor", |node, report| word(node, "value for `actor`", &ACTORS, report));
    let exclude = match &broadcast {
        Some(_) => Vec::new(),
        None => fields.read("exclude", broadcast::exclude).unwrap_or_default(),
    };
    let subject = fields.read("subject", |node, report| wording::subject(node, &draft.channels, report));
    let refuse = fields.read("refuse", wording::refusal);
    let reply_to = fields.read("reply-to", email::reply_to);
    let attachments = fields.read("attachments", email::attachments).unwrap_or_default();
    let expose = match &broadcast {
        Some(broadcast) if broadcast.expose_all => Vec::new(),
        Some(_) | None => fields.read("expose", expose).unwrap_or_default(),
    };
    let versions = fields.read("versions", versions).unwrap_or_default();
    let expires = fields.read("expires", expires);
    let outside = fields.read("outside", |node, report| word(node, "value for `outside`", &OUTSIDE, report));
    let outside = outside.unwrap_or_default();
    let push =
        fields.read("push", |node, report| push::note(node, &draft.channels, report)).unwrap_or_default();
    let cancel = fields.read("cancel", |node, report| cancel(node, when.as_ref(), report));
    let repeat = fields.read("repeat", repeat);
    if let Some(steps) = &steps {
        step_order::check(steps, outside, key_at(fields.members, "outside"), fields.report);
    }
    let (to, mentions) = to?;
    draft.mentions = mentions;
    let rule = Rule {
        name: draft.name.clone()?,
        about,
        when: when?,
        category: draft.category.clone().or_else(|| broadcast::category(fields.members))?,
        priority,
        commercial,
        ephemeral,
        steps: steps?.into_iter().map(|(step, _)| step).collect(),
        to,
        actor,
        exclude,
        template: draft.templates.own_name(fields.members)?,
        template_choice: draft.templates.choice.clone(),
        subject,
        refuse,
        reply_to,
        attachments,
        expose,
        versions,
        expires,
        outside,
        push,
        cancel,
        repeat,
        broadcast,
    };
    email::check(&rule, fields.members, fields.report);
    wording::check(&rule, fields.members, fields.report);
    Some(rule)
}

/// The distinct channels of all sends.
fn channels_of(steps: &[(Step, At)]) -> Vec<Channel> {
    let mut channels = Vec::new();
    for (step, _) in steps {
        if let Step::Send(send) = step {
            let new: Vec<Channel> = send.all().filter(|channel| !channels.contains(channel)).collect();
            channels.extend(new);
        }
    }
    channels
}

fn warnings(rule: &Rule, members: &[Entry], draft: &Draft<'_>) -> Vec<Problem> {
    let mut warnings = Vec::new();
    if let Some(node) = find(members, "when").filter(|node| satisfiability::is_everything(node)) {
        let fix = "name the types in `detail-type`, or what else tells the events apart";
        warnings.push(draft.problem(node.at, "`when` matches every event", fix));
    }
    let cancels = find(members, "cancel").and_then(|node| match &node.kind {
        Kind::Map(of_cancel) => find(of_cancel, "when"),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::List(_) => None,
    });
    for node in [find(members, "when"), cancels].into_iter().flatten() {
        let found = crate::when::warnings(node).into_iter();
        warnings.extend(found.map(|(at, what, fix)| draft.problem(at, what, fix)));
    }
    let endless = rule.repeat.as_ref().is_some_and(|repeat| repeat.times.is_none() && repeat.until.is_none());
    if let Some(node) = find(members, "repeat").filter(|_| endless && rule.expires.is_none()) {
        let fix = "add `times: <n>` or `until: $.data.<instant>`, or let the rule expire";
        warnings.push(draft.problem(node.at, "the rule repeats without an end", fix));
    }
    warnings
}

fn name(node: &Node, report: &mut Diagnostics<'_>) -> Option<String> {
    let name = text(node, report)?;
    if is_kebab(&name) && name.len() <= MAX_NAME_BYTES {
        return Some(name);
    }
    let fix =
        format!("use small letters, digits and single dashes, at most {MAX_NAME_BYTES}: `order-shipped`");
    report.refuse(node.at, format!("`{name}` is no name for a rule"), fix);
    None
}

/// Whether a name has the form `like-this-1`.
pub(crate) fn is_kebab(name: &str) -> bool {
    name.starts_with(|name: char| name.is_ascii_lowercase())
        && name.split('-').all(|word| {
            !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        })
}

fn priority(node: &Node, report: &mut Diagnostics<'_>) -> Option<Priority> {
    word(node, "priority", &PRIORITIES.map(|priority| (priority.name(), priority)), report)
}

/// Reads `ephemeral`. Only in-app messages are stored in an inbox, so other channels cannot be ephemeral.
fn ephemeral(node: &Node, channels: &[Channel], report: &mut Diagnostics<'_>) -> Option<bool> {
    let flag = flag(node, report)?;
    if flag && !channels.is_empty() && !channels.contains(&Channel::Socket) {
        let what = "`ephemeral` leaves something out of the inbox, and nothing of this rule gets there";
        report.refuse(node.at, what, "take it out, or send by `socket`");
    }
    Some(flag)
}

/// Reads paths with distinct last names, under which an in-app message contains the values.
fn expose(node: &Node, report: &mut Diagnostics<'_>) -> Option<Vec<Path>> {
    let mut paths: Vec<Path> = Vec::new();
    for node in list(node, report)? {
        let Some(found) = path_in(node, report) else { continue };
        if paths.iter().any(|path| path.last() == found.last()) {
            let what = format!("two paths end in `{}`, and only one value can have that name", found.last());
            report.refuse(node.at, what, "expose one of them");
        }
        paths.push(found);
    }
    Some(paths)
}

/// Reads the exposed paths of each earlier version: `versions: { 2026-05: [$.data.id] }`.
fn versions(node: &Node, report: &mut Diagnostics<'_>) -> Option<BTreeMap<String, Vec<Path>>> {
    let members = map(node, "{ \"2026-05\": [$.data.<name>] }", report)?;
    let mut versions = BTreeMap::new();
    for Entry { key, at, value } in members {
        if !endpoint::is_version(key) {
            let fix =
                "use letters, digits, dashes and dots, such as `2026-05`: versions are compared as texts";
            report.refuse(*at, format!("`{key}` is no version"), fix);
            continue;
        }
        if let Some(paths) = expose(value, report) {
            versions.insert(key.clone(), paths);
        }
    }
    Some(versions)
}

fn expires(node: &Node, report: &mut Diagnostics<'_>) -> Option<Expiry> {
    if is_path(node) {
        return path_in(node, report).map(Expiry::Event);
    }
    let word = text(node, report)?;
    let fix = "write a length, such as `24h`, `7d` or `1h 30m`, or a path to a time: `$.data.validUntil`";
    match duration(&word) {
        Some(duration) if duration.is_positive() => return Some(Expiry::After(duration)),
        Some(_) => report.refuse(node.at, format!("`{word}` is over before it begins"), fix),
        None => report.refuse(node.at, format!("`{word}` is no duration"), fix),
    }
    None
}

fn cancel(node: &Node, message: Option<&When>, report: &mut Diagnostics<'_>) -> Option<Cancel> {
    let members = map(node, "{ key: $.data.<id>, when: { detail-type: [<type>] } }", report)?;
    check_keys(members, node.at, &["key", "when"], &["key", "when"], report);
    let mut fields = Fields { members, report };
    let key = fields.read("key", cancel_key);
    let cancels = fields.read("when", when);
    if let (Some(message), Some(cancels), Some(node)) = (message, &cancels, find(members, "when"))
        && message.source() == cancels.source()
    {
        let what = "the events that the rule tells are the ones that cancel it";
        report.refuse(node.at, what, "name the type of the event that takes it back");
    }
    Some(Cancel { key: key?, when: cancels? })
}

/// Reads one path, or several that identify an object together.
fn cancel_key(node: &Node, report: &mut Diagnostics<'_>) -> Option<Vec<Path>> {
    let nodes = match &node.kind {
        Kind::List(nodes) => nodes.as_slice(),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Map(_) => {
            std::slice::from_ref(node)
        }
    };
    if nodes.is_empty() {
        let fix = "write a path that both events have, such as `$.data.appointmentId`";
        report.refuse(node.at, "`key` is empty, so one event would cancel everything", fix);
        return None;
    }
    let mut paths = Vec::new();
    for node in nodes {
        let Some(found) = path_in(node, report) else { continue };
        if paths.contains(&found) {
            report.refuse(node.at, "the same path stands here twice", "take one out");
        }
        paths.push(found);
    }
    (paths.len() == nodes.len()).then_some(paths)
}

fn repeat(node: &Node, report: &mut Diagnostics<'_>) -> Option<Repeat> {
    let members = map(node, "{ every: { every: daily, at: \"09:00\" }, times: 10 }", report)?;
    check_keys(members, node.at, &["every", "times", "until"], &["every"], report);
    let mut fields = Fields { members, report };
    let every = fields.read("every", |node, report| typed::<Recurrence>(node, "every", report));
    // The first notification counts as one of them.
    let times = fields.read("times", |node, report| number(node, 2, u32::MAX, report));
    let until = fields.read("until", path_in);
    Some(Repeat { every: every?, times, until })
}

#[cfg(test)]
mod tests;
