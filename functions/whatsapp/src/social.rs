//! AWS End User Messaging Social.

use aws_sdk_socialmessaging::Client;
use aws_sdk_socialmessaging::config::Builder;
use aws_sdk_socialmessaging::error::SdkError;
use aws_sdk_socialmessaging::operation::send_whats_app_message::SendWhatsAppMessageError;
use aws_sdk_socialmessaging::primitives::Blob;
use aws_types::SdkConfig;
use domain::base::outcome::{Failure, Sent};

use crate::Message;

/// The client and its origination settings.
pub struct Social {
    client: Client,
    from: Origination,
}

/// The sender of messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origination {
    /// The id `phone-number-id-…` or the number's ARN. Without one, messages wait until an operator sets
    /// it.
    pub phone_number_id: Option<String>,
    /// The version of Meta's API, such as `v20.0`.
    pub meta_api_version: String,
}

impl Social {
    /// Creates the client without the SDK's retries, because only the ledger decides about a second
    /// send.
    #[must_use]
    pub fn new(config: &SdkConfig, from: Origination) -> Social {
        let config = Builder::from(config).retry_config(aws::no_retries()).build();
        Social { client: Client::from_conf(config), from }
    }

    /// Creates an instance with an existing client, for tests.
    #[must_use]
    pub fn with_client(client: Client, from: Origination) -> Social {
        Social { client, from }
    }

    /// Calls the service once. Success means that the service accepted the message. A receipt later
    /// reports whether WhatsApp accepted free text outside the 24-hour window.
    ///
    /// # Errors
    /// [`Failure`] names the reaction.
    pub async fn send(&self, message: &Message) -> Result<Sent, Failure> {
        let Some(number) = &self.from.phone_number_id else {
            let said = "there is no WhatsApp number; set the template's parameter WhatsappPhoneNumberId";
            return Err(Failure::Transient(said.into()));
        };
        let sent = self
            .client
            .send_whats_app_message()
            .origination_phone_number_id(number)
            .meta_api_version(&self.from.meta_api_version)
            .message(Blob::new(message.json()))
            .send()
            .await;
        match sent {
            Ok(answer) => {
                Ok(Sent::Accepted { provider_id: answer.message_id().unwrap_or_default().to_owned() })
            }
            Err(error) => classify(error),
        }
    }
}

/// Classifies errors that are specific to the service. An unknown sender number is an operator's
/// mistake, and the messages wait.
///
/// Source: End User Messaging Social API reference, `SendWhatsAppMessage`, errors.
fn classify(error: SdkError<SendWhatsAppMessageError>) -> Result<Sent, Failure> {
    match error.as_service_error() {
        Some(service_error) if service_error.is_resource_not_found_exception() => {
            Err(Failure::Transient(Box::new(error)))
        }
        // The error code is not among the common ones.
        Some(service_error) if service_error.is_throttled_request_exception() => {
            Err(Failure::Throttled { delay: aws::THROTTLE_PAUSE, source: Box::new(error) })
        }
        Some(_) | None => aws::classify_send(error),
    }
}

#[cfg(test)]
mod tests;
