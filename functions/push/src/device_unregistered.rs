//! The event about an unregistered device.

use domain::Timestamp;
use domain::delivery::job::Job;
use domain::event::Event;
use domain::event::own_events::{PUSH_SOURCE, UNREGISTERED};
use domain::recipient::Device;
use publish::Entry;
use serde_json::json;

/// The event, caused by the event of the notification. Its data name the recipient and the device, but not the device's
/// address. Its id is derived from the notification's key, so
/// repeats are stored once.
#[must_use]
pub fn device_unregistered(job: &Job, device: &Device, now: Timestamp) -> Entry {
    let data = json!({ "recipient": job.recipient, "device": device.id });
    let event =
        Event::new(PUSH_SOURCE, UNREGISTERED, format!("unregistered-{}", job.key.as_str()), now, &data);
    Entry::of(&job.event.leads_to(Event { subject: Some(job.recipient.clone()), ..event }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::delivery::job::Content;
    use serde_json::Value;

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
        let entry = device_unregistered(&job, &push.to, "2026-11-20T12:00:05Z".parse().unwrap());
        assert!(!entry.detail.contains("arn:secret"));
        let event = Event::parse(&entry.detail).unwrap();
        assert_eq!((event.kind.as_str(), event.source.as_str()), (UNREGISTERED, PUSH_SOURCE));
        assert_eq!(event.subject.as_deref(), Some("ann"));
        assert_eq!(event.tenant.as_deref(), Some("clinic-7"));
        assert_eq!(event.causation_id.as_deref(), Some("e-1"));
        let data: Value = serde_json::from_str(event.data.unwrap().text()).unwrap();
        assert_eq!(data, json!({ "recipient": "ann", "device": "phone-1" }));
    }
}
