//! Writes an order and its event in one DynamoDB transaction. Carillon publishes the event after the commit.
//!
//! ```sh
//! ORDERS=orders EVENTS=carillon-dev-events cargo run --example outbox --features outbox
//! ```

#![expect(clippy::disallowed_methods, reason = "a program of a user reads its own environment and clock")]

use std::error::Error;
use std::time::SystemTime;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use carillon_publish::{Conflict, Event, Outbox, Stream, Timestamp};
use serde_json::json;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let name = |variable: &str, default: &str| std::env::var(variable).unwrap_or_else(|_| default.to_owned());
    let dynamodb = Client::new(&aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await);
    let outbox = Outbox::new(name("EVENTS", "carillon-dev-events"));

    // The producer's own write.
    let row = Put::builder()
        .table_name(name("ORDERS", "orders"))
        .item("id", AttributeValue::S("o-1".to_owned()))
        .build()?;
    let mut transaction = vec![TransactWriteItem::builder().put(row).build()];

    // The event is the first of its stream, so the expected version is 0.
    let now: Timestamp = SystemTime::now().try_into()?;
    let placed =
        Event::new("shop", "order.placed", "o-1/placed".to_owned(), now, &json!({ "userId": "u-1" }));
    let order = Stream::new(Some("t-1"), "order/1");
    let appended = outbox.append(&mut transaction, &order, 0, &[placed], now)?;

    let request = dynamodb.transact_write_items().set_transact_items(Some(transaction));
    let answer = request.client_request_token(&appended.token).send().await;
    let line = match answer.map_err(aws_sdk_dynamodb::error::SdkError::into_service_error) {
        Ok(_) => format!("the order is stored, its stream has version {}", appended.version),
        Err(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            match appended.conflict(cancelled.cancellation_reasons()) {
                Some(Conflict::AlreadyThere { .. }) => "an earlier attempt stored the order".to_owned(),
                Some(conflict) => conflict.to_string(),
                None => "a condition of the order's own write failed".to_owned(),
            }
        }
        Err(error) => return Err(error.into()),
    };
    show(&line);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the output of an example")]
fn show(line: &str) {
    println!("{line}");
}
