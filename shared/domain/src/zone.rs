//! Time zones: local time to instants and back, on the two odd days of the year too. It knows nobody's hours.
//!
//! The rules of every zone are compiled in, so the answer is the same on every machine.

use std::fmt;

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::pattern::quoted;

/// The zone of whoever named none.
const UTC: &str = "Etc/UTC";

/// A zone of the IANA time zone database. Two are equal when they have the same name; a link such as `Asia/Calcutta`
/// keeps its own.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone {
    name: String,
    rules: TimeZone,
}

/// A text that names no zone of the IANA database: no such name, an offset, or a POSIX rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found} is no IANA time zone; write {wanted}")]
pub struct UnknownZone {
    /// What was written, in quotes, cut after 40 characters.
    pub found: String,
    /// A zone whose place has the same name, or an example.
    pub wanted: String,
}

impl Zone {
    /// Reads an IANA name, in whatever case: `asia/tokyo` is `Asia/Tokyo`.
    ///
    /// # Errors
    /// [`UnknownZone`], with the zone that was probably meant where the place is known: `Tokyo` is in `Asia/Tokyo`.
    pub fn parse(text: &str) -> Result<Zone, UnknownZone> {
        let unknown = || UnknownZone { found: quoted(text), wanted: suggestion(text) };
        let rules = TimeZoneDatabase::bundled().get(text).map_err(|_| unknown())?;
        // `Etc/Unknown` and `Factory` stand for not knowing.
        match rules.iana_name() {
            Some(name) if !rules.is_unknown() && name != "Factory" => {
                Ok(Zone { name: name.to_owned(), rules })
            }
            Some(_) | None => Err(unknown()),
        }
    }

    /// `Etc/UTC`: for whoever has no zone, nor a tenant or an account that has one.
    #[must_use]
    pub fn utc() -> Zone {
        Zone { name: UTC.to_owned(), rules: TimeZone::UTC }
    }

    /// As the IANA database spells it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What calendar and clock show there at `at`: day and hour always come from this one value.
    #[must_use]
    pub fn local(&self, at: Timestamp) -> DateTime {
        self.rules.to_datetime(at)
    }

    /// The instant at which something begins that begins at `local`. Where clocks show it twice it is the first time;
    /// where they skip it, the first instant after the gap. `None` outside the calendar (years -9999 to 9999).
    #[must_use]
    pub fn beginning(&self, local: DateTime) -> Option<Timestamp> {
        self.instant(local, |before, _| before)
    }

    /// The instant at which something ends that ends at `local`: as [`Zone::beginning`], but where clocks show it
    /// twice it is the second time.
    #[must_use]
    pub fn end(&self, local: DateTime) -> Option<Timestamp> {
        self.instant(local, |_, after| after)
    }

    /// How far its clock is ahead of UTC at `at`, in seconds.
    pub(crate) fn offset(&self, at: Timestamp) -> i64 {
        i64::from(self.rules.to_offset(at).seconds())
    }

    fn instant(&self, local: DateTime, of_two: fn(Offset, Offset) -> Offset) -> Option<Timestamp> {
        let offset = match self.rules.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset,
            AmbiguousOffset::Fold { before, after } => of_two(before, after),
            AmbiguousOffset::Gap { before, .. } => {
                // As if nobody had moved the clock: at the move or later, and before the next one.
                let unmoved = before.to_timestamp(local).ok()?;
                let just_after = unmoved.checked_add(SignedDuration::from_nanos(1)).ok()?;
                return self.rules.preceding(just_after).next().map(|it| it.timestamp());
            }
        };
        offset.to_timestamp(local).ok()
    }
}

/// A zone whose last word is the last word of `text`, letters only.
fn suggestion(text: &str) -> String {
    let place = |name: &str| {
        let last = name.rsplit('/').next().unwrap_or_default();
        last.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
    };
    let meant = place(text);
    let database = TimeZoneDatabase::bundled();
    let found = database.available().find(|it| !meant.is_empty() && place(it.as_str()) == meant);
    found.map_or_else(|| "a name such as `Europe/London`".to_owned(), |it| format!("`{it}`"))
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
