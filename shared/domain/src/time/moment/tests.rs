use serde_json::json;

use super::*;

#[test]
fn reads_all_time_formats_in_the_recipients_zone() {
    for (value, expected) in [
        (json!("2026-12-24T17:00:00Z"), "2026-12-24T17:00:00Z"),
        (json!("2026-12-24T18:00:00+01:00"), "2026-12-24T17:00:00Z"),
        (json!("2026-12-24 18:00:00+01:00"), "2026-12-24T17:00:00Z"),
        (json!("2026-12-24t18:00+01"), "2026-12-24T17:00:00Z"),
        (json!("2026-12-24T18:00:00.5+01:00"), "2026-12-24T17:00:00.5Z"),
        (json!("2026-12-24T18:00:00+01:00[Europe/Berlin]"), "2026-12-24T17:00:00Z"),
        (json!("2026-12-24T18:00[America/New_York]"), "2026-12-24T23:00:00Z"),
        (json!("2026-12-24T18:00"), "2026-12-24T17:00:00Z"),
        (json!("2026-12-24 18:00:30"), "2026-12-24T17:00:30Z"),
        (json!("2026-07-24T18:00"), "2026-07-24T16:00:00Z"),
        (json!("2026-12-24"), "2026-12-23T23:00:00Z"),
        (json!("20261224"), "2026-12-23T23:00:00Z"),
        (json!(1_798_135_200), "2026-12-24T18:00:00Z"),
        (json!(1_798_135_200.0), "2026-12-24T18:00:00Z"),
        (json!(1_798_135_200_000_i64), "2026-12-24T18:00:00Z"),
        (json!(0), "1970-01-01T00:00:00Z"),
        (json!(-1), "1969-12-31T23:59:59Z"),
        // Half past two is skipped in March and occurs twice in October.
        (json!("2026-03-29T02:30"), "2026-03-29T01:00:00Z"),
        (json!("2026-10-25T02:30"), "2026-10-25T00:30:00Z"),
    ] {
        let found = Moment::read(&value).and_then(|moment| moment.begins(&berlin()));
        assert_eq!(found, Some(expected.parse().unwrap()), "{value}");
    }
}

#[test]
fn refuses_values_that_are_not_times() {
    let long = format!("2026-12-24T18:00:00.{}Z", "0".repeat(80));
    for value in [
        json!("tomorrow"),
        json!(""),
        json!(" "),
        json!("24.12.2026"),
        json!("12/24/2026"),
        json!("2026-13-01"),
        json!("2026-12-24T25:00"),
        json!("2026-12-24T18:00[Mars/Olympus]"),
        json!("2026-12-24T18:00+01:00[America/New_York]x"),
        json!("1798135200"),
        json!("18:00"),
        json!("1d"),
        json!(long),
        json!(null),
        json!(true),
        json!([]),
        json!({ "at": 1 }),
        json!(1_798_135_200_000_000_i64),
        json!(u64::MAX),
        json!(1_798_135_200.25),
        json!(1.5),
        json!(1e300),
    ] {
        assert_eq!(Moment::read(&value), None, "{value}");
    }
}

#[test]
fn reads_durations_up_to_31_days() {
    for (text, hours) in [
        ("1d", 24),
        ("7d", 168),
        ("1w", 168),
        ("P1D", 24),
        ("P1W", 168),
        ("PT24H", 24),
        ("24h", 24),
        ("1d 12h", 36),
        ("1 day", 24),
        ("31d", 744),
        ("PT0S", 0),
        ("P1DT1H", 25),
    ] {
        assert_eq!(
            read_at(&json!(text)),
            Ok(TimeOrLength::Length(SignedDuration::from_hours(hours))),
            "{text}"
        );
    }
    for (value, found) in [
        (json!("32d"), "a length of more than 31 days"),
        (json!("P5W"), "a length of more than 31 days"),
        (json!("-1h"), "a text of another form"),
        (json!("P1M"), "a text of another form"),
        (json!("1y"), "a text of another form"),
        (json!("soon"), "a text of another form"),
        (json!(null), "missing or null"),
        (json!(true), "a boolean"),
        (json!({}), "an object"),
        (json!([]), "missing or null"),
        (json!(["1d", "2d"]), "a list of several values"),
        (json!(1e300), "a number that counts no time"),
    ] {
        assert_eq!(read_at(&value), Err(Unreadable { path: "$.data.at".to_owned(), found }), "{value}");
    }
    assert_eq!(
        read_at(&json!(["1d"])),
        Ok(TimeOrLength::Length(SignedDuration::from_hours(24))),
        "one value in a list"
    );
}

#[test]
fn error_names_the_path_and_not_the_value() {
    let error = read_at(&json!("ann@example.com")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`$.data.at` of the event is a text of another form, and a time or a length is wanted"
    );
}

#[test]
fn date_ends_at_its_last_instant() {
    let ends = |text: &str| Moment::parse(text).unwrap().ends(&berlin()).unwrap().to_string();
    assert_eq!(ends("2026-11-22"), "2026-11-22T22:59:59.999999999Z");
    assert_eq!(ends("2026-11-22T12:00"), "2026-11-22T11:00:00Z");
    assert_eq!(ends("2026-11-22T12:00:00Z"), "2026-11-22T12:00:00Z");
}

#[test]
fn shift_by_days_keeps_the_local_time_across_a_clock_change() {
    for (from, days, hours, expected) in [
        // 9:00 on the day after each clock change.
        ("2026-03-29T09:00", -1, 0, "2026-03-28T09:00"),
        ("2026-03-30T09:00", -2, 0, "2026-03-28T09:00"),
        ("2026-10-26T09:00", -7, 0, "2026-10-19T09:00"),
        ("2026-10-24T09:00", 1, 0, "2026-10-25T09:00"),
        ("2026-10-24T09:00", 1, 2, "2026-10-25T11:00"),
        ("2026-10-24T09:00", 0, 24, "2026-10-25T08:00"),
        // Half past two is skipped on that day.
        ("2026-03-28T02:30", 1, 0, "2026-03-29T03:00"),
    ] {
        let instant = |text: &str| Moment::parse(text).unwrap().begins(&berlin()).unwrap();
        let moved = shifted(instant(from), days, SignedDuration::from_hours(hours), &berlin());
        assert_eq!(moved, Some(instant(expected)), "{from} {days} {hours}");
    }
}

fn read_at(value: &Value) -> Result<TimeOrLength, Unreadable> {
    time_or_length(&Path::parse("$.data.at").unwrap(), &json!({ "data": { "at": value } }))
}

fn berlin() -> Zone {
    Zone::parse("Europe/Berlin").unwrap()
}
