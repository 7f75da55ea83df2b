//! Slack and Microsoft Teams messages, from the event to the provider's request.

use domain::base::channel::Channel;
use domain::base::outcome::{Reason, Status};
use domain::delivery::job::Job;
use serde_json::{Value, json};
use testkit::cloud::{Cloud, cloud_event, now_text};
use testkit::until::{quiet, until};
use workspace::programs::carillon;
use workspace::unique;

/// The path of the local secret's webhook in the capture server.
const WORKFLOW: &str = "/prod-0.westeurope.logic.azure.com/workflows/local/triggers/manual/paths/invoke";

#[tokio::test]
async fn event_reaches_a_member_a_conversation_and_a_teams_channel_once() {
    let cloud = Cloud::connect();
    let (person, member, conversation) = (unique("user"), slack_id('U'), slack_id('C'));
    cloud.new_recipient_with(json!({ "id": person, "slack": member })).await;
    let (event, text) = (unique("event"), unique("<!channel> \"free\" & open"));
    let data = json!({ "to": [person], "conversation": conversation, "about": "A sample", "text": text });
    cloud.put(&[cloud_event("demo.workspace", &event, &data)]).await;
    let rows =
        until("the outcomes", async || Some(cloud.outcomes(&event).await).filter(|rows| rows.len() == 4))
            .await;
    let of = |channel| {
        let mut found: Vec<(Status, Option<Reason>)> = rows
            .iter()
            .filter(|row| row.channel == Some(channel))
            .map(|row| (row.status, row.reason))
            .collect();
        found.sort_by_key(|(status, _)| *status == Status::Sent);
        found
    };
    assert_eq!(of(Channel::Slack), [(Status::Sent, None), (Status::Sent, None)]);
    assert_eq!(of(Channel::Teams), [(Status::Suppressed, Some(Reason::NoAddress)), (Status::Sent, None)]);
    quiet().await;
    // Values of the event cannot add mentions, links or JSON.
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    for to in [&member, &conversation] {
        let messages = cloud.captured("slack", to);
        assert_eq!(messages.len(), 1, "{to}");
        assert_eq!(messages[0]["text"], escaped.as_str());
        assert_eq!(messages[0]["blocks"][1]["text"]["text"], escaped.as_str());
    }
    let cards = cloud.captured("teams", WORKFLOW);
    let cards: Vec<&Value> = cards.iter().filter(|card| card["text"] == text.as_str()).collect();
    assert_eq!(cards.len(), 1);
    assert_eq!(cards[0]["card"]["body"][1]["text"], text.as_str());
    let shown = carillon(&["received", &person, "--channel", "slack"], "");
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("&lt;!channel&gt;"), "{shown}");
}

#[tokio::test]
async fn archived_conversation_gets_no_message() {
    let cloud = Cloud::connect();
    let archived = format!("{}ARCHIVED", slack_id('C'));
    let job = job("slack", &archived);
    cloud.send("slack", &job).await;
    let key = serde_json::from_str::<Job>(&job).unwrap().key;
    let row = until("an outcome", async || {
        cloud.ledger.find(&key).await.unwrap().filter(|row| row.status.is_final())
    })
    .await;
    assert_eq!((row.status, row.reason), (Status::Failed, Some(Reason::Undeliverable)));
    assert!(cloud.captured("slack", &archived).is_empty());
}

#[tokio::test]
async fn slack_webhook_of_the_stack_gets_a_message() {
    let cloud = Cloud::connect();
    let job = job("slack", "webhook:ops");
    cloud.send("slack", &job).await;
    let key = serde_json::from_str::<Job>(&job).unwrap().key;
    let row = until("an outcome", async || {
        cloud.ledger.find(&key).await.unwrap().filter(|row| row.status.is_final())
    })
    .await;
    assert_eq!((row.status, row.reason), (Status::Sent, None));
    let messages = cloud.captured("slack", "/hooks.slack.com/services/T0/B0/local");
    assert!(messages.iter().any(|message| message["id"].as_str() == row.provider_id.as_deref()));
}

fn job(channel: &str, to: &str) -> String {
    json!({
        "version": 2, "key": unique("key"), "rule": "tests", "catalog": "tests", "recipient": "ann",
        "event": { "id": unique("event"), "source": "tests", "type": "t", "time": now_text() },
        "priority": "normal", "on_unknown": "hold",
        "content": { "message": { "channel": channel, "to": to, "text": "Your turn.", "locale": "en" } },
    })
    .to_string()
}

/// An id that no other test uses.
fn slack_id(kind: char) -> String {
    let digits: u64 =
        unique("").bytes().fold(7, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    format!("{kind}{digits:016X}")
}
