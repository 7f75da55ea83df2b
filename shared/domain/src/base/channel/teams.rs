//! Microsoft Teams messages through a Workflows webhook.

use super::{
    AddressForm, AddressSpec, ChannelSpec, Destination, OnUnknown, Part, PartFormat, Receipts, RetrySchedule,
    webhook_name,
};

pub(super) const SPEC: ChannelSpec = ChannelSpec {
    name: "teams",
    parts: &[Part::text("teams.txt"), Part::formatted("teams.json", PartFormat::Json).optional()],
    has_title: false,
    destination: Destination::Address(AddressSpec {
        member: "teams",
        noun: "Teams address",
        form: AddressForm::Id(address),
        wanted: "webhook:<name>, the name of a Workflows webhook of the stack",
        example: "webhook:ops",
    }),
    // A workflow has no idempotency key: a second message would be shown twice.
    on_unknown: OnUnknown::Hold,
    disturbs: true,
    receipts: Receipts::None,
    closed_for_days: None,
    retry: RetrySchedule::PROVIDER,
    is_paid: false,
    has_render_check: false,
};

/// Parses the name of a webhook.
fn address(text: &str) -> Result<String, &'static str> {
    webhook_name(text).unwrap_or(Err("the address does not begin with webhook:"))
}
