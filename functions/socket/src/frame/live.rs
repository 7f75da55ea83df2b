//! The frame of a broadcast, which contains the event itself.

use domain::base::outcome::Failure;
use domain::delivery::job::{Broadcast, Job};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Event, Frame, MAX_FRAME_BYTES, write};

/// The body of a frame. A client ignores an `id` that it has seen, because an event arrives once for
/// each target that includes the client.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: &'a str,
    event: Event<'a>,
    rule: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
    /// The data were too large for the frame. The client fetches them by the event's id.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
}

pub(super) fn shape(job: &Job, broadcast: &Broadcast) -> Result<Frame, Failure> {
    let id = job.broadcast_id();
    let mut body = Body {
        kind: "event",
        id: &id,
        event: Event::of(job, Some(&job.event.source)),
        rule: &job.rule,
        data: Some(broadcast.data.expose()),
        truncated: false,
    };
    let whole = write(&body);
    if whole.len() <= MAX_FRAME_BYTES {
        return Ok(Frame(whole.into()));
    }
    (body.data, body.truncated) = (None, true);
    Frame::bounded(write(&body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn frame_of_a_broadcast_is_the_event_with_its_data_and_without_words() {
        let room = read(&job("room", "clinic:7", r#"{"position":2.50}"#));
        assert_eq!(
            room,
            json!({
                "type": "event", "id": room["id"], "rule": "screens", "data": serde_json::from_str::<Value>(r#"{"position":2.50}"#).unwrap(),
                "event": {
                    "id": "e-1", "type": "queue.updated", "time": "2026-11-20T12:00:00Z", "source": "/hub",
                    "subject": "queue/1",
                },
            })
        );
    }

    #[test]
    fn every_target_of_one_event_gets_the_same_id_and_another_rule_another() {
        let id = |job: &Job| read(job)["id"].clone();
        let (room, user) = (job("room", "clinic:7", "{}"), job("user", "ann", "{}"));
        assert_eq!(id(&room), id(&user));
        let other = Job { rule: "others".to_owned(), ..room.clone() };
        assert_ne!(id(&other), id(&room));
        let mut again = room.clone();
        again.event.replay = Some("r-1".to_owned());
        assert_ne!(id(&again), id(&room), "a replay that is to be shown again is shown");
    }

    #[test]
    fn payload_that_does_not_fit_a_frame_is_left_out() {
        let long = format!(r#"{{"all":"{}"}}"#, "x".repeat(MAX_FRAME_BYTES));
        let read = read(&job("room", "clinic:7", &long));
        assert_eq!((&read["truncated"], read.get("data")), (&true.into(), None));
    }

    fn read(job: &Job) -> Value {
        let Ok(frame) = Frame::shape(job, None) else { panic!("a frame was expected") };
        serde_json::from_str(frame.text()).unwrap()
    }

    fn job(kind: &str, name: &str, data: &str) -> Job {
        Job::read(&format!(
            r#"{{"version":2,"key":"k-1","event":{{"id":"e-1","source":"/hub","type":"queue.updated",
                "time":"2026-11-20T12:00:00Z","subject":"queue/1"}},"rule":"screens","catalog":"c","recipient":"{name}",
                "priority":"high","on_unknown":"resend",
                "content":{{"broadcast":{{"to":{{"{kind}":"{name}"}},"data":{data}}}}}}}"#
        ))
        .unwrap()
    }
}
