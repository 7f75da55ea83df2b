//! The provider that an operator chose, and how SNS is asked.

use std::sync::OnceLock;

use aws_types::SdkConfig;
use domain::Timestamp;
use domain::job::Job;
use domain::outcome::{Failure, Reason, Sent};
use publish::Bus;
use sns::{Attribute, Kind, Message, Sns, Target};

use crate::SmsVoice;
use crate::config::Provider;
use crate::stop::stop;
use crate::text::{Purpose, Text, Wishes};

/// Whoever carries the texts.
pub enum Service {
    Sns(Sns),
    EndUserMessaging(SmsVoice),
}

/// The service, and the bus that hears of those who said stop.
pub struct Carrier {
    service: Service,
    config: SdkConfig,
    bus_name: String,
    /// Made when somebody said stop: most invocations meet nobody.
    bus: OnceLock<Bus>,
}

impl Carrier {
    #[must_use]
    pub fn new(config: &SdkConfig, provider: Provider, bus_name: String) -> Carrier {
        let service = match provider {
            Provider::Sns => Service::Sns(Sns::new(config)),
            Provider::EndUserMessaging(from) => Service::EndUserMessaging(SmsVoice::new(config, from)),
        };
        Carrier { service, config: config.clone(), bus_name, bus: OnceLock::new() }
    }

    /// For tests.
    #[must_use]
    pub fn with_clients(service: Service, bus: Bus) -> Carrier {
        let config = SdkConfig::builder().build();
        Carrier { service, config, bus_name: String::new(), bus: bus.into() }
    }

    /// Asks the provider once. Of somebody who said stop the bus is told, so that nobody writes to them again.
    ///
    /// # Errors
    /// [`Failure`] says who acts on it.
    pub async fn send(&self, job: &Job, wishes: &Wishes, now: Timestamp) -> Result<Sent, Failure> {
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

    /// The text's outcome stands, whether the bus hears of it or not: the next text is refused as well, and reports it
    /// anew.
    async fn report(&self, job: &Job, now: Timestamp) {
        let bus = self.bus.get_or_init(|| Bus::new(&self.config, self.bus_name.clone()));
        for refused in bus.put(&[stop(job, now)]).await.into_iter().filter_map(Result::err) {
            tracing::warn!(
                job.key = job.key.as_str(),
                error = aws::chain(&refused),
                "somebody said stop and the bus was not told"
            );
        }
    }
}

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
    Message { target: Target::Phone(text.to.as_str()), text: text.body, attributes: attributes.collect() }
}

#[cfg(test)]
mod tests;
