//! Inline CSS, for mail programs that read no style sheet: what stands in `<style data-inline>` is written into the tags
//! it selects, when the catalog is compiled. Dispatch never sees it.
//!
//! It works on the source of a template, which is no HTML yet: an engine that parses HTML would move a `{% for %}` out
//! of a table. So selectors are a tag, a class or both; whatever needs the whole page to be decided, such as
//! descendants or `:hover`, is refused, and belongs into an ordinary `<style>`.

use std::collections::{BTreeMap, BTreeSet};

use crate::problem::{Problem, TEMPLATES};
use crate::reference::references;

mod sheet;
mod tags;

use sheet::{Sheet, Wrong};

/// Writes every sheet into the files that it is for, and takes it out: the file it stands in, and those that extend or
/// include that one. A file that stands in no such relation to a sheet stays as it is.
pub(crate) fn apply(sources: &mut BTreeMap<String, String>, problems: &mut Vec<Problem>) {
    let mut sheets: BTreeMap<String, Sheet> = BTreeMap::new();
    for (path, source) in sources.iter_mut().filter(|(path, _)| path.ends_with(".html")) {
        match sheet::take(source) {
            Ok(None) => {}
            Ok(Some((rest, sheet))) => {
                *source = rest;
                sheets.insert(path.clone(), sheet);
            }
            Err(wrong) => problems.push(problem(path, wrong)),
        }
    }
    if sheets.is_empty() {
        return;
    }
    let mut done = Vec::new();
    for (path, source) in sources.iter().filter(|(path, _)| path.ends_with(".html")) {
        let of_file = sheets_of(path, sources, &sheets);
        if of_file.is_empty() {
            continue;
        }
        match tags::written(source, &of_file) {
            Ok(text) => done.push((path.clone(), text)),
            Err(wrong) => problems.push(problem(path, wrong)),
        }
    }
    sources.extend(done);
}

/// The sheets for a file: its layout's first, then its own, so that its own win.
fn sheets_of<'s>(
    path: &str,
    sources: &BTreeMap<String, String>,
    sheets: &'s BTreeMap<String, Sheet>,
) -> Vec<&'s Sheet> {
    let (mut found, mut seen, mut waiting) = (Vec::new(), BTreeSet::new(), vec![path.to_owned()]);
    while let Some(path) = waiting.pop() {
        let Some(source) = sources.get(&path).filter(|_| seen.insert(path.clone())) else { continue };
        found.extend(sheets.get(&path));
        waiting.extend(references(source).into_iter().map(|reference| reference.name.to_owned()));
    }
    found.reverse();
    found
}

fn problem(path: &str, wrong: Wrong) -> Problem {
    Problem::of_file(&format!("{TEMPLATES}/{path}"), wrong.what, wrong.fix).at_line(Some(wrong.line))
}

#[cfg(test)]
mod tests;
