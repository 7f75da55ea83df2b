//! WebSocket tickets, rooms, messages to clients, and their acknowledgements.

use std::time::Duration;

use serde_json::json;

use domain::base::channel::Channel;
use domain::base::outcome::{Reason, Status};
use domain::catalog::rule::Unless;
use domain::delivery::job::{Origin, SocketTarget};
use domain::event::Event;
use domain::event::key::Key;
use domain::inbox::View;
use store::{Identity, LedgerRow};
use testkit::cloud::{Cloud, cloud_event, now, now_text};
use testkit::until::until;
use testkit::ws_client::{Client, ticket};
use workspace::unique;

#[tokio::test]
async fn connection_needs_a_fresh_unused_ticket() {
    let cloud = Cloud::connect();
    assert!(Client::connect(&cloud, "").await.is_err(), "none");
    assert!(Client::connect(&cloud, "made-up").await.is_err(), "made up");
    let once = ticket(&cloud, &unique("user"), None, &[], 30).await;
    let first = Client::connect(&cloud, &once).await.unwrap();
    assert!(Client::connect(&cloud, &once).await.is_err(), "used");
    let old = ticket(&cloud, &unique("user"), None, &[], -1).await;
    assert!(Client::connect(&cloud, &old).await.is_err(), "too old");
    first.close().await;
}

#[tokio::test]
async fn client_learns_its_permissions_and_its_errors() {
    let cloud = Cloud::connect();
    let mut client = Client::of(&cloud, &unique("user"), None, &["queue:*", "lobby"]).await;
    assert_eq!(client.ask(r#"{"action":"ping"}"#).await, json!({ "type": "pong" }));
    let ask = |room: &str| json!({ "action": "subscribe", "room": room }).to_string();
    assert_eq!(client.ask(&ask("lobby")).await, json!({ "type": "subscribed", "room": "lobby" }));
    let refused = client.ask(&ask("theatre:1")).await;
    assert_eq!(refused, json!({ "type": "refused", "room": "theatre:1", "reason": "not_allowed" }));
    for (output, reason) in [
        (r#"{"action":"subscribe"}"#, "bad_room"),
        (r#"{"action":"subscribe","room":7}"#, "bad_room"),
        (r#"{"action":"seen"}"#, "bad_ids"),
        (r#"{"action":"acknowledge","ids":["short"]}"#, "bad_ids"),
        (r#"{"action":"acknowledge","ids":[]}"#, "bad_ids"),
        (r#"{"action":"dance"}"#, "unknown_action"),
        ("not json", "unknown_action"),
        ("[]", "unknown_action"),
    ] {
        let received = client.ask(output).await;
        assert_eq!((&received["type"], &received["reason"]), (&json!("error"), &json!(reason)), "{output}");
    }
    assert_eq!(client.ask(&ask(&"x".repeat(300))).await["reason"], "bad_room");
}

#[tokio::test]
async fn closed_socket_is_removed_from_all_rooms() {
    let cloud = Cloud::connect();
    let user = unique("user");
    let room = unique("room");
    let mut client = Client::of(&cloud, &user, None, &[&room]).await;
    client.ask(&json!({ "action": "subscribe", "room": room }).to_string()).await;
    let targets = [SocketTarget::User(user), SocketTarget::Room(room)];
    for target in &targets {
        assert_eq!(cloud.connections.of(target, None, now()).await.unwrap().len(), 1, "{target:?}");
    }
    client.close().await;
    for target in &targets {
        until("it is forgotten", async || {
            cloud.connections.of(target, None, now()).await.unwrap().is_empty().then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn dead_socket_is_removed_when_a_post_to_it_fails() {
    let cloud = Cloud::connect();
    let ann = cloud.new_recipient_with(json!({ "id": unique("user") })).await;
    let who = Identity { user: ann.id.clone(), view: View::All, rooms: vec![], until: None };
    let long_ago = now() - Duration::from_secs(60);
    for _ in 0..30 {
        cloud.connections.open(&unique("gone"), &who, long_ago).await.unwrap();
    }
    let mut alive = Client::of(&cloud, &ann.id, None, &[]).await;
    let id = unique("event");
    cloud.put(&[cloud_event("core.hello", &id, &json!({ "to": [ann.id], "message": "Still there?" }))]).await;
    assert_eq!(alive.next_message().await["event"]["id"], id.as_str());
    let target = SocketTarget::User(ann.id.clone());
    until("only the open one is left", async || {
        (cloud.connections.of(&target, None, now()).await.unwrap().len() == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn only_the_recipient_can_see_and_acknowledge_a_notification() {
    let cloud = Cloud::connect();
    let ann = cloud.new_recipient_with(json!({ "id": unique("user") })).await;
    let mut client = Client::of(&cloud, &ann.id, None, &[]).await;
    let mut other = Client::of(&cloud, &unique("user"), None, &[]).await;
    let event = unique("event");
    cloud.put(&[cloud_event("core.hello", &event, &json!({ "to": [ann.id], "message": "Seen?" }))]).await;
    let id = client.next_message().await["id"].as_str().unwrap().to_owned();
    let key = Key::parse(&id).unwrap();
    until("it is sent", async || {
        cloud.ledger.find(&key).await.unwrap().filter(|row| row.status == Status::Sent)
    })
    .await;
    let counts = |unseen, unread| json!({ "unseen": unseen, "unread": unread, "total": 1 });
    let noticed = async || cloud.ledger.noticed(std::slice::from_ref(&key)).await.unwrap();

    let say = |action: &str, ids: &[&str]| json!({ "action": action, "ids": ids }).to_string();
    let no = json!({ "type": "refused", "refused": [{ "id": id, "reason": "not_yours" }] });
    assert_eq!(other.ask(&say("acknowledge", &[&id])).await, no);
    assert_eq!(noticed().await, None);
    assert_eq!(
        client.ask(&say("seen", &[&id])).await,
        json!({ "type": "seen", "ids": [id], "counts": counts(0, 1) })
    );
    assert_eq!(noticed().await, Some(Unless::Seen));
    let made_up = "0".repeat(43);
    assert_eq!(
        client.ask(&say("acknowledge", &[&made_up, &id])).await,
        json!({
            "type": "acknowledged", "ids": [id], "refused": [{ "id": made_up, "reason": "not_yours" }],
            "counts": counts(0, 0),
        })
    );
    assert_eq!(noticed().await, Some(Unless::Acknowledged));
    let row = cloud.ledger.find(&key).await.unwrap().unwrap();
    assert_eq!(row.status, Status::Sent, "and nothing else of it has changed");
}

#[tokio::test]
async fn row_of_a_room_or_of_another_tenant_cannot_be_acknowledged() {
    let cloud = Cloud::connect();
    let user = unique("user");
    let mut client = Client::of(&cloud, &user, Some("clinic-7"), &[]).await;
    for (recipient, tenant, reason) in [
        (user.as_str(), "clinic-8", "not_yours"),
        ("room:queue:7", "clinic-7", "told_to_a_room"),
        ("room:queue:7", "clinic-8", "not_yours"),
    ] {
        let event = json!({
            "specversion": "1.0", "id": unique("event"), "source": "tests", "type": "t", "tenant": tenant,
            "time": now_text(),
        });
        let event = Event::parse(&event.to_string()).unwrap();
        let key = Key::of(&event, "tests", recipient, Some(Channel::Socket), 0, "");
        let row = LedgerRow {
            key: key.clone(),
            status: Status::Sent,
            reason: None,
            origin: Origin::of(&event),
            rule: "tests".into(),
            catalog: "tests".into(),
            recipient: recipient.into(),
            channel: Some(Channel::Socket),
            step: 0,
            until: None,
            joined: None,
            note: None,
            provider_id: None,
            marks: domain::feedback::receipt::Marks::default(),
            set: None,
            times: store::Times::default(),
        };
        for result in cloud.ledger.record(&[row], now()).await {
            result.unwrap();
        }
        let received = client.ask(&json!({ "action": "acknowledge", "ids": [key] }).to_string()).await;
        let no = json!({ "type": "refused", "refused": [{ "id": key, "reason": reason }] });
        assert_eq!(received, no, "{recipient} of {tenant}");
        assert_eq!(cloud.ledger.noticed(&[key]).await.unwrap(), None, "{recipient} of {tenant}");
    }
}

#[tokio::test]
async fn message_to_an_absent_user_is_no_failure_and_waits_in_the_inbox() {
    let cloud = Cloud::connect();
    let ann = cloud.new_recipient_with(json!({ "id": unique("user") })).await;
    let id = unique("event");
    cloud.put(&[cloud_event("core.hello", &id, &json!({ "to": [ann.id], "message": "Anybody?" }))]).await;
    let rows =
        until("two outcomes", async || Some(cloud.outcomes(&id).await).filter(|rows| rows.len() == 2)).await;
    let reasons: Vec<_> = rows.iter().map(|row| (row.status, row.reason)).collect();
    assert_eq!(reasons, [(Status::Suppressed, Some(Reason::NoAddress)), (Status::Sent, None)]);
}
