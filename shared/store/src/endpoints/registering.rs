//! Registration of endpoints, and the owner's proof of control.
//!
//! `unverified`, `challenge` and `headers` are attributes beside the endpoint's JSON. An item without them, such as
//! every item of the last release, is a verified endpoint without headers of its own.

use std::collections::HashMap;

use aws::CallError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use domain::Timestamp;
use domain::webhook::endpoint::challenge::{Challenge, is_same_origin};
use domain::webhook::endpoint::headers::EncryptedHeaders;
use domain::webhook::endpoint::secret::stored::StoredSecrets;
use domain::webhook::endpoint::{Endpoint, EndpointId, MAX_PER_TENANT, Unverified};

use super::{Endpoints, json, one, parse_endpoint, partition, read, was_executed};
use crate::item::Item;
use crate::writes::{ROUNDS, left_over};
use crate::{lookup, pause, transactions, writes};

const DOING: &str = "write an endpoint";

/// The result of a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registered {
    /// A new endpoint with the given secrets.
    New,
    /// An existing endpoint with new contents. `moved`: its URL has another origin, so its owner must prove control
    /// again unless the caller vouches for the URL.
    Changed { moved: bool },
    /// The tenant has the largest number of endpoints. No endpoint was written.
    Full,
}

/// The change to the tenant's own headers.
#[derive(Clone, Default)]
pub enum NewHeaders {
    /// The headers stay, unless the endpoint's URL gets another origin: headers for one server are not sent to
    /// another.
    #[default]
    Keep,
    /// The headers are replaced, or removed.
    Replace(Option<EncryptedHeaders>),
}

impl Endpoints {
    /// Writes an endpoint exactly like this, except for its disabled state. `secrets` are written if the endpoint
    /// has none, and the result says whether they were. The caller vouches for the endpoint, so its owner has
    /// nothing to prove.
    ///
    /// # Errors
    /// The table could not be written, or the tenant has [`MAX_PER_TENANT`] endpoints. A repetition is harmless.
    pub async fn put(
        &self,
        endpoint: &Endpoint,
        secrets: &StoredSecrets,
        now: Timestamp,
    ) -> Result<bool, CallError> {
        match self.register(endpoint, secrets, true, now).await? {
            Registered::New => Ok(true),
            Registered::Changed { .. } => Ok(false),
            Registered::Full => Err(CallError {
                doing: DOING,
                verdict: aws::Verdict::Permanent,
                source: format!("the tenant has {MAX_PER_TENANT} endpoints").into(),
            }),
        }
    }

    /// Writes an endpoint exactly like this, except for its disabled state. A new endpoint gets `secrets`. An
    /// endpoint that is new or whose URL gets another origin is unverified, unless the caller vouches for the URL.
    ///
    /// Counting and creating a tenant's endpoints is one step: of two concurrent registrations of the last endpoint
    /// one is refused.
    ///
    /// # Errors
    /// The table did not answer, or other writers were first in every round. A repetition is harmless.
    pub async fn register(
        &self,
        endpoint: &Endpoint,
        secrets: &StoredSecrets,
        vouched: bool,
        now: Timestamp,
    ) -> Result<Registered, CallError> {
        self.register_with(endpoint, secrets, &NewHeaders::Keep, vouched, now).await
    }

    /// Registers an endpoint and changes its own headers.
    ///
    /// # Errors
    /// As of [`Endpoints::register`].
    pub async fn register_with(
        &self,
        endpoint: &Endpoint,
        secrets: &StoredSecrets,
        headers: &NewHeaders,
        vouched: bool,
        now: Timestamp,
    ) -> Result<Registered, CallError> {
        let bare =
            Endpoint { disabled: None, unverified: None, header_names: Vec::new(), ..endpoint.clone() };
        let written = json(&bare);
        for round in 0..ROUNDS {
            pause::before(round).await;
            let found = lookup::get(&self.client, &self.table, one("endpoints", &endpoint.id)).await?;
            let done = match found.as_ref().filter(|item| item.get("endpoint").is_some()) {
                Some(item) => self.change(endpoint, &written, item, headers, vouched, now).await?,
                None => self.create(endpoint, &written, secrets, headers, vouched, now).await?,
            };
            if let Some(done) = done {
                if done != Registered::New && done != Registered::Full {
                    self.complete_secrets(&endpoint.id, secrets).await?;
                }
                return Ok(done);
            }
        }
        Err(left_over(DOING))
    }

    /// Updates an existing endpoint. `None`: another writer was first.
    async fn change(
        &self,
        endpoint: &Endpoint,
        written: &str,
        before: &Item,
        headers: &NewHeaders,
        vouched: bool,
        now: Timestamp,
    ) -> Result<Option<Registered>, CallError> {
        let moved = !parse_endpoint(before).is_some_and(|old| is_same_origin(&old.url, &endpoint.url));
        let mut set = "SET #endpoint = :endpoint, changed_at = :now".to_owned();
        let mut remove = Vec::new();
        let mut update = self.update(&one("endpoints", &endpoint.id));
        if vouched {
            remove.extend(["unverified", "challenge"]);
        } else if moved {
            set.push_str(", unverified = :unverified");
            update = update.expression_attribute_values(":unverified", unverified(now));
            remove.push("challenge");
        }
        match headers {
            NewHeaders::Replace(Some(new)) => {
                set.push_str(", headers = :headers");
                update = update.expression_attribute_values(":headers", AttributeValue::S(json(new)));
            }
            NewHeaders::Replace(None) => remove.push("headers"),
            NewHeaders::Keep if moved => remove.push("headers"),
            NewHeaders::Keep => {}
        }
        if !remove.is_empty() {
            set.push_str(&format!(" REMOVE {}", remove.join(", ")));
        }
        let update = update.update_expression(set);
        let sent = update
            .condition_expression("#endpoint = :before")
            .expression_attribute_names("#endpoint", "endpoint")
            .expression_attribute_values(":endpoint", AttributeValue::S(written.to_owned()))
            .expression_attribute_values(
                ":before",
                AttributeValue::S(before.get("endpoint").unwrap_or_default().to_owned()),
            )
            .expression_attribute_values(":now", AttributeValue::S(now.to_string()))
            .send()
            .await;
        Ok(was_executed(DOING, sent)?.then_some(Registered::Changed { moved }))
    }

    /// Creates an endpoint. `None`: another endpoint of this tenant was registered at the same time.
    async fn create(
        &self,
        endpoint: &Endpoint,
        written: &str,
        secrets: &StoredSecrets,
        headers: &NewHeaders,
        vouched: bool,
        now: Timestamp,
    ) -> Result<Option<Registered>, CallError> {
        let own = match headers {
            NewHeaders::Replace(Some(new)) => Some(json(new)),
            NewHeaders::Replace(None) | NewHeaders::Keep => None,
        };
        let item = one("endpoints", &endpoint.id)
            .text("endpoint", written)
            .text("changed_at", now.to_string())
            .maybe("headers", own.as_deref())
            .maybe("unverified", (!vouched).then(|| json(&Unverified { since: now })).as_deref());
        let mut puts = vec![
            self.put_if(Some("attribute_not_exists(pk)"), None, item),
            // A missing endpoint has no secrets: those left by an earlier one are replaced.
            self.put_if(
                None,
                None,
                one("secrets", &endpoint.id).text("secrets", json(secrets)).number("version", 1),
            ),
        ];
        if endpoint.id.tenant.is_some() {
            let guard =
                Item::default().text("pk", partition("endpoint-count", endpoint.id.tenant.as_deref()));
            let guard = guard.text("sk", "-");
            // The guard is read before the endpoints are counted, and must be unchanged when the new endpoint is
            // written.
            let found = lookup::get(&self.client, &self.table, guard.clone()).await?;
            let version = found.and_then(|found| found.get_number("version"));
            let pk = partition("endpoints", endpoint.id.tenant.as_deref());
            let most = u32::try_from(MAX_PER_TENANT).unwrap_or(u32::MAX);
            let (ids, _) =
                lookup::page(&self.client, &self.table, "count endpoints", (pk, "sk"), None, most).await?;
            if ids.len() >= MAX_PER_TENANT {
                return Ok(Some(Registered::Full));
            }
            let guard = guard.number("version", version.unwrap_or(0) + 1);
            let condition = if version.is_some() { "version = :version" } else { "attribute_not_exists(pk)" };
            puts.push(self.put_if(Some(condition), version, guard));
        }
        let writes = puts.into_iter().map(|put| TransactWriteItem::builder().put(put).build()).collect();
        Ok(transactions::write(&self.client, DOING, writes).await?.then_some(Registered::New))
    }

    /// Writes the secrets of an endpoint whose registration by the last release was interrupted.
    async fn complete_secrets(&self, id: &EndpointId, secrets: &StoredSecrets) -> Result<(), CallError> {
        if lookup::get(&self.client, &self.table, one("secrets", id)).await?.is_some() {
            return Ok(());
        }
        let secret = one("secrets", id).text("secrets", json(secrets)).number("version", 1);
        let put = self.client.put_item().table_name(&self.table).set_item(Some(secret.into_map()));
        writes::stood(DOING, put.condition_expression("attribute_not_exists(pk)").send().await)?;
        Ok(())
    }

    fn put_if(&self, condition: Option<&str>, version: Option<i64>, item: Item) -> Put {
        let values = version
            .map(|version| HashMap::from([(":version".to_owned(), AttributeValue::N(version.to_string()))]));
        Put::builder()
            .table_name(&self.table)
            .set_item(Some(item.into_map()))
            .set_condition_expression(condition.map(str::to_owned))
            .set_expression_attribute_values(values)
            .build()
            .expect("a table and an item are all that a put needs")
    }

    /// Records the challenge that is sent to an unverified endpoint, in place of the previous one. `false`: there
    /// is no such endpoint, or it is verified.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn challenge(&self, id: &EndpointId, challenge: &Challenge) -> Result<bool, CallError> {
        let update = self.update(&one("endpoints", id));
        let sent = update
            .update_expression("SET challenge = :challenge")
            .condition_expression("attribute_exists(unverified)")
            .expression_attribute_values(":challenge", AttributeValue::S(json(challenge)))
            .send()
            .await;
        was_executed("record a challenge", sent)
    }

    /// The latest challenge sent to an endpoint, while it is unanswered.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn challenge_of(&self, id: &EndpointId) -> Result<Option<Challenge>, CallError> {
        let item = lookup::get(&self.client, &self.table, one("endpoints", id)).await?;
        Ok(item.and_then(|item| read(&item, "challenge")))
    }

    /// Marks an endpoint as verified because it answered `answered`. `false`: another challenge was sent since, or
    /// the URL has another origin now.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn verify(&self, id: &EndpointId, answered: &Challenge) -> Result<bool, CallError> {
        let update = self.verified(id).condition_expression("challenge = :challenge");
        let sent =
            update.expression_attribute_values(":challenge", AttributeValue::S(json(answered))).send().await;
        was_executed("mark an endpoint as verified", sent)
    }

    /// Marks an endpoint as verified because an operator vouches for it. `false`: there is none, or it was already
    /// verified.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn vouch(&self, id: &EndpointId) -> Result<bool, CallError> {
        let update = self.verified(id).condition_expression("attribute_exists(unverified)");
        was_executed("vouch for an endpoint", update.send().await)
    }

    fn verified(&self, id: &EndpointId) -> UpdateItemFluentBuilder {
        self.update(&one("endpoints", id)).update_expression("REMOVE unverified, challenge")
    }
}

fn unverified(now: Timestamp) -> AttributeValue {
    AttributeValue::S(json(&Unverified { since: now }))
}

#[cfg(test)]
mod tests;
