//! Serves batches of SQS messages and reports on each message.

use std::fmt;

use aws::CallError;
use domain::Timestamp;
use domain::base::sensitive::Sensitive;
use lambda_runtime::{LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};

use crate::{Deadline, Error, Failed, run_isolated};

/// The event that Lambda passes for a queue.
#[derive(Deserialize)]
struct SqsEvent {
    #[serde(rename = "Records")]
    records: Vec<Message>,
}

/// An SQS message.
///
/// Source: Lambda developer guide, "Using Lambda with Amazon SQS". Only the fields used here are read.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    pub message_id: String,
    #[serde(default)]
    pub receipt_handle: String,
    pub body: Sensitive<String>,
    #[serde(default)]
    attributes: Attributes,
    #[serde(default, rename = "messageAttributes")]
    written: MessageAttributes,
    #[serde(default, rename = "eventSourceARN")]
    queue_arn: String,
}

#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attributes {
    #[serde(default)]
    approximate_receive_count: Option<String>,
    #[serde(default)]
    message_group_id: Option<String>,
    #[serde(default)]
    sent_timestamp: Option<String>,
}

/// The attributes that our own senders write.
#[derive(Clone, Default, Deserialize)]
struct MessageAttributes {
    /// When a redriven message was first sent to a queue.
    #[serde(default)]
    first_at: Option<Written>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    #[serde(default)]
    string_value: Option<String>,
}

impl Message {
    /// How often the queue has delivered the message, including this time.
    #[must_use]
    pub fn receive_count(&self) -> u32 {
        let count = self.attributes.approximate_receive_count.as_deref();
        count.and_then(|count| count.parse().ok()).unwrap_or(1)
    }

    /// When the queue accepted the message.
    #[must_use]
    pub fn sent_at(&self) -> Option<Timestamp> {
        let millis = self.attributes.sent_timestamp.as_deref()?.parse().ok()?;
        Timestamp::from_millisecond(millis).ok()
    }

    /// When the message was first sent to a queue. A redriven message keeps that time.
    #[must_use]
    pub fn first_sent_at(&self) -> Option<Timestamp> {
        let written = self
            .written
            .first_at
            .as_ref()
            .and_then(|first_at| first_at.string_value.as_deref()?.parse().ok());
        written.or_else(|| self.sent_at())
    }

    /// Whether the message came from the critical queue, whose name ends in `-critical`.
    #[must_use]
    pub fn is_critical(&self) -> bool {
        self.queue_arn.ends_with("-critical")
    }

    /// The ARN of the message's queue.
    #[must_use]
    pub fn queue_arn(&self) -> &str {
        &self.queue_arn
    }

    /// The tenant, as message group of a fair queue.
    #[must_use]
    pub fn group(&self) -> Option<&str> {
        self.attributes.message_group_id.as_deref()
    }
}

/// The messages of one invocation.
pub struct Batch {
    pub messages: Vec<Message>,
    /// The id of this invocation, which holds the claims.
    pub request_id: String,
    pub deadline: Deadline,
}

/// The messages to redeliver. All others are deleted.
///
/// Source: Lambda developer guide, "Handling errors for an SQS event source": an empty list is complete
/// success, an empty or unknown id returns the whole batch.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    batch_item_failures: Vec<ItemFailure>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ItemFailure {
    item_identifier: String,
}

impl Report {
    /// Redelivers this message after the queue's visibility timeout.
    pub fn redeliver(&mut self, message: &Message) {
        let failure = ItemFailure { item_identifier: message.message_id.clone() };
        if !self.batch_item_failures.contains(&failure) {
            self.batch_item_failures.push(failure);
        }
    }

    /// Whether this message is redelivered.
    pub(crate) fn shows(&self, message: &Message) -> bool {
        self.batch_item_failures
            .iter()
            .any(|batch_item_failure| batch_item_failure.item_identifier == message.message_id)
    }

    /// The number of redelivered messages.
    #[must_use]
    pub fn returned(&self) -> usize {
        self.batch_item_failures.len()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to be shown again", self.returned())
    }
}

/// Serves the batches of a queue one after the other, each by [`run_isolated`].
///
/// An `Err` from `handle` returns the whole batch and is meant for failures of the whole batch, never of
/// one message. `delete` deletes a message by the queue's ARN and the receipt handle.
///
/// # Errors
/// The Runtime API is gone.
pub async fn run_sqs<F, D>(handle: F, delete: D) -> Result<(), Error>
where
    F: AsyncFn(Batch) -> Result<Report, Error>,
    D: AsyncFn(&str, &str) -> Result<(), CallError>,
{
    let (handle, delete) = (&handle, &delete);
    lambda_runtime::run(service_fn(async move |event: LambdaEvent<SqsEvent>| {
        let batch = Batch {
            messages: event.payload.records,
            request_id: event.context.request_id,
            deadline: Deadline::at_millis(event.context.deadline),
        };
        run_isolated(batch, handle, delete).await.map_err(Failed::of)
    }))
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_from_what_lambda_hands_over() {
        let event: SqsEvent = serde_json::from_str(
            r#"{"Records":[{"messageId":"m1","receiptHandle":"r","body":"{}","md5OfBody":"x",
                "attributes":{"ApproximateReceiveCount":"3","MessageGroupId":"clinic-7","SentTimestamp":"1"},
                "messageAttributes":{},"eventSource":"aws:sqs","awsRegion":"eu-west-1",
                "eventSourceARN":"arn:aws:sqs:eu-west-1:1:carillon-dev-email-critical"}]}"#,
        )
        .unwrap();
        assert_eq!(event.records[0].receive_count(), 3);
        assert_eq!(event.records[0].sent_at().map(Timestamp::as_millisecond), Some(1));
        assert_eq!(event.records[0].group(), Some("clinic-7"));
        assert!(event.records[0].is_critical());
    }

    #[test]
    fn message_that_was_sent_back_keeps_the_time_at_which_it_was_first_sent() {
        let read = |written: &str| -> Message {
            let text = format!(
                r#"{{"messageId":"m1","body":"","attributes":{{"SentTimestamp":"5000"}},"messageAttributes":{written}}}"#
            );
            serde_json::from_str(&text).unwrap()
        };
        let sent_back = r#"{"first_at":{"stringValue":"1970-01-01T00:00:01Z","dataType":"String"}}"#;
        for (written, seconds) in [(sent_back, 1), ("{}", 5), (r#"{"first_at":{"stringValue":"noon"}}"#, 5)] {
            assert_eq!(read(written).first_sent_at().map(Timestamp::as_second), Some(seconds), "{written}");
        }
    }

    #[test]
    fn a_report_names_each_returned_message_once() {
        let message: Message = serde_json::from_str(r#"{"messageId":"m1","body":""}"#).unwrap();
        let mut report = Report::default();
        assert_eq!(serde_json::to_string(&report).unwrap(), r#"{"batchItemFailures":[]}"#);
        report.redeliver(&message);
        report.redeliver(&message);
        let said = serde_json::to_string(&report).unwrap();
        assert_eq!(said, r#"{"batchItemFailures":[{"itemIdentifier":"m1"}]}"#);
    }
}
