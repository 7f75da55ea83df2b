//! Parses options such as `--since 7d` and `--from 2026-11-20T12:00:00Z`.

use domain::Timestamp;
use jiff::{Span, SpanRelativeTo};

use crate::error::Error;
use crate::times::{self, utc};

/// Parses a timestamp or an age.
///
/// # Errors
/// The text is malformed, or the time is in the future.
pub fn ago(text: &str) -> Result<Timestamp, Error> {
    let now = runtime::now();
    let wrong = || {
        let fix = "write it as 2026-11-20T12:00:00Z, or as an age: 30m, 24h or 7d";
        Error::usage(format!("`{text}` is no past time"), fix)
    };
    moment(text, now).filter(|moment| *moment <= now).ok_or_else(wrong)
}

/// Parses a timestamp, or an age before `now`.
pub(crate) fn moment(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Some(time) = times::read(text) {
        return Some(time);
    }
    let length = text.parse::<Span>().ok()?.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    now.checked_sub(length).ok().filter(|_| !length.is_negative())
}

/// Checks that `from` is not after `to`. `fix` is the remedy in the error.
pub(crate) fn in_order(from: Timestamp, to: Timestamp, fix: &str) -> Result<(), Error> {
    match from <= to {
        true => Ok(()),
        false => Err(Error::usage(format!("--from {} is after --to {}", utc(from), utc(to)), fix)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_and_ages_are_read_and_future_times_refused() {
        let time = |text: &str| ago(text).map(|time| time.to_string());
        assert_eq!(time("2026-11-20T12:00:00Z").unwrap(), "2026-11-20T12:00:00Z");
        assert!(ago("2h").unwrap() < ago("1h").unwrap());
        for wrong in ["2999-01-01T00:00:00Z", "yesterday", "-3h", ""] {
            assert!(ago(wrong).unwrap_err().to_string().contains("write it as"), "{wrong}");
        }
    }
}
