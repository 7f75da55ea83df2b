//! Shapes the frames for clients.

use domain::base::outcome::{Failure, Reason};
use domain::base::sensitive::Sensitive;
use domain::delivery::job::{Content, Job, Socket};
use domain::inbox::Counts;
use serde::Serialize;
use serde_json::value::RawValue;

mod live;

/// The size limit of a frame. API Gateway accepts messages of 128 KiB in frames of 32 KiB, and closes a
/// connection with 1009 after a larger frame. All clients can read a single frame.
///
/// Source: API Gateway developer guide, "Quotas for configuring and running a WebSocket API".
pub(crate) const MAX_FRAME_BYTES: usize = 32 * 1024;

/// One message as JSON text.
pub struct Frame(Sensitive<String>);

/// The body of a frame. A client ignores an `id` that it has seen, so a repeat after an unknown outcome
/// is harmless.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: &'a str,
    event: Event<'a>,
    rule: &'a str,
    priority: &'static str,
    title: &'a str,
    body: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    inbox: Option<InInbox>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
    /// The data were too large for the frame. The client fetches them by the event's id.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
}

/// The message's number in the inbox, and the resulting counts for the socket's view. After a disconnect
/// a client asks for messages after the last number it received.
#[derive(Clone, Copy, Serialize)]
pub struct InInbox {
    pub seq: u64,
    #[serde(flatten)]
    pub counts: Counts,
}

#[derive(Serialize)]
struct Event<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    time: String,
    /// Set only for a broadcast, whose readers identify the event by source and id.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(rename = "correlationid", skip_serializing_if = "Option::is_none")]
    correlation_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<&'a str>,
}

impl<'a> Event<'a> {
    fn of(job: &'a Job, source: Option<&'a str>) -> Event<'a> {
        Event {
            id: &job.event.id,
            kind: &job.event.kind,
            time: job.event.time.to_string(),
            source,
            subject: job.event.subject.as_deref(),
            correlation_id: job.event.correlation_id.as_deref(),
            traceparent: job.event.traceparent.as_deref(),
        }
    }
}

impl Frame {
    /// Shapes the frame of a job.
    ///
    /// # Errors
    /// The job belongs to another channel, or its text alone is larger than a frame.
    pub fn shape(job: &Job, inbox: Option<InInbox>) -> Result<Frame, Failure> {
        match &job.content {
            Content::Socket(socket) => Frame::notification(job, socket, inbox),
            Content::Broadcast(broadcast) => live::shape(job, broadcast),
            Content::Email(_)
            | Content::Push(_)
            | Content::Sms(_)
            | Content::Whatsapp(_)
            | Content::Message(_)
            | Content::Webhook(_) => {
                let source = format!("a {} job in the socket queue", job.channel().name()).into();
                Err(Failure::Permanent { reason: Reason::Rejected, source })
            }
        }
    }

    fn notification(job: &Job, socket: &Socket, inbox: Option<InInbox>) -> Result<Frame, Failure> {
        let mut body = Body {
            kind: "notification",
            id: job.key.as_str(),
            event: Event::of(job, None),
            rule: &job.rule,
            priority: job.priority.name(),
            title: socket.title.expose(),
            body: socket.body.expose(),
            inbox,
            data: Some(socket.data.expose()),
            truncated: false,
        };
        let whole = write(&body);
        if whole.len() <= MAX_FRAME_BYTES {
            return Ok(Frame(whole.into()));
        }
        (body.data, body.truncated) = (None, true);
        Frame::bounded(write(&body))
    }

    /// A frame without data, which cannot be shortened further.
    fn bounded(text: String) -> Result<Frame, Failure> {
        match text.len() {
            ..=MAX_FRAME_BYTES => Ok(Frame(text.into())),
            bytes => {
                let source = format!("{bytes} bytes of text, a frame holds {MAX_FRAME_BYTES}").into();
                Err(Failure::Permanent { reason: Reason::TooLarge, source })
            }
        }
    }

    #[must_use]
    pub fn text(&self) -> &str {
        self.0.expose()
    }
}

fn write(body: &impl Serialize) -> String {
    serde_json::to_string(body).expect("a frame is strings and JSON text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frame_has_the_event_and_a_stable_id() {
        let frame = Frame::shape(&job("Soon", r#"{"position":2}"#), None).unwrap();
        let read: serde_json::Value = serde_json::from_str(frame.text()).unwrap();
        assert_eq!(
            read,
            serde_json::json!({
                "type": "notification", "id": "k-1", "rule": "r", "priority": "high", "title": "T", "body": "Soon",
                "event": {"id": "e-1", "type": "t", "time": "2026-11-20T12:00:00Z", "correlationid": "story-1"},
                "data": {"position": 2},
            })
        );
    }

    #[test]
    fn stored_message_frame_has_number_and_counts() {
        let kept = InInbox { seq: 12, counts: Counts { unseen: 3, unread: 4, total: 9 } };
        let frame = Frame::shape(&job("Soon", "{}"), Some(kept)).unwrap();
        let read: serde_json::Value = serde_json::from_str(frame.text()).unwrap();
        assert_eq!(read["inbox"], serde_json::json!({ "seq": 12, "unseen": 3, "unread": 4, "total": 9 }));
    }

    #[test]
    fn data_that_does_not_fit_a_frame_is_left_out_and_text_that_does_not_fit_is_refused() {
        let long = "x".repeat(MAX_FRAME_BYTES);
        let frame = Frame::shape(&job("Soon", &format!(r#"{{"all":"{long}"}}"#)), None).unwrap();
        let read: serde_json::Value = serde_json::from_str(frame.text()).unwrap();
        assert_eq!((&read["truncated"], read.get("data")), (&true.into(), None));
        let Err(failure) = Frame::shape(&job(&long, "{}"), None) else { panic!("it does not fit") };
        assert!(matches!(failure, Failure::Permanent { reason: Reason::TooLarge, .. }));
    }

    fn job(body: &str, data: &str) -> Job {
        serde_json::from_str(&format!(
            r#"{{"version":1,"key":"k-1","event":{{"id":"e-1","source":"s","type":"t",
                "time":"2026-11-20T12:00:00Z","correlation_id":"story-1"}},"rule":"r","catalog":"c",
                "recipient":"ann","priority":"high","on_unknown":"resend",
                "content":{{"socket":{{"to":{{"user":"ann"}},"title":"T","body":"{body}","data":{data}}}}}}}"#
        ))
        .unwrap()
    }
}
