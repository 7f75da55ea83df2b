use std::collections::BTreeMap;

use publish::Outbox;

use super::*;

const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

#[test]
fn only_pending_rows_are_read_and_their_key_must_fit_the_event() {
    let told = event("e-1", "{}");
    let row = |pending: Option<&str>, sk: &str| {
        let item = Item::default().text("pk", "stream#-#shop").text("sk", sk);
        item.maybe("pending", pending).text("event", told.to_json())
    };
    let read = |pending, sk| Pending::read(&row(pending, sk));
    assert!(read(None, "outbox#shop#e-1").is_none() && read(Some("failed"), "outbox#shop#e-1").is_none());
    assert_eq!(read(Some("0"), "outbox#shop#e-1").unwrap().check(&told), Ok(()));
    let misplaced = read(Some("0"), "e-1").unwrap().check(&told).unwrap_err().to_string();
    assert!(misplaced.contains("outbox#shop#e-1"), "{misplaced}");
}

/// Rows in the format of the release before the relay's marks.
#[test]
fn rows_of_the_last_release_are_read() {
    let text = include_str!("fixtures/events-rows-1.json");
    let mut rows: BTreeMap<String, Item> = serde_json::from_str(text).unwrap();
    let mut take = |name: &str| rows.remove(name).unwrap();
    for name in ["pending version", "pending plain put"] {
        let pending = Pending::read(&take(name)).unwrap();
        let told = Event::parse(pending.text.expose()).unwrap();
        assert_eq!(pending.check(&told), Ok(()), "{name} can be published");
    }
    for name in ["acknowledged version", "acknowledged plain put", "event"] {
        let row = take(name);
        assert!(Pending::read(&row).is_none(), "{name} is not published again");
        let record = crate::Record::from_item(row);
        assert!(
            Event::stored(record.get("event").unwrap()).is_ok() && record.findings().is_empty(),
            "{name}"
        );
    }
    assert_eq!(
        crate::Record::from_item(take("replay")).get("event"),
        None,
        "a replay is no event of its own"
    );
}

#[test]
fn row_with_a_digest_must_have_the_attributes_of_its_text() {
    let mut transaction = Vec::new();
    outbox().append(&mut transaction, &order(), 0, &[event("e-1", "{}")], NOON).unwrap();
    let row = Item::from(transaction[1].put().unwrap().item().clone());
    let told = Event::parse(row.get("event").unwrap()).unwrap();
    let check = |row: Item| Pending::read(&row).unwrap().check(&told).map_err(|error| error.to_string());
    assert_eq!(check(row.clone()), Ok(()));
    for name in ["digest", "id", "actor", "type"] {
        let said = check(row.clone().text(name, "forged")).unwrap_err();
        assert!(said.starts_with(&format!("the row's {name} is not that of its event")), "{said}");
    }
    assert!(check(row.clone().without("type")).is_err(), "a missing attribute is refused too");
    assert_eq!(check(row.without("digest").text("type", "forged")), Ok(()), "the audit writes them itself");
}

fn outbox() -> Outbox {
    Outbox::new("events")
}

fn order() -> Stream {
    Stream::new(Some("t-1"), "order/7")
}

fn event(id: &str, data: &str) -> Event {
    Event::stored(&format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"shop","type":"order.paid","time":"2026-11-20T12:00:00Z","data":{data}}}"#
    ))
    .unwrap()
}

#[test]
fn place_gives_its_version_and_its_predecessor() {
    let place = Place::of_version("stream#-#order/7", 10);
    assert_eq!(place.version(), Some(10));
    assert_eq!(place.before(), Some(Place::of_version("stream#-#order/7", 9)));
    assert_eq!(Place::of_version("stream#-#order/7", 1).before(), None);
    let unordered = Place { pk: "stream#-#order/7".into(), sk: "outbox#/shop#10".into() };
    assert_eq!((unordered.version(), unordered.before()), (None, None));
}
