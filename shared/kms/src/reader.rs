//! Decrypted secrets, remembered for a while.

use std::cell::RefCell;

use aws::Refused;
use aws_types::SdkConfig;
use domain::Timestamp;
use domain::endpoint::EndpointId;
use domain::endpoint::secret::stored::{StoredSecret, StoredSecrets};
use domain::endpoint::secret::{Secret, Secrets};

use crate::SecretCipher;
use crate::cache::Cache;

/// Reads the secrets that sign, and asks KMS for each at most once in ten minutes.
pub struct SecretReader {
    cipher: SecretCipher,
    cache: RefCell<Cache>,
}

impl SecretReader {
    /// `key`: as for [`SecretCipher::new`].
    #[must_use]
    pub fn new(config: &SdkConfig, key: String) -> SecretReader {
        SecretReader { cipher: SecretCipher::new(config, key), cache: RefCell::default() }
    }

    /// The secrets that sign at `now`, the newest first. The others are not decrypted.
    ///
    /// # Errors
    /// KMS could not be asked, or refused.
    pub async fn signing(
        &self,
        stored: &StoredSecrets,
        endpoint: &EndpointId,
        now: Timestamp,
    ) -> Result<Secrets, Refused> {
        let mut secrets = Vec::new();
        for (secret, until) in stored.iter().filter(|(_, until)| until.is_none_or(|until| now < until)) {
            secrets.push((self.decrypt(secret, endpoint, now).await?, until));
        }
        Ok(secrets.into_iter().collect())
    }

    async fn decrypt(
        &self,
        stored: &StoredSecret,
        endpoint: &EndpointId,
        now: Timestamp,
    ) -> Result<Secret, Refused> {
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
