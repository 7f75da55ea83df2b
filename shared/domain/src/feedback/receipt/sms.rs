//! Receipts of AWS End User Messaging SMS.
//!
//! The examples in the guide have no `context`, but events of a configuration set do. The notification is therefore
//! found by either the context or the message id.
//!
//! Source: End User Messaging SMS user guide, "Monitoring with EventBridge" and "Event types for SMS, MMS, and
//! voice".

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::{ProviderEvent, Receipt, StatusUpdate, detail, time};
use crate::base::outcome::Reason;
use crate::event::Refusal;
use crate::event::bus::BusEvent;
use crate::event::key::Key;

const KEY: &str = "carillon-key";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail<'a> {
    #[serde(borrow)]
    event_type: Cow<'a, str>,
    #[serde(borrow)]
    message_id: Cow<'a, str>,
    event_timestamp: Option<i64>,
    #[serde(default)]
    is_final: bool,
    #[serde(default)]
    context: Option<BTreeMap<String, String>>,
}

pub(super) fn read(event: &BusEvent<'_>) -> Result<ProviderEvent, Refusal> {
    if event.detail_type != "Text Message Delivery Status Updated" {
        return Ok(ProviderEvent::Nothing("not an SMS event"));
    }
    let detail: Detail<'_> = detail(event, "an SMS event with eventType and messageId")?;
    let news = match detail.event_type.as_ref() {
        "TEXT_DELIVERED" => StatusUpdate::Delivered,
        // In some countries the carrier's acceptance is the last report.
        "TEXT_SUCCESSFUL" if detail.is_final => StatusUpdate::Delivered,
        "TEXT_SUCCESSFUL" | "TEXT_SENT" | "TEXT_QUEUED" | "TEXT_PENDING" => StatusUpdate::Accepted,
        "TEXT_INVALID" => StatusUpdate::Bounced,
        "TEXT_BLOCKED" | "TEXT_SPAM" | "TEXT_CARRIER_BLOCKED" | "TEXT_PROTECT_BLOCKED" => {
            StatusUpdate::Undelivered(Reason::Blocked)
        }
        "TEXT_INVALID_MESSAGE" => StatusUpdate::Undelivered(Reason::Rejected),
        "TEXT_TTL_EXPIRED" => StatusUpdate::Undelivered(Reason::Expired),
        "TEXT_UNREACHABLE" | "TEXT_CARRIER_UNREACHABLE" => StatusUpdate::Undelivered(Reason::Undeliverable),
        "TEXT_UNKNOWN" => StatusUpdate::Unconfirmed,
        _ => return Ok(ProviderEvent::Nothing("SMS event without a delivery state")),
    };
    let key = detail.context.as_ref().and_then(|context| Key::parse(context.get(KEY)?));
    let at = time(
        detail.event_timestamp.and_then(|event_timestamp| Timestamp::from_millisecond(event_timestamp).ok()),
        event,
    )?;
    Ok(ProviderEvent::Receipt(Receipt { key, provider_id: Some(detail.message_id.into_owned()), news, at }))
}
