//! Amazon SNS, as two channels need it: one message to one phone number, or to one app on one device; and how a device
//! becomes an endpoint that can be written to.
//!
//! It knows how SNS is asked and what its answers mean; what is said is its callers' business.

use aws_sdk_sns::Client;
use aws_sdk_sns::config::Builder;
use aws_sdk_sns::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_sns::operation::publish::PublishError;
use aws_sdk_sns::types::MessageAttributeValue;
use aws_types::SdkConfig;
use domain::outcome::{Failure, Reason, Sent};

#[cfg(test)]
mod canned;
mod devices;

pub use devices::{Applications, Devices, MAX_TOKEN_BYTES, Unregistered};

/// The service.
pub struct Sns {
    client: Client,
}

/// Where a message goes.
#[derive(Clone, Copy)]
pub enum Target<'a> {
    /// A phone number: `+` and digits.
    Phone(&'a str),
    /// The ARN of an endpoint: one app on one device.
    Device(&'a str),
}

/// What SNS is asked to publish. No `Debug`: it holds an address and what somebody is told.
pub struct Message<'a> {
    pub target: Target<'a>,
    /// For a phone the text itself, for a device a JSON object with a payload for each platform.
    pub text: &'a str,
    pub attributes: Vec<Attribute>,
}

/// How a message is to be handled. SNS reads it; the recipient does not see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    pub name: &'static str,
    pub kind: Kind,
    pub value: String,
}

/// The data types that SNS's own attributes have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Number,
}

impl Sns {
    /// The SDK's own retries are off: whether a message may go out twice is the ledger's decision.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Sns {
        let config = Builder::from(config).retry_config(aws::never_again()).build();
        Sns { client: Client::from_conf(config) }
    }

    /// For tests.
    #[must_use]
    pub fn with_client(client: Client) -> Sns {
        Sns { client }
    }

    /// Asks SNS once.
    ///
    /// # Errors
    /// [`Failure`] says who acts on it.
    pub async fn publish(&self, message: &Message<'_>) -> Result<Sent, Failure> {
        let mut call = self.client.publish().message(message.text);
        call = match message.target {
            Target::Phone(number) => call.phone_number(number),
            Target::Device(arn) => call.target_arn(arn).message_structure("json"),
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

/// For whoever writes to devices, and meets one that is gone.
impl Sns {
    /// Deletes an endpoint. What is not there any more is fine.
    ///
    /// # Errors
    /// SNS did not do it.
    pub async fn forget(&self, endpoint: &str) -> Result<(), aws::Refused> {
        devices::remove(&self.client, endpoint).await
    }
}

/// What is SNS's own: a device or a phone that is not to be written to any more.
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
        // The app's certificate or key has run out: an operator mends it, and the devices are well.
        (None, Some(it)) if it.is_platform_application_disabled_exception() => {
            Err(Failure::Transient(Box::new(error)))
        }
        (None, Some(_) | None) => aws::classify_send(error),
    }
}

/// Disabled, because the platform said that the app is gone; or deleted, which SNS reports as a parameter it cannot use.
fn is_dead(error: &PublishError) -> bool {
    error.is_endpoint_disabled_exception()
        || error.is_not_found_exception()
        || (is_invalid(error) && says(error, "no endpoint found"))
}

/// SNS has no error of its own for it.
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
