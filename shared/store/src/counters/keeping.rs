//! State that all senders of a provider share: the circuit breaker and the rate limit.
//!
//! Each is one item, written on the condition of the version that was read. The second of two writers is refused,
//! gets the current item and decides again.

use aws::CallError;
use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use domain::Timestamp;
use domain::delivery::breaker::Breaker;
use domain::delivery::rate_limit::Bucket;
use jiff::SignedDuration;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Counters, expiring, json, one, to_json};
use crate::item::Item;
use crate::lookup;

const DOING: &str = "write the shared state of a provider";

/// The retention of a provider's state. Without traffic for this long the state is obsolete.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// A value with the version that a write must replace.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kept<T> {
    pub value: T,
    /// `None` if there is no item yet.
    version: Option<i64>,
}

impl<T> Kept<T> {
    /// A value with its version in the table. `None` if there is no item yet.
    #[must_use]
    pub fn at(value: T, version: Option<i64>) -> Kept<T> {
        Kept { value, version }
    }

    /// The version that a write must replace.
    #[must_use]
    pub fn version(&self) -> Option<i64> {
        self.version
    }
}

/// The result of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteResult<T> {
    /// The new value is written.
    Ours(Kept<T>),
    /// Another writer was first. Carries the value of that writer.
    Theirs(Kept<T>),
}

impl Counters {
    /// The circuit breaker of a provider. Closed if there is no item.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn breaker(&self, provider: &str) -> Result<Kept<Breaker>, CallError> {
        self.kept("breaker", provider).await
    }

    /// Replaces the circuit breaker that was read.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn keep_breaker(
        &self,
        provider: &str,
        over: &Kept<Breaker>,
        next: Breaker,
        now: Timestamp,
    ) -> Result<WriteResult<Breaker>, CallError> {
        self.keep("breaker", provider, over, next, now).await
    }

    /// The token bucket of a provider's rate limit.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn bucket(&self, provider: &str) -> Result<Kept<Bucket>, CallError> {
        self.kept("quota", provider).await
    }

    /// Takes tokens: replaces the token bucket that was read.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn keep_bucket(
        &self,
        provider: &str,
        over: &Kept<Bucket>,
        next: Bucket,
        now: Timestamp,
    ) -> Result<WriteResult<Bucket>, CallError> {
        self.keep("quota", provider, over, next, now).await
    }

    async fn kept<T: DeserializeOwned + Default>(
        &self,
        kind: &'static str,
        name: &str,
    ) -> Result<Kept<T>, CallError> {
        Ok(read(lookup::get(&self.client, &self.table, one(&[kind, name])).await?))
    }

    async fn keep<T: DeserializeOwned + Default + Serialize>(
        &self,
        kind: &'static str,
        name: &str,
        over: &Kept<T>,
        next: T,
        now: Timestamp,
    ) -> Result<WriteResult<T>, CallError> {
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
            Ok(_) => Ok(WriteResult::Ours(Kept { value: next, version: Some(version) })),
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => {
                let refusal = error.into_service_error();
                let found = if let PutItemError::ConditionalCheckFailedException(refused) = refusal {
                    refused.item
                } else {
                    None
                };
                Ok(WriteResult::Theirs(match found {
                    Some(found) => read(Some(Item::from(found))),
                    None => self.kept(kind, name).await?,
                }))
            }
            Err(error) => Err(CallError::new(DOING, error)),
        }
    }
}

/// An unreadable value counts as the default and is replaced by the next write.
fn read<T: DeserializeOwned + Default>(item: Option<Item>) -> Kept<T> {
    let Some(item) = item else { return Kept::default() };
    Kept { value: json(&item, "state").unwrap_or_default(), version: item.get_number("version") }
}
