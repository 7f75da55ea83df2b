//! Amazon SES, version 2 of its API.

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::config::Builder;
use aws_sdk_sesv2::error::SdkError;
use aws_sdk_sesv2::operation::send_email::{SendEmailError, SendEmailOutput};
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageTag};
use aws_types::SdkConfig;
use domain::outcome::{Failure, Reason, Sent};

use crate::Letter;

/// The service, and the address our letters come from.
pub struct Ses {
    client: Client,
    sender: String,
}

impl Ses {
    /// The SDK's own retries are off: whether a letter may go out twice is the ledger's decision.
    #[must_use]
    pub fn new(config: &SdkConfig, sender: String) -> Ses {
        let config = Builder::from(config).retry_config(aws::never_again()).build();
        Ses { client: Client::from_conf(config), sender }
    }

    /// For tests.
    #[must_use]
    pub fn with_client(client: Client, sender: String) -> Ses {
        Ses { client, sender }
    }

    /// Asks SES once.
    ///
    /// # Errors
    /// [`Failure`] says who acts on it.
    pub async fn send(&self, letter: &Letter<'_>) -> Result<Sent, Failure> {
        let email = letter.email;
        let body = Body::builder().html(utf8(&email.html)).text(utf8(&email.text)).build();
        let message = Message::builder().subject(utf8(&email.subject)).body(body).build();
        let mut call = self
            .client
            .send_email()
            .from_email_address(&self.sender)
            .destination(Destination::builder().to_addresses(email.to.as_str()).build())
            .content(EmailContent::builder().simple(message).build());
        for (name, value) in &letter.tags {
            let tag = MessageTag::builder().name(*name).value(value).build();
            call = call.email_tags(tag.expect("a name and a value are all that a tag needs"));
        }
        match call.send().await {
            Ok(answer) => Ok(accepted(&answer)),
            Err(error) => classify(error),
        }
    }
}

fn accepted(answer: &SendEmailOutput) -> Sent {
    Sent::Accepted { provider_id: answer.message_id().unwrap_or_default().to_owned() }
}

/// What is SES's own: a letter it will never take, and a limit on sending that passes.
///
/// Source: SES API v2 reference, `SendEmail`, errors.
fn classify(error: SdkError<SendEmailError>) -> Result<Sent, Failure> {
    match error.as_service_error() {
        Some(it) if it.is_message_rejected() && !is_unverified(it) => {
            Err(Failure::Permanent { reason: Reason::Rejected, source: Box::new(error) })
        }
        // Paused or not yet verified: an operator mends it, so the letters must not be written off meanwhile.
        Some(it)
            if is_unverified(it)
                || it.is_account_suspended_exception()
                || it.is_sending_paused_exception()
                || it.is_mail_from_domain_not_verified_exception() =>
        {
            Err(Failure::Transient(Box::new(error)))
        }
        Some(_) | None => aws::classify_send(error),
    }
}

/// SES says so of our own address, and in its sandbox of the recipient's, by the same error as for a bad letter.
fn is_unverified(error: &SendEmailError) -> bool {
    error.is_message_rejected() && error.meta().message().is_some_and(|it| it.contains("not verified"))
}

fn utf8(text: &str) -> Content {
    Content::builder().charset("UTF-8").data(text).build().expect("data is all that content needs")
}

#[cfg(test)]
mod tests;
