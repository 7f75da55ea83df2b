//! The local token issuer: an OpenID Connect provider on 127.0.0.1 that signs any claims.
//!
//! Its key is in `.local/issuer.der`. The capture server publishes the public key, and `carillon-dev token` signs with the
//! private key.

use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cli::error::Error;
use cli::local_cloud::FOLDER;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::python;

/// The audience of its tokens: the template's default.
pub(crate) const AUDIENCE: &str = "carillon";

/// Generates the key if none exists.
///
/// # Errors
/// The script of the local cloud's Python environment failed.
pub(super) fn prepare() -> Result<(), Error> {
    let path = file();
    if path.exists() {
        return Ok(());
    }
    let mut command = Command::new(Path::new(FOLDER).join("ministack/bin/python"));
    command.args(["-c", include_str!("../../scripts/issuer_key.py")]).arg(&path);
    python::run(command, &[], "no key was made for the local issuer of tokens").map(drop)
}

/// The document at `/.well-known/openid-configuration`, with the required members.
///
/// Source: OpenID Connect Discovery 1.0, section 3.
pub(crate) fn discovery(issuer: &str) -> Value {
    json!({
        "issuer": issuer, "jwks_uri": format!("{issuer}/jwks.json"), "response_types_supported": ["token"],
        "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"],
    })
}

/// The public key as a JWK set (RFC 7517); an empty set without a key.
pub(crate) fn keys() -> Value {
    let key = read().map(|key| {
        let PublicKeyComponents { n, e } = public(&key);
        let [n, e] = [n, e].map(|number| URL_SAFE_NO_PAD.encode(number));
        json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid(&key), "n": n, "e": e })
    });
    json!({ "keys": key.ok().into_iter().collect::<Vec<_>>() })
}

/// Signs a token (RFC 7519) with these claims.
///
/// # Errors
/// The key is missing or broken.
pub(crate) fn sign(claims: &Value) -> Result<String, Error> {
    let key = read()?;
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text =
        format!("{}.{}", part(&json!({ "alg": "RS256", "typ": "JWT", "kid": kid(&key) })), part(claims));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
        .map_err(|_| Error::Cloud("the local issuer's key does not sign".to_owned()))?;
    Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

fn read() -> Result<RsaKeyPair, Error> {
    let path = file();
    if !path.exists() {
        return Err(Error::usage("there is no local issuer of tokens", "`make up` starts it"));
    }
    let der = std::fs::read(&path).map_err(|error| Error::read(&path, error))?;
    let broken = |_| Error::usage(format!("{} is no key", path.display()), "remove it and run `make up`");
    RsaKeyPair::from_pkcs8(&der).map_err(broken)
}

/// The key's id: a hash of its modulus.
fn kid(key: &RsaKeyPair) -> String {
    let hash = Sha256::digest(public(key).n);
    URL_SAFE_NO_PAD.encode(&hash[..8])
}

fn public(key: &RsaKeyPair) -> PublicKeyComponents<Vec<u8>> {
    key.public().into()
}

fn file() -> PathBuf {
    Path::new(FOLDER).join("issuer.der")
}
