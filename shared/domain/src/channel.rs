//! The channels. A channel is one line of the macro below and one [`ChannelSpec`] in a file of its own.

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

/// Makes the enum, the list of all channels and the way to each spec of one list. A variant without a module that has a
/// `SPEC` does not compile.
macro_rules! channels {
    ($($(#[doc = $doc:literal])+ $variant:ident => $module:ident,)+) => {
        /// A way to reach a recipient.
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
    /// A message with subject, HTML and text.
    Email => email,
    /// A notification on the lock screen of each of a person's devices.
    Push => push,
    /// A text message to a phone.
    Sms => sms,
    /// A message in WhatsApp.
    Whatsapp => whatsapp,
    /// A message to every open WebSocket of a user, or of a room.
    Socket => socket,
    /// A signed HTTP request to a tenant's own system.
    Webhook => webhook,
    /// A message to a member or a conversation of a Slack workspace.
    Slack => slack,
    /// A message to a channel or a chat of Microsoft Teams.
    Teams => teams,
}

/// The part that names one of WhatsApp's own templates. In a catalog it is written with
/// [`crate::job::WhatsappTemplate::SEPARATOR`], and not in YAML.
pub const APPROVED: &str = "whatsapp.yaml";

/// The beginning of an address that names a webhook of the stack. The URL of the webhook is a secret, so it stands in
/// no rule and in no profile.
pub const WEBHOOK_ADDRESS: &str = "webhook:";

impl Channel {
    /// The name in rules, keys and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// The files that a template has for this channel.
    #[must_use]
    pub fn parts(self) -> &'static [Part] {
        self.spec().parts
    }

    /// The addresses of the channel; `None` where its messages go to devices, sockets or endpoints.
    #[must_use]
    pub fn address(self) -> Option<&'static AddressSpec> {
        match &self.spec().destination {
            Destination::Address(address) => Some(address),
            Destination::Devices | Destination::Sockets | Destination::Endpoints => None,
        }
    }

    /// Every channel with addresses, and these addresses.
    pub fn with_addresses() -> impl Iterator<Item = (Channel, &'static AddressSpec)> {
        Channel::ALL.into_iter().filter_map(|channel| Some((channel, channel.address()?)))
    }

    /// The channel whose addresses stand in this member of a person.
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

    /// Whether it reaches a whole room, not only a person.
    #[must_use]
    pub fn reaches_rooms(self) -> bool {
        matches!(self.spec().destination, Destination::Sockets)
    }

    /// Whether it reaches systems that have endpoints, and not people.
    #[must_use]
    pub fn reaches_endpoints(self) -> bool {
        matches!(self.spec().destination, Destination::Endpoints)
    }

    /// The policy for a send without an answer.
    #[must_use]
    pub fn on_unknown(self) -> OnUnknown {
        self.spec().on_unknown
    }

    /// Whether quiet hours and send windows hold its messages back.
    #[must_use]
    pub fn disturbs(self) -> bool {
        self.spec().disturbs
    }

    /// Whether its provider reports the state of a message later, in a receipt.
    #[must_use]
    pub fn has_receipts(self) -> bool {
        self.spec().receipts != Receipts::None
    }

    /// Whether a message without a receipt becomes `unconfirmed`: where the networks promise one.
    #[must_use]
    pub fn confirms(self) -> bool {
        self.spec().receipts == Receipts::Promised
    }

    /// The days for which an address is closed that bounced or complained; `None` where none ever is.
    #[must_use]
    pub fn closed_for_days(self) -> Option<i64> {
        self.spec().closed_for_days
    }

    /// Reads the name that [`Channel::name`] gives.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Channel> {
        Channel::ALL.into_iter().find(|channel| channel.name() == name)
    }
}

/// The longest name of a webhook, in bytes.
const MAX_WEBHOOK_NAME_BYTES: usize = 64;

/// Reads `webhook:<name>`. `None` for a text that does not begin so.
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
    fn a_channel_is_written_in_rules_as_it_names_itself() {
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
