//! A producer with an outbox table of its own, and the faults that its entries may meet.

use std::collections::HashMap;
use std::process::Command;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use domain::event::Event;
use publish::{Appended, Conflict, Outbox, Stream};
use serde_json::json;
use store::{CancellationReason, Events, Item, Place, Waiting};

use workspace::{root, unique};

use crate::cloud::{Cloud, now, now_text};

pub const TABLE: &str = "carillon-local-events";

/// A producer with an outbox table, and a reader of its entries.
pub struct OutboxProducer {
    pub client: Client,
    pub events: Events,
    waiting: Waiting,
}

pub fn producer() -> (Cloud, OutboxProducer) {
    let cloud = Cloud::connect();
    let client = store::client(&cloud.config);
    let events = Events::new(&client, TABLE.into());
    let waiting = Waiting::new(&client, TABLE.into());
    (cloud, OutboxProducer { client, events, waiting })
}

pub fn outbox() -> Outbox {
    Outbox::new(TABLE)
}

impl OutboxProducer {
    pub async fn append(
        &self,
        stream: &Stream,
        expected: u64,
        events: &[Event],
    ) -> Result<(), Option<Conflict>> {
        let mut transaction = vec![own()];
        let appended = outbox().append(&mut transaction, stream, expected, events, now()).unwrap();
        self.run(transaction, &appended).await.map_err(|error| appended.conflict(&error))
    }

    /// # Errors
    /// The cancellation reasons, one per action.
    pub async fn run(
        &self,
        transaction: Vec<TransactWriteItem>,
        appended: &Appended,
    ) -> Result<(), Vec<CancellationReason>> {
        let call = self.client.transact_write_items().set_transact_items(Some(transaction));
        let Err(error) = call.client_request_token(&appended.token).send().await else { return Ok(()) };
        let error = error.into_service_error();
        let TransactWriteItemsError::TransactionCanceledException(transaction_canceled_exception) = &error
        else {
            panic!("{error:?}")
        };
        Err(transaction_canceled_exception.cancellation_reasons().to_vec())
    }

    pub async fn row(&self, place: &Place) -> Option<Item> {
        self.waiting.row(place).await.unwrap()
    }

    pub async fn put_pending(&self, id: &str, event: &str) {
        let values = [
            ("pk", "stream#-#tests".to_owned()),
            ("sk", format!("outbox#tests#{id}")),
            ("pending", "0".to_owned()),
            ("appended_at", now_text()),
            ("event", event.to_owned()),
        ];
        let item: HashMap<String, AttributeValue> =
            values.into_iter().map(|(name, item)| (name.to_owned(), AttributeValue::S(item))).collect();
        self.client.put_item().table_name(TABLE).set_item(Some(item)).send().await.unwrap();
    }
}

pub fn is_done(row: &Item) -> bool {
    row.get("pending").is_none() && row.get("bus_id").is_some()
}

pub fn hello(id: &str, to: &[&str]) -> Event {
    let event = json!({
        "specversion": "1.0", "id": id, "source": "tests", "type": "core.hello", "time": now_text(),
        "data": { "to": to, "message": "The bells ring." },
    });
    Event::parse(&event.to_string()).unwrap()
}

/// The event as the stream stores it.
pub fn at(event: &Event, stream: &Stream, version: u64) -> Event {
    Event {
        subject: Some(stream.subject.clone()),
        sequence: Some(domain::event::Sequence::of_version(version)),
        ..event.clone()
    }
}

/// An item of the producer's own in the same transaction.
fn own() -> TransactWriteItem {
    let put =
        Put::builder().table_name("carillon-local-counters").item("pk", AttributeValue::S(unique("own")));
    let put = put.item("sk", AttributeValue::S("-".into())).build().unwrap();
    TransactWriteItem::builder().put(put).build()
}

/// The same item with a condition that fails.
pub fn impossible() -> TransactWriteItem {
    let put =
        Put::builder().table_name("carillon-local-counters").item("pk", AttributeValue::S(unique("own")));
    let put = put.item("sk", AttributeValue::S("-".into())).condition_expression("attribute_exists(pk)");
    TransactWriteItem::builder().put(put.build().unwrap()).build()
}

/// Kills the relay's processes of this local cloud only, as a machine failure would.
pub fn kill_relays() -> usize {
    let ours = root().join(".local/tmp");
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let relays = processes.filter(|process| {
        let is_ours =
            std::fs::read_link(process.path().join("exe")).is_ok_and(|link| link.starts_with(&ours));
        let environment = std::fs::read(process.path().join("environ")).unwrap_or_default();
        is_ours
            && String::from_utf8_lossy(&environment).contains("AWS_LAMBDA_FUNCTION_NAME=carillon-local-relay")
    });
    relays
        .filter(|relay| {
            Command::new("kill")
                .arg("-KILL")
                .arg(relay.file_name())
                .status()
                .is_ok_and(|status| status.success())
        })
        .count()
}
