//! The golden rows of the last release, parsed by today's code.

use std::collections::BTreeSet;

use domain::base::channel::Channel;
use domain::base::outcome::{Reason, Status};
use domain::decide::Answer;
use domain::delivery::job::SocketTarget;
use domain::event::Event;
use domain::event::key::Key;
use domain::inbox::{State, View, Viewer};
use domain::limits::cancel::CancelKey;
use domain::recipient::recipient_changes::Stamp;
use domain::recipient::{EmailAddress, Group, PhoneNumber};
use domain::webhook::endpoint::EndpointId;
use jiff::SignedDuration;
use serde_json::{Map, json};

use super::rows;
use super::script::{self, KEY, NOON, OTHER_KEY};
use super::table::Table;
use crate::*;

fn client(table: &str) -> Client {
    Table::of(rows(table)).client()
}

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

#[tokio::test]
async fn ledger_rows_of_the_last_release_are_parsed() {
    let ledger = Ledger::new(&client("ledger"), "t".into());
    let row = async |last: &str| ledger.find(&key(&KEY.replace('G', last))).await.unwrap().unwrap();
    let claimed = row("G").await;
    assert_eq!((claimed.status, claimed.channel), (Status::Claimed, Some(Channel::Email)));
    assert_eq!(claimed.origin, script::job("email").event);
    assert_eq!(claimed.set, script::job("email").set);
    let failed = row("H").await;
    assert_eq!((failed.status, failed.reason), (Status::Failed, Some(Reason::RetriesExhausted)));
    assert_eq!(failed.provider_id.as_deref(), Some("p-1"));
    let merged = row("I").await;
    assert_eq!((merged.status, merged.reason), (Status::Deferred, Some(Reason::Merged)));
    assert_eq!((merged.until, merged.joined.as_deref()), (Some(NOON), Some("wi-1")));
    let delivered = row("J").await;
    assert_eq!((delivered.status, delivered.marks.delivered_at), (Status::Delivered, Some(NOON)));
    assert_eq!(delivered.marks.seen_at, Some(NOON));

    let found = rows("ledger");
    let of = |status: &str| found.iter().find(|row| row.get("status") == Some(status)).unwrap();
    let after = NOON + SignedDuration::from_secs(3_600);
    assert!(matches!(
        evaluate_claim(of("claimed"), "token-2", NOON),
        ClaimDecision::Stays(ClaimStatus::Held)
    ));
    assert!(matches!(
        evaluate_claim(of("claimed"), "token-1", NOON),
        ClaimDecision::Stays(ClaimStatus::Ours(_))
    ));
    let late = evaluate_claim(of("claimed"), "token-2", after);
    assert!(matches!(
        late,
        ClaimDecision::Take { standing: ClaimStatus::Abandoned(_), status: Status::Claimed }
    ));
    let over = evaluate_claim(of("failed"), "token-2", after);
    assert!(matches!(over, ClaimDecision::Stays(ClaimStatus::Done(Status::Failed, _))));
    assert!(ledger.stored(&key(OTHER_KEY)).await.unwrap().unwrap().address.is_some());
}

#[tokio::test]
async fn people_of_the_last_release_are_parsed() {
    let people = People::new(&client("people"), "t".into());
    let ids = BTreeSet::from(["ann", "bad", "ben"]);
    let found = people.look_up(&ids, &BTreeSet::from(["clinic-7"])).await.unwrap();
    assert!(found.unreadable.is_empty(), "{:?}", found.unreadable);
    let ann = &found.recipients["ann"];
    let expected = script::ann();
    assert!(ann.name == Some("Ann Lee".into()));
    assert!(ann.devices == expected.devices && ann.roles == expected.roles && ann.quiet == expected.quiet);
    assert!(ann.preferences == expected.preferences && ann.in_tenants == expected.in_tenants);
    assert_eq!((&ann.topics, &ann.unsubscribed), (&expected.topics, &expected.unsubscribed));
    assert!(ann.topics_in["clinic-7"].contains("news:all") && ann.topics_in["clinic-8"].contains("ward:4"));
    assert_eq!(ann.suppressed.len(), 3);
    assert!(!found.recipients.contains_key("ben"), "deleted");
    assert_eq!(found.tenants["clinic-7"].zone.as_deref(), Some("Europe/London"));
    let news = Group::topic(Some("clinic-7"), "news:all");
    assert_eq!(people.members(&news, None, 10).await.unwrap().ids, ["ann"]);
    // An older change has no effect, a newer one does.
    let patch = Map::from_iter([("name".to_owned(), json!("Anna"))]);
    let stamp = |second| Stamp { at: NOON + SignedDuration::from_secs(second), by: "crm e-2".into() };
    assert!(!people.merge("ann", patch.clone(), stamp(0)).await.unwrap());
    assert!(people.merge("ann", patch, stamp(60)).await.unwrap());
}

#[tokio::test]
async fn invalid_address_of_the_last_release_is_parsed_and_refused_for_sending() {
    let people = People::new(&client("people"), "t".into());
    let bad = people.find(&BTreeSet::from(["bad"])).await.unwrap().remove("bad").unwrap();
    assert!(bad == script::bad_addresses());
    assert!(EmailAddress::parse(bad.email.as_ref().unwrap().expose()).is_err());
    assert!(PhoneNumber::parse(bad.phone.as_ref().unwrap().expose()).is_err());
    // The invalid addresses do not block other changes.
    let patch = Map::from_iter([("locale".to_owned(), json!("de"))]);
    let stamp = Stamp { at: NOON + SignedDuration::from_secs(60), by: "crm e-2".into() };
    assert!(people.merge("bad", patch, stamp).await.unwrap());
}

#[tokio::test]
async fn inbox_of_the_last_release_keeps_its_entries_and_counts() {
    let inbox = Inbox::new(&client("inbox"), "t".into());
    let viewer = Viewer { user: "ann".into(), view: View::All };
    let counts = inbox.counts(&viewer, NOON).await.unwrap();
    assert_eq!((counts.total, counts.unread, counts.unseen), (2, 1, 1));
    let items = rows("inbox");
    let entries: Vec<_> = items.iter().filter_map(inbox::read_entry).collect();
    assert_eq!(entries.len(), 2);
    assert_eq!(
        (entries[0].seq, entries[0].state, entries[0].tenant.as_deref()),
        (1, State::Unseen, Some("clinic-7"))
    );
    assert_eq!((entries[1].seq, entries[1].state), (2, State::Read));
    assert_eq!((entries[0].kept.title.expose().as_str(), entries[1].kept.truncated), ("Booked", true));
}

#[tokio::test]
async fn sockets_of_the_last_release_keep_their_users() {
    let connections = Connections::new(&client("connections"), "t".into());
    let ann = connections.who("c-1", NOON).await.unwrap().unwrap();
    assert_eq!((ann.user.as_str(), &ann.view), ("ann", &View::Tenant("clinic-7".into())));
    assert!(ann.may_join("ward:3") && !ann.may_join("clinic:8"));
    assert_eq!(connections.who("c-2", NOON).await.unwrap().unwrap().view, View::Only("clinic-7".into()));
    assert_eq!(connections.who("c-3", NOON).await.unwrap().unwrap().view, View::All);
    let room = SocketTarget::Room("clinic:7".into());
    assert_eq!(connections.of(&room, Some("clinic-7"), NOON).await.unwrap().len(), 1);
    assert!(connections.of_user("ann", NOON).await.unwrap()[0].is_opening(NOON));
    assert_eq!(connections.redeem("ticket-1", NOON).await.unwrap().unwrap().identity, ann);
}

#[tokio::test]
async fn counters_of_the_last_release_continue() {
    let counters = Counters::new(&client("counters"), "t".into());
    let cancel = CancelKey::former(Some("clinic-7"), "booked", &["7".into()]);
    assert_eq!(counters.cancelled(&cancel).await.unwrap().unwrap().at, NOON);
    let Answer::Joined { window_id, .. } = counters.joined(&key(KEY), NOON).await.unwrap() else { panic!() };
    let after = NOON + SignedDuration::from_secs(3_600);
    let Closed::Over { items, .. } = counters.close("w-1", &window_id, after).await.unwrap() else {
        panic!()
    };
    assert_eq!((items[0].0.id.as_str(), items[0].1.as_ref()), ("e-1", Some(&cancel)));
    assert!(counters.suppressed_address("h-1").await.unwrap().is_some());
    assert!(!counters.breaker("ses").await.unwrap().value.is_closed());
    assert!(counters.bucket("ses").await.unwrap().version().is_some());
    assert!(counters.is_page_done("p-1").await.unwrap());
}

#[tokio::test]
async fn endpoints_of_the_last_release_are_parsed() {
    let endpoints = Endpoints::new(&client("endpoints"), "t".into());
    let id = EndpointId { tenant: Some("clinic-7".into()), id: "crm".into() };
    let sending = endpoints.sending(&id, &key(KEY)).await.unwrap().unwrap();
    assert_eq!(sending.endpoint.url, "https://example.com/hooks");
    assert!(sending.endpoint.disabled.is_some() && sending.endpoint.when.is_some());
    assert_eq!((sending.health.failures, sending.version), (12, Some(1)));
    assert_eq!(sending.secrets.signing(NOON).count(), 2);
    assert_eq!(sending.message.unwrap().attempts, 2);
    let undelivered = endpoints.undelivered(&id, &key(KEY)).await.unwrap().unwrap();
    assert_eq!(undelivered.job.recipient, "endpoint:clinic-7/crm");
    assert!(endpoints.undelivered(&id, &key(OTHER_KEY)).await.unwrap().is_none(), "delivered");
    let attempts = endpoints.attempts(&id, 10).await.unwrap();
    assert_eq!(
        (attempts[0].status, attempts[0].response.as_ref().map(|body| body.expose().as_str())),
        (Some(503), Some("busy"))
    );
}

#[tokio::test]
async fn events_of_the_last_release_are_parsed() {
    let events = Events::new(&client("events"), "t".into());
    let record = events.find(&script::event()).await.unwrap().unwrap();
    assert_eq!(Event::stored(record.get("event").unwrap()).unwrap(), script::event());
    assert_eq!(events.replays(&script::event()).await.unwrap().len(), 1);
    let stream = Stream::new(Some("clinic-7"), "appointment/7");
    assert_eq!(events.version(&stream).await.unwrap(), 2);
    let page = events.of_stream(&stream, 1, Way::Forward, 10).await.unwrap();
    let pending: Vec<bool> = page.events.iter().map(|event| event.is_pending).collect();
    assert_eq!(pending, [false, true]);
    assert_eq!(events.snapshot(&stream).await.unwrap().unwrap().version, 1);
    let items = rows("events");
    let waiting: Vec<Pending> = items.iter().filter_map(Pending::read).collect();
    assert_eq!(waiting.len(), 1);
    assert!(waiting[0].check(&Event::stored(waiting[0].text.expose()).unwrap()).is_ok());
    assert!(items.iter().any(|item| item.get("refused").is_some()));
}
