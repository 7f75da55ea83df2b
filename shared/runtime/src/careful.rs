//! Messages that may kill whoever takes them up, and their neighbours.

use aws::{Refused, chain};
use domain::suspects::{Company, SUSPECT, company};

use crate::{Batch, Error, Message, Report, now};

/// Handles a batch: as a rule all of it at once.
///
/// Where a message comes back again and again ([`domain::suspects`]), `handle` gets the batch in parts: first what is not
/// suspected, then the suspects one by one. What is done with is deleted before the next part is begun: if that one kills
/// the function, it takes nothing along. `delete` is told the queue's ARN and the receipt handle. What cannot be begun before the deadline is shown again.
///
/// # Errors
/// That of `handle`, where the batch was handled at once. Of a batch in parts, only that part comes back.
pub async fn take_up<F, D>(batch: Batch, handle: &F, delete: &D) -> Result<Report, Error>
where
    F: AsyncFn(Batch) -> Result<Report, Error>,
    D: AsyncFn(&str, &str) -> Result<(), Refused>,
{
    // Alone it can only kill itself.
    if batch.messages.len() < 2 || batch.messages.iter().all(|message| message.receive_count() < SUSPECT) {
        // Boxed: the future of a function, in all the layers of the runtime, is deeper than the compiler will go.
        return Box::pin(handle(batch)).await;
    }
    let mut report = Report::default();
    let parts = parts(&batch);
    let last = parts.len() - 1;
    for (at, messages) in parts.into_iter().enumerate() {
        if batch.deadline.left(now()).is_zero() {
            messages.iter().for_each(|message| report.show_again(message));
            continue;
        }
        // Whoever dies now has told in time which message it was.
        for it in messages.iter().filter(|message| message.receive_count() >= SUSPECT) {
            let receives = it.receive_count();
            tracing::warn!(
                message.id = it.message_id,
                receives,
                "it comes back again and again: by itself now"
            );
        }
        // A name of its own for each part: a job that comes in two of them is not taken for claimed by both.
        let request_id = format!("{}#{at}", batch.request_id);
        let part = Batch { messages: messages.clone(), request_id, deadline: batch.deadline };
        match Box::pin(handle(part)).await {
            Ok(answer) => {
                messages
                    .iter()
                    .filter(|message| answer.shows(message))
                    .for_each(|message| report.show_again(message));
            }
            Err(error) => {
                tracing::error!(error = chain(error.as_ref()), "a part of the batch comes back");
                messages.iter().for_each(|message| report.show_again(message));
            }
        }
        // Lambda deletes what was done last: nothing comes between.
        if at < last {
            let done = messages.iter().filter(|message| !report.shows(message));
            delete_all(done, &batch, delete).await;
        }
    }
    Ok(report)
}

/// The parts of a batch, in their order; none of them is empty.
fn parts(batch: &Batch) -> Vec<Vec<Message>> {
    let messages = &batch.messages;
    let counted: Vec<(u32, &str)> =
        messages.iter().map(|message| (message.receive_count(), message.message_id.as_str())).collect();
    let Company { others, suspects } = company(&counted);
    let others = (!others.is_empty()).then_some(others);
    let parts = others.into_iter().chain(suspects.into_iter().map(|suspect| vec![suspect]));
    parts.map(|part| part.into_iter().map(|at| messages[at].clone()).collect()).collect()
}

/// What is not deleted here is when the batch is answered.
async fn delete_all<D>(done: impl Iterator<Item = &Message>, batch: &Batch, delete: &D)
where
    D: AsyncFn(&str, &str) -> Result<(), Refused>,
{
    for message in done {
        let deleted = delete(message.queue_arn(), &message.receipt_handle);
        match tokio::time::timeout(batch.deadline.left(now()), deleted).await {
            Ok(Ok(())) => {}
            Ok(Err(refused)) => {
                tracing::warn!(
                    message.id = message.message_id,
                    error = chain(&refused),
                    "not off its queue yet"
                );
            }
            Err(_) => {
                tracing::warn!(message.id = message.message_id, "not off its queue yet: the time is up");
            }
        }
    }
}

#[cfg(test)]
mod tests;
