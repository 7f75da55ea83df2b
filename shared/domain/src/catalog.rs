//! What a user of Carillon has decided: which events matter, who hears of them, and in which words.
//!
//! `carillon check` compiles `config/` into one `catalog.json`; dispatch reads it once per process.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::index::Index;
use crate::keyed_hash::KeyedHashes;
use crate::layout::{Layout, NotRead, Upgrade};
use crate::pattern::Pattern;
use crate::policy::Policy;
use crate::rule::Rule;

/// The layout of `catalog.json`. An older one is read through [`UPGRADES`] from [`OLDEST_FORMAT`] on; dispatch refuses to
/// start on a newer one.
pub const CATALOG_FORMAT: u32 = 2;

/// The oldest layout that is read: no release wrote the one before.
pub const OLDEST_FORMAT: u32 = 2;

/// One step for each layout before [`CATALOG_FORMAT`]: without it this does not compile.
const UPGRADES: [Upgrade; (CATALOG_FORMAT - OLDEST_FORMAT) as usize] = [];

const LAYOUT: Layout = Layout { member: "format", oldest: OLDEST_FORMAT, upgrades: &UPGRADES };

/// A compiled catalog as a file.
#[derive(Clone, Serialize, Deserialize)]
pub struct CatalogFile {
    pub format: u32,
    /// The first 12 hex digits of the SHA-256 of everything below: it names the catalog in every outcome.
    pub version: String,
    #[serde(default)]
    pub policy: Policy,
    pub rules: Vec<Rule>,
    /// Template sources by path, `<template>/<locale>/<part>` and `layouts/<name>`.
    pub templates: BTreeMap<String, String>,
}

/// The name of the policy's file beside the program of each function that needs no rules.
pub const POLICY_FILE: &str = "policy.json";

/// The layout of `policy.json`. Functions refuse to start on another one.
pub const POLICY_FORMAT: u32 = 1;

/// The policy of a catalog as a file of its own. `P` is what a function reads of the policy: members that `P` does not
/// know are left out.
#[derive(Clone, Serialize, Deserialize)]
pub struct PolicyFile<P = Policy> {
    pub format: u32,
    /// The version of the catalog that the policy was compiled with.
    pub version: String,
    pub policy: P,
}

impl CatalogFile {
    /// The policy for functions that need no rules and no templates.
    #[must_use]
    pub fn policy_file(&self) -> PolicyFile {
        PolicyFile { format: POLICY_FORMAT, version: self.version.clone(), policy: self.policy.clone() }
    }
}

/// A catalog ready to be asked.
pub struct Catalog {
    version: String,
    policy: Policy,
    rules: Vec<Rule>,
    templates: Arc<BTreeMap<String, String>>,
    /// Their patterns, in the same order.
    index: Index,
    /// The patterns of events that cancel, and the place of the rule of each.
    cancels: Index,
    cancelled: Vec<usize>,
    /// What the names of addresses and event values are made with.
    hashes: KeyedHashes,
}

/// A catalog file of a layout that this program does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "catalog format {found} is not {CATALOG_FORMAT}; compile it with the `carillon check` of this release"
)]
pub struct OtherFormat {
    pub found: u32,
}

/// Why a text is no catalog of this release. It is the author's own file, so the reason may quote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCatalog {
    #[error(
        "{0}; deploy the release that compiled it, or compile it with the `carillon check` of this release"
    )]
    Newer(NotRead),
    #[error("it is no catalog: {0}; compile it with the `carillon check` of this release")]
    Malformed(String),
}

impl CatalogFile {
    /// Reads a catalog file of this layout or an older one.
    ///
    /// # Errors
    /// [`BadCatalog`] tells a file of a newer release from one that is no catalog.
    pub fn read(text: &str) -> Result<CatalogFile, BadCatalog> {
        let text = LAYOUT.forward(text).map_err(|not_read| match not_read {
            NotRead::Newer { .. } => BadCatalog::Newer(not_read),
            NotRead::Malformed { .. } => BadCatalog::Malformed(not_read.to_string()),
        })?;
        serde_json::from_str(&text).map_err(|error| BadCatalog::Malformed(error.to_string()))
    }
}

impl Catalog {
    /// Opens a catalog for a local tool: names are made with the development secret. With a stack's tables goes
    /// [`Catalog::with_hashes`].
    ///
    /// # Errors
    /// [`OtherFormat`] when the file was written by another release.
    pub fn open(file: CatalogFile) -> Result<Catalog, OtherFormat> {
        if file.format != CATALOG_FORMAT {
            return Err(OtherFormat { found: file.format });
        }
        let index = file.rules.iter().map(|rule| rule.when.pattern().clone()).collect();
        let cancelling = file.rules.iter().enumerate().filter_map(|(at, it)| Some((at, it.cancel.as_ref()?)));
        let (cancels, cancelled): (Vec<Pattern>, Vec<usize>) =
            cancelling.map(|(at, it)| (it.when.pattern().clone(), at)).unzip();
        Ok(Catalog {
            version: file.version,
            policy: file.policy,
            rules: file.rules,
            templates: Arc::new(file.templates),
            index,
            cancels: cancels.into_iter().collect(),
            cancelled,
            hashes: KeyedHashes::development(),
        })
    }

    /// The same catalog, whose decisions name addresses and event values with the hashes of a stack.
    #[must_use]
    pub fn with_hashes(self, hashes: KeyedHashes) -> Catalog {
        Catalog { hashes, ..self }
    }

    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What the names of addresses and event values are made with.
    #[must_use]
    pub fn hashes(&self) -> &KeyedHashes {
        &self.hashes
    }

    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// What holds for all rules.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The rule of this name.
    #[must_use]
    pub fn rule(&self, name: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.name == name)
    }

    /// The rules whose waiting messages this event takes back.
    #[must_use]
    pub fn cancelled_by(&self, event: &Event) -> Vec<&Rule> {
        self.cancels.matching(event).into_iter().map(|at| &self.rules[self.cancelled[at]]).collect()
    }

    /// Template sources by path, to be shared with who renders them.
    #[must_use]
    pub fn templates(&self) -> &Arc<BTreeMap<String, String>> {
        &self.templates
    }

    /// The rules that match, in the order of the catalog.
    #[must_use]
    pub fn matching(&self, event: &Event) -> Vec<&Rule> {
        self.index.matching(event).into_iter().map(|at| &self.rules[at]).collect()
    }
}

#[cfg(test)]
mod tests;
