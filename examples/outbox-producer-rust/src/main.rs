//! Changes an order and writes its event in one DynamoDB transaction, with the crate `carillon-publish`.
//!
//! ```sh
//! export CARILLON_EVENTS=carillon-dev-events ORDERS=shop-orders
//! cargo run -p example-outbox-producer-rust -- o-1 ann shipped
//! ```
//!
//! The row of the order has the version of its event stream. A repeated run changes no row and publishes no event.

use std::error::Error;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use carillon_publish::{Appended, Conflict, Event, Outbox, Stream, Timestamp};
use serde_json::json;

/// How often a run decides again after another producer changed the order first.
const ATTEMPTS: usize = 5;

struct Order {
    id: String,
    user: String,
    status: String,
    tenant: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let config = aws_config::defaults(aws_config::BehaviorVersion::latest());
    let config = config.http_client(aws::http_client(None)).load().await;
    let (client, orders) = (Client::new(&config), std::env::var("ORDERS")?);
    let outbox = Outbox::new(std::env::var("CARILLON_EVENTS")?);
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("usage: ORDER USER STATUS");
    let (id, user, status) = (next()?, next()?, next()?);
    let order = Order { id, user, status, tenant: std::env::var("CARILLON_TENANT").ok() };
    for _ in 0..ATTEMPTS {
        if let Some(written) = change(&client, &orders, &outbox, &order).await? {
            println!("{}", json!({ "order": order.id, "status": order.status, "written": written }));
            return Ok(());
        }
    }
    Err("other producers changed the order at the same time; run the command again".into())
}

/// Changes the order. Returns whether this call wrote it, or `None` if another producer was first.
async fn change(
    client: &Client,
    orders: &str,
    outbox: &Outbox,
    order: &Order,
) -> Result<Option<bool>, Box<dyn Error>> {
    let found =
        client.get_item().table_name(orders).key("id", text(&order.id)).consistent_read(true).send().await?;
    let row = found.item.unwrap_or_default();
    if row.get("status") == Some(&text(&order.status)) {
        return Ok(Some(false));
    }
    let version = match row.get("version") {
        Some(AttributeValue::N(number)) => number.parse()?,
        _ => 0,
    };
    let mut transaction = vec![update(orders, order, version)?];
    let stream = Stream::new(order.tenant.as_deref(), &format!("order/{}", order.id));
    let appended =
        outbox.append(&mut transaction, &stream, version, &[event(order, version)?], Timestamp::now())?;
    write(client, transaction, &appended).await
}

/// Sends the transaction. The SDK repeats a call without an answer. The token makes DynamoDB execute it once.
async fn write(
    client: &Client,
    transaction: Vec<TransactWriteItem>,
    appended: &Appended,
) -> Result<Option<bool>, Box<dyn Error>> {
    let call = client.transact_write_items().set_transact_items(Some(transaction));
    let Err(error) = call.client_request_token(&appended.token).send().await else { return Ok(Some(true)) };
    let error = error.into_service_error();
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = &error else {
        return Err(error.into());
    };
    match appended.conflict(cancelled.cancellation_reasons()) {
        Some(Conflict::AlreadyThere { .. }) => Ok(Some(false)),
        // Another producer changed the order after it was read: this version of the order has another event.
        Some(Conflict::WrongVersion { .. } | Conflict::OtherBody { .. }) | None => Ok(None),
    }
}

/// The write of the shop's own row, on the condition that no other producer wrote it since it was read.
fn update(orders: &str, order: &Order, version: u64) -> Result<TransactWriteItem, Box<dyn Error>> {
    let update = Update::builder()
        .table_name(orders)
        .key("id", text(&order.id))
        .update_expression("SET #status = :status, version = :next")
        .condition_expression("attribute_not_exists(version) OR version = :version")
        .expression_attribute_names("#status", "status")
        .expression_attribute_values(":status", text(&order.status))
        .expression_attribute_values(":version", AttributeValue::N(version.to_string()))
        .expression_attribute_values(":next", AttributeValue::N((version + 1).to_string()))
        .build()?;
    Ok(TransactWriteItem::builder().update(update).build())
}

/// The event of the change. The id names the fact: the order and the version that the change gives it.
fn event(order: &Order, version: u64) -> Result<Event, Box<dyn Error>> {
    let event = json!({
        "specversion": "1.0",
        "id": format!("{}-{}", order.id, version + 1),
        "source": "shop",
        "type": "order.status.changed",
        "time": Timestamp::now().to_string(),
        "data": { "orderId": order.id, "status": order.status, "userId": order.user },
    });
    Ok(Event::parse(&event.to_string())?)
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}
