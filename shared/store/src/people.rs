//! The people table: recipients, their addresses, and the groups they belong to.
//!
//! A person is one item under their id. Each membership in a group has an item of its own, written together with
//! the person. A fan-out reads memberships page by page and never holds a whole group.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws::CallError;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use domain::Timestamp;
use domain::event::producers::Tenants;
use domain::recipient::address_change::AddressChange;
use domain::recipient::recipient_changes::{Change, RecipientChange, Stamp, Topic};
use domain::recipient::{Group, Recipient, Recipients, Settings};
use serde_json::{Map, Value};

use crate::item::Item;
use crate::lookup;
use crate::pause;
use crate::writes::{ROUNDS, left_over};

mod addresses;
mod amend;
mod editing;
mod filed;

pub use addresses::MAX_PER_ADDRESS;
pub use amend::{ChangeResult, NotApplied};
pub use editing::EditError;

/// DynamoDB's limit for one `BatchGetItem`.
const KEYS_PER_READ: usize = 100;

/// The people table.
#[derive(Clone)]
pub struct People {
    client: Client,
    table: String,
    /// The cached hash key. Set if writes maintain address entries.
    addresses: Option<addresses::AddressKey>,
}

/// The result of a look-up. People and tenants that do not exist are missing from it.
#[derive(Default)]
pub struct Found {
    pub recipients: Recipients,
    /// The settings of the requested tenants.
    pub tenants: BTreeMap<String, Settings>,
    /// The keys of people and tenants that exist but that this release cannot parse.
    pub unreadable: BTreeSet<String>,
}

impl Found {
    /// The settings of an event's tenant.
    #[must_use]
    pub fn tenant(&self, tenant: Option<&str>) -> Option<&Settings> {
        tenant.and_then(|tenant| self.tenants.get(tenant))
    }
}

/// A page of a group's members, in the order of their keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub ids: Vec<String>,
    /// The position of the next page: after this member. `None` on the last page.
    pub next: Option<String>,
}

impl Page {
    pub(crate) fn of((ids, more): (Vec<String>, bool)) -> Page {
        let next = ids.last().filter(|_| more).cloned();
        Page { ids, next }
    }
}

impl People {
    #[must_use]
    pub fn new(client: &Client, table: String) -> People {
        People { client: client.clone(), table, addresses: None }
    }

    /// Reads people, 100 per call. People that do not exist are missing from the result.
    ///
    /// # Errors
    /// The table could not be read, or several rounds left keys unprocessed.
    pub async fn find(&self, ids: &BTreeSet<&str>) -> Result<Recipients, CallError> {
        Ok(self.look_up(ids, &BTreeSet::new()).await?.recipients)
    }

    /// Reads people and tenants in the same calls, 100 per call.
    ///
    /// # Errors
    /// The table could not be read, or several rounds left keys unprocessed.
    pub async fn look_up(&self, ids: &BTreeSet<&str>, tenants: &BTreeSet<&str>) -> Result<Found, CallError> {
        let people = ids.iter().map(|id| filed::profile(id));
        let keys = people.chain(tenants.iter().map(|id| filed::tenant(id))).map(Item::into_map);
        let mut found = Found::default();
        for item in self.read(keys.collect()).await? {
            let pk = item.get("pk").unwrap_or_default().to_owned();
            if item.get("tenant").is_some() {
                match filed::settings(&item) {
                    Ok((id, settings)) => drop(found.tenants.insert(id, settings)),
                    Err(_) => drop(found.unreadable.insert(pk)),
                }
                continue;
            }
            match filed::person(&item) {
                Ok(Some(person)) => drop(found.recipients.insert(person.id.clone(), person)),
                // Deleted, or not described yet.
                Ok(None) => {}
                Err(_) => drop(found.unreadable.insert(pk)),
            }
        }
        Ok(found)
    }

    /// The members of a group: at most `most`, after the member `start`, who may have left or been deleted since.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn members(&self, group: &Group, start: Option<&str>, most: u32) -> Result<Page, CallError> {
        let pk = filed::partition(group);
        let start = start.map(|id| filed::membership_key(&pk, id));
        let doing = "read the members of a group";
        lookup::page(&self.client, &self.table, doing, (pk, "id"), start, most).await.map(Page::of)
    }

    /// Writes people exactly like this, with their memberships, in place of all changes before `at`. Suppressed
    /// channels stay suppressed unless the new description lists suppressions itself. A repetition is harmless.
    ///
    /// # Errors
    /// At least one person could not be written. The others are.
    pub async fn put(&self, people: &[Recipient], at: Timestamp) -> Result<(), CallError> {
        self.put_all(people, &Stamp { at, by: "put".to_owned() }).await.1
    }

    /// Writes people and returns the addresses that were removed, with the ids of their people. The addresses are
    /// returned even if other people could not be written, so that the changes can be published.
    pub async fn put_all(
        &self,
        people: &[Recipient],
        stamp: &Stamp,
    ) -> (Vec<(String, AddressChange)>, Result<(), CallError>) {
        let amendments: Vec<RecipientChange> = people
            .iter()
            .map(|person| RecipientChange {
                id: person.id.clone(),
                change: Change::Put(Box::new(person.clone())),
                stamp: stamp.clone(),
                reach: Tenants::All,
            })
            .collect();
        let (mut addresses, mut written) = (Vec::new(), Ok(()));
        for (amendment, applied) in amendments.iter().zip(self.amend_all(&amendments).await) {
            match applied {
                Ok(amended) => {
                    addresses
                        .extend(amended.addresses.into_iter().map(|change| (amendment.id.clone(), change)));
                }
                Err(NotApplied::Refused(refused)) => written = written.and(Err(refused)),
                Err(NotApplied::Unfit(_)) => {} // A whole person always fits.
            }
        }
        (addresses, written)
    }

    /// Applies a JSON merge patch (RFC 7396) to a person's JSON. `false`: newer changes override the whole patch.
    ///
    /// # Errors
    /// [`NotApplied`] separates a patch with an invalid result from a table that did not answer.
    pub async fn merge(&self, id: &str, patch: Map<String, Value>, stamp: Stamp) -> Result<bool, NotApplied> {
        self.one(id, Change::Update(patch), stamp).await
    }

    /// Deletes a person and all their memberships. The deletion of the id is recorded for 30 days.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn remove(&self, id: &str, stamp: Stamp) -> Result<bool, NotApplied> {
        self.one(id, Change::Remove, stamp).await
    }

    /// Subscribes a person to a topic.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn join(&self, topic: &Topic, id: &str, stamp: Stamp) -> Result<bool, NotApplied> {
        self.one(id, Change::Join(topic.clone()), stamp).await
    }

    /// Unsubscribes a person from a topic.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn leave(&self, topic: &Topic, id: &str, stamp: Stamp) -> Result<bool, NotApplied> {
        self.one(id, Change::Leave(topic.clone()), stamp).await
    }

    async fn one(&self, id: &str, change: Change, stamp: Stamp) -> Result<bool, NotApplied> {
        let amendment = RecipientChange { id: id.to_owned(), change, stamp, reach: Tenants::All };
        let mut applied = self.apply(std::slice::from_ref(&amendment)).await;
        applied.pop().unwrap_or(Ok(false))
    }

    /// Writes a tenant's settings exactly like this, unless newer ones exist. `false`: they do.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn put_tenant(&self, id: &str, settings: &Settings, stamp: &Stamp) -> Result<bool, CallError> {
        let changed_at = AttributeValue::N(filed::nanoseconds(stamp.at).to_string());
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(filed::tenant_item(id, settings, stamp.at, &stamp.by).into_map()))
            .condition_expression(
                "attribute_not_exists(pk) OR changed_at < :at OR (changed_at = :at AND changed_by < :by)",
            )
            .expression_attribute_values(":at", changed_at)
            .expression_attribute_values(":by", AttributeValue::S(stamp.by.clone()))
            .send()
            .await;
        match put {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(service_error) if service_error.is_conditional_check_failed_exception() => Ok(false),
                Some(_) | None => Err(CallError::new("write a tenant", error)),
            },
        }
    }

    /// Reads items by their keys, each key once.
    async fn read(&self, keys: Vec<HashMap<String, AttributeValue>>) -> Result<Vec<Item>, CallError> {
        let mut items = Vec::with_capacity(keys.len());
        for some in keys.chunks(KEYS_PER_READ) {
            self.read_some(some.to_vec(), &mut items).await?;
        }
        Ok(items)
    }

    async fn read_some(
        &self,
        mut keys: Vec<HashMap<String, AttributeValue>>,
        items: &mut Vec<Item>,
    ) -> Result<(), CallError> {
        for round in 0..ROUNDS {
            pause::before(round).await;
            let wanted = KeysAndAttributes::builder()
                .set_keys(Some(keys))
                // A person who was imported a moment ago must be found, because `unknown_recipient` is final.
                .consistent_read(true)
                .build()
                .expect("keys are all that a read needs");
            let answer = self
                .client
                .batch_get_item()
                .request_items(&self.table, wanted)
                .send()
                .await
                .map_err(|error| CallError::new("read people", error))?;
            let found =
                answer.responses.and_then(|mut responses| responses.remove(&self.table)).unwrap_or_default();
            items.extend(found.into_iter().map(Item::from));
            let left =
                answer.unprocessed_keys.and_then(|mut unprocessed_keys| unprocessed_keys.remove(&self.table));
            keys = left.map(|left| left.keys).unwrap_or_default();
            if keys.is_empty() {
                return Ok(());
            }
        }
        Err(left_over("read people"))
    }
}

#[cfg(test)]
mod tests;
