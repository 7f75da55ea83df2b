//! Stored secrets of an endpoint: encrypted, or in plain text as the last release wrote them.
//!
//! A row of the last release is `[{"secret":"whsec_…","until":…}]`. An encrypted entry has `ciphertext`, `scheme` and,
//! for ed25519, `public_key` instead of `secret`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{MAX_OLD, OVERLAP, Scheme, Secret, Secrets};

/// A secret that only KMS can decrypt, with its public parts.
#[derive(Clone, PartialEq, Eq)]
pub struct EncryptedSecret {
    pub scheme: Scheme,
    /// The ciphertext in Base64. Its encryption context binds it to its endpoint.
    pub ciphertext: String,
    /// The public key `whpk_…` for ed25519. `None` for HMAC.
    pub public_key: Option<String>,
}

/// A secret in a table row.
#[derive(Clone, PartialEq, Eq)]
pub enum StoredSecret {
    /// Written by the last release. The next write encrypts it.
    Plain(Secret),
    Encrypted(EncryptedSecret),
}

impl StoredSecret {
    /// The signature scheme.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        match self {
            StoredSecret::Plain(secret) => secret.scheme(),
            StoredSecret::Encrypted(encrypted) => encrypted.scheme,
        }
    }
}

/// All secrets of an endpoint in its row, newest first.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StoredSecrets(Vec<Entry>);

#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
struct Entry {
    secret: StoredSecret,
    /// The end of use; `None` for the current secret.
    until: Option<Timestamp>,
}

/// The JSON of an entry.
#[derive(Serialize, Deserialize)]
struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ciphertext: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scheme: Option<Scheme>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
}

/// An entry in neither of the two forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a stored secret has either `secret`, or `ciphertext` and `scheme`")]
pub struct InvalidStoredSecret;

impl StoredSecrets {
    #[must_use]
    pub fn of(secret: StoredSecret) -> StoredSecrets {
        StoredSecrets(vec![Entry { secret, until: None }])
    }

    /// Adds a new current secret. The previous one signs for another 24 hours. At most ten replaced secrets sign.
    #[must_use]
    pub fn rotated(&self, secret: StoredSecret, now: Timestamp) -> StoredSecrets {
        let until = now.saturating_add(OVERLAP).unwrap_or(now);
        let old = self.0.iter().filter(|entry| entry.signs_at(now) && entry.secret != secret);
        let old = old.map(|entry| Entry { secret: entry.secret.clone(), until: entry.until.or(Some(until)) });
        let old: Vec<Entry> = old.take(MAX_OLD).collect();
        StoredSecrets(std::iter::once(Entry { secret, until: None }).chain(old).collect())
    }

    /// Each secret with the end of its use.
    pub fn iter(&self) -> impl Iterator<Item = (&StoredSecret, Option<Timestamp>)> {
        self.0.iter().map(|entry| (&entry.secret, entry.until))
    }

    /// The secrets that sign at `now`, newest first.
    pub fn signing(&self, now: Timestamp) -> impl Iterator<Item = &StoredSecret> {
        self.0.iter().filter(move |entry| entry.signs_at(now)).map(|entry| &entry.secret)
    }

    /// The secret without an end.
    #[must_use]
    pub fn current(&self) -> Option<&StoredSecret> {
        self.0.iter().find(|entry| entry.until.is_none()).map(|entry| &entry.secret)
    }
}

impl FromIterator<(StoredSecret, Option<Timestamp>)> for StoredSecrets {
    fn from_iter<I: IntoIterator<Item = (StoredSecret, Option<Timestamp>)>>(all: I) -> StoredSecrets {
        StoredSecrets(all.into_iter().map(|(secret, until)| Entry { secret, until }).collect())
    }
}

/// The plain form, as the last release stores secrets.
impl From<Secrets> for StoredSecrets {
    fn from(secrets: Secrets) -> StoredSecrets {
        secrets.0.into_iter().map(|signing| (StoredSecret::Plain(signing.secret), signing.until)).collect()
    }
}

impl Entry {
    fn signs_at(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl TryFrom<Written> for Entry {
    type Error = InvalidStoredSecret;

    fn try_from(written: Written) -> Result<Entry, InvalidStoredSecret> {
        let Written { secret, ciphertext, scheme, public_key, until } = written;
        let secret = match (secret, ciphertext, scheme) {
            (Some(secret), None, None) => StoredSecret::Plain(secret),
            (None, Some(ciphertext), Some(scheme)) => {
                StoredSecret::Encrypted(EncryptedSecret { scheme, ciphertext, public_key })
            }
            (Some(_) | None, Some(_) | None, Some(_) | None) => return Err(InvalidStoredSecret),
        };
        Ok(Entry { secret, until })
    }
}

impl From<Entry> for Written {
    fn from(entry: Entry) -> Written {
        let until = entry.until;
        match entry.secret {
            StoredSecret::Plain(secret) => {
                Written { secret: Some(secret), ciphertext: None, scheme: None, public_key: None, until }
            }
            StoredSecret::Encrypted(EncryptedSecret { scheme, ciphertext, public_key }) => Written {
                secret: None,
                ciphertext: Some(ciphertext),
                scheme: Some(scheme),
                public_key,
                until,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row of the last release during a rotation.
    const LAST_RELEASE: &str = concat!(
        r#"[{"secret":"whsec_AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI="},"#,
        r#"{"secret":"whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=","until":"2026-11-21T12:00:00Z"}]"#,
    );

    #[test]
    fn row_of_the_last_release_round_trips() {
        let stored: StoredSecrets = serde_json::from_str(LAST_RELEASE).unwrap();
        assert_eq!(serde_json::to_string(&stored).unwrap(), LAST_RELEASE);
        assert!(stored.iter().all(|(secret, _)| matches!(secret, StoredSecret::Plain(_))));
        let secrets: Secrets = serde_json::from_str(LAST_RELEASE).unwrap();
        assert!(StoredSecrets::from(secrets) == stored);
    }

    #[test]
    fn last_release_rejects_an_encrypted_row() {
        let stored = StoredSecrets::of(encrypted("AQID", Scheme::Ed25519));
        let text = serde_json::to_string(&stored).unwrap();
        assert_eq!(text, r#"[{"ciphertext":"AQID","scheme":"ed25519","public_key":"whpk_AQID"}]"#);
        assert!(serde_json::from_str::<StoredSecrets>(&text).unwrap() == stored);
        assert!(serde_json::from_str::<Secrets>(&text).is_err(), "the last release must not read it");
    }

    #[test]
    fn unknown_form_is_refused() {
        let secret = r#""secret":"whsec_AQEB""#;
        for text in [
            "{}".to_owned(),
            r#"{"ciphertext":"AQID"}"#.to_owned(),
            r#"{"scheme":"hmac"}"#.to_owned(),
            r#"{"ciphertext":"AQID","scheme":"rsa"}"#.to_owned(),
            format!("{{{secret},\"ciphertext\":\"AQID\",\"scheme\":\"hmac\"}}"),
        ] {
            assert!(serde_json::from_str::<StoredSecrets>(&format!("[{text}]")).is_err(), "{text}");
        }
    }

    #[test]
    fn rotation_keeps_the_old_secret_for_a_day_in_both_forms() {
        let begun: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let old: StoredSecrets = serde_json::from_str(LAST_RELEASE).unwrap();
        let rotated = old.rotated(encrypted("AQID", Scheme::Hmac), begun);
        assert_eq!(rotated.signing(begun).count(), 3);
        assert_eq!(rotated.signing(begun + OVERLAP).count(), 1);
        assert!(rotated.current() == Some(&encrypted("AQID", Scheme::Hmac)));
        let again = rotated.rotated(encrypted("AQID", Scheme::Hmac), begun);
        assert_eq!(again.signing(begun).count(), 3, "the same ciphertext is the same secret");
        let many = (0..30)
            .fold(rotated, |all, number| all.rotated(encrypted(&format!("{number}"), Scheme::Hmac), begun));
        assert_eq!(many.signing(begun).count(), 1 + MAX_OLD);
    }

    fn encrypted(ciphertext: &str, scheme: Scheme) -> StoredSecret {
        let public_key = (scheme == Scheme::Ed25519).then(|| format!("whpk_{ciphertext}"));
        StoredSecret::Encrypted(EncryptedSecret { scheme, ciphertext: ciphertext.to_owned(), public_key })
    }
}
