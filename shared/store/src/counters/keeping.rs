//! What all senders of a provider keep together: whether it is asked at all, and how fast.
//!
//! One item each, written over the version that was read. Whoever comes second is refused, gets what stands there now,
//! and thinks again.

use aws::Refused;
use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use domain::Timestamp;
use domain::breaker::Breaker;
use domain::quota::Bucket;
use jiff::SignedDuration;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Counters, expiring, json, one, to_json};
use crate::item::Item;
use crate::lookup;

const DOING: &str = "keep what senders share";

/// A provider of which nothing was heard for so long is one of which nothing is known.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// A value as it was read or written, and what it takes to write over it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kept<T> {
    pub value: T,
    /// `None` when there is no item yet.
    version: Option<i64>,
}

impl<T> Kept<T> {
    /// As it stands in a table, under this version; `None` when there is no item yet.
    #[must_use]
    pub fn at(value: T, version: Option<i64>) -> Kept<T> {
        Kept { value, version }
    }

    /// What a write over it must find.
    #[must_use]
    pub fn version(&self) -> Option<i64> {
        self.version
    }
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stood<T> {
    /// It stands.
    Ours(Kept<T>),
    /// Somebody else was first: what they wrote.
    Theirs(Kept<T>),
}

impl Counters {
    /// What is known of a provider. One that nobody wrote about works.
    ///
    /// # Errors
    /// The table could not be asked.
    pub async fn breaker(&self, provider: &str) -> Result<Kept<Breaker>, Refused> {
        self.kept("breaker", provider).await
    }

    /// Writes what is known of a provider over what was read.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn keep_breaker(
        &self,
        provider: &str,
        over: &Kept<Breaker>,
        next: Breaker,
        now: Timestamp,
    ) -> Result<Stood<Breaker>, Refused> {
        self.keep("breaker", provider, over, next, now).await
    }

    /// What is left of a provider's quota.
    ///
    /// # Errors
    /// The table could not be asked.
    pub async fn bucket(&self, provider: &str) -> Result<Kept<Bucket>, Refused> {
        self.kept("quota", provider).await
    }

    /// Takes tokens: writes what is left over what was read.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn keep_bucket(
        &self,
        provider: &str,
        over: &Kept<Bucket>,
        next: Bucket,
        now: Timestamp,
    ) -> Result<Stood<Bucket>, Refused> {
        self.keep("quota", provider, over, next, now).await
    }

    async fn kept<T: DeserializeOwned + Default>(
        &self,
        kind: &'static str,
        name: &str,
    ) -> Result<Kept<T>, Refused> {
        Ok(read(lookup::get(&self.client, &self.table, one(&[kind, name])).await?))
    }

    async fn keep<T: DeserializeOwned + Default + Serialize>(
        &self,
        kind: &'static str,
        name: &str,
        over: &Kept<T>,
        next: T,
        now: Timestamp,
    ) -> Result<Stood<T>, Refused> {
        let version = over.version.unwrap_or(0) + 1;
        let item = one(&[kind, name]).text("state", to_json(&next)).number("version", version);
        let call = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(expiring(item, now, KEPT).into_map()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let call = match over.version {
            None => call.condition_expression("attribute_not_exists(pk)"),
            Some(read) => call
                .condition_expression("version = :version")
                .expression_attribute_values(":version", AttributeValue::N(read.to_string())),
        };
        match call.send().await {
            Ok(_) => Ok(Stood::Ours(Kept { value: next, version: Some(version) })),
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => {
                let refusal = error.into_service_error();
                let found = if let PutItemError::ConditionalCheckFailedException(
                    conditional_check_failed_exception,
                ) = refusal
                {
                    conditional_check_failed_exception.item
                } else {
                    None
                };
                Ok(Stood::Theirs(match found {
                    Some(found) => read(Some(Item::from(found))),
                    None => self.kept(kind, name).await?,
                }))
            }
            Err(error) => Err(Refused::new(DOING, error)),
        }
    }
}

/// What cannot be read is as if nothing were known, and is written over.
fn read<T: DeserializeOwned + Default>(item: Option<Item>) -> Kept<T> {
    let Some(item) = item else { return Kept::default() };
    Kept { value: json(&item, "state").unwrap_or_default(), version: item.get_number("version") }
}
