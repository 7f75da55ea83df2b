//! Webhook secrets, encrypted and decrypted by AWS KMS.
//!
//! A secret has at most 64 bytes, so KMS encrypts it directly: there is no data key to keep. The encryption context names
//! the tenant and the endpoint. A ciphertext that is copied into another endpoint's row cannot be decrypted there.
//!
//! The headers that a tenant asks for are encrypted in the same way, under an encryption context that says so.
//!
//! [`SecretCipher`] makes one call to KMS for each secret. [`SecretReader`] remembers what it decrypted for a while.
//!
//! Source: AWS KMS API Reference, `Encrypt` (at most 4,096 bytes) and `Decrypt`.

use asking::{Question, Service};
use aws::{Refused, Verdict};
use aws_types::SdkConfig;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Timestamp;
use domain::endpoint::headers::{CustomHeaders, EncryptedHeaders};
use domain::endpoint::secret::Secret;
use domain::endpoint::secret::stored::{EncryptedSecret, StoredSecret, StoredSecrets};
use domain::endpoint::{EndpointId, NO_TENANT};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

mod cache;
mod reader;

pub use reader::SecretReader;

/// What the template's policies ask of the encryption context: `kms:EncryptionContext:purpose`.
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

/// Plain text that KMS returned and that is no secret. The text is not repeated.
#[derive(Debug, thiserror::Error)]
#[error("the decrypted text is no signing secret")]
struct NotASecret;

/// Plain text that KMS returned and that is no list of headers. The text is not repeated.
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
    /// `key`: the ARN of a symmetric key, or an alias with `alias/` in front.
    #[must_use]
    pub fn new(config: &SdkConfig, key: String) -> SecretCipher {
        SecretCipher { kms: Service::new(config, "kms"), key }
    }

    /// Encrypts a secret for one endpoint.
    ///
    /// # Errors
    /// KMS could not be asked, or refused.
    pub async fn encrypt(
        &self,
        secret: &Secret,
        endpoint: &EndpointId,
        now: Timestamp,
    ) -> Result<EncryptedSecret, Refused> {
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

    /// Puts a new secret first, encrypted, and encrypts what the last release left in plain text.
    ///
    /// # Errors
    /// KMS could not be asked, or refused.
    pub async fn rotated(
        &self,
        stored: &StoredSecrets,
        secret: &EncryptedSecret,
        endpoint: &EndpointId,
        now: Timestamp,
    ) -> Result<StoredSecrets, Refused> {
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

    /// Decrypts a secret of an endpoint. One in plain text costs no call.
    ///
    /// # Errors
    /// KMS could not be asked, or refused: the key is disabled, or the ciphertext is another endpoint's.
    pub async fn decrypt(
        &self,
        stored: &StoredSecret,
        endpoint: &EndpointId,
        now: Timestamp,
    ) -> Result<Secret, Refused> {
        let encrypted = match stored {
            StoredSecret::Plain(secret) => return Ok(secret.clone()),
            StoredSecret::Encrypted(encrypted) => encrypted,
        };
        // No `KeyId`: the ciphertext names its key, which may be a former one. The caller's rights say which keys count.
        let body = json!({ "CiphertextBlob": encrypted.ciphertext, "EncryptionContext": context(endpoint) });
        let decrypted: Decrypted = self.ask(DECRYPT, "Decrypt", &body, now).await?;
        let bytes = STANDARD.decode(decrypted.plaintext).map_err(|_| permanent(DECRYPT, NotASecret))?;
        let text = String::from_utf8(bytes).map_err(|_| permanent(DECRYPT, NotASecret))?;
        Secret::parse(&text).map_err(|_| permanent(DECRYPT, NotASecret))
    }

    /// Encrypts the headers that a tenant asks for on requests to one endpoint.
    ///
    /// # Errors
    /// KMS could not be asked, or refused.
    pub async fn encrypt_headers(
        &self,
        headers: &CustomHeaders,
        endpoint: &EndpointId,
        now: Timestamp,
    ) -> Result<EncryptedHeaders, Refused> {
        let body = json!({
            "KeyId": self.key,
            "Plaintext": STANDARD.encode(headers.to_json()),
            "EncryptionContext": context_of_headers(endpoint),
        });
        let encrypted: Encrypted = self.ask(ENCRYPT_HEADERS, "Encrypt", &body, now).await?;
        Ok(EncryptedHeaders { names: headers.names(), ciphertext: encrypted.ciphertext_blob })
    }

    /// Decrypts the headers of an endpoint.
    ///
    /// # Errors
    /// KMS could not be asked, or refused: the key is disabled, or the ciphertext is another endpoint's.
    pub async fn decrypt_headers(
        &self,
        stored: &EncryptedHeaders,
        endpoint: &EndpointId,
        now: Timestamp,
    ) -> Result<CustomHeaders, Refused> {
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
    ) -> Result<T, Refused> {
        let headers = [
            ("content-type", "application/x-amz-json-1.1".to_owned()),
            ("x-amz-target", format!("TrentService.{operation}")),
        ];
        let body = body.to_string();
        let question =
            Question { doing, method: "POST", path: "/", headers: &headers, body: body.as_bytes() };
        let answer = self.kms.ask(&question, now).await?;
        if answer.status != 200 {
            return Err(answer.refuse(doing, "KMS"));
        }
        serde_json::from_slice(&answer.body).map_err(|error| permanent(doing, error))
    }
}

/// What a ciphertext is bound to. CloudTrail shows it, so no personal data belongs in an endpoint's id.
fn context(endpoint: &EndpointId) -> Value {
    json!({
        "purpose": PURPOSE,
        "tenant": endpoint.tenant.as_deref().unwrap_or(NO_TENANT),
        "endpoint": endpoint.id,
    })
}

/// The same for headers: the ciphertext of a secret is none of headers, and the other way round.
fn context_of_headers(endpoint: &EndpointId) -> Value {
    let mut context = context(endpoint);
    context["content"] = "headers".into();
    context
}

fn permanent(doing: &'static str, source: impl std::error::Error + Send + Sync + 'static) -> Refused {
    Refused { doing, verdict: Verdict::Permanent, source: Box::new(source) }
}

#[cfg(test)]
mod tests;
