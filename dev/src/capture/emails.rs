//! E-mails on their way to the local cloud. They are recorded here, because the local cloud's SES shows neither headers nor
//! attachments.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::emulators::Answer;
use super::records::Records;

/// SES's `SendEmail`.
///
/// Source: SES API v2 reference, `SendEmail`.
pub(super) const PATH: &str = "/v2/email/outbound-emails";

/// The largest attachment that is recorded with its content, in bytes. Of a larger one the size is recorded.
const MAX_RECORDED_BYTES: usize = 64 * 1024;

/// The longest wait for the local cloud.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A `SendEmail` request for the local cloud.
pub(super) struct ForwardedEmail {
    pub(super) cloud: String,
    /// All signed headers with the host, because the local cloud checks the caller's rights.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// Headers of the connection, which are not forwarded.
pub(super) const CONNECTION_HEADERS: [&str; 5] =
    ["connection", "content-length", "expect", "keep-alive", "transfer-encoding"];

impl ForwardedEmail {
    /// Sends the request and returns the local cloud's answer. Blocks.
    pub(super) fn forward(&self) -> Answer {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            .build()
            .into();
        let mut request = agent.post(format!("{}{PATH}", self.cloud));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let unreachable = || Answer::new(503, "text/plain", "the local cloud does not answer".to_owned());
        let Ok(mut answer) = request.send(self.body.as_slice()) else { return unreachable() };
        let status = answer.status().as_u16();
        let error = answer
            .headers()
            .get("x-amzn-errortype")
            .and_then(|header| header.to_str().ok())
            .map(str::to_owned);
        let Ok(body) = answer.body_mut().read_to_string() else { return unreachable() };
        Answer::new(status, "application/json", typed(&body, error.as_deref()))
    }
}

/// The body with the error type of the header in `__type`, where SDKs look for it, too.
fn typed(body: &str, error: Option<&str>) -> String {
    match (serde_json::from_str::<Value>(body), error) {
        (Ok(Value::Object(mut members)), Some(error)) => {
            members.insert("__type".to_owned(), error.into());
            Value::Object(members).to_string()
        }
        _ => body.to_owned(),
    }
}

/// Records an accepted e-mail under its address, with the message id.
pub(super) fn record(body: &[u8], answer: &Answer, records: &Records) {
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    if answer.status != 200 {
        return;
    }
    let accepted: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let message = &request["Content"]["Simple"];
    let files = message["Attachments"].as_array().into_iter().flatten().map(file);
    let email = json!({
        "message_id": accepted["MessageId"],
        "from": request["FromEmailAddress"],
        "reply_to": request["ReplyToAddresses"],
        "subject": message["Subject"]["Data"],
        "html": message["Body"]["Html"]["Data"],
        "text": message["Body"]["Text"]["Data"],
        "headers": message["Headers"],
        "attachments": files.collect::<Vec<_>>(),
        "tags": request["EmailTags"],
        "configuration_set": request["ConfigurationSetName"],
    });
    records.add("email", request["Destination"]["ToAddresses"][0].as_str().unwrap_or_default(), &email);
}

fn file(attachment: &Value) -> Value {
    let content = attachment["RawContent"].as_str().unwrap_or_default();
    let bytes = STANDARD.decode(content).map_or(0, |bytes| bytes.len());
    let content = if bytes <= MAX_RECORDED_BYTES { Value::from(content) } else { Value::Null };
    json!({
        "name": attachment["FileName"], "type": attachment["ContentType"],
        "disposition": attachment["ContentDisposition"], "content_id": attachment["ContentId"],
        "bytes": bytes, "base64": content,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepted_email_is_recorded_with_headers_and_attachments() {
        let body = json!({
            "FromEmailAddress": "a@example.com", "Destination": { "ToAddresses": ["ann@example.com"] },
            "Content": { "Simple": {
                "Subject": { "Data": "S" }, "Headers": [{ "Name": "X", "Value": "1" }],
                "Attachments": [{ "FileName": "a.txt", "RawContent": STANDARD.encode("abc") }],
            } },
        });
        let records = Records::in_memory();
        let answer = |status| Answer::new(status, "application/json", r#"{"MessageId":"m-1"}"#.to_owned());
        record(body.to_string().as_bytes(), &answer(400), &records);
        assert!(records.find(Some("email"), None).is_empty());
        record(body.to_string().as_bytes(), &answer(200), &records);
        let found = records.find(Some("email"), Some("ann@example.com"));
        assert_eq!(found[0]["message_id"], "m-1");
        assert_eq!(found[0]["headers"][0]["Name"], "X");
        assert_eq!(found[0]["attachments"][0]["bytes"], 3);
    }

    #[test]
    fn error_keeps_its_type() {
        let body = typed(r#"{"message":"no"}"#, Some("MessageRejected"));
        assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["__type"], "MessageRejected");
    }
}
