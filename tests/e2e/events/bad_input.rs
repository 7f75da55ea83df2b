//! Bad input gives an outcome with a reason and does not affect other messages.

use aws_sdk_sqs::types::Message;
use domain::base::channel::Channel;
use domain::base::outcome::{Reason, Status};
use publish::Entry;
use serde_json::{Value, json};
use testkit::cloud::{Cloud, cloud_event, entry, now_text};
use testkit::until::until;
use workspace::unique;

#[tokio::test]
async fn malformed_event_is_dead_lettered_with_its_cause_and_kept_by_the_audit() {
    let cloud = Cloud::connect();
    let envelope = |change: &dyn Fn(&mut Value)| {
        let mut event = json!({
            "specversion": "1.0", "id": unique("event"), "source": "tests", "type": "core.hello",
            "time": now_text(), "data": { "mark": unique("mark") },
        });
        change(&mut event);
        event
    };
    let large = "x".repeat(300 * 1024);
    let bad: [(&str, Value); 5] = [
        ("specversion: found a text of 3 characters", envelope(&|item| item["specversion"] = "0.3".into())),
        ("id: found an empty string", envelope(&|item| item["id"] = "".into())),
        ("time: found a text of 9 characters", envelope(&|item| item["time"] = "yesterday".into())),
        ("source: found nothing", envelope(&|item| drop(item.as_object_mut().unwrap().remove("source")))),
        ("body: found 3", envelope(&|item| item["data"]["text"] = large.as_str().into())),
    ];
    for (detail, event) in bad {
        let good = neighbour(&cloud).await;
        let mark = event["data"]["mark"].as_str().unwrap().to_owned();
        cloud.put(&[entry("tests", "core.hello", &event), good.entry.clone()]).await;
        let email = dead_letter(&cloud, "dispatch", &mark).await;
        assert_eq!(attribute(&email, "cause"), "refused", "{detail}");
        assert_eq!(attribute(&email, "by"), "dispatch");
        assert!(attribute(&email, "detail").starts_with(detail), "{}", attribute(&email, "detail"));
        assert!(!attribute(&email, "detail").contains(&mark), "a cause never quotes the payload");
        good.is_notified(&cloud).await;
        let kept = until("the audit has it", async || {
            cloud.all_records().await.into_iter().find(|record| {
                record.get("refused").is_some_and(|text| text.starts_with(detail))
                    && record.get("detail").is_none_or(|text| text.contains(&mark))
            })
        })
        .await;
        assert!(kept.get("digest").is_some());
    }
}

#[tokio::test]
async fn malformed_job_is_dead_lettered_at_once_and_its_neighbours_are_handled() {
    let cloud = Cloud::connect();
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    // Jobs of endpoints have a suite of their own.
    let channels = Channel::ALL.into_iter().filter(|channel| !channel.reaches_endpoints()).map(Channel::name);
    for queue in ["dispatch", "audit", "people", "feedback"].into_iter().chain(channels) {
        for kind in ["no json", "no object", "too deep"] {
            let good = neighbour(&cloud).await;
            let mark = unique("mark");
            let body = match kind {
                "no json" => format!("{{{mark}"),
                "no object" => json!([mark]).to_string(),
                _ => format!(
                    r#"{{"id":"{mark}","detail-type":"t","source":"s","time":"2026-11-20T12:00:00Z","detail":{deep}}}"#
                ),
            };
            cloud.send(queue, &body).await;
            cloud.put(std::slice::from_ref(&good.entry)).await;
            if queue == "audit" && kind == "too deep" {
                // The audit cannot tell it from an event of the bus, so the message is kept with the reason.
                let record = until("a record", async || cloud.records(&mark).await.into_iter().next()).await;
                assert!(record.get("refused").unwrap().contains("deeper"), "{queue} {kind}");
            } else {
                let email = dead_letter(&cloud, queue, &mark).await;
                assert_eq!(attribute(&email, "by"), queue, "{kind}");
                assert!(!attribute(&email, "detail").contains(&mark));
            }
            good.is_notified(&cloud).await;
        }
    }
}

#[tokio::test]
async fn event_without_recipients_has_a_reason() {
    let cloud = Cloud::connect();
    let hello = |data: Value| (cloud_event("core.hello", &unique("event"), &data), data);
    let stranger = unique("nobody-we-know");
    let wrong = unique("user");
    cloud.new_recipient_with(json!({ "id": wrong, "email": "no-at-sign" })).await;
    let elsewhere = unique("user");
    cloud.new_recipient_with(json!({ "id": elsewhere, "tenants": ["another"] })).await;

    let unheard = cloud_event(&unique("nobody.listens"), &unique("event"), &json!({}));
    check(&cloud, unheard, &[(Status::Suppressed, Reason::NoRule)]).await;
    check(&cloud, hello(json!({ "to": [] })).0, &[(Status::Suppressed, Reason::NoRecipient)]).await;
    let both = [(Status::Suppressed, Reason::UnknownRecipient); 2];
    check(&cloud, hello(json!({ "to": [stranger], "message": "?" })).0, &both).await;
    // The in-app message waits in the inbox.
    let expected = [(Status::Suppressed, Reason::InvalidAddress)];
    check(&cloud, hello(json!({ "to": [wrong], "message": "?" })).0, &expected).await;
    let mut of_tenant = hello(json!({ "to": [elsewhere], "message": "?" })).0;
    let mut detail: Value = serde_json::from_str(&of_tenant.detail).unwrap();
    detail["tenant"] = "ours".into();
    of_tenant.detail = detail.to_string();
    check(&cloud, of_tenant, &[(Status::Suppressed, Reason::OtherTenant); 2]).await;
}

#[tokio::test]
async fn template_with_a_missing_value_fails_alone_and_names_the_place() {
    let cloud = Cloud::connect();
    let ann = cloud.new_recipient().await;
    // The event has the recipient but none of the values that the booking template requires.
    let event = cloud_event("task.created", &unique("event"), &json!({ "assigneeId": ann.id }));
    let rows = check_all(&cloud, event).await;
    assert!(!rows.is_empty());
    let failed = rows.iter().filter(|row| row.recipient == ann.id);
    for row in failed {
        assert_eq!((row.status, row.reason), (Status::Failed, Some(Reason::Template)));
    }
}

async fn check(cloud: &Cloud, event: Entry, expected: &[(Status, Reason)]) {
    let rows = check_all(cloud, event).await;
    let found: Vec<_> = rows.iter().filter_map(|row| Some((row.status, row.reason?))).collect();
    assert_eq!(found, expected);
}

async fn check_all(cloud: &Cloud, event: Entry) -> Vec<store::LedgerRow> {
    let id = serde_json::from_str::<Value>(&event.detail).unwrap()["id"].as_str().unwrap().to_owned();
    let good = neighbour(cloud).await;
    cloud.put(&[event, good.entry.clone()]).await;
    good.is_notified(cloud).await;
    // Outcomes of one event are written together or by two functions. They are complete when they stop changing.
    let mut seen = 0;
    until("its outcomes", async || {
        let rows = cloud.outcomes(&id).await;
        let settled = !rows.is_empty() && rows.len() == seen;
        seen = rows.len();
        settled.then_some(rows)
    })
    .await
}

/// A valid event to a recipient of its own.
struct ValidEvent {
    entry: Entry,
    address: String,
}

async fn neighbour(cloud: &Cloud) -> ValidEvent {
    let ann = cloud.new_recipient().await;
    let data = json!({ "to": [ann.id], "message": "I am fine." });
    ValidEvent {
        entry: cloud_event("core.hello", &unique("event"), &data),
        address: ann.email.unwrap_or_default().into_exposed(),
    }
}

impl ValidEvent {
    async fn is_notified(&self, cloud: &Cloud) {
        until("the neighbour is told", async || (cloud.emails(&self.address).len() == 1).then_some(())).await;
    }
}

async fn dead_letter(cloud: &Cloud, queue: &str, mark: &str) -> Message {
    let emails = until("a dead letter", async || {
        Some(cloud.dead_letters(queue, mark).await).filter(|emails| !emails.is_empty())
    })
    .await;
    assert_eq!(emails.len(), 1, "once");
    emails.into_iter().next().unwrap()
}

fn attribute(message: &Message, name: &str) -> String {
    let attributes = message.message_attributes.as_ref().unwrap();
    attributes.get(name).and_then(|attribute| attribute.string_value()).unwrap_or_default().to_owned()
}
