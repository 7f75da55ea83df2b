//! The content of a job for a channel whose addresses are ids of the provider.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::base::channel::Channel;
use crate::base::sensitive::{self, Sensitive};

/// A rendered message for Slack, Microsoft Teams and channels like them: a text and an optional card.
#[derive(Clone, Serialize, Deserialize)]
pub struct Message {
    pub channel: Channel,
    /// The address in its canonical spelling, as the address spec of the channel returns it.
    #[serde(serialize_with = "sensitive::stored")]
    pub to: Sensitive<String>,
    #[serde(serialize_with = "sensitive::stored")]
    pub text: Sensitive<String>,
    pub locale: String,
    /// The second part of the channel as JSON: Block Kit blocks, or an Adaptive Card.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "sensitive::stored")]
    pub card: Option<Sensitive<Box<RawValue>>>,
}
