//! Standard Webhooks 1.0 signatures with all secrets of a rotation. The crate has no clock and no
//! network.
//!
//! The cryptography is that of ring, which every function links for TLS.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Timestamp;
use domain::webhook::endpoint::secret::stored::StoredSecret;
use domain::webhook::endpoint::secret::{Scheme, Secret};
use ring::hmac;
use ring::signature::{Ed25519KeyPair, KeyPair as _};

/// The value of `webhook-signature`: one signature for each secret, in order, separated by spaces.
///
/// `id` is the same for all attempts of a message and contains no dot. `at` is the time of this attempt
/// in whole seconds. `body` are the sent bytes.
///
/// Source: Standard Webhooks 1.0, "Signature scheme".
#[must_use]
pub fn sign<'a>(secrets: impl Iterator<Item = &'a Secret>, id: &str, at: Timestamp, body: &[u8]) -> String {
    let mut signed = format!("{id}.{}.", at.as_second()).into_bytes();
    signed.extend_from_slice(body);
    secrets.map(|secret| signature(secret, &signed)).collect::<Vec<String>>().join(" ")
}

fn signature(secret: &Secret, signed: &[u8]) -> String {
    match secret.scheme() {
        Scheme::Hmac => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret.bytes());
            format!("v1,{}", STANDARD.encode(hmac::sign(&key, signed)))
        }
        Scheme::Ed25519 => format!("v1a,{}", STANDARD.encode(pair(secret.bytes()).sign(signed))),
    }
}

/// The public key `whpk_…` that verifies ed25519 signatures. `None` for a shared secret.
#[must_use]
pub fn public_key(secret: &Secret) -> Option<String> {
    match secret.scheme() {
        Scheme::Hmac => None,
        Scheme::Ed25519 => Some(format!("whpk_{}", STANDARD.encode(pair(secret.bytes()).public_key()))),
    }
}

/// The [`public_key`] of a stored secret. An encrypted secret has it beside its ciphertext.
#[must_use]
pub fn stored_public_key(secret: &StoredSecret) -> Option<String> {
    match secret {
        StoredSecret::Plain(secret) => public_key(secret),
        StoredSecret::Encrypted(encrypted) => encrypted.public_key.clone(),
    }
}

fn pair(seed: &[u8]) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(seed)
        .expect("a secret of this scheme has 32 bytes: it was checked when read")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_is_that_of_the_specification() {
        check(
            &["whsec_plJ3nmyCDGBKInavdOK15jsl"],
            "msg_loFOjxBNrRLzqYUf",
            1_731_705_121,
            r#"{"event_type":"ping","data":{"success":true}}"#,
            "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
        );
    }

    #[test]
    fn ed25519_is_that_of_another_implementation() {
        // The test vector of svix's server for asymmetric keys.
        let secret =
            "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
        check(
            &[secret],
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
            "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==",
        );
        let public = public_key(&Secret::parse(secret).unwrap());
        assert_eq!(public.as_deref(), Some("whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="));
    }

    #[test]
    fn every_secret_signs_and_the_newest_comes_first() {
        let secrets =
            ["whsec_AAAA", "whsec_plJ3nmyCDGBKInavdOK15jsl"].map(|secret| Secret::parse(secret).unwrap());
        let at = Timestamp::from_second(1_731_705_121).unwrap();
        let header = sign(secrets.iter(), "msg_1", at, b"{}");
        let alone = sign(secrets[1..].iter(), "msg_1", at, b"{}");
        let (first, second) = header.split_once(' ').unwrap();
        assert!(first.starts_with("v1,") && second == alone && first != second);
    }

    #[track_caller]
    fn check(secrets: &[&str], id: &str, second: i64, body: &str, expected: &str) {
        let secrets: Vec<Secret> = secrets.iter().map(|secret| Secret::parse(secret).unwrap()).collect();
        let at = Timestamp::from_second(second).unwrap();
        assert_eq!(sign(secrets.iter(), id, at, body.as_bytes()), expected);
    }
}
