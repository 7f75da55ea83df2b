//! The explanation of a decision: as JSON for programs, as a sentence for readers.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::base::money::Micros;
use crate::base::path::Path;
use crate::decide::continuation::FailoverOrigin;
use crate::recipient::preference::Because;

/// One finding of the evaluation.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// The vote of a preference layer. The last vote decided.
    Preference(Because),
    /// The time zone used for the recipient, and its source.
    Zone { name: String, from: &'static str },
    /// Quiet hours defer the notification until `until`. They end at `opens`; deferred notifications are spread over
    /// some minutes after that.
    QuietHours { whose: &'static str, until: Option<Timestamp>, opens: Option<Timestamp> },
    /// The rule is critical, so only suppression applies.
    Critical,
    /// This limit is reached until then.
    Full { limit: String, n: u64, most: u64, until: Timestamp },
    /// This limit was evaluated and is not reached.
    Passed { limit: String, most: u64 },
    /// The SMS policy allows no messages to this country: no prefix of the policy matches the number.
    Country,
    /// The SMS would exceed the remaining budget until then.
    Unaffordable {
        budget: String,
        price: Micros,
        spent: Micros,
        most: Micros,
        currency: String,
        until: Timestamp,
    },
    /// The price of the SMS and its number of segments.
    Price { price: Micros, segments: usize, currency: String },
    /// The recipient wrote to us, so WhatsApp accepts free text.
    FreeText { until: Timestamp },
    /// The recipient did not write to us, so WhatsApp accepts only this template.
    Approved { template: String },
    /// The recipient did not write to us within the window, and there is no approved template.
    OutsideWindow { heard: Option<Timestamp> },
    /// A notification of an earlier step was seen or acknowledged.
    Noticed { how: &'static str },
    /// An event of that time cancelled the notification.
    Cancelled { by_event_of: Timestamp },
    /// The event was collected and is sent with the digest when the window closes.
    Collected { closes_at: Timestamp },
    /// This channel replaces another channel of the step that failed.
    FailedOver(FailoverOrigin),
    /// The address or channel is suppressed, by the provider or the recipient.
    Closed { why: &'static str, until: Option<Timestamp> },
    /// The endpoint is disabled since then.
    Disabled { why: &'static str, at: Timestamp },
    /// The event itself is broadcast to open sockets.
    Broadcast { recorded: bool },
    /// The rule refuses the event, with the author's reason.
    Refused { why: String },
    /// This cap is reached until then, and a critical notification exceeds it.
    Exceeded { limit: String, n: u64, most: u64, until: Timestamp },
    /// A value of the event or recipient that cannot be used, and the consequence.
    Unusable { what: String, instead: &'static str },
}

impl Note {
    /// The event has no value for a key of the rule.
    pub(crate) fn missing(path: &Path, instead: &'static str) -> Note {
        Note::Unusable { what: format!("`{path}` of the event is missing or null"), instead }
    }
}

/// The sentence about a broadcast.
fn broadcast(recorded: bool) -> &'static str {
    match recorded {
        true => "a broadcast goes to open sockets only, without a template and without an inbox entry",
        false => "a broadcast goes to open sockets only, without a template, an inbox entry and a ledger row",
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::Preference(because) => because.fmt(f),
            Note::Zone { name, from } => write!(f, "the time zone is {name} (from {from})"),
            Note::QuietHours { whose, until: Some(until), opens } => {
                write!(f, "{whose} quiet hours defer it until {until:.0}")?;
                match opens.filter(|opens| opens < until) {
                    Some(opens) => write!(
                        f,
                        ": they end at {opens:.0}, and deferred notifications are spread over some minutes after that"
                    ),
                    None => Ok(()),
                }
            }
            Note::QuietHours { whose, until: None, .. } => write!(f, "{whose} quiet hours never end"),
            Note::Critical => {
                f.write_str("the rule is critical: preferences, quiet hours and limits do not apply")
            }
            Note::Full { limit, n, most, until } => {
                write!(
                    f,
                    "the limit `{limit}` is reached: {n} of {most} have passed, the next may pass at {until:.0}"
                )
            }
            Note::Passed { limit, most } => write!(f, "within the limit `{limit}` of {most}"),
            Note::Country => f.write_str("the SMS policy allows no messages to this country"),
            Note::Unaffordable { budget, price, spent, most, currency, until } => write!(
                f,
                "`{budget}` has {spent} of {most} {currency} spent, and the SMS costs {price}: the next may be sent at {until:.0}"
            ),
            Note::Price { price, segments: 1, currency } => write!(f, "the SMS costs {price} {currency}"),
            Note::Price { price, segments, currency } => {
                write!(f, "the SMS has {segments} segments and costs {price} {currency}")
            }
            Note::FreeText { until } => {
                write!(f, "the recipient wrote to us, so WhatsApp accepts free text until {until:.0}")
            }
            Note::Approved { template } => {
                write!(
                    f,
                    "the recipient has not written for 24 hours, so the approved template `{template}` is sent"
                )
            }
            Note::OutsideWindow { heard: Some(heard) } => {
                write!(
                    f,
                    "the recipient last wrote at {heard}, and there is no approved template for messages after 24 hours"
                )
            }
            Note::OutsideWindow { heard: None } => {
                f.write_str("the recipient has not written to us, and there is no approved template")
            }
            Note::Noticed { how } => write!(f, "an earlier notification was {how}"),
            Note::Cancelled { by_event_of } => write!(f, "an event of {by_event_of:.0} cancelled it"),
            Note::Collected { closes_at } => {
                write!(f, "collected into a digest that is sent at {closes_at:.0}")
            }
            Note::FailedOver(failed_over) => failed_over.fmt(f),
            Note::Closed { why, until: Some(until) } => {
                write!(f, "this channel is suppressed until {until:.0}: {why}")
            }
            Note::Closed { why, until: None } => write!(f, "this channel is suppressed permanently: {why}"),
            Note::Disabled { why, at } => write!(f, "the endpoint is disabled since {at:.0}: {why}"),
            Note::Broadcast { recorded } => f.write_str(broadcast(*recorded)),
            Note::Refused { why } => write!(f, "the rule refuses the event: {why}"),
            Note::Exceeded { limit, n, most, until } => write!(
                f,
                "the cap `{limit}` is reached until {until:.0}: {n} of {most} have passed; the critical notification is sent anyway and raises an alarm"
            ),
            Note::Unusable { what, instead } => write!(f, "{what}, so {instead}"),
        }
    }
}
