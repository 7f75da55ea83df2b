//! Tests against a fake KMS that decrypts a ciphertext only with its own encryption context.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::http::{Response, StatusCode};
use aws_smithy_types::body::SdkBody;
use domain::webhook::endpoint::secret::{Scheme, Secrets};

use super::*;

#[tokio::test]
async fn a_secret_comes_back_for_its_own_endpoint_and_for_no_other() {
    let kms = FakeKms::default();
    let cipher = SecretCipher::new(&kms.config(), "alias/carillon-test-data".to_owned());
    for scheme in [Scheme::Hmac, Scheme::Ed25519] {
        let secret = secret(scheme, 1);
        let encrypted = cipher.encrypt(&secret, &endpoint("acme", "erp"), now()).await.unwrap();
        assert!(!encrypted.ciphertext.contains(&STANDARD.encode(secret.bytes())));
        assert_eq!((encrypted.scheme, encrypted.public_key.is_some()), (scheme, scheme == Scheme::Ed25519));
        let stored = StoredSecret::Encrypted(encrypted);
        assert!(cipher.decrypt(&stored, &endpoint("acme", "erp"), now()).await.unwrap() == secret);
        for other in
            [endpoint("acme", "crm"), endpoint("evil", "erp"), EndpointId { tenant: None, id: "erp".into() }]
        {
            let refused = cipher.decrypt(&stored, &other, now()).await.err().unwrap();
            assert!(refused.source.to_string().contains("InvalidCiphertextException"), "{}", refused.source);
        }
    }
}

#[tokio::test]
async fn a_rotation_encrypts_what_the_last_release_left_in_plain_text() {
    let kms = FakeKms::default();
    let (cipher, erp) = (SecretCipher::new(&kms.config(), "key".to_owned()), endpoint("acme", "erp"));
    let plain = StoredSecrets::from(Secrets::of(secret(Scheme::Hmac, 1)));
    let newer = cipher.encrypt(&secret(Scheme::Hmac, 2), &erp, now()).await.unwrap();
    let rotated = cipher.rotated(&plain, &newer, &erp, now()).await.unwrap();
    assert!(!serde_json::to_string(&rotated).unwrap().contains("whsec_"));
    assert_eq!(rotated.signing(now()).count(), 2);
    let reader = SecretReader::new(&kms.config(), "key".to_owned());
    let secrets = reader.signing(&rotated, &erp, now()).await.unwrap();
    let bytes: Vec<u8> = secrets.signing(now()).map(|signing| signing.bytes()[0]).collect();
    assert_eq!(bytes, [2, 1]);
}

#[tokio::test]
async fn only_encrypted_signing_secrets_are_decrypted_once() {
    let kms = FakeKms::default();
    let (reader, erp) = (SecretReader::new(&kms.config(), "key".to_owned()), endpoint("acme", "erp"));
    let plain = StoredSecrets::from(Secrets::of(secret(Scheme::Hmac, 1)));
    reader.signing(&plain, &erp, now()).await.unwrap();
    assert_eq!(kms.calls.load(Ordering::SeqCst), 0);
    let cipher = SecretCipher::new(&kms.config(), "key".to_owned());
    let newer = cipher.encrypt(&secret(Scheme::Hmac, 2), &erp, now()).await.unwrap();
    let rotated = cipher.rotated(&plain, &newer, &erp, now()).await.unwrap();
    let before = kms.calls.load(Ordering::SeqCst);
    let later = now() + jiff::SignedDuration::from_hours(25);
    for _ in 0..3 {
        let secrets = reader.signing(&rotated, &erp, later).await.unwrap();
        assert_eq!(secrets.signing(later).count(), 1);
    }
    assert_eq!(kms.calls.load(Ordering::SeqCst), before + 1);
}

#[tokio::test]
async fn kms_error_does_not_quote_the_secret() {
    let kms = FakeKms::default();
    let cipher = SecretCipher::new(&kms.config(), "key".to_owned());
    let stored = StoredSecret::Encrypted(EncryptedSecret {
        scheme: Scheme::Hmac,
        ciphertext: STANDARD.encode("of another key"),
        public_key: None,
    });
    let refused = cipher.decrypt(&stored, &endpoint("acme", "erp"), now()).await.err().unwrap();
    assert_eq!(refused.doing, DECRYPT);
}

#[tokio::test]
async fn headers_come_back_for_their_own_endpoint_and_are_no_secret_of_it() {
    let kms = FakeKms::default();
    let (cipher, erp) = (SecretCipher::new(&kms.config(), "key".to_owned()), endpoint("acme", "erp"));
    let headers = CustomHeaders::read(&json!({ "Authorization": "Bearer k" })).ok().unwrap();
    let encrypted = cipher.encrypt_headers(&headers, &erp, now()).await.unwrap();
    assert_eq!(encrypted.names, ["authorization"]);
    assert!(!serde_json::to_string(&encrypted).unwrap().contains("Bearer"));
    let reader = SecretReader::new(&kms.config(), "key".to_owned());
    let before = kms.calls.load(Ordering::SeqCst);
    for _ in 0..3 {
        assert!(reader.headers(Some(&encrypted), &erp, now()).await.unwrap() == headers);
    }
    assert!(reader.headers(None, &erp, now()).await.unwrap().is_empty());
    assert_eq!(kms.calls.load(Ordering::SeqCst), before + 1);
    assert!(reader.headers(Some(&encrypted), &endpoint("acme", "crm"), now()).await.is_err());
    // Neither can replace the other in a row of the table.
    let secret = cipher.encrypt(&secret(Scheme::Hmac, 1), &erp, now()).await.unwrap();
    let as_headers = EncryptedHeaders { ciphertext: secret.ciphertext.clone(), ..encrypted.clone() };
    assert!(cipher.decrypt_headers(&as_headers, &erp, now()).await.is_err());
    let as_secret = EncryptedSecret { ciphertext: encrypted.ciphertext, ..secret };
    assert!(cipher.decrypt(&StoredSecret::Encrypted(as_secret), &erp, now()).await.is_err());
}

/// Encrypts by prefixing the context to the text, and counts the calls.
#[derive(Clone, Debug, Default)]
struct FakeKms {
    calls: Arc<AtomicUsize>,
}

impl FakeKms {
    fn config(&self) -> SdkConfig {
        let settings = aws::Settings {
            region: "eu-central-1".to_owned(),
            access_key_id: "key".to_owned(),
            secret_access_key: "secret".into(),
            session_token: None,
            endpoint_url: None,
            service_endpoints: BTreeMap::new(),
            roots: None,
        };
        let connector = SharedHttpConnector::new(self.clone());
        settings.config().into_builder().http_client(http_client_fn(move |_, _| connector.clone())).build()
    }

    fn answer(&self, request: &HttpRequest) -> (u16, Value) {
        self.calls.fetch_add(1, Ordering::SeqCst);
        assert_eq!(request.uri(), "https://kms.eu-central-1.amazonaws.com/");
        assert!(request.headers().get("authorization").unwrap().contains("/kms/aws4_request"));
        let body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        let context = format!("{}|", body["EncryptionContext"]);
        match request.headers().get("x-amz-target").unwrap() {
            "TrentService.Encrypt" => {
                let text = format!("{context}{}", body["Plaintext"].as_str().unwrap());
                (200, json!({ "CiphertextBlob": STANDARD.encode(text) }))
            }
            "TrentService.Decrypt" => {
                let blob = STANDARD.decode(body["CiphertextBlob"].as_str().unwrap()).unwrap();
                match String::from_utf8(blob).unwrap().strip_prefix(&context) {
                    Some(text) => (200, json!({ "Plaintext": text })),
                    None => (400, json!({ "__type": "InvalidCiphertextException" })),
                }
            }
            other => panic!("{other}"),
        }
    }
}

impl HttpConnector for FakeKms {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (status, body) = self.answer(&request);
        let status = StatusCode::try_from(status).unwrap();
        HttpConnectorFuture::ready(Ok(Response::new(status, SdkBody::from(body.to_string()))))
    }
}

fn endpoint(tenant: &str, id: &str) -> EndpointId {
    EndpointId { tenant: Some(tenant.to_owned()), id: id.to_owned() }
}

fn secret(scheme: Scheme, byte: u8) -> Secret {
    Secret::new(scheme, vec![byte; 32]).unwrap()
}

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}
