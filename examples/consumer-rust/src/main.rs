//! Counts the outcomes of communications (`communication.sent`) that arrive in an SQS queue, each event once.
//!
//! ```sh
//! QUEUE_URL=https://… TABLE=shop-notifications cargo run -p example-consumer-rust -- --until-empty
//! ```
//!
//! An EventBridge rule on Carillon's bus feeds the queue. SQS and EventBridge can deliver an event twice. The effect and
//! a row with the event's source and id are written in one transaction, so a repeated event has no effect.

use std::error::Error;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use serde::Deserialize;
use serde_json::json;

/// How long an event is remembered. Longer than SQS keeps a message.
const REMEMBERED: Duration = Duration::from_secs(30 * 24 * 3600);

/// An event in the form in which an EventBridge rule delivers it. `detail` is the CloudEvent.
#[derive(Deserialize)]
struct Message {
    detail: Event,
}

#[derive(Deserialize)]
struct Event {
    id: String,
    source: String,
    data: Communication,
}

/// The payload of `communication.sent`. docs/reference/events.md lists all members.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Communication {
    event_id: String,
    event_type: String,
    success: bool,
}

struct Consumer {
    dynamodb: aws_sdk_dynamodb::Client,
    table: String,
}

impl Consumer {
    /// Counts a communication. Returns `false` for an event that was counted before.
    async fn handle(&self, event: &Event) -> Result<bool, Box<dyn Error>> {
        let transaction = vec![self.remember(event)?, self.count(&event.data)?];
        let call = self.dynamodb.transact_write_items().set_transact_items(Some(transaction));
        let Err(error) = call.send().await else { return Ok(true) };
        let error = error.into_service_error();
        let TransactWriteItemsError::TransactionCanceledException(cancelled) = &error else {
            return Err(error.into());
        };
        let first = cancelled.cancellation_reasons().first().and_then(|reason| reason.code());
        if first == Some("ConditionalCheckFailed") { Ok(false) } else { Err(error.into()) }
    }

    /// The row that makes a repetition of the event fail. `expires_at` is the table's time to live.
    fn remember(&self, event: &Event) -> Result<TransactWriteItem, Box<dyn Error>> {
        let expires_at = (SystemTime::now() + REMEMBERED).duration_since(UNIX_EPOCH)?.as_secs();
        let put = Put::builder()
            .table_name(&self.table)
            .item("id", AttributeValue::S(format!("event#{}#{}", event.source, event.id)))
            .item("expires_at", AttributeValue::N(expires_at.to_string()))
            .condition_expression("attribute_not_exists(id)");
        Ok(TransactWriteItem::builder().put(put.build()?).build())
    }

    /// The effect: one more communication of this type of event.
    fn count(&self, communication: &Communication) -> Result<TransactWriteItem, Box<dyn Error>> {
        let update = Update::builder()
            .table_name(&self.table)
            .key("id", AttributeValue::S(format!("total#{}", communication.event_type)))
            .update_expression("ADD #outcome :one")
            .expression_attribute_names(
                "#outcome",
                if communication.success { "succeeded" } else { "failed" },
            )
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()));
        Ok(TransactWriteItem::builder().update(update.build()?).build())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let config = aws_config::defaults(aws_config::BehaviorVersion::latest());
    let config = config.http_client(aws::http_client(None)).load().await;
    let consumer =
        Consumer { dynamodb: aws_sdk_dynamodb::Client::new(&config), table: std::env::var("TABLE")? };
    let (sqs, queue) = (aws_sdk_sqs::Client::new(&config), std::env::var("QUEUE_URL")?);
    let until_empty = std::env::args().any(|argument| argument == "--until-empty");
    let wait = if until_empty { 1 } else { 20 };
    loop {
        let receive =
            sqs.receive_message().queue_url(&queue).max_number_of_messages(10).wait_time_seconds(wait);
        let messages = receive.send().await?.messages.unwrap_or_default();
        if messages.is_empty() && until_empty {
            return Ok(());
        }
        for message in messages {
            // A message that fails stays in the queue. SQS delivers it again, and after some attempts moves it to the
            // dead-letter queue.
            let event = match serde_json::from_str::<Message>(message.body().unwrap_or_default()) {
                Ok(message) => message.detail,
                Err(error) => {
                    eprintln!("message stays in the queue: {error}");
                    continue;
                }
            };
            match consumer.handle(&event).await {
                Ok(new) => {
                    println!("{}", json!({ "event": event.id, "about": event.data.event_id, "new": new }))
                }
                Err(error) => {
                    eprintln!("message stays in the queue: event {}: {error}", event.id);
                    continue;
                }
            }
            let handle = message.receipt_handle.unwrap_or_default();
            sqs.delete_message().queue_url(&queue).receipt_handle(handle).send().await?;
        }
    }
}
