//! Which messages of a batch are taken up one by one, and in which order.
//!
//! A message that kills whoever takes it up leaves no word: its whole batch is shown again, and nobody can tell it from
//! those that died with it. What comes back again and again is a suspect. Suspects are taken up one by one, and each that
//! is done is off the queue before the next one is begun. So whoever stands before a culprit is through, and of those that
//! come back the first one was it: next time it stands last. With each try one culprit more is known, without a note
//! anywhere.
//!
//! A batch that stays together loses nobody to as many as seven culprits, and whoever is none is through at the try after
//! as many tries as there are culprits.

/// What was handed out so often, this time included, is a suspect. Twice may be chance: a deployment, a lost machine.
pub const SUSPECT: u32 = 3;

/// A batch in its parts. Both hold places in the batch.
#[derive(Debug, PartialEq, Eq)]
pub struct Company {
    /// Those that are no suspects: together and first, as they must not wait for anybody's fault.
    pub others: Vec<usize>,
    /// One by one, in this order.
    pub suspects: Vec<usize>,
}

/// The parts of a batch. `batch`: how often each was handed out, this time included, and its id.
///
/// Suspects stand by how often they were handed out, then by id, and the queue counts for all of them alike: the order
/// among those that come back is the same the next time. The newest of them says since when all are together: after so
/// many tries as many culprits stand in front, and go to the end.
#[must_use]
pub fn company(batch: &[(u32, &str)]) -> Company {
    let (mut suspects, others): (Vec<usize>, Vec<usize>) =
        (0..batch.len()).partition(|at| batch[*at].0 >= SUSPECT);
    suspects.sort_by_key(|at| batch[*at]);
    if let Some(newest) = suspects.first() {
        let known = usize::try_from(batch[*newest].0 - SUSPECT).unwrap_or(usize::MAX);
        let known = known % suspects.len();
        suspects.rotate_left(known);
    }
    Company { others, suspects }
}

#[cfg(test)]
mod tests;
