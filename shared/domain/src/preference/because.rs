//! Why a vote came out as it did: for machines, and as a sentence.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Layer;

/// One vote, or what took the place of one. [`fmt::Display`] says it in a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Because {
    pub scope: Scope,
    /// What in the scope had the value; `None` where no set was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setting: Option<Setting>,
    /// Whose value it is; `None` where no set was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<Layer>,
    /// Whether higher layers are shut out there.
    #[serde(default)]
    pub locked: bool,
    pub allowed: bool,
}

/// What a vote is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The rule overrides preferences.
    Critical,
    /// Commercial messages as a whole.
    Commercial,
    /// All messages.
    TopLevel,
    /// The messages of this rule.
    Rule(String),
    /// The messages of this category.
    Category(String),
    /// Nobody has said anything.
    Default,
}

/// What in a scope has the value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// The scope as a whole.
    Switch,
    /// All its conditions, or the first that did not hold, counted from 0.
    Conditions { failed: Option<usize> },
    /// A channel by its id.
    Channel(String),
    /// All channels of a type.
    ChannelType(String),
    /// The recipient unsubscribed by the link of a letter.
    Unsubscribed,
}

impl Because {
    /// What took the place of a vote.
    pub(super) fn unasked(scope: Scope) -> Because {
        Because { scope, setting: None, layer: None, locked: false, allowed: true }
    }

    /// The recipient's own word, which no layer outvotes.
    pub(super) fn unsubscribed(scope: Scope) -> Because {
        let layer = Some(Layer::Recipient);
        Because { scope, setting: Some(Setting::Unsubscribed), layer, locked: false, allowed: false }
    }
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = if self.allowed { "on" } else { "off" };
        match (&self.scope, &self.setting) {
            (Scope::Critical, _) => return f.write_str("the rule is critical, so no preference was asked"),
            (Scope::Default, _) => return f.write_str("no preference says anything about it"),
            (scope, None | Some(Setting::Switch)) => write!(f, "{scope} is {on}")?,
            (scope, Some(Setting::Conditions { failed: None })) => {
                write!(f, "the conditions of {scope} hold")?;
            }
            (scope, Some(Setting::Conditions { failed: Some(at) })) => {
                write!(f, "condition {} of {scope} does not hold", at.saturating_add(1))?;
            }
            (scope, Some(Setting::Channel(id))) => write!(f, "channel {id} is {on} for {scope}")?,
            (scope, Some(Setting::ChannelType(name))) => write!(f, "{name} is {on} for {scope}")?,
            (scope, Some(Setting::Unsubscribed)) => write!(f, "unsubscribed from {scope}")?,
        }
        if let Some(layer) = self.layer {
            let lock = if self.locked { ", locked" } else { "" };
            write!(f, " ({}{lock})", layer.name())?;
        }
        Ok(())
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scope::Critical => f.write_str("what is critical"),
            Scope::Commercial => f.write_str("what is commercial"),
            Scope::TopLevel => f.write_str("everything"),
            Scope::Rule(name) => write!(f, "rule {name}"),
            Scope::Category(name) => write!(f, "category {name}"),
            Scope::Default => f.write_str("the default"),
        }
    }
}
