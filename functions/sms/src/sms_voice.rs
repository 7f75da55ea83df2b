//! AWS End User Messaging SMS, version 2 of its API.

use aws_sdk_pinpointsmsvoicev2::Client;
use aws_sdk_pinpointsmsvoicev2::config::Builder;
use aws_sdk_pinpointsmsvoicev2::error::SdkError;
use aws_sdk_pinpointsmsvoicev2::operation::send_text_message::SendTextMessageError;
use aws_sdk_pinpointsmsvoicev2::types::{ConflictExceptionReason, MessageType, ValidationExceptionReason};
use aws_types::SdkConfig;
use domain::base::outcome::{Failure, Reason, Sent};

use crate::Origination;
use crate::text::{Purpose, Text};

/// The client and its origination settings.
pub struct SmsVoice {
    client: Client,
    from: Origination,
}

impl SmsVoice {
    /// Creates the client without the SDK's retries, because only the ledger decides about a second
    /// send.
    #[must_use]
    pub fn new(config: &SdkConfig, from: Origination) -> SmsVoice {
        let config = Builder::from(config).retry_config(aws::no_retries()).build();
        SmsVoice { client: Client::from_conf(config), from }
    }

    /// Creates an instance with an existing client, for tests.
    #[must_use]
    pub fn with_client(client: Client, from: Origination) -> SmsVoice {
        SmsVoice { client, from }
    }

    /// Calls the service once.
    ///
    /// # Errors
    /// [`Failure`] names the reaction.
    pub async fn send(&self, text: &Text<'_>) -> Result<Sent, Failure> {
        let purpose = match text.purpose {
            Purpose::Transactional => MessageType::Transactional,
            Purpose::Promotional => MessageType::Promotional,
        };
        // A sender id is an origination identity too.
        let identity = self.from.identity.as_deref().or(text.sender);
        let mut call = self
            .client
            .send_text_message()
            .destination_phone_number(text.to.expose())
            .set_origination_identity(identity.map(str::to_owned))
            .set_configuration_set_name(self.from.configuration_set.clone())
            .message_body(*text.body.expose())
            .message_type(purpose)
            .set_max_price(text.wishes.max_price.clone())
            .set_time_to_live(text.time_to_live_s);
        for (name, value) in &text.context {
            call = call.context(*name, value);
        }
        match call.send().await {
            Ok(answer) => {
                Ok(Sent::Accepted { provider_id: answer.message_id().unwrap_or_default().to_owned() })
            }
            Err(error) => classify(error),
        }
    }
}

/// The cause of a refusal.
enum Whose {
    /// The recipient has opted out.
    Recipient,
    /// The text, the number or the country. Every retry is refused.
    Text,
    /// The account: a limit, a registration or an identity. The SMS wait until an operator has fixed the
    /// cause.
    Operator,
    /// An error that is not specific to this service.
    Anybody,
}

fn classify(error: SdkError<SendTextMessageError>) -> Result<Sent, Failure> {
    match error.as_service_error().map_or(Whose::Anybody, whose) {
        Whose::Recipient => Err(Failure::Permanent { reason: Reason::OptedOut, source: Box::new(error) }),
        Whose::Text => Err(Failure::Permanent { reason: Reason::Rejected, source: Box::new(error) }),
        Whose::Operator => Err(Failure::Transient(Box::new(error))),
        Whose::Anybody => aws::classify_send(error),
    }
}

/// Finds the cause of a refusal.
///
/// Source: End User Messaging SMS API v2 reference, `SendTextMessage`, errors and their reasons.
fn whose(error: &SendTextMessageError) -> Whose {
    use ConflictExceptionReason as Conflict;
    use ValidationExceptionReason as Invalid;
    if let SendTextMessageError::ConflictException(conflict_exception) = error {
        return match conflict_exception.reason() {
            Some(Conflict::DestinationPhoneNumberOptedOut) => Whose::Recipient,
            Some(
                Conflict::DestinationCountryBlockedByProtectConfiguration
                | Conflict::DestinationPhoneNumberBlockedByProtectNumberOverride,
            ) => Whose::Text,
            Some(_) | None => Whose::Operator,
        };
    }
    if let SendTextMessageError::ValidationException(validation_exception) = error {
        return match validation_exception.reason() {
            Some(
                Invalid::ChannelNotEnabled
                | Invalid::CountryNotEnabled
                | Invalid::SenderIdNotRegistered
                | Invalid::SenderIdRequiresRegistration,
            ) => Whose::Operator,
            Some(_) | None => Whose::Text,
        };
    }
    // A spending limit is one of these. It lasts until an operator raises the limit, or until the end of
    // the month.
    match error.is_service_quota_exceeded_exception() || error.is_resource_not_found_exception() {
        true => Whose::Operator,
        false => Whose::Anybody,
    }
}

#[cfg(test)]
mod tests;
