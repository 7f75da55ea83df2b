//! Devices: what a platform calls an app on a phone becomes what SNS calls it, and stays that while the token changes.

use aws::{Refused, Verdict};
use aws_sdk_sns::Client;
use aws_sdk_sns::config::Builder;
use aws_sdk_sns::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_sns::operation::create_platform_endpoint::CreatePlatformEndpointError;
use aws_types::SdkConfig;
use domain::recipient::Platform;

/// SNS takes no longer one, in bytes.
///
/// Source: SNS API reference, `CreatePlatformEndpoint`; Google's tokens have about 160 bytes, Apple's 64 hex digits.
pub const MAX_TOKEN_BYTES: usize = 2_048;

/// How often a device is registered anew that is deleted in the very moment.
const ROUNDS: usize = 3;

/// The platform applications of one app: an ARN for each platform that it is on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applications {
    pub apns: Option<String>,
    pub apns_sandbox: Option<String>,
    pub fcm: Option<String>,
}

/// SNS, as devices are registered with it.
pub struct Devices {
    client: Client,
    applications: Applications,
}

/// Why a device has no endpoint.
#[derive(Debug, thiserror::Error)]
pub enum Unregistered {
    /// Whoever registers it cannot mend that: an operator has named no application for the platform.
    #[error("there is no platform application for this platform; set the template's parameter for it")]
    NoApplication,
    /// It is none, or none of this platform. The token is not repeated.
    #[error("the token is not one that the platform gives")]
    BadToken,
    #[error(transparent)]
    Refused(#[from] Refused),
}

impl Applications {
    /// Reads the ARNs by the names that functions have them under: `APNS_APPLICATION_ARN`, `APNS_SANDBOX_APPLICATION_ARN`
    /// and `FCM_APPLICATION_ARN`.
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
    /// With the SDK's own retries: doing any of it twice is doing it once.
    #[must_use]
    pub fn new(config: &SdkConfig, applications: Applications) -> Devices {
        Devices { client: Client::from_conf(Builder::from(config).build()), applications }
    }

    /// For tests.
    #[must_use]
    pub fn with_client(client: Client, applications: Applications) -> Devices {
        Devices { client, applications }
    }

    /// The endpoint that reaches the app with this token, and is enabled. `known` is the endpoint that the device had
    /// before, if it had one: it keeps its name and gets the new token. Doing it again changes nothing.
    ///
    /// # Errors
    /// [`Unregistered`] says whose matter it is.
    ///
    /// Source: SNS Developer Guide, "Create a platform endpoint and manage device tokens": create, look, and set token and
    /// `Enabled` where either differs; create anew what was deleted meanwhile.
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
        // Only what belongs to this application may be given this token.
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
        Err(Refused { doing: "register a device", verdict: Verdict::Transient, source }.into())
    }

    /// Deletes an endpoint. What is not there any more is fine.
    ///
    /// # Errors
    /// SNS did not do it.
    pub async fn remove(&self, endpoint: &str) -> Result<(), Refused> {
        remove(&self.client, endpoint).await
    }

    /// The endpoint of this token, made now or before; whether it is enabled only a look tells.
    async fn create(&self, application: &str, token: &str) -> Result<String, Unregistered> {
        let call = self.client.create_platform_endpoint().platform_application_arn(application).token(token);
        match call.send().await {
            Ok(made) => Ok(made.endpoint_arn().unwrap_or_default().to_owned()),
            Err(error) => match existing(&error) {
                Some(endpoint) => Ok(endpoint),
                None if is_bad_token(&error) => Err(Unregistered::BadToken),
                None => Err(Refused::new("register a device", error).into()),
            },
        }
    }

    /// Sees to it that the endpoint has the token and is enabled. `false`: it is not there.
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
            Err(error) => return Err(Refused::new("look at a device", error).into()),
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
            Err(error) => Err(Refused::new("refresh a device", error).into()),
        }
    }
}

/// Deletes an endpoint; SNS says yes to what is not there.
pub(crate) async fn remove(client: &Client, endpoint: &str) -> Result<(), Refused> {
    let sent = client.delete_endpoint().endpoint_arn(endpoint).send().await;
    sent.map(drop).map_err(|error| Refused::new("delete a device's endpoint", error))
}

/// Whether an endpoint is one of this application: `…:app/GCM/shop` has `…:endpoint/GCM/shop/<id>`.
fn is_of(endpoint: &str, application: &str) -> bool {
    let Some((place, name)) = application.split_once(":app/") else { return false };
    endpoint
        .strip_prefix(place)
        .and_then(|rest| rest.strip_prefix(":endpoint/"))
        .is_some_and(|it| it.strip_prefix(name).is_some_and(|rest| rest.starts_with('/')))
}

/// The endpoint that SNS names where it refuses to make a second one of a token.
fn existing(error: &SdkError<CreatePlatformEndpointError>) -> Option<String> {
    let said = error
        .as_service_error()
        .filter(|service_error| service_error.is_invalid_parameter_exception())?
        .message()?;
    let (_, rest) = said.split_once("Endpoint ")?;
    let (endpoint, after) = rest.split_once(' ')?;
    (endpoint.starts_with("arn:") && after.contains("already exists")).then(|| endpoint.to_owned())
}

/// What else SNS calls an invalid parameter is the token: the application is an operator's, and comes from the template.
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
