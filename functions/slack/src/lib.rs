//! slack: sends messages to Slack, through `chat.postMessage` or an incoming webhook.

use domain::base::channel::{Channel, WEBHOOK_ADDRESS};
use domain::base::outcome::{Failure, Reason, Sent};
use domain::delivery::job::Message;
use messaging::{Credentials, Provider, Reply, Request, configuration, permanent, throttled, transient};
use serde_json::{Map, Value, json};

/// Slack as [`messaging`] calls it.
pub const PROVIDER: Provider =
    Provider { channel: Channel::Slack, request, classify, id_header: Some("x-slack-req-id") };

/// Source: docs.slack.dev, `chat.postMessage`.
const POST_MESSAGE: &str = "https://slack.com/api/chat.postMessage";

/// Slack truncates a longer text.
///
/// Source: docs.slack.dev, `chat.postMessage`, "Truncating content".
const MAX_TEXT_CHARS: usize = 40_000;

/// The most blocks of a message.
///
/// Source: docs.slack.dev, "Block Kit", "Blocks".
const MAX_BLOCKS: usize = 50;

/// The request for a member or a conversation, with the bot token, or for a webhook.
fn request(message: &Message, credentials: &Credentials, tenant: Option<&str>) -> Result<Request, Failure> {
    let chars = message.text.expose().chars().count();
    if chars > MAX_TEXT_CHARS {
        let source = format!("the text has {chars} characters, Slack takes {MAX_TEXT_CHARS}");
        return Err(permanent(Reason::TooLarge, source));
    }
    let mut body = Map::from_iter([("text".to_owned(), Value::from(message.text.expose().as_str()))]);
    if let Some(blocks) = blocks(message)? {
        body.insert("blocks".to_owned(), blocks);
    }
    let to = message.to.expose();
    if to.starts_with(WEBHOOK_ADDRESS) {
        let url = credentials.webhook(tenant, to);
        let url =
            url.ok_or_else(|| configuration(Channel::Slack, "the secret has no webhook of this name"))?;
        return Ok(Request {
            url: url.map(str::to_owned),
            token: None,
            body: Value::Object(body).to_string().into(),
        });
    }
    let token = credentials.token(tenant);
    let token = token.ok_or_else(|| configuration(Channel::Slack, "the secret has no bot token"))?;
    body.insert("channel".to_owned(), to.as_str().into());
    // A preview of a linked page would be shown to every member of the conversation.
    body.insert("unfurl_links".to_owned(), false.into());
    let body = Value::Object(body).to_string().into();
    Ok(Request { url: POST_MESSAGE.into(), token: Some(token.map(str::to_owned)), body })
}

/// The blocks of the card: an array, or the member `blocks` of an object, as the Block Kit Builder copies it.
fn blocks(message: &Message) -> Result<Option<Value>, Failure> {
    let Some(card) = &message.card else { return Ok(None) };
    let refused = |source: &str| permanent(Reason::Rejected, source);
    let blocks = match serde_json::from_str(card.expose().get()) {
        Ok(Value::Object(mut object)) => object.remove("blocks").unwrap_or(Value::Null),
        Ok(other) => other,
        Err(_) => return Err(refused("slack.json is no JSON")),
    };
    match blocks.as_array().map(Vec::len) {
        None => Err(refused("slack.json has no array of blocks")),
        Some(0) => Ok(None),
        Some(count) if count > MAX_BLOCKS => {
            let source = format!("slack.json has {count} blocks, Slack takes {MAX_BLOCKS}");
            Err(permanent(Reason::TooLarge, source))
        }
        Some(_) => Ok(Some(json!(blocks))),
    }
}

/// Slack answers an API call with `200` and `{"ok": …}`, and a webhook with a status and one word.
fn classify(reply: &Reply<'_>) -> Result<Sent, Failure> {
    match reply.status {
        429 => return Err(throttled(reply)),
        500..=599 => return Err(transient(format!("HTTP {}", reply.status))),
        _ => {}
    }
    let word = reply.body.expose().trim();
    if reply.status == 200 && word == "ok" {
        return Ok(Sent::Accepted { provider_id: reply.id.unwrap_or("webhook").to_owned() });
    }
    let answer: Map<String, Value> = serde_json::from_str(word).unwrap_or_default();
    match (answer.get("ok"), answer.get("ts"), answer.get("error")) {
        (Some(Value::Bool(true)), Some(Value::String(ts)), _) => {
            Ok(Sent::Accepted { provider_id: ts.clone() })
        }
        (Some(Value::Bool(false)), _, Some(Value::String(error))) => of_error(error, reply),
        _ if reply.status >= 400 => of_error(word, reply),
        // Another answer does not say whether the message was posted.
        _ => Ok(Sent::Unknown),
    }
}

/// Source: docs.slack.dev, `chat.postMessage`, "Errors"; "Sending messages using incoming webhooks", "Handling errors".
fn of_error(error: &str, reply: &Reply<'_>) -> Result<Sent, Failure> {
    let refused = |reason| Err(permanent(reason, error));
    match error {
        "ratelimited" | "rate_limited" | "message_limit_exceeded" => Err(throttled(reply)),
        "channel_not_found" | "user_not_found" | "invalid_channel" | "duplicate_channel_not_found" => {
            refused(Reason::InvalidAddress)
        }
        "is_archived"
        | "channel_is_archived"
        | "not_in_channel"
        | "cannot_dm_bot"
        | "messages_tab_disabled"
        | "posting_to_general_channel_denied"
        | "restricted_action"
        | "restricted_action_read_only_channel"
        | "restricted_action_non_threadable_channel"
        | "user_is_bot"
        | "user_disabled" => refused(Reason::Undeliverable),
        "invalid_auth"
        | "not_authed"
        | "account_inactive"
        | "token_revoked"
        | "token_expired"
        | "missing_scope"
        | "no_permission"
        | "not_allowed_token_type"
        | "org_login_required"
        | "ekm_access_denied"
        | "access_denied"
        | "accesslimited"
        | "enterprise_is_restricted"
        | "team_access_not_granted"
        | "two_factor_setup_required"
        | "action_prohibited"
        | "no_service"
        | "no_service_id"
        | "no_team"
        | "team_disabled"
        | "invalid_token"
        | "no_active_hooks" => {
            Err(configuration(Channel::Slack, "Slack refuses the token or the webhook of the secret"))
        }
        "service_unavailable" | "request_timeout" | "team_added_to_org" | "rollup_error" => {
            Err(transient(error))
        }
        "msg_too_long" | "msg_blocks_too_long" | "attachment_payload_limit_exceeded" => {
            refused(Reason::TooLarge)
        }
        "no_text"
        | "invalid_payload"
        | "invalid_blocks"
        | "invalid_blocks_format"
        | "invalid_arguments"
        | "invalid_arg_name"
        | "invalid_array_arg"
        | "invalid_json"
        | "json_not_object"
        | "invalid_form_data"
        | "invalid_charset"
        | "invalid_post_type"
        | "missing_post_type"
        | "too_many_attachments"
        | "cannot_parse_attachment"
        | "markdown_text_conflict"
        | "metadata_too_large"
        | "slack_connect_blocked_file_type"
        | "slack_connect_canvas_sharing_blocked" => refused(Reason::Rejected),
        // `internal_error` and `fatal_error` may stand for a posted message, and a new code for anything.
        _ => Ok(Sent::Unknown),
    }
}

#[cfg(test)]
mod tests;
