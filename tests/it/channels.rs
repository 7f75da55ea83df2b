//! Texts, notes and WhatsApp messages: a job in, the provider's own words out, once.

use domain::job::Job;
use domain::outcome::{Reason, Status};
use serde_json::{Value, json};
use store::LedgerRow;

use crate::cloud::{Cloud, now_text, unique};
use crate::until::{quiet, until};

#[tokio::test]
async fn a_text_arrives_once() {
    let cloud = Cloud::connect();
    let phone = phone();
    let row =
        deliver(&cloud, "sms", &json!({ "to": phone, "text": "Your turn, Zoë.", "locale": "en" })).await;
    assert_eq!((row.status, row.reason), (Status::Sent, None));
    quiet().await;
    let texts = cloud.texts(&phone);
    assert_eq!(texts.len(), 1);
    assert_eq!(texts[0]["Message"], "Your turn, Zoë.");
    assert_eq!(row.provider_id.as_deref(), texts[0]["MessageId"].as_str());
    let attributes = texts[0]["MessageAttributes"].to_string();
    assert!(
        attributes.contains("AWS.SNS.SMS.SMSType") && attributes.contains("Transactional"),
        "{attributes}"
    );
}

#[tokio::test]
async fn a_text_of_too_many_messages_is_not_sent() {
    let cloud = Cloud::connect();
    let phone = phone();
    // Six messages of 67 letters, and one letter more.
    let text = "ж".repeat(6 * 67 + 1);
    let row = deliver(&cloud, "sms", &json!({ "to": phone, "text": text, "locale": "en" })).await;
    assert_eq!((row.status, row.reason), (Status::Failed, Some(Reason::TooLarge)));
    assert!(cloud.texts(&phone).is_empty());
}

#[tokio::test]
async fn a_note_arrives_once_in_the_words_of_its_platform() {
    let cloud = Cloud::connect();
    let endpoint = endpoint("shop");
    let row = deliver(&cloud, "push", &note(&endpoint)).await;
    assert_eq!((row.status, row.reason), (Status::Sent, None));
    quiet().await;
    let notes = cloud.captured("push", &endpoint);
    assert_eq!(notes.len(), 1);
    let message = &notes[0]["message"]["GCM"]["fcmV1Message"]["message"];
    assert_eq!(message["notification"], json!({ "title": "Your turn", "body": "Room 7." }));
    assert_eq!(message["data"]["room"], "7");
    assert_eq!(message["android"]["collapse_key"], row.key.as_str());
    assert_eq!(row.provider_id.as_deref(), notes[0]["id"].as_str());
}

#[tokio::test]
async fn a_device_that_is_gone_takes_nothing_and_the_bus_hears_of_it() {
    let cloud = Cloud::connect();
    let endpoint = endpoint("disabled");
    let row = deliver(&cloud, "push", &note(&endpoint)).await;
    assert_eq!((row.status, row.reason), (Status::Failed, Some(Reason::DeadToken)));
    let id = format!("unregistered-{}", row.key.as_str());
    let records =
        until("the audit", async || Some(cloud.records(&id).await).filter(|it| !it.is_empty())).await;
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].get("type"), Some("carillon.device.unregistered"));
    let event: Value = serde_json::from_str(records[0].get("event").unwrap()).unwrap();
    assert_eq!(event["data"], json!({ "recipient": "ann", "device": "phone-1" }));
    assert!(cloud.captured("push", &endpoint).is_empty());
}

#[tokio::test]
async fn a_whatsapp_message_arrives_once() {
    let cloud = Cloud::connect();
    let phone = phone();
    let content = json!({ "to": phone, "text": "Your turn.", "locale": "en" });
    let row = deliver(&cloud, "whatsapp", &content).await;
    assert_eq!((row.status, row.reason), (Status::Sent, None));
    quiet().await;
    let messages = cloud.captured("whatsapp", &phone);
    assert_eq!(messages.len(), 1);
    let expected = json!({
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": phone,
        "type": "text", "text": { "body": "Your turn.", "preview_url": false },
    });
    assert_eq!(messages[0]["message"], expected);
    assert_eq!(row.provider_id.as_deref(), messages[0]["id"].as_str());
}

#[tokio::test]
async fn a_whatsapp_message_that_is_too_long_is_not_sent() {
    let cloud = Cloud::connect();
    let phone = phone();
    let content = json!({ "to": phone, "text": "a".repeat(4_097), "locale": "en" });
    let row = deliver(&cloud, "whatsapp", &content).await;
    assert_eq!((row.status, row.reason), (Status::Failed, Some(Reason::TooLarge)));
    assert!(cloud.captured("whatsapp", &phone).is_empty());
}

/// Puts a job into its channel's queue, twice, and waits for its outcome.
async fn deliver(cloud: &Cloud, channel: &str, content: &Value) -> LedgerRow {
    let on_unknown = if channel == "push" { "resend" } else { "hold" };
    let text = json!({
        "version": 1, "key": unique("key"), "rule": "tests", "catalog": "tests", "recipient": "ann",
        "event": { "id": unique("event"), "source": "tests", "type": "t", "time": now_text() },
        "priority": "normal", "on_unknown": on_unknown, "content": { channel: content },
    });
    let job: Job = serde_json::from_value(text.clone()).unwrap();
    cloud.send(channel, &text.to_string()).await;
    cloud.send(channel, &text.to_string()).await;
    until("an outcome", async || cloud.ledger.find(&job.key).await.unwrap().filter(|it| it.status.is_final()))
        .await
}

fn note(endpoint: &str) -> Value {
    json!({
        "to": { "id": "phone-1", "platform": "fcm", "endpoint": endpoint },
        "title": "Your turn", "body": "Room 7.", "data": { "room": 7 }, "locale": "en",
    })
}

/// A device that no other test has.
fn endpoint(application: &str) -> String {
    format!("arn:aws:sns:us-east-1:000000000000:endpoint/GCM/{application}/{}", unique("device"))
}

/// A number that no other test has, among those that nobody has.
pub(crate) fn phone() -> String {
    let digits: u64 = unique("").bytes().fold(7, |sum, it| sum.wrapping_mul(31).wrapping_add(u64::from(it)));
    format!("+1555{:07}", digits % 10_000_000)
}
