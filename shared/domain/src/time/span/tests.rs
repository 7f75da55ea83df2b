use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn reads_durations() {
    let minutes = |count| Ok(Span::For(SignedDuration::from_mins(count)));
    check(json!("10m"), minutes(10));
    check(json!("1h 30m"), minutes(90));
    check(json!("1h30m"), minutes(90));
    check(json!("7d"), minutes(7 * 24 * 60));
    check(json!("2w"), minutes(14 * 24 * 60));
    check(json!("31d"), minutes(31 * 24 * 60));
    check(json!({ "unit": "minutes", "value": 10 }), minutes(10));
    check(json!({ "unit": "weeks", "value": 4 }), minutes(28 * 24 * 60));
    check(json!("90s"), Ok(Span::For(SignedDuration::from_secs(90))));
}

#[test]
fn refuses_durations_out_of_range() {
    for text in
        ["0s", "0m", "-10m", "10m ago", "31d 1s", "32d", "5w", "1 month", "1y", "10", "", "soon", "10 x"]
    {
        let wanted =
            "a length from more than nothing to 31 days such as \"10m\", \"1h 30m\", \"7d\" or \"2w\"";
        check(json!(text), Err(&format!("at the top: found {text:?}, wanted {wanted}")));
    }
    check(json!({ "unit": "days", "value": 32 }), Err("value: found 32, wanted a whole number from 1 to 31"));
    check(json!({ "unit": "days", "value": 0 }), Err("value: found 0, wanted a whole number from 1 to 31"));
    check(
        json!({ "unit": "month", "value": 1 }),
        Err(r#"unit: found "month", wanted one of seconds, minutes, hours, days, weeks"#),
    );
    check(json!({ "unit": "days" }), Err("value: found nothing, wanted a whole number from 1 to 31"));
    assert!(Span::try_from(json!(600)).is_err());
    assert!(Span::try_from(json!(["10m"])).is_err());
}

#[test]
fn reads_recurrences_and_instants() {
    let daily = json!({ "every": "daily", "at": "08:00" });
    check(daily.clone(), Ok(Span::Recurring(Recurrence::try_from(daily).unwrap())));
    check(json!("2026-12-24T18:00:00Z"), Ok(Span::Until("2026-12-24T18:00Z".parse().unwrap())));
    check(
        json!({ "every": "daily", "at": "8" }),
        Err(r#"at: found "8", wanted a time from "00:00" to "24:00" such as "08:30", in quotes"#),
    );
}

#[test]
fn span_ends_after_its_beginning() {
    let tokyo = "Asia/Tokyo";
    ends(json!("10m"), tokyo, "2026-11-20T12:00Z", Some("2026-11-20T12:10Z"));
    ends(json!({ "every": "daily", "at": "08:00" }), tokyo, "2026-11-20T12:00Z", Some("2026-11-20T23:00Z"));
    ends(json!({ "every": "daily", "at": "08:00" }), tokyo, "2026-11-20T23:00Z", Some("2026-11-21T23:00Z"));
    // A day has 24 hours, also across a clock change.
    ends(json!("1d"), "Europe/London", "2026-03-28T12:00Z", Some("2026-03-29T12:00Z"));
}

#[test]
fn span_without_a_valid_end_has_none() {
    ends(json!("2026-12-24T18:00:00Z"), "Etc/UTC", "2026-12-24T17:00Z", Some("2026-12-24T18:00Z"));
    ends(json!("2026-12-24T18:00:00Z"), "Etc/UTC", "2026-12-24T18:00Z", None);
    ends(json!("2026-12-24T18:00:00Z"), "Etc/UTC", "2026-11-23T18:00Z", Some("2026-12-24T18:00Z"));
    ends(json!("2026-12-24T18:00:00Z"), "Etc/UTC", "2026-11-23T17:59Z", None);
    assert_eq!(Span::For(MAX).end(&Zone::utc(), Timestamp::MAX), None);
}

proptest! {
    #[test]
    fn durations_round_trip(seconds in 1_i64..=MAX.as_secs()) {
        let span = Span::For(SignedDuration::from_secs(seconds));
        prop_assert_eq!(Span::try_from(serde_json::to_value(span).unwrap()).unwrap(), span);
    }

    #[test]
    fn no_text_panics(text in ".{0,20}", count in "[0-9]{1,25} ?[a-z]{1,6}") {
        let _ = Span::try_from(json!(text));
        let _ = Span::try_from(json!(count));
    }
}

#[track_caller]
fn check(written: Value, expected: Result<Span, &str>) {
    let shown = written.to_string();
    let found = Span::try_from(written).map_err(|error| error.to_string());
    assert_eq!(found, expected.map_err(str::to_owned), "{shown}");
}

#[track_caller]
fn ends(written: Value, zone: &str, from: &str, expected: Option<&str>) {
    let shown = written.to_string();
    let span = Span::try_from(written).unwrap();
    let found = span.end(&Zone::parse(zone).unwrap(), from.parse().unwrap());
    assert_eq!(found, expected.map(|expected| expected.parse().unwrap()), "{shown} from {from}");
}
