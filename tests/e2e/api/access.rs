//! Access records: every request and every reading command leaves one, and `carillon audit access` prints it.

use serde_json::{Value, json};
use testkit::api_client::ApiClient;
use testkit::aws_cli::aws;
use testkit::cloud::{Cloud, entry, now_text};
use testkit::until::until;
use workspace::programs::{carillon, json_lines, text};
use workspace::unique;

use crate::api::check;

#[tokio::test]
async fn read_change_and_refusal_leave_records_of_ids_and_no_values() {
    let cloud = Cloud::connect();
    let (clinic, ann, mark) = (unique("clinic"), unique("ann"), unique("mark"));
    cloud.new_recipient_with(json!({ "id": ann, "name": mark, "tenants": [clinic] })).await;
    let (admin, eve) = (unique("admin"), unique("eve"));
    let (ours, theirs) =
        (ApiClient::of(&admin, &clinic, "admin"), ApiClient::of(&eve, &unique("other"), "admin"));
    let path = format!("/v1/recipients/{ann}");
    check(&ours.ask("GET", &path, None), 200, "");
    check(&ours.ask("PATCH", &path, Some(&json!({ "name": format!("{mark}-2") }))), 200, "");
    check(&ours.ask("POST", &path, None), 405, "method_not_allowed");
    check(&theirs.ask("GET", &path, None), 404, "no_recipient");

    let records = until("three records", async || Some(about(&ann)).filter(|all| all.len() == 3)).await;
    let of = |operation: &str, subject: &str| {
        let found =
            records.iter().find(|record| record["operation"] == operation && record["subject"] == subject);
        found.unwrap_or_else(|| panic!("{operation} by {subject}: {records:?}")).clone()
    };
    let read = of("getRecipient", &admin);
    assert_eq!((&read["status"], &read["by"]), (&json!(200), &json!("token")));
    assert_eq!((&read["tenant"], &read["source"]), (&json!(clinic), &json!("carillon/api")));
    assert_eq!(read["object"], json!({ "kind": "person", "id": ann }));
    assert_eq!(of("patchRecipient", &admin)["status"], 200);
    assert_eq!(of("getRecipient", &eve)["status"], 404, "a refusal");
    assert!(!records.iter().any(|record| record.to_string().contains(&mark)), "{records:?}");

    let response = carillon(&["--json", "audit", "access", "--subject", &admin, "--since", "5m"], "");
    let lines = json_lines(&response);
    assert!(
        lines.iter().any(|line| line["operation"] == "none" && line["status"] == 405),
        "{}",
        text(&response)
    );
    let response = carillon(&["audit", "access", "--person", &ann, "--subject", &eve], "");
    assert!(response.status.success() && text(&response).contains("404"), "{}", text(&response));
    assert_eq!(carillon(&["audit", "access", "--person", &unique("nobody")], "").status.code(), Some(1));
    assert_eq!(carillon(&["audit", "access"], "").status.code(), Some(2), "about what?");
}

#[tokio::test]
async fn list_request_is_found_for_every_person_on_the_page() {
    let cloud = Cloud::connect();
    let (clinic, ann, ben, topic) = (unique("clinic"), unique("ann"), unique("ben"), unique("team:7"));
    for id in [&ann, &ben] {
        cloud.new_recipient_with(json!({ "id": id, "tenants": [clinic], "topics": [topic] })).await;
    }
    let admin = ApiClient::of(&unique("admin"), &clinic, "admin");
    check(&admin.ask("GET", &format!("/v1/recipients?topic={topic}"), None), 200, "");
    for id in [&ann, &ben] {
        let records = until("a record", async || Some(about(id)).filter(|all| !all.is_empty())).await;
        assert_eq!(records[0]["operation"], "listRecipients");
    }
}

#[tokio::test]
async fn reading_command_leaves_a_record_with_its_iam_identity() {
    let cloud = Cloud::connect();
    let ann = cloud.new_recipient().await.id;
    let arn = aws(&["sts", "get-caller-identity"])["Arn"].clone();
    assert_eq!(carillon(&["received", &ann], "").status.code(), Some(1), "nothing yet");
    assert!(carillon(&["people", "show", &ann], "").status.success());
    let records = until("two records", async || Some(about(&ann)).filter(|all| all.len() == 2)).await;
    let operations: Vec<&Value> = records.iter().map(|record| &record["operation"]).collect();
    assert_eq!(operations, [&json!("received"), &json!("peopleShow")]);
    for record in &records {
        assert_eq!((&record["by"], &record["subject"]), (&json!("iam"), &arn));
        assert_eq!(record["source"], "carillon/cli");
    }
}

#[tokio::test]
async fn record_that_was_put_on_the_bus_is_not_listed() {
    let cloud = Cloud::connect();
    let (ann, id) = (unique("ann"), unique("forged"));
    let data = json!({
        "by": "token", "subject": "innocent", "operation": "getRecipient", "request": id,
        "object": { "kind": "person", "id": ann }, "status": 200,
    });
    let forged = json!({
        "specversion": "1.0", "id": id, "source": "shop", "type": "carillon.access.recorded",
        "time": now_text(), "subject": ann, "data": data,
    });
    cloud.put(&[entry("shop", "carillon.access.recorded", &forged)]).await;
    until("the audit has it, as an event or as one that was refused", async || {
        let all = cloud.all_records().await;
        let holds = |text: Option<&str>| text.is_some_and(|text| text.contains(&id));
        all.iter().any(|record| holds(record.get("event")) || holds(record.get("detail"))).then_some(())
    })
    .await;
    assert!(about(&ann).is_empty(), "and it is no access record");
}

#[tokio::test]
async fn change_and_deletion_by_the_api_are_events_of_names_and_no_values() {
    let cloud = Cloud::connect();
    let (clinic, ann, mark) = (unique("clinic"), unique("ann"), unique("mark"));
    cloud.new_recipient_with(json!({ "id": ann, "tenants": [clinic] })).await;
    let admin = ApiClient::of(&unique("admin"), &clinic, "admin");
    let path = format!("/v1/recipients/{ann}");
    check(&admin.ask("PATCH", &path, Some(&json!({ "name": mark }))), 200, "");
    check(&admin.ask("DELETE", &path, None), 204, "");
    for (kind, data) in
        [("carillon.api.recipient_changed", json!(["name"])), ("carillon.api.recipient_deleted", Value::Null)]
    {
        let event = until(kind, async || {
            let all = cloud.all_records().await;
            let found = all
                .iter()
                .find(|record| record.get("type") == Some(kind) && record.get("subject") == Some(&ann));
            found.and_then(|found| found.get("event")).map(str::to_owned)
        })
        .await;
        let event: Value = serde_json::from_str(&event).unwrap();
        assert_eq!((&event["data"]["id"], &event["data"]["members"]), (&json!(ann), &data));
        assert_eq!((&event["tenant"], &event["source"]), (&json!(clinic), &json!("carillon/api")));
        assert!(!event.to_string().contains(&mark));
    }
}

/// Access records about a person, as the command prints them.
fn about(person: &str) -> Vec<Value> {
    json_lines(&carillon(&["--json", "audit", "access", "--person", person], ""))
}
