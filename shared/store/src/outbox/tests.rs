use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::CancellationReason;
use domain::event::MAX_EVENT_BYTES;

use super::*;

const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

#[test]
fn append_updates_the_head_and_adds_each_event_with_a_guard() {
    let mut transaction = vec![own_write()];
    let events = [event("e-1", "{}"), event("e-2", "{}")];
    let appended = outbox().append(&mut transaction, &order(), 4, &events, NOON).unwrap();
    assert_eq!((appended.version, transaction.len()), (6, 6));
    let head = transaction[1].update().unwrap();
    assert_eq!(head.condition_expression(), Some("#version = :expected"));
    assert_eq!(head.expression_attribute_values().unwrap()[":expected"].as_n().unwrap(), "4");
    let put = transaction[4].put().unwrap();
    assert_eq!(put.condition_expression(), Some("attribute_not_exists(pk)"));
    let row = Item::from(put.item().clone());
    assert_eq!(row.get("pk"), Some("stream#t-1#order/7"));
    assert_eq!(row.get("sk"), Some("version#00000000000000000006"));
    assert!(row.get("pending").is_some() && row.get("appended_at").is_some(), "the index finds it");
    let told = Event::parse(row.get("event").unwrap()).unwrap();
    assert_eq!(
        (told.sequence.as_ref().map(Sequence::as_str), told.subject.as_deref(), told.tenant.as_deref()),
        (Some("00000000000000000006"), Some("order/7"), Some("t-1"))
    );
    assert_eq!(Place::of(&told).sk, row.get("sk").unwrap(), "the audit finds it by the event alone");
    let guard = Item::from(transaction[5].put().unwrap().item().clone());
    assert_eq!(guard.get("sk"), Some("id#shop#e-2"));
}

#[test]
fn new_stream_requires_that_no_head_exists() {
    let mut transaction = Vec::new();
    outbox().append(&mut transaction, &order(), 0, &[event("e-1", "{}")], NOON).unwrap();
    assert_eq!(transaction[0].update().unwrap().condition_expression(), Some("attribute_not_exists(pk)"));
}

#[test]
fn token_depends_on_the_append() {
    let token = |expected, id: &str, data: &str| {
        outbox().append(&mut Vec::new(), &order(), expected, &[event(id, data)], NOON).unwrap().token
    };
    let first = token(0, "e-1", "{}");
    assert!(first.len() <= 36, "{first}");
    assert_eq!(first, token(0, "e-1", "{}"));
    for other in [token(1, "e-1", "{}"), token(0, "e-2", "{}"), token(0, "e-1", r#"{"a":1}"#)] {
        assert_ne!(first, other);
    }
}

#[test]
fn refused_append_names_the_event_and_adds_no_writes() {
    let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(MAX_EVENT_BYTES));
    let elsewhere = Event { subject: Some("order/8".into()), ..event("e-1", "{}") };
    let out_of_place = Event { sequence: Some(Sequence::of_version(9)), ..event("e-1", "{}") };
    let many: Vec<Event> = (0..50).map(|n| event(&n.to_string(), "{}")).collect();
    let large: Vec<Event> =
        (0..25).map(|n| event(&n.to_string(), &format!(r#"{{"a":"{}"}}"#, "x".repeat(180_000)))).collect();
    for (events, wanted) in [
        (vec![], "leave the outbox out"),
        (vec![event("e-1", &long)], "a large payload belongs into S3"),
        (vec![elsewhere], r#"subject is "order/8", the stream's is "order/7""#),
        (vec![out_of_place], "sequence 00000000000000000009, and its place in the stream is 1"),
        (vec![event("e-1", "{}"), event("e-1", "{}")], "twice"),
        (many, "101 actions"),
        (large, "append fewer"),
    ] {
        let mut transaction = Vec::new();
        let said = outbox().append(&mut transaction, &order(), 0, &events, NOON).unwrap_err().to_string();
        assert!(said.contains(wanted), "{said}");
        assert!(transaction.is_empty());
    }
}

#[test]
fn cancelled_transaction_is_explained() {
    let mut transaction = vec![own_write()];
    let appended = outbox().append(&mut transaction, &order(), 4, &[event("e-1", "{}")], NOON).unwrap();
    let same = Item::from(transaction[3].put().unwrap().item().clone());
    let other = same.clone().text("body", "sha256:other");
    let head = Item::default().number("version", 6);
    let (fine, head) = (|| reason(None), || reason(Some(head.clone())));
    check(&appended, &[fine(), head(), fine(), fine()], Some("at version 6, not 4; read what is new"));
    check(&appended, &[fine(), head(), fine(), reason(Some(same))], Some("there is nothing left to do"));
    check(&appended, &[fine(), head(), fine(), reason(Some(other))], Some("an id of its own"));
    check(&appended, &[reason(Some(Item::default())), fine(), fine(), fine()], None);
}

#[track_caller]
fn check(appended: &Appended, reasons: &[CancellationReason; 4], expected: Option<&str>) {
    let said = appended.conflict(reasons).map(|conflict| conflict.to_string());
    match (&said, expected) {
        (Some(said), Some(expected)) => assert!(said.contains(expected), "{said}"),
        (said, expected) => assert_eq!(said.as_deref(), expected),
    }
}

fn reason(item: Option<Item>) -> CancellationReason {
    let code = if item.is_some() { "ConditionalCheckFailed" } else { "None" };
    CancellationReason::builder().code(code).set_item(item.map(Item::into_map)).build()
}

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
    Outbox::new("events".into())
}

fn order() -> Stream {
    Stream::new(Some("t-1"), "order/7")
}

fn event(id: &str, data: &str) -> Event {
    Event::stored(&format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"shop","type":"order.paid","time":"2026-11-20T12:00:00Z","data":{data}}}"#
    ))
    .unwrap_or_else(|_| {
        let small = Event::stored(&format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"shop","type":"t","time":"2026-11-20T12:00:00Z"}}"#
        ));
        let data = domain::event::Data::of(&serde_json::from_str(data).unwrap());
        Event { data: Some(data), ..small.unwrap() }
    })
}

fn own_write() -> TransactWriteItem {
    let put = Put::builder()
        .table_name("orders")
        .item("pk", aws_sdk_dynamodb::types::AttributeValue::S("7".into()));
    TransactWriteItem::builder().put(put.build().unwrap()).build()
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
