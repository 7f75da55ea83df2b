//! Amazon SES.
//!
//! Source: SES developer guide, "Monitoring SES events using Amazon EventBridge" and "Contents of event data".

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Heard, News, Receipt, detail, time};
use crate::bus::BusEvent;
use crate::event::Refusal;
use crate::key::Key;
use crate::outcome::Reason;

/// The tag that brings the notification's key back.
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

pub(super) fn read(event: &BusEvent<'_>) -> Result<Heard, Refusal> {
    if !event.detail_type.starts_with("Email ") {
        return Ok(Heard::Nothing("no event of a letter"));
    }
    let it: Detail<'_> = detail(event, "an event of SES with eventType and mail")?;
    let (news, at) = match it.event_type.as_ref() {
        "Send" => (News::Accepted, None),
        "Delivery" => (News::Delivered, it.delivery.and_then(|delivery| delivery.timestamp)),
        "Bounce" => {
            let wanted = "a bounce with its type";
            let bounce = it.bounce.ok_or_else(|| Refusal::new("detail.bounce", "nothing", wanted))?;
            let news = match bounce.bounce_type.as_ref() {
                "Permanent" => News::Bounced,
                // Transient, Undetermined: a mailbox that is full, an answer that SES does not understand.
                _ => News::Undelivered(Reason::Undeliverable),
            };
            (news, bounce.timestamp)
        }
        "Complaint" => {
            let complaint = it.complaint.as_ref();
            // The recipient took it out of the spam folder.
            if complaint
                .is_some_and(|complaint| complaint.complaint_feedback_type.as_deref() == Some("not-spam"))
            {
                return Ok(Heard::Nothing("the contrary of a complaint"));
            }
            (News::Complained, complaint.and_then(|complaint| complaint.timestamp))
        }
        "Reject" | "Rendering Failure" => (News::Undelivered(Reason::Rejected), None),
        "Open" | "Click" => match it.open.or(it.click) {
            Some(sight) if is_by_machine(&sight) => return Ok(Heard::Nothing("seen by a machine")),
            Some(sight) => (News::Seen, sight.get("timestamp").and_then(|it| it.as_str()?.parse().ok())),
            None => (News::Seen, None),
        },
        "DeliveryDelay" => return Ok(Heard::Nothing("a letter is delayed")),
        _ => return Ok(Heard::Nothing("an event of a letter that says nothing of its delivery")),
    };
    let key = it.mail.tags.get(KEY_TAG).and_then(|tag| Key::parse(tag.first()?));
    let provider_id = it.mail.message_id.map(Cow::into_owned);
    if key.is_none() && provider_id.is_none() {
        return Err(Refusal::new("detail.mail", "neither our tag nor a message id", "at least one"));
    }
    let at = time(at.or(it.mail.timestamp.filter(|_| news == News::Accepted)), event)?;
    Ok(Heard::Receipt(Receipt { key, provider_id, news, at }))
}

/// Since August 2026 SES says of an open or a click that a scanner or a prefetching mail client made it. The name of the
/// member is not in the pages that we could read, so any that is true and speaks of a machine counts.
///
/// Source: AWS What's New, 2026-08-07, "Amazon SES identifies automated email interactions".
fn is_by_machine(sight: &Map<String, Value>) -> bool {
    sight.iter().any(|(name, value)| {
        let name = name.to_ascii_lowercase();
        let speaks_of_it = ["machine", "automated", "bot", "prefetch"].iter().any(|it| name.contains(it));
        speaks_of_it && (value == &Value::Bool(true) || value == "true")
    })
}
