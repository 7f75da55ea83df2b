//! teams: sends messages to Microsoft Teams, through a Workflows webhook or an incoming webhook.

use domain::base::channel::Channel;
use domain::base::outcome::{Failure, Reason, Sent};
use domain::delivery::job::Message;
use messaging::{Credentials, Provider, Reply, Request, configuration, permanent, throttled, transient};
use serde_json::{Value, json};

/// Microsoft Teams as [`messaging`] calls it.
pub const PROVIDER: Provider =
    Provider { channel: Channel::Teams, request, classify, id_header: Some("x-ms-workflow-run-id") };

/// The largest message, in bytes.
///
/// Source: Microsoft Learn, "Create an Incoming Webhook", note on message size.
const MAX_BODY_BYTES: usize = 28 * 1024;

/// The version of Adaptive Cards that Teams shows on every client.
///
/// Source: Microsoft Learn, "Cards reference", "Adaptive Card".
const CARD_VERSION: &str = "1.4";

/// The beginning of an error that an incoming webhook answers with status 200.
const FAILED: &str = "Webhook message delivery failed";

fn request(message: &Message, credentials: &Credentials, tenant: Option<&str>) -> Result<Request, Failure> {
    let url = credentials.webhook(tenant, message.to.expose());
    let url = url.ok_or_else(|| configuration(Channel::Teams, "the secret has no webhook of this name"))?;
    let attachment = json!({
        "contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": null, "content": card(message)?,
    });
    let body = json!({ "type": "message", "summary": message.text.expose(), "attachments": [attachment] })
        .to_string();
    if body.len() > MAX_BODY_BYTES {
        let source = format!("the message has {} bytes, Teams takes {MAX_BODY_BYTES}", body.len());
        return Err(permanent(Reason::TooLarge, source));
    }
    Ok(Request { url: url.map(str::to_owned), token: None, body: body.into() })
}

/// The card of the template, or one with the text alone. An array is the body of a card.
fn card(message: &Message) -> Result<Value, Failure> {
    let Some(card) = &message.card else {
        return Ok(card_of(&Value::Array(paragraphs(message.text.expose()))));
    };
    match serde_json::from_str(card.expose().get()) {
        Ok(body @ Value::Array(_)) => Ok(card_of(&body)),
        Ok(card @ Value::Object(_)) if card["type"] == "AdaptiveCard" => Ok(card),
        Ok(_) | Err(_) => {
            Err(permanent(Reason::Rejected, "teams.json is no Adaptive Card and no array of its elements"))
        }
    }
}

fn card_of(body: &Value) -> Value {
    json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard",
        "version": CARD_VERSION, "body": body,
    })
}

/// A `RichTextBlock` for each line. Its text runs have no Markdown, so no value of an event becomes a link.
///
/// Source: adaptivecards.io, schema explorer, `TextRun`.
fn paragraphs(text: &str) -> Vec<Value> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let run = |line| json!({ "type": "TextRun", "text": line });
    lines.map(|line| json!({ "type": "RichTextBlock", "inlines": [run(line)] })).collect()
}

/// Source: Microsoft Learn, "Create an Incoming Webhook" and "Rate limiting", HTTP status codes.
fn classify(reply: &Reply<'_>) -> Result<Sent, Failure> {
    match reply.status {
        // The answer of an incoming webhook repeats the status of the service behind it.
        200 if reply.body.expose().starts_with(FAILED) => match *reply.body.expose() {
            body if body.contains("HTTP error 429") => Err(throttled(reply)),
            body if body.contains("HTTP error 413") => Err(permanent(Reason::TooLarge, "HTTP 413")),
            _ => Ok(Sent::Unknown),
        },
        200 | 202 => Ok(Sent::Accepted { provider_id: reply.id.unwrap_or("webhook").to_owned() }),
        429 => Err(throttled(reply)),
        413 => Err(permanent(Reason::TooLarge, "HTTP 413")),
        400 => Err(permanent(Reason::Rejected, "HTTP 400")),
        401 | 403 | 404 | 410 => {
            Err(configuration(Channel::Teams, "Teams refuses the webhook of the secret"))
        }
        500..=599 => Err(transient(format!("HTTP {}", reply.status))),
        // Another status does not say whether the message was posted.
        _ => Ok(Sent::Unknown),
    }
}

#[cfg(test)]
mod tests;
