//! The signing secrets of an endpoint, and their rotation.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::base::sensitive::Sensitive;

pub mod stored;

/// The highest number of old secrets that sign beside the current one.
pub const MAX_OLD: usize = 10;

/// How long an old secret signs after its replacement.
pub const OVERLAP: SignedDuration = SignedDuration::from_hours(24);

/// The length of an HMAC secret, in bytes.
///
/// Source: Standard Webhooks 1.0, "Signature scheme": between 24 and 64 bytes.
const HMAC_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// The signature scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// `v1`, HMAC-SHA256: both sides share the secret `whsec_…`.
    Hmac,
    /// `v1a`, ed25519: the sender has the secret `whsk_…`, the receiver the public key `whpk_…`.
    Ed25519,
}

/// A valid secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Secret {
    scheme: Scheme,
    bytes: Sensitive<Vec<u8>>,
}

/// A text that is not a secret. The error does not quote the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a signing secret: {0}")]
pub struct NotASecret(&'static str);

impl Secret {
    /// A new secret from random bytes.
    ///
    /// # Errors
    /// [`NotASecret`] if the number of bytes is wrong.
    pub fn new(scheme: Scheme, bytes: Vec<u8>) -> Result<Secret, NotASecret> {
        match scheme {
            Scheme::Hmac if !HMAC_BYTES.contains(&bytes.len()) => {
                Err(NotASecret("whsec_ is followed by the base64 of 24 to 64 bytes"))
            }
            Scheme::Ed25519 if bytes.len() != 32 => {
                Err(NotASecret("whsk_ is followed by the base64 of 32 bytes"))
            }
            Scheme::Hmac | Scheme::Ed25519 => Ok(Secret { scheme, bytes: Sensitive::new(bytes) }),
        }
    }

    /// Parses a stored secret. The length of an HMAC secret is not checked.
    ///
    /// # Errors
    /// [`NotASecret`] with the reason.
    pub fn parse(text: &str) -> Result<Secret, NotASecret> {
        let (scheme, rest) = match (text.strip_prefix("whsec_"), text.strip_prefix("whsk_")) {
            (Some(rest), _) => (Scheme::Hmac, rest),
            (None, Some(rest)) => (Scheme::Ed25519, rest),
            (None, None) => return Err(NotASecret("found neither whsec_ nor whsk_ at the beginning")),
        };
        let mut bytes =
            STANDARD.decode(rest).map_err(|_| NotASecret("the part after the prefix is not base64"))?;
        match scheme {
            // Some tools append the public key to the secret key.
            Scheme::Ed25519 if bytes.len() == 64 => bytes.truncate(32),
            Scheme::Ed25519 if bytes.len() != 32 => return Err(NotASecret("an ed25519 secret has 32 bytes")),
            Scheme::Hmac if bytes.is_empty() => return Err(NotASecret("the secret is empty")),
            Scheme::Hmac | Scheme::Ed25519 => {}
        }
        Ok(Secret { scheme, bytes: Sensitive::new(bytes) })
    }

    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The key bytes: the HMAC key or the ed25519 seed.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.expose()
    }

    /// The secret as text.
    #[must_use]
    pub fn reveal(&self) -> String {
        let prefix = match self.scheme {
            Scheme::Hmac => "whsec_",
            Scheme::Ed25519 => "whsk_",
        };
        format!("{prefix}{}", STANDARD.encode(self.bytes.expose()))
    }
}

impl TryFrom<String> for Secret {
    type Error = NotASecret;

    fn try_from(text: String) -> Result<Secret, NotASecret> {
        Secret::parse(&text)
    }
}

impl From<Secret> for String {
    fn from(secret: Secret) -> String {
        secret.reveal()
    }
}

/// All secrets of an endpoint, newest first.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Secrets(Vec<Signing>);

#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Signing {
    secret: Secret,
    /// The end of use; `None` for the current secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
}

impl FromIterator<(Secret, Option<Timestamp>)> for Secrets {
    fn from_iter<I: IntoIterator<Item = (Secret, Option<Timestamp>)>>(all: I) -> Secrets {
        Secrets(all.into_iter().map(|(secret, until)| Signing { secret, until }).collect())
    }
}

impl Secrets {
    #[must_use]
    pub fn of(secret: Secret) -> Secrets {
        Secrets(vec![Signing { secret, until: None }])
    }

    /// Adds a new current secret. The previous one signs for another 24 hours. At most ten replaced secrets sign.
    #[must_use]
    pub fn rotated(&self, secret: Secret, now: Timestamp) -> Secrets {
        let until = now.saturating_add(OVERLAP).unwrap_or(now);
        let old = self
            .0
            .iter()
            .filter(|signing| signing.until.is_none_or(|until| now < until) && signing.secret != secret);
        let old = old.map(|old| Signing { secret: old.secret.clone(), until: old.until.or(Some(until)) });
        let old: Vec<Signing> = old.take(MAX_OLD).collect();
        Secrets(std::iter::once(Signing { secret, until: None }).chain(old).collect())
    }

    /// The secrets that sign at `now`, newest first.
    pub fn signing(&self, now: Timestamp) -> impl Iterator<Item = &Secret> {
        self.0
            .iter()
            .filter(move |signing| signing.until.is_none_or(|until| now < until))
            .map(|signing| &signing.secret)
    }

    /// The secret without an end.
    #[must_use]
    pub fn current(&self) -> Option<&Secret> {
        self.0.iter().find(|signing| signing.until.is_none()).map(|signing| &signing.secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_new_secrets_must_have_24_to_64_bytes() {
        for (bytes, fits) in [(23, false), (24, true), (64, true), (65, false)] {
            assert_eq!(Secret::new(Scheme::Hmac, vec![7; bytes]).is_ok(), fits, "{bytes}");
        }
        assert_eq!(Secret::parse("whsec_plJ3nmyCDGBKInavdOK15jsl").unwrap().bytes().len(), 18);
        for text in ["", "plJ3", "whsec_", "whsec_*", "whsk_AAAA", "whpk_AAAA"] {
            assert!(Secret::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn secret_round_trips_through_text() {
        for secret in [secret(1), Secret::new(Scheme::Ed25519, vec![9; 32]).unwrap()] {
            assert!(Secret::parse(&secret.reveal()).unwrap() == secret);
        }
    }

    #[test]
    fn old_secret_signs_for_a_day_after_the_new_one() {
        let begun: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let secrets = Secrets::of(secret(1)).rotated(secret(2), begun);
        check(&secrets, begun, &[2, 1]);
        check(&secrets, begun + SignedDuration::from_secs(86_399), &[2, 1]);
        check(&secrets, begun + OVERLAP, &[2]);
        assert!(secrets.current() == Some(&secret(2)));
    }

    #[test]
    fn at_most_ten_old_secrets_sign() {
        let begun: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let secrets = (2..=30).fold(Secrets::of(secret(1)), |all, number| all.rotated(secret(number), begun));
        check(&secrets, begun, &[30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20]);
    }

    #[test]
    fn rotating_to_the_same_secret_twice_keeps_it_once() {
        let begun: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let secrets = Secrets::of(secret(1)).rotated(secret(2), begun).rotated(secret(2), begun);
        check(&secrets, begun, &[2, 1]);
    }

    #[track_caller]
    fn check(secrets: &Secrets, now: Timestamp, expected: &[u8]) {
        let found: Vec<u8> = secrets.signing(now).map(|signing| signing.bytes()[0]).collect();
        assert_eq!(found, expected);
    }

    fn secret(of: u8) -> Secret {
        Secret::new(Scheme::Hmac, vec![of; 32]).unwrap()
    }
}
