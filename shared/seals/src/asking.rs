//! One signed request, and its answer.

use std::convert::Infallible;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws::{Refused, Verdict};
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

/// Another service than its SDK's client asks, at its Region's endpoint or where the configuration leads.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    config: SdkConfig,
    name: &'static str,
    region: String,
    endpoint: String,
    call: Operation<HttpRequest, Answer, Infallible>,
}

/// What is asked. `doing` is for errors.
pub(crate) struct Question<'a> {
    pub(crate) doing: &'static str,
    pub(crate) method: &'static str,
    /// With the query, percent-encoded.
    pub(crate) path: &'a str,
    pub(crate) headers: &'a [(&'static str, String)],
    pub(crate) body: &'a [u8],
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

type Source = Box<dyn std::error::Error + Send + Sync>;

impl Service {
    pub(crate) fn new(config: &SdkConfig, name: &'static str) -> Service {
        let region = config.region().map_or("us-east-1", |it| it.as_ref()).to_owned();
        let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
        let own = || format!("https://{name}.{region}.amazonaws.com{suffix}");
        let endpoint = config.endpoint_url().map_or_else(own, |it| it.trim_end_matches('/').to_owned());
        let call = operation(config, &endpoint, name);
        Service { config: config.clone(), name, region, endpoint, call }
    }

    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    /// # Errors
    /// There was no answer. What the service says itself, whatever the status, is an [`Answer`].
    pub(crate) async fn ask(&self, question: &Question<'_>, now: Timestamp) -> Result<Answer, Refused> {
        let refused = |verdict, source| Refused { doing: question.doing, verdict, source };
        let request = self.signed(question, now).await.map_err(|it| refused(Verdict::Permanent, it))?;
        // Asking twice does no harm: nothing is written over, and a second signature is as good.
        self.call.invoke(request).await.map_err(|it| refused(Verdict::Unanswered, Box::new(it)))
    }

    async fn signed(&self, question: &Question<'_>, now: Timestamp) -> Result<HttpRequest, Source> {
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

impl Answer {
    /// The answer as a refusal, for who has no other use for it.
    pub(crate) fn refuse(self, doing: &'static str, service: &str) -> Refused {
        let verdict = match self.status {
            429 | 503 => Verdict::Throttled,
            500.. => Verdict::Transient,
            401 | 403 => Verdict::Denied,
            _ => Verdict::Permanent,
        };
        let said: String = String::from_utf8_lossy(&self.body).chars().take(300).collect();
        Refused { doing, verdict, source: format!("{service} answered {}: {said}", self.status).into() }
    }
}

fn operation(
    config: &SdkConfig,
    endpoint: &str,
    name: &'static str,
) -> Operation<HttpRequest, Answer, Infallible> {
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
            Ok(Answer {
                status: response.status().as_u16(),
                body: response.body().bytes().unwrap_or_default().to_vec(),
            })
        })
        .build()
}

fn time(now: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(u64::try_from(now.as_second()).unwrap_or(0))
}
