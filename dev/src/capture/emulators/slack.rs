//! Slack: `chat.postMessage` and incoming webhooks. The host precedes the path of a request.
//!
//! A conversation whose id contains `ARCHIVED` refuses every message.

use serde_json::{Value, json};

use super::{Answer, Records, Request};

/// Whether a request is for Slack.
pub(super) fn accepts(path: &str) -> bool {
    path == "/slack.com/api/chat.postMessage" || path.starts_with("/hooks.slack.com/services/")
}

/// Answers as Slack does, and records accepted messages.
///
/// Source: docs.slack.dev, `chat.postMessage` and "Sending messages using incoming webhooks".
pub(super) fn answer(request: &Request<'_>, records: &Records) -> Answer {
    let body: Value = serde_json::from_slice(request.body).unwrap_or_default();
    let is_webhook = request.path.starts_with("/hooks.");
    let to = if is_webhook { request.path } else { body["channel"].as_str().unwrap_or_default() };
    if let Some(status) = records.failure(to) {
        return Answer::json(status, &json!({ "ok": false, "error": "internal_error" }));
    }
    let bearer =
        request.headers.get("authorization").and_then(|header| header.to_str().ok()).unwrap_or_default();
    let error = match body["text"].as_str() {
        _ if !is_webhook && !bearer.starts_with("Bearer xoxb-") => Some("not_authed"),
        _ if to.contains("ARCHIVED") => Some("is_archived"),
        None | Some("") => Some("no_text"),
        Some(_) if to.is_empty() => Some("channel_not_found"),
        Some(_) => None,
    };
    match (error, is_webhook) {
        (Some(error), false) => return Answer::json(200, &json!({ "ok": false, "error": error })),
        (Some(error), true) => return Answer::new(400, "text/plain", error.to_owned()),
        (None, _) => {}
    }
    let id = records.add("slack", to, &json!({ "text": body["text"], "blocks": body["blocks"] }));
    match is_webhook {
        true => {
            Answer { header: Some(("x-slack-req-id", id)), ..Answer::new(200, "text/plain", "ok".to_owned()) }
        }
        false => Answer::json(200, &json!({ "ok": true, "channel": to, "ts": id })),
    }
}
