//! Each gives a reasoned outcome, and its neighbours go through.

use aws_sdk_sqs::types::Message;
use domain::channel::Channel;
use domain::outcome::{Reason, Status};
use publish::Entry;
use serde_json::{Value, json};

use crate::cloud::{Cloud, cloud_event, entry, now_text, unique};
use crate::until::until;

#[tokio::test]
async fn what_is_no_event_is_put_aside_with_its_cause_and_kept_by_the_audit() {
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
        ("specversion: found a text of 3 characters", envelope(&|it| it["specversion"] = "0.3".into())),
        ("id: found an empty string", envelope(&|it| it["id"] = "".into())),
        ("time: found a text of 9 characters", envelope(&|it| it["time"] = "yesterday".into())),
        ("source: found nothing", envelope(&|it| drop(it.as_object_mut().unwrap().remove("source")))),
        ("body: found 3", envelope(&|it| it["data"]["text"] = large.as_str().into())),
    ];
    for (detail, event) in bad {
        let good = neighbour(&cloud).await;
        let mark = event["data"]["mark"].as_str().unwrap().to_owned();
        cloud.put(&[entry("tests", "core.hello", &event), good.entry.clone()]).await;
        let letter = dead_letter(&cloud, "dispatch", &mark).await;
        assert_eq!(attribute(&letter, "cause"), "refused", "{detail}");
        assert_eq!(attribute(&letter, "by"), "dispatch");
        assert!(attribute(&letter, "detail").starts_with(detail), "{}", attribute(&letter, "detail"));
        assert!(!attribute(&letter, "detail").contains(&mark), "a cause never quotes the payload");
        good.is_told(&cloud).await;
        let kept = until("the audit has it", async || {
            cloud.all_records().await.into_iter().find(|it| {
                it.get("refused").is_some_and(|it| it.starts_with(detail))
                    && it.get("detail").is_none_or(|it| it.contains(&mark))
            })
        })
        .await;
        assert!(kept.get("digest").is_some());
    }
}

#[tokio::test]
async fn what_is_no_message_of_ours_is_put_aside_at_once_and_its_neighbours_go_through() {
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
                // It came from the bus as far as the audit can tell, and is kept with the reason.
                let record = until("a record", async || cloud.records(&mark).await.into_iter().next()).await;
                assert!(record.get("refused").unwrap().contains("deeper"), "{queue} {kind}");
            } else {
                let letter = dead_letter(&cloud, queue, &mark).await;
                assert_eq!(attribute(&letter, "by"), queue, "{kind}");
                assert!(!attribute(&letter, "detail").contains(&mark));
            }
            good.is_told(&cloud).await;
        }
    }
}

#[tokio::test]
async fn what_reaches_nobody_says_why() {
    let cloud = Cloud::connect();
    let hello = |data: Value| (cloud_event("core.hello", &unique("event"), &data), data);
    let stranger = unique("nobody-we-know");
    let wrong = unique("user");
    cloud.somebody_with(json!({ "id": wrong, "email": "no-at-sign" })).await;
    let elsewhere = unique("user");
    cloud.somebody_with(json!({ "id": elsewhere, "tenants": ["another"] })).await;

    let unheard = cloud_event(&unique("nobody.listens"), &unique("event"), &json!({}));
    check(&cloud, unheard, &[(Status::Suppressed, Reason::NoRule)]).await;
    check(&cloud, hello(json!({ "to": [] })).0, &[(Status::Suppressed, Reason::NoRecipient)]).await;
    let both = [(Status::Suppressed, Reason::UnknownRecipient); 2];
    check(&cloud, hello(json!({ "to": [stranger], "message": "?" })).0, &both).await;
    // The live message waits in the inbox.
    let expected = [(Status::Suppressed, Reason::InvalidAddress)];
    check(&cloud, hello(json!({ "to": [wrong], "message": "?" })).0, &expected).await;
    let mut of_tenant = hello(json!({ "to": [elsewhere], "message": "?" })).0;
    let mut detail: Value = serde_json::from_str(&of_tenant.detail).unwrap();
    detail["tenant"] = "ours".into();
    of_tenant.detail = detail.to_string();
    check(&cloud, of_tenant, &[(Status::Suppressed, Reason::OtherTenant); 2]).await;
}

#[tokio::test]
async fn a_template_that_finds_no_value_fails_for_itself_and_says_where() {
    let cloud = Cloud::connect();
    let ann = cloud.somebody().await;
    // Everything the booking's template wants is missing, but for whom to tell.
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
    good.is_told(cloud).await;
    // The outcomes of one event are written together or by two functions; they are complete when they stop changing.
    let mut seen = 0;
    until("its outcomes", async || {
        let rows = cloud.outcomes(&id).await;
        let settled = !rows.is_empty() && rows.len() == seen;
        seen = rows.len();
        settled.then_some(rows)
    })
    .await
}

/// A good event, to somebody of its own.
struct Neighbour {
    entry: Entry,
    address: String,
}

async fn neighbour(cloud: &Cloud) -> Neighbour {
    let ann = cloud.somebody().await;
    let data = json!({ "to": [ann.id], "message": "I am fine." });
    Neighbour {
        entry: cloud_event("core.hello", &unique("event"), &data),
        address: ann.email.unwrap_or_default(),
    }
}

impl Neighbour {
    async fn is_told(&self, cloud: &Cloud) {
        until("the neighbour is told", async || (cloud.letters(&self.address).len() == 1).then_some(()))
            .await;
    }
}

async fn dead_letter(cloud: &Cloud, queue: &str, mark: &str) -> Message {
    let letters = until("a dead letter", async || {
        Some(cloud.dead_letters(queue, mark).await).filter(|it| !it.is_empty())
    })
    .await;
    assert_eq!(letters.len(), 1, "once");
    letters.into_iter().next().unwrap()
}

fn attribute(message: &Message, name: &str) -> String {
    let attributes = message.message_attributes.as_ref().unwrap();
    attributes.get(name).and_then(|attribute| attribute.string_value()).unwrap_or_default().to_owned()
}
