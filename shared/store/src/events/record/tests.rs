use domain::base::stack_secret::StackSecret;
use domain::event::outbox_mark::{MarkedEntry, PREFIX};
use domain::event::own_events::REPLAY_SOURCE;
use domain::event::replay::received;

use super::*;
use crate::outbox::Place;

const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

#[test]
fn records_of_one_source_and_id_share_a_prefix_of_any_length() {
    for (source, id) in [("s", "1"), ("s", "1#0"), (&"s".repeat(256), &"#".repeat(256))] {
        let event = bare(source, id);
        for detail in ["", "{}", "{\"a\":1}"] {
            let identity = identity(&event, &content(detail));
            assert!(identity.starts_with(&beginning(&event)) && identity.len() <= 1024, "{identity}");
        }
    }
    assert!(!identity(&bare("s", "10"), &content("")).starts_with(&beginning(&bare("s", "1"))));
}

#[test]
fn relay_mark_gives_a_claim_and_a_forged_mark_gives_a_finding() {
    let text = event("e-1", r#","subject":"order/7","sequence":"1""#);
    let signed = sign(&text);
    let record = record(&text, &[&signed, "carillon:outbox"]);
    assert_eq!(record.claim().unwrap().place().sk, "version#00000000000000000001");
    assert_eq!(record.findings(), []);
    let changed = text.replace("12.50", "1250");
    for (detail, marks) in [
        (changed.as_str(), vec![signed.as_str()]),
        (&text, vec!["carillon:outbox:AAAA.AAAA", "carillon:outbox"]),
        (&text, vec!["carillon:outbox:"]),
    ] {
        let record = self::record(detail, &marks);
        assert!(record.claim().is_none(), "{marks:?}");
        assert_eq!(record.findings(), [Finding::UnprovenOutboxMark], "{marks:?}");
    }
}

#[test]
fn record_never_takes_the_key_of_an_outbox_entry() {
    let text = event("e-1", r#","subject":"order/7","sequence":"1""#);
    let signed = sign(&text);
    for marks in [vec![], vec!["carillon:outbox"], vec![signed.as_str()], vec!["carillon:outbox:x.y"]] {
        let record = record(&text, &marks);
        let sk = record.get("sk").unwrap();
        assert!(sk.starts_with("event#shop#e-1#"), "{marks:?}: {sk}");
        assert_eq!(record.get("event"), Some(text.as_str()), "{marks:?}");
    }
}

#[test]
fn claim_acknowledges_only_a_pending_row_with_its_text() {
    let text = event("e-1", r#","subject":"order/7","sequence":"1""#);
    let (marked, plain) = (record(&text, &[&sign(&text)]), record(&text, &["carillon:outbox"]));
    let row = |digest: Option<&str>, pending: Option<&str>| {
        Item::default().maybe("digest", digest).maybe("pending", pending)
    };
    let (of_text, of_other) = (text_digest(&text), text_digest("{}"));
    for (row, by_mark, by_text) in [
        (row(Some(&of_text), Some("0")), true, true),
        (row(Some(&of_text), Some("failed")), true, true),
        (row(Some(&of_other), Some("0")), false, false),
        // A plain put by the producer: the relay read the text. A digest of the text on the bus proves nothing.
        (row(None, Some("0")), true, false),
        (row(Some(&of_text), None), false, false),
    ] {
        assert_eq!(marked.claim().unwrap().acknowledges(&row), by_mark);
        assert_eq!(plain.claim().unwrap().acknowledges(&row), by_text);
    }
}

#[test]
fn whitespace_from_the_bus_keeps_the_plain_mark_valid() {
    let text = event("e-1", r#","subject":"order/7","sequence":"1""#);
    let behind_the_bus = text.replace(':', ": ").replace(",\"", ", \"").replace("12: 00: 00", "12:00:00");
    let row = Item::default().text("digest", text_digest(&text)).text("pending", "0");
    let record = record(&behind_the_bus, &["carillon:outbox"]);
    assert!(record.claim().unwrap().acknowledges(&row));
}

#[test]
fn event_with_invalid_replay_marks_is_an_ordinary_record_with_a_finding() {
    let plain = record(&event("e-1", ""), &[]);
    let marked = record(&event("e-1", r#","renotify":true,"replayid":"r-1""#), &[]);
    assert_eq!(marked.findings(), [Finding::ReplayMarkIgnored]);
    assert_eq!(marked.get("sk"), plain.get("sk"), "the key of the unmarked event");
    assert_eq!(marked.get("event"), plain.get("event"), "readers of events find it");
    assert!(marked.get("detail").unwrap().contains("renotify"), "the original text is kept");
    assert!(marked.get("bucket").is_some() && marked.get("replay_id").is_none());
}

#[test]
fn replay_of_an_operator_is_recorded_beside_its_event() {
    let text = event("e-1", r#","replayid":"r-1""#);
    let replay = of(&text, r#""account":"","resources":["carillon:replay/r-1"]"#);
    assert!(replay.get("sk").unwrap().starts_with("replay#shop#e-1#"));
    assert_eq!((replay.get("event"), replay.findings()), (None, vec![]));
}

fn record(detail: &str, marks: &[&str]) -> Record {
    of(detail, &format!(r#""account":"123456789012","resources":{}"#, serde_json::json!(marks)))
}

/// The record of a message with these members.
fn of(detail: &str, came: &str) -> Record {
    let text = format!(
        r#"{{"version":"0","id":"b-1","detail-type":"order.paid","source":"shop","time":"2026-11-20T12:00:01Z",{came},"detail":{detail}}}"#
    );
    let bus = BusEvent::parse(&text).unwrap();
    Record::of(
        &received(bus.unverified_event().unwrap(), &bus, |source| source == REPLAY_SOURCE),
        &bus,
        &key_of_marks(),
        NOON,
    )
}

/// The relay's mark of an entry with this text.
fn sign(text: &str) -> String {
    let event = Event::parse(text).unwrap();
    let place = Place::of(&event);
    let (source, id) = (event.source.as_str(), event.id.as_str());
    let mark = key_of_marks().sign(MarkedEntry { source, id, pk: &place.pk, sk: &place.sk }, text).unwrap();
    assert!(mark.starts_with(PREFIX) && mark.len() < 256, "{mark}");
    mark
}

fn key_of_marks() -> MarkKey {
    MarkKey::of(&StackSecret::read("0123456789abcdef0123456789abcdef").unwrap())
}

/// An event in the format of [`Event::to_json`].
fn event(id: &str, extensions: &str) -> String {
    let text = format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"shop","type":"order.paid","time":"2026-11-20T12:00:00Z"{extensions},"datacontenttype":"application/json","data":{{"total":12.50}}}}"#
    );
    assert_eq!(Event::parse(&text).unwrap().to_json(), text);
    text
}

fn bare(source: &str, id: &str) -> Event {
    let text = serde_json::json!({
        "specversion": "1.0", "id": id, "source": source, "type": "t", "time": "2026-11-20T12:00:00Z",
    });
    Event::parse(&text.to_string()).unwrap()
}
