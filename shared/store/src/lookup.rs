//! Reading items: by key, by partition, and all of them.

use aws::Refused;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;

use crate::item::Item;

/// The item under a key as it stands now.
pub(crate) async fn get(client: &Client, table: &str, key: Item) -> Result<Option<Item>, Refused> {
    let answer = client
        .get_item()
        .table_name(table)
        .set_key(Some(key.into_map()))
        .consistent_read(true)
        .send()
        .await
        .map_err(|error| Refused::new("read an item", error))?;
    Ok(answer.item.map(Item::from))
}

/// All items of a partition, in the order of their sort keys.
pub(crate) async fn partition(client: &Client, table: &str, pk: &str) -> Result<Vec<Item>, Refused> {
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
            .map_err(|error| Refused::new("read a partition", error))?;
        items.extend(answer.items.unwrap_or_default().into_iter().map(Item::from));
        start = answer.last_evaluated_key;
        if start.is_none() {
            return Ok(items);
        }
    }
}

/// The items of a partition whose sort keys begin so, in their order. As many as fit one answer, 1 MiB.
pub(crate) async fn beginning(
    client: &Client,
    table: &str,
    pk: &str,
    beginning: &str,
) -> Result<Vec<Item>, Refused> {
    let answer = client
        .query()
        .table_name(table)
        .key_condition_expression("pk = :pk AND begins_with(sk, :beginning)")
        .consistent_read(true)
        .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
        .expression_attribute_values(":beginning", AttributeValue::S(beginning.to_owned()))
        .send()
        .await
        .map_err(|error| Refused::new("read a part of a partition", error))?;
    Ok(answer.items.unwrap_or_default().into_iter().map(Item::from).collect())
}

/// Every item of a table.
pub(crate) async fn scan(client: &Client, table: &str) -> Result<Vec<Item>, Refused> {
    let mut items = Vec::new();
    let mut start = None;
    loop {
        let answer = client
            .scan()
            .table_name(table)
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(|error| Refused::new("read a table", error))?;
        items.extend(answer.items.unwrap_or_default().into_iter().map(Item::from));
        start = answer.last_evaluated_key;
        if start.is_none() {
            return Ok(items);
        }
    }
}
