//! The outcome of a notification.

use serde::{Deserialize, Serialize};

mod failure;
mod guide;

pub use failure::{Failure, Sent, Source};

/// The state of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// A delivery worker holds the claim until its lease expires.
    Claimed,
    /// A delivery worker released the claim without a send. The next worker may claim it.
    Released,
    /// The provider accepted the message.
    Sent,
    /// We decided not to send. No provider was called.
    Suppressed,
    /// The run continues later, under a key of its own.
    Deferred,
    /// The provider or the tenant refused the message for good.
    Failed,
    /// The provider was called but did not answer, or the worker crashed before it recorded the result.
    Unknown,
    /// The provider accepted the message, but no receipt arrived within the receipt window.
    Unconfirmed,
    /// The provider accepted the message but could not deliver it.
    Undelivered,
    /// The provider accepted the message, but the address does not exist.
    Bounced,
    /// The recipient's mail server or phone has received the message.
    Delivered,
}

impl Status {
    /// All statuses.
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

    /// The status with this name, the inverse of [`Status::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Status> {
        Status::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether the status changes only by receipts or requests, and not by further processing.
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

    /// Whether a provider is known to have accepted the message.
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

    /// Whether the recipient received or may have received the message. If so, no fallback is sent.
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

/// The reason why a notification was not sent, as a machine-readable word. [`Reason::meaning`] explains it to people.
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
    /// All reasons.
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

    /// The explanation for people: a clause that can follow "because".
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Reason::NoRule => "no rule matches this event",
            Reason::NoRecipient => "the rule's path finds no recipient in this event",
            Reason::NoKey => "the event has no value for the rule's `key`",
            Reason::UnreadableTime => "the event's value for a rule's time is neither a time nor a duration",
            Reason::UnknownRecipient => "no recipient has this id; import the recipient first",
            Reason::OtherTenant => "the recipient does not belong to the event's tenant",
            Reason::Actor => "the recipient caused the event",
            Reason::Excluded => "the rule's `exclude` names this user",
            Reason::UnreadableExclude => {
                "the event's value for the rule's `exclude` names no users, so the broadcast is not sent"
            }
            Reason::Replayed => "the event is a replay, and a broadcast without a record is not sent again",
            Reason::Preference => "the preferences of the recipient, or those set for them, turn it off",
            Reason::SuppressedAddress => "the address is suppressed after a bounce or a spam complaint",
            Reason::OptedOut => "the recipient opted out of this channel",
            Reason::QuietHours => "the recipient has quiet hours at this time",
            Reason::ExpiredInQuietHours => "the notification would expire before the quiet hours end",
            Reason::Wait => "the rule waits here",
            Reason::Recurs => "the rule repeats the notification later",
            Reason::Throttled => "the rule's throttle has reached its limit for the recipient",
            Reason::Capped => "a cap for the recipient, tenant or environment is reached",
            Reason::SpendCapped => "the catalog's spending limit for SMS is reached",
            Reason::CountryNotAllowed => "the catalog does not allow SMS to this country",
            Reason::OutsideWindow => {
                "the recipient has not written for 24 hours, and there is no approved WhatsApp template"
            }
            Reason::Merged => "the event was merged into a digest",
            Reason::Cancelled => "a later event cancelled the notification",
            Reason::Cancels => "this event cancelled pending notifications",
            Reason::Seen => "the recipient has seen the earlier notification",
            Reason::Acknowledged => "the recipient has acknowledged the earlier notification",
            Reason::RuleGone => "the rule is no longer in the catalog",
            Reason::RefusedByRule => "a rule refuses events of this kind on this channel",
            Reason::UnknownTemplate => "the event names no template that the rule lists in `among`",
            Reason::UnreadableContext => "the event's value for the template's `context` is not an object",
            Reason::NoAddress => "the recipient has no address for this channel",
            Reason::InvalidAddress => "the stored address is not a valid address",
            Reason::NotConnected => "no client was connected",
            Reason::Expired => "the notification expired before it was sent",
            Reason::Template => "the template could not be rendered from this event",
            Reason::TooLarge => "the message exceeds the channel's size limit",
            Reason::NoAttachment => "the event names no file to attach, or the file does not exist",
            Reason::ForbiddenAttachment => {
                "the tenant's e-mails may not attach files from this bucket or prefix; see AttachmentBuckets and AttachmentPrefixes"
            }
            Reason::Rejected => "the provider refused the message",
            Reason::DeadToken => {
                "the device token is invalid: the app was removed, or notifications were turned off"
            }
            Reason::NoAnswer => "the provider was called and did not answer",
            Reason::NoReceipt => "no receipt arrived within the receipt window",
            Reason::Undeliverable => "the provider could not deliver the message",
            Reason::Blocked => "the recipient or their carrier blocks the message",
            Reason::Bounced => "the address does not exist",
            Reason::RetriesExhausted => "the channel's retries are exhausted",
            Reason::ProviderDown => "the provider was unavailable, and the notification could not wait",
            Reason::EndpointDisabled => "the endpoint is disabled",
            Reason::EndpointUnverified => {
                "the endpoint's owner has not proved control of it; POST /v1/endpoints/{id}/verify"
            }
            Reason::EndpointPattern => "the endpoint's pattern does not match the event",
            Reason::EndpointVersion => "the event's type is newer than the version of the endpoint",
            Reason::EndpointGone => "the endpoint asked for no more messages and was disabled",
            Reason::BlockedTarget => "blocked target: webhooks may not call the address of the endpoint",
            Reason::Aborted => "the endpoint asked for no retry of this message",
            Reason::Exhausted => "all attempts of the retry schedule failed",
        }
    }
}

#[cfg(test)]
mod tests;
