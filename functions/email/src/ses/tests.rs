use super::*;
use aws_sdk_sesv2::types::error::{MessageRejected, SendingPausedException, TooManyRequestsException};
use aws_smithy_mocks::{MockResponseInterceptor, Rule, RuleMode, create_mock_http_client, mock};
use domain::delivery::job::Job;

#[tokio::test]
async fn email_has_both_parts_and_event_tags() {
    let yes = mock!(Client::send_email)
        .match_requests(|request| {
            let simple = request.content().and_then(|content| content.simple()).unwrap();
            let part = |item: Option<&Content>| item.map(|value| value.data().to_owned());
            let tag = |name: &str| {
                request.email_tags().iter().find(|tag| tag.name() == name).map(|tag| tag.value().to_owned())
            };
            request.destination().unwrap().to_addresses() == ["ann@example.com"]
                && part(simple.subject()).as_deref() == Some("Hello")
                && part(simple.body().unwrap().html()).as_deref() == Some("<p>Hi</p>")
                && part(simple.body().unwrap().text()).as_deref() == Some("Hi")
                && tag("carillon-event").as_deref() == Some("e-1")
                && tag("carillon-key").as_deref() == Some("k-1")
                && tag("carillon-tenant").as_deref() == Some("clinic-7")
                && tag("carillon-correlation").as_deref() == Some("story-1")
                && tag("carillon-causation").as_deref() == Some("e-0")
                && tag("carillon-actor").as_deref() == Some("ben")
                && tag("carillon-traceparent").is_some_and(|tag| tag.starts_with("00-4bf92f"))
        })
        .then_output(|| SendEmailOutput::builder().message_id("ses-1").build());
    let answer = send(client(&[&yes])).await.unwrap();
    assert_eq!(answer, Sent::Accepted { provider_id: "ses-1".into() });
}

#[test]
fn email_has_reply_to_unsubscribe_and_attachments() {
    let job = job(serde_json::json!({
        "from": "Clinic News <news@example.com>", "reply_to": "help@example.com",
        "unsubscribe": "https://u.example/v1/unsubscribe/AQ",
    }));
    let outgoing = OutgoingEmail::shape(&job).unwrap();
    let files = vec![file("Invoice 7.pdf", Some("application/pdf"), None), file("logo", None, Some("logo"))];
    let asked = request(&outgoing, files, "bell@example.com", Some("receipts")).build().unwrap();
    assert_eq!(asked.from_email_address(), Some("Clinic News <news@example.com>"));
    assert_eq!(asked.reply_to_addresses(), ["help@example.com"]);
    assert_eq!(asked.configuration_set_name(), Some("receipts"));
    let simple = asked.content().and_then(|content| content.simple()).unwrap();
    let headers: Vec<_> = simple.headers().iter().map(|header| (header.name(), header.value())).collect();
    let expected = [
        ("List-Unsubscribe", "<https://u.example/v1/unsubscribe/AQ>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("Auto-Submitted", "auto-generated"),
    ];
    assert_eq!(headers, expected);
    let [pdf, logo] = simple.attachments() else { panic!("two files") };
    assert_eq!((pdf.file_name(), pdf.content_type()), ("Invoice 7.pdf", Some("application/pdf")));
    assert_eq!(pdf.content_disposition(), Some(&AttachmentContentDisposition::Attachment));
    assert_eq!((pdf.raw_content().as_ref(), pdf.content_id()), (b"bytes".as_slice(), None));
    assert_eq!(logo.content_disposition(), Some(&AttachmentContentDisposition::Inline));
    assert_eq!((logo.content_id(), logo.content_type()), (Some("logo"), Some("application/octet-stream")));
}

#[test]
fn missing_settings_are_left_out_of_the_request() {
    let job = job(serde_json::json!({}));
    let asked =
        request(&OutgoingEmail::shape(&job).unwrap(), Vec::new(), "bell@example.com", None).build().unwrap();
    assert_eq!(asked.from_email_address(), Some("bell@example.com"));
    assert!(asked.reply_to_addresses().is_empty() && asked.configuration_set_name().is_none());
    let simple = asked.content().and_then(|content| content.simple()).unwrap();
    let names: Vec<_> = simple.headers().iter().map(|header| header.name()).collect();
    assert!(names == ["Auto-Submitted"] && simple.attachments().is_empty());
}

#[test]
fn names_of_any_language_are_headers_in_ascii() {
    let job = job(serde_json::json!({
        "from": "news@example.com", "from_name": "Café, Central",
        "reply_to": "desk@example.com", "reply_to_name": "Acme, Inc.",
    }));
    let asked =
        request(&OutgoingEmail::shape(&job).unwrap(), Vec::new(), "bell@example.com", None).build().unwrap();
    assert_eq!(asked.from_email_address(), Some("=?UTF-8?B?Q2Fmw6ksIENlbnRyYWw=?= <news@example.com>"));
    assert_eq!(asked.reply_to_addresses(), ["\"Acme, Inc.\" <desk@example.com>"]);
}

#[tokio::test]
async fn rejected_email_is_not_retried() {
    let no = mock!(Client::send_email)
        .then_error(|| SendEmailError::MessageRejected(MessageRejected::builder().build()));
    let failure = send(client(&[&no])).await.unwrap_err();
    assert!(matches!(failure, Failure::Permanent { reason: Reason::Rejected, .. }));
}

#[tokio::test]
async fn unverified_sender_retries_emails() {
    let no = mock!(Client::send_email).then_error(|| {
        let said =
            "Email address is not verified. The following identities failed the check: bell@example.com";
        let meta =
            aws_sdk_sesv2::error::ErrorMetadata::builder().code("MessageRejected").message(said).build();
        SendEmailError::MessageRejected(MessageRejected::builder().meta(meta).build())
    });
    let failure = send(client(&[&no])).await.unwrap_err();
    assert!(matches!(failure, Failure::Transient(_)));
}

#[tokio::test]
async fn paused_account_retries_emails() {
    let no = mock!(Client::send_email)
        .then_error(|| SendEmailError::SendingPausedException(SendingPausedException::builder().build()));
    let failure = send(client(&[&no])).await.unwrap_err();
    assert!(matches!(failure, Failure::Transient(_)));
}

#[tokio::test]
async fn throttled_emails_wait() {
    let no = mock!(Client::send_email).then_error(|| {
        let meta = aws_sdk_sesv2::error::ErrorMetadata::builder().code("TooManyRequestsException").build();
        SendEmailError::TooManyRequestsException(TooManyRequestsException::builder().meta(meta).build())
    });
    let failure = send(client(&[&no])).await.unwrap_err();
    assert!(matches!(failure, Failure::Throttled { .. }));
}

async fn send(client: Client) -> Result<Sent, Failure> {
    let job = job(serde_json::json!({}));
    Ses::with_client(client, "bell@example.com".into())
        .send(&OutgoingEmail::shape(&job).unwrap(), Vec::new())
        .await
}

/// A job with these members in addition to the required ones.
#[expect(clippy::needless_pass_by_value, reason = "tests hand in json!(…)")]
fn job(members: serde_json::Value) -> Job {
    let mut job: serde_json::Value = serde_json::from_str(
        r#"{"version":1,"key":"k-1","event":{"id":"e-1","source":"s","type":"t","time":"2026-11-20T12:00:00Z",
            "tenant":"clinic-7","correlation_id":"story-1","causation_id":"e-0","actor":"ben",
            "traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
            "rule":"r","catalog":"c","recipient":"ann","priority":"normal","on_unknown":"hold",
            "content":{"email":{"to":"ann@example.com","subject":"Hello","html":"<p>Hi</p>","text":"Hi","locale":"en"}}}"#,
    )
    .unwrap();
    for (name, value) in members.as_object().unwrap() {
        job["content"]["email"][name] = value.clone();
    }
    serde_json::from_value(job).unwrap()
}

fn file(name: &str, kind: Option<&str>, inline: Option<&str>) -> File {
    let text = |value: &str| value.to_owned();
    let of = domain::delivery::job::Attachment {
        bucket: text("bills"),
        key: text("7"),
        name: name.into(),
        kind: None,
        inline: inline.map(text),
    };
    File { of, kind: kind.map(text), bytes: b"bytes".to_vec().into() }
}

/// A real client with these mocked answers, in order.
fn client(rules: &[&Rule]) -> Client {
    let mode = MockResponseInterceptor::new().rule_mode(RuleMode::Sequential);
    let answers = rules.iter().fold(mode, |answers, rule| answers.with_rule(rule));
    let config = aws_sdk_sesv2::Config::builder()
        .behavior_version(aws_sdk_sesv2::config::BehaviorVersion::latest())
        .region(aws_sdk_sesv2::config::Region::new("eu-central-1"))
        .credentials_provider(aws_sdk_sesv2::config::Credentials::new("key", "secret", None, None, "test"))
        .retry_config(aws::no_retries())
        .http_client(create_mock_http_client())
        .interceptor(answers)
        .build();
    Client::from_conf(config)
}
