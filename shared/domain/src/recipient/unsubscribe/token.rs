//! The token of an unsubscribe link: a sealed claim, which only the stack can create and read.
//!
//! Version 2 consists of `02`, a nonce of 12 bytes, and the claim under AES-256-GCM-SIV (RFC 8452), with the version
//! as associated data, in URL-safe base64. Each part of the claim has a length prefix. The nonce is an HMAC of the
//! claim, so sealing needs no randomness, and equal claims have equal tokens. This mode allows that: equal nonces
//! reveal only that the claims are equal.
//!
//! Version 1, of the last release, consists of `01`, the key's name, the claim in clear text and an HMAC-SHA256. It
//! is read until the last such token is a year old.

use std::collections::BTreeMap;

use aes_gcm_siv::aead::{Aead as _, Payload};
use aes_gcm_siv::{Aes256GcmSiv, KeyInit as _, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;

use super::Scope;
use crate::base::sensitive::Sensitive;
use crate::base::stack_secret::StackSecret;

/// Validity of a link: a year, also after the message's ledger row has expired.
pub const LIFE: SignedDuration = SignedDuration::from_hours(365 * 24);

/// Tolerated clock difference for tokens from the future.
pub const AHEAD: SignedDuration = SignedDuration::from_hours(1);

/// The version byte of a sealed token, and of a token of the last release.
const SEALED: u8 = 2;
const SIGNED: u8 = 1;

/// Length of an HMAC-SHA256.
const MAC_BYTES: usize = 32;

/// Length of an AES-GCM-SIV nonce (RFC 8452, section 4).
const NONCE_BYTES: usize = 12;

/// Minimum length of a secret: the length of an HMAC (RFC 2104, section 3).
const MIN_SECRET_BYTES: usize = 32;

/// Maximum length of a key's name in bytes.
const MAX_KEY_NAME_BYTES: usize = 16;

/// Maximum length of a token in characters. Longer texts cannot be tokens.
const MAX_TOKEN_CHARS: usize = 2_048;

/// The content of a link: the user who unsubscribes, the scope, and the message with the link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The tenant of the message's event.
    pub tenant: Option<String>,
    pub recipient: String,
    pub scope: Scope,
    /// The key of the message.
    pub message: String,
    /// The time of the message, to the second.
    pub issued: Timestamp,
    /// The name of the sender, for the page. Links of the last release have none.
    pub sender: Option<String>,
}

/// The secrets for tokens, by name. A secret allows to unsubscribe any user.
#[derive(Clone)]
pub struct Keys {
    all: BTreeMap<String, Sensitive<String>>,
    /// The name of the secret for new tokens.
    signing: String,
}

/// The reason why keys cannot be used. The error quotes no secret.
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

/// An invalid token: forged, truncated, of a removed key, or too old. The error does not tell which, so that
/// attackers learn nothing from attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid or expired link")]
pub struct Forged;

impl Keys {
    /// Reads keys. `text` is a JSON object with a secret of at least 32 bytes for each key's name. `signing` is the
    /// name of the key for new tokens. The other keys still read their tokens.
    ///
    /// # Errors
    /// [`BadKeys`] with the fault.
    pub fn read(text: &str, signing: &str) -> Result<Keys, BadKeys> {
        let all: BTreeMap<String, Sensitive<String>> =
            serde_json::from_str(text).map_err(|_| BadKeys::NotAnObject)?;
        for (name, secret) in &all {
            if name.is_empty() || name.len() > MAX_KEY_NAME_BYTES {
                return Err(BadKeys::Name);
            }
            if secret.expose().len() < MIN_SECRET_BYTES {
                return Err(BadKeys::Short(name.clone()));
            }
        }
        if !all.contains_key(signing) {
            return Err(BadKeys::NoSigning(signing.to_owned()));
        }
        Ok(Keys { all, signing: signing.to_owned() })
    }

    /// The token of a claim. Equal claims have equal tokens under the same key.
    #[must_use]
    pub fn seal(&self, claim: &Claim) -> String {
        let secret = self.all.get(&self.signing).map_or("", |secret| secret.expose());
        let plain = claim.to_bytes();
        let nonce = derived(secret, "unsubscribe nonce", &plain);
        let nonce = &nonce[..NONCE_BYTES];
        let mut bytes = vec![SEALED];
        bytes.extend(nonce);
        let payload = Payload { msg: &plain, aad: &[SEALED] };
        bytes.extend(
            cipher(secret)
                .encrypt(&nonce_of(nonce), payload)
                .expect("a claim is far shorter than the 2^36 bytes that the mode takes"),
        );
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The claim of a token that we made and that is not older than [`LIFE`].
    ///
    /// # Errors
    /// [`Forged`] for any fault.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Claim, Forged> {
        if token.len() > MAX_TOKEN_CHARS {
            return Err(Forged);
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| Forged)?;
        let claim = match bytes.split_first() {
            Some((&SEALED, sealed)) => self.unseal(sealed)?,
            Some((&SIGNED, _)) => self.check_signed(&bytes)?,
            Some(_) | None => return Err(Forged),
        };
        let age = now.duration_since(claim.issued);
        if age > LIFE || age < -AHEAD {
            return Err(Forged);
        }
        Ok(claim)
    }

    /// Opens a sealed token. The token does not name its key, so each key is tried.
    fn unseal(&self, sealed: &[u8]) -> Result<Claim, Forged> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_BYTES).ok_or(Forged)?;
        let open = |secret: &Sensitive<String>| {
            cipher(secret.expose()).decrypt(&nonce_of(nonce), Payload { msg: sealed, aad: &[SEALED] }).ok()
        };
        let plain = self.all.values().find_map(open).ok_or(Forged)?;
        let mut rest = plain.as_slice();
        let claim = Claim::take(&mut rest)?;
        let sender = optional(&take(&mut rest)?);
        if rest.is_empty() { Ok(Claim { sender, ..claim }) } else { Err(Forged) }
    }

    /// Verifies a token of version 1.
    fn check_signed(&self, bytes: &[u8]) -> Result<Claim, Forged> {
        let (signed, mac) = bytes.split_at_checked(bytes.len().saturating_sub(MAC_BYTES)).ok_or(Forged)?;
        let mut rest = signed.strip_prefix(&[SIGNED]).ok_or(Forged)?;
        let secret = self.all.get(&take(&mut rest)?).ok_or(Forged)?;
        let mut own = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).map_err(|_| Forged)?;
        own.update(signed);
        // The comparison takes constant time.
        own.verify_slice(mac).map_err(|_| Forged)?;
        let claim = Claim::take(&mut rest)?;
        if rest.is_empty() { Ok(claim) } else { Err(Forged) }
    }
}

impl Claim {
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        put(&mut bytes, &marked(self.tenant.as_deref()));
        put(&mut bytes, &self.recipient);
        put(&mut bytes, &self.scope.to_string());
        put(&mut bytes, &self.message);
        bytes.extend(self.issued.as_second().to_be_bytes());
        put(&mut bytes, &marked(self.sender.as_deref()));
        bytes
    }

    /// Reads the parts that both versions share from the start of `rest`.
    fn take(rest: &mut &[u8]) -> Result<Claim, Forged> {
        let tenant = optional(&take(rest)?);
        let (recipient, scope, message) = (take(rest)?, take(rest)?, take(rest)?);
        let (seconds, after) = rest.split_first_chunk::<8>().ok_or(Forged)?;
        *rest = after;
        let issued = Timestamp::from_second(i64::from_be_bytes(*seconds)).map_err(|_| Forged)?;
        let scope = Scope::try_from(scope).map_err(|_| Forged)?;
        Ok(Claim { tenant, recipient, scope, message, issued, sender: None })
    }
}

/// 32 bytes for one use of a secret.
fn derived(secret: &str, label: &str, over: &[u8]) -> [u8; MAC_BYTES] {
    let secret = StackSecret::read(secret).expect("the length of secrets is checked on reading");
    secret.derive(label).mac(&[over])
}

fn cipher(secret: &str) -> Aes256GcmSiv {
    Aes256GcmSiv::new(&derived(secret, "unsubscribe seal", &[]).into())
}

/// Converts `bytes`, which has [`NONCE_BYTES`] bytes.
fn nonce_of(bytes: &[u8]) -> Nonce {
    let mut nonce = [0; NONCE_BYTES];
    nonce.copy_from_slice(bytes);
    nonce.into()
}

/// An optional text. The marker distinguishes `-` and texts that begin with it.
fn marked(text: Option<&str>) -> String {
    text.map_or_else(|| "-".to_owned(), |text| format!("={text}"))
}

fn optional(marked: &str) -> Option<String> {
    marked.strip_prefix('=').map(str::to_owned)
}

/// Writes a text with its length in two bytes as prefix. None of our names comes near 64 KB.
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
