//! Isolates messages that may crash the function.

use aws::{CallError, chain};
use domain::delivery::poison::{BatchParts, SUSPECT, company};

use crate::{Batch, Error, Message, Report, now};

/// Handles a batch, usually as a whole.
///
/// A batch with messages that were delivered often ([`domain::delivery::poison`]) is handled in parts. The
/// unsuspected messages come first, then each suspect alone. Finished messages are deleted before the
/// next part starts, so a crash affects only one part. `delete` gets the queue's ARN and the receipt
/// handle. Parts that cannot start before the deadline are redelivered.
///
/// # Errors
/// The error of `handle` if the batch was handled as a whole. Of a batch in parts, only the failed part
/// is redelivered.
pub async fn run_isolated<F, D>(batch: Batch, handle: &F, delete: &D) -> Result<Report, Error>
where
    F: AsyncFn(Batch) -> Result<Report, Error>,
    D: AsyncFn(&str, &str) -> Result<(), CallError>,
{
    // A single message can crash only itself.
    if batch.messages.len() < 2 || batch.messages.iter().all(|message| message.receive_count() < SUSPECT) {
        // Boxed, because the nested future of a function exceeds the compiler's recursion limit.
        return Box::pin(handle(batch)).await;
    }
    let mut report = Report::default();
    let parts = parts(&batch);
    let last = parts.len() - 1;
    for (at, messages) in parts.into_iter().enumerate() {
        if batch.deadline.left(now()).is_zero() {
            messages.iter().for_each(|message| report.redeliver(message));
            continue;
        }
        // The log line precedes a possible crash and names the message.
        for message in messages.iter().filter(|message| message.receive_count() >= SUSPECT) {
            let receives = message.receive_count();
            tracing::warn!(
                code = "MESSAGE_ISOLATED",
                message.id = message.message_id,
                receives,
                "message handled alone: earlier deliveries did not finish"
            );
        }
        // Each part gets its own request id. A job in two parts otherwise counts as claimed by both.
        let request_id = format!("{}#{at}", batch.request_id);
        let part = Batch { messages: messages.clone(), request_id, deadline: batch.deadline };
        match Box::pin(handle(part)).await {
            Ok(answer) => {
                messages
                    .iter()
                    .filter(|message| answer.shows(message))
                    .for_each(|message| report.redeliver(message));
            }
            Err(error) => {
                tracing::error!(
                    code = "BATCH_PART_RETRY",
                    error = chain(error.as_ref()),
                    "messages returned to the queue: a part of the batch failed"
                );
                messages.iter().for_each(|message| report.redeliver(message));
            }
        }
        // Lambda deletes the messages of the last part.
        if at < last {
            let done = messages.iter().filter(|message| !report.shows(message));
            delete_all(done, &batch, delete).await;
        }
    }
    Ok(report)
}

/// Splits a batch into parts. The order is kept, and no part is empty.
fn parts(batch: &Batch) -> Vec<Vec<Message>> {
    let messages = &batch.messages;
    let counted: Vec<(u32, &str)> =
        messages.iter().map(|message| (message.receive_count(), message.message_id.as_str())).collect();
    let BatchParts { others, suspects } = company(&counted);
    let others = (!others.is_empty()).then_some(others);
    let parts = others.into_iter().chain(suspects.into_iter().map(|suspect| vec![suspect]));
    parts.map(|part| part.into_iter().map(|at| messages[at].clone()).collect()).collect()
}

/// Deletes finished messages. Messages that are not deleted here are deleted with the answer of the
/// batch.
async fn delete_all<D>(done: impl Iterator<Item = &Message>, batch: &Batch, delete: &D)
where
    D: AsyncFn(&str, &str) -> Result<(), CallError>,
{
    for message in done {
        let deleted = delete(message.queue_arn(), &message.receipt_handle);
        match tokio::time::timeout(batch.deadline.left(now()), deleted).await {
            Ok(Ok(())) => {}
            Ok(Err(refused)) => {
                tracing::warn!(
                    code = "MESSAGE_NOT_DELETED",
                    message.id = message.message_id,
                    error = chain(&refused),
                    "message not deleted yet: the delete was refused, the answer of the batch deletes the message"
                );
            }
            Err(_) => {
                tracing::warn!(
                    code = "MESSAGE_NOT_DELETED",
                    message.id = message.message_id,
                    "message not deleted yet: the time is up, the answer of the batch deletes the message"
                );
            }
        }
    }
}

#[cfg(test)]
mod tests;
