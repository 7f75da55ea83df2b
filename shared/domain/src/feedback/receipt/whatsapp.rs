//! Receipts of AWS End User Messaging Social, for WhatsApp.
//!
//! The EventBridge page has no example of a failed or received message. WhatsApp's own notice is then in
//! `whatsAppWebhookEntry`, as the page on message formats shows. Both forms are read.
//!
//! Source: End User Messaging Social user guide, "Monitoring with Amazon EventBridge" (sent, delivered, read) and
//! "Message and event format".

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{Inbound, ProviderEvent, Receipt, StatusUpdate, detail, time};
use crate::base::outcome::Reason;
use crate::event::Refusal;
use crate::event::bus::BusEvent;
use crate::recipient::PhoneNumber;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail<'a> {
    #[serde(borrow)]
    message_id: Option<Cow<'a, str>>,
    /// Seconds since 1970, as text or as a number.
    event_timestamp: Option<Value>,
    /// WhatsApp's own notice, as JSON in a string.
    #[serde(borrow)]
    whats_app_webhook_entry: Option<Cow<'a, str>>,
    #[serde(default)]
    errors: Value,
    #[serde(default)]
    error_code: Value,
    #[serde(default)]
    from: Value,
}

/// The kind of event about a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sent,
    Delivered,
    Read,
    Failed,
    Received,
}

impl Kind {
    /// Reads a detail type. `None` if it is not about a message.
    ///
    /// Source: AWS End User Messaging Social user guide, EventBridge events of WhatsApp messages.
    fn of(detail_type: &str) -> Option<Kind> {
        match detail_type.strip_prefix("WhatsApp Message ")? {
            "Sent" => Some(Kind::Sent),
            "Delivered" => Some(Kind::Delivered),
            "Read" => Some(Kind::Read),
            "Failed" | "Undeliverable" => Some(Kind::Failed),
            "Received" => Some(Kind::Received),
            _ => None,
        }
    }
}

pub(super) fn read(event: &BusEvent<'_>) -> Result<ProviderEvent, Refusal> {
    let Some(kind) = Kind::of(&event.detail_type) else {
        return Ok(ProviderEvent::Nothing("not a WhatsApp message event"));
    };
    let detail: Detail<'_> = detail(event, "a WhatsApp message event")?;
    let entry: Value = detail
        .whats_app_webhook_entry
        .as_ref()
        .and_then(|whats_app_webhook_entry| serde_json::from_str(whats_app_webhook_entry).ok())
        .unwrap_or_default();
    let at = time(seconds(detail.event_timestamp.as_ref()), event)?;
    let news = match kind {
        Kind::Sent => StatusUpdate::Accepted,
        Kind::Delivered => StatusUpdate::Delivered,
        Kind::Read => StatusUpdate::Seen,
        Kind::Received => {
            let from = detail.from.as_str().or(in_entry(&entry, "messages")["from"].as_str());
            let from =
                from.and_then(|from| PhoneNumber::parse(&format!("+{}", from.trim_start_matches('+'))).ok());
            return Ok(match from {
                Some(from) => ProviderEvent::Inbound(Inbound { from, at }),
                None => ProviderEvent::Nothing("WhatsApp message without a sender"),
            });
        }
        Kind::Failed => failed(&detail, &entry),
    };
    let Some(provider_id) = detail.message_id else {
        return Err(Refusal::new("detail.messageId", "nothing", "the message id of the service"));
    };
    Ok(ProviderEvent::Receipt(Receipt { key: None, provider_id: Some(provider_id.into_owned()), news, at }))
}

/// The report of a failed message.
///
/// Source: WhatsApp Cloud API, error codes. 131026: the recipient cannot receive messages (no WhatsApp account, or
/// terms not accepted). 131050: the recipient stopped our marketing messages. 131047: outside the 24 hours. 132xxx:
/// an error of the template.
fn failed(detail: &Detail<'_>, entry: &Value) -> StatusUpdate {
    let codes =
        [&detail.errors[0]["code"], &detail.error_code, &in_entry(entry, "statuses")["errors"][0]["code"]];
    let code = codes.into_iter().find_map(|code| code.as_u64().or_else(|| code.as_str()?.parse().ok()));
    match code {
        Some(131_026) => StatusUpdate::Bounced,
        Some(131_050 | 130_497) => StatusUpdate::Undelivered(Reason::Blocked),
        Some(131_047 | 132_000..=132_999) => StatusUpdate::Undelivered(Reason::Rejected),
        Some(_) | None => StatusUpdate::Undelivered(Reason::Undeliverable),
    }
}

/// The first notice of this kind in WhatsApp's entry.
fn in_entry<'a>(entry: &'a Value, kind: &str) -> &'a Value {
    &entry["changes"][0]["value"][kind][0]
}

fn seconds(value: Option<&Value>) -> Option<Timestamp> {
    let seconds = value.and_then(|value| value.as_i64().or_else(|| value.as_str()?.parse().ok()))?;
    Timestamp::from_second(seconds).ok()
}
