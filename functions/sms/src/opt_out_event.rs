//! The event about an SMS opt-out.

use domain::Timestamp;
use domain::delivery::job::Job;
use domain::event::Event;
use domain::event::own_events::{OPTED_OUT, SMS_SOURCE};
use publish::Entry;
use serde_json::json;

/// The event, caused by the event of the SMS. Its id is derived from the notification's key, so repeats
/// are stored once. It names the recipient, never the number.
#[must_use]
pub fn opt_out_event(job: &Job, now: Timestamp) -> Entry {
    let data = json!({ "recipient": job.recipient, "channel": "sms" });
    let event = Event::new(SMS_SOURCE, OPTED_OUT, format!("opted-out-{}", job.key.as_str()), now, &data);
    Entry::of(&job.event.leads_to(Event { subject: Some(job.recipient.clone()), ..event }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::event::producers::Tenants;
    use domain::recipient::recipient_changes::{self, Change, Notice};

    #[test]
    fn opt_out_event_suppresses_the_channel_without_a_number() {
        let now: Timestamp = "2026-11-20T12:00:05Z".parse().unwrap();
        let job: Job = serde_json::from_value(json!({
            "version": 1, "key": "k-1", "rule": "r", "catalog": "c", "recipient": "ann",
            "event": { "id": "e-1", "source": "s", "type": "t", "time": "2026-11-20T12:00:00Z", "tenant": "clinic-7" },
            "priority": "normal", "on_unknown": "hold",
            "content": { "sms": { "to": "+15550100", "text": "Hi", "locale": "en" } },
        }))
        .unwrap();
        let entry = opt_out_event(&job, now);
        assert!(!entry.detail.contains("5550100"));
        let event = Event::parse(&entry.detail).unwrap();
        assert_eq!((event.tenant.as_deref(), event.causation_id.as_deref()), (Some("clinic-7"), Some("e-1")));
        let Ok(Notice::People(people)) = recipient_changes::read(&event, &Tenants::All, now) else {
            panic!("it is about somebody")
        };
        assert_eq!(people[0].id, "ann");
        assert!(matches!(&people[0].change, Change::Close(closing) if closing.until.is_none()));
    }
}
