//! The local issuer of tokens: an OpenID Connect provider that believes whatever it is told, on 127.0.0.1 alone.
//!
//! Its key lies in `.local/issuer.der`. The capture server shows the public half where API Gateway looks for it, and
//! `carillon token` signs with the other.

use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::error::Error;

use super::state::FOLDER;

/// For whom its tokens are: the template's default.
pub(crate) const AUDIENCE: &str = "carillon";

/// Makes the key, if there is none.
pub(super) fn prepare() -> Result<(), Error> {
    let path = file();
    if path.exists() {
        return Ok(());
    }
    // ring signs with RSA keys and makes none; the local cloud's own environment can.
    let script = "import os, sys
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
der = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
with os.fdopen(os.open(sys.argv[1] + '.new', os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'wb') as file:
    file.write(der)
os.rename(sys.argv[1] + '.new', sys.argv[1])";
    let python = Path::new(FOLDER).join("ministack/bin/python");
    let made = Command::new(&python)
        .args(["-c", script])
        .arg(&path)
        .output()
        .map_err(|error| Error::read(&python, error))?;
    match made.status.success() {
        true => Ok(()),
        false => {
            let said = String::from_utf8_lossy(&made.stderr).into_owned();
            Err(Error::Cloud(format!("no key was made for the local issuer of tokens: {said}")))
        }
    }
}

/// What stands at `/.well-known/openid-configuration`, as far as anybody asks.
///
/// Source: OpenID Connect Discovery 1.0, section 3.
pub(super) fn discovery(issuer: &str) -> Value {
    json!({
        "issuer": issuer, "jwks_uri": format!("{issuer}/jwks.json"), "response_types_supported": ["token"],
        "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"],
    })
}

/// The public key (RFC 7517); none, while there is no key.
pub(super) fn keys() -> Value {
    let key = read().map(|key| {
        let PublicKeyComponents { n, e } = public(&key);
        let [n, e] = [n, e].map(|it| URL_SAFE_NO_PAD.encode(it));
        json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid(&key), "n": n, "e": e })
    });
    json!({ "keys": key.ok().into_iter().collect::<Vec<_>>() })
}

/// A signed token (RFC 7519).
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
    let broken = |_| Error::usage(format!("{} is no key", path.display()), "remove it and `make up` again");
    RsaKeyPair::from_pkcs8(&der).map_err(broken)
}

/// A key is called by the hash of its modulus.
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
