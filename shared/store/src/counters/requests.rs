//! Requests with an `Idempotency-Key`: which are in progress, and the recorded responses.
//!
//! The first request holds the key until its lease expires or its response is recorded. The condition of every
//! write checks expiry, because DynamoDB deletes expired items hours late.

use aws::CallError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use domain::Timestamp;
use domain::base::sensitive::Sensitive;

use super::{Counters, one};
use crate::item::Item;
use crate::writes::stood;

const UNDER_WAY: &str = "in_progress";
const DONE: &str = "done";

/// One idempotent request.
pub struct Once<'a> {
    /// The scope of the key: tenant, method, path and the key itself. No part contains the separator.
    pub scope: Sensitive<&'a [&'a str]>,
    /// The SHA-256 of the canonical body.
    pub body: &'a str,
    /// The id of this request, which identifies the holder of the key.
    pub holder: &'a str,
    /// The end of the lease. After it the holder counts as crashed.
    pub lease_until: Timestamp,
    /// The key expires at this time.
    pub expires_at: Timestamp,
}

/// The result of a request for a key.
pub enum RequestClaim {
    /// This request holds the key. Execute it, then call [`Counters::finish`] or [`Counters::release`].
    Ours,
    /// Another request with the same key is in progress.
    Running,
    /// The key was used with another body.
    Other,
    /// The request was already executed, with this response.
    Done { status: u16, body: String },
}

impl Counters {
    /// Takes a key that is free, expired, or held by an expired lease for the same body.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn begin(&self, once: &Once<'_>, now: Timestamp) -> Result<RequestClaim, CallError> {
        let item = place(once)
            .text("state", UNDER_WAY)
            .text("body", once.body)
            .text("holder", once.holder)
            .number("lease_until", once.lease_until.as_millisecond())
            .number("expires_at", crate::seconds(once.expires_at))
            .number("ttl", crate::seconds(once.expires_at));
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item.into_map()))
            .condition_expression(
                "attribute_not_exists(pk) OR expires_at <= :now \
                 OR (#state = :under_way AND lease_until <= :now_ms AND #body = :body)",
            )
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#body", "body")
            .expression_attribute_values(":now", number(crate::seconds(now)))
            .expression_attribute_values(":now_ms", number(now.as_millisecond()))
            .expression_attribute_values(":under_way", AttributeValue::S(UNDER_WAY.to_owned()))
            .expression_attribute_values(":body", AttributeValue::S(once.body.to_owned()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let Err(error) = put else { return Ok(RequestClaim::Ours) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(found)) => {
                Ok(standing(&found.item().cloned().map(Item::from).unwrap_or_default(), once))
            }
            Some(_) | None => Err(CallError::new("record a request", error)),
        }
    }

    /// Records the response. `false`: the lease expired and another request holds the key, whose response counts.
    ///
    /// # Errors
    /// The table could not be written. The key stays held until the lease expires.
    pub async fn finish(&self, once: &Once<'_>, status: u16, body: &str) -> Result<bool, CallError> {
        let sent = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(place(once).into_map()))
            .update_expression("SET #state = :done, answer_status = :status, answer = :answer")
            .condition_expression("holder = :holder AND #state = :under_way")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":done", AttributeValue::S(DONE.to_owned()))
            .expression_attribute_values(":under_way", AttributeValue::S(UNDER_WAY.to_owned()))
            .expression_attribute_values(":holder", AttributeValue::S(once.holder.to_owned()))
            .expression_attribute_values(":status", number(i64::from(status)))
            .expression_attribute_values(":answer", AttributeValue::S(body.to_owned()))
            .send()
            .await;
        stood("record a response", sent)
    }

    /// Releases a key, so that the same request may be repeated.
    ///
    /// # Errors
    /// The table could not be written. The key stays held until the lease expires.
    pub async fn release(&self, once: &Once<'_>) -> Result<(), CallError> {
        let sent = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(place(once).into_map()))
            .condition_expression("holder = :holder AND #state = :under_way")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":holder", AttributeValue::S(once.holder.to_owned()))
            .expression_attribute_values(":under_way", AttributeValue::S(UNDER_WAY.to_owned()))
            .send()
            .await;
        stood("release an idempotency key", sent).map(drop)
    }
}

fn place(once: &Once<'_>) -> Item {
    let mut parts = vec!["request"];
    parts.extend(*once.scope.expose());
    one(&parts)
}

/// The result for a request whose key is taken. Another body is another request, whatever the state of the first.
fn standing(found: &Item, asked: &Once<'_>) -> RequestClaim {
    if found.get("holder") == Some(asked.holder) && found.get("state") == Some(UNDER_WAY) {
        // This request's own write, whose answer was lost.
        return RequestClaim::Ours;
    }
    if found.get("body") != Some(asked.body) {
        return RequestClaim::Other;
    }
    let status = found.get_number("answer_status").and_then(|number| u16::try_from(number).ok());
    match (found.get("state"), status, found.get("answer")) {
        (Some(DONE), Some(status), Some(body)) => RequestClaim::Done { status, body: body.to_owned() },
        _ => RequestClaim::Running,
    }
}

fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canned;
    use aws_sdk_dynamodb::Client;
    use aws_sdk_dynamodb::operation::put_item::PutItemOutput;
    use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
    use aws_smithy_mocks::{Rule, mock};

    const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

    #[tokio::test]
    async fn free_key_is_taken_on_condition_of_its_expiry() {
        let asked = mock!(Client::put_item)
            .match_requests(|input| {
                let values = input.expression_attribute_values().unwrap();
                input
                    .condition_expression()
                    .is_some_and(|condition_expression| condition_expression.contains("expires_at <= :now"))
                    && values[":now"] == number(1_795_000_000)
                    && values[":now_ms"] == number(1_795_000_000_000)
            })
            .then_output(|| PutItemOutput::builder().build());
        assert!(matches!(begin(&asked).await, RequestClaim::Ours));
    }

    #[tokio::test]
    async fn taken_key_reports_its_holder_and_body() {
        let row = |state: &str, body: &str, holder: &str| {
            let row = Item::default().text("state", state).text("body", body).text("holder", holder);
            row.text("answer", "{}").number("answer_status", 202)
        };
        assert!(matches!(begin(&taken(row("in_progress", "hash", "other"))).await, RequestClaim::Running));
        assert!(matches!(begin(&taken(row("in_progress", "hash", "me"))).await, RequestClaim::Ours));
        assert!(matches!(begin(&taken(row("done", "another", "other"))).await, RequestClaim::Other));
        assert!(matches!(begin(&taken(row("in_progress", "another", "other"))).await, RequestClaim::Other));
        let RequestClaim::Done { status, body } = begin(&taken(row("done", "hash", "other"))).await else {
            panic!()
        };
        assert_eq!((status, body.as_str()), (202, "{}"));
    }

    async fn begin(rule: &Rule) -> RequestClaim {
        let counters = Counters::new(&canned::client(&[rule]), "counters".into());
        let scope = ["clinic-7", "POST", "/v1/events", "k"];
        let once = Once {
            scope: Sensitive::new(&scope),
            body: "hash",
            holder: "me",
            lease_until: NOON,
            expires_at: NOON,
        };
        counters.begin(&once, NOON).await.unwrap()
    }

    fn taken(row: Item) -> Rule {
        mock!(Client::put_item).then_error(move || {
            let row = Some(row.clone().into_map());
            PutItemError::ConditionalCheckFailedException(
                ConditionalCheckFailedException::builder().set_item(row).build(),
            )
        })
    }
}
