//! Amazon SES, version 2 of its API.

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::config::Builder;
use aws_sdk_sesv2::error::SdkError;
use aws_sdk_sesv2::operation::send_email::builders::SendEmailInputBuilder;
use aws_sdk_sesv2::operation::send_email::{SendEmailError, SendEmailInput, SendEmailOutput};
use aws_sdk_sesv2::primitives::Blob;
use aws_sdk_sesv2::types::{
    Attachment, AttachmentContentDisposition, Body, Content, Destination, EmailContent, Message,
    MessageHeader, MessageTag,
};
use aws_types::SdkConfig;
use domain::base::outcome::{Failure, Reason, Sent};

use crate::{File, OutgoingEmail};

/// The SES client with the default sender and the configuration set.
pub struct Ses {
    client: Client,
    sender: String,
    configuration_set: Option<String>,
}

impl Ses {
    /// Creates the client without the SDK's retries, because only the ledger decides about a second
    /// send.
    #[must_use]
    pub fn new(config: &SdkConfig, sender: String, configuration_set: Option<String>) -> Ses {
        let config = Builder::from(config).retry_config(aws::no_retries()).build();
        Ses { client: Client::from_conf(config), sender, configuration_set }
    }

    /// Creates an instance with an existing client, for tests.
    #[must_use]
    pub fn with_client(client: Client, sender: String) -> Ses {
        Ses { client, sender, configuration_set: None }
    }

    /// Calls SES once.
    ///
    /// # Errors
    /// [`Failure`] names the reaction.
    pub async fn send(&self, outgoing: &OutgoingEmail<'_>, files: Vec<File>) -> Result<Sent, Failure> {
        let asked = request(outgoing, files, &self.sender, self.configuration_set.as_deref());
        match asked.send_with(&self.client).await {
            Ok(answer) => Ok(accepted(&answer)),
            Err(error) => classify(error),
        }
    }
}

/// The SES request. `sender` is the default sender, and `configuration_set` defines where receipts go.
/// SES creates the MIME message.
fn request(
    outgoing: &OutgoingEmail<'_>,
    files: Vec<File>,
    sender: &str,
    configuration_set: Option<&str>,
) -> SendEmailInputBuilder {
    let email = outgoing.email;
    let body = Body::builder().html(utf8(email.html.expose())).text(utf8(email.text.expose())).build();
    let mut message = Message::builder().subject(utf8(email.subject.expose())).body(body);
    for (name, value) in &outgoing.headers {
        let header = MessageHeader::builder().name(*name).value(value).build();
        message = message.headers(header.expect("a name and a value are all that a header needs"));
    }
    for file in files {
        message = message.attachments(attachment(file));
    }
    let tags = outgoing.tags.iter().map(|(name, value)| {
        let tag = MessageTag::builder().name(*name).value(value).build();
        tag.expect("a name and a value are all that a tag needs")
    });
    SendEmailInput::builder()
        .from_email_address(email.sender().map_or_else(|| sender.to_owned(), |own| own.to_header()))
        .set_reply_to_addresses(email.answers_to().map(|mailbox| vec![mailbox.to_header()]))
        .destination(Destination::builder().to_addresses(email.to.expose()).build())
        .content(EmailContent::builder().simple(message.build()).build())
        .set_configuration_set_name(configuration_set.map(str::to_owned))
        .set_email_tags(Some(tags.collect()))
}

/// The attachment of a request.
///
/// Source: SES API v2 reference, `Attachment`.
fn attachment(file: File) -> Attachment {
    let disposition = match file.of.inline {
        Some(_) => AttachmentContentDisposition::Inline,
        None => AttachmentContentDisposition::Attachment,
    };
    Attachment::builder()
        .file_name(file.of.name.into_exposed())
        .content_type(file.kind.unwrap_or_else(|| "application/octet-stream".to_owned()))
        .content_disposition(disposition)
        .set_content_id(file.of.inline)
        .raw_content(Blob::new(file.bytes.into_exposed()))
        .build()
        .expect("a name and its bytes are all that an attachment needs")
}

fn accepted(answer: &SendEmailOutput) -> Sent {
    Sent::Accepted { provider_id: answer.message_id().unwrap_or_default().to_owned() }
}

/// Classifies errors that are specific to SES: refused e-mails, and temporary limits of the account.
///
/// Source: SES API v2 reference, `SendEmail`, errors.
fn classify(error: SdkError<SendEmailError>) -> Result<Sent, Failure> {
    match error.as_service_error() {
        Some(service_error) if service_error.is_message_rejected() && !is_unverified(service_error) => {
            Err(Failure::Permanent { reason: Reason::Rejected, source: Box::new(error) })
        }
        // The account is paused or the sender is not verified. An operator fixes that, and the e-mails
        // must wait meanwhile.
        Some(service_error)
            if is_unverified(service_error)
                || service_error.is_account_suspended_exception()
                || service_error.is_sending_paused_exception()
                || service_error.is_mail_from_domain_not_verified_exception() =>
        {
            Err(Failure::Transient(Box::new(error)))
        }
        Some(_) | None => aws::classify_send(error),
    }
}

/// Whether an address is unverified: the sender's, or in the sandbox the recipient's. SES uses the same
/// error as for a malformed e-mail.
fn is_unverified(error: &SendEmailError) -> bool {
    error.is_message_rejected()
        && error.meta().message().is_some_and(|message| message.contains("not verified"))
}

fn utf8(text: &str) -> Content {
    Content::builder().charset("UTF-8").data(text).build().expect("data is all that content needs")
}

#[cfg(test)]
mod tests;
