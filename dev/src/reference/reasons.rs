//! `reasons.md`, from the statuses and reasons of `domain`.

use std::fmt::Write as _;

use domain::base::outcome::{Reason, Status};

use super::markdown::cell;

const HEAD: &str = "# Reasons

A notification that was not sent has a status and a reason. [Outcomes](outcomes.md) describes the statuses.
`carillon explain` prints the reason with its meaning. The delivery events and the HTTP API have the name.

| reason | status | meaning | action |
|---|---|---|---|
";

/// The page: one row for each reason, sorted by name.
pub(super) fn page() -> String {
    let mut reasons = Reason::ALL;
    reasons.sort_by_key(|reason| reason.name());
    let mut page = HEAD.to_owned();
    for reason in reasons {
        let statuses: Vec<String> =
            reason.statuses().iter().map(|status: &Status| format!("`{}`", status.name())).collect();
        let (name, meaning) = (reason.name(), cell(reason.meaning()));
        let _ =
            writeln!(page, "| `{name}` | {} | {meaning} | {} |", statuses.join(", "), cell(reason.action()));
    }
    page
}
