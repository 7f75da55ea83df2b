//! What the bus hears of notifications: `carillon.delivery.<status>` for each that reached a status, and one
//! `communication.sent` for all that one hand-over of an event led to. An event of which nothing was to be sent leads to
//! one `communication.sent`, too: its notifications were all suppressed.
//!
//! Both are made of ledger rows alone, under ids that the rows decide: told twice, they are one event.

use std::collections::{BTreeMap, BTreeSet};

mod results;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::channel::Channel;
use crate::event::Event;
use crate::job::Origin;
use crate::key::{Key, event_part, hash_of};
use crate::outcome::{Reason, Status};

/// The relay publishes these events.
const SOURCE: &str = crate::producers::RELAY_SOURCE;

/// What the type of every event about one notification begins with.
pub const DELIVERY: &str = "carillon.delivery.";

/// The type of the event about all notifications of one hand-over.
pub const COMMUNICATION: &str = "communication.sent";

/// Whether an event is the `communication.sent` that the relay publishes.
#[must_use]
pub fn is_communication(event: &Event) -> bool {
    event.kind == COMMUNICATION && event.source == SOURCE
}

/// The notifications that one hand-over of an event led to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Set {
    /// Names the hand-over among those of its event: the same, however often it is repeated.
    pub id: String,
    /// How many notifications there are in it.
    pub of: u32,
    /// The category of the event, or else of the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
}

/// The set of the notifications of an event that were suppressed when nothing of the event was to be sent.
const SUPPRESSED: &str = "suppressed";

impl Set {
    /// What the hand-over of this message is called: that of an event itself has no name, what was left for later is
    /// called by what it says.
    #[must_use]
    pub fn name(left_for_later: Option<&str>) -> String {
        left_for_later.map_or_else(|| "event".to_owned(), |it| hash_of(&[it])[..16].to_owned())
    }

    /// The set of the suppressed notifications of a hand-over that sends nothing. All hand-overs of an event share it, so
    /// that the event leads to one `communication.sent`.
    ///
    /// `of` is the number of suppressed notifications; `None` while more of the event is left for later. Such a set never
    /// is complete by itself.
    #[must_use]
    pub fn suppressed(of: Option<usize>, category: Option<String>) -> Set {
        let of = of.and_then(|of| u32::try_from(of).ok()).unwrap_or(u32::MAX);
        Set { id: SUPPRESSED.to_owned(), of, category }
    }

    /// Whether a set is the one of [`Set::suppressed`]. No hand-over has this name: names are hashes, or `event`.
    #[must_use]
    pub fn is_suppressed(id: &str) -> bool {
        id == SUPPRESSED
    }
}

/// One notification and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told<'a> {
    pub key: &'a Key,
    pub origin: &'a Origin,
    pub status: Status,
    pub reason: Option<Reason>,
    pub rule: &'a str,
    /// An id, a room, or the hash of an inline address: never an address.
    pub recipient: &'a str,
    pub channel: Option<Channel>,
    pub step: u32,
    /// What the provider calls it.
    pub provider_id: Option<&'a str>,
    /// Since when it stands there.
    pub at: Timestamp,
}

/// What the bus hears of one notification. `None` where nothing came of it that anybody could wait for: it is still
/// under way, or no rule matched and there is no notification.
#[must_use]
pub fn delivery(told: &Told<'_>) -> Option<Event> {
    if !told.status.is_final() || told.reason == Some(Reason::NoRule) {
        return None;
    }
    let status = told.status.name();
    let id = hash_of(&["delivery", told.key.as_str(), status]);
    let mut data = json!({
        "notification": told.key.as_str(),
        "status": status,
        "event": { "id": told.origin.id, "source": told.origin.source, "type": told.origin.kind },
        "rule": told.rule,
        "step": told.step,
        "recipient": told.recipient,
    });
    let optional = [
        ("reason", told.reason.map(Reason::name)),
        ("channel", told.channel.map(Channel::name)),
        ("providerId", told.provider_id),
        ("replay", told.origin.replay.as_deref()),
    ];
    for (name, value) in optional.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        data[name] = value.into();
    }
    let event = Event::new(SOURCE, &format!("{DELIVERY}{status}"), id, told.at, &data);
    let subject = Some(format!("notification/{}", told.key.as_str()));
    Some(told.origin.leads_to(Event { subject, ..event }))
}

/// What the bus hears when every notification of a set stands: to whom the event was told, and how it went on each
/// channel. `None` while one is under way or missing; and for the sets of this very event, which would never end.
///
/// `rows` are those of the set, in whatever order.
#[must_use]
pub fn communication(set: &Set, rows: &[Told<'_>]) -> Option<Event> {
    let first = rows.iter().min_by_key(|row| row.key)?;
    let stands = rows.iter().all(|row| row.status.is_final());
    if !stands
        || rows.len() < usize::try_from(set.of).unwrap_or(usize::MAX)
        || first.origin.kind == COMMUNICATION
    {
        return None;
    }
    let mut sorted: Vec<&Told<'_>> = rows.iter().collect();
    sorted.sort_by_key(|it| (it.recipient, it.channel, it.key));
    let recipients: BTreeSet<&str> = sorted.iter().map(|it| it.recipient).collect();
    let mut outcomes: BTreeMap<&str, BTreeMap<&str, u32>> = BTreeMap::new();
    for it in &sorted {
        let of_channel = outcomes.entry(it.channel.map_or("-", Channel::name)).or_default();
        *of_channel.entry(it.status.name()).or_default() += 1;
    }
    let notifications: Vec<Value> = sorted
        .iter()
        .map(|it| {
            json!({
                "notification": it.key.as_str(), "recipient": it.recipient,
                "channel": it.channel.map(Channel::name), "status": it.status.name(),
                "reason": it.reason.map(Reason::name),
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
    Some(origin.leads_to(Event { subject, ..Event::new(SOURCE, COMMUNICATION, id, at, &data) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

    #[test]
    fn a_status_is_told_once_however_often_it_is_seen_and_what_is_under_way_is_not() {
        let (origin, key) = (origin("task.done"), Key::from("k".repeat(43)));
        let told = |status, reason| Told { status, reason, ..told(&origin, &key, "ann", Channel::Email) };
        let sent = delivery(&told(Status::Sent, None)).unwrap();
        assert_eq!(sent.kind, "carillon.delivery.sent");
        assert_eq!(sent.causation_id.as_deref(), Some("e-1"));
        assert_eq!(delivery(&told(Status::Sent, None)).unwrap(), sent);
        assert_ne!(delivery(&told(Status::Unknown, None)).unwrap().id, sent.id);
        assert_eq!(Event::parse(&sent.to_json()).unwrap(), sent, "it is an event like any other");
        for (status, reason) in
            [(Status::Claimed, None), (Status::Released, None), (Status::Suppressed, Some(Reason::NoRule))]
        {
            assert_eq!(delivery(&told(status, reason)), None, "{status:?}");
        }
    }

    #[test]
    fn a_communication_is_told_when_all_of_its_set_stand_and_never_of_itself() {
        let keys = [Key::from("a".repeat(43)), Key::from("b".repeat(43))];
        let of = |kind: &str, statuses: &[Status]| {
            let origin = origin(kind);
            let rows: Vec<Told<'_>> = statuses
                .iter()
                .zip(&keys)
                .map(|(status, key)| Told { status: *status, ..told(&origin, key, "ann", Channel::Email) })
                .collect();
            communication(&Set { id: "event".into(), of: 2, category: None }, &rows)
        };
        assert_eq!(of("task.done", &[Status::Sent]), None, "one is missing");
        assert_eq!(of("task.done", &[Status::Sent, Status::Claimed]), None, "one is under way");
        assert_eq!(of(COMMUNICATION, &[Status::Sent, Status::Sent]), None, "it would never end");
        let told = of("task.done", &[Status::Sent, Status::Failed]).unwrap();
        let data: Value = serde_json::from_str(told.data.as_ref().unwrap().text()).unwrap();
        assert_eq!(data["outcomes"], json!({ "email": { "sent": 1, "failed": 1 } }));
        assert_eq!((&data["recipients"], &data["eventId"]), (&json!(["ann"]), &json!("e-1")));
        assert_eq!(of("task.done", &[Status::Sent, Status::Failed]).unwrap().id, told.id);
    }

    #[test]
    fn every_hand_over_of_an_event_has_a_name_of_its_own() {
        assert_eq!(Set::name(None), Set::name(None));
        assert_ne!(Set::name(Some("{\"a\":1}")), Set::name(Some("{\"a\":2}")));
        assert_ne!(Set::name(Some("{}")), Set::name(None));
    }

    fn told<'a>(origin: &'a Origin, key: &'a Key, recipient: &'a str, channel: Channel) -> Told<'a> {
        Told {
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
