//! What a user of Carillon has decided: which events matter, who hears of them, and in which words.
//!
//! `carillon check` compiles `config/` into one `catalog.json`; dispatch reads it once per process.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::policy::Policy;
use crate::rule::Rule;

/// The layout of `catalog.json`. Dispatch refuses to start on another one.
pub const CATALOG_FORMAT: u32 = 2;

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

/// A catalog ready to be asked.
pub struct Catalog {
    version: String,
    policy: Policy,
    rules: Vec<Rule>,
    templates: BTreeMap<String, String>,
    by_type: HashMap<String, Vec<usize>>,
    of_any_type: Vec<usize>,
}

/// A catalog file of a layout that this program does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "catalog format {found} is not {CATALOG_FORMAT}; compile it with the `carillon check` of this release"
)]
pub struct OtherFormat {
    pub found: u32,
}

impl Catalog {
    /// # Errors
    /// [`OtherFormat`] when the file was written by another release.
    pub fn open(file: CatalogFile) -> Result<Catalog, OtherFormat> {
        if file.format != CATALOG_FORMAT {
            return Err(OtherFormat { found: file.format });
        }
        let mut by_type: HashMap<String, Vec<usize>> = HashMap::new();
        let mut of_any_type = Vec::new();
        for (at, rule) in file.rules.iter().enumerate() {
            match rule.when.pattern().exact("detail-type") {
                Some(kinds) => {
                    for kind in kinds {
                        by_type.entry(kind.to_owned()).or_default().push(at);
                    }
                }
                None => of_any_type.push(at),
            }
        }
        Ok(Catalog {
            version: file.version,
            policy: file.policy,
            rules: file.rules,
            templates: file.templates,
            by_type,
            of_any_type,
        })
    }

    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
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
        self.rules.iter().find(|it| it.name == name)
    }

    /// The rules whose waiting messages this event takes back.
    #[must_use]
    pub fn cancelled_by(&self, document: &Value) -> Vec<&Rule> {
        let cancels = |it: &&Rule| it.cancel.as_ref().is_some_and(|it| it.when.pattern().matches(document));
        self.rules.iter().filter(cancels).collect()
    }

    /// Template sources by path.
    #[must_use]
    pub fn templates(&self) -> &BTreeMap<String, String> {
        &self.templates
    }

    /// The rules that match, in the order of the catalog. `document` is [`crate::event::Event::document`].
    pub fn matching<'a>(&'a self, kind: &str, document: &Value) -> Vec<&'a Rule> {
        let of_this_type = self.by_type.get(kind).map_or(&[][..], Vec::as_slice);
        let mut candidates: Vec<usize> = of_this_type.iter().chain(&self.of_any_type).copied().collect();
        candidates.sort_unstable();
        candidates.dedup();
        candidates
            .into_iter()
            .map(|at| &self.rules[at])
            .filter(|rule| rule.when.pattern().matches(document))
            .collect()
    }
}

#[cfg(test)]
mod tests;
