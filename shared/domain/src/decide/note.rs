//! What was weighed on the way to a decision: for machines as JSON, for people as a sentence.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::money::Micros;
use crate::path::Path;
use crate::preference::Because;
use crate::wake::InsteadOf;

/// One thing that was weighed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// A preference layer voted. The last of them is the one that decided.
    Preference(Because),
    /// The time where the recipient is, and who says that they are there.
    Zone { name: String, from: &'static str },
    /// The recipient may be disturbed again at `until`. The quiet hours end at `opens`; what they held is spread over some
    /// minutes after that.
    QuietHours { whose: &'static str, until: Option<Timestamp>, opens: Option<Timestamp> },
    /// The rule is critical: nothing but suppression holds it back.
    Critical,
    /// This limit is full until then.
    Full { limit: String, n: u64, most: u64, until: Timestamp },
    /// This limit was asked, and let it through.
    Passed { limit: String, most: u64 },
    /// No text goes to a number of this country: it begins with none of the policy's prefixes.
    Country,
    /// The text would cost more than is left of the budget until then.
    Unaffordable {
        budget: String,
        price: Micros,
        spent: Micros,
        most: Micros,
        currency: String,
        until: Timestamp,
    },
    /// What the text costs, and of how many messages it is.
    Price { price: Micros, segments: usize, currency: String },
    /// They wrote to us: WhatsApp takes free text for them.
    FreeText { until: Timestamp },
    /// They did not write to us: WhatsApp takes only this template.
    Approved { template: String },
    /// They did not write to us, at least not since then, and there is no template.
    OutsideWindow { heard: Option<Timestamp> },
    /// What earlier steps sent was seen, or acknowledged.
    Noticed { how: &'static str },
    /// An event of that time took it back.
    Cancelled { by_event_of: Timestamp },
    /// It was collected, and is told with the others when the window closes.
    Collected { closes_at: Timestamp },
    /// Another channel of the step failed, and this one takes its place.
    FailedOver(InsteadOf),
    /// The provider, or the recipient, closed this channel.
    Closed { why: &'static str, until: Option<Timestamp> },
    /// The endpoint is switched off since then.
    Disabled { why: &'static str, at: Timestamp },
    /// The event itself goes to open sockets.
    Broadcast { recorded: bool },
    /// The rule refuses the event, in the words of its author.
    Refused { why: String },
    /// This cap is full until then, and an emergency passes it.
    Exceeded { limit: String, n: u64, most: u64, until: Timestamp },
    /// A value of the event or of the recipient that could not be used, and what was done instead.
    Unusable { what: String, instead: &'static str },
}

impl Note {
    /// The event has no value for a key of the rule.
    pub(crate) fn missing(path: &Path, instead: &'static str) -> Note {
        Note::Unusable { what: format!("`{path}` of the event is missing or null"), instead }
    }
}

/// How a broadcast is told.
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
            Note::Zone { name, from } => write!(f, "local time is that of {name} (by {from})"),
            Note::QuietHours { whose, until: Some(until), opens } => {
                write!(f, "{whose} quiet hours hold it back until {until:.0}")?;
                match opens.filter(|opens| opens < until) {
                    Some(opens) => write!(
                        f,
                        ": they end at {opens:.0}, and what they held is spread over some minutes after that"
                    ),
                    None => Ok(()),
                }
            }
            Note::QuietHours { whose, until: None, .. } => write!(f, "{whose} quiet hours never end"),
            Note::Critical => {
                f.write_str("the rule is critical: no preference, quiet hour or limit holds it back")
            }
            Note::Full { limit, n, most, until } => {
                write!(
                    f,
                    "the limit `{limit}` is full: {n} of {most} have passed, the next may at {until:.0}"
                )
            }
            Note::Passed { limit, most } => write!(f, "the limit `{limit}` of {most} let it through"),
            Note::Country => f.write_str("the policy lets no text go to this country"),
            Note::Unaffordable { budget, price, spent, most, currency, until } => write!(
                f,
                "`{budget}` has {spent} of {most} {currency} spent, and the text costs {price}: more may be spent at {until:.0}"
            ),
            Note::Price { price, segments: 1, currency } => write!(f, "the text costs {price} {currency}"),
            Note::Price { price, segments, currency } => {
                write!(f, "the text is {segments} messages and costs {price} {currency}")
            }
            Note::FreeText { until } => {
                write!(f, "they wrote to us, so WhatsApp takes free text until {until:.0}")
            }
            Note::Approved { template } => {
                write!(f, "they have not written for 24 hours, so the approved template `{template}` is sent")
            }
            Note::OutsideWindow { heard: Some(heard) } => {
                write!(
                    f,
                    "they last wrote at {heard}, and there is no approved template for later than 24 hours"
                )
            }
            Note::OutsideWindow { heard: None } => {
                f.write_str("they have not written to us, and there is no approved template")
            }
            Note::Noticed { how } => write!(f, "what was sent before has been {how}"),
            Note::Cancelled { by_event_of } => write!(f, "an event of {by_event_of:.0} took it back"),
            Note::Collected { closes_at } => {
                write!(f, "it is collected and told with the others at {closes_at:.0}")
            }
            Note::FailedOver(failed_over) => failed_over.fmt(f),
            Note::Closed { why, until: Some(until) } => {
                write!(f, "this channel is closed until {until:.0}: {why}")
            }
            Note::Closed { why, until: None } => write!(f, "this channel is closed for good: {why}"),
            Note::Disabled { why, at } => write!(f, "the endpoint is switched off since {at:.0}: {why}"),
            Note::Broadcast { recorded } => f.write_str(broadcast(*recorded)),
            Note::Refused { why } => write!(f, "the rule refuses it: {why}"),
            Note::Exceeded { limit, n, most, until } => write!(
                f,
                "the cap `{limit}` is full until {until:.0}: {n} of {most} have passed; an emergency is sent all the same and raises an alarm"
            ),
            Note::Unusable { what, instead } => write!(f, "{what}, so {instead}"),
        }
    }
}
