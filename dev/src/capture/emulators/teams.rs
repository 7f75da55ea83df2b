//! Microsoft Teams: Workflows webhooks. The host precedes the path of a request.

use serde_json::{Value, json};

use super::{Answer, Records, Request};

/// Whether a request is for a workflow.
pub(super) fn accepts(path: &str) -> bool {
    let host = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    [".logic.azure.com", ".environment.api.powerplatform.com", ".webhook.office.com"]
        .iter()
        .any(|domain| host.ends_with(domain))
}

/// Answers as a workflow does, and records accepted messages.
///
/// Source: Microsoft Learn, "Create incoming webhooks with Workflows for Microsoft Teams".
pub(super) fn answer(request: &Request<'_>, records: &Records) -> Answer {
    let body: Value = serde_json::from_slice(request.body).unwrap_or_default();
    if let Some(status) = records.failure(request.path) {
        return Answer::json(status, &json!({ "error": { "code": "ServerTimeout" } }));
    }
    let attachment = &body["attachments"][0];
    let is_card = attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
        && attachment["content"]["type"] == "AdaptiveCard";
    if body["type"] != "message" || !is_card {
        return Answer::json(400, &json!({ "error": { "code": "TriggerInputSchemaMismatch" } }));
    }
    let record = json!({ "text": body["summary"], "card": attachment["content"] });
    let id = records.add("teams", request.path, &record);
    Answer { header: Some(("x-ms-workflow-run-id", id)), ..Answer::new(202, "text/plain", String::new()) }
}
