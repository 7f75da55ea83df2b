//! Devices, as SNS reaches them.

use std::sync::OnceLock;

use aws_types::SdkConfig;
use domain::Timestamp;
use domain::job::Job;
use domain::outcome::{Failure, Reason, Sent};
use publish::Bus;
use sns::{Attribute, Kind, Message, Sns, Target};

use crate::farewell::farewell;
use crate::note::Note;

/// SNS, and the bus that hears of devices that are gone.
pub struct Devices {
    sns: Sns,
    config: SdkConfig,
    bus_name: String,
    /// Made when the first device is gone: most invocations meet none.
    bus: OnceLock<Bus>,
}

impl Devices {
    #[must_use]
    pub fn new(config: &SdkConfig, bus_name: String) -> Devices {
        Devices { sns: Sns::new(config), config: config.clone(), bus_name, bus: OnceLock::new() }
    }

    /// For tests.
    #[must_use]
    pub fn with_clients(sns: Sns, bus: Bus) -> Devices {
        let config = SdkConfig::builder().build();
        Devices { sns, config, bus_name: String::new(), bus: bus.into() }
    }

    /// Asks SNS once. A device that is gone is reported to the bus, so that nobody writes to it again, and its endpoint
    /// is deleted.
    ///
    /// # Errors
    /// [`Failure`] says who acts on it.
    pub async fn send(&self, job: &Job, now: Timestamp) -> Result<Sent, Failure> {
        let note = Note::shape(job, now)?;
        let answer = self.sns.publish(&message(&note)).await;
        if let Err(Failure::Permanent { reason: Reason::DeadToken, .. }) = &answer {
            self.report(job, &note, now).await;
            self.forget(job, &note).await;
        }
        answer
    }

    /// An endpoint that stays costs nothing: whoever registers the device again enables it or makes a new one.
    async fn forget(&self, job: &Job, note: &Note<'_>) {
        if let Err(refused) = self.sns.forget(&note.device.endpoint).await {
            tracing::warn!(
                job.key = job.key.as_str(),
                error = aws::chain(&refused),
                "a device is gone and its endpoint stays"
            );
        }
    }

    /// The note's outcome stands, whether the bus hears of it or not: the next note to this device fails as well, and
    /// reports it anew.
    async fn report(&self, job: &Job, note: &Note<'_>, now: Timestamp) {
        let bus = self.bus.get_or_init(|| Bus::new(&self.config, self.bus_name.clone()));
        for refused in bus.put(&[farewell(job, note.device, now)]).await.into_iter().filter_map(Result::err) {
            tracing::warn!(
                job.key = job.key.as_str(),
                error = aws::chain(&refused),
                "a device is gone and the bus was not told"
            );
        }
    }
}

fn message<'a>(note: &'a Note<'_>) -> Message<'a> {
    let attributes = note.attributes.iter();
    let attributes =
        attributes.map(|(name, value)| Attribute { name, kind: Kind::Text, value: value.clone() });
    Message {
        target: Target::Device(&note.device.endpoint),
        text: &note.message,
        attributes: attributes.collect(),
    }
}

#[cfg(test)]
mod tests;
