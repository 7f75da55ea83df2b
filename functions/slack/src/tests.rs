use std::time::Duration;

use serde_json::{Value, json};

use super::*;

#[test]
fn member_gets_the_text_and_the_blocks_with_the_token_of_the_tenant() {
    let blocks = json!([{ "type": "section", "text": { "type": "mrkdwn", "text": "*Hi*" } }]);
    let request = shape("U012AB3CD", Some(&json!({ "blocks": blocks })), Some("clinic-7")).unwrap();
    assert_eq!(request.url.expose(), POST_MESSAGE);
    assert!(request.token == Some("xoxb-clinic".into()));
    let body: Value = serde_json::from_str(request.body.expose()).unwrap();
    let expected = json!({ "channel": "U012AB3CD", "text": "Hi", "blocks": blocks, "unfurl_links": false });
    assert_eq!(body, expected);
}

#[test]
fn webhook_gets_no_token_and_no_channel() {
    let request = shape("webhook:ops", None, None).unwrap();
    assert_eq!(request.url.expose(), "https://hooks.slack.com/services/T/B/x");
    assert!(request.token.is_none());
    assert_eq!(serde_json::from_str::<Value>(request.body.expose()).unwrap(), json!({ "text": "Hi" }));
}

#[test]
fn message_without_credentials_waits_for_an_operator() {
    assert!(matches!(shape("webhook:none", None, None), Err(Failure::Transient(_))));
    let message = message("U012AB3CD", None);
    let none = Credentials::default();
    assert!(matches!(request(&message, &none, None), Err(Failure::Transient(_))));
}

#[test]
fn card_without_blocks_and_with_too_many_is_refused() {
    for (card, expected) in [
        (json!({ "type": "modal" }), Reason::Rejected),
        (json!("text"), Reason::Rejected),
        (json!(vec![json!({ "type": "divider" }); 51]), Reason::TooLarge),
    ] {
        let Err(Failure::Permanent { reason, .. }) = shape("C012AB3CD", Some(&card), None) else {
            panic!("{card}")
        };
        assert_eq!(reason, expected);
    }
    assert!(shape("C012AB3CD", Some(&json!(vec![json!({ "type": "divider" }); 50])), None).is_ok());
}

#[test]
fn answers_are_classified_as_slack_documents_them() {
    let no = |error: &str| json!({ "ok": false, "error": error }).to_string();
    for (status, body, expected) in [
        (
            200,
            r#"{"ok":true,"channel":"C1","ts":"1503435956.000247"}"#.to_owned(),
            "accepted 1503435956.000247",
        ),
        (200, "ok".to_owned(), "accepted r-1"),
        (200, no("ratelimited"), "throttled 30"),
        (429, no("ratelimited"), "throttled 30"),
        (200, no("channel_not_found"), "permanent invalid_address"),
        (404, "channel_not_found".to_owned(), "permanent invalid_address"),
        (200, no("not_in_channel"), "permanent undeliverable"),
        (200, no("is_archived"), "permanent undeliverable"),
        (410, "channel_is_archived".to_owned(), "permanent undeliverable"),
        (200, no("msg_too_long"), "permanent too_large"),
        (200, no("invalid_blocks"), "permanent rejected"),
        (400, "invalid_payload".to_owned(), "permanent rejected"),
        (200, no("account_inactive"), "transient"),
        (200, no("invalid_auth"), "transient"),
        (200, no("token_revoked"), "transient"),
        (403, "action_prohibited".to_owned(), "transient"),
        (503, String::new(), "transient"),
        (200, no("internal_error"), "unknown"),
        (200, no("fatal_error"), "unknown"),
        (200, no("a_new_error"), "unknown"),
        (200, r#"{"ok":true}"#.to_owned(), "unknown"),
        (200, "<html>".to_owned(), "unknown"),
        (302, String::new(), "unknown"),
    ] {
        let retry_after = None;
        let reply = Reply { status, retry_after, body: body.as_str().into(), id: Some("r-1") };
        assert_eq!(said(classify(&reply)), expected, "{status} {body}");
    }
}

#[test]
fn pause_is_the_one_that_slack_asks_for() {
    for (asked, expected) in [(5, 5), (0, 1), (100_000, 900)] {
        let retry_after = Some(Duration::from_secs(asked));
        let reply = Reply { status: 429, retry_after, body: "".into(), id: None };
        assert_eq!(said(classify(&reply)), format!("throttled {expected}"));
    }
}

fn said(answer: Result<Sent, Failure>) -> String {
    match answer {
        Ok(Sent::Accepted { provider_id }) => format!("accepted {provider_id}"),
        Ok(Sent::Unknown) => "unknown".to_owned(),
        Ok(Sent::Nobody | Sent::Later(_)) => "another".to_owned(),
        Err(Failure::Transient(_)) => "transient".to_owned(),
        Err(Failure::Throttled { delay, .. }) => format!("throttled {}", delay.as_secs()),
        Err(Failure::Permanent { reason, .. }) => format!("permanent {}", reason.name()),
        Err(Failure::Expired) => "expired".to_owned(),
    }
}

fn shape(to: &str, card: Option<&Value>, tenant: Option<&str>) -> Result<Request, Failure> {
    let credentials = Credentials::read(
        r#"{ "token": "xoxb-stack", "webhooks": { "ops": "https://hooks.slack.com/services/T/B/x" },
             "tenants": { "clinic-7": { "token": "xoxb-clinic" } } }"#,
    );
    request(&message(to, card), &credentials.unwrap(), tenant)
}

fn message(to: &str, card: Option<&Value>) -> Message {
    let mut message = json!({ "channel": "slack", "to": to, "text": "Hi", "locale": "en" });
    if let Some(card) = card {
        message["card"] = card.clone();
    }
    serde_json::from_str(&message.to_string()).unwrap()
}
