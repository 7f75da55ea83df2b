//! Emulators of the AWS services that the channel functions call.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use serde_json::{Map, Value, json};

use super::records::Records;
use crate::local::issuer;

mod devices;
mod slack;
mod sms;
mod teams;

pub(super) use devices::Endpoints;

mod webhooks;

/// An HTTP request.
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
}

/// The answer to a request.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) body: String,
    /// A further header.
    pub(super) header: Option<(&'static str, String)>,
    /// The delay of the answer.
    pub(super) delay: Duration,
    /// The number of padding bytes after the body.
    pub(super) padding: u64,
}

impl Answer {
    pub(super) fn new(status: u16, content_type: &'static str, body: String) -> Answer {
        Answer { status, content_type, body, header: None, delay: Duration::ZERO, padding: 0 }
    }

    fn json(status: u16, body: &Value) -> Answer {
        Answer::new(status, "application/json", body.to_string())
    }
}

/// Answers as the service does, and records accepted messages.
pub(super) fn answer(request: &Request<'_>, records: &Records) -> Answer {
    match (request.method, request.path) {
        ("GET", "/health") => Answer::json(200, &json!({ "status": "up" })),
        ("GET", "/captured") => {
            let wanted = form(request.query.as_bytes());
            let wanted = |name: &str| wanted.get(name).map(String::as_str);
            Answer::json(200, &records.find(wanted("channel"), wanted("to")).into())
        }
        ("GET", "/.well-known/openid-configuration") => {
            let host = request.headers.get(hyper::header::HOST).and_then(|header| header.to_str().ok());
            Answer::json(200, &issuer::discovery(&format!("http://{}", host.unwrap_or_default())))
        }
        ("GET", "/jwks.json") => Answer::json(200, &issuer::keys()),
        ("POST", "/trouble") => {
            let wanted = form(request.query.as_bytes());
            let wanted = |name: &str| wanted.get(name).map_or("", String::as_str);
            records.set_failure(wanted("for"), wanted("status").parse().ok());
            Answer::json(200, &json!({ "status": wanted("status") }))
        }
        ("POST", "/") if request.headers.contains_key("x-amz-target") => {
            sms::send_text_message(request, records)
        }
        ("POST", "/") => sns(&form(request.body), records),
        ("POST", "/v1/whatsapp/send") => send_whatsapp_message(request.body, records),
        ("POST", path) if slack::accepts(path) => slack::answer(request, records),
        ("POST", path) if teams::accepts(path) => teams::answer(request, records),
        ("POST", path) if path.starts_with("/hooks/") => webhooks::answer(request, records),
        _ => Answer::json(404, &json!({ "message": "the capture server does not emulate this service" })),
    }
}

/// SNS in the query protocol: `Publish` to a phone number or an endpoint, and the operations on endpoints.
///
/// Source: SNS API reference, `Publish`.
fn sns(form: &BTreeMap<String, String>, records: &Records) -> Answer {
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let (target, message) = (field("TargetArn"), field("Message"));
    match field("Action") {
        "Publish" if !field("PhoneNumber").is_empty() => return sms::publish(form, records),
        "Publish" if !target.is_empty() => {}
        action => return devices::answer(action, form, records),
    }
    if let Some(status) = records.failure(target) {
        return Answer::new(
            status,
            "text/xml",
            sns_error("InternalError", "the service is set to fail").body,
        );
    }
    if let Some(refused) = devices::refusal(target, records) {
        return refused;
    }
    let Ok(platforms) = serde_json::from_str::<Map<String, Value>>(message) else {
        return sns_error("InvalidParameter", "Invalid parameter: Message Reason: no JSON object");
    };
    if field("MessageStructure") != "json" || !platforms.get("default").is_some_and(Value::is_string) {
        return sns_error("InvalidParameter", "Invalid parameter: Message Structure - No default entry");
    }
    // A platform's message is JSON in a string.
    let inner = |value: &Value| {
        value.as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or(value.clone())
    };
    let platforms: Map<String, Value> =
        platforms.iter().map(|(name, value)| (name.clone(), inner(value))).collect();
    let id = records.add("push", target, &json!({ "message": platforms, "attributes": attributes(form) }));
    sns_answer("Publish", &format!("<MessageId>{id}</MessageId>"))
}

fn sns_answer(action: &str, result: &str) -> Answer {
    let body = format!(
        "<{action}Response xmlns=\"{SNS}\"><{action}Result>{result}</{action}Result>\
         <ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></{action}Response>"
    );
    Answer::new(200, "text/xml", body)
}

const SNS: &str = "http://sns.amazonaws.com/doc/2010-03-31/";

fn sns_error(code: &str, message: &str) -> Answer {
    let body = format!(
        "<ErrorResponse xmlns=\"{SNS}\"><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>0</RequestId></ErrorResponse>"
    );
    Answer::new(400, "text/xml", body)
}

/// The message attributes: `MessageAttributes.entry.<n>.Name` and its value.
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
fn send_whatsapp_message(body: &[u8], records: &Records) -> Answer {
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    let message = request["message"].as_str().and_then(|text| STANDARD.decode(text).ok());
    let message: Option<Value> = message.and_then(|message| serde_json::from_slice(&message).ok());
    let Some(message) =
        message.filter(|message| message["messaging_product"] == "whatsapp" && message["to"].is_string())
    else {
        let error = json!({ "__type": "InvalidParametersException", "message": "no WhatsApp message" });
        return Answer::json(400, &error);
    };
    if let Some(status) = records.failure(message["to"].as_str().unwrap_or_default()) {
        return Answer::json(
            status,
            &json!({ "__type": "InternalServiceException", "message": "the service is set to fail" }),
        );
    }
    let record = json!({
        "message": message, "from": request["originationPhoneNumberId"], "version": request["metaApiVersion"],
    });
    let id = records.add("whatsapp", message["to"].as_str().unwrap_or_default(), &record);
    Answer::json(200, &json!({ "messageId": id }))
}

fn form(text: &[u8]) -> BTreeMap<String, String> {
    form_urlencoded::parse(text).into_owned().collect()
}

#[cfg(test)]
mod tests;
