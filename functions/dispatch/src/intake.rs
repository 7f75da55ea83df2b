//! From the text of a message to an event, to what an earlier decision left for later, or to why there is neither.

use domain::bus::BusEvent;
use domain::event::{Event, Refusal};
use domain::layout::NotRead;
use domain::wake::{Task, Wake};

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

/// Reads the body that EventBridge, or dispatch itself, put into the queue.
#[must_use]
pub fn read(body: &str) -> Intake {
    match Wake::read(body) {
        Some(Ok(wake)) => {
            return match wake.event() {
                Ok(event) => Intake::Wake { event: Box::new(event), rule: wake.rule, task: wake.task },
                Err(refusal) => Intake::Refused(refusal),
            };
        }
        Some(Err(NotRead::Newer { found, .. })) => return Intake::Newer(found),
        Some(Err(malformed @ NotRead::Malformed { .. })) => return Intake::Refused(malformed.refusal()),
        None => {}
    }
    match BusEvent::parse(body).and_then(|it| it.event()) {
        Ok(event) => Intake::Event(Box::new(event)),
        Err(refusal) => Intake::Refused(refusal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wake_of_a_newer_release_goes_back_and_one_that_nobody_reads_is_put_aside() {
        let wake = include_str!("../../../shared/domain/fixtures/0.1.0/wakes/wait.json");
        assert!(matches!(read(wake), Intake::Wake { .. }));
        let with =
            |version: &str| wake.replacen("\"carillon_wake\":1", &format!("\"carillon_wake\":{version}"), 1);
        assert!(matches!(read(&with("2")), Intake::Newer(2)));
        // A newer release may write anything behind the version.
        assert!(matches!(read("{\"carillon_wake\":7,\"work\":[]}"), Intake::Newer(7)));
        for version in ["0", "\"1\"", "null", "-1", "[]"] {
            let Intake::Refused(refusal) = read(&with(version)) else { panic!("{version}") };
            assert_eq!(refusal.attribute, "carillon_wake", "{version}");
        }
    }
}
