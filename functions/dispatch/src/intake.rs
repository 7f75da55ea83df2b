//! From the text of a message to an event, to what an earlier decision left for later, or to why there is neither.

use domain::bus::BusEvent;
use domain::event::{Event, Refusal};
use domain::replay::{Received, may_replay, received};
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

/// Reads the body that EventBridge, or dispatch itself, put into the queue. Marks of a replay that no operator wrote
/// are taken off the event: a wake carries none of them either.
#[must_use]
pub fn read(body: &str) -> Intake {
    if let Some(wake) = Wake::read(body) {
        if wake.carillon_wake > WAKE_VERSION {
            return Intake::Newer(wake.carillon_wake);
        }
        return match wake.event() {
            Ok(event) => Intake::Wake { event: Box::new(event), rule: wake.rule, task: wake.task },
            Err(refusal) => Intake::Refused(refusal),
        };
    }
    match event_of(body) {
        Ok(event) => Intake::Event(Box::new(event)),
        Err(refusal) => Intake::Refused(refusal),
    }
}

fn event_of(body: &str) -> Result<Event, Refusal> {
    let bus = BusEvent::parse(body)?;
    let Received { event, ignores_marks } = received(bus.event()?, &bus, may_replay);
    if ignores_marks {
        tracing::warn!(
            code = "DISPATCH_REPLAY_MARK_IGNORED",
            event.id = event.id,
            event.source = event.source,
            "replay marks ignored: the source is no operator's; the event is handled as a first telling"
        );
    }
    Ok(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_operator_makes_people_hear_of_an_event_again() {
        let nonce = |source: &str, came: &str| {
            let body = format!(
                r#"{{"id":"b-1","detail-type":"t","source":"{source}","time":"2026-11-20T12:00:00Z",{came},"detail":{{
                    "specversion":"1.0","id":"1","source":"/tenants/a","type":"t","time":"2026-11-20T12:00:00Z",
                    "replayid":"r-1","renotify":true}}}}"#
            );
            let Intake::Event(event) = read(&body) else { panic!("an event was read as something else") };
            event.nonce().map(str::to_owned)
        };
        let (bus, operator) =
            (r#""account":"123456789012","resources":["carillon:replay/r-1"]"#, Some("r-1".to_owned()));
        assert_eq!(nonce("/tenants/a", bus), None);
        assert_eq!(nonce("carillon/replay", bus), operator);
        assert_eq!(nonce("/tenants/a", r#""account":"","resources":["carillon:replay/r-1"]"#), operator);
    }
}
