//! One rule: from what is written in YAML to what dispatch goes by. It knows no other rule and no template.

use domain::catalog::Rule;
use domain::channel::Channel;
use domain::event::Priority;
use domain::path::Path;
use jiff::SignedDuration;

use crate::audience::{path, selectors};
use crate::nearest::{listed, suggestion};
use crate::problem::{At, Page, Problem};
use crate::when::when;
use crate::yaml::{Entry, Kind, Node};

/// The longest name of a rule, in bytes: it is part of every key.
pub const MAX_NAME_BYTES: usize = 64;

const REQUIRED: [&str; 6] = ["rule", "when", "category", "channels", "to", "template"];

const KEYS: [&str; 10] =
    ["rule", "about", "when", "category", "priority", "channels", "to", "template", "expose", "expires"];

const PRIORITIES: [Priority; 4] = [Priority::Low, Priority::Normal, Priority::High, Priority::Critical];

/// What could be read of a rule: enough to hold it against the others, even when something is wrong with it.
pub(crate) struct Draft<'a> {
    pub(crate) file: &'a str,
    pub(crate) name: Option<String>,
    pub(crate) name_at: At,
    pub(crate) template: Option<String>,
    pub(crate) template_at: At,
    pub(crate) channels: Vec<Channel>,
    /// The rule itself. It is missing only where a problem says why.
    pub(crate) rule: Option<Rule>,
}

impl Draft<'_> {
    pub(crate) fn problem(&self, at: At, what: impl Into<String>, fix: impl Into<String>) -> Problem {
        Problem {
            line: Some(at.line),
            column: Some(at.column),
            ..Problem::of_file(self.file, what, fix).of_rule(self.name.as_deref())
        }
    }
}

/// Reads one item of a file of rules.
pub(crate) fn draft<'a>(node: &Node, file: &'a str, problems: &mut Vec<Problem>) -> Option<Draft<'a>> {
    let mut page = Page { file, rule: None, problems };
    let Kind::Map(members) = &node.kind else {
        page.refuse(
            node.at,
            format!("a rule is a map, and this is {}", node.what_there_is()),
            "write `- rule: <name>`",
        );
        return None;
    };
    if let Some(Kind::Text(name)) = find(members, "rule").map(|it| &it.kind) {
        page.rule = Some(name);
    }
    check_keys(members, node.at, &KEYS, &REQUIRED, &mut page);

    let mut fields = Fields { members, page };
    let name = fields.read("rule", name);
    let about = fields.read("about", text).unwrap_or_default();
    let when = fields.read("when", when);
    let category = fields.read("category", text);
    let priority = fields.read("priority", priority);
    let channels = fields.read("channels", channels).unwrap_or_default();
    let to = fields.read("to", |node, page| selectors(node, &channels, page));
    let template = fields.read("template", text);
    let expose = fields.read("expose", expose).unwrap_or_default();
    let expires = fields.read("expires", expires);

    let place = |key| find(members, key).map_or(node.at, |it| it.at);
    let draft = Draft {
        file,
        name: name.clone(),
        name_at: place("rule"),
        template: template.clone(),
        template_at: place("template"),
        channels: channels.clone(),
        rule: None,
    };
    let (Some(name), Some(when), Some(category), Some(to), Some(template)) =
        (name, when, category, to, template)
    else {
        return Some(draft);
    };
    let rule = Rule { name, about, when, category, priority, channels, to, template, expose, expires };
    Some(Draft { rule: Some(rule), ..draft })
}

/// The members of one rule, read one by one.
struct Fields<'n, 'p> {
    members: &'n [Entry],
    page: Page<'p>,
}

impl<'n> Fields<'n, '_> {
    fn read<T>(&mut self, key: &str, read: impl FnOnce(&'n Node, &mut Page<'_>) -> Option<T>) -> Option<T> {
        find(self.members, key).and_then(|it| read(it, &mut self.page))
    }
}

pub(crate) fn find<'n>(members: &'n [Entry], key: &str) -> Option<&'n Node> {
    members.iter().find(|it| it.key == key).map(|it| &it.value)
}

/// Reports keys that nothing reads and keys that are missing.
pub(crate) fn check_keys(members: &[Entry], at: At, known: &[&str], required: &[&str], page: &mut Page<'_>) {
    for entry in members.iter().filter(|it| !known.contains(&it.key.as_str())) {
        page.refuse(entry.at, format!("unknown key `{}`", entry.key), suggestion(&entry.key, known));
    }
    for key in required.iter().filter(|key| find(members, key).is_none()) {
        page.refuse(at, format!("the key `{key}` is missing"), format!("add a line `{key}: …`"));
    }
}

/// Text that is not empty.
pub(crate) fn text(node: &Node, page: &mut Page<'_>) -> Option<String> {
    let fix = match &node.kind {
        Kind::Text(it) if !it.trim().is_empty() => return Some(it.clone()),
        Kind::Text(_) | Kind::Null => "write something, or take the key out",
        Kind::Bool(_) | Kind::Number(_) => "put it in quotes",
        Kind::List(_) | Kind::Map(_) => "write one value here",
    };
    page.refuse(node.at, format!("found {}, wanted text", node.what_there_is()), fix);
    None
}

fn list<'n>(node: &'n Node, page: &mut Page<'_>) -> Option<&'n [Node]> {
    if let Kind::List(it) = &node.kind {
        return Some(it);
    }
    page.refuse(
        node.at,
        format!("found {}, wanted a list", node.what_there_is()),
        "write it as `[one, another]`",
    );
    None
}

fn name(node: &Node, page: &mut Page<'_>) -> Option<String> {
    let name = text(node, page)?;
    if is_kebab(&name) && name.len() <= MAX_NAME_BYTES {
        return Some(name);
    }
    let fix =
        format!("use small letters, digits and single dashes, at most {MAX_NAME_BYTES}: `order-shipped`");
    page.refuse(node.at, format!("`{name}` is no name for a rule"), fix);
    None
}

/// `like-this-1`
pub(crate) fn is_kebab(name: &str) -> bool {
    name.starts_with(|it: char| it.is_ascii_lowercase())
        && name.split('-').all(|word| {
            !word.is_empty() && word.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit())
        })
}

fn priority(node: &Node, page: &mut Page<'_>) -> Option<Priority> {
    let word = text(node, page)?;
    let found = PRIORITIES.into_iter().find(|it| it.name() == word);
    if found.is_none() {
        let known = PRIORITIES.map(Priority::name);
        page.refuse(node.at, format!("unknown priority `{word}`"), suggestion(&word, &known));
    }
    found
}

fn channels(node: &Node, page: &mut Page<'_>) -> Option<Vec<Channel>> {
    let known = Channel::ALL.map(Channel::name);
    let nodes = list(node, page)?;
    if nodes.is_empty() {
        page.refuse(
            node.at,
            "`channels` is empty, so nothing is ever sent",
            format!("name one of {}", listed(&known)),
        );
    }
    let mut channels = Vec::new();
    for node in nodes {
        let Some(word) = text(node, page) else { continue };
        match Channel::ALL.into_iter().find(|it| it.name() == word) {
            Some(it) if channels.contains(&it) => {
                page.refuse(node.at, format!("the channel `{word}` stands here twice"), "take one out");
            }
            Some(it) => channels.push(it),
            None => page.refuse(node.at, format!("unknown channel `{word}`"), suggestion(&word, &known)),
        }
    }
    Some(channels)
}

/// Paths whose last names differ: a socket message carries what they find under these names.
fn expose(node: &Node, page: &mut Page<'_>) -> Option<Vec<Path>> {
    let mut paths: Vec<Path> = Vec::new();
    for node in list(node, page)? {
        let Some(found) = text(node, page).and_then(|it| path(&it, node.at, page)) else {
            continue;
        };
        if paths.iter().any(|it| it.last() == found.last()) {
            let what = format!("two paths end in `{}`, and only one value can have that name", found.last());
            page.refuse(node.at, what, "expose one of them");
        }
        paths.push(found);
    }
    Some(paths)
}

fn expires(node: &Node, page: &mut Page<'_>) -> Option<SignedDuration> {
    let word = text(node, page)?;
    let fix = "write hours, minutes or seconds, such as `24h`, `90m` or `1h 30m`";
    match word.parse::<SignedDuration>() {
        Ok(it) if it.is_positive() => return Some(it),
        Ok(_) => page.refuse(node.at, format!("`{word}` is over before it begins"), fix),
        Err(_) => page.refuse(node.at, format!("`{word}` is no duration"), fix),
    }
    None
}

#[cfg(test)]
mod tests;
