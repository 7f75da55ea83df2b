//! Merges the project's policy with its packs' shares. The project's value takes precedence and lists are combined.
//! Different values in two packs are a problem.

use crate::policy;
use crate::problem::{Diagnostics, POLICY, Problem};
use crate::source_map::{SourceMap, shift};
use crate::yaml::{self, Entry, Kind, Node};

/// The identity of the maps in a list: producers by source, caps by name.
const IDENTITIES: [&str; 2] = ["source", "cap"];

/// A pack's share of the policy: its file, the number of lines, and the members.
pub(crate) struct Share {
    pub(crate) file: String,
    pub(crate) lines: usize,
    pub(crate) members: Vec<Entry>,
}

/// Reads the project's policy and merges the packs' shares into it.
pub(crate) fn policy(
    own: Option<&str>,
    shares: Vec<Share>,
    map: &mut SourceMap,
    problems: &mut Vec<Problem>,
) -> policy::Draft {
    if shares.is_empty() {
        return policy::read(own, problems);
    }
    let own = own.unwrap_or_default();
    let before = problems.len();
    let mut report = Diagnostics { file: POLICY, rule: None, problems };
    let mut members = yaml::map_of(own, &mut report);
    let own_lines = own.lines().count();
    for mut share in shares {
        let offset = map.append(POLICY, own_lines, &share.file, share.lines);
        shift(&mut share.members, offset);
        let mut merge = Merge { map, problems };
        merge.members(&mut members, share.members, "");
    }
    let is_whole = problems.len() == before;
    policy::of_members(members, is_whole, &mut Diagnostics { file: POLICY, rule: None, problems })
}

struct Merge<'a> {
    map: &'a SourceMap,
    problems: &'a mut Vec<Problem>,
}

impl Merge<'_> {
    fn members(&mut self, all: &mut Vec<Entry>, more: Vec<Entry>, path: &str) {
        for entry in more {
            let path = if path.is_empty() { entry.key.clone() } else { format!("{path}.{}", entry.key) };
            match all.iter_mut().find(|known| known.key == entry.key) {
                None => all.push(entry),
                Some(known) => self.value(&mut known.value, entry.value, &path),
            }
        }
    }

    fn value(&mut self, known: &mut Node, new: Node, path: &str) {
        match (&mut known.kind, new.kind) {
            (_, Kind::Null) => {}
            (Kind::Map(all), Kind::Map(more)) => self.members(all, more, path),
            (Kind::List(all), Kind::List(more)) => self.items(all, more, path),
            (Kind::Null, kind) => *known = Node { kind, ..new },
            (Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::List(_) | Kind::Map(_), kind) => {
                self.hold(known, &Node { kind, ..new }, path);
            }
        }
    }

    fn items(&mut self, all: &mut Vec<Node>, more: Vec<Node>, path: &str) {
        for new in more {
            let name = identity(&new);
            let is_same = |known: &&Node| match name {
                Some(_) => identity(known) == name,
                None => known.to_json() == new.to_json(),
            };
            match all.iter().find(is_same) {
                None => all.push(new),
                Some(known) => {
                    let path = name.map_or_else(|| path.to_owned(), |(_, name)| format!("{path} `{name}`"));
                    self.hold(known, &new, &path);
                }
            }
        }
    }

    /// Resolves two values of one setting: the project's takes precedence, and two packs must agree.
    fn hold(&mut self, known: &Node, new: &Node, path: &str) {
        let Some((first, first_line)) = self.map.origin(POLICY, known.at.line) else { return };
        if known.to_json() == new.to_json() {
            return;
        }
        let what = format!("{path}: {first}:{first_line} has another value");
        let fix = format!("make them equal, or write it in {POLICY}, which takes precedence");
        self.problems.push(Problem::at(POLICY, new.at, what, fix));
    }
}

fn identity(node: &Node) -> Option<(&str, &str)> {
    let Kind::Map(members) = &node.kind else { return None };
    IDENTITIES.iter().find_map(|key| {
        let entry = members.iter().find(|member| member.key == *key)?;
        let Kind::Text(name) = &entry.value.kind else { return None };
        Some((*key, name.as_str()))
    })
}
