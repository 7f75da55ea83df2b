//! Additional values for template rendering, beside the event.

use domain::Timestamp;
use domain::catalog::policy::EmailPolicy;
use domain::event::Data;
use domain::limits::digest::Collected;

/// Values that templates see and that the event itself does not contain.
#[derive(Clone, Copy, Default)]
pub struct Extra<'a> {
    /// The summary of a digest. Templates see it as `digest`. Without it the name is undefined: `{% if digest is
    /// defined %}`.
    pub digest: Option<&'a serde_json::Value>,
    /// The events of the digest, so that an event that the template cannot render does not hold up the others.
    pub collected: Option<&'a Collected>,
    /// The payload as the producer wrote it, for the data that a rule `expose`s. By default the payload of the
    /// envelope, whose members are in alphabetical order.
    pub payload: Option<&'a Data>,
    /// The IANA zone for rooms, and for recipients without a zone of their own. By default UTC.
    pub zone: Option<&'a str>,
    /// The e-mail policy for all rules.
    pub policy: Option<&'a EmailPolicy>,
    /// The time of rendering, from which `relative` counts. By default the time of the event.
    pub now: Option<Timestamp>,
}
