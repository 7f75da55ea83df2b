//! What templates see beside the event.

use domain::Timestamp;
use domain::digest::Collected;
use domain::event::Data;
use domain::policy::EmailPolicy;

/// What the event itself does not say.
#[derive(Clone, Copy, Default)]
pub struct Extra<'a> {
    /// The events that were gathered into this one. Templates see it as `digest`, and without it there is no such
    /// name: `{% if digest is defined %}`.
    pub digest: Option<&'a serde_json::Value>,
    /// The same with its events, so that one of them which the template cannot tell does not keep back the others.
    pub collected: Option<&'a Collected>,
    /// The payload as the producer wrote it, for the data of a rule that `expose`s some. Without it the payload of the
    /// envelope does, its members in alphabetical order.
    pub payload: Option<&'a Data>,
    /// The IANA zone that tells the time to a room, and to somebody whose own is not known. Without it, UTC does.
    pub zone: Option<&'a str>,
    /// What holds for letters of all rules.
    pub policy: Option<&'a EmailPolicy>,
    /// The time of rendering, from which `relative` counts. Without it the time of the event does.
    pub now: Option<Timestamp>,
}
