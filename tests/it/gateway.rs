//! Tickets, rooms, and what clients are told.

use serde_json::json;

use crate::client::{Client, ticket};
use crate::cloud::{Cloud, cloud_event, now, unique};
use crate::until::until;
use domain::job::SocketTarget;
use domain::outcome::{Reason, Status};
use store::Identity;

#[tokio::test]
async fn nobody_connects_without_a_ticket_or_with_one_that_was_used_or_is_too_old() {
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
async fn a_client_is_told_what_it_may_do_and_what_it_said_wrong() {
    let cloud = Cloud::connect();
    let mut client = Client::of(&cloud, &unique("user"), None, &["queue:*", "lobby"]).await;
    assert_eq!(client.ask(r#"{"action":"ping"}"#).await, json!({ "type": "pong" }));
    let ask = |room: &str| json!({ "action": "subscribe", "room": room }).to_string();
    assert_eq!(client.ask(&ask("lobby")).await, json!({ "type": "subscribed", "room": "lobby" }));
    let refused = client.ask(&ask("theatre:1")).await;
    assert_eq!(refused, json!({ "type": "refused", "room": "theatre:1", "reason": "not_allowed" }));
    for (said, reason) in [
        (r#"{"action":"subscribe"}"#, "bad_room"),
        (r#"{"action":"subscribe","room":7}"#, "bad_room"),
        (r#"{"action":"dance"}"#, "unknown_action"),
        ("not json", "unknown_action"),
        ("[]", "unknown_action"),
    ] {
        let heard = client.ask(said).await;
        assert_eq!((&heard["type"], &heard["reason"]), (&json!("error"), &json!(reason)), "{said}");
    }
    assert_eq!(client.ask(&ask(&"x".repeat(300))).await["reason"], "bad_room");
}

#[tokio::test]
async fn a_socket_that_closed_is_forgotten_with_all_its_rooms() {
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
async fn a_socket_that_is_gone_without_a_word_is_forgotten_when_it_is_posted_to() {
    let cloud = Cloud::connect();
    let ann = cloud.somebody_with(json!({ "id": unique("user") })).await;
    let who = Identity { user: ann.id.clone(), tenant: None, rooms: vec![] };
    for _ in 0..30 {
        cloud.connections.open(&unique("gone"), &who, now()).await.unwrap();
    }
    let mut alive = Client::of(&cloud, &ann.id, None, &[]).await;
    let id = unique("event");
    cloud.put(&[cloud_event("core.hello", &id, &json!({ "to": [ann.id], "message": "Still there?" }))]).await;
    assert_eq!(alive.hear().await["event"]["id"], id.as_str());
    let target = SocketTarget::User(ann.id.clone());
    until("only the open one is left", async || {
        (cloud.connections.of(&target, None, now()).await.unwrap().len() == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn nobody_being_connected_is_a_reason_and_not_a_failure() {
    let cloud = Cloud::connect();
    let ann = cloud.somebody_with(json!({ "id": unique("user") })).await;
    let id = unique("event");
    cloud.put(&[cloud_event("core.hello", &id, &json!({ "to": [ann.id], "message": "Anybody?" }))]).await;
    let rows =
        until("two outcomes", async || Some(cloud.outcomes(&id).await).filter(|it| it.len() == 2)).await;
    let reasons: Vec<_> = rows.iter().map(|it| (it.status, it.reason)).collect();
    let suppressed = |reason| (Status::Suppressed, Some(reason));
    assert_eq!(reasons, [suppressed(Reason::NoAddress), suppressed(Reason::NotConnected)]);
}
