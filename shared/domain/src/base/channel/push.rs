//! Push notifications through SNS, one for each device of a person.

use super::{ChannelSpec, Destination, OnUnknown, Part, Receipts, RetrySchedule};

pub(super) const SPEC: ChannelSpec = ChannelSpec {
    name: "push",
    parts: &[Part::text("push.title.txt"), Part::text("push.txt")],
    has_title: true,
    destination: Destination::Devices,
    // The device deduplicates by the collapse key.
    on_unknown: OnUnknown::Resend,
    disturbs: true,
    receipts: Receipts::None,
    closed_for_days: None,
    retry: RetrySchedule::new(5, 600, 15, 120),
    is_paid: false,
    has_render_check: false,
};
