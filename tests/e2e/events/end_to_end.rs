//! One event from the bus to an e-mail, an in-app message and an audit record.

use std::process::Command;

use domain::base::channel::Channel;
use domain::base::outcome::Status;
use serde_json::json;
use testkit::cloud::{Cloud, cloud_event, entry, now_text};
use testkit::until::until;
use testkit::ws_client::Client;
use workspace::{root, unique};

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[tokio::test]
async fn event_becomes_an_email_an_in_app_message_and_an_audit_record() {
    let cloud = Cloud::connect();
    let ann = cloud.new_recipient().await;
    let mut socket = Client::of(&cloud, &ann.id, None, &[]).await;
    let id = unique("event");
    let event = json!({
        "specversion": "1.0", "id": id, "source": "tests", "type": "core.hello", "time": now_text(),
        "subject": "greeting/1", "correlationid": "story-1", "causationid": "cause-0", "actor": "ben",
        "traceparent": TRACE, "data": { "to": [ann.id], "message": "The bells ring." },
    });
    cloud.put(&[entry("tests", "core.hello", &event)]).await;

    let frame = socket.next_message().await;
    assert_eq!(frame["event"]["id"], id.as_str());
    assert_eq!(frame["event"]["traceparent"], TRACE);
    assert_eq!(frame["event"]["correlationid"], "story-1");
    assert!(frame["body"].as_str().unwrap().contains("The bells ring."), "{frame}");

    let rows =
        until("two outcomes", async || Some(cloud.outcomes(&id).await).filter(|rows| rows.len() == 2)).await;
    for row in &rows {
        assert_eq!(row.status, Status::Sent);
        assert_eq!(row.origin.actor.as_deref(), Some("ben"));
        assert_eq!(row.origin.causation_id.as_deref(), Some("cause-0"));
        assert_eq!(row.origin.traceparent.as_deref(), Some(TRACE));
    }
    let emails = cloud.emails(ann.email.as_ref().unwrap().expose());
    assert_eq!(emails.len(), 1, "one letter");
    let of_email = rows.iter().find(|row| row.channel == Some(Channel::Email)).unwrap();
    assert_eq!(of_email.provider_id.as_deref(), Some(emails[0].id.as_str()), "the ledger names SES's own id");
    assert!(emails[0].raw.to_string().contains("The bells ring."), "the text is in the letter");

    let records =
        until("a record", async || Some(cloud.records(&id).await).filter(|records| !records.is_empty()))
            .await;
    assert_eq!(records.len(), 1);
    for (attribute, expected) in [
        ("type", "core.hello"),
        ("subject", "greeting/1"),
        ("correlation_id", "story-1"),
        ("causation_id", "cause-0"),
        ("actor", "ben"),
        ("traceparent", TRACE),
    ] {
        assert_eq!(records[0].get(attribute), Some(expected), "{attribute}");
    }
}

#[tokio::test]
async fn aws_cli_can_be_the_producer() {
    let cloud = Cloud::connect();
    let ann = cloud.new_recipient().await;
    let entries = json!([{
        "EventBusName": "carillon-local", "Source": "identity-service", "DetailType": "user.created",
        "Detail": json!({ "userId": ann.id, "displayName": "Ann", "accountType": "patient" }).to_string(),
    }]);
    let environment = std::fs::read_to_string(root().join(".local/env")).unwrap();
    let variables = environment.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
    let put = Command::new(root().join(".local/awscli/bin/aws"))
        .args(["events", "put-events", "--entries", &entries.to_string()])
        .envs(variables)
        .output()
        .unwrap();
    assert!(put.status.success(), "{}", String::from_utf8_lossy(&put.stderr));
    let address = ann.email.as_ref().unwrap().expose();
    let emails =
        until("a letter", async || Some(cloud.emails(address)).filter(|emails| !emails.is_empty())).await;
    assert_eq!(emails.len(), 1);
}

#[tokio::test]
async fn person_gets_the_closest_available_language() {
    let cloud = Cloud::connect();
    let id = unique("user");
    let email = format!("{id}@example.com");
    cloud.new_recipient_with(json!({ "id": id, "email": email, "locale": "de-AT" })).await;
    let event = unique("event");
    let data = json!({ "userId": id, "reportId": "r-1", "recordId": "r-1" });
    cloud.put(&[cloud_event("ehr.lab_report.created", &event, &data)]).await;
    let emails =
        until("a letter", async || Some(cloud.emails(&email)).filter(|emails| !emails.is_empty())).await;
    assert!(emails[0].subject.contains("Ihrer Akte"), "{}", emails[0].subject);
}

#[tokio::test]
async fn room_receives_events_of_its_own_tenant_only() {
    let cloud = Cloud::connect();
    let (queue, own, other) = (unique("queue"), unique("clinic"), unique("clinic"));
    let room = format!("queue:{queue}");
    let ask = json!({ "action": "subscribe", "room": room }).to_string();
    let mut inside = Client::of(&cloud, &unique("user"), Some(&own), &["queue:*"]).await;
    let mut outside = Client::of(&cloud, &unique("user"), Some(&other), &["queue:*"]).await;
    for client in [&mut inside, &mut outside] {
        assert_eq!(client.ask(&ask).await, json!({ "type": "subscribed", "room": room }));
    }
    let sample = std::fs::read_to_string(root().join("packs/healthcare/events/queue.updated.json")).unwrap();
    let mut event: serde_json::Value = serde_json::from_str(&sample).unwrap();
    event["eventId"] = unique("event").into();
    event["timestamp"] = now_text().into();
    event["clinicId"] = own.as_str().into();
    event["payload"]["queueId"] = queue.as_str().into();
    cloud.put(&[entry("queue-service", "queue.updated", &event)]).await;
    assert_eq!(inside.next_message().await["rule"], "queue-moved");
    assert!(outside.receives_nothing().await);
}
