//! From the text of a message to an event, to what an earlier decision left for later, or to why there is neither.

use domain::bus::BusEvent;
use domain::event::{Event, Priority, Refusal};
use domain::producers::Producers;
use domain::wake::{Task, WAKE_VERSION, Wake};

/// What a message turned out to be.
pub enum Intake {
    Event(Box<Event>),
    /// Something an earlier decision left for later.
    Wake {
        event: Box<Event>,
        rule: String,
        task: Task,
    },
    /// A wake of a newer release: it is left for a dispatch that knows it.
    Newer(u32),
    /// Not something that can be decided about: it goes to the dead-letter queue, with this as its cause.
    Refused(Refusal),
}

/// Reads the body that EventBridge, or dispatch itself, put into the queue. An event of the bus must be one that its
/// producer may publish; what dispatch left for itself was checked when it came.
#[must_use]
pub fn read(body: &str, producers: &Producers) -> Intake {
    if let Some(wake) = Wake::read(body) {
        if wake.carillon_wake > WAKE_VERSION {
            return Intake::Newer(wake.carillon_wake);
        }
        return match wake.event() {
            Ok(event) => Intake::Wake { event: Box::new(event), rule: wake.rule, task: wake.task },
            Err(refusal) => Intake::Refused(refusal),
        };
    }
    match admitted(body, producers) {
        Ok(event) => Intake::Event(Box::new(event)),
        Err(refusal) => Intake::Refused(refusal),
    }
}

fn admitted(body: &str, producers: &Producers) -> Result<Event, Refusal> {
    let bus = BusEvent::parse(body)?;
    let mut event = bus.event(producers)?;
    if event.priority == Some(Priority::Critical) && !producers.may_be_critical(&bus.source) {
        tracing::warn!(
            code = "DISPATCH_PRIORITY_LOWERED",
            event.id = event.id,
            source = %bus.source,
            "the source has no right to `priority: critical`; the event goes on with priority high"
        );
        event.priority = Some(Priority::High);
    }
    Ok(event)
}
