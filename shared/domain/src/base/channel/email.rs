//! E-mail through SES.

use super::{AddressForm, AddressSpec, ChannelSpec, Destination, OnUnknown, Part, Receipts, RetrySchedule};

pub(super) const SPEC: ChannelSpec = ChannelSpec {
    name: "email",
    parts: &[Part::text("email.subject.txt"), Part::text("email.html"), Part::text("email.txt")],
    has_title: true,
    destination: Destination::Address(AddressSpec {
        member: "email",
        noun: "e-mail address",
        form: AddressForm::Email,
        wanted: "an e-mail address, local@domain, with ASCII before the @",
        example: "help@example.com",
    }),
    on_unknown: OnUnknown::Hold,
    disturbs: true,
    receipts: Receipts::Optional,
    closed_for_days: Some(90),
    retry: RetrySchedule::PROVIDER,
    is_paid: false,
    has_render_check: false,
};
