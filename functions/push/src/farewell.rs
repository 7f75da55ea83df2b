//! What the bus is told of a device that takes no notes any more.

use domain::Timestamp;
use domain::job::Job;
use domain::recipient::Device;
use publish::Entry;
use serde_json::{Map, Value, json};

/// The type of the event. Its data name the recipient and the device, never the device's address.
pub const UNREGISTERED: &str = "carillon.device.unregistered";

const SOURCE: &str = "carillon/push";

/// The event, caused by the one that the note was about. Its id follows from the note's key: told twice, it is kept
/// once.
#[must_use]
pub fn farewell(job: &Job, device: &Device, now: Timestamp) -> Entry {
    let event = &job.event;
    let mut envelope = Map::new();
    let attributes = [
        ("specversion", Some("1.0".to_owned())),
        ("id", Some(format!("unregistered-{}", job.key.as_str()))),
        ("source", Some(SOURCE.to_owned())),
        ("type", Some(UNREGISTERED.to_owned())),
        ("time", Some(now.to_string())),
        ("subject", Some(job.recipient.clone())),
        ("tenant", event.tenant.clone()),
        ("correlationid", event.correlation_id.clone()),
        ("causationid", Some(event.id.clone())),
        ("traceparent", event.traceparent.clone()),
    ];
    for (name, value) in attributes {
        if let Some(value) = value {
            envelope.insert(name.to_owned(), Value::from(value));
        }
    }
    envelope.insert("data".to_owned(), json!({ "recipient": job.recipient, "device": device.id }));
    Entry {
        source: SOURCE.to_owned(),
        detail_type: UNREGISTERED.to_owned(),
        detail: Value::from(envelope).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::event::Event;
    use domain::job::Content;

    #[test]
    fn it_is_an_event_that_names_the_device_and_not_its_address() {
        let job: Job = serde_json::from_value(json!({
            "version": 1, "key": "k-1", "rule": "r", "catalog": "c", "recipient": "ann",
            "event": { "id": "e-1", "source": "s", "type": "t", "time": "2026-11-20T12:00:00Z",
                "tenant": "clinic-7", "correlation_id": "story-1" },
            "priority": "normal", "on_unknown": "resend",
            "content": { "push": { "title": "T", "body": "B", "data": {}, "locale": "en",
                "to": { "id": "phone-1", "platform": "fcm", "endpoint": "arn:secret" } } },
        }))
        .unwrap();
        let Content::Push(push) = &job.content else { panic!("it is a note") };
        let entry = farewell(&job, &push.to, "2026-11-20T12:00:05Z".parse().unwrap());
        assert!(!entry.detail.contains("arn:secret"));
        let event = Event::parse(&entry.detail).unwrap();
        assert_eq!((event.kind.as_str(), event.source.as_str()), (UNREGISTERED, SOURCE));
        assert_eq!(event.subject.as_deref(), Some("ann"));
        assert_eq!(event.tenant.as_deref(), Some("clinic-7"));
        assert_eq!(event.causation_id.as_deref(), Some("e-1"));
        let data: Value = serde_json::from_str(event.data.unwrap().text()).unwrap();
        assert_eq!(data, json!({ "recipient": "ann", "device": "phone-1" }));
    }
}
