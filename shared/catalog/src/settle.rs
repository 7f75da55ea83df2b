//! What a table would say, without one: a digest of two events such as the one at hand, endpoints that want everything.

use domain::digest::{Collected, DigestPolicy, Item, Window};
use domain::endpoint::Endpoint;
use domain::event::Event;
use domain::plan::{Plan, endpoint_name};

/// What a template would get of two events such as this one.
pub(crate) fn digest_of(event: &Event, policy: &DigestPolicy) -> Collected {
    let one = Item::of(event);
    let other = Item { event_key: format!("{}-2", one.event_key), ..one.clone() };
    let window = Window { name: "", step: 0, only: None, opened_at: event.time, closed_at: event.time };
    Collected::of(vec![one, other], policy.clone(), &window)
}

/// Makes every endpoint that a plan names one that wants everything.
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
