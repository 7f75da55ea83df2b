//! CORS: requests of a page from another origin to the HTTP API.
//! Source: Fetch Standard, "CORS protocol"; API Gateway developer guide, "Configure CORS for HTTP APIs".

use serde_json::{Value, json};
use testkit::api_client::ApiClient;
use testkit::cloud::Cloud;
use workspace::programs::{carillon_dev, json_lines, text};
use workspace::unique;

#[tokio::test]
async fn page_of_another_origin_may_request_a_ticket_on_the_local_cloud() {
    let status = status();
    let url = format!("{}/v1/tickets", status["tokenUrl"].as_str().unwrap());
    let origin = "https://app.example.com";
    // The preflight that a browser sends before a POST with a token and JSON.
    let preflight = ureq::options(&url)
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type")
        .call()
        .unwrap();
    assert_eq!(preflight.status(), 204);
    let header = |name: &str| {
        preflight.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_lowercase()
    };
    assert!(["*", origin].contains(&header("access-control-allow-origin").as_str()));
    assert!(header("access-control-allow-methods").contains("post"));
    for name in ["authorization", "content-type", "idempotency-key"] {
        assert!(header("access-control-allow-headers").contains(name), "{name}");
    }
    // After the actual request the page may read the response.
    let (user, tenant) = (unique("ann"), unique("clinic"));
    Cloud::connect().new_recipient_with(json!({ "id": user, "tenants": [tenant] })).await;
    let token = ApiClient::of(&user, &tenant, "member").token;
    let answer = ureq::post(&url)
        .header("origin", origin)
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .send("{}")
        .unwrap();
    assert!(answer.status().is_success(), "{}", answer.status());
    let allowed = answer.headers().get("access-control-allow-origin").and_then(|header| header.to_str().ok());
    assert!(matches!(allowed, Some("*" | "https://app.example.com")), "{allowed:?}");
}

#[test]
fn status_names_the_origins_and_says_that_everything_runs() {
    let status = status();
    assert_eq!(status["browserOrigins"], "*");
    assert_eq!(status["down"], Value::Array(Vec::new()));
}

fn status() -> Value {
    let response = carillon_dev(&["--json", "status"]);
    assert!(response.status.success(), "{}", text(&response));
    json_lines(&response).remove(0)
}
