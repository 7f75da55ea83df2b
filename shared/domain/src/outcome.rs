//! What came of a notification.

use std::error::Error;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Where a notification stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// A sender holds it for as long as its lease runs.
    Claimed,
    /// A sender gave it back untouched: the next one may claim it.
    Released,
    /// The provider accepted it.
    Sent,
    /// We decided not to send it. No provider was asked.
    Suppressed,
    /// The provider's or the tenant's own no.
    Failed,
    /// The provider was asked and did not answer, or the sender died before it could say.
    Unknown,
}

impl Status {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Status::Claimed => "claimed",
            Status::Released => "released",
            Status::Sent => "sent",
            Status::Suppressed => "suppressed",
            Status::Failed => "failed",
            Status::Unknown => "unknown",
        }
    }

    /// Reads the name that [`Status::name`] gives.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Status> {
        let all = [
            Status::Claimed,
            Status::Released,
            Status::Sent,
            Status::Suppressed,
            Status::Failed,
            Status::Unknown,
        ];
        all.into_iter().find(|it| it.name() == name)
    }

    /// Whether nothing more will happen to it by itself.
    #[must_use]
    pub fn is_final(self) -> bool {
        match self {
            Status::Claimed | Status::Released => false,
            Status::Sent | Status::Suppressed | Status::Failed | Status::Unknown => true,
        }
    }
}

/// Why a notification was not sent, for machines. [`Reason::meaning`] is for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    NoRule,
    NoRecipient,
    TooMany,
    UnknownRecipient,
    OtherTenant,
    NoAddress,
    InvalidAddress,
    NotConnected,
    Expired,
    Template,
    TooLarge,
    Rejected,
    OptedOut,
    DeadToken,
    NoAnswer,
}

impl Reason {
    /// Every reason there is.
    pub const ALL: [Reason; 15] = [
        Reason::NoRule,
        Reason::NoRecipient,
        Reason::TooMany,
        Reason::UnknownRecipient,
        Reason::OtherTenant,
        Reason::NoAddress,
        Reason::InvalidAddress,
        Reason::NotConnected,
        Reason::Expired,
        Reason::Template,
        Reason::TooLarge,
        Reason::Rejected,
        Reason::OptedOut,
        Reason::DeadToken,
        Reason::NoAnswer,
    ];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Reason::NoRule => "no_rule",
            Reason::NoRecipient => "no_recipient",
            Reason::TooMany => "too_many",
            Reason::UnknownRecipient => "unknown_recipient",
            Reason::OtherTenant => "other_tenant",
            Reason::NoAddress => "no_address",
            Reason::InvalidAddress => "invalid_address",
            Reason::NotConnected => "not_connected",
            Reason::Expired => "expired",
            Reason::Template => "template",
            Reason::TooLarge => "too_large",
            Reason::Rejected => "rejected",
            Reason::OptedOut => "opted_out",
            Reason::DeadToken => "dead_token",
            Reason::NoAnswer => "no_answer",
        }
    }

    /// What to tell a person who asks why.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Reason::NoRule => "no rule matches this event",
            Reason::NoRecipient => "the rule's path finds nobody in this event",
            Reason::TooMany => "the rule addresses more than 1,000 people in this event; send several events",
            Reason::UnknownRecipient => "nobody of this id is known; import the person first",
            Reason::OtherTenant => "the person does not belong to the event's tenant",
            Reason::NoAddress => "the person has no address for this channel",
            Reason::InvalidAddress => "the address on record is not an address",
            Reason::NotConnected => "nobody was connected",
            Reason::Expired => "it was too late to be of use",
            Reason::Template => "the template could not be rendered from this event",
            Reason::TooLarge => "the message is larger than the channel carries",
            Reason::Rejected => "the provider refused it",
            Reason::OptedOut => "the recipient asked the provider not to be written to any more",
            Reason::DeadToken => {
                "the device takes no notes any more: the app was removed, or notes were switched off"
            }
            Reason::NoAnswer => "the provider was asked and its answer never came",
        }
    }
}

/// What the provider made of a send that did not fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// The provider took it over and calls it by this id.
    Accepted { provider_id: String },
    /// There was nobody to hand it to: no socket is open.
    Nobody,
    /// The answer never came. The provider may have accepted.
    Unknown,
}

/// The error underneath, kept whole for the log.
pub type Source = Box<dyn Error + Send + Sync>;

/// Why a send did not happen, sorted by who acts on it.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Nobody acted on it: a refused connection, a 503. The queue shows the message again.
    #[error("transient failure")]
    Transient(#[source] Source),
    /// The provider asked us to slow down. The job comes back after `delay`.
    #[error("throttled for {} s", delay.as_secs())]
    Throttled { delay: Duration, source: Source },
    /// The provider's or the tenant's own no. The ledger keeps `reason`; the message is consumed.
    #[error("permanent failure: {}", reason.name())]
    Permanent { reason: Reason, source: Source },
    /// Too late to be of use. The ledger says suppressed(expired); no provider was asked.
    #[error("expired before it was sent")]
    Expired,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_stored_by_the_name_they_give_themselves() {
        for reason in Reason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.name());
        }
    }
}
