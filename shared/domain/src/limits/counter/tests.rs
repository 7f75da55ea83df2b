mod admission;
mod properties;
mod written;

use serde_json::json;

use super::*;

#[test]
fn fixed_period_begins_with_the_first_pass() {
    check(
        &limit(2, json!({ "fixed": "10m" })),
        "Etc/UTC",
        &[
            ("2026-11-20T12:03Z", Ok(1)),
            ("2026-11-20T12:04Z", Ok(0)),
            ("2026-11-20T12:05Z", Err("2026-11-20T12:13Z")),
            ("2026-11-20T12:12:59.999999999Z", Err("2026-11-20T12:13Z")),
            ("2026-11-20T12:13Z", Ok(1)),
            ("2026-11-20T12:20Z", Ok(0)),
            ("2026-11-20T12:22Z", Err("2026-11-20T12:23Z")),
        ],
    );
}

#[test]
fn fixed_period_may_end_at_a_local_time() {
    check(
        &limit(1, json!({ "fixed": { "every": "daily", "at": "08:00" } })),
        "Asia/Tokyo",
        &[
            ("2026-11-20T12:00Z", Ok(0)),
            ("2026-11-20T22:59Z", Err("2026-11-20T23:00Z")),
            ("2026-11-20T23:00Z", Ok(0)),
        ],
    );
}

#[test]
fn span_without_an_end_does_not_block() {
    let past = limit(1, json!({ "fixed": "2026-11-20T12:00:00Z" }));
    check(&past, "Etc/UTC", &[("2026-11-20T12:00Z", Ok(0)), ("2026-11-20T12:01Z", Ok(0))]);
}

#[test]
fn day_ends_at_local_midnight() {
    let day = limit(1, json!({ "calendar": "day" }));
    check(
        &day,
        "Asia/Tokyo",
        &[
            ("2026-11-20T14:00Z", Ok(0)),
            ("2026-11-20T14:59Z", Err("2026-11-20T15:00Z")),
            ("2026-11-20T15:00Z", Ok(0)),
        ],
    );
    check(
        &day,
        "Asia/Kolkata",
        &[("2026-11-20T14:00Z", Ok(0)), ("2026-11-20T15:00Z", Err("2026-11-20T18:30Z"))],
    );
    // Days of 23 and of 25 hours.
    check(
        &day,
        "Europe/London",
        &[("2026-03-29T00:00Z", Ok(0)), ("2026-03-29T22:59Z", Err("2026-03-29T23:00Z"))],
    );
    check(
        &day,
        "America/New_York",
        &[("2026-11-01T04:00Z", Ok(0)), ("2026-11-02T04:59Z", Err("2026-11-02T05:00Z"))],
    );
    // A day that ends with a gap, and one before a day that does not exist.
    check(
        &day,
        "America/Sao_Paulo",
        &[("2018-11-03T12:00Z", Ok(0)), ("2018-11-04T02:59Z", Err("2018-11-04T03:00Z"))],
    );
    check(
        &day,
        "Pacific/Apia",
        &[
            ("2011-12-30T09:00Z", Ok(0)),
            ("2011-12-30T09:30Z", Err("2011-12-30T10:00Z")),
            ("2011-12-30T10:00Z", Ok(0)),
        ],
    );
}

#[test]
fn week_starts_on_the_configured_day() {
    // 2026-11-22 is a Sunday.
    let from_monday = limit(1, json!({ "calendar": "week" }));
    check(
        &from_monday,
        "Etc/UTC",
        &[
            ("2026-11-22T12:00Z", Ok(0)),
            ("2026-11-22T23:59Z", Err("2026-11-23T00:00Z")),
            ("2026-11-23T00:00Z", Ok(0)),
        ],
    );
    let from_sunday = limit(1, json!({ "calendar": "week", "week_starts": "sun" }));
    check(
        &from_sunday,
        "Etc/UTC",
        &[
            ("2026-11-21T23:59Z", Ok(0)),
            ("2026-11-22T00:00Z", Ok(0)),
            ("2026-11-23T12:00Z", Err("2026-11-29T00:00Z")),
        ],
    );
}

#[test]
fn hour_and_month_follow_the_calendar() {
    let hour = limit(1, json!({ "calendar": "hour" }));
    check(
        &hour,
        "Asia/Kolkata",
        &[("2026-11-20T12:00Z", Ok(0)), ("2026-11-20T12:29Z", Err("2026-11-20T12:30Z"))],
    );
    check(&hour, "Europe/London", &[("2026-10-25T00:30Z", Ok(0)), ("2026-10-25T01:00Z", Ok(0))]);
    let month = limit(1, json!({ "calendar": "month" }));
    check(
        &month,
        "Asia/Tokyo",
        &[("2026-11-20T12:00Z", Ok(0)), ("2026-11-30T14:00Z", Err("2026-11-30T15:00Z"))],
    );
}

#[test]
fn rolling_pass_expires_after_one_period() {
    check(
        &limit(2, json!({ "rolling": "24h" })),
        "Etc/UTC",
        &[
            ("2026-11-20T12:00Z", Ok(1)),
            ("2026-11-20T18:00Z", Ok(0)),
            ("2026-11-21T11:59:59.999999999Z", Err("2026-11-21T12:00Z")),
            ("2026-11-21T12:00Z", Ok(0)),
            ("2026-11-21T13:00Z", Err("2026-11-21T18:00Z")),
            ("2026-11-21T18:00Z", Ok(0)),
            ("2026-11-24T00:00Z", Ok(1)),
        ],
    );
}

#[test]
fn limit_that_does_not_block_still_counts() {
    for period in [json!({ "fixed": "1h" }), json!({ "calendar": "day" }), json!({ "rolling": "1h" })] {
        let blocking = limit(2, period);
        let counting = blocking.clone().only_counting();
        let noon = at("2026-11-20T12:00Z");
        let mut state = State::default();
        for left in [1, 0, 0, 0, 0] {
            let Pass::Passed { next, left: found } = state.pass(&counting, &Zone::utc(), noon) else {
                panic!("the limit blocks");
            };
            assert_eq!(found, left);
            state = next;
        }
        assert!(state.passes.len() <= 3);
        // The same counter blocks passes that are not exempt.
        assert!(matches!(state.pass(&blocking, &Zone::utc(), noon), Pass::Full { .. }));
    }
}

#[test]
fn lowered_limit_blocks_until_enough_passes_expire() {
    let mut state = State::default();
    for hour in 12..16 {
        let limit = limit(4, json!({ "rolling": "24h" }));
        let now = at(&format!("2026-11-20T{hour}:00Z"));
        let Pass::Passed { next, .. } = state.pass(&limit, &Zone::utc(), now) else {
            panic!("the limit is reached")
        };
        state = next;
    }
    let lower = limit(2, json!({ "rolling": "24h" }));
    let found = state.pass(&lower, &Zone::utc(), at("2026-11-20T16:00Z"));
    assert_eq!(found, Pass::Full { until: at("2026-11-21T14:00Z"), n: 4 });
    let found = state.pass(&lower, &Zone::utc(), at("2026-11-21T14:00Z"));
    assert!(matches!(found, Pass::Passed { left: 0, .. }), "{found:?}");
}

#[test]
fn period_keeps_its_end_when_the_zone_changes() {
    let day = limit(1, json!({ "calendar": "day" }));
    let tokyo = Zone::parse("Asia/Tokyo").unwrap();
    let Pass::Passed { next, .. } = State::default().pass(&day, &tokyo, at("2026-11-20T12:00Z")) else {
        panic!("the limit is reached");
    };
    let found = next.pass(&day, &Zone::utc(), at("2026-11-20T13:00Z"));
    assert_eq!(found, Pass::Full { until: at("2026-11-20T15:00Z"), n: 1 });
}

#[test]
fn slow_clock_does_not_free_passes() {
    let rolling = limit(1, json!({ "rolling": "1h" }));
    let Pass::Passed { next, .. } = State::default().pass(&rolling, &Zone::utc(), at("2026-11-20T12:00Z"))
    else {
        panic!("the limit is reached");
    };
    let found = next.pass(&rolling, &Zone::utc(), at("2026-11-20T11:00Z"));
    assert_eq!(found, Pass::Full { until: at("2026-11-20T13:00Z"), n: 1 });
}

#[test]
fn idle_counter_can_be_deleted() {
    for period in [json!({ "fixed": "1h" }), json!({ "calendar": "hour" }), json!({ "rolling": "1h" })] {
        let limit = limit(2, period);
        assert_eq!(State::default().idle_from(&limit), None);
        let Pass::Passed { next, .. } = State::default().pass(&limit, &Zone::utc(), at("2026-11-20T12:00Z"))
        else {
            panic!("the limit is reached");
        };
        let idle = next.idle_from(&limit).unwrap();
        assert_eq!(idle, at("2026-11-20T13:00Z"));
        assert_eq!(next.pass(&limit, &Zone::utc(), idle), State::default().pass(&limit, &Zone::utc(), idle));
    }
}

fn limit(most: u64, period: Value) -> Limit {
    Limit::new("cap", most, Period::try_from(period).unwrap(), true).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Passes one after the other. `Ok` is the number left, `Err` the time of the next pass.
#[track_caller]
fn check(limit: &Limit, zone: &str, steps: &[(&str, Result<u64, &str>)]) {
    let zone = Zone::parse(zone).unwrap();
    let mut state = State::default();
    for (now, expected) in steps {
        let found = match state.pass(limit, &zone, at(now)) {
            Pass::Passed { next, left } => {
                state = next;
                Ok(left)
            }
            Pass::Full { until, .. } => Err(until),
        };
        assert_eq!(found, expected.map_err(at), "at {now}");
    }
}
