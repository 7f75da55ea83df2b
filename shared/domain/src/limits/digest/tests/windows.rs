use serde_json::{Value, json};

use super::{at, policy};
use crate::limits::digest::{Arrival, Due, Header, Join, State, due, join, leave, window_id};

#[test]
fn first_event_opens_a_window_and_fixes_its_end() {
    let log = ["0 open n=1 until 60 timer 60", "10 add n=2 until 60", "59 add n=3 until 60"];
    check(json!({}), &[(0, 60), (10, 70), (59, 119)], &log);
}

#[test]
fn window_past_its_end_accepts_no_event() {
    let log = ["0 open n=1 until 60 timer 60", "60 open n=1 until 120 timer 120"];
    check(json!({}), &[(0, 60), (60, 120)], &log);
}

#[test]
fn full_window_closes_and_the_next_event_opens_another() {
    let log = [
        "0 open n=1 until 60 timer 60",
        "5 add n=2 until 60",
        "6 add and close n=3 until 6 timer 6",
        "7 open n=1 until 67 timer 67",
    ];
    check(json!({"max_items": 3}), &[(0, 60), (5, 65), (6, 66), (7, 67)], &log);
}

#[test]
fn sliding_window_moves_up_to_its_maximum() {
    let log = [
        "0 open n=1 until 60 timer 60",
        "50 add n=2 until 110",
        "100 add n=3 until 150",
        "149 add n=4 until 150",
        "150 open n=1 until 210 timer 210",
    ];
    let arrivals = [(0, 60), (50, 110), (100, 160), (149, 209), (150, 210)];
    check(json!({"sliding": {"max": "PT150S"}}), &arrivals, &log);
}

#[test]
fn maximum_below_the_window_length_closes_the_window() {
    check(json!({"sliding": {"max": "PT30S"}}), &[(0, 60)], &["0 open n=1 until 30 timer 30"]);
}

#[test]
fn shorter_window_needs_an_earlier_timer() {
    let log = [
        "0 open n=1 until 60 timer 60",
        "10 add n=2 until 30 timer 30",
        "20 add and close n=3 until 20 timer 20",
    ];
    check(json!({"sliding": {"max": "PT150S"}}), &[(0, 60), (10, 30), (20, 20)], &log);
}

#[test]
fn flush_first_sends_the_first_event_and_collects_the_rest() {
    let log = [
        "0 pass, window open until 60",
        "10 add n=1 until 60 timer 60",
        "20 add n=2 until 60",
        "61 pass, window open until 121",
        "130 pass, window open until 190",
    ];
    let arrivals = [(0, 60), (10, 70), (20, 80), (61, 121), (130, 190)];
    check(json!({"flush_first": true}), &arrivals, &log);
}

#[test]
fn lookback_sends_at_once_unless_a_send_is_recent() {
    let log = [
        "0 pass, window closed until 0",
        "60 pass, window closed until 60",
        "119 open n=1 until 179 timer 179",
        "130 add n=2 until 179",
        "238 open n=1 until 298 timer 298",
        "358 pass, window closed until 358",
    ];
    let arrivals = [(0, 60), (60, 120), (119, 179), (130, 190), (238, 298), (358, 418)];
    check(json!({"lookback": true}), &arrivals, &log);
}

#[test]
fn window_end_in_the_past_opens_no_window() {
    let log = [
        "10 pass, window closed until 10",
        "11 pass, window closed until 11",
        "12 open n=1 until 20 timer 20",
    ];
    check(json!({}), &[(10, 10), (11, 5), (12, 20)], &log);
}

#[test]
fn open_window_continues_under_a_new_policy() {
    let opened = header(json!({"sliding": {"max": "PT90S"}}));
    let sliding = ask(Some(&opened), &policy(json!({"sliding": {"max": "PT10M"}})), 50, 110);
    assert_eq!(sliding, "50 add n=2 until 90");
    assert_eq!(ask(Some(&opened), &policy(json!({})), 50, 110), "50 add n=2 until 60");
    assert_eq!(
        ask(Some(&opened), &policy(json!({"max_items": 2})), 50, 110),
        "50 add and close n=2 until 50 timer 50"
    );
    let fixed = header(json!({}));
    let late = ask(Some(&fixed), &policy(json!({"sliding": {"max": "PT40S"}})), 50, 110);
    assert_eq!(late, "50 add and close n=2 until 50 timer 50");
}

#[test]
fn window_closes_at_1000_events_without_a_limit() {
    let full = Header { n: 999, ..header(json!({})) };
    assert_eq!(ask(Some(&full), &policy(json!({})), 1, 61), "1 add and close n=1000 until 1 timer 1");
}

#[test]
fn every_change_increments_the_version() {
    let first = header(json!({}));
    assert_eq!(first.version, 1);
    let Due::Close { next } = due(Some(&first), &first.window_id, at(60)) else {
        panic!("the timer is not due")
    };
    assert_eq!((next.version, next.state), (2, State::Closed));
    let again = join(Some(&next), &policy(json!({})), &arrival("late", 70, 130));
    assert_eq!(again.next().version, 3);
}

#[test]
fn timer_closes_a_due_window_and_rearms_for_a_moved_one() {
    let open = header(json!({}));
    let fire = |header: Option<&Header>, second| due(header, &open.window_id, at(second));
    assert_eq!(fire(Some(&open), 59), Due::NotYet(at(60)));
    assert!(matches!(fire(Some(&open), 60), Due::Close { next } if next.n == 1 && next.closes_at == at(60)));
    let closed = Header { state: State::Closed, ..open.clone() };
    assert_eq!(fire(Some(&closed), 60), Due::AlreadyClosed);
}

#[test]
fn replaced_window_is_still_processed() {
    let open = header(json!({}));
    let next = join(Some(&open), &policy(json!({})), &arrival("late", 60, 120));
    assert_eq!(due(Some(next.next()), &open.window_id, at(61)), Due::AlreadyClosed);
    assert_eq!(due(None, &open.window_id, at(61)), Due::AlreadyClosed);
}

#[test]
fn cancelled_event_leaves_the_window_open() {
    let open = header(json!({}));
    let left = leave(&open, &open.window_id).unwrap();
    assert_eq!((left.n, left.state, left.version), (0, State::Open, 2));
    assert_eq!(leave(&left, &open.window_id), None);
    assert_eq!(leave(&open, "another"), None);
    assert_eq!(leave(&Header { state: State::Closed, ..open.clone() }, &open.window_id), None);
    // Nothing was sent at its close, so the next event passes through.
    let lookback = policy(json!({"lookback": true}));
    assert_eq!(ask(Some(&left), &lookback, 61, 121), "61 pass, window closed until 61");
    assert_eq!(ask(Some(&open), &lookback, 61, 121), "61 open n=1 until 121 timer 121");
}

/// `arrivals` in seconds: the time of an event, and the end of a window that opens then.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "tests hand in json!(…)")]
fn check(written: Value, arrivals: &[(i64, i64)], expected: &[&str]) {
    let policy = policy(written.clone());
    let mut header: Option<Header> = None;
    let mut log = Vec::new();
    for &(now, end) in arrivals {
        log.push(ask(header.as_ref(), &policy, now, end));
        header = Some(join(header.as_ref(), &policy, &arrival(&now.to_string(), now, end)).next().clone());
    }
    assert_eq!(log, expected, "{written}");
}

fn ask(header: Option<&Header>, policy: &crate::limits::digest::DigestPolicy, now: i64, end: i64) -> String {
    let joined = join(header, policy, &arrival(&now.to_string(), now, end));
    let second = |time: jiff::Timestamp| time.duration_since(at(0)).as_secs();
    let next = joined.next();
    let until = second(next.closes_at);
    let timer = joined.timer().map(|timer| format!(" timer {}", second(timer))).unwrap_or_default();
    match &joined {
        Join::Open(next) => {
            assert_eq!(next.window_id, window_id("key", &now.to_string()));
            format!("{now} open n={} until {until}{timer}", next.n)
        }
        Join::Add { next, rearm } => {
            assert_eq!(*rearm, !timer.is_empty());
            format!("{now} add n={} until {until}{timer}", next.n)
        }
        Join::AddAndClose { next } => format!("{now} add and close n={} until {until}{timer}", next.n),
        Join::PassThrough { next } => {
            let state = if next.state == State::Open { "open" } else { "closed" };
            assert_eq!((joined.window_id(), next.n), (None, 0));
            format!("{now} pass, window {state} until {until}{timer}")
        }
    }
}

fn arrival(event_key: &str, now: i64, end: i64) -> Arrival<'_> {
    Arrival { key: "key", event_key, now: at(now), window_end: at(end) }
}

/// A window of one minute that opened at noon.
#[expect(clippy::needless_pass_by_value, reason = "tests hand in json!(…)")]
fn header(written: Value) -> Header {
    join(None, &policy(written.clone()), &arrival("opener", 0, 60)).next().clone()
}
