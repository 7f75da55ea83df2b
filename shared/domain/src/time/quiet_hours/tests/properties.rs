use jiff::ToSpan;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::json;

use super::super::*;
use crate::time::zone::tests::{instants, odd_zones as zones};

proptest! {
    #[test]
    fn opening_is_the_first_open_instant(
        written in weeks(), zone in zones(), at in instants(), part in 0.0..1.0,
    ) {
        let windows = Windows::try_from(written).unwrap();
        match windows.opening(&zone, at) {
            Opening::Open => {}
            Opening::Never => {
                prop_assert!(windows.open.iter().all(Vec::is_empty));
            }
            Opening::At(next) => {
                prop_assert!(next > at);
                prop_assert_eq!(windows.opening(&zone, next), Opening::Open);
                let between = at.checked_add(next.duration_since(at).mul_f64(part)).unwrap().min(just_before(next));
                prop_assert_eq!(windows.opening(&zone, between), Opening::At(next));
                prop_assert_eq!(windows.closing(&zone, at), None);
            }
        }
    }

    #[test]
    fn closing_is_the_first_closed_instant(
        written in weeks(), zone in zones(), at in instants(), part in 0.0..1.0,
    ) {
        let windows = Windows::try_from(written).unwrap();
        if let Some(end) = windows.closing(&zone, at) {
            prop_assert!(end > at);
            prop_assert_ne!(windows.opening(&zone, end), Opening::Open);
            let between = at.checked_add(end.duration_since(at).mul_f64(part)).unwrap().min(just_before(end));
            prop_assert_eq!(windows.opening(&zone, between), Opening::Open);
            prop_assert_eq!(windows.closing(&zone, between), Some(end));
        }
    }

    #[test]
    fn zones_without_clock_changes_follow_the_clock(
        start in 0_i64..96, end in 0_i64..96, at in instants(), zone in select(&["Asia/Tokyo", "Asia/Kolkata", "Etc/UTC"][..]),
    ) {
        prop_assume!(start != end);
        let zone = Zone::parse(zone).unwrap();
        let windows = Windows::try_from(json!({ "quiet": { "start": quarter(start), "end": quarter(end) } })).unwrap();
        let time = zone.local(at).time();
        let now = i64::from(time.hour()) * 4 + i64::from(time.minute()) / 15;
        let quiet = if start < end { (start..end).contains(&now) } else { now >= start || now < end };
        prop_assert_eq!(windows.opening(&zone, at) != Opening::Open, quiet, "{} in {}", at, zone);
    }

    #[test]
    fn weeks_round_trip_and_no_text_panics(text in "[\\[{}\\]\",:a-z0-9 ]{0,60}", written in weeks()) {
        if let Ok(value) = serde_json::from_str::<Value>(&text) {
            let _ = Windows::try_from(value);
        }
        let windows = Windows::try_from(written.clone()).unwrap();
        prop_assert_eq!(serde_json::to_value(&windows).unwrap(), written);
    }
}

fn just_before(at: Timestamp) -> Timestamp {
    at.checked_sub(1.nanosecond()).unwrap()
}

fn quarter(count: i64) -> String {
    format!("{:02}:{:02}", count / 4, count % 4 * 15)
}

fn weeks() -> impl Strategy<Value = Value> {
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let days = || subsequence(&DAYS[..], 1..=7);
    let quiet = (0_i64..96, 0_i64..=96, days()).prop_filter_map("differ", |(start, end, days)| {
        (start != end)
            .then(|| json!({ "quiet": { "start": quarter(start), "end": quarter(end), "days": days } }))
    });
    let rows = (days(), subsequence((0..=96).collect::<Vec<i64>>(), 2..=6), any::<bool>()).prop_map(
        |(days, edges, send)| {
            let kind = if send { "send" } else { "do_not_send" };
            let row = |day: &&str, edge: &[i64]| {
                json!({ "day": day, "type": kind, "from": quarter(edge[0]), "until": quarter(edge[1]) })
            };
            days.iter().flat_map(|day| edges.chunks_exact(2).map(move |edge| row(day, edge))).collect::<Value>()
        },
    );
    prop_oneof![quiet, rows]
}
