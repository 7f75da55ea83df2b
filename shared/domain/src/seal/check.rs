//! What is wrong with an audit and its seals.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
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
    /// There should be a seal: the first minute of every hour has one.
    Missing,
}

/// What may be expected by now.
#[derive(Debug, Clone, Copy)]
pub struct Due {
    /// Minutes before it must be sealed.
    pub sealed_until: Timestamp,
    /// Records whose time was over before it may be gone.
    pub expired_until: Timestamp,
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
            Kind::Missing => "missing",
        }
    }
}

/// Compares seals with records.
///
/// `seals`: those of a time without a gap, in their order; `before`: the statement that the first must follow, where it
/// is known. `records`: all that the table has of that time, by minute. `is_signed`: whether the text was signed so.
#[must_use]
pub fn check(
    seals: &[Sealed],
    before: Option<&Statement>,
    records: &BTreeMap<Timestamp, Vec<Leaf>>,
    due: Due,
    is_signed: impl Fn(&str, &str) -> bool,
) -> Vec<Finding> {
    let mut findings = chain(seals, before);
    for seal in seals {
        let statement = &seal.statement;
        let mut say = |kind, what: String| findings.push(Finding { minute: statement.minute, kind, what });
        if !is_signed(&statement.text(), &seal.signature) {
            say(Kind::BadSignature, format!("seal {}", statement.number));
        }
        let hashes: Vec<Hash> = seal.leaves.iter().map(Leaf::sealed).collect();
        if root(&hashes) != statement.root || hashes.len() as u64 != statement.records {
            say(Kind::BadSeal, format!("seal {}", statement.number));
        }
    }
    findings.extend(contents(seals, records, due.expired_until));
    findings.extend(gaps(seals, before, records, due.sealed_until));
    findings.sort();
    findings.dedup();
    findings
}

/// What was removed in one part of the time and inserted in another was moved: for whoever checks part by part.
#[must_use]
pub fn moved(mut findings: Vec<Finding>) -> Vec<Finding> {
    let of = |kind: Kind, findings: &[Finding]| -> BTreeSet<String> {
        findings.iter().filter(|finding| finding.kind == kind).map(|finding| finding.what.clone()).collect()
    };
    let inserted = of(Kind::Inserted, &findings);
    let moved: BTreeSet<String> = of(Kind::Removed, &findings).intersection(&inserted).cloned().collect();
    findings.retain(|finding| finding.kind != Kind::Inserted || !moved.contains(&finding.what));
    for finding in
        findings.iter_mut().filter(|finding| finding.kind == Kind::Removed && moved.contains(&finding.what))
    {
        finding.kind = Kind::Moved;
    }
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
                    && statement.environment == last.environment
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
fn contents(seals: &[Sealed], records: &BTreeMap<Timestamp, Vec<Leaf>>, expired: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    if is_untouched(seals, records, expired) {
        return findings;
    }
    let sealed: BTreeMap<&str, (Timestamp, &Leaf)> = seals
        .iter()
        .flat_map(|seal| seal.leaves.iter().map(|leaf| (leaf.record.as_str(), (seal.statement.minute, leaf))))
        .collect();
    let found: BTreeMap<&str, (Timestamp, &Leaf)> = records
        .iter()
        .flat_map(|(minute, leaves)| leaves.iter().map(|leaf| (leaf.record.as_str(), (*minute, leaf))))
        .collect();
    for (record, (minute, leaf)) in &sealed {
        let kind = match found.get(record) {
            None if leaf.is_expired(expired) => continue,
            None => Kind::Removed,
            Some((other, _)) if other != minute => Kind::Moved,
            Some((_, other)) if other.hash != leaf.hash => Kind::Changed,
            Some(_) => continue,
        };
        findings.push(Finding { minute: *minute, kind, what: (*record).to_owned() });
    }
    let minutes: BTreeSet<Timestamp> = seals.iter().map(|seal| seal.statement.minute).collect();
    for (record, (minute, _)) in &found {
        if !sealed.contains_key(record) && minutes.contains(minute) {
            findings.push(Finding { minute: *minute, kind: Kind::Inserted, what: (*record).to_owned() });
        }
    }
    findings
}

/// Whether all that was sealed is there or has expired, and nothing else is: nearly always, and then nothing need be
/// looked for in other minutes. Leaves in another order than [`super::in_order`] gives are not found to be untouched.
fn is_untouched(seals: &[Sealed], records: &BTreeMap<Timestamp, Vec<Leaf>>, expired: Timestamp) -> bool {
    if !seals.is_sorted_by(|a, b| a.statement.minute < b.statement.minute) {
        return false;
    }
    let mut matched = 0;
    for seal in seals {
        let mut there = records.get(&seal.statement.minute).map_or(&[][..], Vec::as_slice).iter().peekable();
        for leaf in &seal.leaves {
            if there.next_if(|there| there.record == leaf.record && there.hash == leaf.hash).is_some() {
                matched += 1;
            } else if !leaf.is_expired(expired) {
                return false;
            }
        }
    }
    matched == records.values().map(Vec::len).sum::<usize>()
}

/// What has no seal and should have one. What was recorded before the first seal of all never had any.
fn gaps(
    seals: &[Sealed],
    before: Option<&Statement>,
    records: &BTreeMap<Timestamp, Vec<Leaf>>,
    until: Timestamp,
) -> Vec<Finding> {
    let minutes: BTreeSet<Timestamp> = seals.iter().map(|seal| seal.statement.minute).collect();
    let first = seals.first().map(|seal| &seal.statement).filter(|it| it.number == 1 && before.is_none());
    let begin = first.map_or(Timestamp::MIN, |it| it.minute);
    let without = records
        .iter()
        .filter(|(minute, _)| (begin..until).contains(*minute) && !minutes.contains(minute))
        .collect::<Vec<_>>();
    // What was sealed in another minute was moved, and is named there.
    let elsewhere: BTreeSet<&str> = if without.is_empty() {
        BTreeSet::new()
    } else {
        seals.iter().flat_map(|seal| seal.leaves.iter().map(|leave| leave.record.as_str())).collect()
    };
    let unsealed = |(minute, leaves): &(&Timestamp, &Vec<Leaf>)| {
        let those: Vec<&str> =
            leaves.iter().map(|leave| leave.record.as_str()).filter(|it| !elsewhere.contains(it)).collect();
        let what = match *those.first()? {
            one if those.len() == 1 => one.to_owned(),
            such => format!("{} records, such as {such}", those.len()),
        };
        Some(Finding { minute: **minute, kind: Kind::Unsealed, what })
    };
    let mut findings: Vec<Finding> = without.iter().filter_map(unsealed).collect();
    if let Some(last) = seals.last().map(|seal| &seal.statement).or(before) {
        let next = last.minute.saturating_add(SignedDuration::from_hours(1)).unwrap_or(Timestamp::MAX);
        if next < until {
            let what = format!("there is no seal after seal {}", last.number);
            findings.push(Finding { minute: next, kind: Kind::Missing, what });
        }
    }
    findings
}
