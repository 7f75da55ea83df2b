//! Letters: SES of the local cloud takes them, but shows neither headers nor files. So they are kept here on their way.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::play::Answer;
use super::record::Records;

/// SES's `SendEmail`.
///
/// Source: SES API v2 reference, `SendEmail`.
pub(super) const PATH: &str = "/v2/email/outbound-emails";

/// A file is kept whole up to this size, in bytes; of a larger one only how large it is.
const MAX_KEPT_BYTES: usize = 64 * 1024;

const PATIENCE: Duration = Duration::from_secs(10);

/// A request to send a letter, on its way to the local cloud.
pub(super) struct Passing {
    pub(super) cloud: String,
    /// All that are signed, the host among them: the local cloud checks who asks.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// The headers that are about a connection, and not handed on.
pub(super) const OF_A_CONNECTION: [&str; 5] =
    ["connection", "content-length", "expect", "keep-alive", "transfer-encoding"];

impl Passing {
    /// What the local cloud answers. Blocks.
    pub(super) fn hand_on(&self) -> Answer {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
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

/// The kind of an error, which the local cloud says in a header, said in the body: SDKs look there as well.
fn typed(body: &str, error: Option<&str>) -> String {
    match (serde_json::from_str::<Value>(body), error) {
        (Ok(Value::Object(mut members)), Some(error)) => {
            members.insert("__type".to_owned(), error.into());
            Value::Object(members).to_string()
        }
        _ => body.to_owned(),
    }
}

/// Keeps a letter that was taken, by its address, with the id that the local cloud gave it.
pub(super) fn keep(body: &[u8], answer: &Answer, records: &Records) {
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    if answer.status != 200 {
        return;
    }
    let said: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let message = &request["Content"]["Simple"];
    let files = message["Attachments"].as_array().into_iter().flatten().map(file);
    let what = json!({
        "message_id": said["MessageId"],
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
    records.keep("email", request["Destination"]["ToAddresses"][0].as_str().unwrap_or_default(), &what);
}

fn file(attachment: &Value) -> Value {
    let content = attachment["RawContent"].as_str().unwrap_or_default();
    let bytes = STANDARD.decode(content).map_or(0, |it| it.len());
    let content = if bytes <= MAX_KEPT_BYTES { Value::from(content) } else { Value::Null };
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
    fn a_letter_is_kept_with_its_headers_and_files_if_it_was_taken() {
        let body = json!({
            "FromEmailAddress": "a@example.com", "Destination": { "ToAddresses": ["ann@example.com"] },
            "Content": { "Simple": {
                "Subject": { "Data": "S" }, "Headers": [{ "Name": "X", "Value": "1" }],
                "Attachments": [{ "FileName": "a.txt", "RawContent": STANDARD.encode("abc") }],
            } },
        });
        let records = Records::in_memory();
        let answer = |status| Answer::new(status, "application/json", r#"{"MessageId":"m-1"}"#.to_owned());
        keep(body.to_string().as_bytes(), &answer(400), &records);
        assert!(records.find(Some("email"), None).is_empty());
        keep(body.to_string().as_bytes(), &answer(200), &records);
        let found = records.find(Some("email"), Some("ann@example.com"));
        assert_eq!(found[0]["message_id"], "m-1");
        assert_eq!(found[0]["headers"][0]["Name"], "X");
        assert_eq!(found[0]["attachments"][0]["bytes"], 3);
    }

    #[test]
    fn an_error_keeps_its_kind() {
        let body = typed(r#"{"message":"no"}"#, Some("MessageRejected"));
        assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["__type"], "MessageRejected");
    }
}
