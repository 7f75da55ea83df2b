//! The attempt log of each endpoint, for finding out why a message did not arrive.

use aws::CallError;
use domain::Timestamp;
use domain::base::sensitive::{self, Sensitive};
use domain::event::key::Key;
use domain::webhook::endpoint::EndpointId;
use jiff::SignedDuration;
use serde::Serialize;

use super::Endpoints;
use crate::item::{Item, sort_key};
use crate::lookup::{self, Order};
use crate::writes;

/// The retention of attempts.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// One request to an endpoint and its response.
#[derive(Clone, PartialEq, Serialize)]
pub struct Attempt {
    #[serde(skip)]
    pub to: EndpointId,
    pub at: Timestamp,
    /// The message id that the receiver sees.
    pub message: Key,
    pub event_id: String,
    pub event_type: String,
    /// Counted from 1.
    pub attempt: u32,
    /// Whether the attempt was requested manually.
    pub by_hand: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    pub took_ms: u64,
    /// The reason for a missing or failed response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The response body. A long body is cut with a note.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "sensitive::stored")]
    pub response: Option<Sensitive<String>>,
    /// The target of a redirect, which is not followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The time of the next attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
}

/// A page of attempts, newest first.
pub struct AttemptPage {
    pub attempts: Vec<Attempt>,
    /// The position of the next page. `None` on the last page.
    pub next: Option<String>,
}

impl Endpoints {
    /// Records attempts, 25 per call.
    ///
    /// # Errors
    /// Some attempts were not recorded.
    pub async fn keep(&self, attempts: &[Attempt]) -> Result<(), CallError> {
        let writes = attempts.iter().map(|attempt| writes::put(item(attempt))).collect();
        writes::write(&self.client, &self.table, "record attempts", writes).await
    }

    /// The latest attempts to an endpoint, newest first.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn attempts(&self, id: &EndpointId, most: u32) -> Result<Vec<Attempt>, CallError> {
        Ok(self.attempts_page(id, None, most).await?.attempts)
    }

    /// The attempts before the position that the previous page returned.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn attempts_page(
        &self,
        id: &EndpointId,
        before: Option<&str>,
        most: u32,
    ) -> Result<AttemptPage, CallError> {
        let pk = partition(id);
        let (doing, from) = ("read attempts", (pk.as_str(), before));
        let found = lookup::stretch(&self.client, &self.table, doing, from, most, Order::Backward).await?;
        let (items, next) = found;
        Ok(AttemptPage { attempts: items.iter().filter_map(|item| read(id, item)).collect(), next })
    }
}

pub(super) fn partition(id: &EndpointId) -> String {
    sort_key(&["attempts", id.tenant.as_deref().unwrap_or(super::NO_TENANT), &id.id])
}

fn item(attempt: &Attempt) -> Item {
    // Always three digits of milliseconds, so that text sorts like time.
    let time = attempt.at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
    Item::default()
        .text("pk", partition(&attempt.to))
        .text("sk", format!("{time}#{}#{}", attempt.message.as_str(), attempt.attempt))
        .text("at", attempt.at.to_string())
        .text("message", attempt.message.as_str())
        .text("event_id", &attempt.event_id)
        .text("event_type", &attempt.event_type)
        .number("attempt", i64::from(attempt.attempt))
        .number("by_hand", i64::from(attempt.by_hand))
        .number("took_ms", i64::try_from(attempt.took_ms).unwrap_or(i64::MAX))
        .maybe("status_code", attempt.status.map(|status| status.to_string()).as_deref())
        .maybe("error", attempt.error.as_deref())
        .maybe("response", attempt.response.as_ref().map(|body| body.expose().as_str()))
        .maybe("location", attempt.location.as_deref())
        .maybe("next_at", attempt.next_at.map(|next_at| next_at.to_string()).as_deref())
        .number("ttl", crate::seconds(attempt.at) + KEPT.as_secs())
}

fn read(to: &EndpointId, item: &Item) -> Option<Attempt> {
    let owned = |name: &str| item.get(name).map(str::to_owned);
    Some(Attempt {
        to: to.clone(),
        at: item.get("at")?.parse().ok()?,
        message: Key::from(owned("message")?),
        event_id: owned("event_id")?,
        event_type: owned("event_type")?,
        attempt: item.get_number("attempt").and_then(|number| u32::try_from(number).ok())?,
        by_hand: item.get_number("by_hand") == Some(1),
        status: item.get("status_code").and_then(|text| text.parse().ok()),
        took_ms: item.get_number("took_ms").and_then(|number| u64::try_from(number).ok()).unwrap_or(0),
        error: owned("error"),
        response: owned("response").map(Sensitive::new),
        location: owned("location"),
        next_at: item.get("next_at").and_then(|text| text.parse().ok()),
    })
}
