//! The ledger: one item per notification key. Whoever writes the item first may send.

mod hearing;
mod noticing;
mod receiving;
mod taking_over;

use std::time::Duration;

use aws::Refused;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use domain::job::Job;
use domain::key::{Key, event_part};
use domain::outcome::{Reason, Status};
use domain::retry::Tried;
use domain::told::Set;

pub use hearing::Told;
pub use noticing::Noticed;
pub use receiving::{MAX_RECEIVED, Received, ReceivedPage, ReceivedPlace};
pub use taking_over::{Weighed, weigh};

use crate::item::Item;
use crate::lookup::{self, Order};
use crate::statements::{Statement, Written, execute};

mod row;

pub use row::{LedgerRow, Times, stands_since};
use row::{claim_item, row_item};

/// How long an outcome is kept, in days: as long as events can be replayed.
const RETENTION_DAYS: i64 = 400;

/// The ledger table.
#[derive(Clone)]
pub struct Ledger {
    client: Client,
    table: String,
}

/// Where a job stands when a sender asks for it.
#[derive(Debug)]
pub enum Standing {
    /// The claim is ours: send it. What was tried before.
    Ours(Tried),
    /// Another sender holds it, or held it until just now: come back later.
    Held,
    /// It is over.
    Done(Status),
    /// A sender claimed it and was never heard of again. The claim is ours now, but it may have been sent: that counts
    /// as a try.
    Abandoned(Tried),
    /// The table could not say: come back later. The claim may be ours all the same; where it is `unsent`, nobody before
    /// us may have sent it, and settling it as released lets the next attempt send.
    Unclear { refused: Refused, unsent: bool },
}

/// What is written over a claim when its send is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    pub key: Key,
    pub status: Status,
    pub reason: Option<Reason>,
    /// What the provider calls it.
    pub provider_id: Option<String>,
    /// How often a provider was asked, where that is not what the claim has counted: it counts itself as a try.
    pub tries: Option<u32>,
    /// What is to be said about it, as a sentence for people.
    pub note: Option<String>,
}

impl Settlement {
    /// An outcome with nothing more to say about it.
    #[must_use]
    pub fn new(key: &Key, status: Status, reason: Option<Reason>) -> Settlement {
        Settlement { key: key.clone(), status, reason, provider_id: None, tries: None, note: None }
    }
}

/// The row that a first claim writes.
#[must_use]
pub fn claimed(job: &Job, token: &str, now: Timestamp, lease: Timestamp) -> Item {
    claim_item(job, token, now, lease)
}

/// The row that an outcome writes for which no provider was asked.
#[must_use]
pub fn recorded(row: &LedgerRow, now: Timestamp) -> Item {
    row_item(row, now)
}

/// Some of what came of an event.
pub struct LedgerPage {
    pub rows: Vec<LedgerRow>,
    /// Where the next page begins: after the row whose key ends so. None: there are no more.
    pub next: Option<String>,
}

impl Ledger {
    #[must_use]
    pub fn new(client: &Client, table: String) -> Ledger {
        Ledger { client: client.clone(), table }
    }

    /// Claims every job that nobody has claimed, in one call for 25 of them; only keys that exist are looked at again.
    /// The answers are in the order of `jobs`, whose keys must differ.
    ///
    /// `token` names this invocation; the claim holds until `lease`.
    ///
    /// # Errors
    /// The table could not be asked at all. Asking again with the same token is harmless. What was claimed all the same
    /// is new, and may be settled as released.
    pub async fn claim(
        &self,
        jobs: &[&Job],
        token: &str,
        now: Timestamp,
        lease: Timestamp,
    ) -> Result<Vec<Standing>, Refused> {
        let inserts = jobs
            .iter()
            .map(|job| Statement::insert(&self.table, claim_item(job, token, now, lease)))
            .collect();
        let written = execute(&self.client, "claim", inserts).await?;
        let mut standings = Vec::with_capacity(jobs.len());
        for (job, written) in jobs.iter().zip(written) {
            standings.push(match written {
                Written::Done => Standing::Ours(Tried { times: 0, since: now, held: Duration::ZERO }),
                Written::Refused => self.take_over(job, token, now, lease).await,
                Written::Failed(refused) => Standing::Unclear { refused, unsent: true },
            });
        }
        Ok(standings)
    }

    /// Writes the outcomes of claims that `token` holds. A claim that has passed to somebody else is left to them.
    /// The answers are in the order of `settlements`: whether the outcome stands.
    ///
    /// # Errors
    /// The table could not be asked at all. Asking again is harmless.
    pub async fn settle(
        &self,
        settlements: &[Settlement],
        token: &str,
        now: Timestamp,
    ) -> Result<Vec<Result<(), Refused>>, Refused> {
        let updates =
            settlements.iter().map(|settlement| self.settle_statement(settlement, token, now)).collect();
        let written = execute(&self.client, "settle", updates).await?;
        let stands = written.into_iter().map(|it| match it {
            // Refused: the lease ran out and another sender took over; what it writes counts.
            Written::Done | Written::Refused => Ok(()),
            Written::Failed(refused) => Err(refused),
        });
        Ok(stands.collect())
    }

    fn settle_statement(&self, it: &Settlement, token: &str, now: Timestamp) -> Statement {
        let mut text_of = format!("UPDATE \"{}\" SET \"status\" = ? SET \"settled_at\" = ?", self.table);
        let mut parameters = vec![text(it.status.name()), text(&now.to_string())];
        if let Some(reason) = it.reason {
            text_of.push_str(" SET \"reason\" = ?");
            parameters.push(text(reason.name()));
        }
        if let Some(tries) = it.tries {
            text_of.push_str(" SET \"attempts\" = ?");
            parameters.push(number(i64::from(tries)));
        }
        if let Some(note) = &it.note {
            text_of.push_str(" SET \"note\" = ?");
            parameters.push(text(note));
        }
        if let Some(id) = &it.provider_id {
            text_of.push_str(" SET \"provider_id\" = ?");
            parameters.push(text(id));
        }
        text_of.push_str(" WHERE pk = ? AND sk = ? AND \"claim_token\" = ? AND \"status\" = ?");
        let (event, own) = it.key.parts();
        parameters.extend([text(event), text(own), text(token), text(Status::Claimed.name())]);
        Statement::new(text_of, parameters)
    }

    /// Writes outcomes that no provider was asked for. An outcome that stands already is left as it is. The answers are
    /// in the order of `rows`; writing one again is harmless.
    pub async fn record(&self, rows: &[LedgerRow], now: Timestamp) -> Vec<Result<(), Refused>> {
        const DOING: &str = "record outcomes";
        let inserts = rows.iter().map(|row| Statement::insert(&self.table, row_item(row, now))).collect();
        match execute(&self.client, DOING, inserts).await {
            Ok(written) => written
                .into_iter()
                .map(|it| match it {
                    Written::Done | Written::Refused => Ok(()),
                    Written::Failed(refused) => Err(refused),
                })
                .collect(),
            Err(refused) => {
                let (verdict, said) = (refused.verdict, aws::chain(&refused));
                let again = || Refused { doing: DOING, verdict, source: said.clone().into() };
                rows.iter().map(|_| Err(again())).collect()
            }
        }
    }

    /// Whether any of these was sent, or is under way, or may have been sent. A key without a row is none of these.
    ///
    /// # Errors
    /// The table could not be asked.
    pub async fn has_told(&self, keys: &[Key]) -> Result<bool, Refused> {
        for key in keys {
            let Some(row) = lookup::get(&self.client, &self.table, pk(key)).await? else { continue };
            // What a newer release wrote is more than was known here: then somebody was told.
            if row.get("status").and_then(Status::from_name).is_none_or(Status::may_have_reached) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// One notification.
    ///
    /// # Errors
    /// The table could not be asked.
    pub async fn find(&self, key: &Key) -> Result<Option<LedgerRow>, Refused> {
        let found = lookup::get(&self.client, &self.table, pk(key)).await?;
        Ok(found.as_ref().and_then(LedgerRow::read))
    }

    /// A part of what came of one event so far, in the order of the keys: at most `most` rows, after the one whose key
    /// ends in `after`.
    ///
    /// # Errors
    /// The table could not be asked.
    pub async fn page_of_event(
        &self,
        source: &str,
        id: &str,
        after: Option<&str>,
        most: u32,
    ) -> Result<LedgerPage, Refused> {
        let pk = event_part(source, id);
        let (doing, from) = ("read what came of an event", (pk.as_str(), after));
        let found = lookup::stretch(&self.client, &self.table, doing, from, most, Order::Forward).await?;
        let (items, next) = found;
        Ok(LedgerPage { rows: items.iter().filter_map(LedgerRow::read).collect(), next })
    }

    /// Everything that came of one event so far, in the order of the keys.
    ///
    /// # Errors
    /// The table could not be asked.
    pub async fn of_event(&self, source: &str, id: &str) -> Result<Vec<LedgerRow>, Refused> {
        let found = lookup::partition(&self.client, &self.table, &event_part(source, id)).await?;
        Ok(found.iter().filter_map(LedgerRow::read).collect())
    }
}

impl Ledger {
    /// The rows of one set, each with the time since when it stands; they lie in the partition of their event.
    ///
    /// The set of suppressed notifications is empty where another hand-over of the event sends something: the set of that
    /// hand-over tells what came of the event.
    ///
    /// # Errors
    /// The table could not be asked.
    pub async fn of_set(&self, event_part: &str, set: &str) -> Result<Vec<(LedgerRow, Timestamp)>, Refused> {
        let found = lookup::partition(&self.client, &self.table, event_part).await?;
        let of_set = of_set(&found, set).into_iter();
        Ok(of_set.filter_map(|it| Some((LedgerRow::read(it)?, stands_since(it)?))).collect())
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

/// All that came of one event lies under one partition key.
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
