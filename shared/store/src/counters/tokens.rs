//! Token buckets shared by many processes. Each is one number: the time at which the bucket will be full again.
//!
//! A token moves that time by one interval. One conditional update serves a full bucket, another serves a partly
//! empty one. The last answer tells which of them fits. After a wrong guess the table's answer holds the time, and
//! the other update follows. Most calls are one write.
//!
//! The arithmetic is that of [`domain::delivery::rate_limit`].

use aws::CallError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use domain::Timestamp;
use domain::delivery::rate_limit::Quota;

use super::Counters;
use crate::item::{Item, key};
use crate::transactions::crowded;

const DOING: &str = "take tokens of a rate limit";

/// The retention of a bucket after it is full again. A missing item means a full bucket.
const KEPT_SECONDS: i64 = 3_600;

/// The number of updates per call. Only concurrent calls on the same bucket cause a second wrong guess.
const ROUNDS: u32 = 4;

/// The result of a request for tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// The tokens are taken. The bucket will be full at this time.
    Ours(Timestamp),
    /// There are not enough tokens. The bucket will be full at this time.
    Refused(Timestamp),
}

impl Counters {
    /// Takes `n` tokens of the bucket that `whose` names, all or none. `last` is the time at which the bucket was
    /// last known to be full again, if the caller knows one.
    ///
    /// # Errors
    /// The table did not answer, or other writers changed the bucket in every round.
    pub async fn take(
        &self,
        whose: &[&str],
        quota: &Quota,
        n: u32,
        last: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Taken, CallError> {
        let pk = key(&[&["limit"], whose].concat());
        let mut full_at = last;
        for _ in 0..ROUNDS {
            let is_full = full_at.is_none_or(|full_at| full_at < now);
            if let Some(full_at) = full_at.filter(|full_at| *full_at > quota.latest(n, now)) {
                return Ok(Taken::Refused(full_at));
            }
            match self.move_by(&pk, quota, n, is_full, now).await? {
                Moved::To(to) => return Ok(Taken::Ours(to)),
                Moved::No(found) => full_at = found,
            }
        }
        Err(crowded(DOING))
    }

    async fn move_by(
        &self,
        pk: &str,
        quota: &Quota,
        n: u32,
        is_full: bool,
        now: Timestamp,
    ) -> Result<Moved, CallError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(pk.to_owned()))
            .key("sk", AttributeValue::S("-".to_owned()))
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":ttl", number(crate::seconds(now) + KEPT_SECONDS))
            .expression_attribute_values(":now", number(micros(now)))
            .return_values(ReturnValue::UpdatedNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let cost = i64::try_from(quota.cost(n).as_micros()).unwrap_or(i64::MAX);
        let update = match is_full {
            true => update
                .update_expression("SET full_at = :next, #ttl = :ttl")
                .condition_expression("attribute_not_exists(full_at) OR full_at < :now")
                .expression_attribute_values(":next", number(micros(now).saturating_add(cost))),
            false => update
                .update_expression("SET full_at = full_at + :cost, #ttl = :ttl")
                .condition_expression("full_at >= :now AND full_at <= :latest")
                .expression_attribute_values(":cost", number(cost))
                .expression_attribute_values(":latest", number(micros(quota.latest(n, now)))),
        };
        match update.send().await {
            Ok(done) => {
                let found = done.attributes.map(Item::from).and_then(|item| full_at(&item));
                Ok(Moved::To(found.unwrap_or(now)))
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                    Ok(Moved::No(refused.item.clone().map(Item::from).and_then(|item| full_at(&item))))
                }
                Some(_) | None => Err(CallError::new(DOING, error)),
            },
        }
    }
}

/// The result of one update.
enum Moved {
    To(Timestamp),
    /// The guess was wrong. Carries the time in the table, if there is an item.
    No(Option<Timestamp>),
}

fn full_at(item: &Item) -> Option<Timestamp> {
    Timestamp::from_microsecond(item.get_number("full_at")?).ok()
}

fn micros(time: Timestamp) -> i64 {
    time.as_microsecond()
}

fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canned;
    use aws_sdk_dynamodb::Client;
    use aws_sdk_dynamodb::operation::update_item::UpdateItemOutput;
    use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
    use aws_smithy_mocks::{Rule, mock};
    use jiff::SignedDuration;

    const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

    #[tokio::test]
    async fn full_bucket_takes_one_write() {
        assert_eq!(take(&[&moved(1)], None).await, Taken::Ours(after(1)));
        assert_eq!(take(&[&moved(1)], Some(after(-9))).await, Taken::Ours(after(1)));
    }

    #[tokio::test]
    async fn wrong_guess_takes_a_second_write() {
        assert_eq!(take(&[&refused(Some(2)), &moved(3)], None).await, Taken::Ours(after(3)));
        assert_eq!(
            take(&[&moved(3)], Some(after(2))).await,
            Taken::Ours(after(3)),
            "one write if the time is known"
        );
    }

    #[tokio::test]
    async fn empty_bucket_refuses_without_a_call_when_known() {
        assert_eq!(take(&[&refused(Some(3))], None).await, Taken::Refused(after(3)));
        assert_eq!(take(&[], Some(after(3))).await, Taken::Refused(after(3)));
    }

    #[tokio::test]
    async fn bucket_without_an_item_is_full() {
        assert_eq!(take(&[&refused(None), &moved(1)], Some(after(1))).await, Taken::Ours(after(1)));
    }

    /// Takes a token of a bucket with one token a second and three at most.
    async fn take(rules: &[&Rule], last: Option<Timestamp>) -> Taken {
        let counters = Counters::new(&canned::client(rules), "counters".into());
        let quota = Quota::parse("1/s:3").unwrap();
        counters.take(&["user", "acme", "ann"], &quota, 1, last, NOON).await.unwrap()
    }

    fn after(seconds: i64) -> Timestamp {
        NOON + SignedDuration::from_secs(seconds)
    }

    fn item(seconds: i64) -> Item {
        Item::default().number("full_at", micros(after(seconds)))
    }

    fn moved(seconds: i64) -> Rule {
        mock!(Client::update_item)
            .match_requests(|input| {
                input.key().unwrap()["pk"] == AttributeValue::S("limit#user#acme#ann".to_owned())
            })
            .then_output(move || {
                UpdateItemOutput::builder().set_attributes(Some(item(seconds).into_map())).build()
            })
    }

    fn refused(seconds: Option<i64>) -> Rule {
        mock!(Client::update_item).then_error(move || {
            let found = seconds.map(|second| item(second).into_map());
            UpdateItemError::ConditionalCheckFailedException(
                ConditionalCheckFailedException::builder().set_item(found).build(),
            )
        })
    }
}
