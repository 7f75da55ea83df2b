//! A digest without a table: two events such as the one at hand.

use domain::digest::{DigestPolicy, Item, summary};
use domain::event::Event;
use domain::plan::Collected;

/// What a template would get of two events such as this one.
pub(crate) fn digest_of(event: &Event, policy: &DigestPolicy) -> Collected {
    let one = Item::of(event);
    let other = Item { event_key: format!("{}-2", one.event_key), ..one.clone() };
    let summary = summary(&[one, other], policy, event.time, event.time);
    Collected { summary, window: String::new(), step: 0, only: None }
}
