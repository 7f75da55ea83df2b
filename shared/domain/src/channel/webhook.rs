//! Signed HTTP requests to the endpoints of a tenant.

use super::{ChannelSpec, Destination, OnUnknown, Receipts, RetrySchedule};

pub(super) const SPEC: ChannelSpec = ChannelSpec {
    name: "webhook",
    // Systems read the values that the rule exposes; there is no text.
    parts: &[],
    has_title: false,
    destination: Destination::Endpoints,
    // Receivers deduplicate by the message id.
    on_unknown: OnUnknown::Resend,
    disturbs: false,
    receipts: Receipts::None,
    closed_for_days: None,
    // Answers of an endpoint follow a schedule of their own; this one is for failures before the request is sent.
    retry: RetrySchedule::new(u32::MAX, 24 * 3_600, 5, 640),
    is_paid: false,
    has_render_check: false,
};
