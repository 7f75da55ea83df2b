use aws_sdk_dynamodb::types::CancellationReason;
use carillon_event::outbox::position;
use carillon_event::{Data, MAX_EVENT_BYTES, Sequence};

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
    let row = put.item();
    assert_eq!(text(row, "pk"), "stream#t-1#order/7");
    assert_eq!(text(row, "sk"), "version#00000000000000000006");
    assert!(row.contains_key("pending") && row.contains_key("appended_at"), "the index finds it");
    let told = Event::parse(text(row, "event")).unwrap();
    assert_eq!(
        (told.sequence.as_ref().map(Sequence::as_str), told.subject.as_deref(), told.tenant.as_deref()),
        (Some("00000000000000000006"), Some("order/7"), Some("t-1"))
    );
    assert_eq!(position(&told), text(row, "sk"), "the audit finds it by the event alone");
    let guard = transaction[5].put().unwrap().item();
    assert_eq!(text(guard, "sk"), "id#shop#e-2");
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
    let same = transaction[3].put().unwrap().item().clone();
    let mut other = same.clone();
    other.insert("body".to_owned(), AttributeValue::S("sha256:other".to_owned()));
    let head = HashMap::from([("version".to_owned(), AttributeValue::N("6".to_owned()))]);
    let (fine, head) = (|| reason(None), || reason(Some(head.clone())));
    check(&appended, &[fine(), head(), fine(), fine()], Some("at version 6, not 4; read what is new"));
    check(&appended, &[fine(), head(), fine(), reason(Some(same))], Some("there is nothing left to do"));
    check(&appended, &[fine(), head(), fine(), reason(Some(other))], Some("an id of its own"));
    check(&appended, &[reason(Some(HashMap::new())), fine(), fine(), fine()], None);
}

#[track_caller]
fn check(appended: &Appended, reasons: &[CancellationReason; 4], expected: Option<&str>) {
    let said = appended.conflict(reasons).map(|conflict| conflict.to_string());
    match (&said, expected) {
        (Some(said), Some(expected)) => assert!(said.contains(expected), "{said}"),
        (said, expected) => assert_eq!(said.as_deref(), expected),
    }
}

fn reason(item: Option<HashMap<String, AttributeValue>>) -> CancellationReason {
    let code = if item.is_some() { "ConditionalCheckFailed" } else { "None" };
    CancellationReason::builder().code(code).set_item(item).build()
}

fn text<'r>(row: &'r HashMap<String, AttributeValue>, name: &str) -> &'r str {
    row[name].as_s().unwrap()
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
    .unwrap_or_else(|_| {
        let small = Event::stored(&format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"shop","type":"t","time":"2026-11-20T12:00:00Z"}}"#
        ));
        let data = Data::of(&serde_json::from_str(data).unwrap());
        Event { data: Some(data), ..small.unwrap() }
    })
}

fn own_write() -> TransactWriteItem {
    let put = Put::builder().table_name("orders").item("pk", AttributeValue::S("7".into()));
    TransactWriteItem::builder().put(put.build().unwrap()).build()
}

#[test]
fn unordered_event_is_one_conditional_put() {
    let write = outbox().write_unordered(&event("e-1", "{}"), NOON).unwrap();
    let put = write.put().unwrap();
    assert_eq!((put.table_name(), put.condition_expression()), ("events", Some("attribute_not_exists(pk)")));
    assert_eq!(put.item()["sk"].as_s().unwrap(), "outbox#shop#e-1");
    let ordered = Event { sequence: Some(Sequence::of_version(1)), ..event("e-1", "{}") };
    assert!(matches!(outbox().write_unordered(&ordered, NOON), Err(AppendError::Ordered { .. })));
}
