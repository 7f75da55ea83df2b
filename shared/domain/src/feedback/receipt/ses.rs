//! Receipts of Amazon SES.
//!
//! Source: SES developer guide, "Monitoring SES events using Amazon EventBridge" and "Contents of event data".

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{ProviderEvent, Receipt, StatusUpdate, detail, time};
use crate::base::outcome::Reason;
use crate::event::Refusal;
use crate::event::bus::BusEvent;
use crate::event::key::Key;

/// The message tag with the notification's key.
const KEY_TAG: &str = "carillon-key";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail<'a> {
    #[serde(borrow)]
    event_type: Cow<'a, str>,
    #[serde(borrow)]
    mail: Mail<'a>,
    #[serde(borrow)]
    bounce: Option<Bounce<'a>>,
    #[serde(borrow)]
    complaint: Option<Complaint<'a>>,
    delivery: Option<Timed>,
    open: Option<Map<String, Value>>,
    click: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mail<'a> {
    #[serde(borrow)]
    message_id: Option<Cow<'a, str>>,
    timestamp: Option<Timestamp>,
    #[serde(default)]
    tags: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bounce<'a> {
    #[serde(borrow)]
    bounce_type: Cow<'a, str>,
    timestamp: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Complaint<'a> {
    #[serde(borrow)]
    complaint_feedback_type: Option<Cow<'a, str>>,
    timestamp: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Timed {
    timestamp: Option<Timestamp>,
}

pub(super) fn read(event: &BusEvent<'_>) -> Result<ProviderEvent, Refusal> {
    if !event.detail_type.starts_with("Email ") {
        return Ok(ProviderEvent::Nothing("not an e-mail event"));
    }
    let message: Detail<'_> = detail(event, "an SES event with eventType and mail")?;
    let (news, at) = match message.event_type.as_ref() {
        "Send" => (StatusUpdate::Accepted, None),
        "Delivery" => (StatusUpdate::Delivered, message.delivery.and_then(|delivery| delivery.timestamp)),
        "Bounce" => {
            let wanted = "a bounce with bounceType";
            let bounce = message.bounce.ok_or_else(|| Refusal::new("detail.bounce", "nothing", wanted))?;
            let news = match bounce.bounce_type.as_ref() {
                "Permanent" => StatusUpdate::Bounced,
                // Transient and Undetermined: for example a full mailbox, or an answer that SES does not understand.
                _ => StatusUpdate::Undelivered(Reason::Undeliverable),
            };
            (news, bounce.timestamp)
        }
        "Complaint" => {
            let complaint = message.complaint.as_ref();
            // The recipient moved the message out of the spam folder.
            if complaint
                .is_some_and(|complaint| complaint.complaint_feedback_type.as_deref() == Some("not-spam"))
            {
                return Ok(ProviderEvent::Nothing("withdrawn complaint"));
            }
            (StatusUpdate::Complained, complaint.and_then(|complaint| complaint.timestamp))
        }
        "Reject" | "Rendering Failure" => (StatusUpdate::Undelivered(Reason::Rejected), None),
        "Open" | "Click" => match message.open.or(message.click) {
            Some(interaction) if is_by_machine(&interaction) => {
                return Ok(ProviderEvent::Nothing("opened by a machine"));
            }
            Some(interaction) => (
                StatusUpdate::Seen,
                interaction.get("timestamp").and_then(|time| time.as_str()?.parse().ok()),
            ),
            None => (StatusUpdate::Seen, None),
        },
        "DeliveryDelay" => return Ok(ProviderEvent::Nothing("delayed e-mail")),
        _ => return Ok(ProviderEvent::Nothing("e-mail event without a delivery state")),
    };
    let key = message.mail.tags.get(KEY_TAG).and_then(|tag| Key::parse(tag.first()?));
    let provider_id = message.mail.message_id.map(Cow::into_owned);
    if key.is_none() && provider_id.is_none() {
        return Err(Refusal::new("detail.mail", "neither our tag nor a message id", "at least one"));
    }
    let at = time(at.or(message.mail.timestamp.filter(|_| news == StatusUpdate::Accepted)), event)?;
    Ok(ProviderEvent::Receipt(Receipt { key, provider_id, news, at }))
}

/// Whether a scanner or a prefetching mail client caused an open or click event. SES reports this since August 2026.
/// The documentation did not name the member, so any member counts that is true and whose name refers to a machine.
///
/// Source: AWS What's New, 2026-08-07, "Amazon SES identifies automated email interactions".
fn is_by_machine(interaction: &Map<String, Value>) -> bool {
    interaction.iter().any(|(name, value)| {
        let name = name.to_ascii_lowercase();
        let is_about_machine =
            ["machine", "automated", "bot", "prefetch"].iter().any(|word| name.contains(word));
        is_about_machine && (value == &Value::Bool(true) || value == "true")
    })
}
