use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::{Index, subsequence};

use super::*;

/// Maximum number of receives of a message.
const TRIES: u32 = 10;

#[test]
fn new_messages_do_not_wait_for_suspects() {
    check(&[(1, "d"), (4, "c"), (2, "b"), (3, "a")], &[0, 2], &[3, 1]);
    check(&[(1, "b"), (2, "a")], &[0, 1], &[]);
    check(&[], &[], &[]);
}

#[test]
fn redelivered_first_suspect_comes_last() {
    check(&[(3, "b"), (3, "c"), (3, "a")], &[], &[2, 0, 1]);
    check(&[(4, "b"), (4, "c"), (4, "a")], &[], &[0, 1, 2]);
    check(&[(5, "b"), (5, "c"), (5, "a")], &[], &[1, 2, 0]);
    check(&[(9, "a")], &[], &[0]);
}

#[track_caller]
fn check(batch: &[(u32, &str)], others: &[usize], suspects: &[usize]) {
    assert_eq!(company(batch), BatchParts { others: others.to_vec(), suspects: suspects.to_vec() });
}

proptest! {
    #[test]
    fn each_message_is_handled_once(counts in prop::collection::vec(0_u32..=TRIES, 0..=12)) {
        let ids: Vec<String> = (0..counts.len()).map(|n| n.to_string()).collect();
        let batch: Vec<(u32, &str)> = counts.iter().copied().zip(ids.iter().map(String::as_str)).collect();
        let BatchParts { others, suspects } = company(&batch);
        let mut all: Vec<usize> = others.into_iter().chain(suspects).collect();
        all.sort_unstable();
        prop_assert_eq!(all, (0..batch.len()).collect::<Vec<_>>());
    }

    #[test]
    fn no_message_is_lost_with_up_to_seven_poison_messages(
        ids in prop::collection::hash_set("[0-9a-f]{8}", 2..=10).prop_map(Vec::from_iter),
        poison in subsequence((0..10).collect::<Vec<usize>>(), 1..=7),
    ) {
        let batch: Vec<(u32, String)> = ids.iter().map(|id| (1, id.clone())).collect();
        let poison: BTreeSet<String> = poison.iter().filter_map(|index| ids.get(*index)).cloned().collect();
        prop_assert_eq!(only_poison_is_lost(batch.clone(), &poison), Ok(()), "of {:?}", &poison);
        // The whole batch fails twice. Then each attempt identifies one poison message.
        let known = u32::try_from(poison.len()).unwrap();
        prop_assert!(attempts(batch, &poison) <= SUSPECT - 1 + known + 1);
    }

    #[test]
    fn single_poison_message_takes_no_other_along(
        counts in prop::collection::vec(1_u32..=7, 2..=10),
        culprit in any::<Index>(),
    ) {
        let batch: Vec<(u32, String)> =
            counts.into_iter().enumerate().map(|(index, count)| (count, format!("{:x}", index * 7919))).collect();
        let poison = BTreeSet::from([culprit.get(&batch).1.clone()]);
        prop_assert!(attempts(batch.clone(), &poison) <= 4);
        prop_assert_eq!(only_poison_is_lost(batch, &poison), Ok(()));
    }
}

/// The messages that are left after an attempt: the poison message that crashed the consumer, and those after it. The
/// others are finished.
fn redelivered(batch: &[(u32, String)], poison: &BTreeSet<String>) -> Vec<(u32, String)> {
    let view: Vec<(u32, &str)> = batch.iter().map(|(count, id)| (*count, id.as_str())).collect();
    let BatchParts { others, suspects } = company(&view);
    let crashes = |index: &usize| poison.contains(view[*index].1);
    let is_first_part = others.iter().any(crashes);
    let first = suspects.iter().position(crashes).unwrap_or(suspects.len());
    let redelivered = if is_first_part { [others, suspects].concat() } else { suspects[first..].to_vec() };
    redelivered.into_iter().map(|index| (view[index].0 + 1, view[index].1.to_owned())).collect()
}

/// Number of attempts until all messages except the poison ones are finished.
fn attempts(mut batch: Vec<(u32, String)>, poison: &BTreeSet<String>) -> u32 {
    let mut attempts = 0;
    while attempts < 100 && batch.iter().any(|(_, id)| !poison.contains(id)) {
        batch = redelivered(&batch, poison);
        attempts += 1;
    }
    attempts
}

/// Checks that only poison messages become dead letters. Returns the other ones.
fn only_poison_is_lost(mut batch: Vec<(u32, String)>, poison: &BTreeSet<String>) -> Result<(), Vec<String>> {
    while !batch.is_empty() {
        batch = redelivered(&batch, poison);
        let (dead, shown): (Vec<_>, Vec<_>) = batch.into_iter().partition(|(count, _)| *count > TRIES);
        let dead: Vec<String> =
            dead.into_iter().map(|(_, id)| id).filter(|id| !poison.contains(id)).collect();
        if !dead.is_empty() {
            return Err(dead);
        }
        batch = shown;
    }
    Ok(())
}
