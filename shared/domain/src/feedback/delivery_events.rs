//! Delivery events. The bus receives `carillon.delivery.<status>` for each notification with a final status, and one
//! `communication.sent` for all notifications of one hand-over of an event. An event whose notifications were all
//! suppressed also leads to one `communication.sent`.
//!
//! Both events are computed from ledger rows only, and the rows determine their ids. A repeated publication is
//! therefore the same event.

use std::collections::{BTreeMap, BTreeSet};

mod results;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::base::channel::Channel;
use crate::base::outcome::{Reason, Status};
use crate::event::Event;
use crate::event::key::{Key, event_part, hash_of};
use crate::event::origin::Origin;
use crate::event::own_events::{COMMUNICATION, RELAY_SOURCE};

/// The type prefix of events about single notifications.
pub const DELIVERY: &str = "carillon.delivery.";

/// Whether an event is a `communication.sent` of the relay.
#[must_use]
pub fn is_communication(event: &Event) -> bool {
    event.kind == COMMUNICATION && event.source == RELAY_SOURCE
}

/// The notifications of one hand-over of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Set {
    /// The id of the hand-over within its event. Repetitions have the same id.
    pub id: String,
    /// Number of notifications in the set.
    pub of: u32,
    /// The category of the event, or of the rule if the event has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
}

/// The set of suppressed notifications of an event without any sent notification.
const SUPPRESSED: &str = "suppressed";

impl Set {
    /// The name of a message's hand-over. The hand-over of the event itself has a fixed name, and that of a
    /// continuation is named by its content.
    #[must_use]
    pub fn name(left_for_later: Option<&str>) -> String {
        left_for_later.map_or_else(|| "event".to_owned(), |message| hash_of(&[message])[..16].to_owned())
    }

    /// The set of the suppressed notifications of a hand-over that sends none. All hand-overs of an event share it,
    /// so that the event leads to one `communication.sent`.
    ///
    /// `of` is the number of suppressed notifications, or `None` while continuations of the event are pending. Such a
    /// set is never complete by itself.
    #[must_use]
    pub fn suppressed(of: Option<usize>, category: Option<String>) -> Set {
        let of = of.and_then(|of| u32::try_from(of).ok()).unwrap_or(u32::MAX);
        Set { id: SUPPRESSED.to_owned(), of, category }
    }

    /// Whether a set is the one of [`Set::suppressed`]. No hand-over has this name, because names are hashes, or
    /// `event`.
    #[must_use]
    pub fn is_suppressed(id: &str) -> bool {
        id == SUPPRESSED
    }
}

/// A notification with its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationState<'a> {
    pub key: &'a Key,
    pub origin: &'a Origin,
    pub status: Status,
    pub reason: Option<Reason>,
    pub rule: &'a str,
    /// An id, a room, or the hash of an inline address, and never an address.
    pub recipient: &'a str,
    pub channel: Option<Channel>,
    pub step: u32,
    /// The provider's message id.
    pub provider_id: Option<&'a str>,
    /// The time of the present state.
    pub at: Timestamp,
}

/// The delivery event of a notification. `None` if the notification is in progress, or if no rule matched and there
/// is no notification.
#[must_use]
pub fn delivery(notification: &NotificationState<'_>) -> Option<Event> {
    if !notification.status.is_final() || notification.reason == Some(Reason::NoRule) {
        return None;
    }
    let status = notification.status.name();
    let id = hash_of(&["delivery", notification.key.as_str(), status]);
    let mut data = json!({
        "notification": notification.key.as_str(),
        "status": status,
        "event": { "id": notification.origin.id, "source": notification.origin.source, "type": notification.origin.kind },
        "rule": notification.rule,
        "step": notification.step,
        "recipient": notification.recipient,
    });
    let optional = [
        ("reason", notification.reason.map(Reason::name)),
        ("channel", notification.channel.map(Channel::name)),
        ("providerId", notification.provider_id),
        ("replay", notification.origin.replay.as_deref()),
    ];
    for (name, value) in optional.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        data[name] = value.into();
    }
    let event = Event::new(RELAY_SOURCE, &format!("{DELIVERY}{status}"), id, notification.at, &data);
    let subject = Some(format!("notification/{}", notification.key.as_str()));
    Some(notification.origin.leads_to(Event { subject, ..event }))
}

/// The event about a set whose notifications are all final, with the recipients and the outcomes by channel. `None`
/// if a notification is in progress or missing. Also `None` for sets of this event type, to prevent an endless loop.
///
/// `rows` are the rows of the set in any order.
#[must_use]
pub fn communication(set: &Set, rows: &[NotificationState<'_>]) -> Option<Event> {
    let first = rows.iter().min_by_key(|row| row.key)?;
    let is_final = rows.iter().all(|row| row.status.is_final());
    if !is_final
        || rows.len() < usize::try_from(set.of).unwrap_or(usize::MAX)
        || first.origin.kind == COMMUNICATION
    {
        return None;
    }
    let mut sorted: Vec<&NotificationState<'_>> = rows.iter().collect();
    sorted.sort_by_key(|row| (row.recipient, row.channel, row.key));
    let recipients: BTreeSet<&str> = sorted.iter().map(|row| row.recipient).collect();
    let mut outcomes: BTreeMap<&str, BTreeMap<&str, u32>> = BTreeMap::new();
    for row in &sorted {
        let of_channel = outcomes.entry(row.channel.map_or("-", Channel::name)).or_default();
        *of_channel.entry(row.status.name()).or_default() += 1;
    }
    let notifications: Vec<Value> = sorted
        .iter()
        .map(|row| {
            json!({
                "notification": row.key.as_str(), "recipient": row.recipient,
                "channel": row.channel.map(Channel::name), "status": row.status.name(),
                "reason": row.reason.map(Reason::name),
            })
        })
        .collect();
    let origin = first.origin;
    let id = hash_of(&["communication", &origin.source, &origin.id, &set.id]);
    let at = rows.iter().map(|row| row.at).max()?;
    let mut data = json!({
        "communicationId": id,
        "eventId": origin.id,
        "eventType": origin.kind,
        "eventSource": origin.source,
        "recipients": recipients,
        "outcomes": outcomes,
        "notifications": notifications,
    });
    results::add(&mut data, set.category.as_deref(), &sorted);
    let subject = Some(format!("communication/{}", event_part(&origin.source, &origin.id)));
    Some(origin.leads_to(Event { subject, ..Event::new(RELAY_SOURCE, COMMUNICATION, id, at, &data) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

    #[test]
    fn final_status_has_one_event_and_others_have_none() {
        let (origin, key) = (origin("task.done"), Key::from("k".repeat(43)));
        let notification = |status, reason| NotificationState {
            status,
            reason,
            ..notification(&origin, &key, "ann", Channel::Email)
        };
        let sent = delivery(&notification(Status::Sent, None)).unwrap();
        assert_eq!(sent.kind, "carillon.delivery.sent");
        assert_eq!(crate::event::emitted::difference(&sent), None);
        assert_eq!(sent.causation_id.as_deref(), Some("e-1"));
        assert_eq!(delivery(&notification(Status::Sent, None)).unwrap(), sent);
        assert_ne!(delivery(&notification(Status::Unknown, None)).unwrap().id, sent.id);
        assert_eq!(Event::parse(&sent.to_json()).unwrap(), sent, "it is an event like any other");
        for (status, reason) in
            [(Status::Claimed, None), (Status::Released, None), (Status::Suppressed, Some(Reason::NoRule))]
        {
            assert_eq!(delivery(&notification(status, reason)), None, "{status:?}");
        }
    }

    #[test]
    fn communication_needs_a_complete_set_and_is_never_about_itself() {
        let keys = [Key::from("a".repeat(43)), Key::from("b".repeat(43))];
        let of = |kind: &str, statuses: &[Status]| {
            let origin = origin(kind);
            let rows: Vec<NotificationState<'_>> = statuses
                .iter()
                .zip(&keys)
                .map(|(status, key)| NotificationState {
                    status: *status,
                    ..notification(&origin, key, "ann", Channel::Email)
                })
                .collect();
            communication(&Set { id: "event".into(), of: 2, category: None }, &rows)
        };
        assert_eq!(of("task.done", &[Status::Sent]), None, "one is missing");
        assert_eq!(of("task.done", &[Status::Sent, Status::Claimed]), None, "one is under way");
        assert_eq!(of(COMMUNICATION, &[Status::Sent, Status::Sent]), None, "it would never end");
        let notification = of("task.done", &[Status::Sent, Status::Failed]).unwrap();
        assert_eq!(crate::event::emitted::difference(&notification), None);
        let data: Value = serde_json::from_str(notification.data.as_ref().unwrap().text()).unwrap();
        assert_eq!(data["outcomes"], json!({ "email": { "sent": 1, "failed": 1 } }));
        assert_eq!((&data["recipients"], &data["eventId"]), (&json!(["ann"]), &json!("e-1")));
        assert_eq!(of("task.done", &[Status::Sent, Status::Failed]).unwrap().id, notification.id);
    }

    #[test]
    fn hand_overs_have_different_names() {
        assert_eq!(Set::name(None), Set::name(None));
        assert_ne!(Set::name(Some("{\"a\":1}")), Set::name(Some("{\"a\":2}")));
        assert_ne!(Set::name(Some("{}")), Set::name(None));
    }

    fn notification<'a>(
        origin: &'a Origin,
        key: &'a Key,
        recipient: &'a str,
        channel: Channel,
    ) -> NotificationState<'a> {
        NotificationState {
            key,
            origin,
            status: Status::Sent,
            reason: None,
            rule: "done",
            recipient,
            channel: Some(channel),
            step: 0,
            provider_id: None,
            at: NOON,
        }
    }

    fn origin(kind: &str) -> Origin {
        let event = format!(
            r#"{{"specversion":"1.0","id":"e-1","source":"tasks","type":"{kind}","time":"2026-11-20T12:00:00Z"}}"#
        );
        Origin::of(&Event::parse(&event).unwrap())
    }
}
