use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::time::zone::tests::{instants, odd_zones};

#[test]
fn daily_run_is_in_local_time() {
    let at_eight = json!({ "every": "daily", "at": "08:00" });
    check(&at_eight, "Asia/Tokyo", "2026-11-20T00:00Z", &["2026-11-20T23:00Z", "2026-11-21T23:00Z"]);
    check(&at_eight, "Asia/Kolkata", "2026-11-20T00:00Z", &["2026-11-20T02:30Z", "2026-11-21T02:30Z"]);
    // A run at the present instant does not count.
    check(&at_eight, "Etc/UTC", "2026-11-20T08:00Z", &["2026-11-21T08:00Z"]);
    check(&at_eight, "Etc/UTC", "2026-11-20T07:59:59.999999999Z", &["2026-11-20T08:00Z"]);
}

#[test]
fn daily_run_is_limited_to_its_days() {
    let workdays = json!({ "every": "daily", "days": "weekdays", "hours": 17, "minutes": 30 });
    check(&workdays, "Etc/UTC", "2026-11-20T12:00Z", &["2026-11-20T17:30Z", "2026-11-23T17:30Z"]);
}

#[test]
fn weekly_run_is_on_the_local_day() {
    let monday = json!({ "every": "weekly", "days": ["mon"], "at": "00:00" });
    check(&monday, "Pacific/Apia", "2026-11-20T00:00Z", &["2026-11-22T11:00Z", "2026-11-29T11:00Z"]);
    check(&monday, "America/Sao_Paulo", "2026-11-20T00:00Z", &["2026-11-23T03:00Z"]);
    let twice = json!({ "every": "weekly", "days": ["sun", "wed"] });
    check(&twice, "Etc/UTC", "2026-11-22T00:00Z", &["2026-11-25T00:00Z", "2026-11-29T00:00Z"]);
}

#[test]
fn day_31_is_the_last_day_of_each_month() {
    let last = json!({ "every": "monthly", "day_of_month": 31, "at": "09:00" });
    let expected = ["2027-01-31T09:00Z", "2027-02-28T09:00Z", "2027-03-31T09:00Z", "2027-04-30T09:00Z"];
    check(&last, "Etc/UTC", "2027-01-01T00:00Z", &expected);
    check(&last, "Etc/UTC", "2028-02-01T00:00Z", &["2028-02-29T09:00Z"]);
    // A run at the present instant does not count, so the next month's run follows.
    check(&last, "Etc/UTC", "2026-11-30T09:00Z", &["2026-12-31T09:00Z"]);
    let first = json!({ "every": "monthly", "day_of_month": 1 });
    check(&first, "Asia/Tokyo", "2026-11-30T14:59Z", &["2026-11-30T15:00Z", "2026-12-31T15:00Z"]);
}

#[test]
fn skipped_run_happens_after_the_gap() {
    let half_past_one = json!({ "every": "daily", "at": "01:30" });
    let expected = ["2026-03-28T01:30Z", "2026-03-29T01:00Z", "2026-03-30T00:30Z"];
    check(&half_past_one, "Europe/London", "2026-03-28T00:00Z", &expected);
    let half_past_two = json!({ "every": "weekly", "days": ["sun"], "at": "02:30" });
    let expected = ["2026-03-08T07:00Z", "2026-03-15T06:30Z"];
    check(&half_past_two, "America/New_York", "2026-03-07T12:00Z", &expected);
    let midnight = json!({ "every": "daily" });
    let expected = ["2018-11-03T03:00Z", "2018-11-04T03:00Z", "2018-11-05T02:00Z"];
    check(&midnight, "America/Sao_Paulo", "2018-11-02T12:00Z", &expected);
    // Apia skipped a Friday, whose run happened as Saturday began.
    let noon = json!({ "every": "daily", "at": "12:00" });
    let expected = ["2011-12-29T22:00Z", "2011-12-30T10:00Z", "2011-12-30T22:00Z"];
    check(&noon, "Pacific/Apia", "2011-12-29T12:00Z", &expected);
}

#[test]
fn repeated_run_happens_once() {
    let half_past_one = json!({ "every": "daily", "at": "01:30" });
    let expected = ["2026-10-24T00:30Z", "2026-10-25T00:30Z", "2026-10-26T01:30Z"];
    check(&half_past_one, "Europe/London", "2026-10-24T00:00Z", &expected);
    // Between the two occurrences of 01:30, and at the second.
    check(&half_past_one, "Europe/London", "2026-10-25T01:00Z", &["2026-10-26T01:30Z"]);
    check(&half_past_one, "Europe/London", "2026-10-25T01:30Z", &["2026-10-26T01:30Z"]);
    check(
        &half_past_one,
        "America/New_York",
        "2026-11-01T04:00Z",
        &["2026-11-01T05:30Z", "2026-11-02T06:30Z"],
    );
    let before_midnight = json!({ "every": "daily", "at": "23:30" });
    let expected = ["2018-02-18T01:30Z", "2018-02-19T02:30Z"];
    check(&before_midnight, "America/Sao_Paulo", "2018-02-17T12:00Z", &expected);
}

#[test]
fn hourly_run_follows_the_clocks_minutes() {
    let quarter_past = json!({ "every": "hourly", "minutes": 15 });
    check(&quarter_past, "Etc/UTC", "2026-11-20T10:15Z", &["2026-11-20T11:15Z", "2026-11-20T12:15Z"]);
    // A zone with an offset of half an hour.
    check(&quarter_past, "Asia/Kolkata", "2026-11-20T10:15Z", &["2026-11-20T10:45Z", "2026-11-20T11:45Z"]);
    // London repeats one hour in October and skips one in March.
    let expected = ["2026-10-25T00:15Z", "2026-10-25T01:15Z", "2026-10-25T02:15Z"];
    check(&quarter_past, "Europe/London", "2026-10-25T00:00Z", &expected);
    let expected = ["2026-03-29T00:15Z", "2026-03-29T01:15Z", "2026-03-29T02:15Z"];
    check(&quarter_past, "Europe/London", "2026-03-29T00:00Z", &expected);
    // Lord Howe skips half an hour: 01:15, then 03:15.
    check(
        &quarter_past,
        "Australia/Lord_Howe",
        "2026-10-03T14:00Z",
        &["2026-10-03T14:45Z", "2026-10-03T16:15Z"],
    );
}

#[test]
fn hourly_run_is_limited_to_its_days() {
    let weekend = json!({ "every": "hourly", "days": "weekends" });
    check(&weekend, "Asia/Tokyo", "2026-11-22T14:00Z", &["2026-11-27T15:00Z"]);
}

#[test]
fn end_of_the_calendar_does_not_panic() {
    for written in every() {
        let recurrence = Recurrence::try_from(written).unwrap();
        assert_eq!(recurrence.next_after(&Zone::utc(), Timestamp::MAX), None);
        let _ = recurrence.next_after(&Zone::parse("Pacific/Apia").unwrap(), Timestamp::MIN);
    }
}

#[test]
fn missing_and_disallowed_keys_are_refused() {
    let rhythm = "wanted one of hourly, daily, weekly, monthly";
    refused(json!({ "every": "yearly" }), &format!(r#"every: found "yearly", {rhythm}"#));
    refused(json!({}), &format!("every: found nothing, {rhythm}"));
    refused(json!({ "every": "weekly" }), "days: found nothing, wanted the days of the week, such as [mon]");
    refused(
        json!({ "every": "monthly" }),
        "day_of_month: found nothing, wanted 1 to 31; 31 is the last day of every month",
    );
    refused(
        json!({ "every": "monthly", "day_of_month": 32 }),
        "day_of_month: found 32, wanted a whole number from 1 to 31",
    );
    refused(
        json!({ "every": "monthly", "day_of_month": 1, "days": ["mon"] }),
        "days: found an array of length 1, wanted no `days` with monthly",
    );
    refused(json!({ "every": "hourly", "at": "08:00" }), r#"at: found "08:00", wanted no `at` with hourly"#);
    refused(
        json!({ "every": "daily", "day_of_month": 1 }),
        "day_of_month: found 1, wanted no `day_of_month` with daily",
    );
}

#[test]
fn unsupported_times_are_refused() {
    let minutes = "wanted minutes that are a multiple of 5, without seconds";
    refused(json!({ "every": "daily", "at": "08:03" }), &format!("at: found 08:03, {minutes}"));
    refused(json!({ "every": "daily", "at": "08:00:05" }), &format!("at: found 08:00:05, {minutes}"));
    refused(json!({ "every": "hourly", "minutes": 7 }), &format!("minutes: found 00:07, {minutes}"));
    refused(
        json!({ "every": "hourly", "minutes": 60 }),
        "minutes: found 60, wanted a whole number from 0 to 59",
    );
    refused(
        json!({ "every": "daily", "at": "24:00" }),
        r#"at: found "24:00", wanted a time before 24:00; 00:00 is the start of a day"#,
    );
    refused(
        json!({ "every": "daily", "at": "08:00", "minutes": 5 }),
        r#"at: found "08:00", wanted either `at`, or `hours` and `minutes`"#,
    );
    refused(
        json!({ "every": "daily", "time": "08:00" }),
        r#"at the top: found the key "time", wanted a map with keys among every, days, at, hours, minutes, day_of_month"#,
    );
}

#[test]
fn recurrences_round_trip() {
    for written in every() {
        let recurrence = Recurrence::try_from(written.clone()).unwrap();
        assert_eq!(serde_json::to_value(recurrence).unwrap(), written);
    }
}

proptest! {
    #[test]
    fn next_run_is_later_and_the_first(
        which in 0..every().len(), zone in odd_zones(), at in instants(), part in 0.0..1.0,
    ) {
        let recurrence = Recurrence::try_from(every()[which].clone()).unwrap();
        let next = recurrence.next_after(&zone, at).unwrap();
        prop_assert!(next > at);
        prop_assert!(next.duration_since(at) <= SignedDuration::from_hours(31 * 24 + 2));
        let between = at.checked_add(next.duration_since(at).mul_f64(part)).unwrap();
        if between < next {
            prop_assert_eq!(recurrence.next_after(&zone, between), Some(next));
        }
        let local = zone.local(next);
        let shown = DayTime::of(local.hour() as u32, local.minute() as u32);
        let as_asked = match recurrence.0 {
            Rhythm::Hourly { minutes, days } => shown.minutes() == minutes && days.contains(local.weekday()),
            Rhythm::Daily { at, days } | Rhythm::Weekly { at, days } => shown == at && days.contains(local.weekday()),
            Rhythm::Monthly { at, day } => shown == at && day_of(local.date(), day) == Some(local.date()),
        };
        let just_moved = zone.offset(next) != zone.offset(next.checked_sub(SignedDuration::from_secs(1)).unwrap());
        prop_assert!(as_asked || just_moved, "{next} is {local} in {zone}");
    }
}

fn every() -> Vec<Value> {
    vec![
        json!({ "every": "hourly", "minutes": 0 }),
        json!({ "every": "hourly", "minutes": 35, "days": ["tue"] }),
        json!({ "every": "daily", "at": "00:00" }),
        json!({ "every": "daily", "at": "01:30", "days": "weekends" }),
        json!({ "every": "weekly", "at": "02:30", "days": ["mon", "sun"] }),
        json!({ "every": "weekly", "at": "08:00", "days": ["fri"] }),
        json!({ "every": "weekly", "at": "08:00", "days": "weekdays" }),
        json!({ "every": "monthly", "at": "23:30", "day_of_month": 31 }),
        json!({ "every": "monthly", "at": "00:00", "day_of_month": 1 }),
    ]
}

/// Checks the consecutive runs after `from`.
#[track_caller]
fn check(written: &Value, zone: &str, from: &str, expected: &[&str]) {
    let recurrence = Recurrence::try_from(written.clone()).unwrap();
    let zone = Zone::parse(zone).unwrap();
    let mut at: Timestamp = from.parse().unwrap();
    for expected in expected {
        at = recurrence.next_after(&zone, at).unwrap();
        assert_eq!(at, expected.parse().unwrap(), "{written} in {zone} from {from}");
    }
}

#[track_caller]
fn refused(written: Value, expected: &str) {
    let shown = written.to_string();
    assert_eq!(Recurrence::try_from(written).unwrap_err().to_string(), expected, "{shown}");
}
