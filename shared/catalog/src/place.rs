//! Maps a JSON path in an error to the line and column in the YAML.

use crate::problem::At;
use crate::yaml::{Entry, Kind, Node};

impl Node {
    /// The place of a path in an error, such as `$or[1].detail.price[0]`, as exactly as possible.
    pub(crate) fn place(&self, at: &str) -> At {
        place(self, at)
    }
}

fn place(node: &Node, at: &str) -> At {
    match &node.kind {
        Kind::Map(entries) => {
            let step = |entry: &Entry| {
                at.strip_prefix(entry.key.as_str()).filter(|rest| is_step(rest)).map(str::len)
            };
            // Keys may contain dots, so the longest match counts.
            let fitting = entries.iter().filter_map(|entry| Some((entry, step(entry)?)));
            match fitting.min_by_key(|(_, rest)| *rest) {
                Some((entry, rest)) => {
                    let rest = at[at.len() - rest..].trim_start_matches('.');
                    if rest.is_empty() { entry.at } else { place(&entry.value, rest) }
                }
                None => node.at,
            }
        }
        Kind::List(items) => {
            let Some((index, rest)) = at.strip_prefix('[').and_then(|rest| rest.split_once(']')) else {
                return node.at;
            };
            let item = index.parse::<usize>().ok().and_then(|parsed| items.get(parsed));
            item.map_or(node.at, |node| place(node, rest.trim_start_matches('.')))
        }
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => node.at,
    }
}

fn is_step(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(['.', '['])
}
