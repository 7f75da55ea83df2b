//! Parses messages into events and continuations, or gives the reason for a refusal.

use domain::decide::continuation::{Continuation, Task};
use domain::event::bus::BusEvent;
use domain::event::layout::NotRead;
use domain::event::producers::Producers;
use domain::event::replay::{Received, received};
use domain::event::{Event, Priority, Refusal};

/// The content of a message.
pub enum Intake {
    Event(Box<Event>),
    /// Work that an earlier decision deferred.
    Continuation {
        event: Box<Event>,
        rule: String,
        task: Task,
    },
    /// A continuation of a newer release. The message stays in the queue for a newer version of dispatch.
    Newer(u32),
    /// A message that cannot be decided about. The message goes to the dead-letter queue with this cause.
    Refused(Refusal),
}

/// Parses the body that EventBridge or dispatch itself put into the queue. The producer of an event from the bus must
/// have permission to publish that event. Continuations were checked when their event arrived. Replay marks that no
/// operator set are removed from the event, so continuations carry none of them.
#[must_use]
pub fn read(body: &str, producers: &Producers) -> Intake {
    match Continuation::read(body) {
        Some(Ok(continuation)) => {
            return match continuation.event() {
                Ok(event) => Intake::Continuation {
                    event: Box::new(event),
                    rule: continuation.rule,
                    task: continuation.task,
                },
                Err(refusal) => Intake::Refused(refusal),
            };
        }
        Some(Err(NotRead::Newer { found, .. })) => return Intake::Newer(found),
        Some(Err(malformed @ NotRead::Malformed { .. })) => return Intake::Refused(malformed.refusal()),
        None => {}
    }
    match admitted(body, producers) {
        Ok(event) => Intake::Event(Box::new(event)),
        Err(refusal) => Intake::Refused(refusal),
    }
}

fn admitted(body: &str, producers: &Producers) -> Result<Event, Refusal> {
    let bus = BusEvent::parse(body)?;
    let Received { mut event, ignores_marks } =
        received(bus.event(producers)?, &bus, |source| producers.may_replay(source));
    if ignores_marks {
        tracing::warn!(
            code = "DISPATCH_REPLAY_MARK_IGNORED",
            event.id = event.id,
            event.source = event.source,
            "replay marks ignored: the source is no operator's; the event is handled as a first telling"
        );
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_operator_makes_people_hear_of_an_event_again() {
        let nonce = |source: &str, came: &str| {
            let body = format!(
                r#"{{"id":"b-1","detail-type":"t","source":"{source}","time":"2026-11-20T12:00:00Z",{came},"detail":{{
                    "specversion":"1.0","id":"1","source":"/tenants/a","tenant":"a","type":"t",
                    "time":"2026-11-20T12:00:00Z","replayid":"r-1","renotify":true}}}}"#
            );
            let Intake::Event(event) = read(&body, &Producers::default()) else {
                panic!("an event was read as something else")
            };
            event.nonce().map(str::to_owned)
        };
        let (bus, operator) =
            (r#""account":"123456789012","resources":["carillon:replay/r-1"]"#, Some("r-1".to_owned()));
        assert_eq!(nonce("/tenants/a", bus), None);
        assert_eq!(nonce("carillon/replay", bus), operator);
        assert_eq!(nonce("/tenants/a", r#""account":"","resources":["carillon:replay/r-1"]"#), operator);
    }

    #[test]
    fn wake_of_a_newer_release_goes_back_and_one_that_nobody_reads_is_put_aside() {
        let continuation = include_str!("../../../shared/domain/fixtures/0.1.0/wakes/wait.json");
        let read = |body: &str| read(body, &Producers::default());
        assert!(matches!(read(continuation), Intake::Continuation { .. }));
        let with = |version: &str| {
            continuation.replacen("\"carillon_wake\":1", &format!("\"carillon_wake\":{version}"), 1)
        };
        assert!(matches!(read(&with("2")), Intake::Newer(2)));
        // A newer release may write anything behind the version.
        assert!(matches!(read("{\"carillon_wake\":7,\"work\":[]}"), Intake::Newer(7)));
        for version in ["0", "\"1\"", "null", "-1", "[]"] {
            let Intake::Refused(refusal) = read(&with(version)) else { panic!("{version}") };
            assert_eq!(refusal.attribute, "carillon_wake", "{version}");
        }
    }
}
