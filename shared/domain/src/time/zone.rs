//! Time zones: conversion between local times and instants, also around clock changes.
//!
//! The rules of all zones are compiled in, so results are the same on every machine.

use std::fmt;

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::base::config_error::quoted;

/// The default zone.
const UTC: &str = "Etc/UTC";

/// A zone of the IANA time zone database. Zones are equal if they have the same name. A link such as `Asia/Calcutta`
/// keeps its own name.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone {
    name: String,
    rules: TimeZone,
}

/// A text that is not a name in the IANA database: an unknown name, an offset, or a POSIX rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found} is no IANA time zone; write {wanted}")]
pub struct UnknownZone {
    /// The found text in quotes, cut after 40 characters.
    pub found: String,
    /// A zone with the same place name, or an example.
    pub wanted: String,
}

impl Zone {
    /// Reads an IANA name in any letter case: `asia/tokyo` is `Asia/Tokyo`.
    ///
    /// # Errors
    /// [`UnknownZone`], with a suggestion if the place is known: `Tokyo` is in `Asia/Tokyo`.
    pub fn parse(text: &str) -> Result<Zone, UnknownZone> {
        let unknown = || UnknownZone { found: quoted(text), wanted: suggestion(text) };
        let rules = TimeZoneDatabase::bundled().get(text).map_err(|_| unknown())?;
        // `Etc/Unknown` and `Factory` stand for an unknown zone.
        match rules.iana_name() {
            Some(name) if !rules.is_unknown() && name != "Factory" => {
                Ok(Zone { name: name.to_owned(), rules })
            }
            Some(_) | None => Err(unknown()),
        }
    }

    /// `Etc/UTC`, for recipients without a zone of their own or of their tenant.
    #[must_use]
    pub fn utc() -> Zone {
        Zone { name: UTC.to_owned(), rules: TimeZone::UTC }
    }

    /// The name in the spelling of the IANA database.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The local date and time at `instant`. Day and time must always come from this one value.
    #[must_use]
    pub fn local(&self, instant: Timestamp) -> DateTime {
        self.rules.to_datetime(instant)
    }

    /// The instant at which a range with the local start `local` begins. If the local time occurs twice, this is the
    /// first occurrence. If the clocks skip it, this is the first instant after the gap. `None` outside the calendar
    /// (years -9999 to 9999).
    #[must_use]
    pub fn beginning(&self, local: DateTime) -> Option<Timestamp> {
        self.instant(local, |before, _| before)
    }

    /// The instant at which a range with the local end `local` ends. Like [`Zone::beginning`], but with the second
    /// occurrence of a local time.
    #[must_use]
    pub fn end(&self, local: DateTime) -> Option<Timestamp> {
        self.instant(local, |_, after| after)
    }

    /// The offset from UTC at `instant`, in seconds.
    pub(crate) fn offset(&self, instant: Timestamp) -> i64 {
        i64::from(self.rules.to_offset(instant).seconds())
    }

    fn instant(&self, local: DateTime, of_two: fn(Offset, Offset) -> Offset) -> Option<Timestamp> {
        let offset = match self.rules.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset,
            AmbiguousOffset::Fold { before, after } => of_two(before, after),
            AmbiguousOffset::Gap { before, .. } => {
                // The instant as if the clocks had not changed. It is at or after the change, and before the next
                // one.
                let unmoved = before.to_timestamp(local).ok()?;
                let just_after = unmoved.checked_add(SignedDuration::from_nanos(1)).ok()?;
                return self.rules.preceding(just_after).next().map(|transition| transition.timestamp());
            }
        };
        offset.to_timestamp(local).ok()
    }
}

/// The zone whose place name equals the last word of `text`, by letters only.
fn suggestion(text: &str) -> String {
    let place = |name: &str| {
        let last = name.rsplit('/').next().unwrap_or_default();
        last.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
    };
    let meant = place(text);
    let database = TimeZoneDatabase::bundled();
    let found = database.available().find(|name| !meant.is_empty() && place(name.as_str()) == meant);
    found.map_or_else(|| "a name such as `Europe/London`".to_owned(), |name| format!("`{name}`"))
}

impl PartialEq for Zone {
    fn eq(&self, other: &Zone) -> bool {
        self.name == other.name
    }
}

impl Eq for Zone {}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl TryFrom<String> for Zone {
    type Error = UnknownZone;

    fn try_from(text: String) -> Result<Zone, UnknownZone> {
        Zone::parse(&text)
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> String {
        zone.name
    }
}

#[cfg(test)]
pub(crate) mod tests;
