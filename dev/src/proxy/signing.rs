//! New signatures for changed calls. The local cloud checks the caller's rights.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use hyper::HeaderMap;
use hyper::header::{HOST, HeaderName, HeaderValue};
use hyper::http::request::Parts;

use super::caller::Caller;
use cli::local_cloud::State;

/// The headers of a call, signed over this body with the caller's credentials. `None` if signing fails.
pub(super) fn sign_again(
    head: &Parts,
    body: &[u8],
    service: &str,
    caller: Option<&Caller>,
) -> Option<HeaderMap> {
    let state = State::load().ok()??;
    let identity = caller.and_then(Caller::credentials).unwrap_or_else(|| {
        Credentials::new(
            state.access_key_id.clone(),
            state.secret_access_key.expose().clone(),
            None,
            None,
            "local",
        )
    });
    let identity = identity.into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(&state.region)
        .name(service)
        .time(SystemTime::from(runtime::now()))
        .settings(SigningSettings::default())
        .build()
        .ok()?
        .into();
    let mut headers = head.headers.clone();
    for name in ["authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"] {
        headers.remove(name);
    }
    let header = |name: &str| Some((name.to_owned(), headers.get(name)?.to_str().ok()?.to_owned()));
    let signed: Vec<(String, String)> =
        ["host", "content-type", "x-amz-target"].iter().filter_map(|name| header(name)).collect();
    let host = headers.get(HOST)?.to_str().ok()?;
    let uri = format!("http://{host}{}", head.uri.path_and_query()?.as_str());
    let pairs = signed.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let request = SignableRequest::new(head.method.as_str(), uri, pairs, SignableBody::Bytes(body)).ok()?;
    let (instructions, _) = sign(request, &params).ok()?.into_parts();
    for (name, value) in instructions.headers() {
        headers.insert(HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?);
    }
    Some(headers)
}
