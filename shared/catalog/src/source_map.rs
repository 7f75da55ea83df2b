//! Where the lines of a text come from that is read as one and was put together from several files.
//!
//! The files lie end to end, as in the source maps of compilers: a line beyond the end of the first file is a line of the
//! next one. A merged policy and a rule with an override are read by code that knows one file; its problems name the
//! right one afterwards.

use std::collections::BTreeMap;

use crate::problem::Problem;
use crate::yaml::{Entry, Kind, Node};

/// The files behind the first one, by the name of the first one.
#[derive(Debug, Default)]
pub(crate) struct SourceMap {
    segments: BTreeMap<String, Vec<Segment>>,
}

/// One file behind the first one.
#[derive(Debug)]
struct Segment {
    /// How many lines lie before it.
    offset: usize,
    lines: usize,
    file: String,
}

impl SourceMap {
    /// Puts a file of `lines` lines behind `host`, which has `host_lines` of its own. Returns how far its lines move.
    pub(crate) fn append(&mut self, host: &str, host_lines: usize, file: &str, lines: usize) -> usize {
        let segments = self.segments.entry(host.to_owned()).or_default();
        // One line more than there are, because a problem may stand behind the last one.
        let offset = segments.last().map_or(host_lines, |last| last.offset + last.lines) + 1;
        segments.push(Segment { offset, lines, file: file.to_owned() });
        offset
    }

    /// The file and the line that a line of `host` comes from; `None` where it is a line of `host` itself.
    pub(crate) fn origin(&self, host: &str, line: usize) -> Option<(&str, usize)> {
        let segments = self.segments.get(host)?;
        let segment = segments.iter().rev().find(|segment| segment.offset < line)?;
        Some((&segment.file, line - segment.offset))
    }

    /// Names the file that a problem is about.
    pub(crate) fn locate(&self, problem: &mut Problem) {
        let Some(line) = problem.line else { return };
        if let Some((file, line)) = self.origin(&problem.file, line) {
            (problem.file, problem.line) = (file.to_owned(), Some(line));
        }
    }
}

/// Moves members by so many lines.
pub(crate) fn shift(members: &mut [Entry], lines: usize) {
    for entry in members {
        entry.at.line += lines;
        shift_node(&mut entry.value, lines);
    }
}

fn shift_node(node: &mut Node, lines: usize) {
    node.at.line += lines;
    match &mut node.kind {
        Kind::List(items) => items.iter_mut().for_each(|item| shift_node(item, lines)),
        Kind::Map(members) => shift(members, lines),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_behind_the_first_file_is_a_line_of_the_next_one() {
        let mut map = SourceMap::default();
        assert_eq!(map.append("a", 10, "b", 5), 11);
        assert_eq!(map.append("a", 10, "c", 3), 17);
        let found = |line| map.origin("a", line);
        assert_eq!((found(1), found(10), found(11)), (None, None, None));
        assert_eq!((found(12), found(16)), (Some(("b", 1)), Some(("b", 5))));
        assert_eq!((found(18), found(20)), (Some(("c", 1)), Some(("c", 3))));
        assert_eq!(map.origin("b", 12), None);
    }
}
