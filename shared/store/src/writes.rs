//! Unconditional writes in batches of 25 items, with retries for unprocessed items. Also interprets the answer to a
//! single conditional write.

use aws::{CallError, Verdict};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{DeleteRequest, PutRequest, WriteRequest};

use crate::item::Item;
use crate::pause;

/// DynamoDB's limit for one `BatchWriteItem`.
const ITEMS_PER_CALL: usize = 25;

/// The number of rounds for unprocessed items before the call fails.
pub(crate) const ROUNDS: u32 = 5;

/// A write that replaces any item under the same key.
pub(crate) fn put(item: Item) -> WriteRequest {
    let put = PutRequest::builder().set_item(Some(item.into_map())).build();
    WriteRequest::builder().put_request(put.expect("an item is all that a put needs")).build()
}

/// A deletion of a key, which may have no item.
pub(crate) fn delete(key: Item) -> WriteRequest {
    let delete = DeleteRequest::builder().set_key(Some(key.into_map())).build();
    WriteRequest::builder().delete_request(delete.expect("a key is all that a deletion needs")).build()
}

/// Executes all writes.
///
/// # Errors
/// A call failed, or several rounds left items unprocessed. Repeating all writes is harmless.
pub(crate) async fn write(
    client: &Client,
    table: &str,
    doing: &'static str,
    writes: Vec<WriteRequest>,
) -> Result<(), CallError> {
    for some in writes.chunks(ITEMS_PER_CALL) {
        let mut open = some.to_vec();
        for round in 0..ROUNDS {
            pause::before(round).await;
            let call = client.batch_write_item().request_items(table, open);
            let answer = call.send().await.map_err(|error| CallError::new(doing, error))?;
            open = answer
                .unprocessed_items
                .and_then(|mut unprocessed_items| unprocessed_items.remove(table))
                .unwrap_or_default();
            if open.is_empty() {
                break;
            }
        }
        if !open.is_empty() {
            return Err(left_over(doing));
        }
    }
    Ok(())
}

/// Whether a conditional write was executed. `false`: its condition did not hold and the item is unchanged.
///
/// # Errors
/// The write failed, or its answer was lost.
pub(crate) fn stood<T, E>(
    doing: &'static str,
    sent: Result<T, SdkError<E, HttpResponse>>,
) -> Result<bool, CallError>
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    match sent {
        Ok(_) => Ok(true),
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(false),
        Err(error) => Err(CallError::new(doing, error)),
    }
}

/// The error for items that were still unprocessed after the last round.
pub(crate) fn left_over(doing: &'static str) -> CallError {
    CallError { doing, verdict: Verdict::Throttled, source: "the table left items unprocessed".into() }
}
