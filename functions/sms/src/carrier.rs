//! The configured SMS provider, and the call to SNS.

use std::sync::OnceLock;

use aws_types::SdkConfig;
use domain::Timestamp;
use domain::base::outcome::{Failure, Reason, Sent};
use domain::base::sensitive::Sensitive;
use domain::delivery::job::Job;
use publish::EventBridge;
use sns::{Attribute, Kind, Message, Sns, Target};

use crate::SmsVoice;
use crate::config::Provider;
use crate::opt_out_event::opt_out_event;
use crate::text::{Purpose, SmsSettings, Text};

/// The client of a provider.
pub enum Service {
    Sns(Sns),
    EndUserMessaging(SmsVoice),
}

/// The provider, and the bus for opt-out events.
pub struct SmsSender {
    service: Service,
    config: SdkConfig,
    bus_name: String,
    /// The bus client, created for the first opt-out. Most invocations need none.
    bus: OnceLock<EventBridge>,
}

impl SmsSender {
    #[must_use]
    pub fn new(config: &SdkConfig, provider: Provider, bus_name: String) -> SmsSender {
        let service = match provider {
            Provider::Sns => Service::Sns(Sns::new(config)),
            Provider::EndUserMessaging(from) => Service::EndUserMessaging(SmsVoice::new(config, from)),
        };
        SmsSender { service, config: config.clone(), bus_name, bus: OnceLock::new() }
    }

    /// Creates an instance with existing clients, for tests.
    #[must_use]
    pub fn with_clients(service: Service, bus: EventBridge) -> SmsSender {
        let config = SdkConfig::builder().build();
        SmsSender { service, config, bus_name: String::new(), bus: bus.into() }
    }

    /// Calls the provider once. If the recipient has opted out, an event is published so that the number
    /// gets no further messages.
    ///
    /// # Errors
    /// [`Failure`] names the reaction.
    pub async fn send(&self, job: &Job, wishes: &SmsSettings, now: Timestamp) -> Result<Sent, Failure> {
        let text = Text::shape(job, wishes, now)?;
        let answer = match &self.service {
            Service::Sns(sns) => sns.publish(&message(&text)).await,
            Service::EndUserMessaging(end_user_messaging) => end_user_messaging.send(&text).await,
        };
        if let Err(Failure::Permanent { reason: Reason::OptedOut, .. }) = &answer {
            self.report(job, now).await;
        }
        answer
    }

    /// Publishes the opt-out event. The outcome of the SMS does not depend on it. If it fails, the next
    /// SMS is refused as well and repeats the event.
    async fn report(&self, job: &Job, now: Timestamp) {
        let bus = self.bus.get_or_init(|| EventBridge::new(&self.config, self.bus_name.clone()));
        for refused in bus.put(&[opt_out_event(job, now)]).await.into_iter().filter_map(Result::err) {
            tracing::warn!(
                code = "SMS_OPT_OUT_NOT_ANNOUNCED",
                job.key = job.key.as_str(),
                error = aws::chain(&refused),
                "opt-out event not published: the next send to the number publishes it"
            );
        }
    }
}

/// The SNS message of a text.
///
/// Source: SNS Developer Guide, "Publishing SMS messages to a mobile phone".
fn message<'a>(text: &Text<'a>) -> Message<'a> {
    let purpose = match text.purpose {
        Purpose::Transactional => "Transactional",
        Purpose::Promotional => "Promotional",
    };
    let wishes = text.wishes;
    let attributes = [
        ("AWS.SNS.SMS.SMSType", Kind::Text, Some(purpose.to_owned())),
        ("AWS.SNS.SMS.SenderID", Kind::Text, text.sender.map(str::to_owned)),
        ("AWS.SNS.SMS.MaxPrice", Kind::Number, wishes.max_price.clone()),
    ];
    let attributes = attributes
        .into_iter()
        .filter_map(|(name, kind, value)| Some(Attribute { name, kind, value: value? }));
    let target = Target::Phone(Sensitive::new(text.to.expose()));
    Message { target, text: text.body, attributes: attributes.collect() }
}

#[cfg(test)]
mod tests;
