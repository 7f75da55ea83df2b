//! Registers devices: a platform's device token becomes an SNS endpoint, which stays the same when the
//! token changes.

use aws::{CallError, Verdict};
use aws_sdk_sns::Client;
use aws_sdk_sns::config::Builder;
use aws_sdk_sns::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_sns::operation::create_platform_endpoint::CreatePlatformEndpointError;
use aws_types::SdkConfig;
use domain::recipient::Platform;

/// The longest token that SNS accepts, in bytes.
///
/// Source: SNS API reference, `CreatePlatformEndpoint`. Google's tokens have about 160 bytes, Apple's 64
/// hex digits.
pub const MAX_TOKEN_BYTES: usize = 2_048;

/// How often registration restarts when the endpoint is deleted at the same time.
const ROUNDS: usize = 3;

/// The platform applications of one app: one ARN for each platform.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applications {
    pub apns: Option<String>,
    pub apns_sandbox: Option<String>,
    pub fcm: Option<String>,
}

/// The device registration of SNS.
pub struct Devices {
    client: Client,
    applications: Applications,
}

/// Why a device has no endpoint.
#[derive(Debug, thiserror::Error)]
pub enum Unregistered {
    /// An operator has configured no application for the platform. The caller cannot fix this.
    #[error("there is no platform application for this platform; set the template's parameter for it")]
    NoApplication,
    /// The token is malformed or belongs to another platform. The error does not quote the token.
    #[error("the token is not one that the platform gives")]
    BadToken,
    #[error(transparent)]
    Refused(#[from] CallError),
}

impl Applications {
    /// Reads the ARNs from `APNS_APPLICATION_ARN`, `APNS_SANDBOX_APPLICATION_ARN` and
    /// `FCM_APPLICATION_ARN`.
    #[must_use]
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Applications {
        Applications {
            apns: variable("APNS_APPLICATION_ARN"),
            apns_sandbox: variable("APNS_SANDBOX_APPLICATION_ARN"),
            fcm: variable("FCM_APPLICATION_ARN"),
        }
    }

    #[must_use]
    pub fn of(&self, platform: Platform) -> Option<&str> {
        match platform {
            Platform::Apns => self.apns.as_deref(),
            Platform::ApnsSandbox => self.apns_sandbox.as_deref(),
            Platform::Fcm => self.fcm.as_deref(),
        }
    }
}

impl Devices {
    /// Creates the client with the SDK's retries, because all calls are idempotent.
    #[must_use]
    pub fn new(config: &SdkConfig, applications: Applications) -> Devices {
        Devices { client: Client::from_conf(Builder::from(config).build()), applications }
    }

    /// Creates an instance with an existing client, for tests.
    #[must_use]
    pub fn with_client(client: Client, applications: Applications) -> Devices {
        Devices { client, applications }
    }

    /// Returns the enabled endpoint of the app with this token. `known` is the device's earlier
    /// endpoint, which keeps its name and gets the new token. A repeat changes no state.
    ///
    /// # Errors
    /// [`Unregistered`] says whether the caller or an operator must act.
    ///
    /// Source: SNS Developer Guide, "Create a platform endpoint and manage device tokens": create, read,
    /// set token and `Enabled` where either differs, and create a deleted endpoint again.
    pub async fn register(
        &self,
        platform: Platform,
        token: &str,
        known: Option<&str>,
    ) -> Result<String, Unregistered> {
        let Some(application) = self.applications.of(platform) else {
            return Err(Unregistered::NoApplication);
        };
        if token.is_empty()
            || token.len() > MAX_TOKEN_BYTES
            || !token.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(Unregistered::BadToken);
        }
        // Only an endpoint of this application may get the token.
        let mut known = known.filter(|known| is_of(known, application)).map(str::to_owned);
        for _ in 0..ROUNDS {
            let endpoint = match known.take() {
                Some(known) => known,
                None => self.create(application, token).await?,
            };
            if self.refresh(&endpoint, token).await? {
                return Ok(endpoint);
            }
        }
        let source = "the endpoint was deleted again and again".into();
        Err(CallError { doing: "register a device", verdict: Verdict::Transient, source }.into())
    }

    /// Deletes an endpoint. A missing endpoint is no error.
    ///
    /// # Errors
    /// SNS refused the call.
    pub async fn remove(&self, endpoint: &str) -> Result<(), CallError> {
        remove(&self.client, endpoint).await
    }

    /// Creates the endpoint of this token or finds the existing one. The endpoint may be disabled.
    async fn create(&self, application: &str, token: &str) -> Result<String, Unregistered> {
        let call = self.client.create_platform_endpoint().platform_application_arn(application).token(token);
        match call.send().await {
            Ok(made) => Ok(made.endpoint_arn().unwrap_or_default().to_owned()),
            Err(error) => match existing(&error) {
                Some(endpoint) => Ok(endpoint),
                None if is_bad_token(&error) => Err(Unregistered::BadToken),
                None => Err(CallError::new("register a device", error).into()),
            },
        }
    }

    /// Gives the endpoint the token and enables it. Returns `false` if the endpoint does not exist.
    async fn refresh(&self, endpoint: &str, token: &str) -> Result<bool, Unregistered> {
        let found = match self.client.get_endpoint_attributes().endpoint_arn(endpoint).send().await {
            Ok(found) => found,
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|service_error| service_error.is_not_found_exception()) =>
            {
                return Ok(false);
            }
            Err(error) => return Err(CallError::new("look at a device", error).into()),
        };
        let attribute =
            |name: &str| found.attributes().and_then(|attributes| attributes.get(name)).map(String::as_str);
        if attribute("Token") == Some(token) && attribute("Enabled") == Some("true") {
            return Ok(true);
        }
        let call = self.client.set_endpoint_attributes().endpoint_arn(endpoint);
        match call.attributes("Token", token).attributes("Enabled", "true").send().await {
            Ok(_) => Ok(true),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|service_error| service_error.is_not_found_exception()) =>
            {
                Ok(false)
            }
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|service_error| service_error.is_invalid_parameter_exception()) =>
            {
                Err(Unregistered::BadToken)
            }
            Err(error) => Err(CallError::new("refresh a device", error).into()),
        }
    }
}

/// Deletes an endpoint. SNS reports success for a missing one.
pub(crate) async fn remove(client: &Client, endpoint: &str) -> Result<(), CallError> {
    let sent = client.delete_endpoint().endpoint_arn(endpoint).send().await;
    sent.map(drop).map_err(|error| CallError::new("delete a device's endpoint", error))
}

/// Whether an endpoint belongs to this application: `…:app/GCM/shop` has `…:endpoint/GCM/shop/<id>`.
fn is_of(endpoint: &str, application: &str) -> bool {
    let Some((place, name)) = application.split_once(":app/") else { return false };
    endpoint
        .strip_prefix(place)
        .and_then(|rest| rest.strip_prefix(":endpoint/"))
        .is_some_and(|text| text.strip_prefix(name).is_some_and(|rest| rest.starts_with('/')))
}

/// The endpoint that SNS names when it refuses a second one for a token.
fn existing(error: &SdkError<CreatePlatformEndpointError>) -> Option<String> {
    let said = error
        .as_service_error()
        .filter(|service_error| service_error.is_invalid_parameter_exception())?
        .message()?;
    let (_, rest) = said.split_once("Endpoint ")?;
    let (endpoint, after) = rest.split_once(' ')?;
    (endpoint.starts_with("arn:") && after.contains("already exists")).then(|| endpoint.to_owned())
}

/// Other invalid parameters mean the token, because the application comes from the template.
fn is_bad_token(error: &SdkError<CreatePlatformEndpointError>) -> bool {
    error.as_service_error().is_some_and(|service_error| {
        service_error.is_invalid_parameter_exception()
            && service_error
                .message()
                .is_some_and(|message| message.contains("Token") || message.contains("token"))
    })
}

#[cfg(test)]
mod tests;
