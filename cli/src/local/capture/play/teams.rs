//! Microsoft Teams: Workflows webhooks. Their requests come with the host in front of the path.

use serde_json::{Value, json};

use super::{Answer, Asked, Records};

/// Whether a request is for a workflow.
pub(super) fn takes(path: &str) -> bool {
    let host = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    [".logic.azure.com", ".environment.api.powerplatform.com", ".webhook.office.com"]
        .iter()
        .any(|it| host.ends_with(it))
}

/// Source: Microsoft Learn, "Create incoming webhooks with Workflows for Microsoft Teams".
pub(super) fn play(asked: &Asked<'_>, records: &Records) -> Answer {
    let body: Value = serde_json::from_slice(asked.body).unwrap_or_default();
    if let Some(status) = records.troubled(asked.path) {
        return Answer::json(status, &json!({ "error": { "code": "ServerTimeout" } }));
    }
    let attachment = &body["attachments"][0];
    let is_card = attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
        && attachment["content"]["type"] == "AdaptiveCard";
    if body["type"] != "message" || !is_card {
        return Answer::json(400, &json!({ "error": { "code": "TriggerInputSchemaMismatch" } }));
    }
    let kept = json!({ "text": body["summary"], "card": attachment["content"] });
    let id = records.keep("teams", asked.path, &kept);
    Answer { header: Some(("x-ms-workflow-run-id", id)), ..Answer::new(202, "text/plain", String::new()) }
}
