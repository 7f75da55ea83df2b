//! Poison messages: which messages of a batch are handled alone, and in which order.
//!
//! A poison message crashes its consumer. SQS then redelivers the whole batch, and the poison message looks like the
//! others. A message that is redelivered repeatedly becomes a suspect. Suspects are handled one by one, and each is
//! deleted from the queue before the next one starts. All suspects before the poison message are therefore finished.
//! Of the redelivered suspects the first one was the poison message, and comes last in the next attempt. Each attempt
//! thus identifies one more poison message, without any stored state.
//!
//! A batch that stays together loses no message to up to seven poison messages. All other messages are finished after
//! one attempt more than there are poison messages.

/// The number of receives, including the present one, from which a message is a suspect. Two receives may be chance,
/// such as a deployment or a lost machine.
pub const SUSPECT: u32 = 3;

/// A batch in its parts. Both hold indices into the batch.
#[derive(Debug, PartialEq, Eq)]
pub struct BatchParts {
    /// Messages that are not suspects. They are handled together and first, so that they do not wait for suspects.
    pub others: Vec<usize>,
    /// Suspects, which are handled one by one in this order.
    pub suspects: Vec<usize>,
}

/// Splits a batch. `batch` holds the number of receives, including the present one, and the id of each message.
///
/// Suspects are sorted by receives, then by id. SQS counts all of them alike, so redelivered suspects keep their
/// order. The newest suspect shows since when the batch is together. The number of attempts since then is the number
/// of poison messages at the front, which are moved to the end.
#[must_use]
pub fn company(batch: &[(u32, &str)]) -> BatchParts {
    let (mut suspects, others): (Vec<usize>, Vec<usize>) =
        (0..batch.len()).partition(|index| batch[*index].0 >= SUSPECT);
    suspects.sort_by_key(|index| batch[*index]);
    if let Some(newest) = suspects.first() {
        let known = usize::try_from(batch[*newest].0 - SUSPECT).unwrap_or(usize::MAX);
        let known = known % suspects.len();
        suspects.rotate_left(known);
    }
    BatchParts { others, suspects }
}

#[cfg(test)]
mod tests;
