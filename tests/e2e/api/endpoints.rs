//! Webhook endpoints that tenant admins manage, and the messages that they resend.

use domain::base::outcome::Reason;
use domain::webhook::endpoint::secret::{Scheme, Secret, Secrets};
use domain::webhook::endpoint::{Endpoint, EndpointId};
use serde_json::{Value, json};
use store::Endpoints;
use testkit::api_client::{ApiClient, ApiResponse};
use testkit::cloud::{Cloud, cloud_event, now};
use testkit::until::until;
use workspace::unique;

use super::check;

/// An endpoint of a fresh tenant. The capture server receives its requests.
pub(super) struct Erp {
    tenant: String,
    path: String,
}

impl Erp {
    pub(super) fn of(tenant: &str, path: &str) -> Erp {
        Erp { tenant: tenant.to_owned(), path: path.to_owned() }
    }

    fn id(&self) -> EndpointId {
        EndpointId { tenant: Some(self.tenant.clone()), id: "erp".to_owned() }
    }

    fn table(cloud: &Cloud) -> Endpoints {
        Endpoints::new(&store::client(&cloud.config), "carillon-local-endpoints".to_owned())
    }

    pub(super) async fn register(&self, cloud: &Cloud) {
        let url = format!("{}{}", cloud.capture, self.path);
        let endpoint: Endpoint =
            serde_json::from_value(json!({ "tenant": self.tenant, "id": "erp", "url": url })).unwrap();
        let secret = Secret::new(Scheme::Hmac, vec![7; 32]).unwrap();
        assert!(Erp::table(cloud).put(&endpoint, &Secrets::of(secret).into(), now()).await.unwrap());
    }

    /// Publishes a booking event for the endpoint and returns the outcome's row.
    async fn book(&self, cloud: &Cloud) -> store::LedgerRow {
        let event = unique("event");
        let data =
            json!({ "bookingId": event, "reference": "BK-1", "status": "PENDING", "siteId": "site-1" });
        let mut entry = cloud_event("booking.created", &event, &data);
        let mut envelope: Value = serde_json::from_str(&entry.detail).unwrap();
        envelope["tenant"] = self.tenant.clone().into();
        envelope["source"] = "booking-service".into();
        entry.detail = envelope.to_string();
        entry.source = "booking-service".to_owned();
        cloud.put(&[entry]).await;
        let recipient = format!("endpoint:{}/erp", self.tenant);
        until("the outcome", async || {
            cloud.outcomes(&event).await.into_iter().find(|outcome| outcome.recipient == recipient)
        })
        .await
    }

    /// Publishes an event whose webhook message fails.
    pub(super) async fn lose(&self, cloud: &Cloud) -> String {
        let row = self.book(cloud).await;
        assert_eq!(row.reason, Some(Reason::EndpointGone));
        row.key.as_str().to_owned()
    }

    pub(super) async fn find(&self, cloud: &Cloud) -> Option<Endpoint> {
        Erp::table(cloud).find(&[self.id()]).await.unwrap().pop()
    }

    pub(super) fn arrived(&self, cloud: &Cloud) -> usize {
        cloud.captured("webhook", &self.path).len()
    }
}

#[tokio::test]
async fn secret_is_returned_on_creation_only() {
    let cloud = Cloud::connect();
    let admin = ApiClient::of(&unique("admin"), &unique("clinic"), "admin");
    let url = format!("{}/hooks/{}", cloud.capture, unique("erp"));
    let put = |body: Value| admin.ask("PUT", "/v1/endpoints/erp", Some(&body));
    let response = put(json!({ "url": url, "when": { "detail-type": [{ "prefix": "booking." }] } }));
    check(&response, 201, "");
    let secret = response.body["verification_key"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"));
    let again = put(json!({ "url": url, "description": "the ERP" }));
    check(&again, 200, "");
    assert!(
        again.body["verification_key"].is_null() && again.body["when"].is_null(),
        "exactly this: {}",
        again.text
    );
    let rotated = admin.ask("POST", "/v1/endpoints/erp/rotate", None);
    check(&rotated, 200, "");
    let newer = rotated.body["verification_key"].as_str().unwrap().to_owned();
    assert!(newer.starts_with("whsec_") && newer != secret);
    assert_eq!(rotated.body["signing"], 2, "the one before signs, too");
    for path in ["/v1/endpoints", "/v1/endpoints/erp"] {
        let response = admin.ask("GET", path, None);
        check(&response, 200, "");
        assert!(response.text.contains("the ERP"));
        assert!(
            ![&secret, &newer].iter().any(|text| response.text.contains(text.trim_start_matches("whsec_")))
        );
    }
    let ed25519 = json!({ "scheme": "ed25519" });
    let public =
        admin.ask("POST", "/v1/endpoints/erp/rotate", Some(&ed25519)).body["verification_key"].clone();
    assert!(public.as_str().unwrap().starts_with("whpk_"));
    assert_eq!(
        admin.ask("GET", "/v1/endpoints/erp", None).body["verification_key"],
        public,
        "it is no secret"
    );
    let kept = admin.ask("POST", "/v1/endpoints/erp/rotate", None).body["verification_key"].clone();
    assert!(kept.as_str().unwrap().starts_with("whpk_"), "the kind stays");
    check(&admin.ask("DELETE", "/v1/endpoints/erp", None), 204, "");
    check(&admin.ask("GET", "/v1/endpoints/erp", None), 404, "no_endpoint");
    check(&admin.ask("POST", "/v1/endpoints/erp/rotate", None), 404, "no_endpoint");
    check(&put(json!({ "url": url })), 201, "");
}

#[test]
fn endpoint_with_a_forbidden_address_is_not_saved() {
    let admin = ApiClient::of(&unique("admin"), &unique("clinic"), "admin");
    let put = |id: &str, body: Value| admin.ask("PUT", &format!("/v1/endpoints/{id}"), Some(&body));
    for url in [
        "http://example.com/",
        "https://127.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::ffff:10.0.0.1]/",
        "https://2130706433/",
        "https://example.com:8443/",
        "https://user:secret@example.com/",
        "https://localhost/",
        "https://nobody.invalid/",
        "ftp://example.com/",
        "",
    ] {
        let response = put("erp", json!({ "url": url }));
        check(&response, 422, "refused");
        let detail = response.body["detail"].as_str().unwrap();
        assert!(detail.starts_with("url: found ") && !detail.contains("secret"), "{url}: {detail}");
    }
    let url = "https://example.com/";
    for (id, body) in [
        ("erp", json!({})),
        ("erp", json!({ "url": 7 })),
        ("erp", json!({ "url": url, "secret": "whsec_x" })),
        ("erp", json!({ "url": url, "id": "other" })),
        ("erp", json!({ "url": url, "scheme": "rsa" })),
        ("erp", json!({ "url": url, "when": { "detail-type": "booking.created" } })),
        ("e%20rp", json!({ "url": url })),
        ("caf%C3%A9", json!({ "url": url })),
    ] {
        check(&put(id, body), 422, "refused");
    }
    check(&put("erp", json!({ "url": url, "tenant": "other" })), 403, "forbidden");
    assert_eq!(admin.ask("GET", "/v1/endpoints", None).body["endpoints"], json!([]), "nothing was saved");
}

#[tokio::test]
async fn endpoints_and_attempts_are_listed_in_pages() {
    let cloud = Cloud::connect();
    let (clinic, path) = (unique("clinic"), format!("/hooks/{}", unique("erp")));
    let admin = ApiClient::of(&unique("admin"), &clinic, "admin");
    for id in ["a", "b", "erp"] {
        let body = json!({ "url": format!("{}{path}", cloud.capture) });
        check(&admin.ask("PUT", &format!("/v1/endpoints/{id}"), Some(&body)), 201, "");
    }
    let ids = |pages: Vec<Value>| -> Vec<String> {
        pages.iter().map(|page| page["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(pages(&admin, "/v1/endpoints", "endpoints")), ["a", "b", "erp"]);
    for _ in 0..3 {
        check(&admin.ask("POST", "/v1/endpoints/erp/ping", None), 202, "");
    }
    let attempts = until("three pings are answered", async || {
        let found = pages(&admin, "/v1/endpoints/erp/attempts", "attempts");
        let answered = found.iter().filter(|item| item["status"] == 200).count();
        (answered == 3).then_some(found)
    })
    .await;
    assert!(attempts.iter().all(|attempt| attempt["by_hand"] == true), "{attempts:?}");
    assert!(attempts[0]["at"].as_str() >= attempts[1]["at"].as_str(), "the newest first");
    let next = admin.ask("GET", "/v1/endpoints/erp/attempts?limit=1", None).body["next"].clone();
    let elsewhere = format!("/v1/endpoints/a/attempts?limit=1&next={}", next.as_str().unwrap());
    check(&admin.ask("GET", &elsewhere, None), 400, "bad_cursor");
    check(&admin.ask("DELETE", "/v1/endpoints/erp", None), 204, "");
    let id = EndpointId { tenant: Some(clinic), id: "erp".to_owned() };
    assert!(Erp::table(&cloud).attempts(&id, 9).await.unwrap().is_empty(), "they go with it");
}

/// All entries of a list, read with one entry per page.
fn pages(who: &ApiClient, path: &str, what: &str) -> Vec<Value> {
    let (mut found, mut next) = (Vec::new(), String::new());
    loop {
        let response = who.ask("GET", &format!("{path}?limit=1{next}"), None);
        check(&response, 200, "");
        found.extend(response.body[what].as_array().unwrap().clone());
        let Some(position) = response.body["next"].as_str() else { return found };
        next = format!("&next={position}");
    }
}

#[tokio::test]
async fn failed_message_is_sent_again_after_the_endpoint_is_enabled() {
    let cloud = Cloud::connect();
    let (clinic, mark) = (unique("clinic"), unique("erp"));
    let admin = ApiClient::of(&unique("admin"), &clinic, "admin");
    let broken = Erp::of(&clinic, &format!("/hooks/disable/{mark}"));
    broken.register(&cloud).await;
    let lost = broken.lose(&cloud).await;
    let shown = admin.ask("GET", "/v1/endpoints/erp", None).body;
    assert_eq!(shown["disabled"]["why"], "asked", "{shown}");

    let mended = Erp::of(&clinic, &format!("/hooks/{mark}"));
    let url = format!("{}{}", cloud.capture, mended.path);
    check(&admin.ask("PUT", "/v1/endpoints/erp", Some(&json!({ "url": url }))), 200, "");
    let retry = format!("/v1/endpoints/erp/messages/{lost}/retry");
    let since = (now() - jiff::SignedDuration::from_hours(1)).to_string();
    let recover = |body: Value, key: &str| -> ApiResponse {
        let headers = [("idempotency-key", key)];
        admin.ask_with("POST", "/v1/endpoints/erp/recover", &body.to_string(), &headers)
    };
    let off = admin.ask("POST", &retry, None);
    check(&off, 409, "endpoint_disabled");
    assert!(off.body["detail"].as_str().unwrap().contains("enable it first"));
    check(&recover(json!({ "since": since }), &unique("key")), 409, "endpoint_disabled");
    let counted = recover(json!({ "since": since, "dry_run": true }), &unique("key"));
    assert_eq!(counted.body, json!({ "messages": 1, "events": 0, "lost": 0, "sent": false, "next": null }));
    let enabled = admin.ask("POST", "/v1/endpoints/erp/enable", None);
    check(&enabled, 200, "");
    assert!(enabled.body["disabled"].is_null());

    let key = unique("key");
    let first = recover(json!({ "since": since }), &key);
    assert_eq!((first.status, &first.body["messages"]), (202, &json!(1)), "{}", first.text);
    assert!(recover(json!({ "since": since }), &key).replayed);
    check(&recover(json!({ "since": now().to_string() }), &key), 422, "idempotency_key_reused");
    let requests = until("it arrives", async || {
        Some(cloud.captured("webhook", &mended.path)).filter(|requests| !requests.is_empty())
    })
    .await;
    assert_eq!(requests[0]["headers"]["webhook-id"], lost.as_str(), "the receiver knows it");
    until("it is on record", async || (admin.ask("POST", &retry, None).status == 404).then_some(())).await;
    check(&admin.ask("POST", &retry, None), 404, "no_message");
    assert_eq!(recover(json!({ "since": since }), &unique("key")).body["messages"], 0);

    for body in [json!({}), json!({ "since": "yesterday" }), json!({ "since": "2020-01-01T00:00:00Z" })] {
        check(&recover(body, &unique("key")), 422, "refused");
    }
    check(&admin.ask("POST", "/v1/endpoints/erp/messages/x/retry", None), 404, "no_message");
    let switched = admin.ask("POST", "/v1/endpoints/erp/disable", None);
    assert_eq!(switched.body["disabled"]["why"], "operator", "{}", switched.text);
    check(&admin.ask("POST", "/v1/endpoints/nothing/disable", None), 404, "no_endpoint");
}

#[test]
fn member_cannot_manage_endpoints() {
    let me = ApiClient::of(&unique("ann"), &unique("clinic"), "member");
    check(&me.ask("GET", "/v1/endpoints", None), 403, "forbidden");
    check(&me.ask("POST", "/v1/endpoints/erp/rotate", None), 403, "forbidden");
}
