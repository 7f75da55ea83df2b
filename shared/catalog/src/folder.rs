//! Reads the files of a config folder, without interpreting them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use crate::problem::{PAGES, POLICY, Problem, RULES, TEMPLATES, TESTS};
use crate::project::{EVENTS, PEOPLE};
use crate::schemas::SCHEMAS;
use crate::{MAX_FILE_BYTES, MAX_FILES};

/// The texts of a config folder by path, relative and with forward slashes.
pub type Files = BTreeMap<String, String>;

/// Reads the rules, the templates, the pages and the policy. An unreadable file counts as empty, so that the others
/// are still checked. Symbolic links, and names that begin with a dot or end in `~`, are skipped.
///
/// A project may lack a folder of rules or templates if its packs have them.
pub(crate) fn read(folder: &Path, is_project: bool, problems: &mut Vec<Problem>) -> Files {
    let mut files = Files::new();
    for name in [RULES, TEMPLATES] {
        let path = folder.join(name);
        if path.is_dir() {
            read_below(&path, name, is_ours, &mut files, problems);
        } else if !is_project {
            let what = format!("there is no folder `{name}` in {}", folder.display());
            problems.push(Problem::of_file(name, what, "create it, or name another config folder"));
        }
    }
    let pages = folder.join(PAGES);
    if pages.is_dir() {
        read_below(&pages, PAGES, is_ours, &mut files, problems);
    }
    if let Some(text) = policy(folder, problems) {
        files.insert(POLICY.to_owned(), text);
    }
    files
}

/// Reads the decision tests of a config folder: texts by path, relative to the folder. Without a folder `tests`
/// there are none.
///
/// # Errors
/// Every file that could not be read.
pub fn read_tests(folder: &Path) -> Result<BTreeMap<String, String>, Vec<Problem>> {
    let (mut files, mut problems) = (Files::new(), Vec::new());
    let path = folder.join(TESTS);
    if path.is_dir() {
        read_below(&path, TESTS, is_ours, &mut files, &mut problems);
    }
    check_tests(&files, &mut problems);
    problems.sort();
    if problems.is_empty() { Ok(files) } else { Err(problems) }
}

/// Reads the other files of a project: decision tests, samples, schemas and people.
pub(crate) fn read_extras(folder: &Path, files: &mut Files, problems: &mut Vec<Problem>) {
    for name in [TESTS, EVENTS, SCHEMAS] {
        let path = folder.join(name);
        if path.is_dir() {
            read_below(&path, name, is_of_project, files, problems);
        }
    }
    if let Some(text) = file(folder, PEOPLE, problems) {
        files.insert(PEOPLE.to_owned(), text);
    }
}

/// Reads a pack: texts by path below its folder. Problems name files below `place`.
pub(crate) fn read_pack(folder: &Path, place: &str, problems: &mut Vec<Problem>) -> Files {
    let mut files = Files::new();
    read_below(folder, place, is_of_pack, &mut files, problems);
    let below = |name: String| name[place.len() + 1..].to_owned();
    files.into_iter().map(|(name, text)| (below(name), text)).collect()
}

/// The text of one file of a folder, if it exists.
pub(crate) fn file(folder: &Path, name: &str, problems: &mut Vec<Problem>) -> Option<String> {
    let path = folder.join(name);
    path.is_file().then(|| text_or_problem(&path, name, problems))
}

/// The names of the folders in a folder.
pub(crate) fn folders(path: &Path) -> Vec<String> {
    let found = entries(path).unwrap_or_default().into_iter();
    found.filter(|(_, kind)| kind.is_dir()).map(|(name, _)| name).collect()
}

/// Checks the names and the number of decision test files.
pub(crate) fn check_tests(files: &Files, problems: &mut Vec<Problem>) {
    for name in files.keys().filter(|key| !key.ends_with(".yaml")) {
        problems.push(Problem::of_file(name, "only files named `.yaml` are read", "rename it to `.yaml`"));
    }
    if files.len() > MAX_FILES {
        let what = format!("there are more than {MAX_FILES} files in it");
        problems.push(Problem::of_file(TESTS, what, "put less into one folder"));
    }
}

/// The text of the policy, if it exists.
fn policy(folder: &Path, problems: &mut Vec<Problem>) -> Option<String> {
    for other in ["policy.yml", "policies.yaml"] {
        if folder.join(other).exists() {
            let problem =
                Problem::of_file(other, "this file is not read", format!("rename it to `{POLICY}`"));
            problems.push(problem);
        }
    }
    let path = folder.join(POLICY);
    path.is_file().then(|| text_or_problem(&path, POLICY, problems))
}

fn text_or_problem(path: &Path, name: &str, problems: &mut Vec<Problem>) -> String {
    read_file(path, name).unwrap_or_else(|problem| {
        problems.push(*problem);
        String::new()
    })
}

fn read_below(
    top: &Path,
    name: &str,
    is_ours: fn(&str) -> bool,
    files: &mut Files,
    problems: &mut Vec<Problem>,
) {
    let mut waiting = vec![(top.to_owned(), name.to_owned())];
    let mut count = 0;
    while let Some((path, name)) = waiting.pop() {
        let entries = match entries(&path) {
            Ok(entries) => entries,
            Err(error) => {
                problems.push(unreadable(&name, &error));
                continue;
            }
        };
        for (entry, kind) in entries {
            let (path, name) = (path.join(&entry), format!("{name}/{entry}"));
            if kind.is_dir() {
                waiting.push((path, name));
            } else if kind.is_file() && is_ours(&name) {
                count += 1;
                // One more than the limit, so that the excess is reported.
                if count > MAX_FILES + 1 {
                    return;
                }
                let text = text_or_problem(&path, &name, problems);
                files.insert(name, text);
            }
        }
    }
}

/// The entries of a folder, without hidden and backup files.
fn entries(path: &Path) -> io::Result<Vec<(String, fs::FileType)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        // A name that is not UTF-8 is converted with losses. It matches no rule and is reported later.
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') && !name.ends_with('~') {
            found.push((name, entry.file_type()?));
        }
    }
    Ok(found)
}

/// Whether a file below the rules or templates is read. Notes are allowed beside rules, but not beside templates.
fn is_ours(name: &str) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    name.starts_with(TEMPLATES) || name.starts_with(PAGES) || matches!(extension, "yaml" | "yml")
}

/// Whether a file of samples or decision tests is read. Notes are allowed beside them.
fn is_of_project(name: &str) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    match name.starts_with(EVENTS) || name.starts_with(SCHEMAS) {
        true => extension == "json",
        false => matches!(extension, "yaml" | "yml"),
    }
}

/// Whether a file of a pack is read: no README and no schemas.
fn is_of_pack(name: &str) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    name.contains("/templates/") || name.contains("/rules/") || matches!(extension, "yaml" | "yml" | "json")
}

fn read_file(path: &Path, name: &str) -> Result<String, Box<Problem>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_FILE_BYTES + 1).unwrap_or(u64::MAX);
    let read = File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes));
    read.map_err(|error| Box::new(unreadable(name, &error)))?;
    text_of(bytes, name)
}

/// The normalised text of a file: UTF-8, without a byte order mark, with `\n` line endings.
fn text_of(bytes: Vec<u8>, name: &str) -> Result<String, Box<Problem>> {
    if bytes.len() > MAX_FILE_BYTES {
        let what = format!("the file has more than {} KB", MAX_FILE_BYTES / 1024);
        return Err(Box::new(Problem::of_file(name, what, "split it")));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text.trim_start_matches('\u{feff}').replace("\r\n", "\n")),
        Err(error) => {
            let good = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..good].iter().filter(|byte| **byte == b'\n').count() + 1;
            let problem = Problem::of_file(name, "the file is not UTF-8", "save it as UTF-8");
            Err(Box::new(problem.at_line(Some(line))))
        }
    }
}

fn unreadable(name: &str, error: &io::Error) -> Problem {
    Problem::of_file(name, format!("the file cannot be read: {error}"), "make it readable")
}

#[cfg(test)]
mod tests;
