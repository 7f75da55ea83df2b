//! The statuses of each reason, and the action that it asks for. `docs/reference/reasons.md` prints both.

use super::{Reason, Status};

impl Reason {
    /// The statuses that a notification with this reason can have.
    #[must_use]
    pub fn statuses(self) -> &'static [Status] {
        match self {
            Reason::Wait | Reason::Recurs => &[Status::Deferred],
            Reason::QuietHours => &[Status::Deferred, Status::Suppressed],
            Reason::OptedOut
            | Reason::InvalidAddress
            | Reason::EndpointDisabled
            | Reason::EndpointUnverified => &[Status::Suppressed, Status::Failed],
            Reason::Expired => &[Status::Suppressed, Status::Undelivered],
            Reason::NoAnswer => &[Status::Unknown],
            Reason::NoReceipt => &[Status::Unconfirmed],
            Reason::Undeliverable | Reason::Blocked => &[Status::Undelivered],
            Reason::Bounced => &[Status::Bounced],
            Reason::Rejected => &[Status::Failed, Status::Undelivered],
            Reason::Template
            | Reason::TooLarge
            | Reason::NoAttachment
            | Reason::ForbiddenAttachment
            | Reason::DeadToken
            | Reason::RetriesExhausted
            | Reason::ProviderDown
            | Reason::EndpointGone
            | Reason::BlockedTarget
            | Reason::Aborted
            | Reason::Exhausted => &[Status::Failed],
            Reason::NoRule
            | Reason::NoRecipient
            | Reason::NoKey
            | Reason::UnreadableTime
            | Reason::UnknownRecipient
            | Reason::OtherTenant
            | Reason::Actor
            | Reason::Excluded
            | Reason::UnreadableExclude
            | Reason::Replayed
            | Reason::Preference
            | Reason::SuppressedAddress
            | Reason::ExpiredInQuietHours
            | Reason::Throttled
            | Reason::Capped
            | Reason::SpendCapped
            | Reason::CountryNotAllowed
            | Reason::OutsideWindow
            | Reason::Merged
            | Reason::Cancelled
            | Reason::Cancels
            | Reason::Seen
            | Reason::Acknowledged
            | Reason::RuleGone
            | Reason::RefusedByRule
            | Reason::UnknownTemplate
            | Reason::UnreadableContext
            | Reason::NoAddress
            | Reason::NotConnected
            | Reason::EndpointPattern
            | Reason::EndpointVersion => &[Status::Suppressed],
        }
    }

    /// The next action of an operator, author or producer, in Markdown.
    #[must_use]
    pub fn action(self) -> &'static str {
        match self {
            Reason::Actor
            | Reason::Excluded
            | Reason::Preference
            | Reason::QuietHours
            | Reason::Wait
            | Reason::Recurs
            | Reason::Merged
            | Reason::Cancelled
            | Reason::Cancels
            | Reason::Seen
            | Reason::Acknowledged
            | Reason::RefusedByRule
            | Reason::EndpointPattern
            | Reason::Aborted => "none, as intended",
            Reason::NoRule => "write a rule for the type; `carillon match` tests a pattern",
            Reason::NoRecipient => "correct the path in `to`, or the event's data",
            Reason::NoKey => "correct the path in `key`, or the event's data",
            Reason::UnreadableTime => "let the producer send a time such as `2026-11-20T12:00:00Z`",
            Reason::UnknownRecipient => "import the person, and replay the event",
            Reason::OtherTenant => "correct the event's tenant, or the person's tenants",
            Reason::UnreadableExclude => "let the producer send a list of user ids",
            Reason::Replayed => "publish a new event if the clients need it",
            Reason::SuppressedAddress => "correct the address, and import `suppressed` without it",
            Reason::OptedOut => "let the recipient opt in again, and import `suppressed`",
            Reason::ExpiredInQuietHours => "raise `expires`, or make the rule critical",
            Reason::Throttled => "raise `throttle` of the rule if it is too strict",
            Reason::Capped => "raise the cap in `policy.yaml` if it is too strict",
            Reason::SpendCapped => "raise `spend`, or find the rule that sends so many SMS",
            Reason::CountryNotAllowed => "add the country to `sms.countries` in `policy.yaml`",
            Reason::OutsideWindow => "give the rule an approved WhatsApp template",
            Reason::RuleGone => "put the rule back; `carillon check --against` warns before",
            Reason::UnknownTemplate => "add the template to `among`, or correct the event",
            Reason::UnreadableContext => "correct the path in `context`, or the event's data",
            Reason::NoAddress => "add the address, or a fallback channel to the rule",
            Reason::InvalidAddress => "correct the address of the person",
            Reason::NotConnected => "remove `ephemeral`, or add a channel, if it must arrive",
            Reason::Expired => "raise `expires`, or look for the delay with `carillon dlq ls`",
            Reason::Template => "read the log of dispatch, which names file and line",
            Reason::TooLarge => "shorten the template, or the values of the event",
            Reason::NoAttachment => "upload the file before the event, and name it",
            Reason::ForbiddenAttachment => "move the file, or extend `AttachmentPrefixes`",
            Reason::Rejected => "read the provider's answer in the channel's log",
            Reason::DeadToken => "none; the next start of the app registers a new token",
            Reason::NoAnswer => "look at the provider's console; `carillon replay --force`",
            Reason::NoReceipt => "check the receipt settings of the channel",
            Reason::Undeliverable => "correct the address, or add a fallback channel",
            Reason::Blocked => "use another channel until the block is removed",
            Reason::Bounced => "correct the address; the channel is suppressed until then",
            Reason::RetriesExhausted => "read the channel's log, mend the cause, replay the event",
            Reason::ProviderDown => "none; the fallback channel takes over",
            Reason::EndpointDisabled => "`carillon endpoints enable`, then `recover`",
            Reason::EndpointUnverified => "let the owner answer `carillon endpoints verify`",
            Reason::EndpointVersion => "raise `version` of the endpoint when its owner can read it",
            Reason::EndpointGone => "ask the owner, then `carillon endpoints enable`",
            Reason::BlockedTarget => "use a public https URL, or extend `WebhookAllow`",
            Reason::Exhausted => "let the owner repair the endpoint, then `recover`",
        }
    }
}
