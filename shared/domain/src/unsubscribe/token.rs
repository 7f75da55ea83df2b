//! The token: a claim, and an HMAC that only we can have made.
//!
//! The bytes are `01`, the key's name, the claim's five parts and 32 bytes of HMAC-SHA256 over all that stands before
//! them, in URL-safe base64. Every part has its length in front, so that none runs into the next. It says nothing that
//! its reader did not know, and nobody else is told it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;

use super::Scope;

/// How long a link works: a year, also after what was sent is forgotten.
///
/// Source: `semantics.md`, section 4.9 (GOV.UK Notify).
pub const LIFE: SignedDuration = SignedDuration::from_hours(365 * 24);

/// A clock may be so far ahead of ours.
const AHEAD: SignedDuration = SignedDuration::from_hours(1);

/// The layout of a token.
const VERSION: u8 = 1;

/// HMAC-SHA256.
const MAC_BYTES: usize = 32;

/// The shortest secret: as long as what it makes (RFC 2104, section 3).
const MIN_SECRET_BYTES: usize = 32;

/// The longest name of a key, in bytes.
const MAX_KEY_NAME_BYTES: usize = 16;

/// The longest token, in characters: whatever is longer was not made here.
const MAX_TOKEN_CHARS: usize = 2_048;

/// What a link says: who unsubscribes from what, and which letter it stood in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The tenant of the event that the letter was about.
    pub tenant: Option<String>,
    pub recipient: String,
    pub scope: Scope,
    /// The key of the letter.
    pub message: String,
    /// When the letter was written, to the second.
    pub issued: Timestamp,
}

/// The secrets that tokens are made and read with, by their names. No `Debug`: whoever has one can unsubscribe everybody.
#[derive(Clone)]
pub struct Keys {
    all: BTreeMap<String, String>,
    /// The one that new tokens are made with.
    signing: String,
}

/// Keys that cannot be used. It quotes no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadKeys {
    #[error("the keys are not a JSON object of names and secrets")]
    NotAnObject,
    #[error("the name of a key is not 1 to {MAX_KEY_NAME_BYTES} bytes")]
    Name,
    #[error("the secret of key {0} is shorter than {MIN_SECRET_BYTES} bytes")]
    Short(String),
    #[error("there is no key {0} to sign with")]
    NoSigning(String),
}

/// A token that counts for nothing: made by somebody else, cut off, of a key that is gone, or too old. It does not say
/// which, because whoever tries one out must not learn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a link of ours, or one that is too old")]
pub struct Forged;

impl Keys {
    /// `text` is a JSON object with a secret of at least 32 bytes for each key's name, `signing` the name of the key
    /// that new tokens are made with; the others still read the tokens they made.
    ///
    /// # Errors
    /// [`BadKeys`] says what cannot be used.
    pub fn read(text: &str, signing: &str) -> Result<Keys, BadKeys> {
        let all: BTreeMap<String, String> = serde_json::from_str(text).map_err(|_| BadKeys::NotAnObject)?;
        for (name, secret) in &all {
            if name.is_empty() || name.len() > MAX_KEY_NAME_BYTES {
                return Err(BadKeys::Name);
            }
            if secret.len() < MIN_SECRET_BYTES {
                return Err(BadKeys::Short(name.clone()));
            }
        }
        if !all.contains_key(signing) {
            return Err(BadKeys::NoSigning(signing.to_owned()));
        }
        Ok(Keys { all, signing: signing.to_owned() })
    }

    /// The token of a claim. The same claim has the same token as long as the key signs.
    #[must_use]
    pub fn sign(&self, claim: &Claim) -> String {
        let mut bytes = vec![VERSION];
        put(&mut bytes, &self.signing);
        // `-` and a name that begins with it are told apart by the `=`.
        put(&mut bytes, &claim.tenant.as_ref().map_or_else(|| "-".to_owned(), |it| format!("={it}")));
        put(&mut bytes, &claim.recipient);
        put(&mut bytes, &claim.scope.to_string());
        put(&mut bytes, &claim.message);
        bytes.extend(claim.issued.as_second().to_be_bytes());
        if let Some(mac) = self.mac(&self.signing, &bytes) {
            bytes.extend(mac.finalize().into_bytes());
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// What a token says, if it is one of ours and not older than [`LIFE`].
    ///
    /// # Errors
    /// [`Forged`], whatever is wrong with it.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Claim, Forged> {
        if token.len() > MAX_TOKEN_CHARS {
            return Err(Forged);
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| Forged)?;
        let (signed, mac) = bytes.split_at_checked(bytes.len().saturating_sub(MAC_BYTES)).ok_or(Forged)?;
        let mut rest = signed.strip_prefix(&[VERSION]).ok_or(Forged)?;
        let key = take(&mut rest)?;
        // In constant time.
        self.mac(&key, signed).ok_or(Forged)?.verify_slice(mac).map_err(|_| Forged)?;
        let tenant = take(&mut rest)?.strip_prefix('=').map(str::to_owned);
        let (recipient, scope, message) = (take(&mut rest)?, take(&mut rest)?, take(&mut rest)?);
        let seconds = i64::from_be_bytes(rest.try_into().map_err(|_| Forged)?);
        let issued = Timestamp::from_second(seconds).map_err(|_| Forged)?;
        let age = now.duration_since(issued);
        if age > LIFE || age < -AHEAD {
            return Err(Forged);
        }
        let scope = Scope::try_from(scope).map_err(|_| Forged)?;
        Ok(Claim { tenant, recipient, scope, message, issued })
    }

    fn mac(&self, key: &str, bytes: &[u8]) -> Option<Hmac<Sha256>> {
        let secret = self.all.get(key)?;
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
        mac.update(bytes);
        Some(mac)
    }
}

/// A text with its length in two bytes in front. No name of ours comes near 64 KB.
fn put(bytes: &mut Vec<u8>, text: &str) {
    let text = text.as_bytes();
    let text = &text[..text.len().min(usize::from(u16::MAX))];
    bytes.extend(u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
    bytes.extend(text);
}

fn take(rest: &mut &[u8]) -> Result<String, Forged> {
    let (length, after) = rest.split_first_chunk::<2>().ok_or(Forged)?;
    let (text, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or(Forged)?;
    *rest = after;
    String::from_utf8(text.to_vec()).map_err(|_| Forged)
}
