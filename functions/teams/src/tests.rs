use serde_json::json;

use super::*;

#[test]
fn text_alone_becomes_a_card_without_markdown() {
    let body = shape("webhook:ops", "Room 7\n\n[now](https://evil.example)", None).unwrap();
    let run = |text| json!({ "type": "RichTextBlock", "inlines": [{ "type": "TextRun", "text": text }] });
    let card = &body["attachments"][0]["content"];
    assert_eq!(card["body"], json!([run("Room 7"), run("[now](https://evil.example)")]));
    assert_eq!((&card["type"], &card["version"]), (&json!("AdaptiveCard"), &json!("1.4")));
    assert_eq!(body["type"], "message");
}

#[test]
fn card_of_the_template_is_sent_as_it_is_and_an_array_is_its_body() {
    let elements = json!([{ "type": "TextBlock", "text": "Hi" }]);
    let card = json!({ "type": "AdaptiveCard", "version": "1.5", "body": elements });
    for (given, version) in [(&card, "1.5"), (&elements, "1.4")] {
        let body = shape("webhook:ops", "Hi", Some(given)).unwrap();
        let content = &body["attachments"][0]["content"];
        assert_eq!((&content["body"], &content["version"]), (&elements, &json!(version)));
    }
    let other = json!({ "type": "message" });
    assert!(matches!(
        shape("webhook:ops", "Hi", Some(&other)),
        Err(Failure::Permanent { reason: Reason::Rejected, .. })
    ));
}

#[test]
fn message_over_the_limit_is_refused_and_a_webhook_that_is_missing_is_retried() {
    let long = "a".repeat(MAX_BODY_BYTES);
    let refused = shape("webhook:ops", &long, None);
    assert!(matches!(refused, Err(Failure::Permanent { reason: Reason::TooLarge, .. })));
    assert!(matches!(shape("webhook:none", "Hi", None), Err(Failure::Transient(_))));
}

#[test]
fn answers_are_classified_by_their_status() {
    let failed =
        |status: u16| format!("{FAILED} with error: Microsoft Teams endpoint returned HTTP error {status}");
    for (status, body, expected) in [
        (200, "1".to_owned(), "accepted"),
        (202, String::new(), "accepted"),
        (200, failed(429), "throttled"),
        (200, failed(413), "too_large"),
        (200, failed(502), "unknown"),
        (429, String::new(), "throttled"),
        (400, String::new(), "rejected"),
        (413, String::new(), "too_large"),
        (404, String::new(), "transient"),
        (401, String::new(), "transient"),
        (503, String::new(), "transient"),
        (302, String::new(), "unknown"),
    ] {
        let found = match classify(&Reply { status, retry_after: None, body: body.as_str().into(), id: None })
        {
            Ok(Sent::Accepted { .. }) => "accepted",
            Ok(Sent::Unknown) => "unknown",
            Ok(Sent::Nobody | Sent::Later(_)) | Err(Failure::Expired) => "another",
            Err(Failure::Transient(_)) => "transient",
            Err(Failure::Throttled { .. }) => "throttled",
            Err(Failure::Permanent { reason, .. }) => reason.name(),
        };
        assert_eq!(found, expected, "{status} {body}");
    }
}

fn shape(to: &str, text: &str, card: Option<&Value>) -> Result<Value, Failure> {
    let webhooks = r#"{ "webhooks": { "ops": "https://prod-1.westeurope.logic.azure.com/workflows/x" } }"#;
    let mut message = json!({ "channel": "teams", "to": to, "text": text, "locale": "en" });
    if let Some(card) = card {
        message["card"] = card.clone();
    }
    let message: Message = serde_json::from_str(&message.to_string()).unwrap();
    let request = request(&message, &Credentials::read(webhooks).unwrap(), None)?;
    Ok(serde_json::from_str(request.body.expose()).unwrap())
}
