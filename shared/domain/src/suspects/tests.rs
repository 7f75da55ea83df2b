use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::{Index, subsequence};

use super::*;

/// How often a queue hands a message out.
const TRIES: u32 = 10;

#[test]
fn who_came_for_the_first_or_second_time_waits_for_no_suspect() {
    check(&[(1, "d"), (4, "c"), (2, "b"), (3, "a")], &[0, 2], &[3, 1]);
    check(&[(1, "b"), (2, "a")], &[0, 1], &[]);
    check(&[], &[], &[]);
}

#[test]
fn whoever_stood_first_and_came_back_stands_last_the_next_time() {
    check(&[(3, "b"), (3, "c"), (3, "a")], &[], &[2, 0, 1]);
    check(&[(4, "b"), (4, "c"), (4, "a")], &[], &[0, 1, 2]);
    check(&[(5, "b"), (5, "c"), (5, "a")], &[], &[1, 2, 0]);
    check(&[(9, "a")], &[], &[0]);
}

#[track_caller]
fn check(batch: &[(u32, &str)], others: &[usize], suspects: &[usize]) {
    assert_eq!(company(batch), Company { others: others.to_vec(), suspects: suspects.to_vec() });
}

proptest! {
    #[test]
    fn nobody_is_forgotten_and_nobody_is_taken_up_twice(counts in prop::collection::vec(0_u32..=TRIES, 0..=12)) {
        let ids: Vec<String> = (0..counts.len()).map(|it| it.to_string()).collect();
        let batch: Vec<(u32, &str)> = counts.iter().copied().zip(ids.iter().map(String::as_str)).collect();
        let Company { others, suspects } = company(&batch);
        let mut all: Vec<usize> = others.into_iter().chain(suspects).collect();
        all.sort_unstable();
        prop_assert_eq!(all, (0..batch.len()).collect::<Vec<_>>());
    }

    #[test]
    fn of_a_batch_that_stays_together_nobody_is_lost_with_up_to_seven_culprits(
        ids in prop::collection::hash_set("[0-9a-f]{8}", 2..=10).prop_map(Vec::from_iter),
        culprits in subsequence((0..10).collect::<Vec<usize>>(), 1..=7),
    ) {
        let batch: Vec<(u32, String)> = ids.iter().map(|it| (1, it.clone())).collect();
        let culprits: BTreeSet<String> = culprits.iter().filter_map(|at| ids.get(*at)).cloned().collect();
        prop_assert_eq!(all_are_through(batch.clone(), &culprits), Ok(()), "of {:?}", &culprits);
        // Twice all of them die together; then one culprit after the other gives itself away.
        let known = u32::try_from(culprits.len()).unwrap();
        prop_assert!(tries(batch, &culprits) <= SUSPECT - 1 + known + 1);
    }

    #[test]
    fn a_single_culprit_takes_nobody_along_whenever_they_met(
        counts in prop::collection::vec(1_u32..=7, 2..=10),
        culprit in any::<Index>(),
    ) {
        let batch: Vec<(u32, String)> =
            counts.into_iter().enumerate().map(|(at, count)| (count, format!("{:x}", at * 7919))).collect();
        let culprits = BTreeSet::from([culprit.get(&batch).1.clone()]);
        prop_assert!(tries(batch.clone(), &culprits) <= 4);
        prop_assert_eq!(all_are_through(batch, &culprits), Ok(()));
    }
}

/// Who is left after a try: the culprit that was come to, and those that were not begun. The others died with it.
fn left(batch: &[(u32, String)], culprits: &BTreeSet<String>) -> Vec<(u32, String)> {
    let view: Vec<(u32, &str)> = batch.iter().map(|(count, id)| (*count, id.as_str())).collect();
    let Company { others, suspects } = company(&view);
    let kills = |at: &usize| culprits.contains(view[*at].1);
    let is_first_part = others.iter().any(kills);
    let first = suspects.iter().position(kills).unwrap_or(suspects.len());
    let left = if is_first_part { [others, suspects].concat() } else { suspects[first..].to_vec() };
    left.into_iter().map(|at| (view[at].0 + 1, view[at].1.to_owned())).collect()
}

/// How many tries it takes until all but culprits are through; culprits never are.
fn tries(mut batch: Vec<(u32, String)>, culprits: &BTreeSet<String>) -> u32 {
    let mut tries = 0;
    while tries < 100 && batch.iter().any(|(_, id)| !culprits.contains(id)) {
        batch = left(&batch, culprits);
        tries += 1;
    }
    tries
}

/// Or who becomes a dead letter without being a culprit.
fn all_are_through(mut batch: Vec<(u32, String)>, culprits: &BTreeSet<String>) -> Result<(), Vec<String>> {
    while !batch.is_empty() {
        batch = left(&batch, culprits);
        let (dead, shown): (Vec<_>, Vec<_>) = batch.into_iter().partition(|(count, _)| *count > TRIES);
        let dead: Vec<String> =
            dead.into_iter().map(|(_, id)| id).filter(|id| !culprits.contains(id)).collect();
        if !dead.is_empty() {
            return Err(dead);
        }
        batch = shown;
    }
    Ok(())
}
