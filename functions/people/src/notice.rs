//! Parses a message into the updates it requests.

use domain::Timestamp;
use domain::event::Refusal;
use domain::event::bus::BusEvent;
use domain::event::producers::Producers;
use domain::recipient::recipient_changes::{self, Notice};

/// Parses the body of an EventBridge message and checks the right of its producer.
///
/// # Errors
/// [`Refusal`] gives the reason, which becomes the cause of the dead letter.
pub fn read(body: &str, producers: &Producers, now: Timestamp) -> Result<Notice, Refusal> {
    let bus = BusEvent::parse(body)?;
    let event = bus.event(producers)?;
    let reach = producers.reach(&bus.source, event.tenant.as_deref());
    recipient_changes::read(&event, &reach, now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::event::producers::Tenants;

    const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

    #[test]
    fn a_person_comes_in_a_cloud_event_or_in_a_plain_one() {
        let cloud_event = r#"{"specversion":"1.0","id":"e-1","source":"crm","type":"carillon.recipient.created",
            "time":"2026-11-18T00:00:00Z","data":{"id":"ann","email":"ann@example.com"}}"#;
        for detail in [cloud_event, r#"{"id":"ann","email":"ann@example.com"}"#] {
            let Ok(Notice::People(people)) = read(&bus(detail), &crm("all"), NOON) else {
                panic!("{detail}")
            };
            assert_eq!(people[0].id, "ann");
        }
    }

    #[test]
    fn message_without_an_event_is_refused() {
        for body in ["", "[]", "not json", r#"{"id":"1"}"#, &bus(r#"{"specversion":"0.3"}"#), &bus("7")] {
            assert!(read(body, &crm("all"), NOON).is_err(), "{body}");
        }
    }

    #[test]
    fn update_needs_a_source_with_the_right_and_reaches_its_tenants_alone() {
        let detail = r#"{"specversion":"1.0","id":"e-1","source":"crm","type":"carillon.recipient.created",
            "time":"2026-11-18T00:00:00Z","tenant":"ten-a","data":{"id":"ann"}}"#;
        let class =
            |producers: &Producers| read(&bus(detail), producers, NOON).err().map(|err| err.class.name());
        assert_eq!(class(&Producers::default()), Some("producer_not_allowed"));
        let Ok(Notice::People(people)) = read(&bus(detail), &crm("all"), NOON) else { panic!("crm may") };
        assert_eq!(people[0].reach, Tenants::Listed(["ten-a".to_owned()].into()));
        let forged = bus(detail).replace(r#""source":"crm","account""#, r#""source":"shop","account""#);
        let refusal = read(&forged, &crm("all"), NOON).err().unwrap();
        assert_eq!(refusal.class.name(), "identity_mismatch");
    }

    /// A policy that lets `crm` update people of these tenants.
    fn crm(tenants: &str) -> Producers {
        let entries = serde_json::json!([{ "source": "crm", "tenants": tenants, "people": true }]);
        serde_json::from_value(entries).unwrap()
    }

    fn bus(detail: &str) -> String {
        format!(
            r#"{{"version":"0","id":"b-1","detail-type":"carillon.recipient.created","source":"crm","account":"1",
                "time":"2026-11-18T00:00:01Z","region":"eu-central-1","resources":[],"detail":{detail}}}"#
        )
    }
}
