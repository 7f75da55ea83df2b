//! Digests, throttles, quiet hours, escalations, cancellations and large audiences on the real binaries.
//! Results are exact under redelivery and with many concurrent dispatchers. The rules are those of the demo, whose
//! hours are seconds.

use domain::base::outcome::{Reason, Status};
use domain::recipient::Recipient;
use publish::Entry;
use serde_json::{Value, json};
use store::{Counters, LedgerRow};
use testkit::aws_cli::aws;
use testkit::cloud::{Cloud, entry, now, now_text};
use testkit::until::{quiet, until};
use testkit::ws_client::Client;
use workspace::programs::{carillon, json_lines};
use workspace::unique;

#[tokio::test]
async fn throttle_sends_two_of_many_alarms_delivered_twice_at_once() {
    let cloud = Cloud::connect();
    let ann = cloud.new_recipient().await;
    let about = unique("pump");
    let events: Vec<(String, Entry)> = (0..12).map(|_| demo("demo.alarm", &[&ann], &about)).collect();
    for _ in 0..2 {
        put_all(&cloud, &events).await;
    }
    let rows = settled(&cloud, &events, 12).await;
    assert_eq!(of(&rows, Status::Sent, None), 2);
    assert_eq!(of(&rows, Status::Suppressed, Some(Reason::Throttled)), 10);
    quiet().await;
    assert_eq!(cloud.emails(ann.email.as_ref().unwrap().expose()).len(), 2);
}

#[tokio::test]
async fn digest_holds_each_of_many_comments_delivered_twice_once() {
    let cloud = Cloud::connect();
    let ann = cloud.new_recipient().await;
    let about = unique("board");
    let events: Vec<(String, Entry)> = (0..15).map(|_| demo("demo.comment", &[&ann], &about)).collect();
    for _ in 0..2 {
        put_all(&cloud, &events).await;
    }
    let rows = settled(&cloud, &events, 15).await;
    assert_eq!(of(&rows, Status::Suppressed, Some(Reason::Merged)), 15);
    let windows: std::collections::BTreeSet<_> = rows.iter().filter_map(|row| row.joined.clone()).collect();
    // All comments share one window unless the machine is slower than the window is long.
    assert!((1..=3).contains(&windows.len()), "{} windows", windows.len());
    let address = ann.email.as_ref().unwrap().expose();
    until("a letter for each window", async || {
        Some(cloud.emails(address)).filter(|emails| emails.len() >= windows.len())
    })
    .await;
    quiet().await;
    let emails = cloud.emails(address);
    assert_eq!(emails.len(), windows.len(), "one letter for a window");
    let notified = emails
        .iter()
        .map(|email| email.subject.split(' ').next().and_then(|part| part.parse::<u32>().ok()).unwrap_or(1));
    assert_eq!(notified.sum::<u32>(), 15, "each comment in one of them");
}

#[tokio::test]
async fn comment_that_cannot_be_rendered_is_left_out_of_its_digest() {
    let cloud = Cloud::connect();
    let ann = cloud.new_recipient().await;
    let about = unique("board");
    let mut events: Vec<(String, Entry)> = (0..4).map(|_| demo("demo.comment", &[&ann], &about)).collect();
    // The template requires the text of each comment.
    events[2].1.detail = events[2].1.detail.replace("\"text\"", "\"txt\"");
    put_all(&cloud, &events).await;
    let rows = settled(&cloud, &events, 5).await;
    assert_eq!(of(&rows, Status::Suppressed, Some(Reason::Merged)), 4);
    let left_out: Vec<&LedgerRow> = rows.iter().filter(|row| row.status == Status::Failed).collect();
    assert_eq!((left_out[0].reason, &left_out[0].origin.id), (Some(Reason::Template), &events[2].0));
    let note = left_out[0].note.as_deref().unwrap_or_default();
    assert!(note.starts_with("its digest leaves it out: template demo/en/"), "{note}");
    let address = ann.email.as_ref().unwrap().expose();
    let emails =
        until("the digest", async || Some(cloud.emails(address)).filter(|emails| !emails.is_empty())).await;
    assert!(emails[0].subject.starts_with("3 comments on "), "{}", emails[0].subject);
    let notified = carillon(&["explain", &events[2].0], "").stdout;
    assert!(String::from_utf8_lossy(&notified).contains("its digest leaves it out"));
}

#[tokio::test]
async fn quiet_hours_delay_the_email_and_not_the_in_app_message() {
    let cloud = Cloud::connect();
    let hour = jiff::SignedDuration::from_hours(1);
    let clock = |at: domain::Timestamp| at.to_string()[11..16].to_owned();
    let night = json!({ "quiet": { "start": clock(now() - hour), "end": clock(now() + hour) } });
    let owl = new_recipient_with(&cloud, &json!({ "zone": "Etc/UTC", "quiet": night })).await;
    let mut socket = Client::of(&cloud, &owl.id, None, &[]).await;
    let event = demo("demo.note", &[&owl], &unique("note"));
    put_all(&cloud, std::slice::from_ref(&event)).await;
    assert_eq!(socket.next_message().await["rule"], "demo-night");
    let rows = settled(&cloud, &[event], 2).await;
    let later = rows.iter().find(|row| row.status == Status::Deferred).unwrap();
    assert_eq!(later.reason, Some(Reason::QuietHours));
    let wait = later.until.unwrap().duration_since(now());
    assert!(
        wait > hour - jiff::SignedDuration::from_mins(3) && wait < hour + jiff::SignedDuration::from_mins(12),
        "{wait}"
    );
    assert!(cloud.emails(owl.email.as_ref().unwrap().expose()).is_empty());
    let schedules = aws(&["scheduler", "list-schedules", "--name-prefix", "carillon-local-"]);
    assert!(!schedules["Schedules"].as_array().unwrap().is_empty(), "a schedule waits for the morning");
}

#[tokio::test]
async fn escalation_stops_for_recipients_who_acknowledge() {
    let cloud = Cloud::connect();
    let (ann, ben) = (cloud.new_recipient().await, cloud.new_recipient().await);
    let mut anns = Client::of(&cloud, &ann.id, None, &[]).await;
    let mut bens = Client::of(&cloud, &ben.id, None, &[]).await;
    let event = demo("demo.page", &[&ann, &ben], &unique("door"));
    put_all(&cloud, std::slice::from_ref(&event)).await;
    let received = anns.next_message().await;
    bens.next_message().await;
    let output = json!({ "action": "acknowledge", "ids": [received["id"]] }).to_string();
    until("it is on record", async || (anns.ask(&output).await["type"] == "acknowledged").then_some(()))
        .await;
    // Each recipient gets an in-app message, a wait and an e-mail.
    let rows = settled(&cloud, &[event], 6).await;
    assert_eq!(of(&rows, Status::Suppressed, Some(Reason::Acknowledged)), 1);
    until("Ben's letter", async || {
        Some(cloud.emails(ben.email.as_ref().unwrap().expose())).filter(|emails| emails.len() == 1)
    })
    .await;
    assert!(cloud.emails(ann.email.as_ref().unwrap().expose()).is_empty());
}

#[tokio::test]
async fn cancelled_reminder_is_not_sent_and_another_is() {
    let cloud = Cloud::connect();
    let ann = cloud.new_recipient().await;
    let (off, on) = (unique("off"), unique("on"));
    let events = [demo("demo.appointment", &[&ann], &off), demo("demo.appointment", &[&ann], &on)];
    put_all(&cloud, &events).await;
    settled(&cloud, &events, 2).await;
    put_all(&cloud, &[demo("demo.appointment.called-off", &[&ann], &off)]).await;
    let rows = settled(&cloud, &events, 4).await;
    assert_eq!(of(&rows, Status::Suppressed, Some(Reason::Cancelled)), 1);
    assert_eq!(of(&rows, Status::Sent, None), 1);
    assert_eq!(cloud.emails(ann.email.as_ref().unwrap().expose()).len(), 1);
}

#[tokio::test]
async fn preference_suppresses_and_the_reason_names_its_layer() {
    let cloud = Cloud::connect();
    let preferences = json!({ "categories": { "demo": { "channel_types": { "email": false } } } });
    let ann = new_recipient_with(&cloud, &json!({ "preferences": preferences })).await;
    let event = demo("demo.alarm", &[&ann], &unique("pump"));
    put_all(&cloud, std::slice::from_ref(&event)).await;
    let rows = settled(&cloud, &[event], 1).await;
    assert_eq!(rows[0].reason, Some(Reason::Preference));
    assert_eq!(rows[0].note.as_deref(), Some("email is off for category demo (recipient)"));
    assert!(cloud.emails(ann.email.as_ref().unwrap().expose()).is_empty());
}

#[tokio::test]
async fn large_audience_is_notified_in_pages_and_each_recipient_once() {
    let cloud = Cloud::connect();
    let (value, email) = (unique("readers"), unique("mail"));
    let people: Vec<Recipient> = (0..230)
        .map(|at| {
            let id = format!("{value}-{at:03}");
            let person = json!({ "id": id, "email": format!("{email}-{at}@example.com"), "topics": [format!("news:{value}")] });
            serde_json::from_value(person).unwrap()
        })
        .collect();
    cloud.people.put(&people, now()).await.unwrap();
    let id = unique("event");
    let event = event_of(
        "core.announcement",
        &id,
        &json!({ "audience": value, "title": "News", "body": "Hello.", "url": "https://example.com" }),
    );
    // The event is delivered twice. The pages of the second delivery find the claims of the first.
    cloud.put(&[event.clone(), event]).await;
    let rows = settled_id(&cloud, &id, 460).await;
    let notified: std::collections::BTreeSet<&str> =
        rows.iter().filter(|row| row.status == Status::Sent).map(|row| row.recipient.as_str()).collect();
    assert_eq!(notified.len(), 230, "everybody");
    quiet().await;
    for at in [0, 99, 100, 229] {
        assert_eq!(cloud.emails(&format!("{email}-{at}@example.com")).len(), 1, "{at}");
    }
}

#[tokio::test]
async fn critical_event_uses_both_lanes_and_is_sent_once() {
    let cloud = Cloud::connect();
    let night = json!({ "quiet": { "start": "00:00", "end": "24:00" } });
    let no = json!({ "categories": { "emergency": false } });
    let ann = new_recipient_with(&cloud, &json!({ "quiet": night, "preferences": no })).await;
    let id = unique("event");
    let data = json!({ "alertId": id, "kind": "fall", "contacts": [ann.id], "careRecipientName": "Margaret", "location": "home" });
    cloud.put(&[event_of("emergency.alert.created", &id, &data)]).await;
    let address = ann.email.as_ref().unwrap().expose();
    until("the letter", async || Some(cloud.emails(address)).filter(|emails| !emails.is_empty())).await;
    quiet().await;
    assert_eq!(cloud.emails(address).len(), 1);
}

#[tokio::test]
async fn rate_limit_of_the_policy_bounds_events_of_one_source() {
    let cloud = Cloud::connect();
    let counters = Counters::new(&store::client(&cloud.config), "carillon-local-counters".to_owned());
    let (source, at) = (unique("source"), now());
    let whose = ["source", source.as_str()];
    let asks = (0..8).map(|_| counters.rate(&whose, 300, 1_000, at));
    let allowed: u32 = futures_util::future::join_all(asks).await.into_iter().map(Result::unwrap).sum();
    assert_eq!(allowed, 1_000);
    let next = at + jiff::SignedDuration::from_secs(1);
    assert_eq!(counters.rate(&whose, 300, 1_000, next).await.unwrap(), 300);
}

#[tokio::test]
async fn explain_shows_outcomes_and_what_if_shows_other_rules() {
    let cloud = Cloud::connect();
    let ann = cloud.new_recipient().await;
    let event = demo("demo.alarm", &[&ann], &unique("pump"));
    put_all(&cloud, std::slice::from_ref(&event)).await;
    settled(&cloud, std::slice::from_ref(&event), 1).await;
    let notified = until("it is on record", async || {
        let output = carillon(&["explain", &event.0, "--json"], "");
        output.status.success().then(|| json_lines(&output))
    })
    .await;
    assert_eq!((&notified[0]["recipient"], &notified[0]["status"]), (&json!(ann.id), &json!("sent")));
    let unknown = carillon(&["explain", &unique("nothing")], "");
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("is on record in the last 7d"));
    let same = carillon(&["what-if", "--config", "config", "--since", "10m", "--json"], "");
    let sum = json_lines(&same).pop().unwrap();
    assert_eq!((&sum["more"], &sum["less"]), (&json!(0), &json!(0)), "the same rules: {sum}");
    assert!(sum["events"].as_u64().unwrap() >= 1);
}

/// A demo event to these recipients, with its id.
fn demo(kind: &str, to: &[&Recipient], about: &str) -> (String, Entry) {
    let id = unique("event");
    let to: Vec<&str> = to.iter().map(|recipient| recipient.id.as_str()).collect();
    let mut written = event_of(kind, &id, &json!({ "to": to, "about": about, "text": "It is too hot." }));
    let detail = written.detail.replace("\"source\":\"tests\"", "\"source\":\"/carillon/demo\"");
    (written.source, written.detail) = ("/carillon/demo".to_owned(), detail);
    (id, written)
}

fn event_of(kind: &str, id: &str, data: &Value) -> Entry {
    entry(
        "tests",
        kind,
        &json!({ "specversion": "1.0", "id": id, "source": "tests", "type": kind, "time": now_text(), "data": data }),
    )
}

async fn put_all(cloud: &Cloud, events: &[(String, Entry)]) {
    let entries: Vec<Entry> = events.iter().map(|(_, item)| item.clone()).collect();
    cloud.put(&entries).await;
}

/// Waits until the events have `count` ledger rows, all of them final.
async fn settled(cloud: &Cloud, events: &[(String, Entry)], count: usize) -> Vec<LedgerRow> {
    until("all outcomes", async || {
        let mut rows = Vec::new();
        for (id, entry) in events {
            rows.extend(cloud.ledger.of_event(&entry.source, id).await.unwrap());
        }
        Some(rows).filter(|found| found.len() == count && found.iter().all(|row| row.status.is_final()))
    })
    .await
}

async fn settled_id(cloud: &Cloud, id: &str, count: usize) -> Vec<LedgerRow> {
    until("all outcomes", async || {
        let mut rows = cloud.ledger.of_event("tests", id).await.unwrap();
        rows.extend(cloud.ledger.of_event("/carillon/demo", id).await.unwrap());
        Some(rows).filter(|found| found.len() == count && found.iter().all(|row| row.status.is_final()))
    })
    .await
}

fn of(rows: &[LedgerRow], status: Status, reason: Option<Reason>) -> usize {
    rows.iter().filter(|row| row.status == status && (reason.is_none() || row.reason == reason)).count()
}

/// Creates a recipient with an address of their own and these members.
async fn new_recipient_with(cloud: &Cloud, members: &Value) -> Recipient {
    let id = unique("user");
    let mut person = json!({ "id": id, "name": "Ann", "email": format!("{id}@example.com") });
    for (name, value) in members.as_object().unwrap() {
        person[name] = value.clone();
    }
    cloud.new_recipient_with(person).await
}
