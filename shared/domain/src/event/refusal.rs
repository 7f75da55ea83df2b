use std::fmt;

use super::attributes::{LONGEST_EXCERPT, excerpt};

/// Why something is not an event: the attribute, what was found there, and what is wanted instead.
///
/// It is shown to producers and operators and travels as a message attribute, so it never quotes a payload.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{attribute}: found {found}, wanted {wanted}")]
pub struct Refusal {
    /// The attribute's name, cut after 40 characters, or `body` when the text as a whole is at fault.
    pub attribute: String,
    pub found: String,
    pub wanted: String,
    /// The kind of refusal, for causes of dead letters and for audit records.
    pub class: RefusalClass,
}

/// The kind of a [`Refusal`]: its name is stable and machine-readable.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum RefusalClass {
    /// The text breaks the rules of its format.
    #[default]
    Malformed,
    /// The envelope names another source or type than the bus.
    IdentityMismatch,
    /// The source lacks the right to publish the event.
    ProducerNotAllowed,
}

impl RefusalClass {
    /// The name in dead letters and audit records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            RefusalClass::Malformed => "refused",
            RefusalClass::IdentityMismatch => "identity_mismatch",
            RefusalClass::ProducerNotAllowed => "producer_not_allowed",
        }
    }
}

impl Refusal {
    pub(crate) fn new(
        attribute: impl Into<String>,
        found: impl fmt::Display,
        wanted: impl fmt::Display,
    ) -> Refusal {
        let mut attribute = attribute.into();
        // A name comes from the producer too, and must fit into a log line and a message attribute.
        let is_unfit = attribute.contains(|it: char| it == '@' || it.is_control());
        if is_unfit || attribute.chars().nth(LONGEST_EXCERPT).is_some() {
            attribute = excerpt(&attribute);
        }
        let (found, wanted) = (found.to_string(), wanted.to_string());
        Refusal { attribute, found, wanted, class: RefusalClass::Malformed }
    }

    /// The same refusal, of another class.
    #[must_use]
    pub(crate) fn of(self, class: RefusalClass) -> Refusal {
        Refusal { class, ..self }
    }

    /// For a text that cannot be read as JSON. The position is told, the content is not.
    pub(crate) fn not_json(error: &serde_json::Error) -> Refusal {
        let place = format!("line {}, column {}", error.line(), error.column());
        Refusal::new("body", format_args!("text that is not JSON ({place})"), "one JSON object")
    }
}
