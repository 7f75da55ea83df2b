//! The stream of an aggregate.

use super::key;
use crate::{Event, Sequence};

/// The events of one aggregate, in the order of their versions: 1, 2, 3, …
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// The tenant of the events.
    pub tenant: Option<String>,
    /// The subject of the events, such as `order/7`.
    pub subject: String,
}

/// The reason why an event has no place in a stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotInStream {
    /// The event names the subject or the tenant of another stream.
    #[error(
        "event {id} belongs to another stream: {attribute} is {found:?}, the stream's is {wanted:?}; append it there"
    )]
    OtherStream {
        /// The id of the event.
        id: String,
        /// `subject` or `tenant`.
        attribute: &'static str,
        /// The event's value.
        found: String,
        /// The stream's value.
        wanted: String,
    },
    /// The event names another position than its place in the stream.
    #[error(
        "event {id} says sequence {found}, and its place in the stream is {wanted}; leave `sequence` out"
    )]
    Sequence {
        /// The id of the event.
        id: String,
        /// The event's `sequence`.
        found: String,
        /// The version of its place.
        wanted: u64,
    },
}

impl Stream {
    /// The stream of a subject, of a tenant or of none.
    #[must_use]
    pub fn new(tenant: Option<&str>, subject: &str) -> Stream {
        Stream { tenant: tenant.map(str::to_owned), subject: subject.to_owned() }
    }

    /// The partition key of the stream.
    #[must_use]
    pub fn partition(&self) -> String {
        key(&["stream", self.tenant.as_deref().unwrap_or("-"), &self.subject])
    }

    /// The event with subject, tenant and `sequence` of its place in this stream.
    ///
    /// # Errors
    /// [`NotInStream`] if the event names another place.
    pub fn place(&self, event: &Event, version: u64) -> Result<Event, NotInStream> {
        let other = |attribute, found: &str, wanted: &str| NotInStream::OtherStream {
            id: event.id.clone(),
            attribute,
            found: found.to_owned(),
            wanted: wanted.to_owned(),
        };
        if let Some(found) = event.subject.as_deref().filter(|subject| *subject != self.subject) {
            return Err(other("subject", found, &self.subject));
        }
        if let Some(found) = event.tenant.as_deref().filter(|tenant| Some(*tenant) != self.tenant.as_deref())
        {
            return Err(other("tenant", found, self.tenant.as_deref().unwrap_or("-")));
        }
        if let Some(found) = event.sequence.as_ref().filter(|sequence| sequence.version() != Some(version)) {
            let found = found.as_str().to_owned();
            return Err(NotInStream::Sequence { id: event.id.clone(), found, wanted: version });
        }
        let mut placed = event.clone();
        placed.subject = Some(self.subject.clone());
        placed.tenant.clone_from(&self.tenant);
        placed.sequence = Some(Sequence::of_version(version));
        Ok(placed)
    }
}
