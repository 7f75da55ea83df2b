//! The delivery channels. A new channel begins with a variant here; the compiler then reports every place to extend.

use serde::{Deserialize, Serialize};

/// A delivery channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// An e-mail with subject, HTML and text.
    Email,
    /// A push notification to each device of a person.
    Push,
    /// An SMS.
    Sms,
    /// A WhatsApp message.
    Whatsapp,
    /// An in-app message to every open WebSocket of a user or of a room.
    Socket,
    /// A webhook message: a signed HTTP request to an endpoint of a tenant.
    Webhook,
}

/// The handling of a send without an answer, which the provider may or may not have accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnUnknown {
    /// The outcome stays `unknown`. A second message would reach the recipient twice and could not be recalled.
    Hold,
    /// The message is sent again. The receiver deduplicates by id.
    Resend,
}

/// A text part that a template renders for a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// The file name in `config/templates/<template>/<locale>/`.
    pub file: &'static str,
    /// Whether the channel requires this part.
    pub required: bool,
}

const EMAIL_PARTS: [Part; 3] = [
    Part { file: "email.subject.txt", required: true },
    Part { file: "email.html", required: true },
    Part { file: "email.txt", required: true },
];

const SOCKET_PARTS: [Part; 2] =
    [Part { file: "socket.title.txt", required: true }, Part { file: "socket.txt", required: true }];

const PUSH_PARTS: [Part; 2] =
    [Part { file: "push.title.txt", required: true }, Part { file: "push.txt", required: true }];

const SMS_PARTS: [Part; 1] = [Part { file: "sms.txt", required: true }];

/// Free text within 24 hours of the recipient's last message, and an approved WhatsApp template at any time.
const WHATSAPP_PARTS: [Part; 2] =
    [Part { file: "whatsapp.txt", required: true }, Part { file: APPROVED, required: false }];

/// The part that names an approved WhatsApp template. In a catalog its content has the form of
/// [`crate::job::WhatsappTemplate::SEPARATOR`] instead of the original YAML.
pub const APPROVED: &str = "whatsapp.yaml";

impl Channel {
    /// All channels.
    pub const ALL: [Channel; 6] =
        [Channel::Email, Channel::Push, Channel::Sms, Channel::Whatsapp, Channel::Socket, Channel::Webhook];

    /// The name in rules, keys and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Channel::Email => "email",
            Channel::Push => "push",
            Channel::Sms => "sms",
            Channel::Whatsapp => "whatsapp",
            Channel::Socket => "socket",
            Channel::Webhook => "webhook",
        }
    }

    /// The template parts of this channel.
    #[must_use]
    pub fn parts(self) -> &'static [Part] {
        match self {
            Channel::Email => &EMAIL_PARTS,
            Channel::Push => &PUSH_PARTS,
            Channel::Sms => &SMS_PARTS,
            Channel::Whatsapp => &WHATSAPP_PARTS,
            Channel::Socket => &SOCKET_PARTS,
            // Webhook messages carry the data that the rule exposes and have no texts.
            Channel::Webhook => &[],
        }
    }

    /// Whether the channel can address a room.
    #[must_use]
    pub fn reaches_rooms(self) -> bool {
        match self {
            Channel::Email | Channel::Push | Channel::Sms | Channel::Whatsapp | Channel::Webhook => false,
            Channel::Socket => true,
        }
    }

    /// Whether the channel addresses endpoints of systems instead of people.
    #[must_use]
    pub fn reaches_endpoints(self) -> bool {
        match self {
            Channel::Email | Channel::Push | Channel::Sms | Channel::Whatsapp | Channel::Socket => false,
            Channel::Webhook => true,
        }
    }

    /// The handling of a send whose result is unknown, for example after a crash between the provider's answer and our
    /// record.
    #[must_use]
    pub fn on_unknown(self) -> OnUnknown {
        match self {
            Channel::Email | Channel::Sms | Channel::Whatsapp => OnUnknown::Hold,
            // Receivers deduplicate: in-app and webhook messages by id, push notifications by their collapse key.
            Channel::Push | Channel::Socket | Channel::Webhook => OnUnknown::Resend,
        }
    }

    /// Whether the channel interrupts the recipient, so that quiet hours and send windows defer it. Content that
    /// appears only in an open application is not deferred.
    #[must_use]
    pub fn disturbs(self) -> bool {
        match self {
            Channel::Email | Channel::Push | Channel::Sms | Channel::Whatsapp => true,
            Channel::Socket | Channel::Webhook => false,
        }
    }

    /// Whether the provider reports delivery in a receipt after the send.
    #[must_use]
    pub fn has_receipts(self) -> bool {
        match self {
            Channel::Email | Channel::Sms | Channel::Whatsapp => true,
            Channel::Push | Channel::Socket | Channel::Webhook => false,
        }
    }

    /// Whether a message without any receipt ends as `unconfirmed`. This applies where the networks guarantee
    /// receipts. A mail server may never report.
    #[must_use]
    pub fn confirms(self) -> bool {
        match self {
            Channel::Sms | Channel::Whatsapp => true,
            Channel::Email | Channel::Push | Channel::Socket | Channel::Webhook => false,
        }
    }

    /// The suppression period in days after a bounce or complaint; `None` if the channel has none: 90 days for e-mail,
    /// 15 days for WhatsApp.
    #[must_use]
    pub fn closed_for_days(self) -> Option<i64> {
        match self {
            Channel::Email => Some(90),
            Channel::Whatsapp => Some(15),
            Channel::Push | Channel::Sms | Channel::Socket | Channel::Webhook => None,
        }
    }

    /// Parses the name that [`Channel::name`] returns.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Channel> {
        Channel::ALL.into_iter().find(|channel| channel.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serialized_name_equals_the_channel_name() {
        for channel in Channel::ALL {
            let read: Channel = serde_json::from_value(channel.name().into()).unwrap();
            assert_eq!(read, channel);
        }
    }
}
