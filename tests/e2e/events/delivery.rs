//! Exactly one send for duplicate deliveries and abandoned claims.

use std::time::Duration;

use domain::base::outcome::{Reason, Status};
use domain::delivery::job::Job;
use serde_json::{Value, json};
use testkit::cloud::{Cloud, cloud_event, now, now_text};
use testkit::until::{quiet, until};
use testkit::ws_client::Client;
use workspace::unique;

#[tokio::test]
async fn duplicate_event_sends_once() {
    let cloud = Cloud::connect();
    let ann = cloud.new_recipient().await;
    let mut socket = Client::of(&cloud, &ann.id, None, &[]).await;
    let id = unique("event");
    let event = cloud_event("core.hello", &id, &json!({ "to": [ann.id], "message": "Once." }));
    cloud.put(&[event.clone(), event.clone()]).await;
    socket.next_message().await;
    until("two outcomes", async || Some(cloud.outcomes(&id).await).filter(|rows| rows.len() == 2)).await;
    // A third delivery after all outcomes are final.
    cloud.put(&[event]).await;
    quiet().await;
    assert_eq!(cloud.emails(ann.email.as_ref().unwrap().expose()).len(), 1);
    assert!(socket.receives_nothing().await);
    assert_eq!(cloud.records(&id).await.len(), 1, "and kept once");
}

#[tokio::test]
async fn duplicate_job_sends_once() {
    let cloud = Cloud::connect();
    let ann = cloud.new_recipient().await;
    let address = ann.email.as_ref().unwrap().expose();
    let (job, _) = email_job(address);
    let url = cloud.queue_url("email").await;
    let sends = (0..5).map(|_| cloud.sqs.send_message().queue_url(&url).message_body(job.clone()).send());
    for sent in futures_util::future::join_all(sends).await {
        sent.unwrap();
    }
    until("a letter", async || Some(cloud.emails(address)).filter(|emails| !emails.is_empty())).await;
    quiet().await;
    assert_eq!(cloud.emails(address).len(), 1);
}

#[tokio::test]
async fn email_with_an_expired_lease_is_unknown_and_not_sent_again() {
    let cloud = Cloud::connect();
    let ann = cloud.new_recipient().await;
    let address = ann.email.as_ref().unwrap().expose();
    let (text, job) = email_job(address);
    abandon_claim(&cloud, &job).await;
    cloud.send("email", &text).await;
    let row = until("an outcome", async || {
        cloud.ledger.find(&job.key).await.unwrap().filter(|row| row.status.is_final())
    })
    .await;
    assert_eq!((row.status, row.reason), (Status::Unknown, Some(Reason::NoAnswer)));
    assert!(cloud.emails(address).is_empty());
}

#[tokio::test]
async fn in_app_message_with_an_expired_lease_is_sent_again() {
    let cloud = Cloud::connect();
    let user = unique("user");
    let mut socket = Client::of(&cloud, &user, None, &[]).await;
    let content = json!({ "socket": { "to": { "user": user }, "title": "T", "body": "B", "data": {} } });
    let (text, job) = job(&content, "resend");
    abandon_claim(&cloud, &job).await;
    cloud.send("socket", &text).await;
    assert_eq!(socket.next_message().await["id"], job.key.as_str());
    until("it is on record", async || {
        cloud.ledger.find(&job.key).await.unwrap().filter(|row| row.status == Status::Sent)
    })
    .await;
}

#[tokio::test]
async fn active_claim_keeps_a_second_sender_away() {
    let cloud = Cloud::connect();
    let ann = cloud.new_recipient().await;
    let address = ann.email.as_ref().unwrap().expose();
    let (text, job) = email_job(address);
    let lease = now() + Duration::from_secs(600);
    cloud.ledger.claim(&[&job], "somebody-else", now(), lease).await.unwrap();
    cloud.send("email", &text).await;
    quiet().await;
    assert!(cloud.emails(address).is_empty());
    let row = cloud.ledger.find(&job.key).await.unwrap().unwrap();
    assert_eq!(row.status, Status::Claimed, "it is still somebody else's");
}

#[tokio::test]
async fn expired_job_is_not_sent_and_its_reason_is_recorded() {
    let cloud = Cloud::connect();
    let ann = cloud.new_recipient().await;
    let address = ann.email.as_ref().unwrap().expose();
    let (text, _) = email_job(address);
    let mut late: Value = serde_json::from_str(&text).unwrap();
    late["expires_at"] = "2020-01-01T00:00:00Z".into();
    let job: Job = serde_json::from_value(late.clone()).unwrap();
    cloud.send("email", &late.to_string()).await;
    let row = until("an outcome", async || cloud.ledger.find(&job.key).await.unwrap()).await;
    let row = match row.status.is_final() {
        true => row,
        false => {
            until("an outcome", async || {
                cloud.ledger.find(&job.key).await.unwrap().filter(|row| row.status.is_final())
            })
            .await
        }
    };
    assert_eq!((row.status, row.reason), (Status::Suppressed, Some(Reason::Expired)));
    assert!(cloud.emails(address).is_empty());
}

/// Writes a claim of another sender with an expired lease.
async fn abandon_claim(cloud: &Cloud, job: &Job) {
    let then = now() - Duration::from_secs(60);
    cloud.ledger.claim(&[job], "a-sender-that-died", then, then + Duration::from_secs(30)).await.unwrap();
}

fn email_job(address: &str) -> (String, Job) {
    let email = json!({ "to": address, "subject": "S", "html": "<p>H</p>", "text": "H", "locale": "en" });
    job(&json!({ "email": email }), "hold")
}

/// A job as dispatch sends it.
fn job(content: &Value, on_unknown: &str) -> (String, Job) {
    let job = json!({
        "version": 1, "key": unique("key"), "rule": "tests", "catalog": "tests", "recipient": "ann",
        "event": { "id": unique("event"), "source": "tests", "type": "t", "time": now_text() },
        "priority": "normal", "on_unknown": on_unknown, "content": content,
    });
    (job.to_string(), serde_json::from_value(job).unwrap())
}
