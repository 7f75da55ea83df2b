//! Errors in answers: `application/problem+json` (RFC 9457).

use aws::{CallError, Verdict};
use domain::event::Refusal;
use runtime::chain;
use serde_json::{Map, Value};
use store::NotApplied;

/// An error answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: u16,
    /// The machine code, which is the end of the problem's `type`.
    pub(crate) kind: &'static str,
    /// A sentence for the caller. It quotes no content of a body.
    pub(crate) detail: String,
    /// When to repeat the request, in seconds.
    pub(crate) retry_after: Option<u32>,
}

impl Problem {
    pub(crate) fn new(status: u16, kind: &'static str, detail: impl Into<String>) -> Problem {
        Problem { status, kind, detail: detail.into(), retry_after: None }
    }

    pub(crate) fn forbidden(detail: impl Into<String>) -> Problem {
        Problem::new(403, "forbidden", detail)
    }

    pub(crate) fn no_recipient() -> Problem {
        Problem::new(404, "no_recipient", "no recipient has this id")
    }

    pub(crate) fn bad_cursor() -> Problem {
        let detail = "next: wanted the cursor of the previous page, with the same parameters";
        Problem::new(400, "bad_cursor", detail)
    }

    pub(crate) fn no_endpoint() -> Problem {
        Problem::new(404, "no_endpoint", "no endpoint of this id is known; GET /v1/endpoints lists them")
    }

    /// The problem for an unacceptable value.
    pub(crate) fn refused(attribute: &str, found: &str, wanted: &str) -> Problem {
        Problem::new(422, "refused", format!("{attribute}: found {found}, wanted {wanted}"))
    }

    /// The problem for unknown members, if there are any.
    pub(crate) fn stranger(members: &Map<String, Value>, known: &[&str]) -> Option<Problem> {
        let stranger = members.keys().find(|key| !known.contains(&key.as_str()))?;
        // The name is cut, as in refusals.
        let name: String = stranger.chars().take(40).collect();
        let wanted = format!("only {}", known.join(", "));
        Some(Problem::refused(&name, "a member that is not known", &wanted))
    }

    pub(crate) fn after(mut self, seconds: u32) -> Problem {
        self.retry_after = Some(seconds);
        self
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        Problem::new(422, "refused", refusal.to_string())
    }
}

/// Rewrites a refusal of an event's `data` for the API, where the body is the change.
fn as_written(mut refusal: Refusal) -> Refusal {
    if refusal.attribute == "data" {
        refusal.attribute = "body".to_owned();
    } else if let Some(member) = refusal.attribute.strip_prefix("data.") {
        refusal.attribute = member.to_owned();
    }
    refusal
}

/// A call to a table, a queue or the bus failed.
impl From<CallError> for Problem {
    fn from(refused: CallError) -> Problem {
        let verdict = refused.verdict;
        tracing::error!(
            code = "API_UNAVAILABLE",
            error = chain(&refused),
            ?verdict,
            "request failed: an AWS call was refused, the caller gets status 503"
        );
        match verdict {
            Verdict::Throttled => {
                Problem::new(503, "busy", "the service is overloaded; repeat the request").after(2)
            }
            Verdict::Transient | Verdict::Permanent | Verdict::Denied | Verdict::Unanswered => {
                Problem::new(503, "unavailable", "an internal service did not answer; repeat the request")
                    .after(1)
            }
        }
    }
}

impl From<NotApplied> for Problem {
    fn from(error: NotApplied) -> Problem {
        match error {
            NotApplied::Unfit(refusal) => as_written(refusal).into(),
            NotApplied::Refused(refused) => refused.into(),
        }
    }
}

impl From<store::EditError<Problem>> for Problem {
    fn from(error: store::EditError<Problem>) -> Problem {
        match error {
            store::EditError::Denied(problem) => problem,
            store::EditError::NotApplied(not_applied) => not_applied.into(),
        }
    }
}
