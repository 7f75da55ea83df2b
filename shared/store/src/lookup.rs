//! Reads of items: by key, by partition, and whole tables.

use aws::CallError;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};

use crate::item::Item;
use crate::pause;
use crate::writes::{ROUNDS, left_over};

/// DynamoDB's limit for one `BatchGetItem`.
pub(crate) const KEYS_PER_CALL: usize = 100;

/// The current item under a key.
pub(crate) async fn get(client: &Client, table: &str, key: Item) -> Result<Option<Item>, CallError> {
    let answer = client
        .get_item()
        .table_name(table)
        .set_key(Some(key.into_map()))
        .consistent_read(true)
        .send()
        .await
        .map_err(|error| CallError::new("read an item", error))?;
    Ok(answer.item.map(Item::from))
}

/// The current items under these keys, in no order. Keys without an item are left out. The keys must differ.
pub(crate) async fn several(
    client: &Client,
    table: &str,
    doing: &'static str,
    keys: Vec<Item>,
) -> Result<Vec<Item>, CallError> {
    let mut items = Vec::with_capacity(keys.len());
    for some in keys.chunks(KEYS_PER_CALL) {
        let mut open: Vec<_> = some.iter().cloned().map(Item::into_map).collect();
        for round in 0..ROUNDS {
            pause::before(round).await;
            let wanted = KeysAndAttributes::builder().set_keys(Some(open)).consistent_read(true).build();
            let wanted = wanted.expect("keys are all that a read needs");
            let asked = client.batch_get_item().request_items(table, wanted).send().await;
            let answer = asked.map_err(|error| CallError::new(doing, error))?;
            let found =
                answer.responses.and_then(|mut responses| responses.remove(table)).unwrap_or_default();
            items.extend(found.into_iter().map(Item::from));
            let left =
                answer.unprocessed_keys.and_then(|mut unprocessed_keys| unprocessed_keys.remove(table));
            open = left.map(|left| left.keys).unwrap_or_default();
            if open.is_empty() {
                break;
            }
        }
        if !open.is_empty() {
            return Err(left_over(doing));
        }
    }
    Ok(items)
}

/// All items of a partition, in the order of their sort keys.
pub(crate) async fn partition(client: &Client, table: &str, pk: &str) -> Result<Vec<Item>, CallError> {
    let mut items = Vec::new();
    let mut start = None;
    loop {
        let answer = client
            .query()
            .table_name(table)
            .key_condition_expression("pk = :pk")
            .consistent_read(true)
            .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(|error| CallError::new("read a partition", error))?;
        items.extend(answer.items.unwrap_or_default().into_iter().map(Item::from));
        start = answer.last_evaluated_key;
        if start.is_none() {
            return Ok(items);
        }
    }
}

/// The items of a partition whose sort keys have this prefix, in order. Limited to one answer, 1 MiB.
pub(crate) async fn beginning(
    client: &Client,
    table: &str,
    pk: &str,
    beginning: &str,
) -> Result<Vec<Item>, CallError> {
    let answer = client
        .query()
        .table_name(table)
        .key_condition_expression("pk = :pk AND begins_with(sk, :beginning)")
        .consistent_read(true)
        .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
        .expression_attribute_values(":beginning", AttributeValue::S(beginning.to_owned()))
        .send()
        .await
        .map_err(|error| CallError::new("read a part of a partition", error))?;
    Ok(answer.items.unwrap_or_default().into_iter().map(Item::from).collect())
}

/// The order in which the items of a partition are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Forward,
    Backward,
}

/// The next items of a partition after the sort key `after`: at least one and at most `most`. Also returns the sort
/// key after which the next page starts. The read is consistent.
pub(crate) async fn stretch(
    client: &Client,
    table: &str,
    doing: &'static str,
    (pk, after): (&str, Option<&str>),
    most: u32,
    order: Order,
) -> Result<(Vec<Item>, Option<String>), CallError> {
    let start = after.map(|sk| Item::default().text("pk", pk).text("sk", sk).into_map());
    let answer = client
        .query()
        .table_name(table)
        .key_condition_expression("pk = :pk")
        .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
        .scan_index_forward(order == Order::Forward)
        .consistent_read(true)
        .limit(i32::try_from(most.max(1)).unwrap_or(i32::MAX))
        .set_exclusive_start_key(start)
        .send()
        .await
        .map_err(|error| CallError::new(doing, error))?;
    let next = answer.last_evaluated_key.map(Item::from);
    let items = answer.items.unwrap_or_default().into_iter().map(Item::from).collect();
    Ok((items, next.and_then(|next| next.get("sk").map(str::to_owned))))
}

/// The values of attribute `name` in the next items of a partition after the key `start`, at most `most`. Also
/// returns whether there are more. The read is consistent.
pub(crate) async fn page(
    client: &Client,
    table: &str,
    doing: &'static str,
    (pk, name): (String, &str),
    start: Option<Item>,
    most: u32,
) -> Result<(Vec<String>, bool), CallError> {
    let answer = client
        .query()
        .table_name(table)
        .key_condition_expression("pk = :pk")
        .expression_attribute_values(":pk", AttributeValue::S(pk))
        .projection_expression(name)
        .consistent_read(true)
        .limit(i32::try_from(most.max(1)).unwrap_or(i32::MAX))
        .set_exclusive_start_key(start.map(Item::into_map))
        .send()
        .await
        .map_err(|error| CallError::new(doing, error))?;
    let items = answer.items.unwrap_or_default().into_iter().map(Item::from);
    let values = items.filter_map(|item| item.get(name).map(str::to_owned)).collect();
    Ok((values, answer.last_evaluated_key.is_some()))
}

/// All items of a table.
pub(crate) async fn scan(client: &Client, table: &str) -> Result<Vec<Item>, CallError> {
    let mut items = Vec::new();
    let mut start = None;
    loop {
        let answer = client
            .scan()
            .table_name(table)
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(|error| CallError::new("read a table", error))?;
        items.extend(answer.items.unwrap_or_default().into_iter().map(Item::from));
        start = answer.last_evaluated_key;
        if start.is_none() {
            return Ok(items);
        }
    }
}
