//! Parses invocations: stream records of a table, or messages about failed stream records.

use runtime::Message;
use serde::Deserialize;
use serde_json::value::RawValue;
use store::Item;

/// The content of one invocation.
pub(crate) enum Intake {
    /// The records of a table's stream, in order.
    Changes(Vec<Change>),
    /// The messages of the relay's own queue.
    Messages(Vec<Message>),
}

/// A record of a table's stream.
///
/// Source: DynamoDB Streams API reference, `Record` and `StreamRecord`. Only the fields used here are
/// read.
#[derive(Deserialize)]
pub(crate) struct Change {
    #[serde(rename = "eventName")]
    pub(crate) name: String,
    /// The ARN `arn:aws:dynamodb:<region>:<account>:table/<name>/stream/<label>`.
    #[serde(rename = "eventSourceARN", default)]
    stream_arn: String,
    #[serde(rename = "dynamodb")]
    pub(crate) images: Images,
}

#[derive(Deserialize)]
pub(crate) struct Images {
    #[serde(rename = "NewImage", default)]
    pub(crate) new: Option<Item>,
    #[serde(rename = "OldImage", default)]
    pub(crate) old: Option<Item>,
}

/// A message of the relay's own queue.
pub(crate) enum Note {
    /// Stream records. The local cloud sends them for streams that omit records.
    Changes(Vec<Change>),
    /// Stream records that Lambda gave up. The message names their position, not their content.
    GivenUp(Part),
}

/// A range of a shard.
///
/// Source: Lambda developer guide, "Retain records for a failed batch in DynamoDB event source".
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Part {
    pub(crate) stream_arn: String,
    pub(crate) shard_id: String,
    pub(crate) start_sequence_number: String,
    pub(crate) end_sequence_number: String,
    #[serde(default)]
    pub(crate) batch_size: u32,
}

#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(rename = "Records", borrow)]
    records: Vec<&'a RawValue>,
}

/// The event source of a record.
#[derive(Deserialize)]
struct Source<'a> {
    #[serde(rename = "eventSource", borrow)]
    source: &'a str,
}

#[derive(Deserialize)]
struct OnFailure {
    #[serde(rename = "DDBStreamBatchInfo")]
    part: Part,
}

impl Intake {
    /// Parses the payload of an invocation.
    ///
    /// # Errors
    /// The payload comes from an unknown event source.
    pub(crate) fn read(payload: &str) -> Result<Intake, serde_json::Error> {
        let Payload { records } = serde_json::from_str(payload)?;
        let of_a_queue = match records.first() {
            Some(first) => serde_json::from_str::<Source<'_>>(first.get())?.source == "aws:sqs",
            None => false,
        };
        if of_a_queue {
            return records
                .iter()
                .map(|record| serde_json::from_str(record.get()))
                .collect::<Result<_, _>>()
                .map(Intake::Messages);
        }
        changes(&records).map(Intake::Changes)
    }
}

impl Note {
    /// Parses a message of the relay's own queue.
    ///
    /// # Errors
    /// The message has neither form.
    pub(crate) fn read(body: &str) -> Result<Note, serde_json::Error> {
        if let Ok(Payload { records }) = serde_json::from_str(body) {
            return changes(&records).map(Note::Changes);
        }
        serde_json::from_str::<OnFailure>(body).map(|failure| Note::GivenUp(failure.part))
    }
}

fn changes(records: &[&RawValue]) -> Result<Vec<Change>, serde_json::Error> {
    records.iter().map(|record| serde_json::from_str(record.get())).collect()
}

impl Change {
    pub(crate) fn of_stream(name: &str, stream_arn: &str, new: Option<Item>, old: Option<Item>) -> Change {
        Change { name: name.to_owned(), stream_arn: stream_arn.to_owned(), images: Images { new, old } }
    }

    pub(crate) fn is_of(&self, table: &str) -> bool {
        table_of(&self.stream_arn) == Some(table)
    }
}

/// The name of the stream's table.
pub(crate) fn table_of(stream_arn: &str) -> Option<&str> {
    stream_arn.split_once(":table/")?.1.split('/').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payload_is_records_or_messages_or_refused() {
        let arn = "arn:aws:dynamodb:eu-west-1:1:table/carillon-dev-ledger/stream/2026-11-20T00:00:00.000";
        let record = format!(
            r#"{{"eventID":"1","eventName":"INSERT","eventSource":"aws:dynamodb","eventSourceARN":"{arn}",
                "dynamodb":{{"Keys":{{}},"NewImage":{{"pk":{{"S":"a"}}}},"SequenceNumber":"1"}}}}"#
        );
        let Ok(Intake::Changes(changes)) = Intake::read(&format!(r#"{{"Records":[{record}]}}"#)) else {
            panic!()
        };
        assert!(changes[0].is_of("carillon-dev-ledger") && !changes[0].is_of("carillon-dev-events"));
        assert_eq!(changes[0].images.new.as_ref().unwrap().get("pk"), Some("a"));
        let message = r#"{"Records":[{"messageId":"m","body":"{}","eventSource":"aws:sqs"}]}"#;
        assert!(matches!(Intake::read(message), Ok(Intake::Messages(messages)) if messages.len() == 1));
        for wrong in ["{}", r#"{"Records":[{}]}"#, r#"{"Records":[{"eventSource":"aws:s3"}]}"#] {
            assert!(Intake::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn queue_message_names_a_range_or_has_records() {
        let given_up = r#"{"requestContext":{"condition":"RetryAttemptsExhausted"},"version":"1.0","DDBStreamBatchInfo":
            {"shardId":"s-1","startSequenceNumber":"10","endSequenceNumber":"20","batchSize":3,
             "streamArn":"arn:aws:dynamodb:eu-west-1:1:table/t/stream/x"}}"#;
        let Ok(Note::GivenUp(part)) = Note::read(given_up) else { panic!() };
        assert_eq!((part.shard_id.as_str(), part.end_sequence_number.as_str()), ("s-1", "20"));
        assert!(matches!(Note::read(r#"{"Records":[]}"#), Ok(Note::Changes(changes)) if changes.is_empty()));
        assert!(Note::read("{}").is_err() && Note::read("not json").is_err());
    }
}
