//! The expiry of a rule's notifications.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::base::path::Path;

/// The expiry of a notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Expiry {
    /// A duration after the event.
    After(SignedDuration),
    /// The time, or the duration after the event, that the event names.
    Event(Path),
}

/// A text that is neither an ISO 8601 duration nor a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a duration nor a path; write `PT24H` or `$.data.validUntil`")]
pub struct NotAnExpiry(String);

impl TryFrom<String> for Expiry {
    type Error = NotAnExpiry;

    fn try_from(text: String) -> Result<Expiry, NotAnExpiry> {
        if let Ok(path) = Path::parse(&text) {
            return Ok(Expiry::Event(path));
        }
        text.parse().map(Expiry::After).map_err(|_| NotAnExpiry(text))
    }
}

impl From<Expiry> for String {
    fn from(expiry: Expiry) -> String {
        match expiry {
            Expiry::After(length) => length.to_string(),
            Expiry::Event(path) => path.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiry_round_trips() {
        for text in ["PT36H", "PT1H30M", "$.data.validUntil"] {
            let expiry = Expiry::try_from(text.to_owned()).unwrap();
            assert_eq!(String::from(expiry), text);
        }
        assert_eq!(Expiry::try_from("24h".to_owned()), Ok(Expiry::After(SignedDuration::from_hours(24))));
        for text in ["", "soon", "$.", "data.validUntil", "P1M"] {
            assert!(Expiry::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
