use std::collections::BTreeMap;

use jiff::ToSpan;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::json;

use super::super::*;
use crate::base::channel::Channel;
use crate::time::zone::tests::{instants, odd_zones};

proptest! {
    #[test]
    fn rolling_period_never_exceeds_its_limit(
        most in 1_u64..6, minutes in 1_i64..300, times in times(), zone in odd_zones(),
    ) {
        let length = SignedDuration::from_mins(minutes);
        let limit = limit(most, Period::Rolling(length), true);
        let (passed, refused) = run(&limit, &zone, &times);
        for end in &times {
            let begin = end.checked_sub(length).unwrap();
            let within = passed.iter().filter(|pass| **pass > begin && *pass <= end).count();
            prop_assert!(within <= usize::try_from(most).unwrap(), "{within} until {end}");
        }
        // Refusals only happen while the limit is reached.
        for (at, until, n) in refused {
            let begin = at.checked_sub(length).unwrap();
            prop_assert_eq!(passed.iter().filter(|pass| **pass > begin && **pass <= at).count(), usize::try_from(n).unwrap());
            prop_assert!(n >= most && until > at);
            prop_assert!(passed.contains(&until.checked_sub(length).unwrap()));
        }
    }

    #[test]
    fn rolling_pass_expires_exactly_after_one_period(
        at in instants(), nanos in 0_i64..1_000_000_000, length in 1_i64..=31 * 86_400_000_000_000,
    ) {
        let now = at.checked_add(SignedDuration::from_nanos(nanos)).unwrap();
        let length = SignedDuration::from_nanos(length);
        let limit = limit(1, Period::Rolling(length), true);
        let Pass::Passed { next, .. } = State::default().pass(&limit, &Zone::utc(), now) else {
            panic!("the limit is reached");
        };
        let free = now.checked_add(length).unwrap();
        let before = next.pass(&limit, &Zone::utc(), free.checked_sub(1.nanosecond()).unwrap());
        prop_assert_eq!(before, Pass::Full { until: free, n: 1 });
        let Pass::Passed { next, left } = next.pass(&limit, &Zone::utc(), free) else {
            panic!("the limit is reached");
        };
        prop_assert_eq!((next.passes, left), (vec![free], 0));
    }

    #[test]
    fn calendar_period_never_exceeds_its_limit(
        most in 1_u64..4, which in 0_usize..3, times in times(), zone in odd_zones(),
    ) {
        let kind = [CalendarPeriod::Day, CalendarPeriod::Week { starts: Weekday::Sunday }, CalendarPeriod::Month][which];
        let (passed, refused) = run(&limit(most, Period::Calendar(kind), true), &zone, &times);
        let mut counts: BTreeMap<_, u64> = BTreeMap::new();
        for at in &passed {
            *counts.entry(period_start(kind, &zone, *at)).or_default() += 1;
        }
        prop_assert!(counts.values().all(|count| *count <= most), "{counts:?}");
        for (at, until, n) in refused {
            prop_assert!(n == most && until > at);
            prop_assert!(period_start(kind, &zone, until) > period_start(kind, &zone, at));
        }
    }

    #[test]
    fn fixed_period_never_exceeds_its_limit(
        most in 1_u64..6, minutes in 1_i64..300, times in times(), zone in odd_zones(),
    ) {
        let length = SignedDuration::from_mins(minutes);
        let (passed, refused) = run(&limit(most, Period::Fixed(Span::For(length)), true), &zone, &times);
        let mut begin = None;
        let mut n = 0;
        for at in passed {
            match begin {
                Some(begin) if at.duration_since(begin) < length => n += 1,
                Some(_) | None => (begin, n) = (Some(at), 1),
            }
            prop_assert!(n <= most);
        }
        prop_assert!(refused.iter().all(|(at, until, n)| until > at && *n == most));
    }

    #[test]
    fn limit_that_does_not_block_passes_all_and_keeps_a_small_state(
        most in 1_u64..4, period in periods(), times in times(), zone in odd_zones(),
    ) {
        let limit = limit(most, period, false);
        let (passed, refused) = run(&limit, &zone, &times);
        prop_assert_eq!(passed, times.clone());
        prop_assert!(refused.is_empty());
        let state = times.iter().fold(State::default(), |state, at| match state.pass(&limit, &zone, *at) {
            Pass::Passed { next, .. } => next,
            Pass::Full { .. } => panic!("the limit blocks"),
        });
        prop_assert!(state.passes.len() <= usize::try_from(most).unwrap() + 1);
        prop_assert!(state.n > 0 || !state.passes.is_empty());
    }

    #[test]
    fn admission_counts_only_granted_channels(
        limits in vec((1_u64..3, periods(), any::<bool>(), scopes(), 0_usize..4), 0..6),
        channels in subsequence(&Channel::ALL[..], 0..=2), times in times(), zone in odd_zones(),
    ) {
        let ids = ["a", "b", "c", "d"];
        let limits: Vec<(Limit, Scope, &str)> = limits
            .into_iter()
            .map(|(most, period, blocks, scope, id)| (limit(most, period, blocks), scope, ids[id]))
            .collect();
        let wants: Vec<Want<'_>> =
            limits.iter().map(|(limit, scope, id)| Want { id, limit, scope: *scope, weight: 1 }).collect();
        let mut states = States::new();
        for now in times {
            let found = admit(&states, &wants, &channels, &zone, now);
            let all = |channel: &Channel| found.granted.contains(channel) != found.refused.iter().any(|(one, _)| one == channel);
            prop_assert!(channels.iter().all(all));
            prop_assert_eq!(found.granted.len() + found.refused.len(), channels.len());
            let counts = |want: &&Want<'_>| match want.scope {
                Scope::Step | Scope::Message => !found.granted.is_empty(),
                Scope::Channel(channel) => found.granted.contains(&channel),
            };
            let expected: std::collections::BTreeSet<&str> = wants.iter().filter(counts).map(|want| want.id).collect();
            prop_assert_eq!(found.next.keys().map(String::as_str).collect::<std::collections::BTreeSet<_>>(), expected);
            prop_assert!(found.refused.iter().all(|(_, refusal)| refusal.until > now && refusal.n >= refusal.most));
            states.extend(found.next);
        }
    }
}

type Refused = Vec<(Timestamp, Timestamp, u64)>;

/// The passes, and the refusals with their time, their end and the count.
fn run(limit: &Limit, zone: &Zone, times: &[Timestamp]) -> (Vec<Timestamp>, Refused) {
    let (mut state, mut passed, mut refused) = (State::default(), Vec::new(), Vec::new());
    for &now in times {
        match state.pass(limit, zone, now) {
            Pass::Passed { next, left } => {
                assert!(left < limit.most());
                state = next;
                passed.push(now);
            }
            Pass::Full { until, n } => refused.push((now, until, n)),
        }
    }
    (passed, refused)
}

/// The start date of the calendar period that contains an instant.
fn period_start(kind: CalendarPeriod, zone: &Zone, at: Timestamp) -> jiff::civil::Date {
    let date = zone.local(at).date();
    match kind {
        CalendarPeriod::Hour | CalendarPeriod::Day => date,
        CalendarPeriod::Week { starts } => {
            date.checked_sub(i64::from(date.weekday().since(starts)).days()).unwrap()
        }
        CalendarPeriod::Month => date.first_of_month(),
    }
}

fn limit(most: u64, period: Period, blocks: bool) -> Limit {
    Limit::new("cap", most, period, blocks).unwrap()
}

/// Ascending instants, close together and far apart.
fn times() -> impl Strategy<Value = Vec<Timestamp>> {
    let steps = prop_oneof![0_i64..2, 0_i64..7_200, 0_i64..200_000];
    (instants(), vec(steps, 1..40)).prop_map(|(first, steps)| {
        let mut at = first;
        let step = |seconds: i64| {
            at = at.checked_add(SignedDuration::from_secs(seconds)).unwrap();
            at
        };
        steps.into_iter().map(step).collect()
    })
}

fn periods() -> impl Strategy<Value = Period> {
    let written = [
        json!({ "fixed": "10m" }),
        json!({ "fixed": { "every": "daily", "at": "02:30" } }),
        json!({ "rolling": "3h" }),
        json!({ "rolling": "1d" }),
        json!({ "calendar": "hour" }),
        json!({ "calendar": "day" }),
        json!({ "calendar": "week" }),
    ];
    select(written.to_vec()).prop_map(|select| Period::try_from(select).unwrap())
}

fn scopes() -> impl Strategy<Value = Scope> {
    let channels = Channel::ALL.map(Scope::Channel);
    select([&[Scope::Step, Scope::Message][..], &channels[..]].concat())
}
