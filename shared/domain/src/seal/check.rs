//! What is wrong with an audit and its seals.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Hash, Leaf, Statement, root};

/// A seal as it is kept: the statement, its signature, and the leaves, so that a record that does not fit can be named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    pub statement: Statement,
    /// Base64, as the signer gave it.
    pub signature: String,
    pub leaves: Vec<Leaf>,
}

/// Something that is not as it was sealed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// The minute it is about.
    pub minute: Timestamp,
    pub kind: Kind,
    /// The record, or what the seal says and what was expected.
    pub what: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The record is another one than was sealed.
    Changed,
    /// It was sealed and is not there.
    Removed,
    /// It is there, in a minute that was sealed without it.
    Inserted,
    /// It stands in another minute than the one it was sealed in.
    Moved,
    /// A seal does not follow from the one before, or one is missing.
    BrokenChain,
    /// A seal was not signed by this key.
    BadSignature,
    /// A seal's leaves are not those that were signed.
    BadSeal,
    /// Records that are old enough and in no seal.
    Unsealed,
}

impl Kind {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Changed => "changed",
            Kind::Removed => "removed",
            Kind::Inserted => "inserted",
            Kind::Moved => "moved",
            Kind::BrokenChain => "broken_chain",
            Kind::BadSignature => "bad_signature",
            Kind::BadSeal => "bad_seal",
            Kind::Unsealed => "unsealed",
        }
    }
}

/// Compares seals with records.
///
/// `seals`: those of a time without a gap, in their order; `before`: the statement that the first must follow, where it
/// is known. `records`: all that the table has of that time, by minute. `unsealed_until`: minutes before it must have a
/// seal. `is_signed`: whether the text was signed so.
#[must_use]
pub fn check(
    seals: &[Sealed],
    before: Option<&Statement>,
    records: &BTreeMap<Timestamp, Vec<Leaf>>,
    unsealed_until: Timestamp,
    is_signed: impl Fn(&str, &str) -> bool,
) -> Vec<Finding> {
    let mut findings = chain(seals, before);
    for it in seals {
        let statement = &it.statement;
        let mut say = |kind, what: String| findings.push(Finding { minute: statement.minute, kind, what });
        if !is_signed(&statement.text(), &it.signature) {
            say(Kind::BadSignature, format!("seal {}", statement.number));
        }
        let hashes: Vec<Hash> = it.leaves.iter().map(|leaf| leaf.hash).collect();
        if root(&hashes) != statement.root || hashes.len() as u64 != statement.records {
            say(Kind::BadSeal, format!("seal {}", statement.number));
        }
    }
    findings.extend(contents(seals, records));
    let sealed = |minute: &Timestamp| seals.iter().any(|it| it.statement.minute == *minute);
    for (minute, leaves) in records.iter().filter(|(minute, _)| **minute < unsealed_until && !sealed(minute))
    {
        let what =
            format!("{} records, such as {}", leaves.len(), leaves.first().map_or("", |it| &it.record));
        findings.push(Finding { minute: *minute, kind: Kind::Unsealed, what });
    }
    findings.sort();
    findings.dedup();
    findings
}

fn chain(seals: &[Sealed], before: Option<&Statement>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut last = before;
    for it in seals {
        let statement = &it.statement;
        let follows = match last {
            Some(last) => {
                statement.previous == Some(last.hash())
                    && statement.number == last.number.saturating_add(1)
                    && statement.minute > last.minute
            }
            // The first of all has none before it; the first that was asked for may.
            None => (statement.number == 1) == statement.previous.is_none(),
        };
        if !follows {
            let expected = last.map_or(1, |it| it.number.saturating_add(1));
            let what = format!("seal {} stands where seal {expected} is expected", statement.number);
            findings.push(Finding { minute: statement.minute, kind: Kind::BrokenChain, what });
        }
        last = Some(statement);
    }
    findings
}

/// Record by record, over all minutes that were sealed.
fn contents(seals: &[Sealed], records: &BTreeMap<Timestamp, Vec<Leaf>>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let place = |minute: Timestamp, leaf: &Leaf| (leaf.record.clone(), (minute, leaf.hash));
    let sealed: BTreeMap<String, (Timestamp, Hash)> =
        seals.iter().flat_map(|it| it.leaves.iter().map(|leaf| place(it.statement.minute, leaf))).collect();
    let found: BTreeMap<String, (Timestamp, Hash)> =
        records.iter().flat_map(|(minute, leaves)| leaves.iter().map(|leaf| place(*minute, leaf))).collect();
    for (record, (minute, hash)) in &sealed {
        let kind = match found.get(record) {
            None => Kind::Removed,
            Some((other, _)) if other != minute => Kind::Moved,
            Some((_, other)) if other != hash => Kind::Changed,
            Some(_) => continue,
        };
        findings.push(Finding { minute: *minute, kind, what: record.clone() });
    }
    let minutes: Vec<Timestamp> = seals.iter().map(|it| it.statement.minute).collect();
    for (record, (minute, _)) in &found {
        if !sealed.contains_key(record) && minutes.contains(minute) {
            findings.push(Finding { minute: *minute, kind: Kind::Inserted, what: record.clone() });
        }
    }
    findings
}
