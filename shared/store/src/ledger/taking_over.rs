//! Claims on a key that already has a row.

use std::time::Duration;

use domain::Timestamp;
use domain::base::outcome::{Reason, Status};
use domain::delivery::endpoint_recovery;
use domain::delivery::job::Job;
use domain::delivery::retry::Tried;

use super::{ClaimStatus, Ledger, number, pk, text};
use crate::item::Item;
use crate::lookup;
use crate::statements::{Statement, Written, execute};

/// The effect of an existing row on a claim.
#[derive(Debug)]
pub enum ClaimDecision {
    /// The row stays unchanged.
    Stays(ClaimStatus),
    /// The claim may be taken over on the condition that the row still has this status and its claim token.
    Take { standing: ClaimStatus, status: Status },
}

/// Evaluates an existing row for the sender with `token`.
///
/// A row that was suppressed because of the endpoint's own state is not final. The endpoint missed the event, and a
/// later job under the same key redelivers it. Exactly one job can take the row over.
#[must_use]
pub fn evaluate_claim(row: &Item, token: &str, now: Timestamp) -> ClaimDecision {
    let stays = ClaimDecision::Stays;
    let Some(status) = row.get("status").and_then(Status::from_name) else { return stays(ClaimStatus::Held) };
    let tried = tried(row, now);
    let standing = match status {
        Status::Suppressed if endpoint_recovery::was_missed(status, reason(row)) => ClaimStatus::Ours(tried),
        Status::Sent
        | Status::Suppressed
        | Status::Deferred
        | Status::Failed
        | Status::Unknown
        | Status::Unconfirmed
        | Status::Undelivered
        | Status::Bounced
        | Status::Delivered => return stays(ClaimStatus::Done(status, reason(row))),
        // This sender's own write, whose answer was lost.
        Status::Claimed if row.get("claim_token").unwrap_or_default() == token => {
            return stays(ClaimStatus::Ours(tried.before_this()));
        }
        Status::Claimed if row.get_number("lease_until").unwrap_or(0) > now.as_millisecond() => {
            return stays(ClaimStatus::Held);
        }
        Status::Claimed => ClaimStatus::Abandoned(tried),
        Status::Released => ClaimStatus::Ours(tried),
    };
    ClaimDecision::Take { standing, status }
}

impl Ledger {
    /// Reads a key that exists and takes the claim over where that is allowed.
    pub(super) async fn take_over(
        &self,
        job: &Job,
        token: &str,
        now: Timestamp,
        lease: Timestamp,
    ) -> ClaimStatus {
        let row = match lookup::get(&self.client, &self.table, pk(&job.key)).await {
            Ok(Some(row)) => row,
            // The row was deleted between two calls. The next attempt reads it again.
            Ok(None) => return ClaimStatus::Held,
            // The row may be this sender's own write, whose answer was lost.
            Err(refused) => return ClaimStatus::Unclear { refused, unsent: true },
        };
        let (taken, status) = match evaluate_claim(&row, token, now) {
            ClaimDecision::Stays(standing) => return standing,
            ClaimDecision::Take { standing, status } => (standing, status),
        };
        let unsent = !matches!(taken, ClaimStatus::Abandoned(_));
        let update = match status {
            Status::Suppressed => self.reopen(job, &row, token, now, lease),
            Status::Claimed
            | Status::Released
            | Status::Deferred
            | Status::Sent
            | Status::Failed
            | Status::Unknown
            | Status::Unconfirmed
            | Status::Undelivered
            | Status::Bounced
            | Status::Delivered => self.take(job, &row, status, token, lease),
        };
        match execute(&self.client, "take a claim over", vec![update]).await.map(|mut written| written.pop())
        {
            Ok(Some(Written::Done)) => taken,
            // A refused condition may still be this sender's own write: the SDK repeated it after a lost answer.
            Ok(Some(Written::Refused) | None) => {
                match lookup::get(&self.client, &self.table, pk(&job.key)).await {
                    Ok(Some(row)) if row.get("claim_token") == Some(token) => taken,
                    Ok(_) => ClaimStatus::Held,
                    Err(refused) => ClaimStatus::Unclear { refused, unsent },
                }
            }
            Ok(Some(Written::Failed(refused))) | Err(refused) => ClaimStatus::Unclear { refused, unsent },
        }
    }

    /// The statement that takes over the claim of another sender.
    fn take(&self, job: &Job, row: &Item, status: Status, token: &str, lease: Timestamp) -> Statement {
        let holder = row.get("claim_token").unwrap_or_default();
        Statement::new(
            format!(
                "UPDATE \"{}\" SET \"status\" = ? SET \"claim_token\" = ? SET \"lease_until\" = ? \
                 SET \"attempts\" = ? WHERE pk = ? AND sk = ? AND \"claim_token\" = ? AND \"status\" = ?",
                self.table
            ),
            vec![
                text(Status::Claimed.name()),
                text(token),
                number(lease.as_millisecond()),
                // Counted here because PartiQL has no arithmetic. The condition excludes other writers.
                number(row.get_number("attempts").unwrap_or(0) + 1),
                text(job.key.parts().0),
                text(job.key.parts().1),
                text(holder),
                text(status.name()),
            ],
        )
    }

    /// The statement that takes over a suppressed row, which was written without a claim. It removes the reason and
    /// assigns the row to the set of the job.
    fn reopen(&self, job: &Job, row: &Item, token: &str, now: Timestamp, lease: Timestamp) -> Statement {
        let set = if job.set.is_some() { " SET \"set_id\" = ? SET \"set_of\" = ?" } else { "" };
        let mut parameters = vec![
            text(Status::Claimed.name()),
            text(token),
            number(lease.as_millisecond()),
            number(1),
            text(&now.to_string()),
            text(&job.catalog),
        ];
        parameters.extend(job.set.iter().flat_map(|set| [text(&set.id), number(i64::from(set.of))]));
        parameters.extend([
            text(job.key.parts().0),
            text(job.key.parts().1),
            text(Status::Suppressed.name()),
            text(row.get("reason").unwrap_or_default()),
        ]);
        Statement::new(
            format!(
                "UPDATE \"{}\" SET \"status\" = ? SET \"claim_token\" = ? SET \"lease_until\" = ? \
                 SET \"attempts\" = ? SET \"claimed_at\" = ? SET \"catalog\" = ?{set} \
                 REMOVE \"reason\" REMOVE \"note\" REMOVE \"settled_at\" \
                 WHERE pk = ? AND sk = ? AND \"status\" = ? AND \"reason\" = ?",
                self.table
            ),
            parameters,
        )
    }
}

fn reason(row: &Item) -> Option<Reason> {
    let name = row.get("reason")?;
    Reason::ALL.into_iter().find(|reason| reason.name() == name)
}

/// The attempts that a row records.
fn tried(row: &Item, now: Timestamp) -> Tried {
    let times = row.get_number("attempts").and_then(|number| u32::try_from(number).ok()).unwrap_or(0);
    let since = row.get("claimed_at").and_then(|text| text.parse().ok()).unwrap_or(now);
    Tried { times, since, held: Duration::ZERO }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_suppressions_by_endpoint_state_can_be_taken_over() {
        let now = Timestamp::UNIX_EPOCH;
        let row =
            |reason: &str| Item::default().text("status", Status::Suppressed.name()).text("reason", reason);
        for missed in ["endpoint_disabled", "endpoint_unverified", "endpoint_pattern", "endpoint_version"] {
            let weighed = evaluate_claim(&row(missed), "token", now);
            let is_taken = matches!(
                weighed,
                ClaimDecision::Take {
                    standing: ClaimStatus::Ours(Tried { times: 0, .. }),
                    status: Status::Suppressed
                }
            );
            assert!(is_taken, "{missed}: {weighed:?}");
        }
        for over in ["preference", "expired", "cancelled", "throttled", "no_rule", "endpoint_gone", "new", ""]
        {
            let weighed = evaluate_claim(&row(over), "token", now);
            let stays = matches!(weighed, ClaimDecision::Stays(ClaimStatus::Done(Status::Suppressed, _)));
            assert!(stays, "{over}: {weighed:?}");
        }
        let failed = Item::default().text("status", "failed").text("reason", "endpoint_disabled");
        assert!(matches!(
            evaluate_claim(&failed, "token", now),
            ClaimDecision::Stays(ClaimStatus::Done(Status::Failed, _))
        ));
    }
}
