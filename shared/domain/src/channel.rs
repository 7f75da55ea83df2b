//! The ways to reach somebody. A new channel begins with a variant here; the compiler lists the rest.

use serde::{Deserialize, Serialize};

/// A way to reach a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// A letter with subject, HTML and text.
    Email,
    /// A note on the lock screen of each of a person's devices.
    Push,
    /// A text message to a phone.
    Sms,
    /// A message in WhatsApp.
    Whatsapp,
    /// A message to every open WebSocket of a user, or of a room.
    Socket,
    /// A signed HTTP request to a tenant's own system.
    Webhook,
}

/// What becomes of a notification whose send got no answer: the provider may have accepted it, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnUnknown {
    /// It stays `unknown`: a second one would reach the recipient twice and could not be taken back.
    Hold,
    /// It is sent again: the receiver deduplicates by its id.
    Resend,
}

/// A piece of text that a template renders for a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// The file's name in `config/templates/<template>/<locale>/`.
    pub file: &'static str,
    /// Whether a message without it makes no sense.
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

/// Free text for 24 hours after somebody wrote to us, and what WhatsApp has approved for any time.
const WHATSAPP_PARTS: [Part; 2] =
    [Part { file: "whatsapp.txt", required: true }, Part { file: APPROVED, required: false }];

/// The part that names one of WhatsApp's own templates. In a catalog it is what
/// [`crate::job::WhatsappTemplate::SEPARATOR`] says, and not the YAML it was written in.
pub const APPROVED: &str = "whatsapp.yaml";

impl Channel {
    /// Every channel there is.
    pub const ALL: [Channel; 6] =
        [Channel::Email, Channel::Push, Channel::Sms, Channel::Whatsapp, Channel::Socket, Channel::Webhook];

    /// The name as it is written in rules, keys and logs.
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

    /// What a template holds for this channel.
    #[must_use]
    pub fn parts(self) -> &'static [Part] {
        match self {
            Channel::Email => &EMAIL_PARTS,
            Channel::Push => &PUSH_PARTS,
            Channel::Sms => &SMS_PARTS,
            Channel::Whatsapp => &WHATSAPP_PARTS,
            Channel::Socket => &SOCKET_PARTS,
            // Systems read what the rule exposes; there are no words to choose.
            Channel::Webhook => &[],
        }
    }

    /// Whether a whole room can be reached by it, not only a person.
    #[must_use]
    pub fn reaches_rooms(self) -> bool {
        match self {
            Channel::Email | Channel::Push | Channel::Sms | Channel::Whatsapp | Channel::Webhook => false,
            Channel::Socket => true,
        }
    }

    /// Whether it leads to systems that have endpoints, and not to people.
    #[must_use]
    pub fn reaches_endpoints(self) -> bool {
        match self {
            Channel::Email | Channel::Push | Channel::Sms | Channel::Whatsapp | Channel::Socket => false,
            Channel::Webhook => true,
        }
    }

    /// What a crash between the provider's yes and our record of it means.
    #[must_use]
    pub fn on_unknown(self) -> OnUnknown {
        match self {
            Channel::Email | Channel::Sms | Channel::Whatsapp => OnUnknown::Hold,
            // Receivers deduplicate: a live message and a webhook by its id, a push note by its collapse key.
            Channel::Push | Channel::Socket | Channel::Webhook => OnUnknown::Resend,
        }
    }

    /// Whether it reaches into somebody's pocket: quiet hours and send windows hold it back. What is shown only to
    /// those who are looking is never held.
    #[must_use]
    pub fn disturbs(self) -> bool {
        match self {
            Channel::Email | Channel::Push | Channel::Sms | Channel::Whatsapp => true,
            Channel::Socket | Channel::Webhook => false,
        }
    }

    /// Whether its provider says later, in a receipt, what became of a message.
    #[must_use]
    pub fn has_receipts(self) -> bool {
        match self {
            Channel::Email | Channel::Sms | Channel::Whatsapp => true,
            Channel::Push | Channel::Socket | Channel::Webhook => false,
        }
    }

    /// Whether a message that no receipt ever came for says `unconfirmed` in the end: where the networks promise one. A
    /// mail server may keep silent for ever.
    #[must_use]
    pub fn confirms(self) -> bool {
        match self {
            Channel::Sms | Channel::Whatsapp => true,
            Channel::Email | Channel::Push | Channel::Socket | Channel::Webhook => false,
        }
    }

    /// For how many days an address is closed that bounced or complained; `None` where none ever is.
    ///
    /// Source: `semantics.md` 4.11: 90 days for e-mail, 15 days for WhatsApp.
    #[must_use]
    pub fn closed_for_days(self) -> Option<i64> {
        match self {
            Channel::Email => Some(90),
            Channel::Whatsapp => Some(15),
            Channel::Push | Channel::Sms | Channel::Socket | Channel::Webhook => None,
        }
    }

    /// Reads the name that [`Channel::name`] gives.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Channel> {
        Channel::ALL.into_iter().find(|it| it.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_written_in_rules_as_it_names_itself() {
        for channel in Channel::ALL {
            let read: Channel = serde_json::from_value(channel.name().into()).unwrap();
            assert_eq!(read, channel);
        }
    }
}
