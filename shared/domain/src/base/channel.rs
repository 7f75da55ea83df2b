//! The delivery channels. A channel is one line of the macro below and one [`ChannelSpec`] in a file of its own.

use serde::{Deserialize, Serialize};

mod email;
mod push;
mod slack;
mod sms;
mod socket;
mod spec;
mod teams;
mod webhook;
mod whatsapp;

pub use spec::{
    AddressForm, AddressSpec, ChannelSpec, Destination, OnUnknown, Part, PartFormat, Receipts, RetrySchedule,
};

/// Generates the enum, the list of all channels and the access to each spec from one list. A variant without a module
/// that has a `SPEC` does not compile.
macro_rules! channels {
    ($($(#[doc = $doc:literal])+ $variant:ident => $module:ident,)+) => {
        /// A delivery channel.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum Channel {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Channel {
            /// Every channel. All other lists of channels are derived from this one.
            pub const ALL: [Channel; [$(Channel::$variant),+].len()] = [$(Channel::$variant),+];

            /// All facts about the channel that do not depend on one message.
            #[must_use]
            pub fn spec(self) -> &'static ChannelSpec {
                match self {
                    $(Channel::$variant => {
                        const SPEC: &ChannelSpec = &$module::SPEC;
                        SPEC
                    })+
                }
            }
        }
    };
}

channels! {
    /// An e-mail with subject, HTML and text.
    Email => email,
    /// A push notification to each device of a person.
    Push => push,
    /// An SMS.
    Sms => sms,
    /// A WhatsApp message.
    Whatsapp => whatsapp,
    /// An in-app message to every open WebSocket of a user or of a room.
    Socket => socket,
    /// A webhook message: a signed HTTP request to an endpoint of a tenant.
    Webhook => webhook,
    /// A message to a member or a conversation of a Slack workspace.
    Slack => slack,
    /// A message to a channel or a chat of Microsoft Teams.
    Teams => teams,
}

/// The part that names an approved WhatsApp template. In a catalog its content has the form of
/// [`crate::delivery::job::WhatsappTemplate::SEPARATOR`] instead of the original YAML.
pub const APPROVED: &str = "whatsapp.yaml";

/// The prefix of an address that names a webhook of the stack. The URL of the webhook is a secret, so rules and
/// profiles contain the name only.
pub const WEBHOOK_ADDRESS: &str = "webhook:";

impl Channel {
    /// The name in rules, keys and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// The template parts of this channel.
    #[must_use]
    pub fn parts(self) -> &'static [Part] {
        self.spec().parts
    }

    /// The addresses of the channel; `None` if its messages go to devices, sockets or endpoints.
    #[must_use]
    pub fn address(self) -> Option<&'static AddressSpec> {
        match &self.spec().destination {
            Destination::Address(address) => Some(address),
            Destination::Devices | Destination::Sockets | Destination::Endpoints => None,
        }
    }

    /// Every channel with addresses, and the spec of its addresses.
    pub fn with_addresses() -> impl Iterator<Item = (Channel, &'static AddressSpec)> {
        Channel::ALL.into_iter().filter_map(|channel| Some((channel, channel.address()?)))
    }

    /// The channel whose addresses this member of a person holds.
    #[must_use]
    pub fn of_member(member: &str) -> Option<Channel> {
        Channel::with_addresses().find(|(_, address)| address.member == member).map(|(channel, _)| channel)
    }

    /// The format of a part by its file name; [`PartFormat::Text`] for a file that no channel names.
    #[must_use]
    pub fn format_of(file: &str) -> PartFormat {
        let mut parts = Channel::ALL.into_iter().flat_map(Channel::parts);
        parts.find(|part| part.file == file).map_or(PartFormat::Text, |part| part.format)
    }

    /// Whether the channel can address a room.
    #[must_use]
    pub fn reaches_rooms(self) -> bool {
        matches!(self.spec().destination, Destination::Sockets)
    }

    /// Whether the channel addresses endpoints of systems instead of people.
    #[must_use]
    pub fn reaches_endpoints(self) -> bool {
        matches!(self.spec().destination, Destination::Endpoints)
    }

    /// The handling of a send whose result is unknown, for example after a crash between the provider's answer and our
    /// record.
    #[must_use]
    pub fn on_unknown(self) -> OnUnknown {
        self.spec().on_unknown
    }

    /// Whether the channel interrupts the recipient, so that quiet hours and send windows defer it. Content that
    /// appears only in an open application is not deferred.
    #[must_use]
    pub fn disturbs(self) -> bool {
        self.spec().disturbs
    }

    /// Whether the provider reports delivery in a receipt after the send.
    #[must_use]
    pub fn has_receipts(self) -> bool {
        self.spec().receipts != Receipts::None
    }

    /// Whether a message without any receipt ends as `unconfirmed`. This applies where the networks guarantee
    /// receipts. A mail server may never report.
    #[must_use]
    pub fn confirms(self) -> bool {
        self.spec().receipts == Receipts::Promised
    }

    /// The suppression period in days after a bounce or complaint; `None` if the channel has none.
    #[must_use]
    pub fn suppression_days(self) -> Option<i64> {
        self.spec().closed_for_days
    }

    /// Parses the name that [`Channel::name`] returns.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Channel> {
        Channel::ALL.into_iter().find(|channel| channel.name() == name)
    }
}

/// The longest name of a webhook, in bytes.
const MAX_WEBHOOK_NAME_BYTES: usize = 64;

/// Parses `webhook:<name>`. `None` if the text has no such prefix.
fn webhook_name(text: &str) -> Option<Result<String, &'static str>> {
    let text = text.trim().to_ascii_lowercase();
    let name = text.strip_prefix(WEBHOOK_ADDRESS)?;
    let is_name = (1..=MAX_WEBHOOK_NAME_BYTES).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    Some(match is_name {
        true => Ok(format!("{WEBHOOK_ADDRESS}{name}")),
        false => Err("the name of the webhook is not 1 to 64 letters, digits, `-`, `_` and `.`"),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn serialized_name_equals_the_channel_name() {
        for channel in Channel::ALL {
            let read: Channel = serde_json::from_value(channel.name().into()).unwrap();
            assert_eq!(read, channel);
        }
    }

    #[test]
    fn names_members_and_files_belong_to_one_channel() {
        let names: BTreeSet<&str> = Channel::ALL.map(Channel::name).into();
        assert_eq!(names.len(), Channel::ALL.len());
        let members: Vec<&str> = Channel::with_addresses().map(|(_, address)| address.member).collect();
        assert_eq!(members.iter().collect::<BTreeSet<_>>().len(), members.len());
        for channel in Channel::ALL {
            for part in channel.parts() {
                assert!(part.file.starts_with(&format!("{}.", channel.name())), "{}", part.file);
            }
        }
    }
}
