//! Provider receipts in any order, suppressed addresses, and devices that are gone.

use std::time::Duration;

use domain::base::channel::Channel;
use domain::base::outcome::{Reason, Status};
use domain::delivery::job::Job;
use domain::event::key::Key;
use domain::recipient::Recipient;
use publish::Entry;
use serde_json::{Value, json};
use store::{LedgerRow, Settlement};
use testkit::cloud::{Cloud, cloud_event, entry, now, now_text};
use testkit::sweeping::sweep;
use testkit::until::{quiet, until};
use workspace::programs::{carillon, text};
use workspace::unique;

#[tokio::test]
async fn bounce_suppresses_the_address_and_no_other() {
    let cloud = Cloud::connect();
    let (ann, address) = new_recipient_at(&cloud, "bounce").await;
    let first = hello(&cloud, &ann).await;
    let row = email_of(&cloud, &first, Status::Bounced).await;
    assert_eq!(row.reason, Some(Reason::Bounced));
    let output = text(&carillon(&["explain", &first], ""));
    assert!(output.contains("was sent and came back: the address does not exist (bounced)"), "{output}");
    let next = email_of(&cloud, &hello(&cloud, &ann).await, Status::Suppressed).await;
    assert_eq!(next.reason, Some(Reason::SuppressedAddress));
    assert!(next.note.is_some_and(|note| note.contains("does not exist")));
    assert_eq!(cloud.emails(&address).len(), 1);
    let moved = Recipient { email: Some(format!("{}@example.com", unique("new")).into()), ..ann };
    cloud.people.put(std::slice::from_ref(&moved), now()).await.unwrap();
    email_of(&cloud, &hello(&cloud, &moved).await, Status::Sent).await;
}

#[tokio::test]
async fn complaint_marks_the_delivered_message_and_suppresses_the_address() {
    let cloud = Cloud::connect();
    let (ann, _) = new_recipient_at(&cloud, "complaint").await;
    let id = hello(&cloud, &ann).await;
    let row = until("the complaint", async || {
        email(&cloud, &id).await.filter(|email| email.marks.complained_at.is_some())
    })
    .await;
    assert_eq!(row.status, Status::Delivered);
    let next = email_of(&cloud, &hello(&cloud, &ann).await, Status::Suppressed).await;
    assert_eq!(next.reason, Some(Reason::SuppressedAddress));
}

#[tokio::test]
async fn bounce_of_an_unknown_person_suppresses_the_address() {
    let cloud = Cloud::connect();
    let address = format!("bounce+{}@simulator.amazonses.com", unique("guest"));
    let booking = async || {
        let (id, event) = of_booking("booking.created", &json!({ "guestEmail": address }));
        cloud.put(&[event]).await;
        id
    };
    let row = email_of(&cloud, &booking().await, Status::Bounced).await;
    assert!(row.recipient.starts_with("address:email:"));
    let next = email_of(&cloud, &booking().await, Status::Suppressed).await;
    assert_eq!(next.reason, Some(Reason::SuppressedAddress));
    assert_eq!(cloud.emails(&address).len(), 1);
}

#[tokio::test]
async fn receipt_before_its_row_waits_for_the_row() {
    let cloud = Cloud::connect();
    let ann = cloud.new_recipient().await;
    let (body, job) = email_job(&ann);
    cloud.send("feedback", &ses("Delivery", &job.key, &json!({}))).await;
    quiet().await;
    assert!(cloud.ledger.find(&job.key).await.unwrap().is_none());
    cloud.send("email", &body).await;
    let row = row_of(&cloud, &job.key, Status::Delivered).await;
    assert!(row.marks.delivered_at.is_some());
}

#[tokio::test]
async fn duplicate_receipts_in_any_order_lead_to_one_state() {
    let cloud = Cloud::connect();
    let ann = cloud.new_recipient().await;
    let mut ends = Vec::new();
    let late = json!({ "bounceType": "Transient", "bounceSubType": "General" });
    let output = [("Send", json!({})), ("Delivery", json!({})), ("Bounce", late), ("Complaint", json!({}))];
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
        let (body, job) = email_job(&ann);
        cloud.send("email", &body).await;
        row_of(&cloud, &job.key, Status::Sent).await;
        for at in order.iter().chain(&order) {
            let (kind, detail) = &output[*at];
            cloud.send("feedback", &ses(kind, &job.key, detail)).await;
        }
        let row = until("all of it is heard", async || {
            let row = cloud.ledger.find(&job.key).await.unwrap()?;
            (row.marks.delivered_at.is_some() && row.marks.complained_at.is_some()).then_some(row)
        })
        .await;
        quiet().await;
        assert_eq!(cloud.ledger.find(&job.key).await.unwrap().unwrap(), row);
        ends.push((row.status, row.reason, row.marks));
    }
    assert_eq!((ends[0].0, ends[0].1), (Status::Delivered, None));
    assert!(ends.iter().all(|item| *item == ends[0]), "{ends:?}");
}

#[tokio::test]
async fn malformed_receipt_is_dead_lettered_and_a_foreign_one_is_ignored() {
    let cloud = Cloud::connect();
    let ann = cloud.new_recipient().await;
    let (body, job) = email_job(&ann);
    cloud.send("email", &body).await;
    row_of(&cloud, &job.key, Status::Sent).await;
    let (mark, stranger) = (unique("mark"), key());
    for body in [
        format!("{{\"garbage\":\"{mark}\"}}"),
        ses("Delivery", &stranger, &json!({})),
        ses("Delivery", &job.key, &json!({})),
    ] {
        cloud.send("feedback", &body).await;
    }
    row_of(&cloud, &job.key, Status::Delivered).await;
    let put_aside = async |mark: &str| cloud.dead_letters("feedback", mark).await;
    until("it is put aside", async || put_aside(&mark).await.pop()).await;
    assert!(put_aside(stranger.as_str()).await.is_empty(), "somebody else's letter is no fault");
    assert!(cloud.ledger.find(&stranger).await.unwrap().is_none());
}

#[tokio::test]
async fn unknown_email_outcome_is_settled_by_its_receipt() {
    let cloud = Cloud::connect();
    let ann = cloud.new_recipient().await;
    let (body, job) = email_job(&ann);
    let then = now() - Duration::from_secs(60);
    cloud.ledger.claim(&[&job], "a-sender-that-died", then, then + Duration::from_secs(30)).await.unwrap();
    cloud.send("email", &body).await;
    row_of(&cloud, &job.key, Status::Unknown).await;
    cloud.send("feedback", &ses("Send", &job.key, &json!({}))).await;
    let row = row_of(&cloud, &job.key, Status::Sent).await;
    assert_eq!((row.reason, row.provider_id), (None, Some("played-by-a-test".to_owned())));
}

#[tokio::test]
async fn sms_and_whatsapp_receipts_match_by_provider_id() {
    let cloud = Cloud::connect();
    let id = unique("user");
    let ann = cloud.new_recipient_with(json!({ "id": id, "phone": REACHED, "whatsapp": BLOCKED })).await;
    for (channel, to, status, reason) in [
        ("sms", REACHED, Status::Delivered, None),
        ("sms", BLOCKED, Status::Undelivered, Some(Reason::Blocked)),
        ("whatsapp", REACHED, Status::Delivered, None),
        ("whatsapp", BLOCKED, Status::Bounced, Some(Reason::Bounced)),
    ] {
        let (body, job) = job(&ann, &json!({ channel: { "to": to, "text": "T", "locale": "en" } }));
        cloud.send(channel, &body).await;
        let row = row_of(&cloud, &job.key, status).await;
        assert_eq!(row.reason, reason, "{channel} {to}");
        if (channel, to) == ("whatsapp", REACHED) {
            let is_seen = async || cloud.ledger.find(&job.key).await.unwrap().unwrap().marks.seen_at;
            until("it is read", is_seen).await;
        }
    }
    let people = cloud.people.find(&[ann.id.as_str()].into()).await.unwrap();
    let hashes = cloud.hashes().await;
    let closed = people[&ann.id].suppression(Channel::Whatsapp, now(), &hashes).unwrap().until.unwrap();
    let days = closed.duration_since(now()).as_hours() / 24;
    assert_eq!(days, 14, "fifteen days, of which a moment is over");
    assert!(people[&ann.id].suppression(Channel::Sms, now(), &hashes).is_none());
}

#[tokio::test]
async fn sms_without_a_receipt_for_three_days_is_unconfirmed_until_one_comes() {
    let cloud = Cloud::connect();
    let ann = cloud.new_recipient().await;
    let (_, job) = job(&ann, &json!({ "sms": { "to": REACHED, "text": "T", "locale": "en" } }));
    let then = now() - Duration::from_secs(74 * 3_600);
    cloud.ledger.claim(&[&job], "sender", then, then + Duration::from_secs(30)).await.unwrap();
    let provider_id = unique("provider");
    let sent = Settlement {
        provider_id: Some(provider_id.clone()),
        ..Settlement::new(&job.key, Status::Sent, None)
    };
    cloud.ledger.settle(&[sent], "sender", then).await.unwrap();
    assert!(cloud.ledger.overdue(now()).await.unwrap().contains(&job.key));
    // The scheduled run may be earlier than this one.
    sweep(&cloud).await;
    let row = row_of(&cloud, &job.key, Status::Unconfirmed).await;
    assert_eq!(row.reason, Some(Reason::NoReceipt));
    assert!(!cloud.ledger.overdue(now()).await.unwrap().contains(&job.key), "said once");
    assert!(!cloud.ledger.mark_unconfirmed(&job.key, now()).await.unwrap());
    let receipt = json!({ "eventType": "TEXT_DELIVERED", "messageId": provider_id, "isFinal": true });
    let receipt = bus("aws.sms-voice", "Text Message Delivery Status Updated", &receipt);
    cloud.send("feedback", &receipt).await;
    row_of(&cloud, &job.key, Status::Delivered).await;
}

#[tokio::test]
async fn unregistered_device_is_removed_and_gets_no_further_push_notification() {
    let cloud = Cloud::connect();
    let device = |id: &str, app: &str| {
        let endpoint = format!("arn:aws:sns:us-east-1:000000000000:endpoint/GCM/{app}/{}", unique(id));
        json!({ "id": id, "platform": "fcm", "endpoint": endpoint })
    };
    let id = unique("user");
    let devices = json!([device("old", "disabled"), device("new", "app")]);
    let ann = cloud.new_recipient_with(json!({ "id": id, "devices": devices })).await;
    let declined = async || {
        let (id, event) = of_booking("booking.declined", &json!({ "bookerId": ann.id }));
        cloud.put(&[event]).await;
        until("all is told", async || {
            let rows = cloud.outcomes(&id).await;
            let notes: Vec<_> = rows.iter().filter(|row| row.channel == Some(Channel::Push)).collect();
            let reasons = notes.iter().map(|note| (note.status, note.reason)).collect::<Vec<_>>();
            (rows.len() >= 3 && !reasons.is_empty()).then_some(reasons)
        })
        .await
    };
    let mut first = declined().await;
    if first.len() < 2 {
        quiet().await;
        first = declined().await;
    }
    assert!(first.contains(&(Status::Failed, Some(Reason::DeadToken))), "{first:?}");
    until("the device is taken out", async || {
        let people = cloud.people.find(&[ann.id.as_str()].into()).await.unwrap();
        (people[&ann.id].devices.iter().map(|device| device.id.as_str()).eq(["new"])).then_some(())
    })
    .await;
    assert_eq!(declined().await, [(Status::Sent, None)]);
}

#[tokio::test]
async fn only_push_may_remove_a_device() {
    let cloud = Cloud::connect();
    let id = unique("user");
    let device = json!({ "id": "phone", "platform": "fcm", "endpoint": "arn:aws:sns:::endpoint/GCM/app/1" });
    let ann = cloud.new_recipient_with(json!({ "id": id, "devices": [device] })).await;
    let data = json!({ "recipient": ann.id, "device": "phone" });
    cloud.put(&[cloud_event("carillon.device.unregistered", &unique("event"), &data)]).await;
    quiet().await;
    let people = cloud.people.find(&[ann.id.as_str()].into()).await.unwrap();
    assert_eq!(people[&ann.id].devices.len(), 1);
}

/// Phone numbers that answer, as the capture server plays them.
const REACHED: &str = "+14254147755";
const BLOCKED: &str = "+14254147167";

/// A person whose e-mail address is one of SES's mailbox simulator.
async fn new_recipient_at(cloud: &Cloud, mailbox: &str) -> (Recipient, String) {
    let id = unique("user");
    let email = format!("{mailbox}+{id}@simulator.amazonses.com");
    let ann = cloud.new_recipient_with(json!({ "id": id, "name": "Ann", "email": email })).await;
    (ann, email)
}

async fn hello(cloud: &Cloud, to: &Recipient) -> String {
    let id = unique("event");
    cloud.put(&[cloud_event("core.hello", &id, &json!({ "to": [to.id], "message": "Hello." }))]).await;
    id
}

fn of_booking(kind: &str, more: &Value) -> (String, Entry) {
    let id = unique("event");
    let mut data = json!({
        "bookingId": id, "reference": "BK-1", "siteId": "s", "siteName": "Ward", "role": "Nurse", "headcount": 1,
        "startsAt": "2026-11-28T07:00:00+01:00", "endsAt": "2026-11-28T15:30:00+01:00", "status": "DECLINED",
        "approverId": "a", "approverName": "Henrik", "bookerName": "Priya", "guestName": "Marit", "reason": "Closed.",
    });
    for (name, value) in more.as_object().unwrap() {
        data[name] = value.clone();
    }
    let event = json!({
        "specversion": "1.0", "id": id, "source": "booking-service", "type": kind, "time": now_text(), "data": data,
    });
    (id, entry("booking-service", kind, &event))
}

async fn email(cloud: &Cloud, event: &str) -> Option<LedgerRow> {
    cloud.outcomes(event).await.into_iter().find(|outcome| outcome.channel == Some(Channel::Email))
}

async fn email_of(cloud: &Cloud, event: &str, status: Status) -> LedgerRow {
    until(status.name(), async || email(cloud, event).await.filter(|email| email.status == status)).await
}

async fn row_of(cloud: &Cloud, key: &Key, status: Status) -> LedgerRow {
    until(status.name(), async || cloud.ledger.find(key).await.unwrap().filter(|row| row.status == status))
        .await
}

/// A key of valid length, as it is stored in a message tag.
fn key() -> Key {
    Key::parse(&format!("{:A<43}", unique("k"))).unwrap()
}

fn email_job(to: &Recipient) -> (String, Job) {
    let email = json!({ "to": to.email.as_ref().unwrap().expose(), "subject": "S", "html": "<p>H</p>", "text": "H", "locale": "en" });
    job(to, &json!({ "email": email }))
}

fn job(to: &Recipient, content: &Value) -> (String, Job) {
    let job = json!({
        "version": 1, "key": key(), "rule": "tests", "catalog": "tests", "recipient": to.id,
        "event": { "id": unique("event"), "source": "tests", "type": "t", "time": now_text() },
        "priority": "normal", "on_unknown": "hold", "content": content,
    });
    (job.to_string(), serde_json::from_value(job).unwrap())
}

/// An SES receipt as the default bus delivers it. All have the same time.
fn ses(kind: &str, key: &Key, what: &Value) -> String {
    let at = "2026-11-20T12:00:00Z";
    let mut what = what.clone();
    what["timestamp"] = at.into();
    let mail = json!({
        "timestamp": at, "messageId": "played-by-a-test", "destination": ["x@example.com"],
        "tags": { "carillon-key": [key], "ses:configuration-set": ["carillon-local"] },
    });
    let detail = json!({ "eventType": kind, "mail": mail, kind.to_lowercase(): what });
    bus("aws.ses", &format!("Email {kind}"), &detail)
}

fn bus(source: &str, detail_type: &str, detail: &Value) -> String {
    json!({
        "version": "0", "id": unique("bus"), "detail-type": detail_type, "source": source, "account": "1",
        "time": now_text(), "region": "us-east-1", "resources": [], "detail": detail,
    })
    .to_string()
}
