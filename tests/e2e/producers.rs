//! Publishing by the outbox and by other means, and events of hostile producers.
//!
//! - `outbox`: from a producer's transaction to the recipient despite crashes; streams; delivery events on the bus
//! - `cloudevents`: forms of a CloudEvent that producers may use
//! - `forgery`: forged events change no record and no stream
//! - `hostile`: events that a hostile producer may not publish

mod cloudevents;
mod forgery;
mod hostile;
mod outbox;
