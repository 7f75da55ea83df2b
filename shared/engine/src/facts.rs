//! The facts that the loop looks up.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use domain::Timestamp;
use domain::decide::{Answer, Ask};
use domain::event::Event;
use domain::limits::cancel::CancelKey;
use domain::limits::digest::Item;
use domain::recipient::{Group, Recipients, Settings};
use domain::webhook::endpoint::{Endpoint, EndpointId};

/// A source of facts. Dispatch reads DynamoDB, previews and decision tests read [`crate::Fixtures`], the simulation
/// reads its own tables in memory.
pub trait Facts {
    /// The error of a failed look-up. A failed look-up can be repeated without counting twice.
    type Error;

    /// Returns at most `most` members of a group, in the order of their ids, after the one with the id `after`.
    fn members(
        &self,
        group: &Group,
        after: Option<&str>,
        most: usize,
    ) -> impl Future<Output = Result<Members, Self::Error>>;

    /// Returns the endpoints with these ids. Unknown ids are left out.
    fn endpoints(&self, ids: &[EndpointId]) -> impl Future<Output = Result<Vec<Endpoint>, Self::Error>>;

    /// Returns the profiles of people and the settings of tenants. Unknown ids are left out.
    fn profiles(
        &self,
        people: &BTreeSet<&str>,
        tenants: &BTreeSet<&str>,
    ) -> impl Future<Output = Result<Profiles<'_>, Self::Error>>;

    /// Answers a question of a decision or of a render check. Limits and digest windows are updated by the answer, once
    /// for each key.
    fn answer(&self, ask: &Ask, now: Timestamp) -> impl Future<Output = Result<Answer, Self::Error>>;

    /// Reports whether a page of a large audience was handled before.
    fn is_page_done(&self, page: &str) -> impl Future<Output = Result<bool, Self::Error>>;

    /// Closes the digest window `window_id` of the key `window`, if it is due.
    fn close_window(
        &self,
        window: &str,
        window_id: &str,
        now: Timestamp,
    ) -> impl Future<Output = Result<ClosedWindow, Self::Error>>;
}

/// One page of a group.
pub struct Members {
    pub ids: Vec<String>,
    /// The id that the next page follows; `None` on the last page.
    pub next: Option<String>,
}

/// The profiles and settings that a batch needs.
pub struct Profiles<'f> {
    pub recipients: Cow<'f, Recipients>,
    pub tenants: Tenants<'f>,
}

/// Settings of tenants.
pub enum Tenants<'f> {
    ById(BTreeMap<String, Settings>),
    /// The same settings for every event, as fixtures have them.
    Same(Option<&'f Settings>),
}

impl Profiles<'_> {
    /// Returns the settings of an event's tenant.
    #[must_use]
    pub fn tenant(&self, event: &Event) -> Option<&Settings> {
        match &self.tenants {
            Tenants::ById(tenants) => tenants.get(event.tenant.as_deref()?),
            Tenants::Same(settings) => *settings,
        }
    }
}

/// The state of a digest window that a continuation wants to close.
pub enum ClosedWindow {
    /// The window takes events until then.
    Open { until: Timestamp },
    /// The collected events, each with the key that can cancel it.
    Closed { opened_at: Timestamp, items: Vec<(Item, Option<CancelKey>)> },
}
