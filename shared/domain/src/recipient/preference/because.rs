//! The reason for the result of a vote, as data and as a sentence.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Layer;

/// One vote, or the reason for a result without a vote. [`fmt::Display`] writes a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Because {
    pub scope: Scope,
    /// The setting in the scope that had the value. `None` if no set was consulted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setting: Option<Setting>,
    /// The owner of the value. `None` if no set was consulted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<Layer>,
    /// Whether the value is locked against higher layers.
    #[serde(default)]
    pub locked: bool,
    pub allowed: bool,
}

/// The scope of a vote.
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
    /// No preference applies.
    Default,
}

/// The setting of a scope that has the value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// The scope as a whole.
    Switch,
    /// All conditions, or the first one that did not hold, counted from 0.
    Conditions { failed: Option<usize> },
    /// A channel by its id.
    Channel(String),
    /// All channels of a type.
    ChannelType(String),
    /// The recipient unsubscribed with the link in an e-mail.
    Unsubscribed,
}

impl Because {
    /// The reason for a result without a vote.
    pub(super) fn without_vote(scope: Scope) -> Because {
        Because { scope, setting: None, layer: None, locked: false, allowed: true }
    }

    /// The recipient's own unsubscription, which no layer overrides.
    pub(super) fn unsubscribed(scope: Scope) -> Because {
        let layer = Some(Layer::Recipient);
        Because { scope, setting: Some(Setting::Unsubscribed), layer, locked: false, allowed: false }
    }
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = if self.allowed { "on" } else { "off" };
        match (&self.scope, &self.setting) {
            (Scope::Critical, _) => return f.write_str("the rule is critical and overrides preferences"),
            (Scope::Default, _) => return f.write_str("no preference applies"),
            (scope @ Scope::Commercial, None | Some(Setting::Switch)) => {
                write!(f, "{scope} are {on}")?;
            }
            (scope, None | Some(Setting::Switch)) => write!(f, "{scope} is {on}")?,
            (scope, Some(Setting::Conditions { failed: None })) => {
                write!(f, "the conditions of {scope} hold")?;
            }
            (scope, Some(Setting::Conditions { failed: Some(index) })) => {
                write!(f, "condition {} of {scope} does not hold", index.saturating_add(1))?;
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
            Scope::Critical => f.write_str("critical messages"),
            Scope::Commercial => f.write_str("commercial messages"),
            Scope::TopLevel => f.write_str("everything"),
            Scope::Rule(name) => write!(f, "rule {name}"),
            Scope::Category(name) => write!(f, "category {name}"),
            Scope::Default => f.write_str("the default"),
        }
    }
}
