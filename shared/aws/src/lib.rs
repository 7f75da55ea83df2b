//! Configures all AWS clients and classifies their errors.
//!
//! This crate links no SDK. It sets one TLS stack (rustls with ring), one HTTP client for all services,
//! Amazon's roots instead of the system's, and credentials from the environment. ARCHITECTURE.md gives
//! the reasons and costs.

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
use domain::base::sensitive::Sensitive;

mod error;

pub use error::{CallError, THROTTLE_PAUSE, Verdict, chain, classify_call, classify_send};

/// The root certificates of AWS endpoints.
///
/// Source: Amazon Trust Services, <https://www.amazontrust.com/repository/>.
const AMAZON_ROOTS: [&[u8]; 5] = [
    include_bytes!("../roots/amazon-root-ca-1.pem"),
    include_bytes!("../roots/amazon-root-ca-2.pem"),
    include_bytes!("../roots/amazon-root-ca-3.pem"),
    include_bytes!("../roots/amazon-root-ca-4.pem"),
    include_bytes!("../roots/starfield-services-root-g2.pem"),
];

/// The variable of another endpoint for all services. With `_` and a service name appended it holds for
/// that service.
const ENDPOINT: &str = "AWS_ENDPOINT_URL";

/// The services that our processes call, as named in their variables.
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

/// The settings of all AWS clients in a process.
#[derive(Clone)]
pub struct Settings {
    pub region: String,
    pub access_key_id: String,
    pub secret_access_key: Sensitive<String>,
    pub session_token: Option<Sensitive<String>>,
    /// Another endpoint for all services (`AWS_ENDPOINT_URL`), such as the local cloud or a proxy.
    pub endpoint_url: Option<String>,
    /// Other endpoints by service, named as in the variable: `SNS` for `AWS_ENDPOINT_URL_SNS`. They take
    /// precedence over `endpoint_url`.
    pub service_endpoints: BTreeMap<String, String>,
    /// PEM root certificates that replace Amazon's, for an endpoint with its own certificate.
    pub roots: Option<Vec<u8>>,
}

/// A missing variable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    #[error("{0} is not set")]
    Variable(&'static str),
    #[error("the roots in {path} cannot be read")]
    Roots { path: String },
}

impl Settings {
    /// Reads the variables that Lambda sets for every function. `CARILLON_CA_FILE` names a PEM file of
    /// root certificates that replace Amazon's.
    ///
    /// # Errors
    /// [`Missing`] names the absent variable.
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
            secret_access_key: required("AWS_SECRET_ACCESS_KEY")?.into(),
            session_token: variable("AWS_SESSION_TOKEN")
                .filter(|variable| !variable.is_empty())
                .map(Sensitive::new),
            endpoint_url: variable(ENDPOINT).filter(|variable| !variable.is_empty()),
            service_endpoints: SERVICES
                .into_iter()
                .filter_map(|service| Some((service.to_owned(), variable(&format!("{ENDPOINT}_{service}"))?)))
                .filter(|(_, url)| !url.is_empty())
                .collect(),
            roots,
        })
    }

    /// Creates the configuration of all SDK clients.
    #[must_use]
    pub fn config(self) -> SdkConfig {
        let credentials = Credentials::new(
            self.access_key_id,
            self.secret_access_key.into_exposed(),
            self.session_token.map(Sensitive::into_exposed),
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

/// Answers a client's question whether its service has its own endpoint.
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

/// Creates the HTTP client of all services in a process: rustls with ring, trusting Amazon's roots or
/// only `roots`.
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

/// An HTTP client that creates its connector on first use.
///
/// The inner client creates and drops a connector for every SDK client in order to load system
/// certificates early. There are none to load here, and parsing Amazon's roots costs a quarter of a
/// million instructions.
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

/// The retry settings of calls that are safe to repeat. Sends to a provider use [`no_retries`] instead.
///
/// Source: AWS SDK for Rust developer guide, "Retries": standard mode.
#[must_use]
pub fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(3)
        .with_initial_backoff(Duration::from_millis(50))
        .with_max_backoff(Duration::from_secs(1))
}

/// The retry settings of sends. A repeat could notify a recipient twice, so only the ledger may decide
/// about it.
#[must_use]
pub fn no_retries() -> RetryConfig {
    RetryConfig::disabled()
}

/// The timeouts of a call. A hanging call must leave time to settle the rest of the batch within a
/// function's 30 s.
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
            Some(name.to_owned()).filter(|name| name != "AWS_SECRET_ACCESS_KEY" && name != "CARILLON_CA_FILE")
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
