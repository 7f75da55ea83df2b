//! The compatibility corpus beside jobs, continuations and catalogs: seals, access records, policies and pages, as a
//! release wrote them. The current code reads them with their meaning, and writes every member of them.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its fixtures fails")]

use std::fs;
use std::path::PathBuf;

use domain::audit::access::{AccessRecord, CallerKind};
use domain::audit::seal::{Leaf, Statement};
use domain::catalog::PolicyFile;
use domain::catalog::policy::Policy;
use domain::recipient::unsubscribe::page::{PagesFile, check};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

const LAST_RELEASE: &str = "0.1.0";

#[test]
fn seals_of_the_last_release_form_the_same_chain() {
    let first: Statement = read("seals/first.json");
    let second: Statement = read("seals/second.json");
    assert_eq!((first.number, first.previous, first.records), (1, None, 0));
    assert_eq!(second.previous, Some(first.hash()), "the signed text of a seal has not changed");
    let leaf: Leaf = read("seals/leaf.json");
    assert_eq!(leaf.record, "stream#-#shop\nevent#shop#e-1#0123abcd");
    assert_eq!(leaf.expires, Some(1_826_150_400));
}

#[test]
fn access_records_of_the_last_release_are_read_and_written() {
    for (name, by, person, listed) in [
        ("access/whole.json", CallerKind::Token, Some("ann"), 0),
        ("access/listed.json", CallerKind::Iam, None, 2),
    ] {
        let text = text(name);
        let record = AccessRecord::of_message(&text).unwrap().unwrap();
        assert_eq!(
            (record.access.by, record.person(), record.access.listed.len()),
            (by, person, listed),
            "{name}"
        );
        has_all(name, &parse(&text), &parse(&record.to_message()));
    }
}

#[test]
fn policy_and_pages_of_the_last_release_are_read() {
    let file: PolicyFile<Policy> = read("policy.json");
    assert_eq!((file.format, file.policy.rate, file.policy.zone.name()), (1, 500, "Europe/London"));
    let pages: PagesFile = read("pages.json");
    assert_eq!((pages.format, check(&pages.unsubscribe["de"])), (1, Ok(())));
}

/// Reads a file, and checks that the value is written with every member of it.
fn read<T: DeserializeOwned + Serialize>(name: &str) -> T {
    let text = text(name);
    let value: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    has_all(name, &parse(&text), &serde_json::to_value(&value).unwrap());
    value
}

fn has_all(name: &str, old: &Value, new: &Value) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (member, value) in old {
                let place = format!("{name}: {member}");
                has_all(&place, value, new.get(member).unwrap_or_else(|| panic!("{place} is gone")));
            }
        }
        (Value::Array(old), Value::Array(new)) => {
            assert_eq!(old.len(), new.len(), "{name}");
            old.iter().zip(new).for_each(|(old, new)| has_all(name, old, new));
        }
        (old, new) => assert_eq!(old, new, "{name}"),
    }
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn text(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(LAST_RELEASE);
    fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}
