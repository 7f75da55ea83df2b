//! Sources and types of the events that Carillon publishes itself.

/// The source of digest events.
pub const DIGEST_SOURCE: &str = "/carillon/digest";

/// The type of a changed address. Dispatch handles it like a producer's event.
pub const ADDRESS_CHANGED: &str = "recipient.address_changed";

/// The source of the people function's events.
pub const PEOPLE_SOURCE: &str = "carillon/people";

/// The type and source of device-unregistered events, which only the push function publishes.
pub const UNREGISTERED: &str = "carillon.device.unregistered";
pub const PUSH_SOURCE: &str = "carillon/push";

/// The type and source of opt-out events, which only the SMS function publishes after a STOP message.
pub const OPTED_OUT: &str = "carillon.recipient.opted_out";
pub const SMS_SOURCE: &str = "carillon/sms";
