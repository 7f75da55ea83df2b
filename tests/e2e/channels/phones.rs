//! SMS, push notifications and WhatsApp messages: a job leads to one provider request of the right shape.

use std::collections::BTreeSet;

use domain::base::channel::Channel;
use domain::base::outcome::{Reason, Status};
use domain::catalog::Catalog;
use domain::delivery::job::{Job, Text};
use domain::delivery::sms_spend::bill;
use domain::event::key::Key;
use domain::recipient::keyed_hash::KeyedHashes;
use domain::recipient::{PhoneNumber, Platform, SuppressedBecause};
use serde_json::{Value, json};
use store::LedgerRow;
use testkit::cloud::{Cloud, cloud_event, entry, now, now_text};
use testkit::until::{quiet, until};
use workspace::{root, unique};

#[tokio::test]
async fn sms_arrives_once() {
    let cloud = Cloud::connect();
    let phone = phone();
    let row =
        deliver(&cloud, "sms", &json!({ "to": phone, "text": "Your turn, Zoë.", "locale": "en" })).await;
    assert_eq!((row.status, row.reason), (Status::Sent, None));
    quiet().await;
    let texts = cloud.sms_messages(&phone);
    assert_eq!(texts.len(), 1);
    assert_eq!(texts[0]["text"], "Your turn, Zoë.");
    assert_eq!(row.provider_id.as_deref(), texts[0]["id"].as_str());
    assert_eq!(texts[0]["attributes"]["AWS.SNS.SMS.SMSType"], "Transactional");
}

#[tokio::test]
async fn sms_with_too_many_segments_is_not_sent() {
    let cloud = Cloud::connect();
    let phone = phone();
    // Six segments of 67 characters, and one character more.
    let text = "ж".repeat(6 * 67 + 1);
    let row = deliver(&cloud, "sms", &json!({ "to": phone, "text": text, "locale": "en" })).await;
    assert_eq!((row.status, row.reason), (Status::Failed, Some(Reason::TooLarge)));
    assert!(cloud.sms_messages(&phone).is_empty());
}

#[tokio::test]
async fn push_notification_arrives_once_in_the_format_of_its_platform() {
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
    assert_eq!(message["android"].get("collapse_key"), None, "the rule asks for none");
    assert_eq!(message["android"]["notification"]["tag"], row.key.as_str());
    assert_eq!(row.provider_id.as_deref(), notes[0]["id"].as_str());
}

#[tokio::test]
async fn unregistered_device_receives_none_and_the_bus_gets_an_event() {
    let cloud = Cloud::connect();
    let endpoint = endpoint("disabled");
    let row = deliver(&cloud, "push", &note(&endpoint)).await;
    assert_eq!((row.status, row.reason), (Status::Failed, Some(Reason::DeadToken)));
    let id = format!("unregistered-{}", row.key.as_str());
    let records =
        until("the audit", async || Some(cloud.records(&id).await).filter(|records| !records.is_empty()))
            .await;
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].get("type"), Some("carillon.device.unregistered"));
    let event: Value = serde_json::from_str(records[0].get("event").unwrap()).unwrap();
    assert_eq!(event["data"], json!({ "recipient": "ann", "device": "phone-1" }));
    assert!(cloud.captured("push", &endpoint).is_empty());
}

#[tokio::test]
async fn whatsapp_message_arrives_once() {
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
async fn whatsapp_message_over_the_length_limit_is_not_sent() {
    let cloud = Cloud::connect();
    let phone = phone();
    let content = json!({ "to": phone, "text": "a".repeat(4_097), "locale": "en" });
    let row = deliver(&cloud, "whatsapp", &content).await;
    assert_eq!((row.status, row.reason), (Status::Failed, Some(Reason::TooLarge)));
    assert!(cloud.captured("whatsapp", &phone).is_empty());
}

/// A phone number that has opted out, as the capture server plays it.
const OPTED_OUT: &str = "+15005550198";

#[tokio::test]
async fn opted_out_number_gets_one_more_sms_and_then_none() {
    let cloud = Cloud::connect();
    let id = unique("user");
    cloud.new_recipient_with(json!({ "id": id, "phone": OPTED_OUT })).await;
    let text = json!({ "to": OPTED_OUT, "text": "Hi", "locale": "en" });
    let row = deliver_to(&cloud, &id, "sms", &text).await;
    assert_eq!((row.status, row.reason), (Status::Failed, Some(Reason::OptedOut)));
    let closed = until("the channel is closed", async || {
        let found = cloud.people.look_up(&[id.as_str()].into(), &BTreeSet::new()).await.unwrap();
        found.recipients.get(&id).and_then(|recipient| {
            recipient.suppression(Channel::Sms, now(), &KeyedHashes::development()).cloned()
        })
    })
    .await;
    assert_eq!(closed.why, SuppressedBecause::OptedOut);
    let event = unique("event");
    let data = json!({
        "alertId": event, "kind": "fall", "location": "Hall", "careRecipientName": "Margaret", "contacts": [id],
    });
    cloud.put(&[cloud_event("emergency.alert.created", &event, &data)]).await;
    let rows =
        until("its outcomes", async || Some(cloud.outcomes(&event).await).filter(|rows| rows.len() >= 5))
            .await;
    let sms = rows.iter().find(|row| row.channel == Some(Channel::Sms)).unwrap();
    assert_eq!((sms.status, sms.reason), (Status::Suppressed, Some(Reason::OptedOut)), "even an emergency");
    assert!(cloud.sms_messages(OPTED_OUT).is_empty());
}

#[tokio::test]
async fn exhausted_sms_budget_of_a_tenant_does_not_affect_other_tenants() {
    let cloud = Cloud::connect();
    let compiled = catalog::compile(&root().join("config")).ok().unwrap();
    let catalog = Catalog::open(compiled.file).unwrap();
    let rule = catalog.rule("booking-guest").unwrap();
    let (poor, rich) = (unique("tenant"), unique("tenant"));
    let (first, second) = (phone(), phone());
    let to = PhoneNumber::parse(&first).ok().unwrap();
    let text = Text { to, text: "Hi".into(), locale: "en".into(), sender: None };
    let mut wanted = bill(catalog.policy(), rule, Some(&poor), "-", &text, false).unwrap().wanted;
    wanted.weight = wanted.limit.most();
    let zone = catalog.policy().zone.clone();
    let key: Key = unique("key").into();
    cloud.counters.admit(&key, &[wanted], &[Channel::Sms], &zone, now()).await.unwrap();
    let book = |id: &str, tenant: &str, phone: &str| {
        let data = json!({
            "bookingId": id, "reference": id, "siteId": id, "siteName": "Harbour", "role": "Nurse", "headcount": 1,
            "startsAt": "2027-11-28T07:00:00+01:00", "endsAt": "2027-11-28T15:30:00+01:00", "status": "PENDING",
            "bookerName": "Priya", "guestName": "Marit", "guestPhone": phone,
        });
        let event = json!({
            "specversion": "1.0", "id": id, "source": "booking-service", "type": "booking.created",
            "time": now_text(), "tenant": tenant, "data": data,
        });
        entry("booking-service", "booking.created", &event)
    };
    let (spent, fine) = (unique("event"), unique("event"));
    cloud.put(&[book(&spent, &poor, &first), book(&fine, &rich, &second)]).await;
    let row = text_row(&cloud, &spent).await;
    assert_eq!((row.status, row.reason), (Status::Suppressed, Some(Reason::SpendCapped)));
    assert!(
        row.note.is_some_and(|note| note.contains("`spend-sms` has 50.00 of 50.00 USD spent")),
        "it says why"
    );
    assert_eq!(text_row(&cloud, &fine).await.status, Status::Sent);
    assert!(cloud.sms_messages(&first).is_empty());
    assert_eq!(cloud.sms_messages(&second).len(), 1);
}

#[tokio::test]
async fn whatsapp_sends_the_approved_template_until_the_user_writes_and_then_free_text() {
    let cloud = Cloud::connect();
    let (id, number) = (unique("user"), phone());
    cloud.new_recipient_with(json!({ "id": id, "whatsapp": number })).await;
    let cancel = async |event: &str| {
        let data = json!({ "appointmentId": event, "userId": id, "startsAt": "2027-11-24T09:30:00+01:00" });
        cloud.put(&[cloud_event("appointment.cancelled", event, &data)]).await;
        until("the message", async || {
            cloud.outcomes(event).await.into_iter().find(|outcome| outcome.channel == Some(Channel::Whatsapp))
        })
        .await
    };
    assert_eq!(cancel(&unique("event")).await.status, Status::Sent);
    let first = &cloud.captured("whatsapp", &number)[0]["message"];
    assert_eq!(
        (&first["type"], &first["template"]["name"]),
        (&json!("template"), &json!("appointment_cancelled"))
    );
    let caller = cloud.hashes().await.caller(&PhoneNumber::parse(&number).ok().unwrap());
    cloud.counters.hear(&caller, now()).await.unwrap();
    assert_eq!(cancel(&unique("event")).await.status, Status::Sent);
    let second = &cloud.captured("whatsapp", &number)[1]["message"];
    assert_eq!(second["type"], "text");
    assert!(
        second["text"]["body"].as_str().is_some_and(|text| text.starts_with("Your appointment on")),
        "{second}"
    );
}

#[tokio::test]
async fn whatsapp_free_text_after_the_service_window_is_not_sent() {
    let cloud = Cloud::connect();
    let number = phone();
    let content = json!({ "to": number, "text": "Hi", "locale": "en", "free_until": "2026-01-01T00:00:00Z" });
    let row = deliver(&cloud, "whatsapp", &content).await;
    assert_eq!((row.status, row.reason), (Status::Failed, Some(Reason::OutsideWindow)));
    assert!(cloud.captured("whatsapp", &number).is_empty());
}

#[tokio::test]
async fn device_is_registered_once_notified_refreshed_and_deleted() {
    let cloud = Cloud::connect();
    let fcm = Some("arn:aws:sns:us-east-1:000000000000:app/GCM/local".to_owned());
    let devices = sns::Devices::new(&cloud.config, sns::Applications { fcm, ..sns::Applications::default() });
    let (token, newer) = (unique("token"), unique("token"));
    let endpoint = devices.register(Platform::Fcm, &token, None).await.unwrap();
    assert_eq!(devices.register(Platform::Fcm, &token, None).await.unwrap(), endpoint, "doing it twice");
    assert_eq!(
        devices.register(Platform::Fcm, &newer, Some(&endpoint)).await.unwrap(),
        endpoint,
        "a new token"
    );
    assert_eq!(deliver(&cloud, "push", &note(&endpoint)).await.status, Status::Sent);
    devices.remove(&endpoint).await.unwrap();
    let row = deliver(&cloud, "push", &note(&endpoint)).await;
    assert_eq!((row.status, row.reason), (Status::Failed, Some(Reason::DeadToken)));
    assert_ne!(
        devices.register(Platform::Fcm, &newer, Some(&endpoint)).await.unwrap(),
        endpoint,
        "made anew"
    );
}

/// Ledger row of the SMS of an event.
async fn text_row(cloud: &Cloud, event: &str) -> LedgerRow {
    until("the text's outcome", async || {
        cloud.outcomes(event).await.into_iter().find(|outcome| outcome.channel == Some(Channel::Sms))
    })
    .await
}

/// Sends a job to its channel's queue twice and waits for the outcome.
async fn deliver(cloud: &Cloud, channel: &str, content: &Value) -> LedgerRow {
    deliver_to(cloud, "ann", channel, content).await
}

async fn deliver_to(cloud: &Cloud, recipient: &str, channel: &str, content: &Value) -> LedgerRow {
    let on_unknown = if channel == "push" { "resend" } else { "hold" };
    let text = json!({
        "version": 1, "key": unique("key"), "rule": "tests", "catalog": "tests", "recipient": recipient,
        "event": { "id": unique("event"), "source": "tests", "type": "t", "time": now_text() },
        "priority": "normal", "on_unknown": on_unknown, "content": { channel: content },
    });
    let job: Job = serde_json::from_value(text.clone()).unwrap();
    cloud.send(channel, &text.to_string()).await;
    cloud.send(channel, &text.to_string()).await;
    until("an outcome", async || {
        cloud.ledger.find(&job.key).await.unwrap().filter(|row| row.status.is_final())
    })
    .await
}

fn note(endpoint: &str) -> Value {
    json!({
        "to": { "id": "phone-1", "platform": "fcm", "endpoint": endpoint },
        "title": "Your turn", "body": "Room 7.", "data": { "room": 7 }, "locale": "en",
    })
}

/// A device endpoint that no other test uses.
fn endpoint(application: &str) -> String {
    format!("arn:aws:sns:us-east-1:000000000000:endpoint/GCM/{application}/{}", unique("device"))
}

/// A phone number that no other test uses, out of the range reserved for fiction.
pub(crate) fn phone() -> String {
    let digits: u64 =
        unique("").bytes().fold(7, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    format!("+1555{:07}", digits % 10_000_000)
}
