//! The content of a job for e-mail.

use serde::{Deserialize, Serialize};

use crate::recipient::{DisplayName, EmailAddress, Sender};

/// A rendered letter.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Email {
    pub to: EmailAddress,
    pub subject: String,
    pub html: String,
    pub text: String,
    /// The language it is written in.
    pub locale: String,
    /// The mailbox it comes from; the installation's own sender, when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Sender>,
    /// The name of `from`, where the last release could not read it there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_name: Option<DisplayName>,
    /// Where an answer goes, without a name; to the sender, when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<EmailAddress>,
    /// The name of `reply_to`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to_name: Option<DisplayName>,
    /// The link by which its reader unsubscribes, where it may be refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsubscribe: Option<String>,
    /// What it brings along; fetched when it is sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
}

impl Email {
    /// The mailbox it comes from, with its name.
    #[must_use]
    pub fn sender(&self) -> Option<Sender> {
        Some(self.from.clone()?.with_name(self.from_name.clone()))
    }

    /// The mailbox that answers go to, with its name.
    #[must_use]
    pub fn answers_to(&self) -> Option<Sender> {
        Some(Sender::of(self.reply_to.as_ref()?).with_name(self.reply_to_name.clone()))
    }
}

/// A file in a bucket that a letter brings along. No `Debug`: its name may be somebody's.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    pub bucket: String,
    pub key: String,
    /// What the reader sees.
    pub name: String,
    /// Its media type; what the bucket says of it, when it is left out.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The name by which the letter's HTML shows it, as `cid:<name>`; without it, it stands beside the letter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inline: Option<String>,
}
