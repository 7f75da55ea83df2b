//! The ledger table: one item per notification key. The sender that writes the item first holds the claim.

mod engagement;
mod receipts;
mod receiving;
mod taking_over;

use std::time::Duration;

use aws::CallError;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use domain::base::outcome::{Reason, Status};
use domain::delivery::job::Job;
use domain::delivery::retry::Tried;
use domain::event::key::{Key, event_part};
use domain::feedback::delivery_events::Set;

pub use engagement::Noticed;
pub use receipts::StoredReceipts;
pub use receiving::{MAX_RECEIVED, Received, ReceivedPage, RecipientCursor};
pub use taking_over::{ClaimDecision, evaluate_claim};

use crate::item::Item;
use crate::lookup::{self, Order};
use crate::statements::{Statement, Written, execute};

mod row;

pub use row::{LedgerRow, Times, stands_since};
use row::{claim_item, row_item};

/// Retention of an outcome in days. Equal to the period in which events can be replayed.
const RETENTION_DAYS: i64 = 400;

/// The ledger table.
#[derive(Clone)]
pub struct Ledger {
    client: Client,
    table: String,
}

/// The result of a claim for one job.
#[derive(Debug)]
pub enum ClaimStatus {
    /// The claim is held by this sender, which may send. Carries the earlier attempts.
    Ours(Tried),
    /// Another sender holds the claim, or held it a moment ago. Retry later.
    Held,
    /// The notification has a final outcome, with this reason.
    Done(Status, Option<Reason>),
    /// The lease of another sender expired without an outcome, and this sender now holds the claim. The
    /// notification may have been sent, so the abandoned claim counts as an attempt.
    Abandoned(Tried),
    /// The result of the claim is unknown because the answer was lost. Retry later. The claim may have been
    /// written. With `unsent`, no earlier sender can have sent the notification: settling it as released lets the
    /// next attempt send.
    Unclear { refused: CallError, unsent: bool },
}

/// The outcome that replaces a claim when the send is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    pub key: Key,
    pub status: Status,
    pub reason: Option<Reason>,
    /// The provider's message id.
    pub provider_id: Option<String>,
    /// The number of calls to the provider, where it differs from the claim's own count. A claim counts as one
    /// attempt.
    pub tries: Option<u32>,
    /// A sentence for people that explains the outcome.
    pub note: Option<String>,
}

impl Settlement {
    /// An outcome without provider id, attempts or note.
    #[must_use]
    pub fn new(key: &Key, status: Status, reason: Option<Reason>) -> Settlement {
        Settlement { key: key.clone(), status, reason, provider_id: None, tries: None, note: None }
    }
}

/// The item that a first claim writes.
#[must_use]
pub fn claimed(job: &Job, token: &str, now: Timestamp, lease: Timestamp) -> Item {
    claim_item(job, token, now, lease)
}

/// The item of an outcome that was reached without a call to a provider.
#[must_use]
pub fn recorded(row: &LedgerRow, now: Timestamp) -> Item {
    row_item(row, now)
}

/// A page of the ledger rows of an event.
pub struct LedgerPage {
    pub rows: Vec<LedgerRow>,
    /// The position of the next page: the end of the key of this page's last row. `None` on the last page.
    pub next: Option<String>,
}

impl Ledger {
    #[must_use]
    pub fn new(client: &Client, table: String) -> Ledger {
        Ledger { client: client.clone(), table }
    }

    /// Claims every job that has no row yet, 25 jobs per call. Keys that exist already are read one by one. The
    /// results are in the order of `jobs`, whose keys must differ.
    ///
    /// `token` names this invocation. The claim holds until `lease`.
    ///
    /// # Errors
    /// The table did not answer at all. A repetition with the same token is harmless. A claim that was written all
    /// the same is a first claim and may be settled as released.
    pub async fn claim(
        &self,
        jobs: &[&Job],
        token: &str,
        now: Timestamp,
        lease: Timestamp,
    ) -> Result<Vec<ClaimStatus>, CallError> {
        let inserts = jobs
            .iter()
            .map(|job| Statement::insert(&self.table, claim_item(job, token, now, lease)))
            .collect();
        let written = execute(&self.client, "claim", inserts).await?;
        let mut standings = Vec::with_capacity(jobs.len());
        for (job, written) in jobs.iter().zip(written) {
            standings.push(match written {
                Written::Done => ClaimStatus::Ours(Tried { times: 0, since: now, held: Duration::ZERO }),
                Written::Refused => self.take_over(job, token, now, lease).await,
                Written::Failed(refused) => ClaimStatus::Unclear { refused, unsent: true },
            });
        }
        Ok(standings)
    }

    /// Writes the outcomes of claims that `token` holds. A claim that another sender has taken over is left
    /// unchanged. The results are in the order of `settlements` and say whether the outcome is recorded.
    ///
    /// # Errors
    /// The table did not answer at all. A repetition is harmless.
    pub async fn settle(
        &self,
        settlements: &[Settlement],
        token: &str,
        now: Timestamp,
    ) -> Result<Vec<Result<(), CallError>>, CallError> {
        let updates =
            settlements.iter().map(|settlement| self.settle_statement(settlement, token, now)).collect();
        let written = execute(&self.client, "settle", updates).await?;
        let stands = written.into_iter().map(|answer| match answer {
            // Refused: the lease ran out and another sender took over. The outcome of that sender counts.
            Written::Done | Written::Refused => Ok(()),
            Written::Failed(refused) => Err(refused),
        });
        Ok(stands.collect())
    }

    fn settle_statement(&self, settlement: &Settlement, token: &str, now: Timestamp) -> Statement {
        let mut text_of = format!("UPDATE \"{}\" SET \"status\" = ? SET \"settled_at\" = ?", self.table);
        let mut parameters = vec![text(settlement.status.name()), text(&now.to_string())];
        if let Some(reason) = settlement.reason {
            text_of.push_str(" SET \"reason\" = ?");
            parameters.push(text(reason.name()));
        }
        if let Some(tries) = settlement.tries {
            text_of.push_str(" SET \"attempts\" = ?");
            parameters.push(number(i64::from(tries)));
        }
        if let Some(note) = &settlement.note {
            text_of.push_str(" SET \"note\" = ?");
            parameters.push(text(note));
        }
        if let Some(id) = &settlement.provider_id {
            text_of.push_str(" SET \"provider_id\" = ?");
            parameters.push(text(id));
        }
        text_of.push_str(" WHERE pk = ? AND sk = ? AND \"claim_token\" = ? AND \"status\" = ?");
        let (event, own) = settlement.key.parts();
        parameters.extend([text(event), text(own), text(token), text(Status::Claimed.name())]);
        Statement::new(text_of, parameters)
    }

    /// Writes outcomes that were reached without a call to a provider. An existing outcome is left unchanged. The
    /// results are in the order of `rows`. A repetition is harmless.
    pub async fn record(&self, rows: &[LedgerRow], now: Timestamp) -> Vec<Result<(), CallError>> {
        const DOING: &str = "record outcomes";
        let inserts = rows.iter().map(|row| Statement::insert(&self.table, row_item(row, now))).collect();
        match execute(&self.client, DOING, inserts).await {
            Ok(written) => written
                .into_iter()
                .map(|answer| match answer {
                    Written::Done | Written::Refused => Ok(()),
                    Written::Failed(refused) => Err(refused),
                })
                .collect(),
            Err(refused) => {
                let (verdict, said) = (refused.verdict, aws::chain(&refused));
                let again = || CallError { doing: DOING, verdict, source: said.clone().into() };
                rows.iter().map(|_| Err(again())).collect()
            }
        }
    }

    /// Whether one of these notifications was sent, may have been sent, or is being sent. A key without a row
    /// counts as not sent.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn has_notified(&self, keys: &[Key]) -> Result<bool, CallError> {
        for key in keys {
            let Some(row) = lookup::get(&self.client, &self.table, pk(key)).await? else { continue };
            // A status of a newer release is unknown here and counts as sent.
            if row.get("status").and_then(Status::from_name).is_none_or(Status::may_have_reached) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The row of one notification.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn find(&self, key: &Key) -> Result<Option<LedgerRow>, CallError> {
        let found = lookup::get(&self.client, &self.table, pk(key)).await?;
        Ok(found.as_ref().and_then(LedgerRow::read))
    }

    /// A page of the ledger rows of one event, in the order of their keys: at most `most` rows, after the row whose
    /// key ends in `after`.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn page_of_event(
        &self,
        source: &str,
        id: &str,
        after: Option<&str>,
        most: u32,
    ) -> Result<LedgerPage, CallError> {
        let pk = event_part(source, id);
        let (doing, from) = ("read the ledger rows of an event", (pk.as_str(), after));
        let found = lookup::stretch(&self.client, &self.table, doing, from, most, Order::Forward).await?;
        let (items, next) = found;
        Ok(LedgerPage { rows: items.iter().filter_map(LedgerRow::read).collect(), next })
    }

    /// All ledger rows of one event, in the order of their keys.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn of_event(&self, source: &str, id: &str) -> Result<Vec<LedgerRow>, CallError> {
        let found = lookup::partition(&self.client, &self.table, &event_part(source, id)).await?;
        Ok(found.iter().filter_map(LedgerRow::read).collect())
    }
}

impl Ledger {
    /// The rows of one set, each with the time of its current status. All of them are in the partition of their
    /// event.
    ///
    /// The set of suppressed notifications is empty if another set of the event sends a notification. That other
    /// set then reports the outcome of the event.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn of_set(
        &self,
        event_part: &str,
        set: &str,
    ) -> Result<Vec<(LedgerRow, Timestamp)>, CallError> {
        let found = lookup::partition(&self.client, &self.table, event_part).await?;
        let of_set = of_set(&found, set).into_iter();
        Ok(of_set.filter_map(|item| Some((LedgerRow::read(item)?, stands_since(item)?))).collect())
    }
}

/// The rows of a set among all rows of an event.
fn of_set<'r>(rows: &'r [Item], set: &str) -> Vec<&'r Item> {
    let is_other = |row: &Item| row.get("set_id").is_some_and(|id| id != set);
    if Set::is_suppressed(set) && rows.iter().any(is_other) {
        return Vec::new();
    }
    rows.iter().filter(|row| row.get("set_id") == Some(set)).collect()
}

/// The primary key of a notification. All rows of an event share one partition key.
fn pk(key: &Key) -> Item {
    let (event, own) = key.parts();
    Item::default().text("pk", event).text("sk", own)
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

#[cfg(test)]
mod tests;
