//! What came of a notification.

use serde::{Deserialize, Serialize};

mod failure;

pub use failure::{Failure, Sent, Source};

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
    /// It is gone on with later, under a key of its own.
    Deferred,
    /// The provider's or the tenant's own no.
    Failed,
    /// The provider was asked and did not answer, or the sender died before it could say.
    Unknown,
    /// The provider accepted it, and for as long as receipts take none came.
    Unconfirmed,
    /// The provider accepted it and could not hand it over.
    Undelivered,
    /// The provider accepted it, and there is nobody at the address.
    Bounced,
    /// It was handed to the recipient's mail server, or to their phone.
    Delivered,
}

impl Status {
    /// Every status there is.
    pub const ALL: [Status; 11] = [
        Status::Claimed,
        Status::Released,
        Status::Sent,
        Status::Suppressed,
        Status::Deferred,
        Status::Failed,
        Status::Unknown,
        Status::Unconfirmed,
        Status::Undelivered,
        Status::Bounced,
        Status::Delivered,
    ];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Status::Claimed => "claimed",
            Status::Released => "released",
            Status::Sent => "sent",
            Status::Suppressed => "suppressed",
            Status::Deferred => "deferred",
            Status::Failed => "failed",
            Status::Unknown => "unknown",
            Status::Unconfirmed => "unconfirmed",
            Status::Undelivered => "undelivered",
            Status::Bounced => "bounced",
            Status::Delivered => "delivered",
        }
    }

    /// Reads the name that [`Status::name`] gives.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Status> {
        Status::ALL.into_iter().find(|it| it.name() == name)
    }

    /// Whether nothing more will happen to it by itself.
    #[must_use]
    pub fn is_final(self) -> bool {
        match self {
            Status::Claimed | Status::Released => false,
            Status::Sent
            | Status::Suppressed
            | Status::Deferred
            | Status::Failed
            | Status::Unknown
            | Status::Unconfirmed
            | Status::Undelivered
            | Status::Bounced
            | Status::Delivered => true,
        }
    }

    /// Whether a provider took it over, as far as anybody knows.
    #[must_use]
    pub fn was_sent(self) -> bool {
        match self {
            Status::Sent
            | Status::Unconfirmed
            | Status::Undelivered
            | Status::Bounced
            | Status::Delivered => true,
            Status::Claimed
            | Status::Released
            | Status::Suppressed
            | Status::Deferred
            | Status::Failed
            | Status::Unknown => false,
        }
    }

    /// Whether the recipient was told, or may have been: then nothing takes the notification's place.
    #[must_use]
    pub fn may_have_reached(self) -> bool {
        match self {
            Status::Sent
            | Status::Unconfirmed
            | Status::Delivered
            | Status::Unknown
            | Status::Claimed
            | Status::Released => true,
            Status::Suppressed
            | Status::Deferred
            | Status::Failed
            | Status::Undelivered
            | Status::Bounced => false,
        }
    }
}

/// Why a notification was not sent, for machines. [`Reason::meaning`] is for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    NoRule,
    NoRecipient,
    NoKey,
    UnreadableTime,
    UnknownRecipient,
    OtherTenant,
    Actor,
    Excluded,
    UnreadableExclude,
    Replayed,
    Preference,
    SuppressedAddress,
    OptedOut,
    QuietHours,
    ExpiredInQuietHours,
    Wait,
    Recurs,
    Throttled,
    Capped,
    SpendCapped,
    CountryNotAllowed,
    OutsideWindow,
    Merged,
    Cancelled,
    Cancels,
    Seen,
    Acknowledged,
    RuleGone,
    RefusedByRule,
    UnknownTemplate,
    UnreadableContext,
    NoAddress,
    InvalidAddress,
    NotConnected,
    Expired,
    Template,
    TooLarge,
    NoAttachment,
    ForbiddenAttachment,
    Rejected,
    DeadToken,
    NoAnswer,
    NoReceipt,
    Undeliverable,
    Blocked,
    Bounced,
    RetriesExhausted,
    ProviderDown,
    EndpointDisabled,
    EndpointUnverified,
    EndpointPattern,
    EndpointVersion,
    EndpointGone,
    BlockedTarget,
    Aborted,
    Exhausted,
}

impl Reason {
    /// Every reason there is.
    pub const ALL: [Reason; 56] = [
        Reason::NoRule,
        Reason::NoRecipient,
        Reason::NoKey,
        Reason::UnreadableTime,
        Reason::UnknownRecipient,
        Reason::OtherTenant,
        Reason::Actor,
        Reason::Excluded,
        Reason::UnreadableExclude,
        Reason::Replayed,
        Reason::Preference,
        Reason::SuppressedAddress,
        Reason::OptedOut,
        Reason::QuietHours,
        Reason::ExpiredInQuietHours,
        Reason::Wait,
        Reason::Recurs,
        Reason::Throttled,
        Reason::Capped,
        Reason::SpendCapped,
        Reason::CountryNotAllowed,
        Reason::OutsideWindow,
        Reason::Merged,
        Reason::Cancelled,
        Reason::Cancels,
        Reason::Seen,
        Reason::Acknowledged,
        Reason::RuleGone,
        Reason::RefusedByRule,
        Reason::UnknownTemplate,
        Reason::UnreadableContext,
        Reason::NoAddress,
        Reason::InvalidAddress,
        Reason::NotConnected,
        Reason::Expired,
        Reason::Template,
        Reason::TooLarge,
        Reason::NoAttachment,
        Reason::ForbiddenAttachment,
        Reason::Rejected,
        Reason::DeadToken,
        Reason::NoAnswer,
        Reason::NoReceipt,
        Reason::Undeliverable,
        Reason::Blocked,
        Reason::Bounced,
        Reason::RetriesExhausted,
        Reason::ProviderDown,
        Reason::EndpointDisabled,
        Reason::EndpointUnverified,
        Reason::EndpointPattern,
        Reason::EndpointVersion,
        Reason::EndpointGone,
        Reason::BlockedTarget,
        Reason::Aborted,
        Reason::Exhausted,
    ];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Reason::NoRule => "no_rule",
            Reason::NoRecipient => "no_recipient",
            Reason::NoKey => "no_key",
            Reason::UnreadableTime => "unreadable_time",
            Reason::UnknownRecipient => "unknown_recipient",
            Reason::OtherTenant => "other_tenant",
            Reason::Actor => "actor",
            Reason::Excluded => "excluded",
            Reason::UnreadableExclude => "unreadable_exclude",
            Reason::Replayed => "replayed",
            Reason::Preference => "preference",
            Reason::SuppressedAddress => "suppressed_address",
            Reason::OptedOut => "opted_out",
            Reason::QuietHours => "quiet_hours",
            Reason::ExpiredInQuietHours => "expired_in_quiet_hours",
            Reason::Wait => "wait",
            Reason::Recurs => "recurs",
            Reason::Throttled => "throttled",
            Reason::Capped => "capped",
            Reason::SpendCapped => "spend_capped",
            Reason::CountryNotAllowed => "country_not_allowed",
            Reason::OutsideWindow => "outside_window",
            Reason::Merged => "merged",
            Reason::Cancelled => "cancelled",
            Reason::Cancels => "cancels",
            Reason::Seen => "seen",
            Reason::Acknowledged => "acknowledged",
            Reason::RuleGone => "rule_gone",
            Reason::RefusedByRule => "refused_by_rule",
            Reason::UnknownTemplate => "unknown_template",
            Reason::UnreadableContext => "unreadable_context",
            Reason::NoAddress => "no_address",
            Reason::InvalidAddress => "invalid_address",
            Reason::NotConnected => "not_connected",
            Reason::Expired => "expired",
            Reason::Template => "template",
            Reason::TooLarge => "too_large",
            Reason::NoAttachment => "no_attachment",
            Reason::ForbiddenAttachment => "forbidden_attachment",
            Reason::Rejected => "rejected",
            Reason::DeadToken => "dead_token",
            Reason::NoAnswer => "no_answer",
            Reason::NoReceipt => "no_receipt",
            Reason::Undeliverable => "undeliverable",
            Reason::Blocked => "blocked",
            Reason::Bounced => "bounced",
            Reason::RetriesExhausted => "retries_exhausted",
            Reason::ProviderDown => "provider_down",
            Reason::EndpointDisabled => "endpoint_disabled",
            Reason::EndpointUnverified => "endpoint_unverified",
            Reason::EndpointPattern => "endpoint_pattern",
            Reason::EndpointVersion => "endpoint_version",
            Reason::EndpointGone => "endpoint_gone",
            Reason::BlockedTarget => "blocked_target",
            Reason::Aborted => "aborted",
            Reason::Exhausted => "exhausted",
        }
    }

    /// What to tell a person who asks why.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Reason::NoRule => "no rule matches this event",
            Reason::NoRecipient => "the rule's path finds nobody in this event",
            Reason::NoKey => "the event has no value for the rule's `key`",
            Reason::UnreadableTime => "the event's value for a time of the rule is no time and no length",
            Reason::UnknownRecipient => "no recipient has this id; import the person first",
            Reason::OtherTenant => "the person does not belong to the event's tenant",
            Reason::Actor => "it is what they did themselves",
            Reason::Excluded => "the rule's `exclude` names this user",
            Reason::UnreadableExclude => {
                "the event's value for the rule's `exclude` names no users, so nobody gets it"
            }
            Reason::Replayed => "the event is replayed, and a broadcast without a record is not sent again",
            Reason::Preference => "the recipient, or who settles it for them, does not want it",
            Reason::SuppressedAddress => "the address is closed: it bounced, or its owner called us spam",
            Reason::OptedOut => "the recipient opted out of this channel",
            Reason::QuietHours => "the recipient is not to be disturbed at this time",
            Reason::ExpiredInQuietHours => "it would be too late when the recipient may be disturbed again",
            Reason::Wait => "the rule waits here",
            Reason::Recurs => "the rule comes round again",
            Reason::Throttled => "the rule told the recipient often enough",
            Reason::Capped => "the recipient, tenant or environment has had as many as the catalog allows",
            Reason::SpendCapped => "as much was spent on texts as the catalog allows",
            Reason::CountryNotAllowed => "the catalog lets no text go to this country",
            Reason::OutsideWindow => {
                "they have not written for 24 hours, and there is no approved WhatsApp template"
            }
            Reason::Merged => "it is told together with others",
            Reason::Cancelled => "a later event took it back",
            Reason::Cancels => "this event took back what was waiting",
            Reason::Seen => "what was sent before has been seen",
            Reason::Acknowledged => "what was sent before has been acknowledged",
            Reason::RuleGone => "the rule is not in the catalog any more",
            Reason::RefusedByRule => "a rule refuses events of this kind on this channel",
            Reason::UnknownTemplate => "the event names no template that the rule lists in `among`",
            Reason::UnreadableContext => "the event's value for the template's `context` is not an object",
            Reason::NoAddress => "the person has no address for this channel",
            Reason::InvalidAddress => "the address on record is not an address",
            Reason::NotConnected => "nobody was connected",
            Reason::Expired => "it was too late to be of use",
            Reason::Template => "the template could not be rendered from this event",
            Reason::TooLarge => "the message is larger than the channel carries",
            Reason::NoAttachment => "the event names no file to attach, or there is none under that name",
            Reason::ForbiddenAttachment => {
                "the file to attach lies where letters of its tenant may not take it from; see AttachmentBuckets and AttachmentPrefixes"
            }
            Reason::Rejected => "the provider refused it",
            Reason::DeadToken => {
                "the device takes no notes any more: the app was removed, or notes were switched off"
            }
            Reason::NoAnswer => "the provider was asked and its answer never came",
            Reason::NoReceipt => "no receipt came for as long as receipts take",
            Reason::Undeliverable => "the provider could not hand it over",
            Reason::Blocked => "the recipient, or who carries their messages, does not let it through",
            Reason::Bounced => "there is nobody at the address",
            Reason::RetriesExhausted => "it was tried as often as its channel allows, and never taken",
            Reason::ProviderDown => "its provider was not working, and it could not wait",
            Reason::EndpointDisabled => "the endpoint is switched off",
            Reason::EndpointUnverified => "the endpoint is not verified; POST /v1/endpoints/{id}/verify",
            Reason::EndpointPattern => "the endpoint does not want events of this kind",
            Reason::EndpointVersion => {
                "the event is younger than the version that the endpoint was written for"
            }
            Reason::EndpointGone => "the endpoint said that it is told no more: it is switched off",
            Reason::BlockedTarget => "blocked target: the endpoint's URL leads to where no webhook may go",
            Reason::Aborted => "the endpoint asked not to be told of this again",
            Reason::Exhausted => "every attempt of the schedule failed",
        }
    }
}

#[cfg(test)]
mod tests;
