//! CloudEvents on every way in: accepted events are delivered, and refused ones can be found with their reason.

use serde_json::{Value, json};
use testkit::api_client::ApiClient;
use testkit::cloud::{Cloud, entry, now_text};
use testkit::outbox_producer::producer;
use testkit::until::until;
use workspace::programs::{carillon, text};
use workspace::unique;

#[tokio::test]
async fn event_in_binary_mode_is_published_as_its_headers_say() {
    let cloud = Cloud::connect();
    let tenant = unique("clinic");
    let admin = ApiClient::of(&unique("admin"), &tenant, "admin");
    let (id, source) = (unique("event"), format!("/tenants/{tenant}"));
    let headers = [
        ("content-type", "application/json"),
        ("ce-specversion", "1.0"),
        ("ce-id", id.as_str()),
        ("ce-source", source.as_str()),
        ("ce-type", "order.shipped"),
        ("ce-subject", "Z%C3%BCrich"),
    ];
    for _ in 0..2 {
        let output = admin.ask_with("POST", "/v1/events", r#"{"type":"core.hello","data":1}"#, &headers);
        assert_eq!((output.status, output.body["id"].as_str()), (202, Some(id.as_str())), "{}", output.text);
        assert_eq!(output.body["type"], "order.shipped");
    }
    let record = until("the audit has it", async || cloud.records(&id).await.into_iter().next()).await;
    assert_eq!((record.get("type"), record.get("subject")), (Some("order.shipped"), Some("Zürich")));
}

#[tokio::test]
async fn batch_is_published_as_a_whole_or_not_at_all() {
    let cloud = Cloud::connect();
    let tenant = unique("clinic");
    let admin = ApiClient::of(&unique("admin"), &tenant, "admin");
    let batch = [("content-type", "application/cloudevents-batch+json")];
    let event = |id: &str, more: Value| {
        let mut event =
            json!({ "specversion": "1.0", "id": id, "source": format!("/tenants/{tenant}"), "type": "t" });
        event.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        event
    };
    let ids = [unique("event"), unique("event"), unique("event")];
    let good = json!([event(&ids[0], json!({ "priority": "p1" })), event(&ids[1], json!({}))]);
    let output = admin.ask_with("POST", "/v1/events", &good.to_string(), &batch);
    assert_eq!(output.status, 202, "{}", output.text);
    assert_eq!(output.body["events"].as_array().map(Vec::len), Some(2));
    assert!(output.body["events"][0]["notes"][0].as_str().is_some_and(|text| text.starts_with("priority: ")));
    let mixed = json!([event(&ids[2], json!({})), event("x", json!({ "time": "noon" }))]);
    let output = admin.ask_with("POST", "/v1/events", &mixed.to_string(), &batch);
    assert_eq!(
        (output.status, output.body["events"][0]["status"].as_u64()),
        (422, Some(424)),
        "{}",
        output.text
    );
    for id in &ids[..2] {
        until("the audit has it", async || cloud.records(id).await.into_iter().next()).await;
    }
    assert!(cloud.records(&ids[2]).await.is_empty(), "nothing of a batch with a refused event is published");
    let output =
        admin.ask_with("POST", "/v1/events", "[]", &[("content-type", "application/cloudevents+avro")]);
    assert_eq!(output.status, 415, "{}", output.text);
}

#[tokio::test]
async fn outbox_row_without_a_time_takes_the_time_of_its_append() {
    let (cloud, producer) = producer();
    let id = unique("event");
    let text =
        json!({ "specversion": "1.0", "id": id, "source": "tests", "type": "nobody.cares", "time": null });
    producer.put_pending(&id, &text.to_string()).await;
    let record = until("it is acknowledged", async || {
        cloud
            .records(&id)
            .await
            .into_iter()
            .find(|record| record.get("bus_id").is_some() && record.get("pending").is_none())
    })
    .await;
    let time = |name: &str| record.get(name).unwrap().parse::<domain::Timestamp>().unwrap();
    // EventBridge times have whole seconds.
    let difference = time("time").duration_since(time("appended_at")).abs();
    assert!(difference <= jiff::SignedDuration::from_secs(1), "{difference}");
}

#[tokio::test]
async fn refused_event_is_explained_by_its_own_id_and_by_the_id_of_the_bus() {
    let cloud = Cloud::connect();
    let id = unique("event");
    let event = json!({
        "specversion": "1.0", "id": id, "source": "tests", "type": "core.hello", "time": "2026-11-20T09:30Z", "data": {},
    });
    cloud.put(&[entry("tests", "core.hello", &event)]).await;
    let record = until("the audit has it", async || {
        cloud.all_records().await.into_iter().find(|record| record.get("inner_id") == Some(id.as_str()))
    })
    .await;
    let bus_id = record.get("bus_id").unwrap().to_owned();
    for id in [&id, &bus_id] {
        let output = carillon(&["explain", id], "");
        assert_eq!(output.status.code(), Some(1), "{}", text(&output));
        assert!(
            text(&output).contains("was refused") && text(&output).contains("time: found"),
            "{}",
            text(&output)
        );
    }
    let listed = carillon(&["events", "ls", "--refused", "--id", &id, "--since", "1h"], "");
    assert!(text(&listed).contains("time: found"), "{}", text(&listed));
}

#[tokio::test]
async fn attribute_of_a_third_party_is_noted_and_the_event_is_delivered() {
    let cloud = Cloud::connect();
    let ann = cloud.new_recipient().await;
    let id = unique("event");
    let event = json!({
        "SpecVersion": "1.0", "Id": id, "Source": "tests", "Type": "core.hello", "Time": now_text(),
        "Priority": "p1", "Sequence": "a-0001", "Data": { "to": [ann.id], "message": "Hello" },
    });
    cloud.put(&[entry("tests", "core.hello", &event)]).await;
    let address = ann.email.clone().unwrap().into_exposed();
    until("a letter", async || Some(cloud.emails(&address)).filter(|emails| emails.len() == 1)).await;
    let output = until("explain finds it", async || {
        Some(text(&carillon(&["explain", &id], ""))).filter(|text| text.contains("note: priority"))
    })
    .await;
    assert!(output.contains("counts as absent"), "{output}");
}
