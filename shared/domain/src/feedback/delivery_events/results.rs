//! The members of `communication.sent` that consumers of a notification hub read: `category`, `success`, `channels`,
//! `recipientCount` and `results`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::NotificationState;
use crate::base::channel::Channel;
use crate::base::outcome::Status;

/// The recipient name of a row without a recipient.
const NO_RECIPIENT: &str = "-";

/// Adds the members to the event's data. `category` is null for hand-overs of an earlier release.
pub(super) fn add(data: &mut Value, category: Option<&str>, rows: &[&NotificationState<'_>]) {
    let recipients: BTreeSet<&str> =
        rows.iter().map(|row| row.recipient).filter(|name| *name != NO_RECIPIENT).collect();
    let channels: BTreeSet<&str> = rows.iter().filter_map(|row| row.channel).map(Channel::name).collect();
    data["category"] = category.into();
    data["success"] = rows.iter().any(|row| is_success(row.status)).into();
    data["channels"] = channels.into_iter().collect();
    data["recipientCount"] = recipients.len().into();
    data["results"] = rows.iter().filter(|row| row.channel.is_some()).map(|row| result(row)).collect();
}

/// The result of one notification. `messageId` is the provider's id, or the notification's key if the provider has
/// none, or null if no message was sent.
fn result(row: &NotificationState<'_>) -> Value {
    let success = is_success(row.status);
    let own = success.then_some(row.key.as_str());
    json!({
        "channel": row.channel.map(Channel::name), "success": success,
        "messageId": row.provider_id.or(own), "recipient": row.recipient,
    })
}

/// Whether a provider accepted the notification and did not reject it later. An unknown outcome is not a success.
fn is_success(status: Status) -> bool {
    match status {
        Status::Sent | Status::Unconfirmed | Status::Delivered => true,
        Status::Claimed
        | Status::Released
        | Status::Suppressed
        | Status::Deferred
        | Status::Failed
        | Status::Unknown
        | Status::Undelivered
        | Status::Bounced => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Set, communication};
    use super::*;
    use crate::base::outcome::Reason;
    use crate::delivery::job::Origin;
    use crate::event::Event;
    use crate::event::key::Key;
    use jiff::Timestamp;

    #[test]
    fn communication_has_the_hubs_members() {
        let rows = [
            ("ann", Some(Channel::Email), Status::Sent, Some("ses-1")),
            ("ann", Some(Channel::Push), Status::Failed, None),
            ("ben", Some(Channel::Socket), Status::Sent, None),
        ];
        let data = notification("event", Some("EHR_RECORD"), &rows);
        assert_eq!((&data["eventId"], &data["eventType"]), (&json!("e-1"), &json!("task.done")));
        assert_eq!((&data["category"], &data["success"]), (&json!("EHR_RECORD"), &json!(true)));
        assert_eq!(
            (&data["channels"], &data["recipientCount"]),
            (&json!(["email", "push", "socket"]), &json!(2))
        );
        assert_eq!(
            data["results"],
            json!([
                { "channel": "email", "success": true, "messageId": "ses-1", "recipient": "ann" },
                { "channel": "push", "success": false, "messageId": null, "recipient": "ann" },
                { "channel": "socket", "success": true, "messageId": keys()[2].as_str(), "recipient": "ben" },
            ])
        );
        assert_eq!(data["outcomes"]["email"], json!({ "sent": 1 }));
    }

    #[test]
    fn failures_and_suppressions_are_not_a_success() {
        for (channel, status) in [
            (Some(Channel::Email), Status::Failed),
            (Some(Channel::Sms), Status::Suppressed),
            (Some(Channel::Email), Status::Bounced),
            (Some(Channel::Sms), Status::Unknown),
        ] {
            let data = notification("suppressed", None, &[("ann", channel, status, None)]);
            assert_eq!(data["success"], json!(false), "{status:?}");
            assert_eq!(data["results"][0]["success"], json!(false), "{status:?}");
        }
        let unaddressed = notification("suppressed", None, &[("-", None, Status::Suppressed, None)]);
        assert_eq!((&unaddressed["success"], &unaddressed["recipientCount"]), (&json!(false), &json!(0)));
        assert_eq!((&unaddressed["channels"], &unaddressed["results"]), (&json!([]), &json!([])));
    }

    #[test]
    fn suppressed_set_is_incomplete_while_continuations_are_pending() {
        let (origin, keys) = (origin(), keys());
        let rows = [row(&origin, &keys[0], ("ann", Some(Channel::Sms), Status::Suppressed, None))];
        assert_eq!(communication(&Set::suppressed(None, None), &rows), None);
        assert_eq!(communication(&Set::suppressed(Some(2), None), &rows), None);
        let notification = communication(&Set::suppressed(Some(1), None), &rows).unwrap();
        let again = communication(&Set::suppressed(Some(1), None), &rows).unwrap();
        assert_eq!(notification.id, again.id, "one event for any number of repetitions");
        assert!(Set::is_suppressed(&Set::suppressed(None, None).id));
        assert!(!Set::is_suppressed(&Set::name(None)) && !Set::is_suppressed(&Set::name(Some("{}"))));
    }

    type Row<'a> = (&'a str, Option<Channel>, Status, Option<&'a str>);

    fn notification(set: &str, category: Option<&str>, rows: &[Row<'_>]) -> Value {
        let (origin, keys) = (origin(), keys());
        let rows: Vec<NotificationState<'_>> =
            rows.iter().zip(&keys).map(|(values, key)| row(&origin, key, *values)).collect();
        let of = u32::try_from(rows.len()).unwrap();
        let set = Set { id: set.to_owned(), of, category: category.map(str::to_owned) };
        let event = communication(&set, &rows).unwrap();
        serde_json::from_str(event.data.as_ref().unwrap().text()).unwrap()
    }

    fn row<'a>(
        origin: &'a Origin,
        key: &'a Key,
        (recipient, channel, status, id): Row<'a>,
    ) -> NotificationState<'a> {
        NotificationState {
            key,
            origin,
            status,
            reason: (status == Status::Suppressed).then_some(Reason::Preference),
            rule: "done",
            recipient,
            channel,
            step: 0,
            provider_id: id,
            at: Timestamp::constant(1_795_000_000, 0),
        }
    }

    fn keys() -> [Key; 3] {
        ["a", "b", "c"].map(|letter| Key::from(letter.repeat(43)))
    }

    fn origin() -> Origin {
        let event = r#"{"specversion":"1.0","id":"e-1","source":"tasks","type":"task.done","time":"2026-11-20T12:00:00Z"}"#;
        Origin::of(&Event::parse(event).unwrap())
    }
}
