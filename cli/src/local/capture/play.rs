//! The services, as far as a channel asks them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use serde_json::{Map, Value, json};

use super::record::Records;
use crate::local::issuer;

/// A request, read.
pub(super) struct Asked<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
}

/// What is said to it.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn new(status: u16, kind: &'static str, body: String) -> Answer {
        Answer { status, kind, body }
    }

    fn json(status: u16, body: &Value) -> Answer {
        Answer::new(status, "application/json", body.to_string())
    }
}

/// Says what the service would say, and keeps what it took.
pub(super) fn play(asked: &Asked<'_>, records: &Records) -> Answer {
    match (asked.method, asked.path) {
        ("GET", "/health") => Answer::json(200, &json!({ "status": "up" })),
        ("GET", "/captured") => {
            let wanted = form(asked.query.as_bytes());
            let wanted = |name: &str| wanted.get(name).map(String::as_str);
            Answer::json(200, &records.find(wanted("channel"), wanted("to")).into())
        }
        ("GET", "/.well-known/openid-configuration") => {
            let host = asked.headers.get(hyper::header::HOST).and_then(|it| it.to_str().ok());
            Answer::json(200, &issuer::discovery(&format!("http://{}", host.unwrap_or_default())))
        }
        ("GET", "/jwks.json") => Answer::json(200, &issuer::keys()),
        ("POST", "/trouble") => {
            let wanted = form(asked.query.as_bytes());
            let wanted = |name: &str| wanted.get(name).map_or("", String::as_str);
            records.trouble(wanted("for"), wanted("status").parse().ok());
            Answer::json(200, &json!({ "status": wanted("status") }))
        }
        ("POST", "/") => sns(&form(asked.body), records),
        ("POST", "/v1/whatsapp/send") => social(asked.body, records),
        ("POST", path) if path.starts_with("/hooks/") => hook(asked, records),
        _ => Answer::json(404, &json!({ "message": "no service of this kind is played here" })),
    }
}

/// SNS mobile push: `Publish` to an endpoint, in the query protocol.
///
/// Source: SNS API reference, `Publish`.
fn sns(form: &BTreeMap<String, String>, records: &Records) -> Answer {
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let (target, message) = (field("TargetArn"), field("Message"));
    if field("Action") != "Publish" || target.is_empty() {
        return sns_error("InvalidParameter", "only Publish to a TargetArn is played here");
    }
    if let Some(status) = records.troubled(target) {
        return Answer::new(status, "text/xml", sns_error("InternalError", "it is out of order").body);
    }
    if target.contains("/disabled/") {
        return sns_error("EndpointDisabled", "Endpoint is disabled");
    }
    let Ok(platforms) = serde_json::from_str::<Map<String, Value>>(message) else {
        return sns_error("InvalidParameter", "Invalid parameter: Message Reason: it is no JSON object");
    };
    if field("MessageStructure") != "json" || !platforms.get("default").is_some_and(Value::is_string) {
        return sns_error("InvalidParameter", "Invalid parameter: Message Structure - No default entry");
    }
    // What a platform gets is JSON in a string.
    let inner = |it: &Value| it.as_str().and_then(|it| serde_json::from_str(it).ok()).unwrap_or(it.clone());
    let platforms: Map<String, Value> =
        platforms.iter().map(|(name, it)| (name.clone(), inner(it))).collect();
    let id = records.keep("push", target, &json!({ "message": platforms, "attributes": attributes(form) }));
    let body = format!(
        "<PublishResponse xmlns=\"{SNS}\"><PublishResult><MessageId>{id}</MessageId></PublishResult>\
         <ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></PublishResponse>"
    );
    Answer::new(200, "text/xml", body)
}

const SNS: &str = "http://sns.amazonaws.com/doc/2010-03-31/";

fn sns_error(code: &str, said: &str) -> Answer {
    let body = format!(
        "<ErrorResponse xmlns=\"{SNS}\"><Error><Type>Sender</Type><Code>{code}</Code><Message>{said}</Message></Error>\
         <RequestId>0</RequestId></ErrorResponse>"
    );
    Answer::new(400, "text/xml", body)
}

/// `MessageAttributes.entry.<n>.Name` and its value.
fn attributes(form: &BTreeMap<String, String>) -> BTreeMap<&str, &str> {
    let entries = form.iter().filter_map(|(field, name)| {
        let entry = field.strip_prefix("MessageAttributes.entry.")?.strip_suffix(".Name")?;
        let value = form.get(&format!("MessageAttributes.entry.{entry}.Value.StringValue"))?;
        Some((name.as_str(), value.as_str()))
    });
    entries.collect()
}

/// End User Messaging Social: `SendWhatsAppMessage`.
///
/// Source: End User Messaging Social API reference, `SendWhatsAppMessage`.
fn social(body: &[u8], records: &Records) -> Answer {
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    let message = request["message"].as_str().and_then(|it| STANDARD.decode(it).ok());
    let message: Option<Value> = message.and_then(|it| serde_json::from_slice(&it).ok());
    let Some(message) = message.filter(|it| it["messaging_product"] == "whatsapp" && it["to"].is_string())
    else {
        let said = json!({ "__type": "InvalidParametersException", "message": "the message is no WhatsApp message" });
        return Answer::json(400, &said);
    };
    if let Some(status) = records.troubled(message["to"].as_str().unwrap_or_default()) {
        return Answer::json(
            status,
            &json!({ "__type": "InternalServiceException", "message": "it is out of order" }),
        );
    }
    let what = json!({
        "message": message, "from": request["originationPhoneNumberId"], "version": request["metaApiVersion"],
    });
    let id = records.keep("whatsapp", message["to"].as_str().unwrap_or_default(), &what);
    Answer::json(200, &json!({ "messageId": id }))
}

/// A receiver of webhooks, which is content with everything.
fn hook(asked: &Asked<'_>, records: &Records) -> Answer {
    let headers = asked.headers.iter();
    let headers: BTreeMap<&str, _> =
        headers.map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes()))).collect();
    let body = String::from_utf8_lossy(asked.body);
    let id = records.keep("webhook", asked.path, &json!({ "headers": headers, "body": body }));
    Answer::json(200, &json!({ "id": id }))
}

fn form(text: &[u8]) -> BTreeMap<String, String> {
    form_urlencoded::parse(text).into_owned().collect()
}

#[cfg(test)]
mod tests;
