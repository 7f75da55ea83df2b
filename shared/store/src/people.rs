//! The people table: who can be told something, how they are reached, and who belongs together.
//!
//! A person is one item under their id, so nobody is there twice. Each group they are in has an item of its own, which
//! is written together with the person; a fan-out reads these page by page and never holds a whole group.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws::Refused;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use domain::Timestamp;
use domain::address_change::AddressChange;
use domain::producers::Tenants;
use domain::recipient::{Group, Recipient, Recipients, Settings};
use domain::registry::{Amendment, Change, Stamp, Topic};
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
pub use amend::{Amended, NotApplied};
pub use editing::NotEdited;

/// DynamoDB's limit for one `BatchGetItem`.
const KEYS_PER_READ: usize = 100;

/// The people table.
#[derive(Clone)]
pub struct People {
    client: Client,
    table: String,
    /// Set where writes keep entries of addresses.
    addresses: Option<addresses::AddressKey>,
}

/// What a look-up found. Who or what is not in it is not known.
#[derive(Default)]
pub struct Found {
    pub recipients: Recipients,
    /// The settings of the tenants that were asked for.
    pub tenants: BTreeMap<String, Settings>,
    /// People and tenants that are there and that this release cannot read; they are in neither of the two above.
    pub unreadable: BTreeSet<String>,
}

impl Found {
    /// The settings of an event's tenant.
    #[must_use]
    pub fn tenant(&self, tenant: Option<&str>) -> Option<&Settings> {
        tenant.and_then(|tenant| self.tenants.get(tenant))
    }
}

/// Some members of a group, in the order of their keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub ids: Vec<String>,
    /// Where the next page begins: after this member. None: there are no more.
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

    /// Looks people up, 100 to a call. Who is not found is not in the answer.
    ///
    /// # Errors
    /// The table could not be read, or left some of the keys unprocessed several times.
    pub async fn find(&self, ids: &BTreeSet<&str>) -> Result<Recipients, Refused> {
        Ok(self.look_up(ids, &BTreeSet::new()).await?.recipients)
    }

    /// Looks people and tenants up in the same calls, 100 to a call.
    ///
    /// # Errors
    /// The table could not be read, or left some of the keys unprocessed several times.
    pub async fn look_up(&self, ids: &BTreeSet<&str>, tenants: &BTreeSet<&str>) -> Result<Found, Refused> {
        let people = ids.iter().map(|it| filed::profile(it));
        let keys = people.chain(tenants.iter().map(|it| filed::tenant(it))).map(Item::into_map);
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

    /// The members of a group, at most `most` of them, after the one that `start` names. A member who has left or who
    /// is gone since can still be a start.
    ///
    /// # Errors
    /// The table could not be asked.
    pub async fn members(&self, group: &Group, start: Option<&str>, most: u32) -> Result<Page, Refused> {
        let pk = filed::partition(group);
        let start = start.map(|id| filed::membership_key(&pk, id));
        let doing = "read the members of a group";
        lookup::page(&self.client, &self.table, doing, (pk, "id"), start, most).await.map(Page::of)
    }

    /// Makes people exactly what they are here, with their memberships, whatever was said before `at`. Only a closed
    /// channel stays closed unless the new description names closed channels itself. Repeating it is harmless.
    ///
    /// # Errors
    /// At least one could not be written; the others are.
    pub async fn put(&self, people: &[Recipient], at: Timestamp) -> Result<(), Refused> {
        self.put_all(people, &Stamp { at, by: "put".to_owned() }).await.1
    }

    /// The same, and the addresses that it took from people, with their ids: they are there to be announced also where
    /// other people could not be written.
    pub async fn put_all(
        &self,
        people: &[Recipient],
        stamp: &Stamp,
    ) -> (Vec<(String, AddressChange)>, Result<(), Refused>) {
        let amendments: Vec<Amendment> = people
            .iter()
            .map(|person| Amendment {
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
                Err(NotApplied::Unfit(_)) => {} // A whole person is no patch that could not fit.
            }
        }
        (addresses, written)
    }

    /// Applies a JSON merge patch (RFC 7396) to a person's JSON. `false`: something newer stands against all of it.
    ///
    /// # Errors
    /// [`NotApplied`] tells a patch that makes no person apart from a table that could not be asked.
    pub async fn merge(&self, id: &str, patch: Map<String, Value>, stamp: Stamp) -> Result<bool, NotApplied> {
        self.one(id, Change::Update(patch), stamp).await
    }

    /// Forgets a person and every group they are in. For 30 days it is remembered that the id was deleted.
    ///
    /// # Errors
    /// The table could not be asked.
    pub async fn remove(&self, id: &str, stamp: Stamp) -> Result<bool, NotApplied> {
        self.one(id, Change::Remove, stamp).await
    }

    /// Lets a person follow a topic.
    ///
    /// # Errors
    /// The table could not be asked.
    pub async fn join(&self, topic: &Topic, id: &str, stamp: Stamp) -> Result<bool, NotApplied> {
        self.one(id, Change::Join(topic.clone()), stamp).await
    }

    /// Lets a person follow a topic no more.
    ///
    /// # Errors
    /// The table could not be asked.
    pub async fn leave(&self, topic: &Topic, id: &str, stamp: Stamp) -> Result<bool, NotApplied> {
        self.one(id, Change::Leave(topic.clone()), stamp).await
    }

    async fn one(&self, id: &str, change: Change, stamp: Stamp) -> Result<bool, NotApplied> {
        let amendment = Amendment { id: id.to_owned(), change, stamp, reach: Tenants::All };
        let mut applied = self.apply(std::slice::from_ref(&amendment)).await;
        applied.pop().unwrap_or(Ok(false))
    }

    /// Makes a tenant's settings exactly these, unless something newer was said of it. `false`: it was.
    ///
    /// # Errors
    /// The table could not be asked.
    pub async fn put_tenant(&self, id: &str, settings: &Settings, stamp: &Stamp) -> Result<bool, Refused> {
        let at = AttributeValue::N(filed::nanoseconds(stamp.at).to_string());
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(filed::tenant_item(id, settings, stamp.at, &stamp.by).into_map()))
            .condition_expression(
                "attribute_not_exists(pk) OR changed_at < :at OR (changed_at = :at AND changed_by < :by)",
            )
            .expression_attribute_values(":at", at)
            .expression_attribute_values(":by", AttributeValue::S(stamp.by.clone()))
            .send()
            .await;
        match put {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(service_error) if service_error.is_conditional_check_failed_exception() => Ok(false),
                Some(_) | None => Err(Refused::new("write a tenant", error)),
            },
        }
    }

    /// Reads items by their keys, each key once.
    async fn read(&self, keys: Vec<HashMap<String, AttributeValue>>) -> Result<Vec<Item>, Refused> {
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
    ) -> Result<(), Refused> {
        for round in 0..ROUNDS {
            pause::before(round).await;
            let wanted = KeysAndAttributes::builder()
                .set_keys(Some(keys))
                // A person who was imported a moment ago must be found: `unknown_recipient` is final.
                .consistent_read(true)
                .build()
                .expect("keys are all that a read needs");
            let answer = self
                .client
                .batch_get_item()
                .request_items(&self.table, wanted)
                .send()
                .await
                .map_err(|error| Refused::new("look people up", error))?;
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
        Err(left_over("look people up"))
    }
}

#[cfg(test)]
mod tests;
