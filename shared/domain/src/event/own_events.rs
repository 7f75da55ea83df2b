//! Sources and types of the events that Carillon publishes itself.

/// The source of replayed events. `carillon replay` publishes every event of a replay under this `Source`, and the
/// CloudEvent inside keeps its own source. IAM grants this source to operators only.
pub const REPLAY_SOURCE: &str = "carillon/replay";

/// The source of the CLI's own events, such as `carillon.replay.started`.
pub const CLI_SOURCE: &str = "carillon/cli";

/// The source of the relay's own events: delivery events and `communication.sent`.
pub const RELAY_SOURCE: &str = "carillon/relay";

/// The source of events about the health of endpoints.
pub const WEBHOOK_SOURCE: &str = "carillon/webhook";

/// The source of the HTTP API's own events.
pub const API_SOURCE: &str = "carillon/api";

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

/// The type of the event about all notifications of one hand-over, which the relay publishes.
pub const COMMUNICATION: &str = "communication.sent";
