//! A table's stream, read without a checkpoint.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodbstreams::Client;
use aws_sdk_dynamodbstreams::types::{AttributeValue, ShardIteratorType};
use aws_types::SdkConfig;
use store::Item;

use crate::error::Error;

use super::stream_error;

/// The stream of one table.
pub(super) struct Stream {
    client: Client,
    arn: String,
    /// The iterator of each shard; `None` for a closed shard that was read to its end.
    shards: BTreeMap<String, Option<String>>,
}

impl Stream {
    /// Opens the stream. With `all` it begins with the oldest record, otherwise now.
    pub(super) async fn open(config: &SdkConfig, table: &str, all: bool) -> Result<Stream, Error> {
        let client = Client::new(config);
        let streams = client.list_streams().table_name(table).send().await;
        let streams = streams.map_err(|error| stream_error("find the table's stream", &error))?;
        let arn = streams.streams().iter().rev().find_map(|stream| stream.stream_arn()).ok_or_else(|| {
            Error::usage(format!("the table {table} has no stream"), "is the stack deployed in this Region?")
        })?;
        let mut stream = Stream { arn: arn.to_owned(), client, shards: BTreeMap::new() };
        stream
            .find_shards(if all { ShardIteratorType::TrimHorizon } else { ShardIteratorType::Latest })
            .await?;
        Ok(stream)
    }

    async fn find_shards(&mut self, from: ShardIteratorType) -> Result<(), Error> {
        let mut start = None;
        loop {
            let page = self
                .client
                .describe_stream()
                .stream_arn(&self.arn)
                .set_exclusive_start_shard_id(start)
                .send()
                .await
                .map_err(|error| stream_error("read the table's stream", &error))?;
            let Some(description) = page.stream_description() else { return Ok(()) };
            for id in description.shards().iter().filter_map(|shard| shard.shard_id()) {
                if !self.shards.contains_key(id) {
                    let iterator = self.iterator(id, from.clone()).await?;
                    self.shards.insert(id.to_owned(), iterator);
                }
            }
            start = description.last_evaluated_shard_id().map(str::to_owned);
            if start.is_none() {
                return Ok(());
            }
        }
    }

    async fn iterator(&self, shard: &str, from: ShardIteratorType) -> Result<Option<String>, Error> {
        let answer = self
            .client
            .get_shard_iterator()
            .stream_arn(&self.arn)
            .shard_id(shard)
            .shard_iterator_type(from)
            .send()
            .await
            .map_err(|error| stream_error("read the table's stream", &error))?;
        Ok(answer.shard_iterator)
    }

    /// The changes since the last call, in the order of the stream.
    pub(super) async fn read(&mut self) -> Result<Vec<Item>, Error> {
        let open: Vec<(String, String)> =
            self.shards.iter().filter_map(|(id, iterator)| Some((id.clone(), iterator.clone()?))).collect();
        let mut changes = Vec::new();
        let mut closed = false;
        for (id, iterator) in open {
            let answer = self.client.get_records().shard_iterator(iterator).send().await;
            let answer = answer.map_err(|error| stream_error("read the table's stream", &error))?;
            let images = answer.records().iter().filter_map(|record| record.dynamodb()?.new_image());
            changes.extend(images.map(item));
            closed |= answer.next_shard_iterator.is_none();
            self.shards.insert(id, answer.next_shard_iterator);
        }
        if closed {
            // A shard closes every few hours; its successors are read from their beginning.
            self.find_shards(ShardIteratorType::TrimHorizon).await?;
        }
        Ok(changes)
    }
}

/// An item from the streams API's own attribute values; only texts and numbers are read.
fn item(image: &HashMap<String, AttributeValue>) -> Item {
    Item::of_values(image.iter().map(|(name, value)| (name, value.as_s().ok(), value.as_n().ok())))
}
