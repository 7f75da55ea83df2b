//! Maps lines of a combined text to the files it was built from.
//!
//! The files are concatenated, as in the source maps of compilers: a line after the end of the first file belongs
//! to the next one. Code that reads a merged policy or an overridden rule knows a single file. This map then gives
//! each problem its real file.

use std::collections::BTreeMap;

use crate::problem::Problem;
use crate::yaml::{Entry, Kind, Node};

/// The files after the first one, by the name of the first one.
#[derive(Debug, Default)]
pub(crate) struct SourceMap {
    segments: BTreeMap<String, Vec<Segment>>,
}

/// One file after the first one.
#[derive(Debug)]
struct Segment {
    /// The number of lines before it.
    offset: usize,
    lines: usize,
    file: String,
}

impl SourceMap {
    /// Appends a file of `lines` lines to `host`, which has `host_lines` of its own. Returns the offset of its
    /// lines.
    pub(crate) fn append(&mut self, host: &str, host_lines: usize, file: &str, lines: usize) -> usize {
        let segments = self.segments.entry(host.to_owned()).or_default();
        // One extra line, because a problem may be located after the last one.
        let offset = segments.last().map_or(host_lines, |last| last.offset + last.lines) + 1;
        segments.push(Segment { offset, lines, file: file.to_owned() });
        offset
    }

    /// The file and line that a line of `host` belongs to. `None` for a line of `host` itself.
    pub(crate) fn origin(&self, host: &str, line: usize) -> Option<(&str, usize)> {
        let segments = self.segments.get(host)?;
        let segment = segments.iter().rev().find(|segment| segment.offset < line)?;
        Some((&segment.file, line - segment.offset))
    }

    /// Sets the real file of a problem.
    pub(crate) fn locate(&self, problem: &mut Problem) {
        let Some(line) = problem.line else { return };
        if let Some((file, line)) = self.origin(&problem.file, line) {
            (problem.file, problem.line) = (file.to_owned(), Some(line));
        }
    }
}

/// Moves members by this many lines.
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
    fn line_after_the_first_file_belongs_to_the_next() {
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
