//! The signing key of seals. KMS signs, and the public key verifies.

use aws::{CallError, Verdict};
use aws_types::SdkConfig;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Timestamp;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::json;

use aws_request::{Request, Service};

/// The DER prefix of a P-256 public key, before the point.
///
/// Source: RFC 5480, section 2: id-ecPublicKey with secp256r1, then a bit string of 65 bytes.
const HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

const POINT_BYTES: usize = 65;

/// A signing key of KMS, of type ECC_NIST_P256.
#[derive(Clone)]
pub struct Signer {
    kms: Service,
    key: String,
}

/// The public key. It verifies seals without any call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(Vec<u8>);

/// The text is not a public key of the expected type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the public key of an ECC_NIST_P256 pair, in PEM or DER")]
pub struct BadKey;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Signed {
    signature: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Public {
    public_key: String,
}

impl Signer {
    /// `key` is the ARN of the key, its id, or an alias that starts with `alias/`.
    #[must_use]
    pub fn new(config: &SdkConfig, key: String) -> Signer {
        Signer { kms: Service::new(config, "kms"), key }
    }

    /// Signs a text of at most 4096 bytes. Returns the DER signature in Base64.
    ///
    /// # Errors
    /// The call to KMS failed or was refused.
    pub async fn sign(&self, text: &str, now: Timestamp) -> Result<String, CallError> {
        let body = json!({
            "KeyId": self.key, "Message": STANDARD.encode(text), "MessageType": "RAW",
            "SigningAlgorithm": "ECDSA_SHA_256",
        });
        let signed: Signed = self.ask("sign a seal", "Sign", &body.to_string(), now).await?;
        Ok(signed.signature)
    }

    /// Reads the public key from KMS.
    ///
    /// # Errors
    /// The call to KMS failed, or the key has another type.
    pub async fn public_key(&self, now: Timestamp) -> Result<PublicKey, CallError> {
        const DOING: &str = "read the public key";
        let body = json!({ "KeyId": self.key }).to_string();
        let public: Public = self.ask(DOING, "GetPublicKey", &body, now).await?;
        let der = STANDARD.decode(public.public_key).map_err(|error| permanent(DOING, error))?;
        PublicKey::of_der(&der).map_err(|error| permanent(DOING, error))
    }

    async fn ask<T: for<'de> Deserialize<'de>>(
        &self,
        doing: &'static str,
        operation: &str,
        body: &str,
        now: Timestamp,
    ) -> Result<T, CallError> {
        let headers = [
            ("content-type", "application/x-amz-json-1.1".to_owned()),
            ("x-amz-target", format!("TrentService.{operation}")),
        ];
        let question = Request { doing, method: "POST", path: "/", headers: &headers, body: body.as_bytes() };
        let answer = self.kms.ask(&question, now).await?;
        if answer.status != 200 {
            return Err(answer.refuse(doing, "KMS"));
        }
        serde_json::from_slice(answer.body.expose()).map_err(|error| permanent(doing, error))
    }
}

impl PublicKey {
    /// Reads a public key in DER.
    ///
    /// # Errors
    /// [`BadKey`]
    pub fn of_der(der: &[u8]) -> Result<PublicKey, BadKey> {
        match der.strip_prefix(&HEAD) {
            Some(point) if point.len() == POINT_BYTES && point.first() == Some(&4) => {
                Ok(PublicKey(point.to_vec()))
            }
            Some(_) | None => Err(BadKey),
        }
    }

    /// Reads a public key in PEM.
    ///
    /// # Errors
    /// [`BadKey`]
    pub fn of_pem(text: &str) -> Result<PublicKey, BadKey> {
        let lines = text.lines().map(str::trim).filter(|text| !text.starts_with("-----"));
        let der = STANDARD.decode(lines.collect::<String>()).map_err(|_| BadKey)?;
        PublicKey::of_der(&der)
    }

    /// The public key in PEM, as `openssl` reads it.
    #[must_use]
    pub fn pem(&self) -> String {
        let text = STANDARD.encode([&HEAD[..], &self.0].concat());
        let lines: Vec<&str> =
            (0..text.len()).step_by(64).filter_map(|at| text.get(at..text.len().min(at + 64))).collect();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
    }

    /// Whether the signature of the text was made with the private half of this key.
    #[must_use]
    pub fn has_signed(&self, text: &str, signature: &str) -> bool {
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.0);
        STANDARD.decode(signature).is_ok_and(|decode| key.verify(text.as_bytes(), &decode).is_ok())
    }
}

fn permanent(doing: &'static str, source: impl std::error::Error + Send + Sync + 'static) -> CallError {
    CallError { doing, verdict: Verdict::Permanent, source: Box::new(source) }
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};

    use super::*;

    #[test]
    fn only_own_signatures_verify() {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pair.as_ref(), &random).unwrap();
        let der = [&HEAD[..], pair.public_key().as_ref()].concat();
        let public = PublicKey::of_der(&der).unwrap();
        let signature = STANDARD.encode(pair.sign(&random, b"text").unwrap());
        assert!(public.has_signed("text", &signature));
        assert!(!public.has_signed("texts", &signature));
        assert!(!public.has_signed("text", "") && !public.has_signed("text", "no Base64 !"));
        assert_eq!(PublicKey::of_pem(&public.pem()), Ok(public));
    }

    #[test]
    fn other_public_key_is_refused() {
        for text in ["", "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----", "AAAA", "!"] {
            assert_eq!(PublicKey::of_pem(text), Err(BadKey), "{text}");
        }
        assert_eq!(PublicKey::of_der(&HEAD), Err(BadKey));
    }
}
