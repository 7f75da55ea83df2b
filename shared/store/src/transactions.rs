//! Transactions: several conditional writes that succeed or fail together.

use aws::{CallError, Verdict};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::TransactWriteItem;

/// Executes all writes or none. `false`: another writer was first.
///
/// # Errors
/// The table did not answer.
pub(crate) async fn write(
    client: &Client,
    doing: &'static str,
    writes: Vec<TransactWriteItem>,
) -> Result<bool, CallError> {
    match client.transact_write_items().set_transact_items(Some(writes)).send().await {
        Ok(_) => Ok(true),
        Err(error) if is_lost(&error) => Ok(false),
        Err(error) => Err(CallError::new(doing, error)),
    }
}

/// Whether a transaction was cancelled because another writer was first.
fn is_lost(error: &SdkError<TransactWriteItemsError>) -> bool {
    let Some(TransactWriteItemsError::TransactionCanceledException(transaction_canceled_exception)) =
        error.as_service_error()
    else {
        return false;
    };
    let codes = transaction_canceled_exception
        .cancellation_reasons()
        .iter()
        .filter_map(|cancellation_reason| cancellation_reason.code());
    let mut others = codes.filter(|code| *code != "None").peekable();
    others.peek().is_some()
        && others.all(|other| other == "ConditionalCheckFailed" || other == "TransactionConflict")
}

/// The error for a transaction that lost against other writers in every round.
pub(crate) fn crowded(doing: &'static str) -> CallError {
    CallError { doing, verdict: Verdict::Throttled, source: "other writers were first in every round".into() }
}
