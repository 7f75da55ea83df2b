use jiff::Timestamp;
use jiff::civil::DateTime;
use proptest::prelude::*;

use super::*;

#[test]
fn iana_names_are_read_in_any_letter_case() {
    check("Asia/Tokyo", Ok("Asia/Tokyo"));
    check("america/sao_paulo", Ok("America/Sao_Paulo"));
    check("AMERICA/ARGENTINA/BUENOS_AIRES", Ok("America/Argentina/Buenos_Aires"));
    check("Etc/UTC", Ok("Etc/UTC"));
    check("utc", Ok("UTC"));
    check("Asia/Calcutta", Ok("Asia/Calcutta"));
}

#[test]
fn unknown_name_is_refused_with_a_suggestion() {
    check("Tokyo", Err("`Asia/Tokyo`"));
    check("America/New York", Err("`America/New_York`"));
    check("US/Sao Paulo", Err("`America/Sao_Paulo`"));
    let example = "a name such as `Europe/London`";
    for text in
        ["", " ", "+02:00", "EST5EDT,M3.2.0,M11.1.0", "../etc/passwd", "Etc/Unknown", "Mars/Olympus", "é"]
    {
        check(text, Err(example));
    }
    let refusal = Zone::parse("Mars/Olympus").unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "\"Mars/Olympus\" is no IANA time zone; write a name such as `Europe/London`"
    );
}

#[test]
fn zone_is_serialized_as_its_name() {
    let zone: Zone = serde_json::from_str(r#""asia/kolkata""#).unwrap();
    assert_eq!(serde_json::to_string(&zone).unwrap(), r#""Asia/Kolkata""#);
    assert!(serde_json::from_str::<Zone>(r#""Asia/Kolkatta""#).is_err());
    assert_eq!(Zone::utc(), Zone::parse("etc/utc").unwrap());
}

#[test]
fn skipped_time_is_after_the_gap() {
    // London skips from 01:00 to 02:00.
    becomes("Europe/London", "2026-03-29T01:00", "2026-03-29T01:00Z", "2026-03-29T01:00Z");
    becomes("Europe/London", "2026-03-29T01:30", "2026-03-29T01:00Z", "2026-03-29T01:00Z");
    becomes("Europe/London", "2026-03-29T02:00", "2026-03-29T01:00Z", "2026-03-29T01:00Z");
    becomes("America/New_York", "2026-03-08T02:30", "2026-03-08T07:00Z", "2026-03-08T07:00Z");
    // São Paulo skipped midnight.
    becomes("America/Sao_Paulo", "2018-11-04T00:00", "2018-11-04T03:00Z", "2018-11-04T03:00Z");
    // Apia skipped a Friday.
    becomes("Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00Z", "2011-12-30T10:00Z");
    // A clock change of half an hour.
    becomes("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30Z", "2026-10-03T15:30Z");
}

#[test]
fn repeated_time_begins_first_and_ends_second() {
    becomes("Europe/London", "2026-10-25T01:30", "2026-10-25T00:30Z", "2026-10-25T01:30Z");
    becomes("Europe/London", "2026-10-25T02:00", "2026-10-25T02:00Z", "2026-10-25T02:00Z");
    becomes("America/New_York", "2026-11-01T01:00", "2026-11-01T05:00Z", "2026-11-01T06:00Z");
    becomes("America/Sao_Paulo", "2018-02-17T23:30", "2018-02-18T01:30Z", "2018-02-18T02:30Z");
}

#[test]
fn zone_without_clock_changes_has_one_instant_per_time() {
    becomes("Asia/Tokyo", "2026-03-29T01:30", "2026-03-28T16:30Z", "2026-03-28T16:30Z");
    becomes("Asia/Kolkata", "2026-03-29T01:30", "2026-03-28T20:00Z", "2026-03-28T20:00Z");
}

proptest! {
    #[test]
    fn zones_round_trip_and_no_text_panics(text in ".{0,40}") {
        if let Ok(zone) = Zone::parse(&text) {
            prop_assert_eq!(Zone::parse(zone.name()).unwrap(), zone);
        }
    }

    #[test]
    fn instant_is_between_beginning_and_end_of_its_local_time(
        second in Timestamp::MIN.as_second()..Timestamp::MAX.as_second(), zone in zones(),
    ) {
        let at = Timestamp::from_second(second).unwrap();
        let local = zone.local(at);
        if let (Some(beginning), Some(end)) = (zone.beginning(local), zone.end(local)) {
            prop_assert!(beginning == at || end == at, "{beginning} {at} {end}");
            prop_assert!(beginning <= end);
        }
    }

    #[test]
    fn later_local_times_never_begin_or_end_earlier(
        second in -2_000_000_000_i64..4_000_000_000, ahead in 0_i64..200_000, zone in zones(),
    ) {
        let first = Zone::utc().local(Timestamp::from_second(second).unwrap());
        let second = first.checked_add(SignedDuration::from_secs(ahead)).unwrap();
        prop_assert!(zone.beginning(first) <= zone.beginning(second));
        prop_assert!(zone.end(first) <= zone.end(second));
    }
}

fn zones() -> impl Strategy<Value = Zone> {
    let names: Vec<String> =
        TimeZoneDatabase::bundled().available().map(|available| available.to_string()).collect();
    proptest::sample::select(names).prop_filter_map("a zone of its own", |name| Zone::parse(&name).ok())
}

/// Zones with unusual rules, and zones without clock changes.
pub(crate) fn odd_zones() -> impl Strategy<Value = Zone> {
    const NAMES: [&str; 8] = [
        "Asia/Tokyo",
        "America/Sao_Paulo",
        "Pacific/Apia",
        "Asia/Kolkata",
        "Europe/London",
        "America/New_York",
        "Australia/Lord_Howe",
        "Etc/UTC",
    ];
    proptest::sample::select(&NAMES[..]).prop_map(|select| Zone::parse(select).unwrap())
}

/// Instants from 2000 to 2037, often within two days of a clock change in one of these zones.
pub(crate) fn instants() -> impl Strategy<Value = Timestamp> {
    const MOVES: [&str; 8] = [
        "2026-03-29T01:00Z",
        "2026-10-25T01:00Z",
        "2026-03-08T07:00Z",
        "2026-11-01T06:00Z",
        "2018-11-04T03:00Z",
        "2018-02-18T02:00Z",
        "2011-12-30T10:00Z",
        "2026-10-03T15:30Z",
    ];
    let near = (proptest::sample::select(&MOVES[..]), -200_000_i64..200_000)
        .prop_map(|(change, away)| change.parse::<Timestamp>().unwrap().as_second() + away);
    let anywhere = 946_684_800_i64..2_114_380_800;
    prop_oneof![near, anywhere].prop_map(|second| Timestamp::from_second(second).unwrap())
}

#[track_caller]
fn check(text: &str, expected: Result<&str, &str>) {
    let found = Zone::parse(text);
    let found = found.as_ref().map(Zone::name).map_err(|error| error.wanted.as_str());
    assert_eq!(found, expected, "{text:?}");
}

#[track_caller]
fn becomes(zone: &str, local: &str, beginning: &str, end: &str) {
    let zone = Zone::parse(zone).unwrap();
    let local: DateTime = local.parse().unwrap();
    let found = (zone.beginning(local).unwrap(), zone.end(local).unwrap());
    assert_eq!(found, (beginning.parse().unwrap(), end.parse().unwrap()), "{zone} {local}");
}
