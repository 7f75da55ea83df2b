//! HTTP client of the API, with tokens of the local issuer and forged ones.

use std::process::Command;

use serde_json::{Value, json};

use workspace::root;

/// An API caller with a token, valid or not.
pub struct ApiClient {
    pub url: String,
    pub token: String,
    agent: ureq::Agent,
}

/// Status and body of a response.
pub struct ApiResponse {
    pub status: u16,
    pub kind: String,
    pub body: Value,
    pub text: String,
    pub replayed: bool,
    pub retry_after: Option<String>,
}

impl ApiClient {
    pub fn of(user: &str, tenant: &str, role: &str) -> ApiClient {
        let output = Command::new(root().join("target/local/carillon-dev"))
            .args(["--json", "token", "--user", user, "--tenant", tenant, "--role", role])
            .args(["--room", "queue:*"])
            .current_dir(root())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let output: Value = serde_json::from_slice(&output.stdout).unwrap();
        let text = |name: &str| output[name].as_str().unwrap().to_owned();
        ApiClient::with(text("url"), text("token"))
    }

    pub fn with(url: String, token: String) -> ApiClient {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .build();
        ApiClient { url, token, agent: agent.into() }
    }

    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> ApiResponse {
        let body = body.map(Value::to_string).unwrap_or_default();
        self.ask_with(method, path, &body, &[])
    }

    pub fn ask_with(&self, method: &str, path: &str, body: &str, headers: &[(&str, &str)]) -> ApiResponse {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {}", self.token));
        let usual = [("content-type", "application/json")];
        let usual = usual.iter().filter(|(name, _)| headers.iter().all(|(other, _)| other != name));
        for (name, value) in usual.chain(headers) {
            request = request.header(*name, *value);
        }
        let mut answer = match body.is_empty() {
            true => self.agent.run(request.body(()).unwrap()),
            false => self.agent.run(request.body(body.to_owned()).unwrap()),
        }
        .unwrap();
        let header =
            |name: &str| answer.headers().get(name).map(|header| header.to_str().unwrap().to_owned());
        let (kind, replayed) = (header("content-type"), header("idempotent-replayed"));
        let retry_after = header("retry-after");
        let text = answer.body_mut().read_to_string().unwrap();
        ApiResponse {
            status: answer.status().as_u16(),
            kind: kind.unwrap_or_default(),
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
            replayed: replayed.as_deref() == Some("true"),
            retry_after,
        }
    }
}

/// A token that the local issuer would not make. `how` is `rs256`, `none`, `hs256` (with the public key as the secret)
/// or `stranger` (another key under the same name).
pub fn forged(claims: &Value, how: &str) -> String {
    let script = "import base64, hashlib, hmac, json, sys
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
claims, how, kid = sys.argv[1:4]
key = serialization.load_der_private_key(open('.local/issuer.der', 'rb').read(), None)
part = lambda it: base64.urlsafe_b64encode(it).rstrip(b'=')
alg = {'none': 'none', 'hs256': 'HS256'}.get(how, 'RS256')
text = part(json.dumps({'alg': alg, 'typ': 'JWT', 'kid': kid}).encode()) + b'.' + part(claims.encode())
if how == 'none':
    signature = b''
elif how == 'hs256':
    pem = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    signature = hmac.new(pem, text, hashlib.sha256).digest()
else:
    if how == 'stranger':
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    signature = key.sign(text, padding.PKCS1v15(), hashes.SHA256())
print((text + b'.' + part(signature)).decode())";
    let honest = ApiClient::of("x", "x", "member").token;
    let header = part(&honest, 0);
    let output = Command::new(root().join(".local/ministack/bin/python"))
        .args(["-c", script, &claims.to_string(), how, header["kid"].as_str().unwrap()])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Claims of a token, with `others` replacing its own.
pub fn claims(token: &str, others: &Value) -> Value {
    let mut claims = part(token, 1);
    for (name, value) in others.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, item| !item.is_null());
    claims
}

fn part(token: &str, at: usize) -> Value {
    let script = "import base64, sys; print(base64.urlsafe_b64decode(sys.argv[1] + '===').decode())";
    let output =
        Command::new("python3").args(["-c", script, token.split('.').nth(at).unwrap()]).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| json!({}))
}
