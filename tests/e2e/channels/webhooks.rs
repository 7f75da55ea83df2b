//! Webhooks end to end: from an event on the bus to a signed request, and the outcome of each response.

use std::path::PathBuf;
use std::process::Command;

use domain::base::channel::Channel;
use domain::base::outcome::{Reason, Status};
use domain::webhook::endpoint::secret::stored::{StoredSecret, StoredSecrets};
use domain::webhook::endpoint::secret::{Scheme, Secret, Secrets};
use domain::webhook::endpoint::target::Allow;
use domain::webhook::endpoint::{DisabledBecause, Endpoint, EndpointId};
use serde_json::{Value, json};
use store::{Attempt, Endpoints, LedgerRow, MessageState};
use testkit::cloud::{Cloud, cloud_event, now};
use testkit::until::until;
use workspace::{root, unique};

/// A fresh tenant per test, so that endpoints of other tests receive none of its events.
pub(crate) struct WebhookTenant {
    pub(crate) cloud: Cloud,
    pub(crate) endpoints: Endpoints,
    pub(crate) tenant: String,
}

impl WebhookTenant {
    pub(crate) fn set() -> WebhookTenant {
        let cloud = Cloud::connect();
        let endpoints = Endpoints::new(&store::client(&cloud.config), "carillon-local-endpoints".to_owned());
        WebhookTenant { cloud, endpoints, tenant: unique("tenant") }
    }

    pub(crate) fn id(&self, name: &str) -> EndpointId {
        EndpointId { tenant: Some(self.tenant.clone()), id: name.to_owned() }
    }

    /// Creates an endpoint at this path of the capture server.
    pub(crate) async fn endpoint(&self, name: &str, path: &str, others: Value) -> Secret {
        let url = format!("{}{path}", self.cloud.capture);
        self.endpoint_at(name, &url, others).await
    }

    async fn endpoint_at(&self, name: &str, url: &str, others: Value) -> Secret {
        let mut written = json!({ "id": name, "tenant": self.tenant, "url": url });
        written.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
        let endpoint: Endpoint = serde_json::from_value(written).unwrap();
        let secret = Secret::new(Scheme::Hmac, vec![7; 32]).unwrap();
        self.endpoints.put(&endpoint, &Secrets::of(secret.clone()).into(), now()).await.unwrap();
        secret
    }

    /// Publishes a booking event of this tenant.
    pub(crate) async fn book(&self, kind: &str) -> String {
        let id = unique("event");
        let data = json!({ "bookingId": id, "reference": "BK-1", "status": "PENDING", "siteId": "site-1" });
        let mut entry = cloud_event(kind, &id, &data);
        let mut envelope: Value = serde_json::from_str(&entry.detail).unwrap();
        envelope["tenant"] = self.tenant.clone().into();
        envelope["source"] = "booking-service".into();
        entry.detail = envelope.to_string();
        entry.source = "booking-service".to_owned();
        self.cloud.put(&[entry]).await;
        id
    }

    pub(crate) async fn row(&self, event: &str, name: &str) -> LedgerRow {
        let recipient = format!("endpoint:{}/{name}", self.tenant);
        until(&format!("the outcome of {event} for {recipient}"), async || {
            let rows = self.cloud.outcomes(event).await;
            rows.into_iter().find(|row| row.recipient == recipient)
        })
        .await
    }

    pub(crate) async fn attempts(&self, name: &str, least: usize) -> Vec<Attempt> {
        let id = self.id(name);
        until(&format!("{least} attempts to {name}"), async || {
            let found = self.endpoints.attempts(&id, 100).await.unwrap();
            (found.len() >= least).then_some(found)
        })
        .await
    }

    pub(crate) fn captured(&self, path: &str) -> Vec<Value> {
        self.cloud.captured("webhook", path)
    }
}

#[tokio::test]
async fn webhook_is_sent_once_and_a_third_party_library_verifies_it() {
    let stage = WebhookTenant::set();
    let path = format!("/hooks/{}", stage.tenant);
    let secret = stage.endpoint("erp", &path, json!({ "version": "2026-05" })).await;
    let newer = Secret::new(Scheme::Hmac, vec![9; 32]).unwrap();
    let rotated = async |old: StoredSecrets| Ok(old.rotated(StoredSecret::Plain(newer.clone()), now()));
    stage.endpoints.rotate(&stage.id("erp"), rotated).await.unwrap();

    let event = stage.book("booking.created").await;
    let row = stage.row(&event, "erp").await;
    assert_eq!((row.status, row.channel), (Status::Sent, Some(Channel::Webhook)));
    let requests = stage.captured(&path);
    assert_eq!(requests.len(), 1, "once");
    let (headers, body) = (&requests[0]["headers"], requests[0]["body"].as_str().unwrap());
    assert_eq!(headers["webhook-id"], row.key.as_str());
    let output: Value = serde_json::from_str(body).unwrap();
    assert_eq!(output["type"], "booking.created");
    assert_eq!(output["data"], json!({ "bookingId": event, "reference": "BK-1", "status": "PENDING" }));
    for secret in [&secret, &newer] {
        assert_eq!(
            verify(&secret.reveal(), headers, body),
            "verified",
            "by the old secret and by the new one"
        );
    }
    let stranger = Secret::new(Scheme::Hmac, vec![1; 32]).unwrap();
    assert_ne!(verify(&stranger.reveal(), headers, body), "verified");
    assert_ne!(verify(&secret.reveal(), headers, &body.replace("BK-1", "BK-2")), "verified");
}

#[tokio::test]
async fn failing_endpoint_is_retried_without_delaying_another() {
    let stage = WebhookTenant::set();
    let (flaky, healthy) = (format!("/hooks/flaky/1/{}", stage.tenant), format!("/hooks/{}", stage.tenant));
    stage.endpoint("flaky", &flaky, json!({})).await;
    stage.endpoint("healthy", &healthy, json!({})).await;
    let event = stage.book("booking.approved").await;
    assert_eq!(stage.row(&event, "healthy").await.status, Status::Sent);
    let row = stage.row(&event, "flaky").await;
    assert_eq!(row.status, Status::Sent);
    let requests = stage.captured(&flaky);
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0]["headers"]["webhook-id"], requests[1]["headers"]["webhook-id"], "one message");
    let attempts = stage.attempts("flaky", 2).await;
    let waited = attempts[0].at.duration_since(attempts[1].at);
    assert!(waited.as_secs() >= 5 && waited.as_secs() < 60, "{waited:?}");
    assert_eq!((attempts[1].status, attempts[1].attempt), (Some(500), 1));
    assert_eq!((attempts[0].status, attempts[0].attempt), (Some(200), 2));
    assert!(attempts[1].next_at.is_some_and(|next_at| next_at <= attempts[0].at));
}

#[tokio::test]
async fn status_410_disables_the_endpoint() {
    let stage = WebhookTenant::set();
    let path = format!("/hooks/fail/410/{}", stage.tenant);
    stage.endpoint("gone", &path, json!({})).await;
    let event = stage.book("booking.created").await;
    let row = stage.row(&event, "gone").await;
    assert_eq!((row.status, row.reason), (Status::Failed, Some(Reason::EndpointGone)));
    let found = stage.endpoints.find(&[stage.id("gone")]).await.unwrap();
    assert_eq!(found[0].disabled.as_ref().map(|disabled| disabled.why), Some(DisabledBecause::Gone));
    let notified = until("the bus is told", async || {
        let records = stage.cloud.all_records().await;
        records.into_iter().find(|record| {
            record.get("type") == Some("carillon.endpoint.disabled")
                && record.get("tenant") == Some(&stage.tenant)
        })
    })
    .await;
    assert!(!notified.get("event").unwrap().contains("http://"), "it never says where the endpoint is");

    let later = stage.book("booking.cancelled").await;
    let row = stage.row(&later, "gone").await;
    assert_eq!((row.status, row.reason), (Status::Suppressed, Some(Reason::EndpointDisabled)));
    assert!(row.note.unwrap().contains("410"));
    assert_eq!(stage.captured(&path).len(), 1);
}

#[tokio::test]
async fn redirect_is_not_followed() {
    let stage = WebhookTenant::set();
    let path = format!("/hooks/redirect/{}", stage.tenant);
    stage.endpoint("elsewhere", &path, json!({})).await;
    stage.book("booking.created").await;
    let attempts = stage.attempts("elsewhere", 1).await;
    assert_eq!(attempts.last().unwrap().status, Some(302));
    assert!(attempts.last().unwrap().next_at.is_some(), "it is a failure, and is tried again");
    assert!(stage.captured("/hooks/redirected").is_empty());
}

#[tokio::test]
async fn private_address_is_refused_on_save_and_on_send() {
    let stage = WebhookTenant::set();
    // A direct write to the table bypasses the first check.
    for (name, url) in [
        ("runtime", "https://127.0.0.1/2018-06-01/runtime/invocation/next"),
        ("metadata", "https://[::ffff:169.254.169.254]/latest/meta-data/"),
        ("plain", "http://127.0.0.1:9001/"),
    ] {
        let written = json!({ "id": name, "url": url }).to_string();
        assert!(Endpoint::read(&written, &Allow::default()).is_err(), "{url}");
        stage.endpoint_at(name, url, json!({})).await;
    }
    let event = stage.book("booking.created").await;
    for name in ["runtime", "metadata", "plain"] {
        let row = stage.row(&event, name).await;
        assert_eq!((row.status, row.reason), (Status::Failed, Some(Reason::BlockedTarget)), "{name}");
        let attempts = stage.attempts(name, 1).await;
        assert_eq!((attempts.len(), attempts[0].error.as_deref()), (1, Some("blocked target")), "{name}");
    }
    let put = carillon(&["endpoints", "put", "acme/meta", "https://169.254.169.254/latest"]);
    assert_eq!(put.0, 2);
    assert!(put.1.contains("a blocked target"), "{}", put.1);
}

#[tokio::test]
async fn response_of_a_gigabyte_is_not_read() {
    let stage = WebhookTenant::set();
    let path = format!("/hooks/large/{}", stage.tenant);
    stage.endpoint("large", &path, json!({})).await;
    let event = stage.book("booking.created").await;
    assert_eq!(stage.row(&event, "large").await.status, Status::Sent, "it said 200");
    let attempts = stage.attempts("large", 1).await;
    assert_eq!(
        attempts[0].response.as_ref().map(|body| body.expose().as_str()),
        Some("[not kept: more than 65536 bytes]")
    );
    assert!(attempts[0].took_ms < 5_000);
}

#[tokio::test]
async fn endpoint_receives_only_events_that_match_its_pattern() {
    let stage = WebhookTenant::set();
    let path = format!("/hooks/{}", stage.tenant);
    let when = json!({ "when": { "detail-type": ["booking.approved"] } });
    stage.endpoint("choosy", &path, when).await;
    let event = stage.book("booking.created").await;
    let row = stage.row(&event, "choosy").await;
    assert_eq!((row.status, row.reason), (Status::Suppressed, Some(Reason::EndpointPattern)));
    assert!(stage.captured(&path).is_empty());
}

#[tokio::test]
async fn failed_message_is_sent_again_by_hand() {
    let stage = WebhookTenant::set();
    let path = format!("/hooks/disable/{}", stage.tenant);
    stage.endpoint("erp", &path, json!({})).await;
    let event = stage.book("booking.created").await;
    let row = stage.row(&event, "erp").await;
    assert_eq!(row.reason, Some(Reason::EndpointGone));
    // The endpoint works again.
    let (id, mended) = (stage.id("erp"), format!("/hooks/{}", stage.tenant));
    stage.endpoint("erp", &mended, json!({})).await;
    let name = id.name();
    assert_eq!(carillon(&["endpoints", "retry", &name, row.key.as_str()]).0, 2, "not while it is off");
    assert_eq!(carillon(&["endpoints", "enable", &name]).0, 0);
    let since = (now() - jiff::SignedDuration::from_hours(1)).to_string();
    let counted = carillon(&["--json", "endpoints", "recover", &name, "--since", &since, "--dry-run"]);
    let expected = |messages: u32, sent: bool| json!({ "messages": messages, "events": 0, "lost": 0, "sent": sent, "next": null });
    let read = |text: &str| -> Value { serde_json::from_str(text).unwrap() };
    assert_eq!((counted.0, read(&counted.1)), (0, expected(1, false)));
    assert_eq!(carillon(&["endpoints", "recover", &name, "--since", &since]).0, 0);
    let requests = until("it arrives", async || {
        let found = stage.captured(&mended);
        (!found.is_empty()).then_some(found)
    })
    .await;
    assert_eq!(requests[0]["headers"]["webhook-id"], row.key.as_str(), "the receiver knows it");
    until("it is on record", async || {
        let found = stage.endpoints.sending(&id, &row.key).await.unwrap().unwrap().message.unwrap();
        (found.state == MessageState::Delivered).then_some(())
    })
    .await;
    let counted = carillon(&["--json", "endpoints", "recover", &name, "--since", &since]);
    assert_eq!(read(&counted.1), expected(0, true));
    let ping = carillon(&["endpoints", "ping", &name]);
    assert_eq!(ping.0, 0, "{}", ping.1);
}

/// Result of the Python reference implementation for a request.
#[track_caller]
pub(crate) fn verify(secret: &str, headers: &Value, body: &str) -> String {
    let asked = json!({ "secret": secret, "headers": headers, "body": body }).to_string();
    let python = root().join(".local/webhooks/bin/python");
    assert!(python.exists(), "`make .local/webhooks/.installed` installs it");
    let mut child = Command::new(python)
        .arg(root().join("tests/webhooks/verify.py"))
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), asked.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Exit status and output of a CLI command.
pub(crate) fn carillon(args: &[&str]) -> (i32, String) {
    let program: PathBuf = root().join("target/local/carillon");
    let done =
        Command::new(program).args(args).current_dir(root()).env_remove("AWS_ENDPOINT_URL").output().unwrap();
    let mut output = String::from_utf8_lossy(&done.stdout).into_owned();
    output.push_str(&String::from_utf8_lossy(&done.stderr));
    (done.status.code().unwrap_or(-1), output)
}
