//! SMS through SNS or End User Messaging.

use super::{AddressForm, AddressSpec, ChannelSpec, Destination, OnUnknown, Part, Receipts, RetrySchedule};

pub(super) const SPEC: ChannelSpec = ChannelSpec {
    name: "sms",
    parts: &[Part::text("sms.txt")],
    has_title: false,
    destination: Destination::Address(AddressSpec {
        member: "phone",
        noun: "phone number",
        form: AddressForm::Phone,
        wanted: "a phone number such as +49 30 1234567",
        example: "+49 30 1234567",
    }),
    on_unknown: OnUnknown::Hold,
    disturbs: true,
    receipts: Receipts::Promised,
    closed_for_days: None,
    retry: RetrySchedule::PROVIDER,
    is_paid: true,
    has_render_check: true,
};
