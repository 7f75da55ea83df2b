//! What an endpoint's requests are signed with, and which secrets sign during a rotation.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub mod stored;

/// So many old secrets sign beside the current one.
pub const MAX_OLD: usize = 10;

/// So long an old secret signs after it was replaced.
pub const OVERLAP: SignedDuration = SignedDuration::from_hours(24);

/// The bytes of a secret for HMAC.
///
/// Source: Standard Webhooks 1.0, "Signature scheme": between 24 and 64 bytes.
const HMAC_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// How requests are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// `v1`, HMAC-SHA256: both sides have the secret. `whsec_…`
    Hmac,
    /// `v1a`, ed25519: the receiver has the public half, `whpk_…`. `whsk_…`
    Ed25519,
}

/// A secret, checked. No `Debug`: it is a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Secret {
    scheme: Scheme,
    bytes: Vec<u8>,
}

/// A text that is no secret. It does not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a signing secret: {0}")]
pub struct NotASecret(&'static str);

impl Secret {
    /// A new one, of bytes that were left to chance.
    ///
    /// # Errors
    /// [`NotASecret`] when there are too few bytes, or too many.
    pub fn new(scheme: Scheme, bytes: Vec<u8>) -> Result<Secret, NotASecret> {
        match scheme {
            Scheme::Hmac if !HMAC_BYTES.contains(&bytes.len()) => {
                Err(NotASecret("whsec_ is followed by the base64 of 24 to 64 bytes"))
            }
            Scheme::Ed25519 if bytes.len() != 32 => {
                Err(NotASecret("whsk_ is followed by the base64 of 32 bytes"))
            }
            Scheme::Hmac | Scheme::Ed25519 => Ok(Secret { scheme, bytes }),
        }
    }

    /// Reads a secret as it is stored. The length that a new one must have is not asked of it.
    ///
    /// # Errors
    /// [`NotASecret`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Secret, NotASecret> {
        let (scheme, rest) = match (text.strip_prefix("whsec_"), text.strip_prefix("whsk_")) {
            (Some(rest), _) => (Scheme::Hmac, rest),
            (None, Some(rest)) => (Scheme::Ed25519, rest),
            (None, None) => return Err(NotASecret("it begins with neither whsec_ nor whsk_")),
        };
        let mut bytes = STANDARD.decode(rest).map_err(|_| NotASecret("what follows is not base64"))?;
        match scheme {
            // Some write the public half behind the secret one.
            Scheme::Ed25519 if bytes.len() == 64 => bytes.truncate(32),
            Scheme::Ed25519 if bytes.len() != 32 => return Err(NotASecret("an ed25519 secret has 32 bytes")),
            Scheme::Hmac if bytes.is_empty() => return Err(NotASecret("it is empty")),
            Scheme::Hmac | Scheme::Ed25519 => {}
        }
        Ok(Secret { scheme, bytes })
    }

    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The key itself: of HMAC, or the seed of ed25519.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// As its owner stores it.
    #[must_use]
    pub fn reveal(&self) -> String {
        let prefix = match self.scheme {
            Scheme::Hmac => "whsec_",
            Scheme::Ed25519 => "whsk_",
        };
        format!("{prefix}{}", STANDARD.encode(&self.bytes))
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

/// All secrets of an endpoint, the newest first. No `Debug`.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Secrets(Vec<Signing>);

#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Signing {
    secret: Secret,
    /// It signs until then; the current one has no end.
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

    /// Puts a new secret first. The one before it signs for another 24 hours; of those that were replaced in the last 24
    /// hours, ten sign at most.
    #[must_use]
    pub fn rotated(&self, secret: Secret, now: Timestamp) -> Secrets {
        let until = now.saturating_add(OVERLAP).unwrap_or(now);
        let old = self.0.iter().filter(|it| it.until.is_none_or(|until| now < until) && it.secret != secret);
        let old = old.map(|old| Signing { secret: old.secret.clone(), until: old.until.or(Some(until)) });
        let old: Vec<Signing> = old.take(MAX_OLD).collect();
        Secrets(std::iter::once(Signing { secret, until: None }).chain(old).collect())
    }

    /// Those that sign at `now`, the newest first.
    pub fn signing(&self, now: Timestamp) -> impl Iterator<Item = &Secret> {
        self.0.iter().filter(move |it| it.until.is_none_or(|until| now < until)).map(|it| &it.secret)
    }

    /// The one that has no end.
    #[must_use]
    pub fn current(&self) -> Option<&Secret> {
        self.0.iter().find(|it| it.until.is_none()).map(|it| &it.secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_secret_has_24_to_64_bytes_and_an_old_one_is_read_whatever_it_has() {
        for (bytes, fits) in [(23, false), (24, true), (64, true), (65, false)] {
            assert_eq!(Secret::new(Scheme::Hmac, vec![7; bytes]).is_ok(), fits, "{bytes}");
        }
        assert_eq!(Secret::parse("whsec_plJ3nmyCDGBKInavdOK15jsl").unwrap().bytes().len(), 18);
        for text in ["", "plJ3", "whsec_", "whsec_*", "whsk_AAAA", "whpk_AAAA"] {
            assert!(Secret::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_secret_is_written_as_it_was_read() {
        for secret in [secret(1), Secret::new(Scheme::Ed25519, vec![9; 32]).unwrap()] {
            assert!(Secret::parse(&secret.reveal()).unwrap() == secret);
        }
    }

    #[test]
    fn the_old_secret_signs_for_a_day_behind_the_new_one() {
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
        let secrets = (2..=30).fold(Secrets::of(secret(1)), |all, it| all.rotated(secret(it), begun));
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
