//! Sends signed requests to AWS services without their SDKs. Some services are used for a few calls
//! only, and the SDK would be the largest part of the function.
//!
//! The signer and the HTTP client are already linked for services with an SDK.

use std::convert::Infallible;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws::{CallError, Verdict};
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use domain::Timestamp;
use domain::base::sensitive::Sensitive;

/// A service at its Region's endpoint or at a configured one.
#[derive(Clone, Debug)]
pub struct Service {
    config: SdkConfig,
    name: &'static str,
    region: String,
    endpoint: String,
    call: Operation<HttpRequest, Response, Infallible>,
}

/// A request. `doing` names the operation in errors.
pub struct Request<'a> {
    pub doing: &'static str,
    pub method: &'static str,
    /// The path with its query, percent-encoded.
    pub path: &'a str,
    pub headers: &'a [(&'static str, String)],
    pub body: &'a [u8],
}

/// The service's answer.
pub struct Response {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Sensitive<Vec<u8>>,
}

/// The SDK asks for `Debug` of its operations' outputs.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).finish_non_exhaustive()
    }
}

type Source = Box<dyn std::error::Error + Send + Sync>;

impl Service {
    /// `name` is the service's name in endpoints and signatures, such as `s3`.
    #[must_use]
    pub fn new(config: &SdkConfig, name: &'static str) -> Service {
        let region = config.region().map_or("us-east-1", |region| region.as_ref()).to_owned();
        let endpoint = config
            .endpoint_url()
            .map_or_else(|| own(name, &region), |name| name.trim_end_matches('/').to_owned());
        let call = operation(config, &endpoint, name);
        Service { config: config.clone(), name, region, endpoint, call }
    }

    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Sends the request with the signing time `now`. Repeats it when no answer arrives.
    ///
    /// # Errors
    /// No answer arrived. Every status code of the service is an [`Response`].
    pub async fn ask(&self, question: &Request<'_>, now: Timestamp) -> Result<Response, CallError> {
        let refused = |verdict, source| CallError { doing: question.doing, verdict, source };
        let request = self.signed(question, now).await.map_err(|error| refused(Verdict::Permanent, error))?;
        // A repeat is harmless. No request overwrites data, and a second signature is as good as the
        // first.
        self.call.invoke(request).await.map_err(|error| refused(Verdict::Unanswered, Box::new(error)))
    }

    async fn signed(&self, question: &Request<'_>, now: Timestamp) -> Result<HttpRequest, Source> {
        let mut request = HttpRequest::new(SdkBody::from(question.body));
        request.set_method(question.method)?;
        request.set_uri(question.path)?;
        for (name, value) in question.headers {
            request.headers_mut().insert(*name, value.clone());
        }
        let provider = self.config.credentials_provider().ok_or("there are no credentials")?;
        let identity = provider.provide_credentials().await?.into();
        let mut settings = SigningSettings::default();
        if self.name == "s3" {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(self.name)
            .time(time(now))
            .settings(settings)
            .build()?
            .into();
        let url = format!("{}{}", self.endpoint, question.path);
        let body = SignableBody::Bytes(question.body);
        let signable = SignableRequest::new(question.method, url, request.headers().iter(), body)?;
        let (instructions, _) = sign(signable, &params)?.into_parts();
        for (name, value) in instructions.headers() {
            request.headers_mut().insert(name.to_owned(), value.to_owned());
        }
        Ok(request)
    }
}

impl Response {
    /// The value of a header. `name` is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Turns the answer into an error.
    #[must_use]
    pub fn refuse(self, doing: &'static str, service: &str) -> CallError {
        let verdict = match self.status {
            429 | 503 => Verdict::Throttled,
            500.. => Verdict::Transient,
            401 | 403 => Verdict::Denied,
            _ => Verdict::Permanent,
        };
        let said: String = String::from_utf8_lossy(self.body.expose()).chars().take(300).collect();
        CallError { doing, verdict, source: format!("{service} answered {}: {said}", self.status).into() }
    }
}

/// The service's endpoint in a Region.
fn own(name: &str, region: &str) -> String {
    let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
    format!("https://{name}.{region}.amazonaws.com{suffix}")
}

fn operation(
    config: &SdkConfig,
    endpoint: &str,
    name: &'static str,
) -> Operation<HttpRequest, Response, Infallible> {
    let mut call = Operation::builder()
        .service_name(name)
        .operation_name("Ask")
        .behavior_version(aws_smithy_runtime_api::client::behavior_version::BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .no_auth()
        .standard_retry(&aws::retries())
        .timeout_config(aws::timeouts());
    if let Some(client) = config.http_client() {
        call = call.http_client(client);
    }
    if let Some(sleep) = config.sleep_impl() {
        call = call.sleep_impl(sleep);
    }
    call.serializer(|request: HttpRequest| Ok(request))
        .deserializer(|response: &HttpResponse| {
            let headers = response.headers().iter();
            Ok(Response {
                status: response.status().as_u16(),
                headers: headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect(),
                body: response.body().bytes().unwrap_or_default().to_vec().into(),
            })
        })
        .build()
}

fn time(now: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(u64::try_from(now.as_second()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_where_its_region_has_it() {
        assert_eq!(own("s3", "eu-central-1"), "https://s3.eu-central-1.amazonaws.com");
        assert_eq!(own("s3", "cn-north-1"), "https://s3.cn-north-1.amazonaws.com.cn");
    }
}
