//! Amazon SNS for two channels: messages to a phone number or to an app on a device, and device
//! registration.
//!
//! The crate handles calls and errors. The content of messages comes from its callers.

use aws_sdk_sns::Client;
use aws_sdk_sns::config::Builder;
use aws_sdk_sns::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_sns::operation::publish::PublishError;
use aws_sdk_sns::types::MessageAttributeValue;
use aws_types::SdkConfig;
use domain::base::outcome::{Failure, Reason, Sent};
use domain::base::sensitive::Sensitive;

#[cfg(test)]
mod canned;
mod devices;

pub use devices::{Applications, Devices, MAX_TOKEN_BYTES, Unregistered};

/// The SNS client.
pub struct Sns {
    client: Client,
}

/// The destination of a message.
#[derive(Clone, Copy)]
pub enum Target<'a> {
    /// A phone number: `+` and digits.
    Phone(Sensitive<&'a str>),
    /// The ARN of an endpoint, which is one app on one device.
    Device(Sensitive<&'a str>),
}

/// A message to publish.
pub struct Message<'a> {
    pub target: Target<'a>,
    /// The text for a phone. For a device, a JSON object with a payload for each platform.
    pub text: Sensitive<&'a str>,
    pub attributes: Vec<Attribute>,
}

/// A delivery option of a message. SNS reads it, and the recipient does not see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    pub name: &'static str,
    pub kind: Kind,
    pub value: String,
}

/// The data types of SNS attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Number,
}

impl Sns {
    /// Creates the client without the SDK's retries, because only the ledger decides about a second
    /// send.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Sns {
        let config = Builder::from(config).retry_config(aws::no_retries()).build();
        Sns { client: Client::from_conf(config) }
    }

    /// Creates an instance with an existing client, for tests.
    #[must_use]
    pub fn with_client(client: Client) -> Sns {
        Sns { client }
    }

    /// Publishes once.
    ///
    /// # Errors
    /// [`Failure`] names the reaction.
    pub async fn publish(&self, message: &Message<'_>) -> Result<Sent, Failure> {
        let mut call = self.client.publish().message(*message.text.expose());
        call = match message.target {
            Target::Phone(number) => call.phone_number(*number.expose()),
            Target::Device(arn) => call.target_arn(*arn.expose()).message_structure("json"),
        };
        for attribute in &message.attributes {
            let kind = match attribute.kind {
                Kind::Text => "String",
                Kind::Number => "Number",
            };
            let value =
                MessageAttributeValue::builder().data_type(kind).string_value(&attribute.value).build();
            call = call.message_attributes(
                attribute.name,
                value.expect("a type and a value are all that an attribute needs"),
            );
        }
        match call.send().await {
            Ok(answer) => {
                Ok(Sent::Accepted { provider_id: answer.message_id().unwrap_or_default().to_owned() })
            }
            Err(error) => classify(error, message.target),
        }
    }
}

/// Operations for senders that find an unregistered device.
impl Sns {
    /// Deletes an endpoint. A missing endpoint is no error.
    ///
    /// # Errors
    /// SNS refused the call.
    pub async fn forget(&self, endpoint: &str) -> Result<(), aws::CallError> {
        devices::remove(&self.client, endpoint).await
    }
}

/// Classifies errors that are specific to SNS: a device or a phone that must not be used again.
///
/// Source: SNS API reference, `Publish`, errors.
fn classify(error: SdkError<PublishError>, target: Target<'_>) -> Result<Sent, Failure> {
    let reason = error.as_service_error().map(|service_error| match target {
        Target::Device(_) if is_dead(service_error) => Some(Reason::DeadToken),
        Target::Phone(_) if is_opted_out(service_error) => Some(Reason::OptedOut),
        Target::Device(_) | Target::Phone(_) => None,
    });
    match (reason.flatten(), error.as_service_error()) {
        (Some(reason), _) => Err(Failure::Permanent { reason, source: Box::new(error) }),
        // The app's certificate or key has expired. An operator renews it, and the devices stay valid.
        (None, Some(service_error)) if service_error.is_platform_application_disabled_exception() => {
            Err(Failure::Transient(Box::new(error)))
        }
        (None, Some(_) | None) => aws::classify_send(error),
    }
}

/// Whether the endpoint is disabled, because the platform reported the app as removed, or deleted. SNS
/// reports a deleted endpoint as an invalid parameter.
fn is_dead(error: &PublishError) -> bool {
    error.is_endpoint_disabled_exception()
        || error.is_not_found_exception()
        || (is_invalid(error) && says(error, "no endpoint found"))
}

/// Whether the phone has opted out. SNS has no own error type for it.
fn is_opted_out(error: &PublishError) -> bool {
    error.code().is_some_and(|code| code.starts_with("OptedOut"))
        || (is_invalid(error) && says(error, "opted out"))
}

fn is_invalid(error: &PublishError) -> bool {
    error.is_invalid_parameter_exception() || error.is_invalid_parameter_value_exception()
}

fn says(error: &PublishError, words: &str) -> bool {
    error.message().is_some_and(|message| message.to_lowercase().contains(words))
}

#[cfg(test)]
mod tests;
