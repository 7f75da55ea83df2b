//! Sends events to the receiver, and publishes the events about the replay for the audit.

use std::time::Duration;

use aws::{CallError, Verdict};
use domain::Timestamp;
use domain::event::Event;
use domain::event::own_events::{CLI_SOURCE, REPLAY_SOURCE};
use domain::event::replay::{FINISHED, STARTED, resource};
use publish::{Entry, EventBridge};
use queue::{Outgoing, Queue, Sqs};
use serde::Serialize;
use serde_json::{Value, json};

use super::selection::Consumer;
use super::state::State;
use crate::cloud::Cloud;
use crate::error::Error;

/// The source of events about replays.
pub(crate) const SOURCE: &str = CLI_SOURCE;

/// The source that the last release gave to events about replays.
pub(crate) const FORMER_SOURCE: &str = "carillon";

/// The attempts of a call.
const ATTEMPTS: u32 = 5;
/// The pause between two attempts.
const PAUSE: Duration = Duration::from_secs(1);

/// The receiver of the events.
pub(super) enum Receiver {
    Bus(EventBridge),
    Queue(Box<Queue>),
}

impl Receiver {
    /// The receiver of a consumer.
    ///
    /// # Errors
    /// The queue is not found.
    pub(super) async fn of(consumer: &Consumer, cloud: &Cloud) -> Result<Receiver, Error> {
        let sqs = Sqs::new(&cloud.config);
        Ok(match consumer {
            Consumer::Bus => Receiver::Bus(EventBridge::new(&cloud.config, cloud.bus())),
            Consumer::Dispatch => Receiver::Queue(Box::new(sqs.queue(&cloud.name("dispatch-bulk")).await?)),
            Consumer::Audit => Receiver::Queue(Box::new(sqs.queue(&cloud.name("audit")).await?)),
            Consumer::Queue(url) => Receiver::Queue(Box::new(Queue::new(&sqs, url.clone()))),
        })
    }

    /// Sends events, with retries for some seconds.
    ///
    /// # Errors
    /// An event was not accepted. The caller can send all of them again.
    pub(super) async fn send(&self, events: &[Event]) -> Result<(), Error> {
        for _ in 1..ATTEMPTS {
            match self.send_once(events).await {
                Ok(()) => return Ok(()),
                Err(error) => match error.verdict {
                    Verdict::Transient | Verdict::Throttled | Verdict::Unanswered => {
                        tokio::time::sleep(PAUSE).await;
                    }
                    Verdict::Permanent | Verdict::Denied => return Err(error.into()),
                },
            }
        }
        Ok(self.send_once(events).await?)
    }

    async fn send_once(&self, events: &[Event]) -> Result<(), CallError> {
        match self {
            Receiver::Bus(bus) => {
                let entries: Vec<Entry> = events.iter().map(entry).collect();
                bus.put(&entries).await.into_iter().try_for_each(|answer| answer.map(drop))
            }
            Receiver::Queue(queue) => {
                let messages: Vec<Outgoing> = events.iter().map(message).collect();
                queue.send(&messages).await.into_iter().collect()
            }
        }
    }
}

/// A replayed event keeps its own source inside; the bus's `Source` says that an operator replays it.
fn entry(event: &Event) -> Entry {
    let mut entry = Entry::of(event);
    entry.source = REPLAY_SOURCE.to_owned();
    entry
}

/// An event as a rule of the bus delivers it to a queue.
///
/// Source: EventBridge User Guide, "Event structure reference".
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Delivered<'a> {
    version: &'a str,
    id: String,
    detail_type: &'a str,
    source: &'a str,
    account: &'a str,
    time: Timestamp,
    region: &'a str,
    resources: [String; 1],
    /// The event with unchanged numbers and member order.
    detail: &'a Event,
}

fn message(event: &Event) -> Outgoing {
    let replay = event.replay_id().unwrap_or_default();
    let delivered = Delivered {
        version: "0",
        id: format!("{replay}/{}", event.id),
        detail_type: &event.kind,
        source: REPLAY_SOURCE,
        account: "",
        time: event.time,
        region: "",
        resources: [resource(replay)],
        detail: event,
    };
    let body = serde_json::to_string(&delivered).expect("events serialize to JSON");
    Outgoing { body: body.into(), tenant: event.tenant.clone(), delay: Duration::ZERO }
}

/// The event about the start or the end of a replay.
fn replay_event(state: &State, kind: &str, time: Timestamp, counts: &Value) -> Event {
    let mut data = json!({
        "replay": state.replay, "reason": state.reason, "by": state.by, "choice": state.choice,
    });
    data["counts"] = counts.clone();
    let event = Event::new(SOURCE, kind, replay_event_id(&state.replay, kind), time, &data);
    let is_name = (1..=256).contains(&state.by.len()) && state.by.bytes().all(|byte| byte.is_ascii_graphic());
    let actor = Some(state.by.clone()).filter(|_| is_name);
    Event { subject: Some(subject(&state.replay)), actor, ..event }
}

/// The id of an event about a replay.
pub(crate) fn replay_event_id(replay: &str, kind: &str) -> String {
    format!("{replay}.{}", kind.rsplit('.').next().unwrap_or_default())
}

/// The subject of the events about a replay.
pub(crate) fn subject(replay: &str) -> String {
    format!("replay/{replay}")
}

/// Publishes the start of a replay with operator and reason. A repeated call gives the same event, which is recorded once.
pub(super) async fn announce(state: &State, cloud: &Cloud) -> Result<(), Error> {
    publish(&replay_event(state, STARTED, state.began_at, &Value::Null), cloud).await
}

/// Publishes the end of a replay with its counts.
pub(super) async fn close(state: &State, cloud: &Cloud, finished_at: Timestamp) -> Result<(), Error> {
    let counts = json!({ "sent": state.sent, "leftOut": state.left_out });
    publish(&replay_event(state, FINISHED, finished_at, &counts), cloud).await
}

async fn publish(event: &Event, cloud: &Cloud) -> Result<(), Error> {
    let bus = EventBridge::new(&cloud.config, cloud.bus());
    for answer in bus.put(&[Entry::of(event)]).await {
        answer?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use domain::event::bus::BusEvent;
    use domain::event::producers::Producers;
    use domain::event::replay::{Mark, received};

    use super::*;

    #[test]
    fn queue_gets_the_event_with_the_mark_as_a_bus_rule_delivers_it() {
        let text = r#"{"specversion":"1.0","id":"1","source":"shop","type":"order.paid","tenant":"t-1",
            "time":"2026-11-20T12:00:00Z","data":{"total":1.50}}"#;
        let event = Mark { id: "r-1".into(), renotify: false }.put_on(Event::parse(text).unwrap());
        let message = message(&event);
        let read = BusEvent::parse(message.body.expose()).unwrap();
        let admitted = read.event(&Producers::default()).unwrap();
        assert_eq!(admitted, event);
        assert!(read.outbox_marks().is_empty());
        assert!(
            !received(admitted, &read, |_| false).ignores_marks,
            "a direct message to the queue is an operator's"
        );
        assert_eq!(entry(&event).source, REPLAY_SOURCE);
        assert_eq!(message.tenant.as_deref(), Some("t-1"));
        assert!(message.body.expose().contains("1.50"), "numbers are unchanged");
    }

    #[test]
    fn start_and_end_are_documented_events() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let choice = serde_json::from_value(json!({
            "from": now, "to": now, "consumer": "dispatch", "mode": "only-missing",
        }))
        .unwrap();
        let state =
            State::begin("r-1".into(), "dev".into(), choice, None, "arn:aws:iam::1:user/sam".into(), now);
        for (kind, counts) in [(STARTED, Value::Null), (FINISHED, json!({ "sent": 1, "leftOut": 0 }))] {
            assert_eq!(domain::event::emitted::difference(&replay_event(&state, kind, now, &counts)), None);
        }
    }
}
