//! WhatsApp messages through End User Messaging Social.

use super::{
    APPROVED, AddressForm, AddressSpec, ChannelSpec, Destination, OnUnknown, Part, Receipts, RetrySchedule,
};

pub(super) const SPEC: ChannelSpec = ChannelSpec {
    name: "whatsapp",
    // Free text within 24 hours of the recipient's last message, and an approved WhatsApp template at any time.
    parts: &[Part::text("whatsapp.txt"), Part::text(APPROVED).optional()],
    has_title: false,
    destination: Destination::Address(AddressSpec {
        // Never taken from `phone`: consent to one channel is not consent to the other.
        member: "whatsapp",
        noun: "phone number",
        form: AddressForm::Phone,
        wanted: "a phone number such as +49 30 1234567",
        example: "+49 30 1234567",
    }),
    on_unknown: OnUnknown::Hold,
    disturbs: true,
    receipts: Receipts::Promised,
    closed_for_days: Some(15),
    retry: RetrySchedule::PROVIDER,
    is_paid: true,
    has_render_check: true,
};
