//! Broadcasts: an event goes live to rooms and users, and is not stored.

use std::time::Duration;

use domain::base::outcome::{Reason, Status};
use domain::inbox::{Counts, View, Viewer};
use serde_json::{Value, json};
use testkit::cloud::{Cloud, cloud_event, now};
use testkit::until::until;
use testkit::ws_client::Client;
use workspace::unique;

#[tokio::test]
async fn broadcast_reaches_a_room_once_skips_an_excluded_user_and_is_not_stored() {
    let cloud = Cloud::connect();
    let owner = cloud.new_recipient_with(json!({ "id": unique("user") })).await;
    let (board, by) = (unique("board"), unique("user"));
    let mut screen = in_room(&cloud, &unique("user"), &board).await;
    let mut mover = in_room(&cloud, &by, &board).await;
    let mut elsewhere = in_room(&cloud, &unique("user"), &unique("board")).await;
    let mut phone = Client::of(&cloud, &owner.id, None, &[]).await;
    let event = unique("event");
    let data = json!({ "board": board, "position": 3, "owner": owner.id, "by": by, "secret": true });
    cloud.put(&[cloud_event("demo.board", &event, &data)]).await;
    let frame = screen.next_message().await;
    check_frame(&frame, &event, "demo.board", &json!({ "board": board, "position": 3 }));
    let on_phone = phone.next_message().await;
    assert_eq!(on_phone["id"], frame["id"], "a client that is both knows it by this id");
    assert!(mover.receives_nothing().await, "the excluded user's socket is in the room");
    for other in [&mut screen, &mut phone, &mut elsewhere] {
        assert!(other.receives_nothing().await);
    }
    let rows =
        until("two outcomes", async || Some(cloud.outcomes(&event).await).filter(|rows| rows.len() == 2))
            .await;
    assert!(rows.iter().all(|row| row.status == Status::Sent && row.set.is_none()), "{rows:?}");
    assert!(rows.iter().any(|row| row.recipient == format!("room:board:{board}")), "{rows:?}");
    let viewer = Viewer { user: owner.id, view: View::All };
    assert_eq!(cloud.inbox.counts(&viewer, now()).await.unwrap(), Counts::default());
}

#[tokio::test]
async fn broadcast_without_a_record_leaves_no_row_and_carries_the_whole_payload() {
    let cloud = Cloud::connect();
    let board = unique("board");
    let mut screen = in_room(&cloud, &unique("user"), &board).await;
    let event = unique("event");
    let data = json!({ "board": board, "price": 1.5, "more": { "deep": [1, 2] } });
    cloud.put(&[cloud_event("demo.ticker", &event, &data)]).await;
    check_frame(&screen.next_message().await, &event, "demo.ticker", &data);
    tokio::time::sleep(Duration::from_secs(3)).await;
    let rows = store::scan(&cloud.config, "carillon-local-ledger").await.unwrap();
    let of_event = rows.iter().filter(|row| row.get("event_id") == Some(event.as_str())).count();
    assert_eq!(of_event, 0, "neither a claim nor an outcome");
}

#[tokio::test]
async fn target_that_the_event_does_not_name_and_unknown_user_have_outcomes_with_reasons() {
    let cloud = Cloud::connect();
    let event = unique("event");
    cloud.put(&[cloud_event("demo.board", &event, &json!({ "owner": unique("nobody") }))]).await;
    let rows =
        until("two outcomes", async || Some(cloud.outcomes(&event).await).filter(|rows| rows.len() == 2))
            .await;
    let mut reasons: Vec<_> = rows.iter().map(|row| (row.status, row.reason)).collect();
    reasons.sort_by_key(|(_, reason)| reason.map(Reason::name));
    let suppressed = |reason| (Status::Suppressed, Some(reason));
    assert_eq!(reasons, [suppressed(Reason::NoRecipient), suppressed(Reason::UnknownRecipient)]);
    let note = rows.iter().find_map(|row| row.note.clone()).unwrap();
    assert!(note.contains("names no value for the room `board`"), "{note}");
}

#[track_caller]
fn check_frame(frame: &Value, event: &str, kind: &str, data: &Value) {
    assert_eq!((&frame["type"], &frame["data"]), (&json!("event"), data), "{frame}");
    let named = &frame["event"];
    assert_eq!(
        (&named["id"], &named["type"], &named["source"]),
        (&json!(event), &json!(kind), &json!("tests"))
    );
    assert!(named["time"].is_string() && frame["id"].is_string(), "{frame}");
    assert!(frame["title"].is_null() && frame["inbox"].is_null(), "{frame}");
}

/// A WebSocket client of a user that has joined the room of a board.
async fn in_room(cloud: &Cloud, user: &str, board: &str) -> Client {
    let room = format!("board:{board}");
    let mut client = Client::of(cloud, user, None, &[&room]).await;
    let joined = client.ask(&json!({ "action": "subscribe", "room": room }).to_string()).await;
    assert_eq!(joined, json!({ "type": "subscribed", "room": room }));
    client
}
