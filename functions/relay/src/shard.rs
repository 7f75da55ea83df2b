//! Reads stream records that Lambda gave up. Lambda passes only their position.

use std::collections::HashMap;

use aws::CallError;
use aws_sdk_dynamodbstreams::Client;
use aws_sdk_dynamodbstreams::types::{AttributeValue, Record, ShardIteratorType};
use aws_types::SdkConfig;
use store::Item;

use crate::intake::{Change, Part};

/// The most calls for one range. A batch has a hundred records, and one call returns up to a thousand.
const MAX_CALLS: usize = 20;

/// The streams. The client is created on first use, because it is needed only after failures.
pub(crate) struct Shards {
    pub(crate) config: SdkConfig,
}

impl Shards {
    /// Reads the records of a range, in order. A stream keeps records for 24 hours.
    ///
    /// # Errors
    /// The stream was not read, or the records have expired.
    pub(crate) async fn read(&self, part: &Part) -> Result<Vec<Change>, CallError> {
        const DOING: &str = "read records back";
        let client = Client::new(&self.config);
        let iterator = client
            .get_shard_iterator()
            .stream_arn(&part.stream_arn)
            .shard_id(&part.shard_id)
            .shard_iterator_type(ShardIteratorType::AtSequenceNumber)
            .sequence_number(&part.start_sequence_number)
            .send()
            .await
            .map_err(|error| CallError::new(DOING, error))?;
        let mut next = iterator.shard_iterator;
        let mut changes = Vec::new();
        for _ in 0..MAX_CALLS {
            let Some(at) = next else { break };
            let answer = client.get_records().shard_iterator(at).send().await;
            let answer = answer.map_err(|error| CallError::new(DOING, error))?;
            for record in answer.records() {
                let number =
                    record.dynamodb().and_then(|dynamodb| dynamodb.sequence_number()).unwrap_or_default();
                if is_after(number, &part.end_sequence_number) {
                    return Ok(changes);
                }
                changes.push(change(record, &part.stream_arn));
            }
            next = answer.next_shard_iterator;
        }
        Ok(changes)
    }
}

/// Compares sequence numbers, which are decimal numbers of up to 40 digits.
fn is_after(number: &str, end: &str) -> bool {
    let (number, end) = (number.trim_start_matches('0'), end.trim_start_matches('0'));
    (number.len(), number) > (end.len(), end)
}

fn change(record: &Record, stream_arn: &str) -> Change {
    let name = record.event_name().map_or("", |name| name.as_str());
    let images = record.dynamodb();
    let new = images.and_then(|images| images.new_image()).map(item);
    Change::of_stream(name, stream_arn, new, images.and_then(|images| images.old_image()).map(item))
}

/// Converts attribute values of the streams API. Only texts and numbers are used.
fn item(image: &HashMap<String, AttributeValue>) -> Item {
    Item::of_values(image.iter().map(|(name, value)| (name, value.as_s().ok(), value.as_n().ok())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_numbers_are_compared_as_numbers() {
        for (number, end, after) in
            [("9", "10", false), ("10", "10", false), ("11", "10", true), ("00011", "9", true)]
        {
            assert_eq!(is_after(number, end), after, "{number} {end}");
        }
    }
}
