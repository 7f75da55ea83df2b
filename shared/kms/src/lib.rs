//! Encrypts and decrypts webhook secrets with AWS KMS.
//!
//! A secret has at most 64 bytes, so KMS encrypts it directly, without a data key. The encryption
//! context names the tenant and the endpoint. A ciphertext copied into another endpoint's row cannot be
//! decrypted there.
//!
//! Custom headers are encrypted in the same way, under their own encryption context.
//!
//! [`SecretCipher`] calls KMS once for each secret. [`SecretReader`] caches decrypted secrets.
//!
//! Source: AWS KMS API Reference, `Encrypt` (at most 4,096 bytes) and `Decrypt`.

use aws::{CallError, Verdict};
use aws_request::{Request, Service};
use aws_types::SdkConfig;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Timestamp;
use domain::webhook::endpoint::headers::{CustomHeaders, EncryptedHeaders};
use domain::webhook::endpoint::secret::Secret;
use domain::webhook::endpoint::secret::stored::{EncryptedSecret, StoredSecret, StoredSecrets};
use domain::webhook::endpoint::{EndpointId, NO_TENANT};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

mod cache;
mod reader;

pub use reader::SecretReader;

/// The value of `kms:EncryptionContext:purpose` that the template's policies require.
const PURPOSE: &str = "webhook-secret";

const ENCRYPT: &str = "encrypt a webhook secret";
const DECRYPT: &str = "decrypt a webhook secret";
const ENCRYPT_HEADERS: &str = "encrypt an endpoint's headers";
const DECRYPT_HEADERS: &str = "decrypt an endpoint's headers";

/// Encrypts and decrypts webhook secrets with one KMS key.
#[derive(Clone, Debug)]
pub struct SecretCipher {
    kms: Service,
    key: String,
}

/// The decrypted text is not a secret. The error does not quote the text.
#[derive(Debug, thiserror::Error)]
#[error("the decrypted text is no signing secret")]
struct NotASecret;

/// The decrypted text is not a list of headers. The error does not quote the text.
#[derive(Debug, thiserror::Error)]
#[error("the decrypted text is no list of headers")]
struct NoHeaders;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Encrypted {
    ciphertext_blob: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Decrypted {
    plaintext: String,
}

impl SecretCipher {
    /// `key` is the ARN of a symmetric key, or an alias that starts with `alias/`.
    #[must_use]
    pub fn new(config: &SdkConfig, key: String) -> SecretCipher {
        SecretCipher { kms: Service::new(config, "kms"), key }
    }

    /// Encrypts a secret of one endpoint.
    ///
    /// # Errors
    /// The call to KMS failed or was refused.
    pub async fn encrypt(
        &self,
        secret: &Secret,
        endpoint: &EndpointId,
        now: Timestamp,
    ) -> Result<EncryptedSecret, CallError> {
        let body = json!({
            "KeyId": self.key,
            "Plaintext": STANDARD.encode(secret.reveal()),
            "EncryptionContext": context(endpoint),
        });
        let encrypted: Encrypted = self.ask(ENCRYPT, "Encrypt", &body, now).await?;
        Ok(EncryptedSecret {
            scheme: secret.scheme(),
            ciphertext: encrypted.ciphertext_blob,
            public_key: signing::public_key(secret),
        })
    }

    /// Adds a new encrypted secret in first position. Secrets that the previous release left in plain
    /// text are encrypted too.
    ///
    /// # Errors
    /// The call to KMS failed or was refused.
    pub async fn rotated(
        &self,
        stored: &StoredSecrets,
        secret: &EncryptedSecret,
        endpoint: &EndpointId,
        now: Timestamp,
    ) -> Result<StoredSecrets, CallError> {
        let rotated = stored.rotated(StoredSecret::Encrypted(secret.clone()), now);
        let mut all = Vec::new();
        for (secret, until) in rotated.iter() {
            let encrypted = match secret {
                StoredSecret::Plain(plain) => self.encrypt(plain, endpoint, now).await?,
                StoredSecret::Encrypted(encrypted) => encrypted.clone(),
            };
            all.push((StoredSecret::Encrypted(encrypted), until));
        }
        Ok(all.into_iter().collect())
    }

    /// Decrypts a secret of an endpoint. A plain-text secret needs no call.
    ///
    /// # Errors
    /// The call to KMS failed, the key is disabled, or the ciphertext belongs to another endpoint.
    pub async fn decrypt(
        &self,
        stored: &StoredSecret,
        endpoint: &EndpointId,
        now: Timestamp,
    ) -> Result<Secret, CallError> {
        let encrypted = match stored {
            StoredSecret::Plain(secret) => return Ok(secret.clone()),
            StoredSecret::Encrypted(encrypted) => encrypted,
        };
        // The request has no `KeyId`. The ciphertext names its key, which can be a former one. IAM
        // decides which keys the caller may use.
        let body = json!({ "CiphertextBlob": encrypted.ciphertext, "EncryptionContext": context(endpoint) });
        let decrypted: Decrypted = self.ask(DECRYPT, "Decrypt", &body, now).await?;
        let bytes = STANDARD.decode(decrypted.plaintext).map_err(|_| permanent(DECRYPT, NotASecret))?;
        let text = String::from_utf8(bytes).map_err(|_| permanent(DECRYPT, NotASecret))?;
        Secret::parse(&text).map_err(|_| permanent(DECRYPT, NotASecret))
    }

    /// Encrypts the custom headers of one endpoint.
    ///
    /// # Errors
    /// The call to KMS failed or was refused.
    pub async fn encrypt_headers(
        &self,
        headers: &CustomHeaders,
        endpoint: &EndpointId,
        now: Timestamp,
    ) -> Result<EncryptedHeaders, CallError> {
        let body = json!({
            "KeyId": self.key,
            "Plaintext": STANDARD.encode(headers.to_json()),
            "EncryptionContext": context_of_headers(endpoint),
        });
        let encrypted: Encrypted = self.ask(ENCRYPT_HEADERS, "Encrypt", &body, now).await?;
        Ok(EncryptedHeaders { names: headers.names(), ciphertext: encrypted.ciphertext_blob })
    }

    /// Decrypts the custom headers of an endpoint.
    ///
    /// # Errors
    /// The call to KMS failed, the key is disabled, or the ciphertext belongs to another endpoint.
    pub async fn decrypt_headers(
        &self,
        stored: &EncryptedHeaders,
        endpoint: &EndpointId,
        now: Timestamp,
    ) -> Result<CustomHeaders, CallError> {
        let body =
            json!({ "CiphertextBlob": stored.ciphertext, "EncryptionContext": context_of_headers(endpoint) });
        let decrypted: Decrypted = self.ask(DECRYPT_HEADERS, "Decrypt", &body, now).await?;
        let no_headers = || permanent(DECRYPT_HEADERS, NoHeaders);
        let bytes = STANDARD.decode(decrypted.plaintext).map_err(|_| no_headers())?;
        let text = String::from_utf8(bytes).map_err(|_| no_headers())?;
        CustomHeaders::parse(&text).ok_or_else(no_headers)
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        doing: &'static str,
        operation: &str,
        body: &Value,
        now: Timestamp,
    ) -> Result<T, CallError> {
        let headers = [
            ("content-type", "application/x-amz-json-1.1".to_owned()),
            ("x-amz-target", format!("TrentService.{operation}")),
        ];
        let body = body.to_string();
        let question = Request { doing, method: "POST", path: "/", headers: &headers, body: body.as_bytes() };
        let answer = self.kms.ask(&question, now).await?;
        if answer.status != 200 {
            return Err(answer.refuse(doing, "KMS"));
        }
        serde_json::from_slice(answer.body.expose()).map_err(|error| permanent(doing, error))
    }
}

/// The encryption context of a secret. CloudTrail shows it, so an endpoint's id must not contain
/// personal data.
fn context(endpoint: &EndpointId) -> Value {
    json!({
        "purpose": PURPOSE,
        "tenant": endpoint.tenant.as_deref().unwrap_or(NO_TENANT),
        "endpoint": endpoint.id,
    })
}

/// The encryption context of headers. It differs from that of secrets, so neither can be decrypted as
/// the other.
fn context_of_headers(endpoint: &EndpointId) -> Value {
    let mut context = context(endpoint);
    context["content"] = "headers".into();
    context
}

fn permanent(doing: &'static str, source: impl std::error::Error + Send + Sync + 'static) -> CallError {
    CallError { doing, verdict: Verdict::Permanent, source: Box::new(source) }
}

#[cfg(test)]
mod tests;
