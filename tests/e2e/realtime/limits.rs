//! Limits per tenant and caller: endpoints, their owners' proof, pings and sockets.

use std::time::Duration;

use domain::base::outcome::{Reason, Status};
use domain::webhook::endpoint::secret::{Scheme, Secret, Secrets};
use domain::webhook::endpoint::{Endpoint, EndpointId};
use serde_json::{Value, json};
use store::{Endpoints, LedgerRow, Registered};
use testkit::api_client::{ApiClient, ApiResponse};
use testkit::cloud::{Cloud, cloud_event, now};
use testkit::until::until;
use testkit::ws_client::{Client, ticket};
use workspace::unique;

#[track_caller]
fn check(output: &ApiResponse, status: u16, kind: &str) {
    assert_eq!(output.status, status, "{}", output.text);
    if !kind.is_empty() {
        assert_eq!(output.body["title"], kind, "{}", output.text);
    }
}

#[test]
fn fifty_first_endpoint_of_a_tenant_is_refused() {
    let cloud = Cloud::connect();
    let (user, tenant) = (unique("admin"), unique("clinic"));
    let admin = ApiClient::of(&user, &tenant, "admin");
    let body = json!({ "url": format!("{}/hooks/{tenant}", cloud.capture) });
    let put = |admin: &ApiClient, id: &str| admin.ask("PUT", &format!("/v1/endpoints/{id}"), Some(&body));
    for number in 0..49 {
        check(&put(&admin, &format!("e{number}")), 201, "");
    }
    // Two callers create endpoints at the same time until each is refused, so they compete for the fiftieth.
    let created: usize = std::thread::scope(|scope| {
        let racers = ["x", "y"].map(|id| {
            let racer = ApiClient::with(admin.url.clone(), admin.token.clone());
            scope.spawn(move || usize::from(put(&racer, id).status == 201))
        });
        racers.into_iter().map(|racer| racer.join().unwrap()).sum()
    });
    assert_eq!(created, 1, "one of two that race for the last place");
    check(&put(&admin, "z"), 409, "too_many_endpoints");
    check(&put(&admin, "e7"), 200, "");
    check(&admin.ask("DELETE", "/v1/endpoints/e7", None), 204, "");
    check(&put(&admin, "z"), 201, "");
}

#[test]
fn ping_over_the_rate_limit_is_refused() {
    let cloud = Cloud::connect();
    let tenant = unique("clinic");
    let admin = ApiClient::of(&unique("admin"), &tenant, "admin");
    let body = json!({ "url": format!("{}/hooks/{tenant}", cloud.capture) });
    check(&admin.ask("PUT", "/v1/endpoints/erp", Some(&body)), 201, "");
    let output: Vec<ApiResponse> =
        (0..8).map(|_| admin.ask("POST", "/v1/endpoints/erp/ping", None)).collect();
    assert!(output[..3].iter().all(|response| response.status == 202));
    let refused: Vec<&ApiResponse> = output.iter().filter(|response| response.status == 429).collect();
    assert!(refused.len() >= 4, "at most one more in so little time");
    for output in refused {
        check(output, 429, "rate_limited");
        let seconds: u64 = output.retry_after.as_deref().unwrap().parse().unwrap();
        assert!((1..=10).contains(&seconds), "{seconds}");
    }
    // The unverified endpoint on another server receives no request in the tenant's name.
    let moved = admin.ask("PUT", "/v1/endpoints/erp", Some(&json!({ "url": "https://1.1.1.1/hooks" })));
    check(&moved, 200, "");
    assert!(moved.body["unverified"]["since"].is_string(), "{}", moved.text);
    assert_eq!(moved.body["challenge_sent"], false, "pings and challenges have one limit");
}

/// The gateway as a library in this process, with the tables and sockets of the local cloud.
fn gateway_of(cloud: &Cloud) -> gateway::Gateway {
    let config = gateway::Config {
        connections_table: "carillon-local-connections".to_owned(),
        ledger_table: "carillon-local-ledger".to_owned(),
        inbox_table: "carillon-local-inbox".to_owned(),
        endpoint: cloud.socket_url.replacen("ws", "http", 1),
    };
    gateway::Gateway::new(&cloud.config, config)
}

/// An endpoint at a path of the capture server whose owner has not proved control.
struct UnverifiedEndpoint {
    cloud: Cloud,
    admin: ApiClient,
    tenant: String,
    path: String,
}

impl UnverifiedEndpoint {
    async fn at(path: &str) -> UnverifiedEndpoint {
        let (cloud, tenant) = (Cloud::connect(), unique("clinic"));
        let path = format!("{path}/{tenant}");
        let endpoints = Endpoints::new(&store::client(&cloud.config), "carillon-local-endpoints".to_owned());
        let url = format!("{}{path}", cloud.capture);
        let endpoint: Endpoint =
            serde_json::from_value(json!({ "tenant": tenant, "id": "erp", "url": url })).unwrap();
        let secrets = Secrets::of(Secret::new(Scheme::Hmac, vec![7; 32]).unwrap()).into();
        let done = endpoints.register(&endpoint, &secrets, false, now()).await.unwrap();
        assert_eq!(done, Registered::New);
        let admin = ApiClient::of(&unique("admin"), &tenant, "admin");
        UnverifiedEndpoint { cloud, admin, tenant, path }
    }

    async fn book(&self) -> LedgerRow {
        let event = unique("event");
        let data =
            json!({ "bookingId": event, "reference": "BK-1", "status": "PENDING", "siteId": "site-1" });
        let mut entry = cloud_event("booking.created", &event, &data);
        let mut envelope: Value = serde_json::from_str(&entry.detail).unwrap();
        envelope["tenant"] = self.tenant.clone().into();
        envelope["source"] = "booking-service".into();
        entry.detail = envelope.to_string();
        entry.source = "booking-service".to_owned();
        self.cloud.put(&[entry]).await;
        let id = EndpointId { tenant: Some(self.tenant.clone()), id: "erp".to_owned() };
        let recipient = format!("endpoint:{}", id.name());
        until("the outcome", async || {
            self.cloud.outcomes(&event).await.into_iter().find(|outcome| outcome.recipient == recipient)
        })
        .await
    }

    /// The challenge that arrived at the endpoint.
    async fn challenge(&self) -> String {
        check(&self.admin.ask("POST", "/v1/endpoints/erp/verify", None), 202, "");
        until("the challenge", async || {
            let requests = self.cloud.captured("webhook", &self.path);
            let bodies = requests.iter().filter_map(|request| request["body"].as_str());
            let bodies = bodies.filter_map(|body| serde_json::from_str::<Value>(body).ok());
            let mut challenges = bodies.filter(|body| body["type"] == "carillon.endpoint.verify");
            challenges.find_map(|challenge| challenge["data"]["challenge"].as_str().map(str::to_owned))
        })
        .await
    }

    fn is_unverified(&self) -> bool {
        self.admin.ask("GET", "/v1/endpoints/erp", None).body["unverified"]["since"].is_string()
    }
}

#[tokio::test]
async fn unverified_endpoint_gets_no_event_until_its_owner_posts_the_challenge() {
    let stage = UnverifiedEndpoint::at("/hooks").await;
    let row = stage.book().await;
    assert_eq!((row.status, row.reason), (Status::Suppressed, Some(Reason::EndpointUnverified)));
    assert!(stage.cloud.captured("webhook", &stage.path).is_empty());
    let since = json!({ "since": now().to_string() });
    check(&stage.admin.ask("POST", "/v1/endpoints/erp/recover", Some(&since)), 409, "unverified");

    let challenge = stage.challenge().await;
    let attempt = until("the attempt", async || {
        let output = stage.admin.ask("GET", "/v1/endpoints/erp/attempts", None);
        output.body["attempts"].get(0).cloned()
    })
    .await;
    assert_eq!(attempt["error"], "the answer is not the challenge", "{attempt}");
    assert!(attempt["response"].is_null() && !attempt.to_string().contains(&challenge));
    assert!(stage.is_unverified());

    let answer =
        |text: &str| stage.admin.ask("POST", "/v1/endpoints/erp/verify", Some(&json!({ "challenge": text })));
    check(&answer("guessed"), 422, "wrong_challenge");
    let proved = answer(&challenge);
    check(&proved, 200, "");
    assert!(proved.body["unverified"].is_null(), "{}", proved.text);
    assert_eq!(stage.book().await.status, Status::Sent);
}

#[tokio::test]
async fn endpoint_that_answers_its_challenge_is_verified() {
    let stage = UnverifiedEndpoint::at("/hooks/prove").await;
    stage.challenge().await;
    until("it is verified", async || (!stage.is_unverified()).then_some(())).await;
    assert_eq!(stage.book().await.status, Status::Sent);
}

#[tokio::test]
async fn flooding_socket_is_slowed_closed_and_kept_away_and_its_neighbour_is_answered() {
    let cloud = Cloud::connect();
    let (user, tenant) = (unique("user"), unique("clinic"));
    cloud.new_recipient_with(json!({ "id": user, "tenants": [tenant] })).await;
    let me = ApiClient::of(&user, &tenant, "member");
    let mut flooder = Client::of(&cloud, &user, Some(&tenant), &[]).await;
    let mut neighbour = Client::of(&cloud, &unique("user"), Some(&tenant), &[]).await;
    assert_eq!(neighbour.ask(r#"{"action":"ping"}"#).await["type"], "pong");
    // The local cloud delivers fewer frames per second than a socket may send, so the test calls the library.
    let gateway = gateway_of(&cloud);
    let open = cloud.connections.of_user(&user, now()).await.unwrap();
    let frame = json!({
        "requestContext": { "routeKey": "counts", "connectionId": open[0].id }, "body": r#"{"action":"counts"}"#,
    });
    let (mut answered, mut slowed) = (0, 0);
    for _ in 0..400 {
        let request: gateway::Request = serde_json::from_value(frame.clone()).unwrap();
        let output = serde_json::to_string(&gateway.answer(request).await.unwrap()).unwrap();
        answered += usize::from(output.contains("unread"));
        slowed += usize::from(output.contains("slow_down"));
    }
    assert!(slowed >= 99 && answered < 100, "{answered} answered, {slowed} slowed down");
    let bye = flooder.next_message().await;
    assert_eq!(bye, json!({ "type": "bye", "reason": "rate" }));
    let away = until("the user is kept away", async || {
        Some(me.ask("POST", "/v1/tickets", None)).filter(|response| response.status == 429)
    })
    .await;
    check(&away, 429, "rate_limited");
    let seconds: u64 = away.retry_after.as_deref().unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    let target = domain::delivery::job::SocketTarget::User(user);
    until("the socket is forgotten", async || {
        cloud.connections.of(&target, Some(&tenant), now()).await.unwrap().is_empty().then_some(())
    })
    .await;
    assert_eq!(neighbour.ask(r#"{"action":"ping"}"#).await["type"], "pong", "afterwards");
}

#[tokio::test]
async fn twenty_first_socket_of_a_user_replaces_the_oldest() {
    let cloud = Cloud::connect();
    let user = unique("user");
    let mut clients = Vec::new();
    for _ in 0..21 {
        let text = ticket(&cloud, &user, None, &[], 30).await;
        clients.push(Client::connect(&cloud, &text).await.unwrap());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(clients[0].next_message().await, json!({ "type": "bye", "reason": "replaced" }));
    for client in &mut clients[1..] {
        assert_eq!(client.ask(r#"{"action":"ping"}"#).await["type"], "pong");
    }
    let target = domain::delivery::job::SocketTarget::User(user);
    assert_eq!(cloud.connections.of(&target, None, now()).await.unwrap().len(), 20);
}
