//! An AWS call: its service, action and calling function.

use hyper::HeaderMap;
use serde::Serialize;

/// A call, by the members that faults and the journal use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Call {
    /// The service in the signature: `dynamodb`, `sqs`, `events`, `ses`, `sns`, `scheduler`, `s3`, `kms`.
    pub(super) service: String,
    /// The operation: `BatchExecuteStatement`, `SendMessageBatch`, `PutEvents`. For REST services the method and path.
    pub(super) action: String,
    /// The calling function; `None` for other processes.
    pub(super) function: Option<String>,
}

impl Call {
    pub(super) fn of(
        method: &str,
        path: &str,
        headers: &HeaderMap,
        body: &[u8],
        function: Option<String>,
    ) -> Call {
        let header =
            |name: &str| headers.get(name).and_then(|header| header.to_str().ok()).unwrap_or_default();
        let target = header("x-amz-target");
        let service = service(header("authorization")).unwrap_or_else(|| "-".to_owned());
        let action = match target.rsplit_once('.') {
            Some((_, action)) => action.to_owned(),
            None => by_form(body).unwrap_or_else(|| by_path(&service, method, path)),
        };
        Call { service, action, function }
    }
}

/// The attempt number of the caller's SDK client, from 1.
///
/// Source: AWS SDKs, `amz-sdk-request: attempt=2; max=3`.
pub(super) fn attempt(headers: &HeaderMap) -> u32 {
    let header = headers.get("amz-sdk-request").and_then(|header| header.to_str().ok()).unwrap_or_default();
    let attempt = header.split(';').find_map(|part| part.trim().strip_prefix("attempt="));
    attempt.and_then(|attempt| attempt.parse().ok()).unwrap_or(1)
}

/// The service in the credential scope of a signature.
///
/// Source: Signature Version 4, `Credential=<key>/<date>/<region>/<service>/aws4_request`.
fn service(authorization: &str) -> Option<String> {
    let scope = authorization.split("Credential=").nth(1)?.split(',').next()?;
    scope.split('/').nth(3).map(str::to_owned)
}

/// The action of the query protocol, which SNS uses: `Action=Publish&…`.
fn by_form(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok().filter(|utf8| utf8.contains("Action="))?;
    let mut pairs = form_urlencoded::parse(text.as_bytes());
    pairs.find(|(name, _)| name == "Action").map(|(_, action)| action.into_owned())
}

fn by_path(service: &str, method: &str, path: &str) -> String {
    match (service, method) {
        ("ses", "POST") if path.ends_with("/outbound-emails") => "SendEmail".to_owned(),
        ("scheduler", "POST") => "CreateSchedule".to_owned(),
        _ => format!("{method} {path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNED: &str =
        "AWS4-HMAC-SHA256 Credential=ASIA1/20261121/us-east-1/SERVICE/aws4_request, SignedHeaders=host";

    #[test]
    fn action_comes_from_target_form_or_path() {
        check(
            "dynamodb",
            Some("DynamoDB_20120810.BatchExecuteStatement"),
            "/",
            "{}",
            "BatchExecuteStatement",
        );
        check("sqs", Some("AmazonSQS.SendMessageBatch"), "/", "{}", "SendMessageBatch");
        check("sns", None, "/", "Action=Publish&Message=Action%3DNo", "Publish");
        check("ses", None, "/v2/email/outbound-emails", "{}", "SendEmail");
        check("scheduler", None, "/schedules/x", "{}", "CreateSchedule");
        check("s3", None, "/bucket/key", "", "POST /bucket/key");
    }

    #[track_caller]
    fn check(service: &str, target: Option<&str>, path: &str, body: &str, action: &str) {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", SIGNED.replace("SERVICE", service).parse().unwrap());
        if let Some(target) = target {
            headers.insert("x-amz-target", target.parse().unwrap());
        }
        let call = Call::of("POST", path, &headers, body.as_bytes(), None);
        assert_eq!((call.service.as_str(), call.action.as_str()), (service, action));
    }
}
