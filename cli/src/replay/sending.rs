//! Handing events to whoever was named, at a set rate, and the word to the audit about it.

use std::time::Duration;

use aws::{Refused, Verdict};
use domain::Timestamp;
use domain::event::Event;
use domain::producers::{CLI_SOURCE, REPLAY_SOURCE};
use domain::replay::{FINISHED, STARTED, resource};
use publish::{Bus, Entry};
use queue::{Outgoing, Queue, Sqs};
use serde::Serialize;
use serde_json::{Value, json};

use super::choice::Consumer;
use super::state::State;
use crate::cloud::Cloud;
use crate::error::Error;

/// The source of events about replays.
pub(crate) const SOURCE: &str = CLI_SOURCE;

/// The source that the last release gave to events about replays.
pub(crate) const FORMER_SOURCE: &str = "carillon";

/// How often some events are offered, and the pause between.
const ROUNDS: u32 = 5;
const PAUSE: Duration = Duration::from_secs(1);

/// How far events are taken.
pub(super) enum Way {
    Bus(Bus),
    Queue(Box<Queue>),
}

impl Way {
    pub(super) async fn to(consumer: &Consumer, cloud: &Cloud) -> Result<Way, Error> {
        let sqs = Sqs::new(&cloud.config);
        Ok(match consumer {
            Consumer::Bus => Way::Bus(Bus::new(&cloud.config, cloud.bus())),
            Consumer::Dispatch => Way::Queue(Box::new(sqs.queue(&cloud.name("dispatch-bulk")).await?)),
            Consumer::Audit => Way::Queue(Box::new(sqs.queue(&cloud.name("audit")).await?)),
            Consumer::Queue(url) => Way::Queue(Box::new(Queue::new(&sqs, url.clone()))),
        })
    }

    /// Hands over some events: all of them, again and again for some seconds.
    ///
    /// # Errors
    /// One of them was not taken. Handing all of them over another time is harmless.
    pub(super) async fn send(&self, events: &[Event]) -> Result<(), Error> {
        for _ in 1..ROUNDS {
            match self.once(events).await {
                Ok(()) => return Ok(()),
                Err(error) => match error.verdict {
                    Verdict::Transient | Verdict::Throttled | Verdict::Unanswered => {
                        tokio::time::sleep(PAUSE).await;
                    }
                    Verdict::Permanent | Verdict::Denied => return Err(error.into()),
                },
            }
        }
        Ok(self.once(events).await?)
    }

    async fn once(&self, events: &[Event]) -> Result<(), Refused> {
        match self {
            Way::Bus(bus) => {
                let entries: Vec<Entry> = events.iter().map(entry).collect();
                bus.put(&entries).await.into_iter().try_for_each(|it| it.map(drop))
            }
            Way::Queue(queue) => {
                let messages: Vec<Outgoing> = events.iter().map(message).collect();
                queue.send(&messages).await.into_iter().collect()
            }
        }
    }
}

/// A replayed event keeps its own source inside; the bus's `Source` says that an operator replays it.
fn entry(event: &Event) -> Entry {
    Entry { source: REPLAY_SOURCE.to_owned(), ..Entry::of(event) }
}

/// What a rule of the bus hands to a queue.
///
/// Source: EventBridge User Guide, "Event structure reference".
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Handed<'a> {
    version: &'a str,
    id: String,
    detail_type: &'a str,
    source: &'a str,
    account: &'a str,
    time: Timestamp,
    region: &'a str,
    resources: [String; 1],
    /// Numbers and the order of members stay as they were written.
    detail: &'a Event,
}

fn message(event: &Event) -> Outgoing {
    let replay = event.replay_id().unwrap_or_default();
    let handed = Handed {
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
    let body = serde_json::to_string(&handed).expect("an event writes itself as JSON");
    Outgoing { body, tenant: event.tenant.clone(), delay: Duration::ZERO }
}

/// The event about a replay: that it began, or how it ended.
fn word(state: &State, kind: &str, at: Timestamp, counts: &Value) -> Event {
    let mut data = json!({
        "replay": state.replay, "reason": state.reason, "by": state.by, "choice": state.choice,
    });
    data["counts"] = counts.clone();
    let event = Event::new(SOURCE, kind, word_id(&state.replay, kind), at, &data);
    let is_name = (1..=256).contains(&state.by.len()) && state.by.bytes().all(|byte| byte.is_ascii_graphic());
    let actor = Some(state.by.clone()).filter(|_| is_name);
    Event { subject: Some(subject(&state.replay)), actor, ..event }
}

/// What the events about a replay are called, and about whom they are.
pub(crate) fn word_id(replay: &str, kind: &str) -> String {
    format!("{replay}.{}", kind.rsplit('.').next().unwrap_or_default())
}

pub(crate) fn subject(replay: &str) -> String {
    format!("replay/{replay}")
}

/// Tells the audit who does what and why, before anything is done. Said again it is the same word, kept once.
pub(super) async fn announce(state: &State, cloud: &Cloud) -> Result<(), Error> {
    tell(&word(state, STARTED, state.began_at, &Value::Null), cloud).await
}

/// Tells the audit how it ended.
pub(super) async fn close(state: &State, cloud: &Cloud, at: Timestamp) -> Result<(), Error> {
    let counts = json!({ "sent": state.sent, "leftOut": state.left_out });
    tell(&word(state, FINISHED, at, &counts), cloud).await
}

async fn tell(event: &Event, cloud: &Cloud) -> Result<(), Error> {
    let bus = Bus::new(&cloud.config, cloud.bus());
    for answer in bus.put(&[Entry::of(event)]).await {
        answer?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use domain::bus::BusEvent;
    use domain::producers::Producers;
    use domain::replay::{Mark, received};

    use super::*;

    #[test]
    fn a_queue_gets_what_a_rule_would_have_put_there_with_the_mark() {
        let text = r#"{"specversion":"1.0","id":"1","source":"shop","type":"order.paid","tenant":"t-1",
            "time":"2026-11-20T12:00:00Z","data":{"total":1.50}}"#;
        let event = Mark { id: "r-1".into(), renotify: false }.put_on(Event::parse(text).unwrap());
        let message = message(&event);
        let read = BusEvent::parse(&message.body).unwrap();
        let admitted = read.event(&Producers::default()).unwrap();
        assert_eq!(admitted, event);
        assert!(read.outbox_marks().is_empty());
        assert!(
            !received(admitted, &read, |_| false).ignores_marks,
            "a message in the queue itself is an operator's"
        );
        assert_eq!(entry(&event).source, REPLAY_SOURCE);
        assert_eq!(message.tenant.as_deref(), Some("t-1"));
        assert!(message.body.contains("1.50"), "numbers stay as they were written");
    }
}
