//! Devices registered by their platform's token.

use serde_json::json;
use testkit::api_client::ApiClient;
use testkit::cloud::Cloud;
use workspace::unique;

use super::check;

#[tokio::test]
async fn token_becomes_an_endpoint_and_a_new_token_another_one() {
    let cloud = Cloud::connect();
    let (clinic, ann) = (unique("clinic"), unique("ann"));
    cloud.new_recipient_with(json!({ "id": ann, "tenants": [clinic] })).await;
    let me = ApiClient::of(&ann, &clinic, "member");
    let phone = format!("/v1/recipients/{ann}/devices/phone");
    let put = |token: &str| me.ask("PUT", &phone, Some(&json!({ "platform": "fcm", "token": token })));
    let (first, second) = (unique("token"), unique("token"));
    let response = put(&first);
    assert_eq!(response.status, 200, "{}", response.text);
    let endpoint = response.body["endpoint"].as_str().unwrap().to_owned();
    assert!(endpoint.contains(":endpoint/GCM/local/"), "{endpoint}");
    assert!(!response.text.contains(&first), "the token is not kept: {}", response.text);
    assert_eq!(put(&first).body["endpoint"], endpoint.as_str(), "asked again, it is the same");
    assert_ne!(put(&second).body["endpoint"], endpoint.as_str());
    let devices = me.ask("GET", &format!("/v1/recipients/{ann}/devices"), None).body;
    assert_eq!(devices["devices"].as_array().unwrap().len(), 1, "it is one device");
}

#[tokio::test]
async fn person_cannot_register_the_device_endpoint_of_another_person() {
    let cloud = Cloud::connect();
    let clinic = unique("clinic");
    let person = async |name: &str| {
        let id = unique(name);
        cloud.new_recipient_with(json!({ "id": id, "tenants": [clinic] })).await;
        (ApiClient::of(&id, &clinic, "member"), format!("/v1/recipients/{id}/devices/phone"))
    };
    let ((ann, of_ann), (eve, of_eve)) = (person("ann").await, person("eve").await);
    let token = |item: &str| json!({ "platform": "apns", "token": item });
    let hers = ann.ask("PUT", &of_ann, Some(&token(&unique("ann")))).body["endpoint"].clone();
    // Eve knows the ARN of Ann's endpoint.
    check(&eve.ask("PUT", &of_eve, Some(&json!({ "platform": "apns", "endpoint": hers }))), 200, "");
    let own = eve.ask("PUT", &of_eve, Some(&token(&unique("eve")))).body["endpoint"].clone();
    assert!(own.is_string() && own != hers);
}

#[tokio::test]
async fn unusable_token_is_refused_with_a_reason() {
    let cloud = Cloud::connect();
    let (clinic, ann) = (unique("clinic"), unique("ann"));
    cloud.new_recipient_with(json!({ "id": ann, "tenants": [clinic] })).await;
    let me = ApiClient::of(&ann, &clinic, "member");
    let path = format!("/v1/recipients/{ann}/devices/phone");
    for (platform, token, kind, words) in [
        ("apns_sandbox", "abc".to_owned(), "no_tokens", "ApnsSandboxApplicationArn"),
        ("fcm", String::new(), "refused", "token of fcm"),
        ("fcm", "a b".to_owned(), "refused", "token of fcm"),
        ("fcm", "\u{e9}".to_owned(), "refused", "token of fcm"),
        ("fcm", "x".repeat(2_049), "refused", "token of fcm"),
    ] {
        let response = me.ask("PUT", &path, Some(&json!({ "platform": platform, "token": token })));
        check(&response, 422, kind);
        assert!(response.body["detail"].as_str().unwrap().contains(words), "{}", response.text);
    }
    let both = json!({ "platform": "fcm", "token": "t", "endpoint": "arn" });
    check(&me.ask("PUT", &path, Some(&both)), 422, "refused");
    let nobody = format!("/v1/recipients/{}/devices/phone", unique("nobody"));
    let admin = ApiClient::of(&unique("admin"), &clinic, "admin");
    check(&admin.ask("PUT", &nobody, Some(&json!({ "platform": "fcm", "token": "t" }))), 404, "no_recipient");
}
