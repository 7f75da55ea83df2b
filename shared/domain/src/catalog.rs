//! What a user of Carillon has decided: which events matter, who hears of them, and in which words.
//!
//! `carillon check` compiles `config/` into one `catalog.json`; dispatch reads it once per process.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::channel::Channel;
use crate::event::{Event, Priority};
use crate::index::Index;
use crate::path::Path;
use crate::pattern::Pattern;

/// The layout of `catalog.json`. Dispatch refuses to start on another one.
pub const CATALOG_FORMAT: u32 = 1;

/// A compiled catalog as a file.
#[derive(Clone, Serialize, Deserialize)]
pub struct CatalogFile {
    pub format: u32,
    /// The first 12 hex digits of the SHA-256 of everything below: it names the catalog in every outcome.
    pub version: String,
    pub rules: Vec<Rule>,
    /// Template sources by path, `<template>/<locale>/<part>` and `layouts/<name>`.
    pub templates: BTreeMap<String, String>,
}

/// Who hears of which events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    #[serde(rename = "rule")]
    pub name: String,
    #[serde(default)]
    pub about: String,
    pub when: When,
    pub category: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// In the order in which they are tried.
    pub channels: Vec<Channel>,
    pub to: Vec<Selector>,
    pub template: String,
    /// What of the event a socket message carries as data.
    #[serde(default)]
    pub expose: Vec<Path>,
    /// Later than this after the event it is not sent any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<SignedDuration>,
}

/// A pattern together with the text it was compiled from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct When {
    source: Value,
    pattern: Pattern,
}

impl When {
    #[must_use]
    pub fn pattern(&self) -> &Pattern {
        &self.pattern
    }
}

impl TryFrom<Value> for When {
    type Error = crate::pattern::Invalid;

    fn try_from(source: Value) -> Result<When, Self::Error> {
        Ok(When { pattern: Pattern::compile(&source)?, source })
    }
}

impl From<When> for Value {
    fn from(when: When) -> Value {
        when.source
    }
}

/// Whom a rule addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Selector {
    /// One user, or every user that a path finds.
    User(Operand),
    /// Everybody who is in a room at the moment: `room: queue`, `of: $.data.queueId` is the room `queue:<value>`.
    Room { name: String, of: Operand },
}

/// A value that is written down or found in the event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operand {
    Literal(String),
    Path(Path),
}

impl Operand {
    /// The names it stands for in this event.
    #[must_use]
    pub fn names(&self, envelope: &Value) -> Vec<String> {
        match self {
            Operand::Literal(it) => vec![it.clone()],
            Operand::Path(path) => path.find_names(envelope),
        }
    }
}

/// A catalog ready to be asked.
pub struct Catalog {
    version: String,
    rules: Vec<Rule>,
    templates: BTreeMap<String, String>,
    /// Their patterns, in the same order.
    index: Index,
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
        let index = file.rules.iter().map(|it| it.when.pattern.clone()).collect();
        Ok(Catalog { version: file.version, rules: file.rules, templates: file.templates, index })
    }

    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Template sources by path.
    #[must_use]
    pub fn templates(&self) -> &BTreeMap<String, String> {
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
