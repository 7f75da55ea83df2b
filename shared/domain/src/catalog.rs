//! The compiled rules, templates and policy of a project.
//!
//! `carillon check` compiles `config/` into one `catalog.json`. Dispatch reads that file once per process.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::catalog::policy::Policy;
use crate::catalog::rule::Rule;
use crate::event::Event;
use crate::event::layout::{Layout, NotRead, Upgrade};
use crate::pattern::Pattern;
use crate::pattern::index::Index;
use crate::recipient::keyed_hash::KeyedHashes;

pub mod policy;
pub mod push_options;
pub mod rule;
pub mod schema;
pub mod sms_policy;

/// The format version of `catalog.json`. Older formats from [`OLDEST_FORMAT`] on are converted by [`UPGRADES`].
/// Dispatch refuses to start with a newer one.
pub const CATALOG_FORMAT: u32 = 2;

/// The oldest readable format. No release wrote an earlier one.
pub const OLDEST_FORMAT: u32 = 2;

/// One upgrade for each format before [`CATALOG_FORMAT`]. A missing upgrade is a compile error.
const UPGRADES: [Upgrade; (CATALOG_FORMAT - OLDEST_FORMAT) as usize] = [];

const LAYOUT: Layout = Layout { member: "format", oldest: OLDEST_FORMAT, upgrades: &UPGRADES };

/// A compiled catalog as a file.
#[derive(Clone, Serialize, Deserialize)]
pub struct CatalogFile {
    pub format: u32,
    /// The first 12 hex digits of the SHA-256 of the content below. It identifies the catalog in every outcome.
    pub version: String,
    #[serde(default)]
    pub policy: Policy,
    pub rules: Vec<Rule>,
    /// Template sources by path, `<template>/<locale>/<part>` and `layouts/<name>`.
    pub templates: BTreeMap<String, String>,
}

/// The name of the policy file that is packaged with each function that needs no rules.
pub const POLICY_FILE: &str = "policy.json";

/// The format version of `policy.json`. Functions refuse to start with another one.
pub const POLICY_FORMAT: u32 = 1;

/// The policy of a catalog as a separate file. `P` is the part of the policy that a function reads. Members unknown to
/// `P` are ignored.
#[derive(Clone, Serialize, Deserialize)]
pub struct PolicyFile<P = Policy> {
    pub format: u32,
    /// The version of the catalog that the policy was compiled with.
    pub version: String,
    pub policy: P,
}

impl CatalogFile {
    /// The policy file for functions that need no rules and no templates.
    #[must_use]
    pub fn policy_file(&self) -> PolicyFile {
        PolicyFile { format: POLICY_FORMAT, version: self.version.clone(), policy: self.policy.clone() }
    }
}

/// An opened catalog with indexed patterns.
pub struct Catalog {
    version: String,
    policy: Policy,
    rules: Vec<Rule>,
    templates: Arc<BTreeMap<String, String>>,
    /// The patterns of the rules, in the same order.
    index: Index,
    /// The patterns of cancelling events. `cancelled` holds the rule index of each.
    cancels: Index,
    cancelled: Vec<usize>,
    /// The keyed hashes for addresses and event values.
    hashes: KeyedHashes,
}

/// A catalog file with an unsupported format version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "catalog format {found} is not {CATALOG_FORMAT}; compile it with the `carillon check` of this release"
)]
pub struct UnsupportedFormat {
    pub found: u32,
}

/// The reason why a text is not a catalog of this release. The file belongs to the author, so the reason may quote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    #[error(
        "{0}; deploy the release that compiled it, or compile it with the `carillon check` of this release"
    )]
    Newer(NotRead),
    #[error("not a catalog: {0}; compile it with the `carillon check` of this release")]
    Malformed(String),
}

impl CatalogFile {
    /// Reads a catalog file of this format or an older one.
    ///
    /// # Errors
    /// [`CatalogError`] distinguishes a file of a newer release from a malformed file.
    pub fn read(text: &str) -> Result<CatalogFile, CatalogError> {
        let text = LAYOUT.forward(text).map_err(|not_read| match not_read {
            NotRead::Newer { .. } => CatalogError::Newer(not_read),
            NotRead::Malformed { .. } => CatalogError::Malformed(not_read.to_string()),
        })?;
        serde_json::from_str(&text).map_err(|error| CatalogError::Malformed(error.to_string()))
    }
}

impl Catalog {
    /// Opens a catalog for a local tool, with hashes of the development secret. For a stack's tables use
    /// [`Catalog::with_hashes`].
    ///
    /// # Errors
    /// [`UnsupportedFormat`] if the file has another format version.
    pub fn open(file: CatalogFile) -> Result<Catalog, UnsupportedFormat> {
        if file.format != CATALOG_FORMAT {
            return Err(UnsupportedFormat { found: file.format });
        }
        let index = file.rules.iter().map(|rule| rule.when.pattern().clone()).collect();
        let cancelling =
            file.rules.iter().enumerate().filter_map(|(index, rule)| Some((index, rule.cancel.as_ref()?)));
        let (cancels, cancelled): (Vec<Pattern>, Vec<usize>) =
            cancelling.map(|(index, cancel)| (cancel.when.pattern().clone(), index)).unzip();
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

    /// The same catalog with the keyed hashes of a stack.
    #[must_use]
    pub fn with_hashes(self, hashes: KeyedHashes) -> Catalog {
        Catalog { hashes, ..self }
    }

    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The keyed hashes for addresses and event values.
    #[must_use]
    pub fn hashes(&self) -> &KeyedHashes {
        &self.hashes
    }

    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The policy, which applies to all rules.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The rule with this name.
    #[must_use]
    pub fn rule(&self, name: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.name == name)
    }

    /// The rules whose pending notifications this event cancels.
    #[must_use]
    pub fn cancelled_by(&self, event: &Event) -> Vec<&Rule> {
        self.cancels.matching(event).into_iter().map(|index| &self.rules[self.cancelled[index]]).collect()
    }

    /// Template sources by path, shared with the renderer.
    #[must_use]
    pub fn templates(&self) -> &Arc<BTreeMap<String, String>> {
        &self.templates
    }

    /// The matching rules, in the order of the catalog.
    #[must_use]
    pub fn matching(&self, event: &Event) -> Vec<&Rule> {
        self.index.matching(event).into_iter().map(|index| &self.rules[index]).collect()
    }
}

#[cfg(test)]
mod tests;
