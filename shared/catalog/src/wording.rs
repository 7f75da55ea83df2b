//! The template of a rule, fixed or chosen by the event, its subject, and rules that refuse.

use std::collections::BTreeSet;

use domain::base::channel::Channel;
use domain::base::path::Path;
use domain::catalog::rule::{Rule, TemplateChoice};

use crate::problem::{At, Diagnostics};
use crate::reference::references;
use crate::rule::Draft;
use crate::values::{Fields, check_keys, find, key_at, list, path_in, text};
use crate::yaml::{Entry, Kind, Node};

/// The keys of `template` if the event chooses the template.
const CHOICE_KEYS: [&str; 4] = ["from", "among", "otherwise", "context"];

/// The allowed keys of a refusing rule.
const REFUSING_KEYS: [&str; 10] =
    ["rule", "about", "when", "category", "priority", "to", "actor", "channels", "steps", "refuse"];

/// The required keys of a refusing rule.
pub(crate) const REQUIRED_OF_REFUSING: [&str; 5] = ["rule", "when", "category", "to", "refuse"];

/// The longest text of `refuse`, in characters. Each outcome contains it.
const MAX_REFUSAL_CHARS: usize = 200;

/// The number of templates that an event may choose from.
const MAX_AMONG: usize = 200;

/// The templates of a rule, each with its place.
#[derive(Default)]
pub(crate) struct Templates {
    /// The rule's own template, or the one for events that choose none.
    pub(crate) own: Option<(String, At)>,
    pub(crate) among: Vec<(String, At)>,
    pub(crate) choice: Option<TemplateChoice>,
}

impl Templates {
    /// The name for [`Rule::template`]: empty for a rule without a template of its own. `None` if a problem
    /// explains why.
    pub(crate) fn own_name(&self, members: &[Entry]) -> Option<String> {
        let may_lack = self.choice.is_some() || find(members, "template").is_none();
        self.own.as_ref().map(|(name, _)| name.clone()).or_else(|| may_lack.then(String::new))
    }

    /// All names with their places.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, At)> {
        self.own.iter().chain(&self.among).map(|(name, at)| (name.as_str(), *at))
    }

    /// Whether one of the templates has this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.all().any(|(known, _)| known == name)
    }
}

/// Reads a name, or `{ from: $.data.template, among: [reminder], otherwise: direct, context: $.data.context }`.
pub(crate) fn templates(node: &Node, report: &mut Diagnostics<'_>) -> Option<Templates> {
    let Kind::Map(members) = &node.kind else {
        return text(node, report)
            .map(|name| Templates { own: Some((name, node.at)), ..Templates::default() });
    };
    check_keys(members, node.at, &CHOICE_KEYS, &["from", "among"], report);
    let mut fields = Fields { members, report };
    let from = fields.read("from", path_in);
    let among = fields.read("among", among);
    let otherwise = fields.read("otherwise", text);
    let context = fields.read("context", path_in);
    let is_read = |key, is_some| is_some || find(members, key).is_none();
    if !is_read("otherwise", otherwise.is_some()) || !is_read("context", context.is_some()) {
        return None;
    }
    let among = among?;
    let names = among.iter().map(|(name, _)| name.clone()).collect();
    let place = find(members, "otherwise").map_or(node.at, |node| node.at);
    Some(Templates {
        own: otherwise.map(|name| (name, place)),
        among,
        choice: Some(TemplateChoice { from: from?, among: names, context }),
    })
}

fn among(node: &Node, report: &mut Diagnostics<'_>) -> Option<Vec<(String, At)>> {
    let nodes = list(node, report)?;
    if nodes.is_empty() || nodes.len() > MAX_AMONG {
        let what = format!("`among` lists {} templates", nodes.len());
        report.refuse(node.at, what, format!("name 1 to {MAX_AMONG} templates that events may name"));
        return None;
    }
    let mut names: Vec<(String, At)> = Vec::new();
    for node in nodes {
        let Some(name) = text(node, report) else { continue };
        if names.iter().any(|(known, _)| *known == name) {
            report.refuse(node.at, format!("the template `{name}` stands here twice"), "take one out");
        }
        names.push((name, node.at));
    }
    (names.len() == nodes.len()).then_some(names)
}

/// Reads the path of the event's subject.
pub(crate) fn subject(node: &Node, channels: &[Channel], report: &mut Diagnostics<'_>) -> Option<Path> {
    let shown = [Channel::Email, Channel::Push, Channel::Socket];
    if !channels.is_empty() && !channels.iter().any(|channel| shown.contains(channel)) {
        let what = "`subject` is for `email`, `push` and `socket`, and the rule sends none of them";
        report.refuse(node.at, what, "add one of these channels, or take it out");
    }
    path_in(node, report)
}

/// Reads the reason of a refusing rule.
pub(crate) fn refusal(node: &Node, report: &mut Diagnostics<'_>) -> Option<String> {
    let why = text(node, report)?;
    if why.chars().count() > MAX_REFUSAL_CHARS || why.chars().any(char::is_control) {
        let fix = format!(
            "write one line of up to {MAX_REFUSAL_CHARS} characters: `texts are for emergencies only`"
        );
        report.refuse(node.at, "`refuse` is too long, or has more than one line", fix);
        return None;
    }
    Some(why)
}

/// Reports settings that conflict within one rule.
pub(crate) fn check(rule: &Rule, members: &[Entry], report: &mut Diagnostics<'_>) {
    if rule.refuse.is_some() {
        for entry in members.iter().filter(|entry| !REFUSING_KEYS.contains(&entry.key.as_str())) {
            let what = format!("`{}` has no effect: the rule refuses and sends nothing", entry.key);
            report.refuse(entry.at, what, "take it out, or take `refuse` out");
        }
        let waits = rule.steps.len() > 1;
        if let Some(at) = key_at(members, "steps").filter(|_| waits) {
            let what = "a rule that refuses has one step";
            report.refuse(at, what, "write the channels that it refuses as `channels: [sms]`");
        }
        return;
    }
    if let Some(at) = key_at(members, "template").filter(|_| rule.template_choice.is_some() && rule.digests())
    {
        let what = "events that name their templates cannot be told together in one digest";
        report.refuse(at, what, "take the digest out, or name one template");
    }
}

/// The files whose unknown variables may come from the `context` of an event.
#[derive(Default)]
pub(crate) struct OpenFiles {
    /// Every rule that uses the file has a context.
    always: BTreeSet<String>,
    /// A rule that uses the file has a context.
    sometimes: BTreeSet<String>,
}

impl OpenFiles {
    /// Finds the files of the templates, and those that they include or extend.
    pub(crate) fn of(
        sources: &std::collections::BTreeMap<String, String>,
        drafts: &[Draft<'_>],
    ) -> OpenFiles {
        let has_context = |draft: &Draft<'_>| {
            draft.templates.choice.as_ref().is_some_and(|choice| choice.context.is_some())
        };
        let (mut open, mut closed) = (BTreeSet::new(), BTreeSet::new());
        for draft in drafts {
            let files = if has_context(draft) { &mut open } else { &mut closed };
            for (name, _) in draft.templates.all() {
                let beginning = format!("{name}/");
                let own = sources.keys().filter(|path| path.starts_with(&beginning)).cloned();
                files.extend(own);
            }
        }
        let (open, closed) = (with_references(open, sources), with_references(closed, sources));
        OpenFiles { always: open.difference(&closed).cloned().collect(), sometimes: open }
    }

    /// Whether an unknown variable of a file may come from a context. `is_foreseen`: the template handles a missing
    /// variable.
    pub(crate) fn may_have(&self, file: &str, is_foreseen: bool) -> bool {
        if is_foreseen { self.sometimes.contains(file) } else { self.always.contains(file) }
    }
}

fn with_references(
    files: BTreeSet<String>,
    sources: &std::collections::BTreeMap<String, String>,
) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut waiting: Vec<String> = files.into_iter().collect();
    while let Some(file) = waiting.pop() {
        let named = sources.get(&file).map(|source| references(source)).unwrap_or_default();
        waiting.extend(
            named.iter().map(|reference| reference.name.to_owned()).filter(|name| !found.contains(name)),
        );
        found.insert(file);
    }
    found
}

#[cfg(test)]
mod tests;
