//! Overrides: `- override: <pack>/<rule>` and `- switch-off: <pack>/<rule>` in a project's rules change or remove a
//! pack rule by its name. The pack's file stays unchanged.

use std::collections::{BTreeMap, BTreeSet};

use crate::library::UNUSED;
use crate::problem::{At, Diagnostics, Problem};
use crate::source_map::{SourceMap, shift};
use crate::suggestions::nearest;
use crate::values::{find, text};
use crate::yaml::{Entry, Kind, Node};

const OVERRIDE: &str = "override";

const SWITCH_OFF: &str = "switch-off";

/// Mutually exclusive members of a rule: an override that sets one removes the others.
const ALTERNATIVES: [(&str, &[&str]); 3] =
    [("steps", &["channels", "delay"]), ("channels", &["steps"]), ("delay", &["steps"])];

/// A file of rules.
pub(crate) struct RuleFile<'a> {
    pub(crate) name: &'a str,
    /// The pack that the file belongs to.
    pub(crate) pack: Option<&'a str>,
    pub(crate) lines: usize,
    pub(crate) items: Vec<Node>,
}

/// The changes of a project to its packs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changed {
    /// Disabled rules, by name.
    pub(crate) off: BTreeSet<String>,
    pub(crate) overridden: BTreeSet<String>,
    /// The former templates of overridden rules.
    pub(crate) templates: BTreeSet<String>,
}

impl Changed {
    /// Whether a warning only follows from a new template of an overridden rule.
    pub(crate) fn explains(&self, warning: &Problem) -> bool {
        let template = warning.file.strip_prefix("templates/");
        warning.what == UNUSED && template.is_some_and(|template| self.templates.contains(template))
    }
}

/// One change by a project.
struct Change<'a> {
    file: &'a str,
    lines: usize,
    target: String,
    at: At,
    /// The members that change. `None` disables the rule.
    members: Option<Vec<Entry>>,
}

/// Applies the changes of the project's files to the packs' rules, and removes them from the files.
pub(crate) fn apply(files: &mut [RuleFile<'_>], map: &mut SourceMap, problems: &mut Vec<Problem>) -> Changed {
    let mut changes: BTreeMap<String, Change<'_>> = BTreeMap::new();
    for file in files.iter_mut() {
        for change in take(file, problems) {
            if let Some(first) = changes.get(&change.target) {
                let what = format!("{}:{} changes `{}` already", first.file, first.at.line, change.target);
                problems.push(Problem::at(change.file, change.at, what, "make it one change"));
            } else {
                changes.insert(change.target.clone(), change);
            }
        }
    }
    let mut changed = Changed::default();
    let mut known = Vec::new();
    for file in files.iter_mut() {
        let Some(pack) = file.pack else { continue };
        for item in &mut file.items {
            let Kind::Map(members) = &mut item.kind else { continue };
            let Some(Kind::Text(name)) = find(members, "rule").map(|node| &node.kind) else { continue };
            let (name, target) = (name.clone(), format!("{pack}/{name}"));
            match changes.remove(&target) {
                Some(Change { members: Some(new), file: by, lines, .. }) => {
                    if let Some(Kind::Text(template)) = find(members, "template").map(|node| &node.kind) {
                        changed.templates.insert(template.clone());
                    }
                    let mut new = new;
                    shift(&mut new, map.append(file.name, file.lines, by, lines));
                    replace(members, new);
                    changed.overridden.insert(name);
                }
                Some(_) => drop(changed.off.insert(name)),
                None => {}
            }
            known.push(target);
        }
    }
    for change in changes.values() {
        let fix = match nearest(&change.target, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write `<pack>/<rule>` of a pack that the project uses".to_owned(),
        };
        let what = format!("there is no rule `{}` in a pack of this project", change.target);
        problems.push(Problem::at(change.file, change.at, what, fix));
    }
    changed
}

/// Removes the changes from a file and returns them.
fn take<'a>(file: &mut RuleFile<'a>, problems: &mut Vec<Problem>) -> Vec<Change<'a>> {
    let mut changes = Vec::new();
    let items = std::mem::take(&mut file.items);
    for item in items {
        let key = match &item.kind {
            Kind::Map(members) => [OVERRIDE, SWITCH_OFF].into_iter().find(|key| find(members, key).is_some()),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::List(_) => None,
        };
        let (Some(key), at) = (key, item.at) else {
            file.items.push(item);
            continue;
        };
        let mut report = Diagnostics { file: file.name, rule: None, problems };
        if file.pack.is_some() {
            let what = format!("`{key}` stands in a pack, and only a project changes rules of packs");
            report.refuse(at, what, "move it to the project's rules");
            continue;
        }
        let Kind::Map(members) = item.kind else { continue };
        changes.extend(read(key, members, file, &mut report));
    }
    changes
}

fn read<'a>(
    key: &str,
    mut members: Vec<Entry>,
    file: &RuleFile<'a>,
    report: &mut Diagnostics<'_>,
) -> Option<Change<'a>> {
    let index = members.iter().position(|entry| entry.key == key)?;
    let node = members.remove(index).value;
    let target = text(&node, report)?;
    if let Some(entry) =
        members.iter().find(|member| [OVERRIDE, SWITCH_OFF, "rule"].contains(&member.key.as_str()))
    {
        let what = format!("`{}` stands beside `{key}`", entry.key);
        report.refuse(
            entry.at,
            what,
            "a change of a pack's rule keeps the rule's name; make two items of it",
        );
        return None;
    }
    if key == SWITCH_OFF {
        if let Some(entry) = members.iter().find(|member| member.key != "about") {
            let what = format!("`{}` has no meaning for a rule that is switched off", entry.key);
            report.refuse(entry.at, what, "take it out, or write `override` in place of `switch-off`");
            return None;
        }
    } else if members.is_empty() {
        report.refuse(
            node.at,
            "the override changes nothing",
            "add the members that change, or `switch-off` the rule",
        );
        return None;
    }
    let members = (key == OVERRIDE).then_some(members);
    Some(Change { file: file.name, lines: file.lines, target, at: node.at, members })
}

/// Replaces old members by new ones. A member without a value is removed.
fn replace(members: &mut Vec<Entry>, new: Vec<Entry>) {
    for entry in new {
        for (key, others) in ALTERNATIVES {
            if entry.key == key {
                members.retain(|member| !others.contains(&member.key.as_str()));
            }
        }
        members.retain(|member| member.key != entry.key);
        if !matches!(entry.value.kind, Kind::Null) {
            members.push(entry);
        }
    }
}
