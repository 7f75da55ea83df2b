use serde_json::json;

use super::super::*;

#[test]
fn empty_range_is_refused() {
    let found = "quiet: found 22:00–22:00, wanted a `start` and an `end` that differ; \
                 a whole day is from 00:00 to 24:00";
    check(json!({ "quiet": { "start": "22:00", "end": "22:00:00" } }), found);
    let found = "[0]: found 08:00–08:00, wanted a `from` that is before `until`; past midnight, \
                 write a row for each of the two days";
    check(json!([{ "day": "mon", "type": "send", "from": "08:00", "until": "08:00" }]), found);
    let found = "[0]: found 22:00–07:00, wanted a `from` that is before `until`; past midnight, \
                 write a row for each of the two days";
    check(json!([{ "day": "mon", "type": "send", "from": "22:00", "until": "07:00" }]), found);
}

#[test]
fn overlapping_rows_are_refused_and_named() {
    let found = "[2]: found mon 11:30–13:00, which overlaps mon 08:00–12:00 of [0], \
                 wanted ranges of one day that do not overlap";
    check(
        json!([
            { "day": "mon", "type": "send", "from": "08:00", "until": "12:00" },
            { "day": "tue", "type": "send", "from": "11:00", "until": "13:00" },
            { "day": "mon", "type": "do_not_send", "from": "11:30", "until": "13:00" },
        ]),
        found,
    );
    let found = "quiet[0]: found tue 06:00–09:00, which overlaps tue 00:00–07:00 of quiet[1], \
                 wanted ranges of one day that do not overlap";
    check(
        json!({ "quiet": [
            { "start": "06:00", "end": "09:00", "days": ["tue"] },
            { "start": "22:00", "end": "07:00", "days": ["mon"] },
        ] }),
        found,
    );
}

#[test]
fn adjacent_rows_are_accepted() {
    let row = |from: &str, until: &str| json!({ "day": "mon", "type": "send", "from": from, "until": until });
    let touching = json!([row("12:00", "18:00"), row("08:00", "12:00")]);
    assert!(Windows::try_from(touching).is_ok());
}

#[test]
fn unknown_word_is_refused_with_its_location() {
    let days = "wanted one of mon, tue, wed, thu, fri, sat, sun";
    check(json!([{ "day": "Monday", "type": "send" }]), &format!(r#"[0].day: found "Monday", {days}"#));
    check(
        json!({ "quiet": { "start": "22:00", "end": "07:00", "days": ["mon", "mo"] } }),
        &format!(r#"quiet.days[1]: found "mo", {days}"#),
    );
    check(
        json!({ "quiet": { "start": "22:00", "end": "07:00", "days": ["mon", "mon"] } }),
        r#"quiet.days[1]: found "mon", wanted each day once"#,
    );
    check(
        json!({ "quiet": { "start": "22:00", "end": "07:00", "days": [] } }),
        "quiet.days: found an empty array, wanted a list of days such as [mon, tue], `weekdays` or `weekends`",
    );
    check(
        json!([{ "day": "mon", "type": "sent" }]),
        r#"[0].type: found "sent", wanted `send` or `do_not_send`"#,
    );
    check(json!([{ "day": "mon" }]), "[0].type: found nothing, wanted `send` or `do_not_send`");
    check(
        json!([{ "day": "mon", "type": "send", "to": "12:00" }]),
        r#"[0]: found the key "to", wanted a map with keys among day, type, from, until"#,
    );
}

#[test]
fn invalid_time_is_refused() {
    let wanted = r#"wanted a time from "00:00" to "24:00" such as "08:30", in quotes"#;
    for time in ["7:00", "07:60", "24:01", "25:00", "07:00:60", "07:00:00:00", "07", "", "+7:00", "٠٧:٠٠"]
    {
        check(
            json!({ "quiet": { "start": "22:00", "end": time } }),
            &format!("quiet.end: found {time:?}, {wanted}"),
        );
    }
    check(
        json!({ "quiet": { "start": 1320, "end": "07:00" } }),
        &format!("quiet.start: found 1320, {wanted}"),
    );
    check(
        json!({ "quiet": { "start": "24:00", "end": "07:00" } }),
        r#"quiet.start: found "24:00", wanted a start before 24:00, which is the end of a day"#,
    );
}

#[test]
fn unknown_form_is_refused() {
    let wanted = "wanted a map with `quiet`, or a list of rows with `day`, `type`, `from` and `until`";
    check(json!("22:00-07:00"), &format!(r#"at the top: found "22:00-07:00", {wanted}"#));
    check(json!({ "open": [] }), &format!(r#"at the top: found the key "open", {wanted}"#));
    check(json!({}), "quiet: found nothing, wanted a map with `start` and `end`, or a list of these");
    check(json!(["mon"]), r#"[0]: found "mon", wanted a map with keys among day, type, from, until"#);
}

#[test]
fn number_of_rows_is_limited() {
    let row = |at: usize| {
        let minute = format!("{:02}:{:02}", at / 60, at % 60);
        json!({ "day": "mon", "type": "send", "from": minute, "until": format!("{minute}:30") })
    };
    let most: Value = (0..MAX_ROWS).map(row).collect();
    assert!(Windows::try_from(most).is_ok());
    check((0..=MAX_ROWS).map(row).collect(), "at the top: found 71 of them, wanted at most 70");
    let quiet: Vec<Value> = (0..=MAX_ROWS).map(|_| json!({ "start": "00:00", "end": "01:00" })).collect();
    check(json!({ "quiet": quiet }), "quiet: found 71 of them, wanted at most 70");
}

#[track_caller]
fn check(written: Value, expected: &str) {
    let shown = written.to_string();
    let refusal = Windows::try_from(written).unwrap_err();
    assert_eq!(refusal.to_string(), expected, "{shown}");
}
