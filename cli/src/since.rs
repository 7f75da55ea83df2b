//! `--since 7d`.

use domain::Timestamp;
use jiff::{Span, SpanRelativeTo};

use crate::error::Error;

/// So long before now.
pub(crate) fn ago(text: &str) -> Result<Timestamp, Error> {
    let wrong = || Error::usage(format!("`{text}` is no length of time"), "write it as 30m, 24h or 7d");
    let span: Span = text.parse().map_err(|_| wrong())?;
    let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
    if !length.is_positive() {
        return Err(wrong());
    }
    runtime::now().checked_sub(length).map_err(|_| wrong())
}
