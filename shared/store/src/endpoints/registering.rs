//! Registering an endpoint, and its owner's proof of control.
//!
//! `unverified`, `challenge` and `headers` are attributes beside the endpoint's JSON: an item without them, such as every
//! item of the last release, is a verified endpoint without headers of its own.

use std::collections::HashMap;

use aws::Refused;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use domain::Timestamp;
use domain::endpoint::challenge::{Challenge, is_same_origin};
use domain::endpoint::headers::EncryptedHeaders;
use domain::endpoint::secret::stored::StoredSecrets;
use domain::endpoint::{Endpoint, EndpointId, MAX_PER_TENANT, Unverified};

use super::{Endpoints, endpoint, happened, json, one, partition, read};
use crate::item::Item;
use crate::writes::{ROUNDS, left_over};
use crate::{lookup, pause, transactions, writes};

const DOING: &str = "write an endpoint";

/// What became of an endpoint that was to be registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registered {
    /// A new one, with the secrets that were brought.
    New,
    /// It was there before and has other contents now. `moved`: its URL has another origin, so that its owner has to
    /// prove control again unless somebody vouches for that.
    Changed { moved: bool },
    /// The tenant has as many endpoints as it may have. Nothing was written.
    Full,
}

/// What becomes of the headers that a tenant asks for.
#[derive(Clone, Default)]
pub enum NewHeaders {
    /// They stay as they are, unless the endpoint's URL gets another origin: headers that were given for one server are
    /// not shown to another.
    #[default]
    Keep,
    /// These, or none.
    Replace(Option<EncryptedHeaders>),
}

impl Endpoints {
    /// Makes an endpoint exactly this, but for whether it is switched off; `secrets` are written if it has none. `true`:
    /// they were. Somebody vouches for the endpoint: its owner has nothing to prove.
    ///
    /// # Errors
    /// The table could not be written, or the tenant has [`MAX_PER_TENANT`] endpoints. Doing it again is harmless.
    pub async fn put(&self, it: &Endpoint, secrets: &StoredSecrets, now: Timestamp) -> Result<bool, Refused> {
        match self.register(it, secrets, true, now).await? {
            Registered::New => Ok(true),
            Registered::Changed { .. } => Ok(false),
            Registered::Full => Err(Refused {
                doing: DOING,
                verdict: aws::Verdict::Permanent,
                source: format!("the tenant has {MAX_PER_TENANT} endpoints").into(),
            }),
        }
    }

    /// Makes an endpoint exactly this, but for whether it is switched off. A new endpoint gets `secrets`. A new one and
    /// one whose URL gets another origin is unverified, unless somebody vouches for the URL: then it is verified.
    ///
    /// Endpoints of a tenant are counted and created in one step: of two callers that create the last one at the same
    /// time, one is refused.
    ///
    /// # Errors
    /// The table could not be asked, or others changed the endpoint again and again. Doing it again is harmless.
    pub async fn register(
        &self,
        it: &Endpoint,
        secrets: &StoredSecrets,
        vouched: bool,
        now: Timestamp,
    ) -> Result<Registered, Refused> {
        self.register_with(it, secrets, &NewHeaders::Keep, vouched, now).await
    }

    /// The same, with what becomes of the endpoint's own headers.
    ///
    /// # Errors
    /// As of [`Endpoints::register`].
    pub async fn register_with(
        &self,
        it: &Endpoint,
        secrets: &StoredSecrets,
        headers: &NewHeaders,
        vouched: bool,
        now: Timestamp,
    ) -> Result<Registered, Refused> {
        let bare = Endpoint { disabled: None, unverified: None, header_names: Vec::new(), ..it.clone() };
        let written = json(&bare);
        for round in 0..ROUNDS {
            pause::before(round).await;
            let found = lookup::get(&self.client, &self.table, one("endpoints", &it.id)).await?;
            let done = match found.as_ref().filter(|item| item.get("endpoint").is_some()) {
                Some(item) => self.change(it, &written, item, headers, vouched, now).await?,
                None => self.create(it, &written, secrets, headers, vouched, now).await?,
            };
            if let Some(done) = done {
                if done != Registered::New && done != Registered::Full {
                    self.complete_secrets(&it.id, secrets).await?;
                }
                return Ok(done);
            }
        }
        Err(left_over(DOING))
    }

    /// `None`: somebody else changed it first.
    async fn change(
        &self,
        it: &Endpoint,
        written: &str,
        before: &Item,
        headers: &NewHeaders,
        vouched: bool,
        now: Timestamp,
    ) -> Result<Option<Registered>, Refused> {
        let moved = !endpoint(before).is_some_and(|old| is_same_origin(&old.url, &it.url));
        let mut set = "SET #endpoint = :endpoint, changed_at = :now".to_owned();
        let mut remove = Vec::new();
        let mut update = self.update(&one("endpoints", &it.id));
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
        Ok(happened(DOING, sent)?.then_some(Registered::Changed { moved }))
    }

    /// `None`: somebody else registered an endpoint of this tenant at the same time.
    async fn create(
        &self,
        it: &Endpoint,
        written: &str,
        secrets: &StoredSecrets,
        headers: &NewHeaders,
        vouched: bool,
        now: Timestamp,
    ) -> Result<Option<Registered>, Refused> {
        let own = match headers {
            NewHeaders::Replace(Some(new)) => Some(json(new)),
            NewHeaders::Replace(None) | NewHeaders::Keep => None,
        };
        let item = one("endpoints", &it.id)
            .text("endpoint", written)
            .text("changed_at", now.to_string())
            .maybe("headers", own.as_deref())
            .maybe("unverified", (!vouched).then(|| json(&Unverified { since: now })).as_deref());
        let mut puts = vec![
            self.put_if(Some("attribute_not_exists(pk)"), None, item),
            // An endpoint that is not there has no secrets: what is left of an earlier one is written over.
            self.put_if(
                None,
                None,
                one("secrets", &it.id).text("secrets", json(secrets)).number("version", 1),
            ),
        ];
        if it.id.tenant.is_some() {
            let guard = Item::default().text("pk", partition("endpoint-count", it.id.tenant.as_deref()));
            let guard = guard.text("sk", "-");
            // The guard is read before the endpoints are counted, and must be the same when the new one is written.
            let found = lookup::get(&self.client, &self.table, guard.clone()).await?;
            let version = found.and_then(|found| found.get_number("version"));
            let pk = partition("endpoints", it.id.tenant.as_deref());
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

    /// An endpoint whose registration by the last release broke off has no secrets.
    async fn complete_secrets(&self, id: &EndpointId, secrets: &StoredSecrets) -> Result<(), Refused> {
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

    /// Remembers the challenge that an unverified endpoint is sent, in place of the one before. `false`: there is no such
    /// endpoint, or its owner has nothing to prove.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn challenge(&self, id: &EndpointId, challenge: &Challenge) -> Result<bool, Refused> {
        let update = self.update(&one("endpoints", id));
        let sent = update
            .update_expression("SET challenge = :challenge")
            .condition_expression("attribute_exists(unverified)")
            .expression_attribute_values(":challenge", AttributeValue::S(json(challenge)))
            .send()
            .await;
        happened("keep a challenge", sent)
    }

    /// The challenge that an endpoint was sent last, if it has not answered yet.
    ///
    /// # Errors
    /// The table could not be asked.
    pub async fn challenge_of(&self, id: &EndpointId) -> Result<Option<Challenge>, Refused> {
        let item = lookup::get(&self.client, &self.table, one("endpoints", id)).await?;
        Ok(item.and_then(|item| read(&item, "challenge")))
    }

    /// Marks an endpoint as verified, because `answered` was. `false`: another challenge was sent since, or the URL has
    /// another origin now.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn verify(&self, id: &EndpointId, answered: &Challenge) -> Result<bool, Refused> {
        let update = self.verified(id).condition_expression("challenge = :challenge");
        let sent =
            update.expression_attribute_values(":challenge", AttributeValue::S(json(answered))).send().await;
        happened("mark an endpoint as verified", sent)
    }

    /// Marks an endpoint as verified, because an operator vouches for it. `false`: there is none, or it was so already.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn vouch(&self, id: &EndpointId) -> Result<bool, Refused> {
        let update = self.verified(id).condition_expression("attribute_exists(unverified)");
        happened("vouch for an endpoint", update.send().await)
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
