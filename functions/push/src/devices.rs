//! Sends to devices through SNS.

use std::sync::OnceLock;

use aws_types::SdkConfig;
use domain::Timestamp;
use domain::base::outcome::{Failure, Reason, Sent};
use domain::delivery::job::Job;
use publish::EventBridge;
use sns::{Attribute, Kind, Message, Sns, Target};

use crate::device_unregistered::device_unregistered;
use crate::note::Note;

/// The SNS client, and the bus for device-unregistered events.
pub struct Devices {
    sns: Sns,
    config: SdkConfig,
    bus_name: String,
    /// The bus client, created for the first unregistered device. Most invocations need none.
    bus: OnceLock<EventBridge>,
}

impl Devices {
    #[must_use]
    pub fn new(config: &SdkConfig, bus_name: String) -> Devices {
        Devices { sns: Sns::new(config), config: config.clone(), bus_name, bus: OnceLock::new() }
    }

    /// Creates an instance with existing clients, for tests.
    #[must_use]
    pub fn with_clients(sns: Sns, bus: EventBridge) -> Devices {
        let config = SdkConfig::builder().build();
        Devices { sns, config, bus_name: String::new(), bus: bus.into() }
    }

    /// Calls SNS once. An unregistered device is reported to the bus, so that it gets no further
    /// notifications, and its endpoint is deleted.
    ///
    /// # Errors
    /// [`Failure`] names the reaction.
    pub async fn send(&self, job: &Job, now: Timestamp) -> Result<Sent, Failure> {
        let note = Note::shape(job, now)?;
        let answer = self.sns.publish(&message(&note)).await;
        if let Err(Failure::Permanent { reason: Reason::DeadToken, .. }) = &answer {
            self.report(job, &note, now).await;
            self.forget(job, &note).await;
        }
        answer
    }

    /// Deletes the endpoint. If that fails, the endpoint costs no money, and a new registration replaces
    /// it.
    async fn forget(&self, job: &Job, note: &Note<'_>) {
        if let Err(refused) = self.sns.forget(note.device.endpoint.expose()).await {
            tracing::warn!(
                code = "PUSH_ENDPOINT_NOT_DELETED",
                job.key = job.key.as_str(),
                error = aws::chain(&refused),
                "SNS endpoint of an unregistered device not deleted: the next registration replaces it"
            );
        }
    }

    /// Publishes the device-unregistered event. The outcome of the notification does not depend on it.
    /// If it fails, the next notification to the device fails as well and repeats the event.
    async fn report(&self, job: &Job, note: &Note<'_>, now: Timestamp) {
        let bus = self.bus.get_or_init(|| EventBridge::new(&self.config, self.bus_name.clone()));
        for refused in
            bus.put(&[device_unregistered(job, note.device, now)]).await.into_iter().filter_map(Result::err)
        {
            tracing::warn!(
                code = "PUSH_UNREGISTERED_NOT_ANNOUNCED",
                job.key = job.key.as_str(),
                error = aws::chain(&refused),
                "device unregistered event not published: the next send to the device publishes it"
            );
        }
    }
}

fn message<'a>(note: &'a Note<'_>) -> Message<'a> {
    let attributes = note.attributes.iter();
    let attributes =
        attributes.map(|(name, value)| Attribute { name, kind: Kind::Text, value: value.clone() });
    Message {
        target: Target::Device(note.device.endpoint.as_deref()),
        text: note.message.as_deref(),
        attributes: attributes.collect(),
    }
}

#[cfg(test)]
mod tests;
