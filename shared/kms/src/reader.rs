//! A cached reader of secrets and headers.

use std::cell::RefCell;

use aws::CallError;
use aws_types::SdkConfig;
use domain::Timestamp;
use domain::webhook::endpoint::EndpointId;
use domain::webhook::endpoint::headers::{CustomHeaders, EncryptedHeaders};
use domain::webhook::endpoint::secret::stored::{StoredSecret, StoredSecrets};
use domain::webhook::endpoint::secret::{Secret, Secrets};

use crate::SecretCipher;
use crate::cache::Cache;

/// Reads the signing secrets and calls KMS for each at most once in ten minutes.
pub struct SecretReader {
    cipher: SecretCipher,
    cache: RefCell<Cache<Secret>>,
    headers: RefCell<Cache<CustomHeaders>>,
}

impl SecretReader {
    /// `key` is the same as for [`SecretCipher::new`].
    #[must_use]
    pub fn new(config: &SdkConfig, key: String) -> SecretReader {
        let cipher = SecretCipher::new(config, key);
        SecretReader { cipher, cache: RefCell::default(), headers: RefCell::default() }
    }

    /// The secrets that sign at `now`, the newest first. Other secrets are not decrypted.
    ///
    /// # Errors
    /// The call to KMS failed or was refused.
    pub async fn signing(
        &self,
        stored: &StoredSecrets,
        endpoint: &EndpointId,
        now: Timestamp,
    ) -> Result<Secrets, CallError> {
        let mut secrets = Vec::new();
        for (secret, until) in stored.iter().filter(|(_, until)| until.is_none_or(|until| now < until)) {
            secrets.push((self.decrypt(secret, endpoint, now).await?, until));
        }
        Ok(secrets.into_iter().collect())
    }

    /// The custom headers of an endpoint.
    ///
    /// # Errors
    /// The call to KMS failed or was refused.
    pub async fn headers(
        &self,
        stored: Option<&EncryptedHeaders>,
        endpoint: &EndpointId,
        now: Timestamp,
    ) -> Result<CustomHeaders, CallError> {
        let Some(stored) = stored else { return Ok(CustomHeaders::default()) };
        if let Some(headers) = self.headers.borrow().get(endpoint, &stored.ciphertext, now) {
            return Ok(headers);
        }
        let headers = self.cipher.decrypt_headers(stored, endpoint, now).await?;
        self.headers.borrow_mut().put(endpoint, &stored.ciphertext, &headers, now);
        Ok(headers)
    }

    async fn decrypt(
        &self,
        stored: &StoredSecret,
        endpoint: &EndpointId,
        now: Timestamp,
    ) -> Result<Secret, CallError> {
        let StoredSecret::Encrypted(encrypted) = stored else {
            return self.cipher.decrypt(stored, endpoint, now).await;
        };
        if let Some(secret) = self.cache.borrow().get(endpoint, &encrypted.ciphertext, now) {
            return Ok(secret);
        }
        let secret = self.cipher.decrypt(stored, endpoint, now).await?;
        self.cache.borrow_mut().put(endpoint, &encrypted.ciphertext, &secret, now);
        Ok(secret)
    }
}
