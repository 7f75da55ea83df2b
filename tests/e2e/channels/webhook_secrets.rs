//! Stored webhook secrets and the roles that can decrypt them.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_types::SdkConfig;
use domain::webhook::endpoint::secret::stored::{StoredSecret, StoredSecrets};
use domain::webhook::endpoint::secret::{Scheme, Secret, Secrets};
use domain::webhook::endpoint::{Endpoint, EndpointId};
use kms::SecretCipher;
use serde_json::{Value, json};
use store::Endpoints;
use testkit::api_client::ApiClient;
use testkit::aws_cli::aws;
use testkit::cloud::{Cloud, now};
use testkit::until::{quiet, until};
use workspace::programs::{carillon, text};
use workspace::unique;

use crate::channels::webhooks::verify;

const TABLE: &str = "carillon-local-endpoints";

#[tokio::test]
async fn table_holds_no_secret_and_requests_are_signed() {
    let (cloud, clinic) = (Cloud::connect(), unique("clinic"));
    let path = format!("/hooks/{clinic}");
    let admin = ApiClient::of(&unique("admin"), &clinic, "admin");
    let put = json!({ "url": format!("{}{path}", cloud.capture) });
    let made = admin.ask("PUT", "/v1/endpoints/erp", Some(&put));
    assert_eq!(made.status, 201, "{}", made.text);
    let first = made.body["verification_key"].as_str().unwrap().to_owned();
    let rotated = admin.ask("POST", "/v1/endpoints/erp/rotate", None);
    let second = rotated.body["verification_key"].as_str().unwrap().to_owned();
    let stored = row(&cloud, &clinic, "erp").await;
    assert!(stored.contains("ciphertext") && !stored.contains("whsec_"), "{stored}");
    for secret in [&first, &second] {
        assert!(!stored.contains(secret.trim_start_matches("whsec_")));
    }
    let request = ping(&admin, &cloud, &path, "erp").await;
    for secret in [&first, &second] {
        let body = request["body"].as_str().unwrap();
        assert_eq!(verify(secret, &request["headers"], body), "verified", "both sign for a day");
    }
    let name = format!("{clinic}/erp");
    let shown = text(&carillon(&["endpoints", "show", &name], ""));
    assert!(!shown.contains("whsec_"), "{shown}");
    let revealed = text(&carillon(&["endpoints", "show", &name, "--reveal"], ""));
    assert!(revealed.contains(&second), "by the operator's own right: {revealed}");
}

#[tokio::test]
async fn row_of_the_last_release_still_signs_and_a_rotation_encrypts_it() {
    let (cloud, clinic) = (Cloud::connect(), unique("clinic"));
    let path = format!("/hooks/{clinic}");
    let admin = ApiClient::of(&unique("admin"), &clinic, "admin");
    let old = secret(7);
    register(&cloud, &clinic, "erp", &path, &Secrets::of(old.clone()).into()).await;
    assert!(row(&cloud, &clinic, "erp").await.contains("whsec_"));
    let request = ping(&admin, &cloud, &path, "erp").await;
    assert_eq!(verify(&old.reveal(), &request["headers"], request["body"].as_str().unwrap()), "verified");
    let done = carillon(&["endpoints", "rotate", &format!("{clinic}/erp")], "");
    assert!(done.status.success(), "{}", text(&done));
    let stored = row(&cloud, &clinic, "erp").await;
    assert!(!stored.contains("whsec_"), "the old one is encrypted, too: {stored}");
    assert_eq!(stored.matches("ciphertext").count(), 2);
}

#[tokio::test]
async fn ciphertext_in_the_row_of_another_endpoint_does_not_sign() {
    let (cloud, clinic, hostile) = (Cloud::connect(), unique("clinic"), unique("hostile"));
    let cipher = SecretCipher::new(&cloud.config, "alias/carillon-local-data".to_owned());
    let encrypted = cipher.encrypt(&secret(7), &id(&clinic, "erp"), now()).await.unwrap();
    let stored = StoredSecrets::of(StoredSecret::Encrypted(encrypted.clone()));
    let paths = [format!("/hooks/{clinic}"), format!("/hooks/{hostile}")];
    register(&cloud, &clinic, "erp", &paths[0], &stored).await;
    // An attacker with write access to the table copies a foreign secret to an endpoint of their own.
    register(&cloud, &hostile, "erp", &paths[1], &stored).await;
    let copied = StoredSecret::Encrypted(encrypted);
    assert!(cipher.decrypt(&copied, &id(&hostile, "erp"), now()).await.is_err());
    let theirs = ApiClient::of(&unique("admin"), &hostile, "admin");
    assert_eq!(theirs.ask("POST", "/v1/endpoints/erp/ping", None).status, 202);
    let ours = ApiClient::of(&unique("admin"), &clinic, "admin");
    ping(&ours, &cloud, &paths[0], "erp").await;
    quiet().await;
    assert!(cloud.captured("webhook", &paths[1]).is_empty(), "nothing is signed with a stranger's secret");
}

#[tokio::test]
async fn api_can_only_encrypt_and_webhook_can_only_decrypt() {
    let (cloud, erp) = (Cloud::connect(), id(&unique("clinic"), "erp"));
    let described = aws(&["kms", "describe-key", "--key-id", "alias/carillon-local-data"]);
    let key = described["KeyMetadata"]["Arn"].as_str().unwrap();
    let stored = SecretCipher::new(&cloud.config, key.to_owned()).encrypt(&secret(7), &erp, now()).await;
    let stored = StoredSecret::Encrypted(stored.unwrap());
    for (role, encrypts, decrypts) in
        [("-ApiRole-", true, false), ("-WebhookRole-", false, true), ("-EmailRole-", false, false)]
    {
        let cipher = SecretCipher::new(&in_the_role(&cloud, role), key.to_owned());
        assert_eq!(cipher.encrypt(&secret(8), &erp, now()).await.is_ok(), encrypts, "{role} encrypts");
        assert_eq!(cipher.decrypt(&stored, &erp, now()).await.is_ok(), decrypts, "{role} decrypts");
    }
}

/// Configuration of a client with a role of the stack.
fn in_the_role(cloud: &Cloud, part: &str) -> SdkConfig {
    let roles = aws(&["iam", "list-roles"]);
    let mut arns = roles["Roles"].as_array().unwrap().iter().map(|item| item["Arn"].as_str().unwrap());
    let arn = arns.find(|arn| arn.contains(part)).expect(part);
    let session = aws(&["sts", "assume-role", "--role-arn", arn, "--role-session-name", "attack"]);
    let of = |name: &str| session["Credentials"][name].as_str().unwrap().to_owned();
    let settings = aws::Settings {
        region: cloud.config.region().unwrap().to_string(),
        access_key_id: of("AccessKeyId"),
        secret_access_key: of("SecretAccessKey").into(),
        session_token: Some(of("SessionToken").into()),
        endpoint_url: cloud.config.endpoint_url().map(str::to_owned),
        service_endpoints: BTreeMap::new(),
        roots: None,
    };
    settings.config()
}

/// Pings an endpoint and returns the request that arrived.
async fn ping(admin: &ApiClient, cloud: &Cloud, path: &str, endpoint: &str) -> Value {
    let output = admin.ask("POST", &format!("/v1/endpoints/{endpoint}/ping"), None);
    assert_eq!(output.status, 202, "{}", output.text);
    until("the ping arrives", async || cloud.captured("webhook", path).pop()).await
}

async fn register(cloud: &Cloud, tenant: &str, name: &str, path: &str, secrets: &StoredSecrets) {
    let written = json!({ "id": name, "tenant": tenant, "url": format!("{}{path}", cloud.capture) });
    let endpoint: Endpoint = serde_json::from_value(written).unwrap();
    let endpoints = Endpoints::new(&store::client(&cloud.config), TABLE.to_owned());
    assert!(endpoints.put(&endpoint, secrets, now()).await.unwrap());
}

/// Stored secrets of an endpoint.
async fn row(cloud: &Cloud, tenant: &str, name: &str) -> String {
    let client = Client::new(&cloud.config);
    let found = client
        .get_item()
        .table_name(TABLE)
        .key("pk", AttributeValue::S(format!("secrets#{tenant}")))
        .key("sk", AttributeValue::S(name.to_owned()))
        .send()
        .await
        .unwrap();
    found.item.unwrap()["secrets"].as_s().unwrap().clone()
}

fn id(tenant: &str, name: &str) -> EndpointId {
    EndpointId { tenant: Some(tenant.to_owned()), id: name.to_owned() }
}

fn secret(byte: u8) -> Secret {
    Secret::new(Scheme::Hmac, vec![byte; 32]).unwrap()
}
