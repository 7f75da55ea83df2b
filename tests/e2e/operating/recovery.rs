//! Recovery: a disabled endpoint later gets the events that it missed, and no other recipient is notified again.

use domain::base::outcome::{Reason, Status};
use domain::webhook::endpoint::DisabledBecause;
use serde_json::{Value, json};
use testkit::api_client::ApiClient;
use testkit::cloud::now;
use testkit::until::{quiet, until};
use workspace::unique;

use crate::channels::webhooks::{WebhookTenant, carillon};

/// Number of requests about events at a path, without pings.
fn notified(stage: &WebhookTenant, path: &str) -> usize {
    stage.captured(path).len()
}

async fn arrives(stage: &WebhookTenant, path: &str, count: usize) {
    until(&format!("{count} messages at {path}"), async || (notified(stage, path) >= count).then_some(()))
        .await;
}

#[tokio::test]
async fn recovered_endpoint_gets_missed_events_once_and_no_other_recipient_does() {
    let stage = WebhookTenant::set();
    let (off, on) = (format!("/hooks/off/{}", stage.tenant), format!("/hooks/on/{}", stage.tenant));
    stage.endpoint("off", &off, json!({})).await;
    stage.endpoint("on", &on, json!({})).await;
    let name = stage.id("off").name();
    assert!(stage.endpoints.disable(&stage.id("off"), DisabledBecause::Failing, now()).await.unwrap());
    let since = (now() - jiff::SignedDuration::from_mins(5)).to_string();
    let events = [stage.book("booking.created").await, stage.book("booking.approved").await];
    for event in &events {
        let row = stage.row(event, "off").await;
        assert_eq!((row.status, row.reason), (Status::Suppressed, Some(Reason::EndpointDisabled)));
        assert_eq!(stage.row(event, "on").await.status, Status::Sent);
    }
    let recover = |more: &[&str]| {
        let mut arguments = vec!["--json", "endpoints", "recover", &name, "--since", &since];
        arguments.extend(more);
        let (code, output) = carillon(&arguments);
        (
            code,
            serde_json::from_str::<Value>(output.lines().next().unwrap_or_default()).unwrap_or(Value::Null),
        )
    };
    assert_eq!(recover(&[]).0, 2, "not while it is off");
    let (_, counted) = recover(&["--dry-run"]);
    assert_eq!(
        (&counted["messages"], &counted["events"], &counted["sent"]),
        (&json!(0), &json!(2), &json!(false))
    );
    let enabled = carillon(&["endpoints", "enable", &name]);
    assert!(enabled.1.contains(&format!("recover {name} --since")), "{}", enabled.1);
    assert_eq!(recover(&["--dry-run"]).1["events"], 2);
    assert_eq!(notified(&stage, &off), 0, "a dry run sends nothing");

    // Two concurrent recoveries send each event once.
    assert_eq!((recover(&[]).0, recover(&[]).0), (0, 0));
    arrives(&stage, &off, 2).await;
    for event in &events {
        let sent = until("it is on record", async || {
            let row = stage.row(event, "off").await;
            (row.status == Status::Sent).then_some(row)
        })
        .await;
        assert_eq!(sent.reason, None, "nothing is left of the reason why it was not sent");
        let ids = stage.captured(&off);
        assert!(ids.iter().any(|request| request["headers"]["webhook-id"] == sent.key.as_str()));
    }
    assert_eq!(recover(&[]).1["events"], 0, "nothing is left");
    quiet().await;
    assert_eq!((notified(&stage, &off), notified(&stage, &on)), (2, 2));
}

#[tokio::test]
async fn full_replay_notifies_the_endpoint_that_missed_an_event_and_no_recipient_twice() {
    let stage = WebhookTenant::set();
    let (off, on) = (format!("/hooks/off/{}", stage.tenant), format!("/hooks/on/{}", stage.tenant));
    stage.endpoint("off", &off, json!({})).await;
    stage.endpoint("on", &on, json!({})).await;
    assert!(stage.endpoints.disable(&stage.id("off"), DisabledBecause::Operator, now()).await.unwrap());
    let event = stage.book("booking.created").await;
    assert_eq!(stage.row(&event, "off").await.reason, Some(Reason::EndpointDisabled));
    assert!(stage.endpoints.enable(&stage.id("off")).await.unwrap());
    let until_now = now().to_string();
    let state = std::env::temp_dir().join(format!("{}.json", unique("replay")));
    let state = state.to_str().unwrap();
    let replayed = carillon(&[
        "replay", "--from", "1h", "--to", &until_now, "--id", &event, "--all", "--run", "--state", state,
    ]);
    assert_eq!(replayed.0, 0, "{}", replayed.1);
    arrives(&stage, &off, 1).await;
    quiet().await;
    assert_eq!((notified(&stage, &off), notified(&stage, &on)), (1, 1));
}

#[tokio::test]
async fn current_pattern_decides_which_events_are_recovered() {
    let stage = WebhookTenant::set();
    let path = format!("/hooks/{}", stage.tenant);
    stage.endpoint("choosy", &path, json!({ "when": { "detail-type": ["booking.none"] } })).await;
    let (wanted, other) = (stage.book("booking.created").await, stage.book("booking.approved").await);
    for event in [&wanted, &other] {
        assert_eq!(stage.row(event, "choosy").await.reason, Some(Reason::EndpointPattern));
    }
    stage.endpoint("choosy", &path, json!({ "when": { "detail-type": ["booking.created"] } })).await;
    let admin = ApiClient::of(&unique("admin"), &stage.tenant, "admin");
    let since = (now() - jiff::SignedDuration::from_mins(5)).to_string();
    let recover = |dry_run: bool| {
        let output = admin.ask(
            "POST",
            "/v1/endpoints/choosy/recover",
            Some(&json!({ "since": since, "dry_run": dry_run })),
        );
        (output.status, output.body)
    };
    let (status, body) = recover(true);
    assert_eq!((status, &body["events"], &body["next"]), (200, &json!(1), &Value::Null), "{body}");
    assert_eq!(recover(false).0, 202);
    arrives(&stage, &path, 1).await;
    let row = until("it is on record", async || {
        let row = stage.row(&wanted, "choosy").await;
        (row.status == Status::Sent).then_some(row)
    })
    .await;
    let retry = format!("/v1/endpoints/choosy/messages/{}/retry", row.key.as_str());
    assert_eq!(admin.ask("POST", &retry, None).status, 404, "it has arrived");
    let stranger = ApiClient::of(&unique("admin"), &unique("other"), "admin");
    let body = json!({ "since": since });
    assert_eq!(stranger.ask("POST", "/v1/endpoints/choosy/recover", Some(&body)).status, 404);
    quiet().await;
    assert_eq!(notified(&stage, &path), 1);
}

#[tokio::test]
async fn one_missed_event_is_sent_by_the_key_of_its_outcome() {
    let stage = WebhookTenant::set();
    let path = format!("/hooks/{}", stage.tenant);
    stage.endpoint("erp", &path, json!({})).await;
    assert!(stage.endpoints.disable(&stage.id("erp"), DisabledBecause::Gone, now()).await.unwrap());
    let event = stage.book("booking.created").await;
    let row = stage.row(&event, "erp").await;
    assert!(stage.endpoints.enable(&stage.id("erp")).await.unwrap());
    let name = stage.id("erp").name();
    let retried = carillon(&["endpoints", "retry", &name, row.key.as_str()]);
    assert_eq!(retried.0, 0, "{}", retried.1);
    let again = carillon(&["endpoints", "retry", &name, row.key.as_str()]);
    assert!(again.0 == 1 && again.1.contains("no stored message with this id"), "{}", again.1);
    quiet().await;
    assert_eq!(notified(&stage, &path), 1);
}

#[tokio::test]
async fn rotation_keeps_the_scheme_and_custom_headers_are_sent_but_never_shown() {
    let stage = WebhookTenant::set();
    let name = format!("{}/own", stage.tenant);
    let path = format!("/hooks/{}", stage.tenant);
    let url = format!("{}{path}", stage.cloud.capture);
    let put = |more: &[&str], headers: &str| {
        let mut arguments = vec!["endpoints", "put", &name, &url];
        arguments.extend(more);
        let done = workspace::programs::carillon(&arguments, headers);
        (done.status.code(), workspace::programs::text(&done))
    };
    let (code, output) =
        put(&["--scheme", "ed25519", "--headers", "-"], r#"{"Authorization":"Bearer s3cret"}"#);
    assert_eq!(code, Some(0), "{output}");
    assert!(output.contains("whpk_") && !output.contains("s3cret"), "{output}");
    let rotated = carillon(&["endpoints", "rotate", &name]);
    assert!(rotated.1.contains("whpk_") && !rotated.1.contains("whsec_"), "{}", rotated.1);
    let hmac = carillon(&["endpoints", "rotate", &name, "--scheme", "hmac"]);
    assert!(hmac.1.contains("whsec_") && hmac.1.contains("the signature scheme changed"), "{}", hmac.1);

    assert_eq!(carillon(&["endpoints", "ping", &name]).0, 0);
    let request = stage.captured(&path).pop().unwrap();
    assert_eq!(request["headers"]["authorization"], "Bearer s3cret");
    let shown = carillon(&["--json", "endpoints", "show", &name, "--reveal"]);
    assert!(shown.1.contains("authorization") && !shown.1.contains("s3cret"), "{}", shown.1);
    // An update without headers keeps them; --no-headers removes them.
    assert_eq!(put(&[], "").0, Some(0));
    assert_eq!(carillon(&["endpoints", "ping", &name]).0, 0);
    assert_eq!(stage.captured(&path).pop().unwrap()["headers"]["authorization"], "Bearer s3cret");
    assert_eq!(put(&["--no-headers"], "").0, Some(0));
    assert_eq!(carillon(&["endpoints", "ping", &name]).0, 0);
    assert_eq!(stage.captured(&path).pop().unwrap()["headers"]["authorization"], Value::Null);
    for wrong in
        [r#"{"webhook-id":"x"}"#, r#"{"Content-Type":"x"}"#, r#"{"X-A":"s3cret\r\nHost: y"}"#, "[]", "x"]
    {
        let (code, output) = put(&["--headers", "-"], wrong);
        assert_eq!(code, Some(2), "{wrong}: {output}");
        assert!(!output.contains("s3cret"), "{output}");
    }
}

#[tokio::test]
async fn explain_shows_the_redirect_target_and_the_time_of_the_next_attempt() {
    let stage = WebhookTenant::set();
    let path = format!("/hooks/redirect/{}", stage.tenant);
    stage.endpoint("elsewhere", &path, json!({})).await;
    let event = stage.book("booking.created").await;
    stage.attempts("elsewhere", 1).await;
    let (_, output) = carillon(&["explain", &event]);
    for part in ["HTTP 302, a redirect to ", "/hooks/redirected", "the next attempt is at "] {
        assert!(output.contains(part), "{output}");
    }
    let (_, output) = carillon(&["--json", "explain", &event]);
    let lines = output.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let attempts: Vec<Value> = lines.filter(|line| line["attempt"].is_object()).collect();
    assert_eq!(attempts.len(), 1, "{output}");
    assert_eq!(attempts[0]["attempt"]["status"], 302);
    assert!(attempts[0]["attempt"]["location"].as_str().unwrap().ends_with("/hooks/redirected"));
}
