use serde_json::json;

use super::super::*;
use super::at;

#[test]
fn limits_and_periods_round_trip() {
    for period in [
        json!({ "fixed": "10m" }),
        json!({ "fixed": { "every": "daily", "at": "08:00" } }),
        json!({ "rolling": "24h" }),
        json!({ "calendar": "hour" }),
        json!({ "calendar": "day" }),
        json!({ "calendar": "week", "week_starts": "sun" }),
        json!({ "calendar": "month" }),
    ] {
        let written = json!({ "name": "cap", "most": 5, "period": period, "blocks": false });
        let limit: Limit = serde_json::from_value(written.clone()).unwrap();
        let again: Limit = serde_json::from_value(serde_json::to_value(&limit).unwrap()).unwrap();
        assert_eq!(again, limit, "{written}");
        assert!(!limit.blocks());
    }
    let short: Limit =
        serde_json::from_value(json!({ "name": "cap", "most": 1, "period": { "calendar": "week" } }))
            .unwrap();
    assert!(short.blocks());
    assert_eq!(short.period(), Period::Calendar(CalendarPeriod::Week { starts: Weekday::Monday }));
}

#[test]
fn invalid_limit_is_refused() {
    let with = |most: Value, period: Value| json!({ "name": "cap", "most": most, "period": period });
    let day = json!({ "calendar": "day" });
    check(with(json!(0), day.clone()), "most: found 0, wanted a whole number from 1 to 1000000000000000");
    check(
        with(json!("5"), day.clone()),
        "most: found \"5\", wanted a whole number from 1 to 1000000000000000",
    );
    check(
        with(json!(101), json!({ "rolling": "1h" })),
        "most: found 101, wanted a whole number from 1 to 100",
    );
    check(
        json!({ "name": "cap", "period": day }),
        "most: found nothing, wanted how many may pass in a period",
    );
    check(json!({ "name": "", "most": 1, "period": day }), "name: found \"\", wanted 1 to 64 bytes");
    let long = "a".repeat(65);
    let found = Limit::new(&long, 1, Period::Calendar(CalendarPeriod::Day), true).unwrap_err();
    assert_eq!((found.at.as_str(), found.wanted.as_str()), ("name", "1 to 64 bytes"));
    check(
        json!({ "name": "cap", "most": 1, "period": day, "blocks": "no" }),
        "blocks: found \"no\", wanted true or false",
    );
}

#[test]
fn period_has_exactly_one_kind() {
    let with = |period: Value| json!({ "name": "cap", "most": 1, "period": period });
    let wanted = "wanted a map with one of `fixed`, `rolling` and `calendar`";
    check(with(json!({})), &format!("period: found an empty object, {wanted}"));
    check(
        with(json!({ "fixed": "1h", "rolling": "1h" })),
        &format!(r#"period: found an object with "fixed", "rolling", {wanted}"#),
    );
    check(
        with(json!({ "calendar": "year" })),
        "period.calendar: found \"year\", wanted one of hour, day, week, month",
    );
    check(
        with(json!({ "calendar": "day", "week_starts": "sun" })),
        "period.week_starts: found \"sun\", wanted no `week_starts`: only a calendar week takes it",
    );
    check(
        with(json!({ "rolling": "32d" })),
        r#"period.rolling: found "32d", wanted a length from more than nothing to 31 days such as "10m", "1h 30m", "7d" or "2w""#,
    );
}

#[test]
fn stored_counter_is_compact_and_a_missing_one_is_empty() {
    let stored = |period: Value| {
        let limit = super::limit(2, period);
        match State::default().pass(&limit, &Zone::utc(), at("2026-11-20T12:00Z")) {
            Pass::Passed { next, .. } => {
                assert_eq!(
                    serde_json::from_value::<State>(serde_json::to_value(&next).unwrap()).unwrap(),
                    next
                );
                serde_json::to_value(next).unwrap()
            }
            Pass::Full { .. } => panic!("the limit is reached"),
        }
    };
    assert_eq!(stored(json!({ "fixed": "1h" })), json!({ "n": 1, "ends": "2026-11-20T13:00:00Z" }));
    assert_eq!(stored(json!({ "rolling": "1h" })), json!({ "passes": ["2026-11-20T12:00:00Z"] }));
    assert_eq!(serde_json::from_str::<State>("{}").unwrap(), State::default());
}

#[track_caller]
fn check(written: Value, expected: &str) {
    let shown = written.to_string();
    assert_eq!(Limit::try_from(written).unwrap_err().to_string(), expected, "{shown}");
}
