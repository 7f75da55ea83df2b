//! Requests that carry an `Idempotency-Key`: which is under way, and what the others were answered.
//!
//! Who asks first holds the key until a lease runs out or the answer is on record. Expiry is checked in the condition
//! of every write: the table's own deletion may come hours late.

use aws::Refused;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use domain::Timestamp;

use super::{Counters, one};
use crate::item::Item;
use crate::writes::stood;

const UNDER_WAY: &str = "in_progress";
const DONE: &str = "done";

/// One request, as it is told apart from others. No `Debug`: the key is the caller's own word.
pub struct Once<'a> {
    /// Whose key it is and for what: tenant, method, path and the key itself, in words that hold no separator of ours.
    pub scope: &'a [&'a str],
    /// The SHA-256 of the canonical body.
    pub body: &'a str,
    /// Names this very request: what the key is held by.
    pub holder: &'a str,
    /// Who holds the key after this is taken to be gone.
    pub lease_until: Timestamp,
    /// The key is forgotten after this.
    pub expires_at: Timestamp,
}

/// What a request with a key finds.
pub enum Begun {
    /// It is the first: go on, and [`Counters::finish`] or [`Counters::release`] afterwards.
    Ours,
    /// Another one with the same key is under way.
    Running,
    /// The key was used with another body.
    Other,
    /// It was answered so.
    Done { status: u16, body: String },
}

impl Counters {
    /// Takes a key, if nobody has it: a lease that ran out, with the same body, and a key that expired count as nobody.
    ///
    /// # Errors
    /// The table could not be asked.
    pub async fn begin(&self, it: &Once<'_>, now: Timestamp) -> Result<Begun, Refused> {
        let item = place(it)
            .text("state", UNDER_WAY)
            .text("body", it.body)
            .text("holder", it.holder)
            .number("lease_until", it.lease_until.as_millisecond())
            .number("expires_at", crate::seconds(it.expires_at))
            .number("ttl", crate::seconds(it.expires_at));
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
            .expression_attribute_values(":body", AttributeValue::S(it.body.to_owned()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let Err(error) = put else { return Ok(Begun::Ours) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(found)) => {
                Ok(standing(&found.item().cloned().map(Item::from).unwrap_or_default(), it))
            }
            Some(_) | None => Err(Refused::new("remember a request", error)),
        }
    }

    /// Puts the answer on record. `false`: the lease ran out and somebody else has the key; theirs counts.
    ///
    /// # Errors
    /// The table could not be written: the key stays held until the lease runs out.
    pub async fn finish(&self, it: &Once<'_>, status: u16, body: &str) -> Result<bool, Refused> {
        let sent = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(place(it).into_map()))
            .update_expression("SET #state = :done, answer_status = :status, answer = :answer")
            .condition_expression("holder = :holder AND #state = :under_way")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":done", AttributeValue::S(DONE.to_owned()))
            .expression_attribute_values(":under_way", AttributeValue::S(UNDER_WAY.to_owned()))
            .expression_attribute_values(":holder", AttributeValue::S(it.holder.to_owned()))
            .expression_attribute_values(":status", number(i64::from(status)))
            .expression_attribute_values(":answer", AttributeValue::S(body.to_owned()))
            .send()
            .await;
        stood("remember an answer", sent)
    }

    /// Gives a key back, so that the same request may be made again.
    ///
    /// # Errors
    /// The table could not be written: the key stays held until the lease runs out.
    pub async fn release(&self, it: &Once<'_>) -> Result<(), Refused> {
        let sent = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(place(it).into_map()))
            .condition_expression("holder = :holder AND #state = :under_way")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":holder", AttributeValue::S(it.holder.to_owned()))
            .expression_attribute_values(":under_way", AttributeValue::S(UNDER_WAY.to_owned()))
            .send()
            .await;
        stood("give a request's key back", sent).map(drop)
    }
}

fn place(it: &Once<'_>) -> Item {
    let mut parts = vec!["request"];
    parts.extend(it.scope);
    one(&parts)
}

/// What a key that is taken says to a request. Another body is another request, whatever became of the first.
fn standing(found: &Item, asked: &Once<'_>) -> Begun {
    if found.get("holder") == Some(asked.holder) && found.get("state") == Some(UNDER_WAY) {
        // Our own write, whose answer was lost on the way.
        return Begun::Ours;
    }
    if found.get("body") != Some(asked.body) {
        return Begun::Other;
    }
    let status = found.get_number("answer_status").and_then(|number| u16::try_from(number).ok());
    match (found.get("state"), status, found.get("answer")) {
        (Some(DONE), Some(status), Some(body)) => Begun::Done { status, body: body.to_owned() },
        _ => Begun::Running,
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
    async fn a_key_that_nobody_has_is_taken_and_its_expiry_is_part_of_the_condition() {
        let asked = mock!(Client::put_item)
            .match_requests(|it| {
                let values = it.expression_attribute_values().unwrap();
                it.condition_expression()
                    .is_some_and(|condition_expression| condition_expression.contains("expires_at <= :now"))
                    && values[":now"] == number(1_795_000_000)
                    && values[":now_ms"] == number(1_795_000_000_000)
            })
            .then_output(|| PutItemOutput::builder().build());
        assert!(matches!(begin(&asked).await, Begun::Ours));
    }

    #[tokio::test]
    async fn a_key_that_is_taken_says_by_whom_and_for_what() {
        let row = |state: &str, body: &str, holder: &str| {
            let row = Item::default().text("state", state).text("body", body).text("holder", holder);
            row.text("answer", "{}").number("answer_status", 202)
        };
        assert!(matches!(begin(&taken(row("in_progress", "hash", "other"))).await, Begun::Running));
        assert!(matches!(begin(&taken(row("in_progress", "hash", "me"))).await, Begun::Ours));
        assert!(matches!(begin(&taken(row("done", "another", "other"))).await, Begun::Other));
        assert!(matches!(begin(&taken(row("in_progress", "another", "other"))).await, Begun::Other));
        let Begun::Done { status, body } = begin(&taken(row("done", "hash", "other"))).await else {
            panic!()
        };
        assert_eq!((status, body.as_str()), (202, "{}"));
    }

    async fn begin(rule: &Rule) -> Begun {
        let counters = Counters::new(&canned::client(&[rule]), "counters".into());
        let scope = ["clinic-7", "POST", "/v1/events", "k"];
        let once = Once { scope: &scope, body: "hash", holder: "me", lease_until: NOON, expires_at: NOON };
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
