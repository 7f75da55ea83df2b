//! How every AWS client of ours is configured, and how the errors of all of them are sorted.
//!
//! It links no SDK. One TLS stack (rustls with ring), one HTTP client for all services, Amazon's own roots instead of
//! the system's bundle, credentials from the environment: ADR 0024 says why, and what it costs.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

mod error;

pub use error::{Refused, THROTTLE_PAUSE, Verdict, chain, classify_call, classify_send};

/// The roots that AWS endpoints are signed by.
///
/// Source: Amazon Trust Services, <https://www.amazontrust.com/repository/>.
const AMAZON_ROOTS: [&[u8]; 5] = [
    include_bytes!("../roots/amazon-root-ca-1.pem"),
    include_bytes!("../roots/amazon-root-ca-2.pem"),
    include_bytes!("../roots/amazon-root-ca-3.pem"),
    include_bytes!("../roots/amazon-root-ca-4.pem"),
    include_bytes!("../roots/starfield-services-root-g2.pem"),
];

/// Another endpoint for every service; with `_` and a service's name behind it, for that service.
const ENDPOINT: &str = "AWS_ENDPOINT_URL";

/// The services that a process of ours may talk to, as their variables name them.
const SERVICES: [&str; 9] = [
    "APIGATEWAYMANAGEMENTAPI",
    "DYNAMODB",
    "DYNAMODB_STREAMS",
    "EVENTBRIDGE",
    "PINPOINT_SMS_VOICE_V2",
    "SESV2",
    "SNS",
    "SOCIALMESSAGING",
    "SQS",
];

/// What the process knows about the AWS it talks to.
#[derive(Clone)]
pub struct Settings {
    pub region: String,
    pub access_key_id: String,
    pub secret_access_key: String,
    pub session_token: Option<String>,
    /// Another endpoint for every service (`AWS_ENDPOINT_URL`): the local cloud, a proxy.
    pub endpoint_url: Option<String>,
    /// Another endpoint for one service, by the service's name in its variable: `SNS` for `AWS_ENDPOINT_URL_SNS`. It
    /// wins over `endpoint_url`.
    pub service_endpoints: BTreeMap<String, String>,
    /// Roots to trust instead of Amazon's, as PEM: for an endpoint with a certificate of its own.
    pub roots: Option<Vec<u8>>,
}

/// A variable that must be there and is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    #[error("{0} is not set")]
    Variable(&'static str),
    #[error("the roots in {path} cannot be read")]
    Roots { path: String },
}

impl Settings {
    /// Reads the variables that Lambda sets for every function. `CARILLON_CA_FILE` names a PEM file of roots to trust
    /// instead of Amazon's.
    ///
    /// # Errors
    /// [`Missing`] names what is absent.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Settings, Missing> {
        let required = |name: &'static str| variable(name).ok_or(Missing::Variable(name));
        let region = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"));
        let roots = match variable("CARILLON_CA_FILE") {
            Some(path) => Some(std::fs::read(&path).map_err(|_| Missing::Roots { path })?),
            None => None,
        };
        Ok(Settings {
            region: region.ok_or(Missing::Variable("AWS_REGION"))?,
            access_key_id: required("AWS_ACCESS_KEY_ID")?,
            secret_access_key: required("AWS_SECRET_ACCESS_KEY")?,
            session_token: variable("AWS_SESSION_TOKEN").filter(|variable| !variable.is_empty()),
            endpoint_url: variable(ENDPOINT).filter(|variable| !variable.is_empty()),
            service_endpoints: SERVICES
                .into_iter()
                .filter_map(|service| Some((service.to_owned(), variable(&format!("{ENDPOINT}_{service}"))?)))
                .filter(|(_, url)| !url.is_empty())
                .collect(),
            roots,
        })
    }

    /// The configuration from which every SDK client is made.
    #[must_use]
    pub fn config(self) -> SdkConfig {
        let credentials = Credentials::new(
            self.access_key_id,
            self.secret_access_key,
            self.session_token,
            None,
            "environment",
        );
        let mut config = SdkConfig::builder()
            .behavior_version(aws_smithy_runtime_api::client::behavior_version::BehaviorVersion::latest())
            .region(Region::new(self.region))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(http_client(self.roots.as_deref()))
            .sleep_impl(TokioSleep::new())
            .retry_config(retries())
            .timeout_config(timeouts())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        config.set_endpoint_url(self.endpoint_url);
        config.set_service_config(Some(ServiceEndpoints(self.service_endpoints)));
        config.build()
    }
}

/// What a client asks when it is made: whether its service has an endpoint of its own.
///
/// Source: AWS SDKs and Tools Reference Guide, "Service-specific endpoints".
#[derive(Debug)]
struct ServiceEndpoints(BTreeMap<String, String>);

impl LoadServiceConfig for ServiceEndpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_uppercase().replace(' ', "_");
        (key.env() == ENDPOINT).then(|| self.0.get(&service).cloned()).flatten()
    }
}

/// One HTTP client for all services of a process: rustls with ring, trusting Amazon's roots or `roots` alone.
#[must_use]
pub fn http_client(roots: Option<&[u8]>) -> SharedHttpClient {
    let trusted = match roots {
        Some(pem) => TrustStore::empty().with_pem_certificate(pem),
        None => AMAZON_ROOTS.into_iter().fold(TrustStore::empty(), TrustStore::with_pem_certificate),
    };
    let tls = TlsContext::builder()
        .with_trust_store(trusted)
        .build()
        .expect("a trust store is all that a TLS context needs");
    let client = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(tls)
        .build_https();
    SharedHttpClient::new(Unrehearsed(client))
}

/// A client that makes its one connector when it is first used.
///
/// By itself it makes another for every SDK client that is made, only to drop it: so that a system's certificates are
/// read early. There are none here, and reading Amazon's roots is a quarter of a million instructions.
#[derive(Debug)]
struct Unrehearsed(SharedHttpClient);

impl HttpClient for Unrehearsed {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        self.0.http_connector(settings, components)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}

/// For calls that may be repeated without harm. Sends to a provider use [`never_again`] instead.
///
/// Source: AWS SDK for Rust developer guide, "Retries": standard mode.
#[must_use]
pub fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(3)
        .with_initial_backoff(Duration::from_millis(50))
        .with_max_backoff(Duration::from_secs(1))
}

/// For sends: a repeat could reach the recipient twice, and only the ledger may decide that.
#[must_use]
pub fn never_again() -> RetryConfig {
    RetryConfig::disabled()
}

/// A call that hangs must leave time to settle the rest of the batch within a function's 30 s.
#[must_use]
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(5))
        .operation_timeout(Duration::from_secs(12))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_variable_is_named() {
        let all = |name: &str| {
            Some(name.to_owned()).filter(|it| it != "AWS_SECRET_ACCESS_KEY" && it != "CARILLON_CA_FILE")
        };
        let Err(missing) = Settings::read(all) else { panic!("it is missing") };
        assert_eq!(missing, Missing::Variable("AWS_SECRET_ACCESS_KEY"));
    }

    #[test]
    fn a_service_may_live_elsewhere() {
        let variables = |name: &str| match name {
            "CARILLON_CA_FILE" | "AWS_ENDPOINT_URL_SQS" => None,
            "AWS_ENDPOINT_URL" => Some("http://cloud".to_owned()),
            "AWS_ENDPOINT_URL_SNS" => Some("http://elsewhere".to_owned()),
            "AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2" => Some("http://far".to_owned()),
            other => Some(if other.starts_with(ENDPOINT) { "" } else { "x" }.to_owned()),
        };
        let Ok(settings) = Settings::read(variables) else { panic!("everything is there") };
        let config = settings.config();
        let endpoint = |service| {
            let key = ServiceConfigKey::builder().service_id(service).env(ENDPOINT).profile("endpoint_url");
            config.service_config().unwrap().load_config(key.build().unwrap())
        };
        assert_eq!(config.endpoint_url(), Some("http://cloud"));
        assert_eq!(endpoint("SNS").as_deref(), Some("http://elsewhere"));
        assert_eq!(endpoint("Pinpoint SMS Voice V2").as_deref(), Some("http://far"));
        assert_eq!(endpoint("SQS"), None);
        assert_eq!(endpoint("DynamoDB"), None, "an empty variable says nothing");
    }

    #[test]
    fn every_root_is_a_certificate() {
        for pem in AMAZON_ROOTS {
            assert!(pem.starts_with(b"-----BEGIN CERTIFICATE-----"));
        }
    }
}
