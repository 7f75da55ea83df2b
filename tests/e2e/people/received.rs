//! The CLI's report on a person's notifications and inbox.

use serde_json::json;
use testkit::cloud::{Cloud, cloud_event};
use testkit::until::until;
use workspace::programs::{carillon, json_lines, text};
use workspace::unique;

use crate::realtime::inbox::{counts, deliver, outcome};

#[tokio::test]
async fn received_prints_all_notifications_and_suppressions_of_a_person_with_their_content() {
    let cloud = Cloud::connect();
    let ann = cloud.new_recipient().await;
    let event = unique("event");
    cloud
        .put(&[cloud_event("core.hello", &event, &json!({ "to": [ann.id], "message": "Who got it?" }))])
        .await;
    until("two outcomes", async || Some(cloud.outcomes(&event).await).filter(|rows| rows.len() == 2)).await;
    let away = deliver(&cloud, &ann.id, None, true).await;
    outcome(&cloud, &away.key).await;
    let said = carillon(&["--json", "received", &ann.id], "");
    assert!(said.status.success(), "{}", text(&said));
    let lines = json_lines(&said);
    assert_eq!(lines.len(), 3, "{}", text(&said));
    assert_eq!(
        (&lines[0]["key"], &lines[0]["reason"]),
        (&json!(away.key), &json!("not_connected")),
        "newest first"
    );
    for channel in ["email", "socket"] {
        let line =
            lines.iter().find(|line| line["channel"] == channel && line["event"] == event.as_str()).unwrap();
        assert_eq!(line["status"], "sent");
        assert!(line["words"].as_str().is_some_and(|text| !text.is_empty()), "{line}");
    }
    let said = carillon(&["--json", "outbox-of", &ann.id, "--channel", "email", "--since", "1h"], "");
    assert_eq!(json_lines(&said).len(), 1, "{}", text(&said));
    let said = carillon(&["received", &unique("nobody")], "");
    assert_eq!(said.status.code(), Some(1));
    assert!(text(&said).contains("is not known in carillon-local-people"), "{}", text(&said));
    let said = carillon(&["received", "nobody-at-all@example.org"], "");
    assert!(text(&said).contains("is not known: no person in"), "{}", text(&said));
    let quiet = cloud.new_recipient().await;
    let said = carillon(&["received", &quiet.id], "");
    assert_eq!(said.status.code(), Some(1));
    assert!(text(&said).contains("has no notifications since"), "{}", text(&said));
    // Support asks first when the message was sent.
    let said = carillon(&["explain", &event], "");
    assert!(text(&said).contains("was sent at 20"), "{}", text(&said));
    let said = carillon(&["received", &ann.id, "--channel", "email"], "");
    let line = text(&said).lines().next().unwrap_or_default().to_owned();
    assert!(line.contains(" UTC  sent "), "{line}");
    let said = carillon(&["received", &ann.id, "--channel", "pigeon"], "");
    assert_eq!(said.status.code(), Some(2));

    let said = carillon(&["--json", "inbox", &ann.id], "");
    let lines = json_lines(&said);
    assert_eq!((lines.len(), &lines[0]["state"]), (1, &json!("unseen")), "{}", text(&said));
    let id = lines[0]["id"].as_str().unwrap();
    let said = carillon(&["--json", "inbox", &ann.id, "--mark", "read", "--id", id], "");
    assert_eq!(json_lines(&said), [json!({ "id": id, "state": "read" })], "{}", text(&said));
    let said = carillon(&["--json", "inbox", &ann.id, "--mark", "archived", "--all"], "");
    assert_eq!(json_lines(&said)[0]["counts"], counts(0, 0, 0), "{}", text(&said));
    let said = carillon(&["inbox", &ann.id, "--mark", "read"], "");
    assert_eq!(said.status.code(), Some(2), "which?");
}
