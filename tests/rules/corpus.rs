//! The compatibility corpus is complete: each version of each stored format that the code reads has a file of a release.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use workspace::{root, sources};

/// A format of stored data: the constant with its version, the oldest version that is read, and its files, with the
/// member that names the version. Versions of the last two formats are no member of a JSON file.
const FORMATS: [(&str, &str, u64, &str, &str); 9] = [
    ("shared/domain/src/delivery/job.rs", "JOB_VERSION", 1, "jobs", "version"),
    ("shared/domain/src/decide/continuation.rs", "WAKE_VERSION", 1, "wakes", "carillon_wake"),
    ("shared/domain/src/catalog.rs", "CATALOG_FORMAT", 2, "catalog.json", "format"),
    ("shared/domain/src/catalog.rs", "POLICY_FORMAT", 1, "policy.json", "format"),
    ("shared/domain/src/recipient/unsubscribe/page.rs", "PAGES_FORMAT", 1, "pages.json", "format"),
    ("shared/domain/src/audit/seal.rs", "SEAL_VERSION", 1, "seals", "version"),
    ("shared/domain/src/audit/access.rs", "VERSION", 1, "access", "carillon-access"),
    ("cli/src/replay/state.rs", "VERSION", 1, "replay.json", "version"),
    ("shared/domain/src/catalog.rs", "OLDEST_FORMAT", 2, "catalog.json", "format"),
];

#[test]
fn every_version_of_a_stored_format_has_a_file_of_a_release() {
    let mut found = 0;
    for source in sources() {
        let place = source.strip_prefix(root()).unwrap().display().to_string();
        if place.contains("/tests") {
            continue;
        }
        for (name, version) in versions(&std::fs::read_to_string(&source).unwrap()) {
            let format =
                FORMATS.iter().find(|format| (format.0, format.1) == (place.as_str(), name.as_str()));
            let Some((.., oldest, files, member)) = format else {
                panic!(
                    "{place}: {name} is the version of a format without files in the corpus: see docs/security/compatibility.md"
                )
            };
            let read: BTreeSet<u64> = recorded(files, member);
            for wanted in *oldest..=version {
                assert!(
                    read.contains(&wanted),
                    "{place}: no {files} of version {wanted}: record one before it changes"
                );
            }
            found += 1;
        }
    }
    assert_eq!(found, FORMATS.len(), "each format is still where FORMATS says");
}

/// Each table of the template has rows of the last release.
#[test]
fn every_table_has_rows_of_a_release() {
    let template = std::fs::read_to_string(root().join("infra/template.yaml")).unwrap();
    let names = template
        .lines()
        .filter_map(|line| line.trim().strip_prefix("TableName: !Sub carillon-${Environment}-"));
    let tables: BTreeSet<String> = names.map(str::to_owned).collect();
    assert!(tables.len() >= 7);
    for folder in releases("shared/store/fixtures") {
        let files = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
        let rows: BTreeSet<String> =
            files.map(|file| file.file_stem().unwrap().to_string_lossy().into_owned()).collect();
        assert_eq!(rows, tables, "{}", folder.display());
    }
}

/// The constants of a source that name a version: `const JOB_VERSION: u32 = 2;`.
fn versions(text: &str) -> Vec<(String, u64)> {
    let mut found = Vec::new();
    for line in text.lines() {
        let Some((name, rest)) =
            line.trim_start_matches("pub ").strip_prefix("const ").and_then(|rest| rest.split_once(": u"))
        else {
            continue;
        };
        let is_version = name == "VERSION" || name.ends_with("_VERSION") || name.ends_with("_FORMAT");
        let value = rest.split_once(" = ").and_then(|(_, value)| value.trim_end_matches(';').parse().ok());
        if let Some(value) = value.filter(|_| is_version) {
            found.push((name.to_owned(), value));
        }
    }
    found
}

/// The versions of a format's files, over all releases.
fn recorded(files: &str, member: &str) -> BTreeSet<u64> {
    let folders = ["shared/domain/fixtures", "cli/fixtures"].into_iter().flat_map(releases);
    let mut found = BTreeSet::new();
    for path in folders.map(|folder| folder.join(files)) {
        let paths: Vec<PathBuf> = match path.is_dir() {
            true => std::fs::read_dir(&path).unwrap().map(|file| file.unwrap().path()).collect(),
            false => vec![path],
        };
        found.extend(paths.iter().filter_map(|path| number(path, member)));
    }
    found
}

fn number(path: &Path, member: &str) -> Option<u64> {
    let value: Value = serde_json::from_str(&std::fs::read_to_string(path).ok()?).unwrap();
    value[member].as_u64()
}

fn releases(folder: &str) -> Vec<PathBuf> {
    std::fs::read_dir(root().join(folder)).unwrap().map(|release| release.unwrap().path()).collect()
}
