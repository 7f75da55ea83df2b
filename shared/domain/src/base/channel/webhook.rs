//! Signed HTTP requests to the endpoints of a tenant.

use super::{ChannelSpec, Destination, OnUnknown, Receipts, RetrySchedule};

pub(super) const SPEC: ChannelSpec = ChannelSpec {
    name: "webhook",
    // Webhook messages carry the data that the rule exposes and have no texts.
    parts: &[],
    has_title: false,
    destination: Destination::Endpoints,
    // Receivers deduplicate by the message id.
    on_unknown: OnUnknown::Resend,
    disturbs: false,
    receipts: Receipts::None,
    closed_for_days: None,
    // Webhook endpoints have a retry schedule of their own. These limits apply to failures before the
    // endpoint is called.
    retry: RetrySchedule::new(u32::MAX, 24 * 3_600, 5, 640),
    is_paid: false,
    has_render_check: false,
};
