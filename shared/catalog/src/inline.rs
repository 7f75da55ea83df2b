//! Inline CSS, for mail programs that ignore style sheets: the rules of `<style data-inline>` are written into the
//! matching tags when the catalog is compiled. Dispatch never sees the sheet.
//!
//! This works on the source of a template, which is not HTML yet: an HTML parser would move a `{% for %}` out of a
//! table. Selectors are therefore a tag, a class or both. Selectors that need the whole page, such as descendants
//! or `:hover`, are refused and belong into an ordinary `<style>`.

use std::collections::{BTreeMap, BTreeSet};

use crate::problem::{Problem, TEMPLATES};
use crate::reference::references;

mod sheet;
mod tags;

use sheet::{Sheet, Wrong};

/// Applies every sheet and removes it: to its own file, and to files that extend or include that file. Other files
/// stay unchanged.
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

/// The sheets for a file: those of its layout first, then its own, which take precedence.
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
