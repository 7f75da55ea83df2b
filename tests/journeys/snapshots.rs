//! The stored snapshots equal those that the tests assert, so that none is left behind by a removed sample.

use std::collections::BTreeSet;
use std::fs::read_dir;
use std::path::Path;

use workspace::root;

use crate::emails;

#[test]
fn every_snapshot_is_asserted_by_a_test() {
    let packs = file_names(&root().join("packs"));
    let of_samples = packs.iter().flat_map(|pack| {
        let events = root().join("packs").join(pack).join("events");
        let name = "journeys__samples__every_sample_notifies_a_recipient_with_this_content";
        let events = if events.is_dir() { file_names(&events) } else { BTreeSet::new() };
        events.into_iter().map(move |event| format!("{name}@{pack}__events__{event}.snap"))
    });
    let of_emails = emails::SAMPLES.map(|(pack, sample)| format!("journeys__emails__{pack}.{sample}.snap"));
    let asserted: BTreeSet<String> = of_samples.chain(of_emails).collect();
    let stored = file_names(&root().join("tests/journeys/snapshots"));
    let unreferenced: Vec<_> = stored.difference(&asserted).collect();
    assert!(unreferenced.is_empty(), "no test asserts these snapshots, delete them: {unreferenced:#?}");
    let missing: Vec<_> = asserted.difference(&stored).collect();
    assert!(missing.is_empty(), "run the tests with INSTA_UPDATE=always to store: {missing:#?}");
}

/// Snapshots elsewhere would escape the comparison.
#[test]
fn no_snapshot_lies_elsewhere() {
    let mut open: Vec<_> =
        ["cli", "dev", "functions", "shared", "simulation", "tests"].map(|folder| root().join(folder)).into();
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "snap") {
                found.push(path);
            }
        }
    }
    found.retain(|path| !path.starts_with(root().join("tests/journeys/snapshots")));
    assert!(found.is_empty(), "{found:?}");
}

fn file_names(folder: &Path) -> BTreeSet<String> {
    read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}
