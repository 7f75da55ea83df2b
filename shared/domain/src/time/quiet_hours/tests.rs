mod properties;
mod refusals;

use serde_json::json;

use super::*;

fn night() -> Value {
    json!({ "quiet": { "start": "22:00", "end": "07:00" } })
}

fn office() -> Value {
    let day = |day: &str| json!({ "day": day, "type": "send", "from": "08:00:00", "until": "12:00:00" });
    let closed = |day: &str| json!({ "day": day, "type": "do_not_send" });
    json!([day("mon"), day("tue"), day("wed"), day("thu"), day("fri"), closed("sat"), closed("sun")])
}

#[test]
fn quiet_hours_are_in_local_time() {
    // 03:00 on Friday in Tokyo is 18:00 on Thursday in UTC.
    check(&night(), "Asia/Tokyo", "2026-11-19T18:00Z", Some("2026-11-19T22:00Z"));
    check(&night(), "Etc/UTC", "2026-11-19T18:00Z", None);
}

#[test]
fn range_includes_its_start_and_excludes_its_end() {
    check(&night(), "Etc/UTC", "2026-11-19T21:59:59.999999999Z", None);
    check(&night(), "Etc/UTC", "2026-11-19T22:00Z", Some("2026-11-20T07:00Z"));
    check(&night(), "Etc/UTC", "2026-11-20T06:59:59.999999999Z", Some("2026-11-20T07:00Z"));
    check(&night(), "Etc/UTC", "2026-11-20T07:00Z", None);
    closes(&night(), "Etc/UTC", "2026-11-20T07:00Z", Some("2026-11-20T22:00Z"));
    closes(&night(), "Etc/UTC", "2026-11-20T23:00Z", None);
}

#[test]
fn open_range_excludes_its_end() {
    // A Monday.
    check(&office(), "Etc/UTC", "2026-11-23T11:59:59Z", None);
    check(&office(), "Etc/UTC", "2026-11-23T12:00Z", Some("2026-11-24T08:00Z"));
    // Closed from Friday noon to Monday, also in zones where it is already Saturday.
    check(&office(), "Etc/UTC", "2026-11-27T12:00Z", Some("2026-11-30T08:00Z"));
    check(&office(), "Pacific/Apia", "2026-11-27T11:00Z", Some("2026-11-29T19:00Z"));
}

#[test]
fn day_and_time_use_the_same_zone() {
    let monday = json!([
        { "day": "mon", "type": "send", "from": "00:00", "until": "06:00" },
        { "day": "sun", "type": "do_not_send" },
    ]);
    // Monday 02:00 in Kolkata is Sunday 20:30 in UTC; Monday 02:00 in UTC is Sunday 23:00 in São Paulo.
    check(&monday, "Asia/Kolkata", "2026-11-22T20:30Z", None);
    check(&monday, "Etc/UTC", "2026-11-22T20:30Z", Some("2026-11-23T00:00Z"));
    check(&monday, "America/Sao_Paulo", "2026-11-23T02:00Z", Some("2026-11-23T03:00Z"));
    closes(&monday, "America/Sao_Paulo", "2026-11-23T03:00Z", Some("2026-11-23T09:00Z"));
}

#[test]
fn quiet_night_belongs_to_its_starting_day() {
    let sunday = json!({ "quiet": { "start": "22:00", "end": "07:00", "days": ["sun"] } });
    check(&sunday, "Etc/UTC", "2026-11-22T06:00Z", None);
    check(&sunday, "Etc/UTC", "2026-11-22T22:00Z", Some("2026-11-23T07:00Z"));
    check(&sunday, "Etc/UTC", "2026-11-23T06:59Z", Some("2026-11-23T07:00Z"));
    check(&sunday, "Etc/UTC", "2026-11-23T22:00Z", None);
}

#[test]
fn several_quiet_ranges_are_combined() {
    let siesta = json!({ "quiet": [
        { "start": "22:00", "end": "07:00" },
        { "start": "13:00", "end": "15:00", "days": "weekdays" },
        { "start": "07:00", "end": "09:00", "days": "weekends" },
    ] });
    check(&siesta, "Etc/UTC", "2026-11-20T14:00Z", Some("2026-11-20T15:00Z"));
    check(&siesta, "Etc/UTC", "2026-11-21T14:00Z", None);
    check(&siesta, "Etc/UTC", "2026-11-20T23:00Z", Some("2026-11-21T09:00Z"));
}

#[test]
fn midnight_can_be_written_as_0_or_24_hours() {
    let evening = json!({ "quiet": { "start": "20:00", "end": "24:00" } });
    check(&evening, "Etc/UTC", "2026-11-20T23:59Z", Some("2026-11-21T00:00Z"));
    let same = json!({ "quiet": { "start": "20:00", "end": "00:00" } });
    check(&same, "Etc/UTC", "2026-11-20T23:59Z", Some("2026-11-21T00:00Z"));
    closes(&same, "Etc/UTC", "2026-11-21T00:00Z", Some("2026-11-21T20:00Z"));
    let rows = json!([{ "day": "fri", "type": "do_not_send", "from": "20:00", "until": "24:00:00" }]);
    check(&rows, "Etc/UTC", "2026-11-20T23:59:59Z", Some("2026-11-21T00:00Z"));
}

#[test]
fn adjacent_open_days_are_joined() {
    let weekend = json!({ "quiet": { "start": "00:00", "end": "24:00", "days": "weekdays" } });
    check(&weekend, "Etc/UTC", "2026-11-20T12:00Z", Some("2026-11-21T00:00Z"));
    closes(&weekend, "Etc/UTC", "2026-11-21T12:00Z", Some("2026-11-23T00:00Z"));
}

#[test]
fn week_may_never_open_or_close() {
    let never = json!({ "quiet": { "start": "00:00", "end": "24:00" } });
    assert_eq!(windows(&never).opening(&Zone::utc(), at("2026-11-20T12:00Z")), Opening::Never);
    for always in [json!([]), json!({ "quiet": [] })] {
        check(&always, "Europe/London", "2026-10-25T01:30Z", None);
        closes(&always, "Europe/London", "2026-10-25T01:30Z", None);
    }
    assert_eq!(windows(&json!([])), Windows::default());
}

#[test]
fn skipped_opening_is_after_the_gap() {
    let early = json!({ "quiet": { "start": "22:00", "end": "01:30" } });
    check(&early, "Europe/London", "2026-03-28T23:00Z", Some("2026-03-29T01:00Z"));
    let american = json!({ "quiet": { "start": "22:00", "end": "02:30" } });
    check(&american, "America/New_York", "2026-03-08T04:00Z", Some("2026-03-08T07:00Z"));
    let midnight = json!({ "quiet": { "start": "18:00", "end": "00:00" } });
    check(&midnight, "America/Sao_Paulo", "2018-11-03T23:00Z", Some("2018-11-04T03:00Z"));
}

#[test]
fn repeated_opening_is_the_first_and_closing_the_second() {
    let until_half_past_one = json!({ "quiet": { "start": "22:00", "end": "01:30" } });
    check(&until_half_past_one, "Europe/London", "2026-10-24T23:00Z", Some("2026-10-25T00:30Z"));
    // The second occurrence of 01:15, after the opening at 01:30.
    check(&until_half_past_one, "Europe/London", "2026-10-25T01:15Z", None);
    check(&until_half_past_one, "America/New_York", "2026-11-01T04:00Z", Some("2026-11-01T05:30Z"));

    let from_half_past_one = json!({ "quiet": { "start": "01:30", "end": "07:00" } });
    check(&from_half_past_one, "Europe/London", "2026-10-25T00:45Z", None);
    closes(&from_half_past_one, "Europe/London", "2026-10-24T12:00Z", Some("2026-10-25T01:30Z"));
    closes(&from_half_past_one, "America/New_York", "2026-10-31T16:00Z", Some("2026-11-01T06:30Z"));
}

#[test]
fn night_with_a_clock_change_ends_on_time() {
    check(&night(), "Europe/London", "2026-03-28T23:00Z", Some("2026-03-29T06:00Z"));
    check(&night(), "Europe/London", "2026-10-24T23:00Z", Some("2026-10-25T07:00Z"));
    check(&night(), "America/New_York", "2026-03-08T04:00Z", Some("2026-03-08T11:00Z"));
    check(&night(), "America/New_York", "2026-11-01T04:00Z", Some("2026-11-01T12:00Z"));
}

#[test]
fn skipped_range_is_omitted() {
    let mut rows = vec![json!({ "day": "sun", "type": "send", "from": "01:10", "until": "01:50" })];
    for day in ["mon", "tue", "wed", "thu", "fri", "sat"] {
        rows.push(json!({ "day": day, "type": "do_not_send" }));
    }
    let skipped = Value::Array(rows);
    check(&skipped, "Europe/London", "2026-03-28T12:00Z", Some("2026-04-05T00:10Z"));
}

#[test]
fn skipped_day_opens_a_week_later() {
    let mut rows = vec![json!({ "day": "fri", "type": "send", "from": "10:00" })];
    for day in ["mon", "tue", "wed", "thu", "sat", "sun"] {
        rows.push(json!({ "day": day, "type": "do_not_send" }));
    }
    let fridays = Value::Array(rows);
    // Closed from a Friday at 24:00. Apia's next Friday was 2012-01-06.
    check(&fridays, "Pacific/Apia", "2011-12-24T10:00Z", Some("2012-01-05T20:00Z"));
}

#[test]
fn both_forms_round_trip() {
    for written in
        [night(), office(), json!([]), json!({ "quiet": [{ "start": "22:00", "end": "07:00:30" }] })]
    {
        let windows: Windows = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(serde_json::to_value(&windows).unwrap(), written);
    }
}

#[test]
fn spread_is_deterministic_and_bounded() {
    let most = SignedDuration::from_mins(10);
    let all: Vec<SignedDuration> = (0..1000).map(|n| spread(&format!("user-{n}"), most)).collect();
    assert_eq!(all[7], spread("user-7", most));
    assert!(all.iter().all(|delay| !delay.is_negative() && *delay <= most));
    // About a tenth falls into each minute.
    for minute in 0..10 {
        let here = all.iter().filter(|delay| delay.as_mins() == minute).count();
        assert!((60..140).contains(&here), "{here} in minute {minute}");
    }
    assert_eq!(spread("user-7", SignedDuration::ZERO), SignedDuration::ZERO);
    assert_eq!(spread("user-7", SignedDuration::from_mins(-1)), SignedDuration::ZERO);
}

#[test]
fn ends_of_the_calendar_do_not_panic() {
    for written in [night(), office(), json!([])] {
        for instant in [Timestamp::MIN, Timestamp::MAX] {
            let _ = windows(&written).opening(&Zone::parse("Pacific/Apia").unwrap(), instant);
            let _ = windows(&written).closing(&Zone::utc(), instant);
        }
    }
}

fn windows(written: &Value) -> Windows {
    Windows::try_from(written.clone()).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// `expected` is the next opening, or `None` if it is open.
#[track_caller]
fn check(written: &Value, zone: &str, when: &str, expected: Option<&str>) {
    let found = windows(written).opening(&Zone::parse(zone).unwrap(), at(when));
    let expected = expected.map_or(Opening::Open, |text| Opening::At(at(text)));
    assert_eq!(found, expected, "{when} in {zone}");
}

#[track_caller]
fn closes(written: &Value, zone: &str, when: &str, expected: Option<&str>) {
    let found = windows(written).closing(&Zone::parse(zone).unwrap(), at(when));
    assert_eq!(found, expected.map(at), "{when} in {zone}");
}
