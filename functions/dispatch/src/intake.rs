//! From the text of a message to an event, or to why there is none.

use domain::bus::BusEvent;
use domain::event::{Event, Refusal};

/// What a message turned out to be.
pub enum Intake {
    Event(Box<Event>),
    /// Not something that can be decided about: it goes to the dead-letter queue, with this as its cause.
    Refused(Refusal),
}

/// Reads the body that EventBridge put into the queue.
#[must_use]
pub fn read(body: &str) -> Intake {
    match BusEvent::parse(body).and_then(|it| it.event()) {
        Ok(event) => Intake::Event(Box::new(event)),
        Err(refusal) => Intake::Refused(refusal),
    }
}
