//! Stand-ins for table data: a digest of two similar events, and endpoints that accept everything.

use domain::digest::{Collected, DigestPolicy, Item, Window};
use domain::endpoint::Endpoint;
use domain::event::Event;
use domain::plan::{Plan, endpoint_name};

/// The template input for a digest of two events like this one.
pub(crate) fn digest_of(event: &Event, policy: &DigestPolicy) -> Collected {
    let one = Item::of(event);
    let other = Item { event_key: format!("{}-2", one.event_key), ..one.clone() };
    let window = Window { name: "", step: 0, only: None, opened_at: event.time, closed_at: event.time };
    Collected::of(vec![one, other], policy.clone(), &window)
}

/// Makes every endpoint of a plan accept all events.
pub(crate) fn welcome(plan: &mut Plan<'_>) {
    for id in plan.unknown_endpoints() {
        let url = "https://example.com/".to_owned();
        let endpoint = Endpoint {
            id,
            url,
            description: None,
            when: None,
            version: None,
            format: None,
            disabled: None,
            unverified: None,
            header_names: Vec::new(),
        };
        plan.endpoints.insert(endpoint_name(&endpoint.id), endpoint);
    }
}
