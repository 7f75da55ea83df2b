//! `--since 7d`, `--from 2026-11-20T12:00:00Z`.

use domain::Timestamp;
use jiff::{Span, SpanRelativeTo};

use crate::error::Error;
use crate::times::{self, utc};

/// A time, or how long before now one was. Nothing is on record of what lies ahead.
pub fn ago(text: &str) -> Result<Timestamp, Error> {
    let now = runtime::now();
    let wrong = || {
        let fix = "write it as 2026-11-20T12:00:00Z, or as how long ago it was: 30m, 24h or 7d";
        Error::usage(format!("`{text}` is no time that is over"), fix)
    };
    moment(text, now).filter(|moment| *moment <= now).ok_or_else(wrong)
}

/// A time, or one so long before now.
pub(crate) fn moment(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Some(at) = times::read(text) {
        return Some(at);
    }
    let length = text.parse::<Span>().ok()?.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    now.checked_sub(length).ok().filter(|_| !length.is_negative())
}

/// Whether one time is not after the other. `fix` says what to do where it is.
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
    fn a_time_is_one_or_how_long_ago_it_was_and_never_ahead() {
        let at = |it: &str| ago(it).map(|ago| ago.to_string());
        assert_eq!(at("2026-11-20T12:00:00Z").unwrap(), "2026-11-20T12:00:00Z");
        assert!(ago("2h").unwrap() < ago("1h").unwrap());
        for wrong in ["2999-01-01T00:00:00Z", "yesterday", "-3h", ""] {
            assert!(ago(wrong).unwrap_err().to_string().contains("write it as"), "{wrong}");
        }
    }
}
