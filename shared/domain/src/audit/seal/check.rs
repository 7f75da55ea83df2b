//! The check of an audit against its seals.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Hash, Leaf, Statement, root};

/// A stored seal: the statement, its signature and the leaves. The leaves identify records that do not match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    pub statement: Statement,
    /// The signature in base64, as the signer returned it.
    pub signature: String,
    pub leaves: Vec<Leaf>,
}

/// A deviation from the seals.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// The minute of the deviation.
    pub minute: Timestamp,
    pub kind: Kind,
    /// The record, or the found and the expected seal.
    pub what: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The record differs from the sealed one.
    Changed,
    /// The record was sealed and is missing.
    Removed,
    /// The record exists in a sealed minute, but not in its seal.
    Inserted,
    /// The record is in another minute than the one in which it was sealed.
    Moved,
    /// A seal does not follow the previous one, or a seal is missing.
    BrokenChain,
    /// A seal was not signed with this key.
    BadSignature,
    /// The leaves of a seal differ from the signed ones.
    BadSeal,
    /// Records that are old enough but not in any seal.
    Unsealed,
    /// A seal is missing: the first minute of each hour has one.
    Missing,
}

/// The expected state of the audit.
#[derive(Debug, Clone, Copy)]
pub struct Due {
    /// Minutes before this time must be sealed.
    pub sealed_until: Timestamp,
    /// Records that expired before this time may be missing.
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
/// `seals` are the seals of a period without gaps, in order. `before` is the statement that precedes the first one,
/// if known. `records` are all records of the period in the table, by minute. `is_signed` verifies the signature of a
/// text.
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

/// Combines removed and inserted records into moved ones, for callers that check a period in parts.
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
    for seal in seals {
        let statement = &seal.statement;
        let follows = match last {
            Some(last) => {
                statement.previous == Some(last.hash())
                    && statement.number == last.number.saturating_add(1)
                    && statement.minute > last.minute
                    && statement.environment == last.environment
            }
            // The very first seal has no predecessor. The first requested seal may have one.
            None => (statement.number == 1) == statement.previous.is_none(),
        };
        if !follows {
            let expected = last.map_or(1, |last| last.number.saturating_add(1));
            let what = format!("seal {} stands where seal {expected} is expected", statement.number);
            findings.push(Finding { minute: statement.minute, kind: Kind::BrokenChain, what });
        }
        last = Some(statement);
    }
    findings
}

/// Compares the records of all sealed minutes.
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

/// Whether exactly the sealed records exist, apart from expired ones. This is the usual case, and makes the search in
/// other minutes unnecessary. Leaves in another order than that of [`super::in_order`] do not count as untouched.
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

/// Finds missing seals. Records from before the very first seal never had one.
fn gaps(
    seals: &[Sealed],
    before: Option<&Statement>,
    records: &BTreeMap<Timestamp, Vec<Leaf>>,
    until: Timestamp,
) -> Vec<Finding> {
    let minutes: BTreeSet<Timestamp> = seals.iter().map(|seal| seal.statement.minute).collect();
    let first = seals
        .first()
        .map(|seal| &seal.statement)
        .filter(|statement| statement.number == 1 && before.is_none());
    let begin = first.map_or(Timestamp::MIN, |statement| statement.minute);
    let without = records
        .iter()
        .filter(|(minute, _)| (begin..until).contains(*minute) && !minutes.contains(minute))
        .collect::<Vec<_>>();
    // A record that was sealed in another minute was moved, and is reported there.
    let elsewhere: BTreeSet<&str> = if without.is_empty() {
        BTreeSet::new()
    } else {
        seals.iter().flat_map(|seal| seal.leaves.iter().map(|leave| leave.record.as_str())).collect()
    };
    let unsealed = |(minute, leaves): &(&Timestamp, &Vec<Leaf>)| {
        let those: Vec<&str> = leaves
            .iter()
            .map(|leaf| leaf.record.as_str())
            .filter(|record| !elsewhere.contains(record))
            .collect();
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
