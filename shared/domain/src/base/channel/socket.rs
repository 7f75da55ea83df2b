//! In-app messages for open WebSockets and the inbox.

use super::{ChannelSpec, Destination, OnUnknown, Part, Receipts, RetrySchedule};

pub(super) const SPEC: ChannelSpec = ChannelSpec {
    name: "socket",
    parts: &[Part::text("socket.title.txt"), Part::text("socket.txt")],
    has_title: true,
    destination: Destination::Sockets,
    // Clients deduplicate by the message id.
    on_unknown: OnUnknown::Resend,
    disturbs: false,
    receipts: Receipts::None,
    closed_for_days: None,
    retry: RetrySchedule::new(5, 600, 5, 120),
    is_paid: false,
    has_render_check: false,
};
