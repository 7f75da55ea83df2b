//! The services, as far as a channel asks them.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use serde_json::{Map, Value, json};

use super::record::Records;
use crate::local::issuer;

mod devices;
mod slack;
mod sms;
mod teams;

pub(super) use devices::Endpoints;

mod hooks;

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
    /// A header beside the content's type.
    pub(super) header: Option<(&'static str, String)>,
    /// It is said so much later.
    pub(super) after: Duration,
    /// So many bytes of nothing follow the body.
    pub(super) padding: u64,
}

impl Answer {
    pub(super) fn new(status: u16, kind: &'static str, body: String) -> Answer {
        Answer { status, kind, body, header: None, after: Duration::ZERO, padding: 0 }
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
            let host = asked.headers.get(hyper::header::HOST).and_then(|header| header.to_str().ok());
            Answer::json(200, &issuer::discovery(&format!("http://{}", host.unwrap_or_default())))
        }
        ("GET", "/jwks.json") => Answer::json(200, &issuer::keys()),
        ("POST", "/trouble") => {
            let wanted = form(asked.query.as_bytes());
            let wanted = |name: &str| wanted.get(name).map_or("", String::as_str);
            records.trouble(wanted("for"), wanted("status").parse().ok());
            Answer::json(200, &json!({ "status": wanted("status") }))
        }
        ("POST", "/") if asked.headers.contains_key("x-amz-target") => sms::voice(asked, records),
        ("POST", "/") => sns(&form(asked.body), records),
        ("POST", "/v1/whatsapp/send") => social(asked.body, records),
        ("POST", path) if slack::takes(path) => slack::play(asked, records),
        ("POST", path) if teams::takes(path) => teams::play(asked, records),
        ("POST", path) if path.starts_with("/hooks/") => hooks::hook(asked, records),
        _ => Answer::json(404, &json!({ "message": "no service of this kind is played here" })),
    }
}

/// SNS, in the query protocol: `Publish` to a phone or an endpoint, and what makes endpoints.
///
/// Source: SNS API reference, `Publish`.
fn sns(form: &BTreeMap<String, String>, records: &Records) -> Answer {
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let (target, message) = (field("TargetArn"), field("Message"));
    match field("Action") {
        "Publish" if !field("PhoneNumber").is_empty() => return sms::text(form, records),
        "Publish" if !target.is_empty() => {}
        action => return devices::play(action, form, records),
    }
    if let Some(status) = records.troubled(target) {
        return Answer::new(status, "text/xml", sns_error("InternalError", "it is out of order").body);
    }
    if let Some(refused) = devices::refusal(target, records) {
        return refused;
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
    let message: Option<Value> = message.and_then(|message| serde_json::from_slice(&message).ok());
    let Some(message) =
        message.filter(|message| message["messaging_product"] == "whatsapp" && message["to"].is_string())
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

fn form(text: &[u8]) -> BTreeMap<String, String> {
    form_urlencoded::parse(text).into_owned().collect()
}

#[cfg(test)]
mod tests;
