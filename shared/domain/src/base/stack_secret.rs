//! The secret of a stack, and the keys that are derived from it.
//!
//! Keyed hashes protect short values (phone numbers, e-mail addresses) against guessing, and prove that one of our
//! functions made a mark. Each use has a label, so hashes of different uses are unrelated.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::sensitive::Sensitive;

/// Minimum length of the secret in bytes: the length of a hash (RFC 2104, section 3).
const MIN_BYTES: usize = 32;

/// The root secret of a stack.
#[derive(Clone)]
pub struct StackSecret(Sensitive<Vec<u8>>);

/// An unusable secret. The error does not quote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stack's secret has fewer than {MIN_BYTES} bytes")]
pub struct TooShort;

/// A key for one use.
#[derive(Clone)]
pub struct DerivedKey(Sensitive<[u8; 32]>);

impl StackSecret {
    /// Reads the secret from the value of its environment variable.
    ///
    /// # Errors
    /// [`TooShort`] if it has fewer than 32 bytes.
    pub fn read(text: &str) -> Result<StackSecret, TooShort> {
        match text.len() {
            0..MIN_BYTES => Err(TooShort),
            _ => Ok(StackSecret(Sensitive::new(text.as_bytes().to_vec()))),
        }
    }

    /// Derives the key for one use. Labels are constants in the code.
    #[must_use]
    pub fn derive(&self, label: &str) -> DerivedKey {
        let bytes: [u8; 32] = mac(self.0.expose(), &[label.as_bytes()]).finalize().into_bytes().into();
        DerivedKey(Sensitive::new(bytes))
    }
}

impl DerivedKey {
    /// HMAC-SHA256 over the parts, each with its length as prefix (RFC 2104).
    #[must_use]
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        mac(self.0.expose(), parts).finalize().into_bytes().into()
    }

    /// Whether `found` is the HMAC over the parts. The comparison takes constant time.
    #[must_use]
    pub fn verify(&self, parts: &[&[u8]], found: &[u8]) -> bool {
        mac(self.0.expose(), parts).verify_slice(found).is_ok()
    }
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn hash_depends_on_secret_label_and_part_boundaries() {
        let key = StackSecret::read(SECRET).unwrap().derive("address");
        let first = key.mac(&[b"ab", b"c"]);
        assert_eq!(first, key.mac(&[b"ab", b"c"]));
        assert!(key.verify(&[b"ab", b"c"], &first));
        assert!(!key.verify(&[b"a", b"bc"], &first));
        assert_ne!(first, StackSecret::read(SECRET).unwrap().derive("mark").mac(&[b"ab", b"c"]));
        let other = StackSecret::read(&SECRET.replace('0', "1")).unwrap().derive("address");
        assert!(!other.verify(&[b"ab", b"c"], &first));
    }

    #[test]
    fn short_secret_is_refused() {
        assert_eq!(StackSecret::read(&SECRET[1..]).err(), Some(TooShort));
        assert_eq!(StackSecret::read("").err(), Some(TooShort));
    }
}
