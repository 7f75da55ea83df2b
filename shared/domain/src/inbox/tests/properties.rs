use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::*;
use super::NOON;

const TENANTS: [Option<&str>; 3] = [None, Some("north"), Some("south")];

/// A table with conditional writes, as the store uses it.
#[derive(Default)]
struct Table {
    head: Head,
    version: u64,
    /// The number of each notification's entry.
    numbers: BTreeMap<u8, u64>,
    entries: BTreeMap<u64, Place>,
}

/// A pending write, with the values that the worker read.
#[derive(Clone)]
enum PendingWrite {
    Store { version: u64, head: Head, known: bool, key: u8, tenant: Option<&'static str> },
    Mark { version: u64, head: Head, entries: Vec<Place>, mark: Mark },
}

/// One step: a worker reads, a worker writes, or days pass.
#[derive(Debug, Clone)]
enum Step {
    Store { worker: usize, key: u8, tenant: Option<&'static str> },
    Mark { worker: usize, keys: Vec<u8>, mark: Mark },
    Finish { worker: usize },
    Days(i64),
}

proptest! {
    #[test]
    fn counts_equal_a_recount_with_concurrent_workers(steps in vec(steps(), 1..120)) {
        let mut table = Table::default();
        let mut desks: [Option<PendingWrite>; 3] = [None, None, None];
        let mut now = NOON;
        for step in steps {
            match step {
                Step::Store { worker, key, tenant } => desks[worker] = Some(table.read(key, tenant)),
                Step::Mark { worker, keys, mark } => desks[worker] = Some(table.look_up(&keys, mark)),
                Step::Finish { worker } => {
                    if let Some(work) = desks[worker].clone() {
                        // A write may be repeated in any case: its answer was lost, or a message was redelivered.
                        table.write(work, now);
                    }
                }
                Step::Days(days) => now += SignedDuration::from_hours(24 * days),
            }
            for tenant in TENANTS {
                let view = View::own(tenant.map(str::to_owned));
                prop_assert_eq!(table.head.counts(&view, now), table.recount(&view, now));
            }
        }
        prop_assert_eq!(table.head.last, u64::try_from(table.entries.len()).unwrap(), "numbers have no gaps");
        prop_assert_eq!(table.numbers.len(), table.entries.len(), "each notification has one number");
    }

    #[test]
    fn seen_entry_never_becomes_unseen(marks in vec(select(&Mark::ALL[..]), 0..20)) {
        let mut state = State::Unseen;
        for mark in marks {
            let next = state.after(mark);
            prop_assert!(state == State::Unseen || next != State::Unseen);
            prop_assert_eq!(next.after(mark), next, "a repeated mark changes nothing");
            state = next;
        }
    }
}

impl Table {
    fn read(&self, key: u8, tenant: Option<&'static str>) -> PendingWrite {
        let known = self.numbers.contains_key(&key);
        PendingWrite::Store { version: self.version, head: self.head.clone(), known, key, tenant }
    }

    fn look_up(&self, keys: &[u8], mark: Mark) -> PendingWrite {
        let entries =
            keys.iter().filter_map(|key| self.entries.get(self.numbers.get(key)?).cloned()).collect();
        PendingWrite::Mark { version: self.version, head: self.head.clone(), entries, mark }
    }

    /// Writes all or nothing, if the row is unchanged since the read.
    fn write(&mut self, work: PendingWrite, now: Timestamp) {
        match work {
            PendingWrite::Store { version, head, known, key, tenant } => {
                if known || version != self.version || self.numbers.contains_key(&key) {
                    return;
                }
                let (head, seq) = head.with_new_entry(tenant, now);
                let tenant = tenant.map(str::to_owned);
                self.entries.insert(seq, Place { seq, state: State::Unseen, tenant, created: now });
                (self.head, self.version) = (head, self.version + 1);
                self.numbers.insert(key, seq);
            }
            PendingWrite::Mark { version, head, entries, mark } => {
                let (head, changes) = head.marked(&entries, mark, now);
                let holds = |changed: &Changed| self.entries[&changed.seq].state == changed.from;
                if version != self.version || changes.is_empty() || !changes.iter().all(holds) {
                    return;
                }
                (self.head, self.version) = (head, self.version + 1);
                for change in changes {
                    self.entries.get_mut(&change.seq).unwrap().state = change.to;
                }
            }
        }
    }

    fn recount(&self, view: &View, now: Timestamp) -> Counts {
        let theirs = |place: &&Place| view.takes_in(place.tenant.as_deref()) && !is_over(place.created, now);
        let states: Vec<State> = self.entries.values().filter(theirs).map(|entry| entry.state).collect();
        let on = |filter: InboxFilter| states.iter().filter(|state| filter.states().contains(state)).count();
        let count = |filter| u32::try_from(on(filter)).unwrap();
        Counts {
            unseen: count(InboxFilter::Unseen),
            unread: count(InboxFilter::Unread),
            total: count(InboxFilter::Inbox),
        }
    }
}

fn steps() -> impl Strategy<Value = Step> {
    let store = (0_usize..3, 0_u8..12, select(&TENANTS[..])).prop_map(|(worker, key, tenant)| Step::Store {
        worker,
        key,
        tenant,
    });
    let mark = (0_usize..3, vec(0_u8..12, 1..6), select(&Mark::ALL[..]))
        .prop_map(|(worker, keys, mark)| Step::Mark { worker, keys, mark });
    let finish = (0_usize..3).prop_map(|worker| Step::Finish { worker });
    let days = (0_i64..60).prop_map(Step::Days);
    prop_oneof![3 => store, 3 => mark, 7 => finish, 1 => days]
}
