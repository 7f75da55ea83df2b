//! `--since 7d`, `--from 2026-11-20T12:00:00Z`.

use domain::Timestamp;
use jiff::{Span, SpanRelativeTo};

use crate::error::Error;

/// A time, or how long before now one was. Nothing is on record of what lies ahead.
pub(crate) fn ago(text: &str) -> Result<Timestamp, Error> {
    let now = runtime::now();
    let wrong = || {
        let fix = "write it as 2026-11-20T12:00:00Z, or as how long ago it was: 30m, 24h or 7d";
        Error::usage(format!("`{text}` is no time that is over"), fix)
    };
    if let Ok(at) = text.parse::<Timestamp>() {
        return if at <= now { Ok(at) } else { Err(wrong()) };
    }
    let span: Span = text.parse().map_err(|_| wrong())?;
    let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
    if length.is_negative() {
        return Err(wrong());
    }
    now.checked_sub(length).map_err(|_| wrong())
}

/// What lies between two times, the second of which is now where it is left out.
pub(crate) fn in_order(from: Timestamp, to: Timestamp) -> Result<(), Error> {
    if from <= to {
        return Ok(());
    }
    Err(Error::usage(format!("--from {from} is after --to {to}"), "swap them"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_one_or_how_long_ago_it_was_and_never_ahead() {
        let at = |it: &str| ago(it).map(|it| it.to_string());
        assert_eq!(at("2026-11-20T12:00:00Z").unwrap(), "2026-11-20T12:00:00Z");
        assert!(ago("2h").unwrap() < ago("1h").unwrap());
        for wrong in ["2999-01-01T00:00:00Z", "yesterday", "-3h", ""] {
            assert!(ago(wrong).unwrap_err().to_string().contains("write it as"), "{wrong}");
        }
    }
}
