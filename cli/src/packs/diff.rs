//! `carillon pack diff`: compares a project's copy of a pack with this release.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;
use similar::TextDiff;

use crate::args::PackDiff;
use crate::error::{Done, Error};
use crate::terminal::{Ink, Terminal};

use super::{copy_folder, files, known, names, project};

/// The largest file of a copy.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// The lines of context around a change.
const CONTEXT: usize = 3;

/// The differences between a copy and this release.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Diff {
    /// Files of the release only.
    added: Vec<String>,
    /// Files of the copy only.
    removed: Vec<String>,
    /// Changed files with their differences, from the copy to the release.
    changed: Vec<(String, String)>,
}

impl Diff {
    pub(super) fn differs(&self) -> bool {
        !(self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty())
    }

    fn between(copy: &BTreeMap<String, String>, release: &BTreeMap<String, String>) -> Diff {
        let mut diff = Diff::default();
        for (name, new) in release {
            match copy.get(name) {
                None => diff.added.push(name.clone()),
                Some(old) if old == new => {}
                Some(old) => {
                    let lines = TextDiff::from_lines(old, new);
                    let mut text = lines.unified_diff();
                    let text = text
                        .context_radius(CONTEXT)
                        .header(&format!("copy/{name}"), &format!("release/{name}"));
                    diff.changed.push((name.clone(), text.to_string()));
                }
            }
        }
        diff.removed = copy.keys().filter(|name| !release.contains_key(*name)).cloned().collect();
        diff
    }
}

pub(super) fn run(args: &PackDiff, terminal: &Terminal) -> Done {
    let project = project(&args.config)?;
    let wanted = match &args.name {
        Some(name) => {
            known(name)?;
            vec![name.as_str()]
        }
        None => names(),
    };
    let mut is_same = true;
    for name in wanted {
        let place = copy_folder(&args.config, &project, name);
        if !place.is_dir() {
            if args.name.is_some() {
                terminal.note(&format!(
                    "{} has no copy of `{name}`: it uses the pack of the release",
                    args.config.display()
                ));
            }
            continue;
        }
        let diff = of(name, &place)?;
        is_same &= !diff.differs();
        show(name, &place, &diff, terminal);
    }
    Ok(is_same)
}

/// Compares the copy of a pack with this release.
///
/// # Errors
/// The copy cannot be read.
pub(super) fn of(name: &str, place: &Path) -> Result<Diff, Error> {
    Ok(Diff::between(&copy(place)?, &files(name)))
}

fn show(name: &str, place: &Path, diff: &Diff, terminal: &Terminal) {
    if terminal.json {
        let changed: Vec<_> =
            diff.changed.iter().map(|(file, text)| json!({ "file": file, "diff": text })).collect();
        return terminal.say_json(&json!({
            "pack": name, "copy": place.display().to_string(), "differs": diff.differs(), "added": diff.added,
            "removed": diff.removed, "changed": changed,
        }));
    }
    if !diff.differs() {
        return terminal.say(&format!(
            "{} {} equals this release",
            terminal.ink(Ink::Good, "ok"),
            place.display()
        ));
    }
    terminal.say(&format!("{} differs from this release:", place.display()));
    diff.added.iter().for_each(|file| terminal.say(&format!("  only in the release: {file}")));
    diff.removed.iter().for_each(|file| terminal.say(&format!("  only in the copy:    {file}")));
    for (_, text) in &diff.changed {
        text.lines().for_each(|line| terminal.say(line));
    }
}

/// The files of a copy by relative path. Symbolic links, and names that begin with a dot or end in `~`, are ignored, as by
/// `check`.
fn copy(place: &Path) -> Result<BTreeMap<String, String>, Error> {
    let mut found = BTreeMap::new();
    let mut open = vec![(place.to_owned(), String::new())];
    while let Some((folder, prefix)) = open.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|error| Error::read(&folder, error))? {
            let entry = entry.map_err(|error| Error::read(&folder, error))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') || name.ends_with('~') {
                continue;
            }
            let (path, below) = (entry.path(), format!("{prefix}{name}"));
            let data = entry.metadata().map_err(|error| Error::read(&path, error))?;
            if data.is_dir() {
                open.push((path, format!("{below}/")));
            } else if data.is_file() {
                if data.len() > MAX_FILE_BYTES {
                    let what = format!("{} has more than {MAX_FILE_BYTES} bytes", path.display());
                    return Err(Error::usage(what, "move it out of the copy"));
                }
                let bytes = std::fs::read(&path).map_err(|error| Error::read(&path, error))?;
                found.insert(below, String::from_utf8_lossy(&bytes).into_owned());
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diff_has_added_removed_and_changed_files() {
        let files = |list: &[(&str, &str)]| {
            list.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
        };
        let copy: BTreeMap<String, String> = files(&[("a", "1\n2\n"), ("b", "x\n"), ("same", "s\n")]);
        let release = files(&[("a", "1\n3\n"), ("c", "y\n"), ("same", "s\n")]);
        let diff = Diff::between(&copy, &release);
        assert_eq!(
            (diff.added.as_slice(), diff.removed.as_slice()),
            (&["c".to_owned()][..], &["b".to_owned()][..])
        );
        let [(file, text)] = diff.changed.as_slice() else { panic!("{diff:?}") };
        assert_eq!(file, "a");
        assert!(text.starts_with("--- copy/a\n+++ release/a\n") && text.contains("-2\n+3\n"), "{text}");
        assert!(diff.differs() && !Diff::between(&copy, &copy).differs());
    }
}
