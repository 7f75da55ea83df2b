//! A cache of decrypted secrets, bounded in time and number.

use std::collections::HashMap;

use domain::Timestamp;
use domain::webhook::endpoint::EndpointId;
use jiff::SignedDuration;

/// How long a decrypted secret is used without a call to KMS. A disabled key stops signing after this
/// time.
pub(crate) const LIFETIME: SignedDuration = SignedDuration::from_mins(10);

/// The most plain-text secrets in a process.
pub(crate) const MAX_SECRETS: usize = 1_000;

/// Plain text by endpoint and ciphertext. A copy of the ciphertext in another endpoint's row is a cache
/// miss.
pub(crate) struct Cache<T>(HashMap<(EndpointId, String), (T, Timestamp)>);

impl<T> Default for Cache<T> {
    fn default() -> Cache<T> {
        Cache(HashMap::new())
    }
}

impl<T: Clone> Cache<T> {
    pub(crate) fn get(&self, endpoint: &EndpointId, ciphertext: &str, now: Timestamp) -> Option<T> {
        let (plain, decrypted_at) = self.0.get(&(endpoint.clone(), ciphertext.to_owned()))?;
        is_fresh(*decrypted_at, now).then(|| plain.clone())
    }

    pub(crate) fn put(&mut self, endpoint: &EndpointId, ciphertext: &str, plain: &T, now: Timestamp) {
        if self.0.len() >= MAX_SECRETS {
            self.0.retain(|_, (_, decrypted_at)| is_fresh(*decrypted_at, now));
        }
        if self.0.len() >= MAX_SECRETS {
            let oldest = self.0.iter().min_by_key(|(_, (_, decrypted_at))| *decrypted_at);
            if let Some(key) = oldest.map(|(key, _)| key.clone()) {
                self.0.remove(&key);
            }
        }
        self.0.insert((endpoint.clone(), ciphertext.to_owned()), (plain.clone(), now));
    }
}

/// Whether a secret is fresh. A clock that was set back makes the secret stale too.
fn is_fresh(decrypted_at: Timestamp, now: Timestamp) -> bool {
    (SignedDuration::ZERO..LIFETIME).contains(&now.duration_since(decrypted_at))
}

#[cfg(test)]
mod tests {
    use domain::webhook::endpoint::secret::{Scheme, Secret};

    use super::*;

    #[test]
    fn a_decrypted_secret_is_used_for_ten_minutes_and_by_its_own_endpoint() {
        let (mut cache, begun) = (Cache::default(), Timestamp::UNIX_EPOCH);
        cache.put(&endpoint("a"), "c1", &secret(1), begun);
        assert!(cache.get(&endpoint("a"), "c1", begun + LIFETIME - SignedDuration::from_secs(1)).is_some());
        assert!(cache.get(&endpoint("a"), "c1", begun + LIFETIME).is_none());
        assert!(cache.get(&endpoint("a"), "c1", begun - SignedDuration::from_secs(1)).is_none());
        assert!(cache.get(&endpoint("b"), "c1", begun).is_none(), "KMS would refuse it");
        assert!(cache.get(&endpoint("a"), "c2", begun).is_none());
    }

    #[test]
    fn a_full_cache_forgets_the_oldest() {
        let mut cache = Cache::default();
        let time = |second: usize| Timestamp::from_millisecond(i64::try_from(second).unwrap()).unwrap();
        for at in 0..=MAX_SECRETS {
            cache.put(&endpoint("a"), &at.to_string(), &secret(1), time(at));
        }
        assert_eq!(cache.0.len(), MAX_SECRETS);
        assert!(cache.get(&endpoint("a"), "0", time(MAX_SECRETS)).is_none());
        assert!(cache.get(&endpoint("a"), "1", time(MAX_SECRETS)).is_some());
    }

    fn endpoint(id: &str) -> EndpointId {
        EndpointId { tenant: Some("acme".to_owned()), id: id.to_owned() }
    }

    fn secret(byte: u8) -> Secret {
        Secret::new(Scheme::Hmac, vec![byte; 32]).unwrap()
    }
}
