//! A hostile producer that may put events with any envelope and any resource on the bus, but has no other right.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::event::Event;
use publish::{Entry, InOrder, PublishCalls as _, Put, Stream};
use serde_json::{Value, json};
use store::{Place, Record, Way};
use testkit::cloud::{Cloud, cloud_event, now, now_text};
use testkit::outbox_producer::{OutboxProducer, TABLE, at, hello, is_done, outbox, producer};
use testkit::sweeping::sweep;
use testkit::until::{quiet, until};
use workspace::programs::{carillon, json_lines, text};
use workspace::unique;

/// Event resources that an attacker may forge.
const FORGED_MARKS: [&[&str]; 3] =
    [&["carillon:outbox"], &["carillon:outbox:AAAA.BBBB", "carillon:outbox"], &["carillon:outbox:"]];

#[tokio::test]
async fn forged_acknowledgement_leaves_the_entry_pending_and_unchanged() {
    let (cloud, producer) = producer();
    let ann = cloud.new_recipient().await;
    let account = Stream::new(Some("ten-b"), &unique("acct"));
    let event = hello(&unique("event"), &[&ann.id]);
    let place = Place::of(&at(&Event { tenant: account.tenant.clone(), ..event.clone() }, &account, 1));
    append_without_stream(&producer, &account, &event).await;
    let before = producer.row(&place).await.unwrap();
    for marks in FORGED_MARKS {
        let id = unique("forged");
        forge(&cloud, &forged(&id, &account), marks).await;
        let record = recorded(&cloud, &id).await;
        assert!(record.get("sk").unwrap().starts_with("event#tests#"), "an ordinary record");
        assert_eq!(record.get("finding"), Some("unproven_outbox_mark"), "{marks:?}");
        assert!(producer.row(&place).await.unwrap() == before, "{marks:?} changed the entry");
        shown_with(&id, "unproven_outbox_mark");
    }
    make_old(&producer, &place).await;
    let swept = sweep(&cloud).await;
    assert!(swept.published >= 1, "{swept:?}");
    let row = until("the entry is acknowledged", async || producer.row(&place).await.filter(is_done)).await;
    for attribute in ["id", "type", "actor", "event", "digest"] {
        assert_eq!(row.get(attribute), before.get(attribute), "{attribute}");
    }
    let address = ann.email.unwrap().into_exposed();
    until("a letter", async || Some(cloud.emails(&address)).filter(|emails| emails.len() == 1)).await;
}

#[tokio::test]
async fn forged_version_of_a_stream_does_not_block_the_real_one() {
    let (cloud, producer) = producer();
    let account = Stream::new(Some("ten-b"), &unique("acct"));
    for marks in FORGED_MARKS {
        let id = unique("forged");
        let event = forged(&id, &account);
        forge(&cloud, &event, marks).await;
        recorded(&cloud, &id).await;
        assert!(producer.row(&Place::of(&event)).await.is_none(), "{marks:?} made a version");
    }
    let event = hello(&unique("event"), &[]);
    producer.append(&account, 0, std::slice::from_ref(&event)).await.unwrap();
    let page = producer.events.of_stream(&account, 1, Way::Forward, 10).await.unwrap();
    let ids: Vec<&str> = page.events.iter().map(|event| event.event.id.as_str()).collect();
    assert_eq!(ids, [event.id.as_str()], "the owner's version is the first");
    let place = Place::of(&at(&Event { tenant: account.tenant.clone(), ..event }, &account, 1));
    until("it is acknowledged", async || producer.row(&place).await.filter(is_done)).await;
}

#[tokio::test]
async fn replay_mark_of_a_producer_is_ignored_and_its_event_is_found() {
    let cloud = Cloud::connect();
    let ann = cloud.new_recipient().await;
    let address = ann.email.clone().unwrap().into_exposed();
    let emails = || cloud.emails(&address).len();
    let id = unique("event");
    let plain = cloud_event("core.hello", &id, &json!({ "to": [ann.id], "message": "The bells ring." }));
    cloud.put(std::slice::from_ref(&plain)).await;
    until("a letter", async || (emails() == 1).then_some(())).await;

    let marked = |event: &Entry, id: Option<&str>| {
        let mut detail: Value = serde_json::from_str(&event.detail).unwrap();
        detail["replayid"] = unique("r").into();
        detail["renotify"] = true.into();
        if let Some(id) = id {
            detail["id"] = id.into();
        }
        let mut marked = event.clone();
        marked.detail = detail.to_string();
        marked
    };
    cloud.put(&[marked(&plain, None)]).await;
    let fresh = unique("event");
    cloud.put(&[marked(&plain, Some(&fresh))]).await;
    until("the letter about the other event", async || (emails() == 2).then_some(())).await;
    let record = recorded(&cloud, &fresh).await;
    assert_eq!((record.get("finding"), record.get("replay_id")), (Some("replay_mark_ignored"), None));
    shown_with(&fresh, "replay_mark_ignored");
    quiet().await;
    assert_eq!(emails(), 2, "no producer makes people hear of an event again");
}

/// An event that claims to be the first version of this stream.
fn forged(id: &str, stream: &Stream) -> Event {
    let event = json!({
        "specversion": "1.0", "id": id, "source": "tests", "type": "forged.type", "time": now_text(),
        "tenant": stream.tenant, "subject": stream.subject, "sequence": "1", "actor": "innocent-ann",
        "data": { "balance": 1_000_000 },
    });
    Event::parse(&event.to_string()).unwrap()
}

/// Calls `PutEvents` with these resources.
async fn forge(cloud: &Cloud, event: &Event, marks: &[&str]) {
    let resources = marks.iter().map(|mark| (*mark).to_owned()).collect();
    let entry = InOrder::new(None, Entry::of(event).with_resources(resources));
    let puts = cloud.bus.put_in_order(&[entry], || true).await;
    assert!(matches!(puts[..], [Put::Done(_)]), "{puts:?}");
}

async fn recorded(cloud: &Cloud, id: &str) -> Record {
    until("it is recorded", async || cloud.records(id).await.pop()).await
}

/// Checks that `events ls` and `explain` show an event with this finding.
#[track_caller]
fn shown_with(id: &str, finding: &str) {
    let output = carillon(&["--json", "events", "ls", "--since", "10m", "--id", id], "");
    let lines = json_lines(&output);
    assert_eq!(lines.len(), 1, "{}", text(&output));
    assert_eq!((&lines[0]["event"]["id"], &lines[0]["findings"]), (&json!(id), &json!([finding])));
    let output = carillon(&["--json", "explain", id], "");
    assert!(json_lines(&output).iter().any(|json_line| json_line["finding"] == finding), "{}", text(&output));
}

/// Appends an entry without a stream record: the local cloud's streams omit PartiQL writes. The time of the append
/// is in the future, so no sweep publishes the entry yet.
async fn append_without_stream(producer: &OutboxProducer, stream: &Stream, event: &Event) {
    let mut transaction = Vec::new();
    let later = now() + jiff::SignedDuration::from_secs(250);
    outbox().append(&mut transaction, stream, 0, std::slice::from_ref(event), later).unwrap();
    let item = transaction[1].put().unwrap().item().clone();
    let (names, values): (Vec<_>, Vec<_>) = item.into_iter().unzip();
    let pairs: Vec<String> = names.iter().map(|name| format!("'{name}': ?")).collect();
    run_statement(producer, &format!("INSERT INTO \"{TABLE}\" VALUE {{{}}}", pairs.join(", ")), values).await;
}

/// Moves the time of the append into the past.
async fn make_old(producer: &OutboxProducer, place: &Place) {
    let long_ago = now() - jiff::SignedDuration::from_hours(1);
    let values = [long_ago.to_string(), place.pk.clone(), place.sk.clone()].map(AttributeValue::S).to_vec();
    let update = format!("UPDATE \"{TABLE}\" SET \"appended_at\" = ? WHERE pk = ? AND sk = ?");
    run_statement(producer, &update, values).await;
}

async fn run_statement(producer: &OutboxProducer, statement: &str, values: Vec<AttributeValue>) {
    let call = producer.client.execute_statement().statement(statement).set_parameters(Some(values));
    call.send().await.unwrap();
}
