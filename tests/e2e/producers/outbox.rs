//! The outbox: from a producer's transaction to the recipient despite crashes; event streams; delivery events on the
//! bus.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use domain::event::Event;
use domain::event::outbox_mark::text_digest;
use publish::{Conflict, Stream};
use serde_json::{Value, json};
use store::{Place, Record, Snapshot, Way};
use testkit::aws_cli::shell;
use testkit::cloud::{cloud_event, now};
use testkit::outbox_producer::{TABLE, at, hello, impossible, is_done, kill_relays, outbox, producer};
use testkit::sweeping::sweep;
use testkit::until::{quiet, until};
use workspace::programs::carillon;
use workspace::{root, unique};

#[tokio::test]
async fn committed_event_is_delivered_once_and_a_cancelled_one_never() {
    let (cloud, producer) = producer();
    let (ann, ben) = (cloud.new_recipient().await, cloud.new_recipient().await);
    let order = Stream::new(None, &unique("order"));
    let committed = hello(&unique("event"), &[&ann.id]);
    producer.append(&order, 0, std::slice::from_ref(&committed)).await.unwrap();

    let cancelled = hello(&unique("event"), &[&ben.id]);
    let mut transaction = vec![impossible()];
    let appended = outbox().append(&mut transaction, &order, 1, &[cancelled], now()).unwrap();
    let reasons = producer.run(transaction, &appended).await.unwrap_err();
    assert_eq!(appended.conflict(&reasons), None, "it was the caller's own condition");

    let address = ann.email.clone().unwrap().into_exposed();
    let emails =
        until("a letter", async || Some(cloud.emails(&address)).filter(|emails| !emails.is_empty())).await;
    assert_eq!(emails.len(), 1);
    until("nothing is pending", async || {
        producer.row(&Place::of(&at(&committed, &order, 1))).await.filter(is_done)
    })
    .await;
    quiet().await;
    assert_eq!(cloud.emails(&address).len(), 1, "once");
    assert!(cloud.emails(ben.email.as_ref().unwrap().expose()).is_empty());
    assert_eq!(producer.events.version(&order).await.unwrap(), 1);
    let records = cloud.records(&committed.id).await;
    assert_eq!(records.len(), 1, "the row of the outbox is the audit's record");
    assert!(records[0].get("bus_id").is_some() && records[0].get("bucket").is_some());
}

#[tokio::test]
async fn append_with_a_stale_version_gets_advice() {
    let (_, producer) = producer();
    let order = Stream::new(Some("t-1"), &unique("order"));
    let event = hello(&unique("event"), &[]);
    producer.append(&order, 0, std::slice::from_ref(&event)).await.unwrap();
    let again = |expected, event: &Event| {
        let (producer, order, event) = (&producer, &order, event.clone());
        async move { producer.append(order, expected, &[event]).await.unwrap_err().unwrap() }
    };
    let late = again(0, &hello(&unique("event"), &[])).await;
    assert!(matches!(late, Conflict::WrongVersion { expected: 0, found: 1, .. }), "{late}");
    let same = again(1, &event).await;
    assert!(matches!(same, Conflict::AlreadyThere { version: 1, .. }), "{same}");
    let other = again(1, &Event { kind: "core.goodbye".into(), ..event.clone() }).await;
    assert!(matches!(other, Conflict::OtherBody { version: 1, .. }), "{other}");
}

#[tokio::test]
async fn repeated_append_takes_effect_once() {
    let (_, producer) = producer();
    let order = Stream::new(None, &unique("order"));
    let (event, now) = (hello(&unique("event"), &[]), now());
    for _ in 0..2 {
        let mut transaction = Vec::new();
        let appended =
            outbox().append(&mut transaction, &order, 0, std::slice::from_ref(&event), now).unwrap();
        producer.run(transaction, &appended).await.unwrap();
    }
    assert_eq!(producer.events.version(&order).await.unwrap(), 1);
}

#[tokio::test]
async fn plain_put_of_the_documents_publishes_once() {
    let (cloud, producer) = producer();
    let ann = cloud.new_recipient().await;
    let id = unique("event");
    let page = std::fs::read_to_string(root().join("docs/produce/outbox.md")).unwrap();
    let from = page.find("aws dynamodb put-item").unwrap();
    let command = &page[from..from + page[from..].find("```").unwrap()];
    let command = command.replace("o-1", &id).replace("owner-sam", &ann.id);
    let first = shell(&command);
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    let address = ann.email.clone().unwrap().into_exposed();
    until("a letter", async || Some(cloud.emails(&address)).filter(|emails| emails.len() == 1)).await;
    let place = Place { pk: "stream#-#shop".into(), sk: format!("outbox#shop#{id}") };
    let row = until("nothing is pending", async || producer.row(&place).await.filter(is_done)).await;
    assert_eq!(row.get("type"), Some("core.hello"), "the audit adds what readers look for");
    assert_eq!(
        row.get("digest"),
        Some(text_digest(row.get("event").unwrap()).as_str()),
        "and what proved it"
    );
    assert_eq!(cloud.records(&id).await.len(), 1);
    let again = shell(&command);
    assert!(String::from_utf8_lossy(&again.stderr).contains("ConditionalCheckFailed"), "one id is one event");
}

#[tokio::test]
async fn poison_message_is_marked_refused_and_its_neighbours_are_published() {
    let (cloud, producer) = producer();
    let ann = cloud.new_recipient().await;
    let good = hello(&unique("event"), &[&ann.id]);
    let names = [unique("poison"), unique("poison"), unique("poison")];
    let misplaced = hello(&unique("event"), &[]);
    let rows = [
        ("{\"specversion\":\"0.3\"}".to_owned(), names[0].clone(), "specversion"),
        ("not json".to_owned(), names[1].clone(), "JSON"),
        (misplaced.to_json(), names[2].clone(), "wanted"),
        (good.to_json(), good.id.clone(), ""),
    ];
    for (text, id, _) in &rows {
        producer.put_pending(id, text).await;
    }
    for (_, id, cause) in rows.iter().take(3) {
        let place = Place { pk: "stream#-#tests".into(), sk: format!("outbox#tests#{id}") };
        let row = until("it is set aside", async || {
            producer.row(&place).await.filter(|row| row.get("pending") == Some("failed"))
        })
        .await;
        let found = row.get("failed_because").unwrap_or_default();
        assert!(found.contains(cause), "{found}");
    }
    let address = ann.email.clone().unwrap().into_exposed();
    until("a letter", async || Some(cloud.emails(&address)).filter(|emails| emails.len() == 1)).await;
    let listed = carillon(&["outbox", "ls", "--failed", "--limit", "100000"], "");
    assert!(String::from_utf8_lossy(&listed.stdout).contains(&names[0]));
    assert_eq!(carillon(&["outbox", "stats"], "").status.code(), Some(1), "something has failed");
}

#[tokio::test]
async fn sweep_finds_entries_without_a_stream_record() {
    let (cloud, producer) = producer();
    let ann = cloud.new_recipient().await;
    let event = hello(&unique("event"), &[&ann.id]);
    // The local cloud's streams omit PartiQL writes. The entry is left as after an outage longer than a stream keeps
    // records.
    let long_ago = now() - jiff::SignedDuration::from_hours(25);
    let text = |text: String| AttributeValue::S(text);
    let values = [
        "stream#-#tests".to_owned(),
        format!("outbox#tests#{}", event.id),
        "0".to_owned(),
        long_ago.to_string(),
        event.to_json(),
    ];
    let insert =
        format!("INSERT INTO \"{TABLE}\" VALUE {{'pk':?,'sk':?,'pending':?,'appended_at':?,'event':?}}");
    producer
        .client
        .execute_statement()
        .statement(insert)
        .set_parameters(Some(values.map(text).to_vec()))
        .send()
        .await
        .unwrap();
    let listed = carillon(&["outbox", "ls", "--limit", "100000"], "");
    assert!(String::from_utf8_lossy(&listed.stdout).contains(&event.id), "it is seen to be pending");

    let swept = sweep(&cloud).await;
    assert!(swept.published >= 1 && swept.oldest_seconds >= 25 * 3_600, "{swept:?}");
    let address = ann.email.clone().unwrap().into_exposed();
    until("a letter", async || Some(cloud.emails(&address)).filter(|emails| emails.len() == 1)).await;
    until("nothing is pending", async || producer.row(&Place::of(&event)).await.filter(is_done)).await;
}

#[tokio::test]
async fn relay_killed_repeatedly_loses_and_duplicates_no_event() {
    let (cloud, producer) = producer();
    let ann = cloud.new_recipient().await;
    let events: Vec<Event> = (0..12).map(|_| hello(&unique("event"), &[&ann.id])).collect();
    let mut killed = 0;
    for event in &events {
        producer.append(&Stream::new(None, &unique("order")), 0, std::slice::from_ref(event)).await.unwrap();
        killed += kill_relays();
    }
    for _ in 0..20 {
        killed += kill_relays();
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert!(killed > 0, "none was there to be killed");
    let address = ann.email.clone().unwrap().into_exposed();
    until("all letters", async || {
        // Entries that the killed processes left are old enough now, and the sweep finds them.
        sweep(&cloud).await;
        Some(cloud.emails(&address)).filter(|emails| emails.len() >= events.len())
    })
    .await;
    quiet().await;
    assert_eq!(cloud.emails(&address).len(), events.len(), "each once");
}

#[tokio::test]
async fn delivery_events_follow_each_outcome_and_one_communication_event_follows_all() {
    let (cloud, _) = producer();
    let (ann, ben) = (cloud.new_recipient().await, cloud.new_recipient().await);
    let id = unique("event");
    let data = json!({ "to": [ann.id, ben.id], "message": "The bells ring." });
    cloud.put(&[cloud_event("core.hello", &id, &data)]).await;
    let caused = async |kind: &str| -> Vec<Record> {
        let all = cloud.all_records().await.into_iter();
        all.filter(|all| all.get("causation_id") == Some(&id) && all.get("type") == Some(kind)).collect()
    };
    let notified = until("a communication", async || {
        Some(caused("communication.sent").await).filter(|records| !records.is_empty())
    })
    .await;
    let event: Value = serde_json::from_str(notified[0].get("event").unwrap()).unwrap();
    let mut people = [ann.id.as_str(), ben.id.as_str()];
    people.sort_unstable();
    assert_eq!(event["data"]["recipients"], json!(people));
    assert_eq!((&event["data"]["eventId"], &event["data"]["eventType"]), (&json!(id), &json!("core.hello")));
    assert_eq!(event["data"]["outcomes"]["email"]["sent"], 2, "{event}");
    assert_eq!(event["data"]["success"], true, "{event}");
    assert_eq!(event["data"]["recipientCount"], 2, "{event}");
    let results = event["data"]["results"].as_array().unwrap();
    let is_whole = |value: &Value| value["channel"].is_string() && value["success"].is_boolean();
    assert!(results.len() >= 2 && results.iter().all(is_whole), "{event}");
    let emails = results.iter().filter(|result| result["channel"] == "email");
    assert!(
        emails.clone().count() == 2 && emails.clone().all(|email| email["messageId"].is_string()),
        "{event}"
    );
    // Provider ids look like addresses but contain none.
    let text = event.to_string().replace("@email.amazonses.com", "");
    assert!(
        !text.contains('@') && !text.contains("bells"),
        "nobody's address, and nothing that was said: {text}"
    );
    let of_one = until("each delivery", async || {
        let mut all = caused("carillon.delivery.sent").await;
        all.extend(caused("carillon.delivery.suppressed").await);
        Some(all).filter(|found| found.len() >= 4)
    })
    .await;
    assert_eq!(of_one.len(), 4, "two people on two channels");
    quiet().await;
    assert_eq!(caused("communication.sent").await.len(), 1, "once");
}

#[tokio::test]
async fn event_without_a_sent_message_leads_to_one_unsuccessful_communication_event() {
    let (cloud, _) = producer();
    let (id, nobody) = (unique("event"), unique("nobody"));
    let data = json!({ "to": [nobody], "message": "The bells ring." });
    cloud.put(&[cloud_event("core.hello", &id, &data)]).await;
    let communications = async || -> Vec<Record> {
        let all = cloud.all_records().await.into_iter();
        let of_event = all.filter(|all| all.get("causation_id") == Some(&id));
        of_event.filter(|of_event| of_event.get("type") == Some("communication.sent")).collect()
    };
    let notified =
        until("a communication", async || Some(communications().await).filter(|records| !records.is_empty()))
            .await;
    let event: Value = serde_json::from_str(notified[0].get("event").unwrap()).unwrap();
    let data = &event["data"];
    assert_eq!((&data["success"], &data["recipientCount"]), (&json!(false), &json!(1)), "{event}");
    let results = data["results"].as_array().unwrap();
    let is_failure = |value: &Value| value["success"] == false && value["messageId"].is_null();
    assert!(!results.is_empty() && results.iter().all(is_failure), "{event}");
    quiet().await;
    assert_eq!(communications().await.len(), 1, "once");
}

#[tokio::test]
async fn stream_is_read_in_both_directions_from_a_snapshot_and_by_time() {
    let (_, producer) = producer();
    let began = now();
    let order = Stream::new(Some("t-1"), &unique("order"));
    let events: Vec<Event> = (0..7).map(|_| hello(&unique("event"), &[])).collect();
    producer.append(&order, 0, &events[..4]).await.unwrap();
    producer.append(&order, 4, &events[4..]).await.unwrap();
    for (way, from, expected) in
        [(Way::Forward, 2, [2, 3, 4, 5, 6, 7].as_slice()), (Way::Back, 5, &[5, 4, 3, 2, 1])]
    {
        let (mut next, mut versions) = (Some(from), Vec::new());
        while let Some(from) = next {
            let page = producer.events.of_stream(&order, from, way, 2).await.unwrap();
            assert!(page.events.len() <= 2);
            versions.extend(page.events.iter().map(|event| event.version));
            next = page.next;
        }
        assert_eq!(versions, expected, "{way:?}");
    }
    let keep = async |version| {
        let snapshot = Snapshot { version, state: format!("{{\"paid\":{version}}}").into() };
        producer.events.keep_snapshot(&order, &snapshot, now()).await.map_err(|error| error.to_string())
    };
    keep(5).await.unwrap();
    assert!(keep(3).await.unwrap_err().contains("version 5 is there already"));
    let snapshot = producer.events.snapshot(&order).await.unwrap().unwrap();
    let rest = producer.events.of_stream(&order, snapshot.version + 1, Way::Forward, 100).await.unwrap();
    assert_eq!((rest.events.len(), rest.events[0].event.id.as_str()), (2, events[5].id.as_str()));

    let ids: Vec<&str> = events.iter().map(|event| event.id.as_str()).collect();
    let seen = until("all are recorded", async || {
        let mut timeline = producer.events.timeline(began, now());
        let mut seen: Vec<(Timestamp, String)> = Vec::new();
        while let Some((event, at)) = timeline.next().await.unwrap() {
            seen.push((at, event.id));
        }
        Some(seen).filter(|events| ids.iter().all(|id| events.iter().any(|(_, found)| found == id)))
    })
    .await;
    assert!(seen.is_sorted_by_key(|(at, _)| *at), "in the order of recording");
    let listed = carillon(
        &["--json", "events", "stream", &order.subject, "--tenant", "t-1", "--back", "--limit", "1"],
        "",
    );
    let line: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!((&line["version"], &line["event"]["id"]), (&json!(7), &json!(ids[6])));
    let exported = carillon(&["events", "export", "--since", "1h", "--type", "core.*"], "");
    let lines = String::from_utf8(exported.stdout).unwrap();
    assert!(
        lines.lines().any(|line| Event::parse(line).is_ok_and(|event| event.id == ids[0])),
        "it can be published again"
    );
}
