//! Seals over the audit, which reveal any later change, removal, insertion or move of a record.
//!
//! The records of each minute are the leaves of a Merkle tree. Its root and the hash of the previous seal form a
//! [`Statement`], which is signed and stored where it cannot be overwritten. A check needs only the records, the
//! seals and the public key, and does not depend on trust in the table's operator.
//!
//! Source of the tree, and of the bytes 0 and 1 before leaves and nodes: RFC 9162, section 2.1.1.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

mod check;

pub use check::{Due, Finding, Kind, Sealed, check, moved};

/// The layout version of [`Statement`].
pub const SEAL_VERSION: u32 = 1;

/// A SHA-256, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    #[must_use]
    pub fn of(parts: &[&[u8]]) -> Hash {
        let mut hash = Sha256::new();
        parts.iter().for_each(|part| hash.update(part));
        Hash(hash.finalize().into())
    }

    /// Reads a hash. `None` if the text is not 64 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Hash> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
        }
        Some(Hash(bytes))
    }

    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Hash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Hash, D::Error> {
        let text = String::deserialize(deserializer)?;
        Hash::parse(&text).ok_or_else(|| serde::de::Error::custom("a hash has 64 hexadecimal digits"))
    }
}

/// A record, as a seal covers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaf {
    /// The record's table key: partition key, a line break, sort key.
    pub record: String,
    /// The hash over the key and all attributes.
    pub hash: Hash,
    /// The time at which the table's TTL deletes the record, in seconds since 1970. From then on its absence is no
    /// finding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<i64>,
}

impl Leaf {
    /// The leaf of a record. `attributes` holds all attributes of the record by name. Each value has its type as
    /// prefix, so that `1` and `"1"` differ.
    #[must_use]
    pub fn of(record: String, attributes: &BTreeMap<String, String>, expires: Option<i64>) -> Leaf {
        let mut hash = Sha256::new();
        for part in [&record].into_iter().chain(attributes.iter().flat_map(|(name, value)| [name, value])) {
            // The length prefix keeps adjacent attributes apart.
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part.as_bytes());
        }
        Leaf { record, hash: Hash(hash.finalize().into()), expires }
    }

    /// The hash in the tree. It covers the whole leaf, so that leaves of a seal cannot be renamed or expire earlier.
    #[must_use]
    pub fn sealed(&self) -> Hash {
        let expires = self.expires.map_or_else(String::new, |expires| expires.to_string());
        Hash::of(&[&[0], self.hash.bytes(), expires.as_bytes(), b"\n", self.record.as_bytes()])
    }

    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now.as_second())
    }
}

/// The root of the tree over these leaves.
#[must_use]
pub fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::of(&[]),
        [one] => *one,
        more => {
            // The largest power of two below the number of leaves.
            let half = more.len().next_power_of_two() / 2;
            let (left, right) = more.split_at(half);
            Hash::of(&[&[1], root(left).bytes(), root(right).bytes()])
        }
    }
}

/// The signed content of a seal: the records of one minute, and the previous seal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    pub version: u32,
    /// The environment of the audit.
    pub environment: String,
    /// The number of the seal, counted from 1 without gaps.
    pub number: u64,
    /// The minute in which the records were recorded, by its start in UTC.
    pub minute: Timestamp,
    pub records: u64,
    pub root: Hash,
    /// The [`Statement::hash`] of the previous seal. `None` for the first.
    pub previous: Option<Hash>,
    /// The time of the sealing.
    pub sealed_at: Timestamp,
}

impl Statement {
    /// The statement for the leaves of one minute, in the order of [`in_order`].
    #[must_use]
    pub fn of(
        environment: &str,
        minute: Timestamp,
        leaves: &[Leaf],
        before: Option<&Statement>,
        now: Timestamp,
    ) -> Statement {
        let hashes: Vec<Hash> = leaves.iter().map(Leaf::sealed).collect();
        Statement {
            version: SEAL_VERSION,
            environment: environment.to_owned(),
            number: before.map_or(1, |before| before.number.saturating_add(1)),
            minute,
            records: u64::try_from(leaves.len()).unwrap_or(u64::MAX),
            root: root(&hashes),
            previous: before.map(Statement::hash),
            sealed_at: now,
        }
    }

    /// The signed bytes: one line for each member, in this order.
    #[must_use]
    pub fn text(&self) -> String {
        let previous = self.previous.map_or_else(|| "-".to_owned(), |previous| previous.to_string());
        format!(
            "carillon seal {}\n{}\n{}\n{}\n{}\n{}\n{previous}\n{}\n",
            self.version, self.environment, self.number, self.minute, self.records, self.root, self.sealed_at
        )
    }

    #[must_use]
    pub fn hash(&self) -> Hash {
        Hash::of(&[self.text().as_bytes()])
    }
}

/// The start of the minute that contains a time.
#[must_use]
pub fn minute_of(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second().div_euclid(60) * 60).unwrap_or(at)
}

/// Whether a minute is sealed even without records: the first minute of each hour. A removed end of the chain is
/// therefore noticed, and an idle sealer need not look far back.
#[must_use]
pub fn is_always_sealed(minute: Timestamp) -> bool {
    minute.as_second().rem_euclid(3_600) == 0
}

/// Sorts leaves into the order of their tree: by the records' table keys, independent of the reader.
pub fn in_order(leaves: &mut [Leaf]) {
    leaves.sort_by(|a, b| a.record.cmp(&b.record));
}

#[cfg(test)]
mod tests;
