//! The event attributes and their paths in patterns.

use std::borrow::Cow;

use crate::event::Event;
use crate::pattern::facts::Scalar;

/// An attribute of [`Event::document`] outside the payload and the extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attribute {
    Version,
    Id,
    Source,
    Kind,
    Time,
    Subject,
    Schema,
    Tenant,
    Correlation,
    Causation,
    Actor,
    Trace,
    Priority,
    Sequence,
    Expiry,
    ContentType,
}

/// The path of each attribute.
pub(super) const PATHS: [(&str, Attribute); 20] = [
    ("id", Attribute::Id),
    ("source", Attribute::Source),
    ("detail-type", Attribute::Kind),
    ("time", Attribute::Time),
    ("detail.specversion", Attribute::Version),
    ("detail.id", Attribute::Id),
    ("detail.source", Attribute::Source),
    ("detail.type", Attribute::Kind),
    ("detail.time", Attribute::Time),
    ("detail.subject", Attribute::Subject),
    ("detail.dataschema", Attribute::Schema),
    ("detail.tenant", Attribute::Tenant),
    ("detail.correlationid", Attribute::Correlation),
    ("detail.causationid", Attribute::Causation),
    ("detail.actor", Attribute::Actor),
    ("detail.traceparent", Attribute::Trace),
    ("detail.priority", Attribute::Priority),
    ("detail.sequence", Attribute::Sequence),
    ("detail.expirytime", Attribute::Expiry),
    ("detail.datacontenttype", Attribute::ContentType),
];

impl Attribute {
    /// The value, as text like on the bus.
    pub(super) fn of(self, event: &Event) -> Option<Scalar<'_>> {
        let text = match self {
            Attribute::Version => Some(Cow::Borrowed("1.0")),
            Attribute::Id => Some(Cow::Borrowed(event.id.as_str())),
            Attribute::Source => Some(Cow::Borrowed(event.source.as_str())),
            Attribute::Kind => Some(Cow::Borrowed(event.kind.as_str())),
            Attribute::Time => Some(event.time_text()),
            Attribute::Subject => plain(&event.subject),
            Attribute::Schema => plain(&event.dataschema),
            Attribute::Tenant => plain(&event.tenant),
            Attribute::Correlation => plain(&event.correlation_id),
            Attribute::Causation => plain(&event.causation_id),
            Attribute::Actor => plain(&event.actor),
            Attribute::Trace => plain(&event.traceparent),
            Attribute::Priority => event.priority.map(|priority| Cow::Borrowed(priority.name())),
            Attribute::Sequence => event.sequence.as_ref().map(|sequence| Cow::Borrowed(sequence.as_str())),
            Attribute::Expiry => event.expiry_text(),
            Attribute::ContentType => event.data_content_type().map(Cow::Borrowed),
        };
        text.map(Scalar::Text)
    }
}

fn plain(text: &Option<String>) -> Option<Cow<'_, str>> {
    text.as_deref().map(Cow::Borrowed)
}
