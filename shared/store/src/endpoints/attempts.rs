//! What each endpoint answered, for whoever wonders why a message did not arrive.

use aws::Refused;
use domain::Timestamp;
use domain::endpoint::EndpointId;
use domain::key::Key;
use jiff::SignedDuration;
use serde::Serialize;

use super::Endpoints;
use crate::item::{Item, sort_key};
use crate::lookup::{self, Order};
use crate::writes;

/// How long attempts are kept.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// One request to an endpoint, and what came back. No `Debug`: a response may hold anything.
#[derive(Clone, PartialEq, Serialize)]
pub struct Attempt {
    #[serde(skip)]
    pub to: EndpointId,
    pub at: Timestamp,
    /// What the receiver knows the message by.
    pub message: Key,
    pub event_id: String,
    pub event_type: String,
    /// Counted from 1.
    pub attempt: u32,
    /// Whether somebody asked for it.
    pub by_hand: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    pub took_ms: u64,
    /// Why there was no answer, or none that counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The answer's body; what is long is left out and says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<String>,
    /// Where a redirect leads, which is not followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// When it is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
}

/// Some attempts, the newest first.
pub struct AttemptPage {
    pub attempts: Vec<Attempt>,
    /// Where the next page begins. None: there are no more.
    pub next: Option<String>,
}

impl Endpoints {
    /// Keeps attempts, 25 to a call.
    ///
    /// # Errors
    /// Some are not kept.
    pub async fn keep(&self, attempts: &[Attempt]) -> Result<(), Refused> {
        let writes = attempts.iter().map(|attempt| writes::put(item(attempt))).collect();
        writes::write(&self.client, &self.table, "keep attempts", writes).await
    }

    /// The latest attempts to an endpoint, the newest first.
    ///
    /// # Errors
    /// The table could not be asked.
    pub async fn attempts(&self, id: &EndpointId, most: u32) -> Result<Vec<Attempt>, Refused> {
        Ok(self.attempts_page(id, None, most).await?.attempts)
    }

    /// The same, page by page: those before the place that the page before gave.
    ///
    /// # Errors
    /// The table could not be asked.
    pub async fn attempts_page(
        &self,
        id: &EndpointId,
        before: Option<&str>,
        most: u32,
    ) -> Result<AttemptPage, Refused> {
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

fn item(it: &Attempt) -> Item {
    // Milliseconds always with three digits, so that their order is that of time.
    let at = it.at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
    Item::default()
        .text("pk", partition(&it.to))
        .text("sk", format!("{at}#{}#{}", it.message.as_str(), it.attempt))
        .text("at", it.at.to_string())
        .text("message", it.message.as_str())
        .text("event_id", &it.event_id)
        .text("event_type", &it.event_type)
        .number("attempt", i64::from(it.attempt))
        .number("by_hand", i64::from(it.by_hand))
        .number("took_ms", i64::try_from(it.took_ms).unwrap_or(i64::MAX))
        .maybe("status_code", it.status.map(|status| status.to_string()).as_deref())
        .maybe("error", it.error.as_deref())
        .maybe("response", it.response.as_deref())
        .maybe("location", it.location.as_deref())
        .maybe("next_at", it.next_at.map(|next_at| next_at.to_string()).as_deref())
        .number("ttl", crate::seconds(it.at) + KEPT.as_secs())
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
        status: item.get("status_code").and_then(|it| it.parse().ok()),
        took_ms: item.get_number("took_ms").and_then(|number| u64::try_from(number).ok()).unwrap_or(0),
        error: owned("error"),
        response: owned("response"),
        location: owned("location"),
        next_at: item.get("next_at").and_then(|it| it.parse().ok()),
    })
}
