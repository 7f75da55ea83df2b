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
    let output = carillon(&["--json", "received", &ann.id], "");
    assert!(output.status.success(), "{}", text(&output));
    let lines = json_lines(&output);
    assert_eq!(lines.len(), 3, "{}", text(&output));
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
    let output = carillon(&["--json", "outbox-of", &ann.id, "--channel", "email", "--since", "1h"], "");
    assert_eq!(json_lines(&output).len(), 1, "{}", text(&output));
    let output = carillon(&["received", &unique("nobody")], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("is not known in carillon-local-people"), "{}", text(&output));
    let output = carillon(&["received", "nobody-at-all@example.org"], "");
    assert!(text(&output).contains("is not known: no person in"), "{}", text(&output));
    let quiet = cloud.new_recipient().await;
    let output = carillon(&["received", &quiet.id], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("has no notifications since"), "{}", text(&output));
    // Support asks first when the message was sent.
    let output = carillon(&["explain", &event], "");
    assert!(text(&output).contains("was sent at 20"), "{}", text(&output));
    let output = carillon(&["received", &ann.id, "--channel", "email"], "");
    let line = text(&output).lines().next().unwrap_or_default().to_owned();
    assert!(line.contains(" UTC  sent "), "{line}");
    let output = carillon(&["received", &ann.id, "--channel", "pigeon"], "");
    assert_eq!(output.status.code(), Some(2));

    let output = carillon(&["--json", "inbox", &ann.id], "");
    let lines = json_lines(&output);
    assert_eq!((lines.len(), &lines[0]["state"]), (1, &json!("unseen")), "{}", text(&output));
    let id = lines[0]["id"].as_str().unwrap();
    let output = carillon(&["--json", "inbox", &ann.id, "--mark", "read", "--id", id], "");
    assert_eq!(json_lines(&output), [json!({ "id": id, "state": "read" })], "{}", text(&output));
    let output = carillon(&["--json", "inbox", &ann.id, "--mark", "archived", "--all"], "");
    assert_eq!(json_lines(&output)[0]["counts"], counts(0, 0, 0), "{}", text(&output));
    let output = carillon(&["inbox", &ann.id, "--mark", "read"], "");
    assert_eq!(output.status.code(), Some(2), "which?");
}
