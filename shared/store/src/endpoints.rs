//! The endpoints table: the webhook endpoints of tenants, their signing secrets, their health, and the messages
//! that failed at first.
//!
//! Endpoints of a tenant share a partition, one item each, so that a fan-out reads them page by page. Secrets have
//! partitions of their own: a role may read endpoints without their secrets.

use std::collections::HashMap;

use aws::CallError;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use domain::Timestamp;
use domain::event::key::Key;
use domain::webhook::endpoint::challenge::Challenge;
use domain::webhook::endpoint::headers::EncryptedHeaders;
use domain::webhook::endpoint::health::Health;
use domain::webhook::endpoint::secret::stored::StoredSecrets;
use domain::webhook::endpoint::{Disabled, DisabledBecause, Endpoint, EndpointId, NO_TENANT};

use crate::item::{Item, key};
use crate::people::Page;
use crate::writes::{ROUNDS, left_over};
use crate::{lookup, pause};

mod attempts;
mod forgetting;
mod listing;
mod messages;
mod registering;

pub use attempts::{Attempt, AttemptPage};
pub use listing::EndpointPage;
pub use messages::{Message, MessageState, Undelivered};
pub use registering::{NewHeaders, Registered};

/// DynamoDB's limit for one `BatchGetItem`.
const KEYS_PER_READ: usize = 100;

/// The endpoints table.
#[derive(Clone)]
pub struct Endpoints {
    client: Client,
    table: String,
}

/// The data that a sender needs about an endpoint and one message to it.
pub struct Sending {
    pub endpoint: Endpoint,
    /// The tenant's own headers.
    pub headers: Option<EncryptedHeaders>,
    /// The latest challenge sent to the endpoint, while it is unanswered.
    pub challenge: Option<Challenge>,
    pub secrets: StoredSecrets,
    pub health: Health,
    /// The version of the health, for [`Endpoints::put_health`].
    pub version: Option<i64>,
    /// The state of the message. `None` if it has never failed.
    pub message: Option<Message>,
}

impl Endpoints {
    #[must_use]
    pub fn new(client: &Client, table: String) -> Endpoints {
        Endpoints { client: client.clone(), table }
    }

    /// The ids of a tenant's endpoints in order: at most `most`, after the id `after`.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn ids(&self, tenant: Option<&str>, after: Option<&str>, most: u32) -> Result<Page, CallError> {
        let pk = partition("endpoints", tenant);
        let start = after.map(|id| Item::default().text("pk", &pk).text("sk", id));
        let doing = "read a tenant's endpoints";
        lookup::page(&self.client, &self.table, doing, (pk, "sk"), start, most).await.map(Page::of)
    }

    /// A tenant's endpoints, in the order of their ids.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn of_tenant(&self, tenant: Option<&str>) -> Result<Vec<Endpoint>, CallError> {
        let items = lookup::partition(&self.client, &self.table, &partition("endpoints", tenant)).await?;
        Ok(items.iter().filter_map(parse_endpoint).collect())
    }

    /// All endpoints, for inspection. Reads the whole table.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn all(&self) -> Result<Vec<Endpoint>, CallError> {
        let items = lookup::scan(&self.client, &self.table).await?;
        let mut all: Vec<Endpoint> = items.iter().filter_map(parse_endpoint).collect();
        all.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(all)
    }

    /// The endpoints among `ids` that exist.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn find(&self, ids: &[EndpointId]) -> Result<Vec<Endpoint>, CallError> {
        let mut found = Vec::with_capacity(ids.len());
        for some in ids.chunks(KEYS_PER_READ) {
            let items = self.read(some.iter().map(|id| one("endpoints", id)).collect()).await?;
            found.extend(items.iter().filter_map(parse_endpoint));
        }
        Ok(found)
    }

    /// Disables an endpoint. `false`: there is none, or it was already disabled and keeps its first reason.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn disable(
        &self,
        id: &EndpointId,
        why: DisabledBecause,
        now: Timestamp,
    ) -> Result<bool, CallError> {
        let disabled = json(&Disabled { why, at: now });
        let update = self.update(&one("endpoints", id));
        let sent = update
            .update_expression("SET disabled = :disabled")
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(disabled)")
            .expression_attribute_values(":disabled", AttributeValue::S(disabled))
            .send()
            .await;
        was_executed("disable an endpoint", sent)
    }

    /// Enables an endpoint and resets its health. `false`: there is none.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn enable(&self, id: &EndpointId) -> Result<bool, CallError> {
        let delete = self.client.delete_item().table_name(&self.table);
        let delete = delete.set_key(Some(one("health", id).into_map())).send().await;
        delete.map_err(|error| CallError::new("delete the health of an endpoint", error))?;
        let update = self.update(&one("endpoints", id));
        let sent = update
            .update_expression("REMOVE disabled")
            .condition_expression("attribute_exists(pk)")
            .send()
            .await;
        was_executed("enable an endpoint", sent)
    }

    /// Replaces an endpoint's secrets by the result of `rotated`, and calls it again if another writer was first.
    /// `None`: there is no such endpoint.
    ///
    /// # Errors
    /// The table could not be written, other writers were first in every round, or `rotated` failed.
    pub async fn rotate(
        &self,
        id: &EndpointId,
        rotated: impl AsyncFn(StoredSecrets) -> Result<StoredSecrets, CallError>,
    ) -> Result<Option<StoredSecrets>, CallError> {
        const DOING: &str = "rotate an endpoint's secret";
        for round in 0..ROUNDS {
            pause::before(round).await;
            let Some(item) = lookup::get(&self.client, &self.table, one("secrets", id)).await? else {
                return Ok(None);
            };
            let version = item.get_number("version").unwrap_or(0);
            let secrets = rotated(read(&item, "secrets").unwrap_or_default()).await?;
            let item = one("secrets", id).text("secrets", json(&secrets)).number("version", version + 1);
            if self.put_over(DOING, item, Some(version)).await? {
                return Ok(Some(secrets));
            }
        }
        Err(left_over(DOING))
    }

    /// The secrets of an endpoint.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn secrets(&self, id: &EndpointId) -> Result<Option<StoredSecrets>, CallError> {
        let item = lookup::get(&self.client, &self.table, one("secrets", id)).await?;
        Ok(item.and_then(|item| read(&item, "secrets")))
    }

    /// The health of an endpoint, and its version.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn health(&self, id: &EndpointId) -> Result<(Health, Option<i64>), CallError> {
        let item = lookup::get(&self.client, &self.table, one("health", id)).await?;
        Ok(health(item.as_ref()))
    }

    /// Replaces the health that was read. `false`: another writer was first.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn put_health(
        &self,
        id: &EndpointId,
        health: &Health,
        version: Option<i64>,
    ) -> Result<bool, CallError> {
        let item = one("health", id).text("health", json(health)).number("version", version.unwrap_or(0) + 1);
        self.put_over("write the health of an endpoint", item, version).await
    }

    /// Reads the data for sending `message` to an endpoint, in one call. `None`: there is no such endpoint.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn sending(&self, id: &EndpointId, message: &Key) -> Result<Option<Sending>, CallError> {
        let keys = vec![
            one("endpoints", id),
            one("secrets", id),
            one("health", id),
            messages::message_key(id, message),
        ];
        let mut found = Sending {
            endpoint: Endpoint::new(id.clone(), String::new()),
            headers: None,
            challenge: None,
            secrets: StoredSecrets::default(),
            health: Health::default(),
            version: None,
            message: None,
        };
        let mut exists = false;
        for item in self.read(keys).await? {
            if let Some(endpoint) = parse_endpoint(&item) {
                found.endpoint = endpoint;
                found.challenge = read(&item, "challenge");
                found.headers = read(&item, "headers");
                exists = true;
            } else if let Some(secrets) = read(&item, "secrets") {
                found.secrets = secrets;
            } else if item.get("health").is_some() {
                (found.health, found.version) = health(Some(&item));
            } else if let Some(message) = Message::read(&item) {
                found.message = Some(message);
            }
        }
        Ok(exists.then_some(found))
    }

    fn update(
        &self,
        key: &Item,
    ) -> aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder {
        self.client.update_item().table_name(&self.table).set_key(Some(key.clone().into_map()))
    }

    /// Writes an item on the condition that its version was read. `false`: the version has changed.
    async fn put_over(
        &self,
        doing: &'static str,
        item: Item,
        version: Option<i64>,
    ) -> Result<bool, CallError> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item.into_map()));
        let put = match version {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(version) => put
                .condition_expression("version = :version")
                .expression_attribute_values(":version", AttributeValue::N(version.to_string())),
        };
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(service_error) if service_error.is_conditional_check_failed_exception() => Ok(false),
                Some(_) | None => Err(CallError::new(doing, error)),
            },
        }
    }

    async fn read(&self, keys: Vec<Item>) -> Result<Vec<Item>, CallError> {
        const DOING: &str = "read endpoints";
        let mut items = Vec::with_capacity(keys.len());
        let mut keys: Vec<HashMap<String, AttributeValue>> = keys.into_iter().map(Item::into_map).collect();
        for round in 0..ROUNDS {
            pause::before(round).await;
            let wanted = KeysAndAttributes::builder()
                .set_keys(Some(keys))
                // An endpoint that was disabled a moment ago must get no message.
                .consistent_read(true)
                .build()
                .expect("keys are all that a read needs");
            let call = self.client.batch_get_item().request_items(&self.table, wanted);
            let answer = call.send().await.map_err(|error| CallError::new(DOING, error))?;
            let found =
                answer.responses.and_then(|mut responses| responses.remove(&self.table)).unwrap_or_default();
            items.extend(found.into_iter().map(Item::from));
            let left =
                answer.unprocessed_keys.and_then(|mut unprocessed_keys| unprocessed_keys.remove(&self.table));
            keys = left.map(|left| left.keys).unwrap_or_default();
            if keys.is_empty() {
                return Ok(items);
            }
        }
        Err(left_over(DOING))
    }
}

fn partition(what: &str, tenant: Option<&str>) -> String {
    key(&[what, tenant.unwrap_or(NO_TENANT)])
}

fn one(what: &str, id: &EndpointId) -> Item {
    Item::default().text("pk", partition(what, id.tenant.as_deref())).text("sk", &id.id)
}

/// `None` for an item that is not an endpoint.
fn parse_endpoint(item: &Item) -> Option<Endpoint> {
    let endpoint: Endpoint = read(item, "endpoint")?;
    let headers: Option<EncryptedHeaders> = read(item, "headers");
    Some(Endpoint {
        disabled: read(item, "disabled"),
        unverified: read(item, "unverified"),
        header_names: headers.map(|header| header.names).unwrap_or_default(),
        ..endpoint
    })
}

fn health(item: Option<&Item>) -> (Health, Option<i64>) {
    let health = item.and_then(|item| read(item, "health")).unwrap_or_default();
    (health, item.and_then(|item| item.get_number("version")))
}

fn read<T: serde::de::DeserializeOwned>(item: &Item, name: &str) -> Option<T> {
    serde_json::from_str(item.get(name)?).ok()
}

fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("values of the domain always serialize")
}

type Updated = Result<
    aws_sdk_dynamodb::operation::update_item::UpdateItemOutput,
    aws_sdk_dynamodb::error::SdkError<aws_sdk_dynamodb::operation::update_item::UpdateItemError>,
>;

/// Whether a conditional update was executed.
fn was_executed(doing: &'static str, sent: Updated) -> Result<bool, CallError> {
    match sent {
        Ok(_) => Ok(true),
        Err(error) => match error.as_service_error() {
            Some(service_error) if service_error.is_conditional_check_failed_exception() => Ok(false),
            Some(_) | None => Err(CallError::new(doing, error)),
        },
    }
}
