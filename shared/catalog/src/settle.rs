//! The digest of two events that dry runs and decision tests assume.

use domain::event::Event;
use domain::limits::digest::{Collected, DigestPolicy, Item, Window};

/// Returns the digest of two events like this one.
pub(crate) fn digest_of(event: &Event, policy: &DigestPolicy) -> Collected {
    let one = Item::of(event);
    let other = Item { event_key: format!("{}-2", one.event_key), ..one.clone() };
    let window = Window { name: "", step: 0, only: None, opened_at: event.time, closed_at: event.time };
    Collected::of(vec![one, other], policy.clone(), &window)
}
