//! The content of an e-mail's job.

use serde::{Deserialize, Serialize};

use crate::base::sensitive::{self, Sensitive};
use crate::recipient::{DisplayName, EmailAddress, Sender};

/// A rendered e-mail.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Email {
    pub to: EmailAddress,
    #[serde(serialize_with = "sensitive::stored")]
    pub subject: Sensitive<String>,
    #[serde(serialize_with = "sensitive::stored")]
    pub html: Sensitive<String>,
    #[serde(serialize_with = "sensitive::stored")]
    pub text: Sensitive<String>,
    /// The language of the text.
    pub locale: String,
    /// The sender's mailbox. Where it is `None`, the installation's own sender is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Sender>,
    /// The name of `from`, kept apart because the last release cannot read it there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_name: Option<DisplayName>,
    /// The reply address, without a name. Where it is `None`, replies go to the sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<EmailAddress>,
    /// The name of `reply_to`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to_name: Option<DisplayName>,
    /// The recipient's unsubscribe link, where the rule allows to unsubscribe.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "sensitive::stored")]
    pub unsubscribe: Option<Sensitive<String>>,
    /// The attachments. They are fetched when the e-mail is sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
}

impl Email {
    /// The sender's mailbox with its name.
    #[must_use]
    pub fn sender(&self) -> Option<Sender> {
        Some(self.from.clone()?.with_name(self.from_name.clone()))
    }

    /// The reply mailbox with its name.
    #[must_use]
    pub fn answers_to(&self) -> Option<Sender> {
        Some(Sender::of(self.reply_to.as_ref()?).with_name(self.reply_to_name.clone()))
    }
}

/// An attachment: a file in a bucket.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    pub bucket: String,
    pub key: String,
    /// The file name that the recipient sees. The event chooses it.
    #[serde(serialize_with = "sensitive::stored")]
    pub name: Sensitive<String>,
    /// The media type. Where it is `None`, the bucket's content type is used.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The content id of an inline file, which the HTML shows as `cid:<name>`. `None` for a separate attachment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inline: Option<String>,
}
