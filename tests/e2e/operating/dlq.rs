//! Dead-letter queues: listed by cause, redriven one message first, and deleted.

use serde_json::{Value, json};
use testkit::cloud::{Cloud, entry, now_text};
use testkit::until::until;
use workspace::programs::{carillon, json_lines, text};
use workspace::unique;

#[tokio::test]
async fn redriven_message_is_handled_once_and_leaves_the_dead_letter_queue() {
    let cloud = Cloud::connect();
    let person = cloud.new_recipient().await;
    let (id, tenant) = (unique("event"), unique("tenant"));
    // SQS moves a message unchanged and without a cause when it exceeds the receive count.
    let body = bus_event(&id, "core.hello", Some(&tenant), &json!({ "to": [person.id] }));
    cloud.send("dispatch-bulk-dead-letters", &body).await;
    let found = until("it is listed", async || list(&["dispatch-bulk", "--tenant", &tenant]).pop()).await;
    assert_eq!((&found["cause"], &found["count"]), (&json!("gave_up"), &json!(1)));
    assert_eq!(found["types"], json!({ "core.hello": 1 }));

    let dry = carillon(&["dlq", "redrive", "dispatch-bulk", "--tenant", &tenant], "");
    assert!(dry.status.success() && text(&dry).contains("1 would go back"), "{}", text(&dry));
    assert!(cloud.emails(&format!("{}@example.com", person.id)).is_empty());

    let output = carillon(&["--json", "dlq", "redrive", "dispatch-bulk", "--tenant", &tenant, "--yes"], "");
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(json_lines(&output)[0]["redriven"], 1);
    let outcomes =
        until("it is decided", async || Some(cloud.outcomes(&id).await).filter(|rows| !rows.is_empty()));
    assert!(!outcomes.await.is_empty());
    assert!(list(&["dispatch-bulk", "--tenant", &tenant]).is_empty());
}

#[tokio::test]
async fn failed_first_message_stops_the_redrive_and_the_rest_can_be_deleted() {
    let cloud = Cloud::connect();
    let tenant = unique("tenant");
    let garbage = |at: u32| json!({ "tenant": tenant, "type": "no.job", "at": at }).to_string();
    for at in 0..3 {
        cloud.send("whatsapp", &garbage(at)).await;
    }
    let all = ["whatsapp", "--tenant", tenant.as_str()];
    let found = until("all are put aside", async || list(&all).into_iter().find(|group| group["count"] == 3));
    assert_eq!(found.await["cause"], "unreadable");

    let output =
        carillon(&["--json", "dlq", "redrive", all[0], all[1], all[2], "--watch", "100", "--yes"], "");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let answer = json_lines(&output).remove(0);
    assert_eq!((&answer["redriven"], &answer["left"]), (&json!(1), &json!(2)));
    assert!(answer["stopped"][0]["why"].as_str().unwrap().contains("unreadable"), "{answer}");

    until("all three are there again", async || list(&all).into_iter().find(|group| group["count"] == 3))
        .await;
    let one = json_lines(&carillon(&["--json", "dlq", "peek", all[0], all[1], all[2]], ""));
    let one = one[0]["id"].as_str().unwrap();
    let output = carillon(&["dlq", "discard", "whatsapp", "--id", one, "--yes"], "");
    assert!(output.status.success(), "{}", text(&output));
    until("one is gone", async || list(&all).into_iter().find(|group| group["count"] == 2)).await;
    carillon(&["dlq", "discard", all[0], all[1], all[2], "--yes"], "");
    until("none is left", async || list(&all).is_empty().then_some(())).await;
}

#[tokio::test]
async fn failed_first_message_is_found_among_many_others() {
    let cloud = Cloud::connect();
    let (tenant, others) = (unique("tenant"), unique("tenant"));
    let garbage = |tenant: &str, at: u32| json!({ "tenant": tenant, "type": "no.job", "at": at }).to_string();
    let queue = "sms";
    // A slow answer of the queue can put a message aside twice.
    let both = async || {
        let count = list(&[queue, "--tenant", &tenant]).first()?["count"].as_u64()?;
        (count >= 2).then_some(count)
    };
    for at in 0..2 {
        cloud.send(queue, &garbage(&tenant, at)).await;
    }
    let mut count = until("both are put aside", both).await;
    for at in 0..30 {
        cloud.send(&format!("{queue}-dead-letters"), &garbage(&others, at)).await;
    }

    // The result is the same if the other messages were listed before.
    for look_at in ["20", "100"] {
        let redrive = ["--json", "dlq", "redrive", queue, "--tenant", &tenant, "--look-at", look_at];
        let output = carillon(&[&redrive[..], &["--watch", "100", "--yes"]].concat(), "");
        assert_eq!(output.status.code(), Some(1), "{}", text(&output));
        let answer = json_lines(&output).remove(0);
        assert_eq!((&answer["redriven"], &answer["left"]), (&json!(1), &json!(count - 1)));
        let why = answer["stopped"][0]["why"].as_str().unwrap();
        assert!(why.contains("the first message came back (unreadable)"), "{answer}");
        count = until("both are there again", both).await;
        let there = list(&[queue, "--tenant", &others]);
        assert_eq!(there[0]["count"], 30, "the others are shown to everybody again");
    }
    for tenant in [&tenant, &others] {
        carillon(&["dlq", "discard", queue, "--tenant", tenant, "--yes"], "");
    }
}

#[tokio::test]
async fn redrive_of_a_single_message_is_watched_too() {
    let cloud = Cloud::connect();
    let tenant = unique("tenant");
    cloud.send("push", &json!({ "tenant": tenant, "type": "no.job" }).to_string()).await;
    let all = ["push", "--tenant", tenant.as_str()];
    let there = async || json_lines(&carillon(&["--json", "dlq", "peek", all[0], all[1], all[2]], "")).pop();
    let one = until("it is put aside", there).await;
    let id = one["id"].as_str().unwrap();

    let output = carillon(&["dlq", "redrive", "push", "--id", id, "--watch", "100", "--yes"], "");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("the message came back (unreadable)"), "{}", text(&output));

    until("it is there again", there).await;
    carillon(&["dlq", "discard", all[0], all[1], all[2], "--yes"], "");
}

#[tokio::test]
async fn listing_does_not_count_as_an_attempt() {
    let cloud = Cloud::connect();
    let tenant = unique("tenant");
    cloud.send("webhook-dead-letters", &json!({ "tenant": tenant, "type": "no.job" }).to_string()).await;
    let all = ["webhook", "--tenant", tenant.as_str()];
    for _ in 0..14 {
        list(&all);
    }
    let found = until("it is listed", async || list(&all).pop()).await;
    assert_eq!(found["attempts"], 10, "as often as a queue hands out: {found}");
    carillon(&["dlq", "discard", all[0], all[1], all[2], "--yes"], "");
}

#[test]
fn unknown_message_is_neither_redriven_nor_deleted() {
    for verb in ["redrive", "discard"] {
        for rest in [&["--yes"][..], &[]] {
            let output = carillon(&[&["dlq", verb, "audit", "--id", "nosuch"], rest].concat(), "");
            assert_eq!(output.status.code(), Some(1), "{}", text(&output));
            assert!(
                text(&output).contains("no dead letter of audit with the id \"nosuch\""),
                "{}",
                text(&output)
            );
        }
    }
}

#[test]
fn limit_of_zero_lists_no_message() {
    let output = carillon(&["dlq", "ls", "--look-at", "0"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("--look-at"), "{}", text(&output));
}

#[test]
fn unknown_queue_is_refused_with_the_list_of_queues() {
    let output = carillon(&["dlq", "ls", "letters"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("name one of audit, dispatch,"), "{}", text(&output));
}

fn list(arguments: &[&str]) -> Vec<Value> {
    let arguments: Vec<&str> = ["--json", "dlq", "ls"].iter().chain(arguments).copied().collect();
    json_lines(&carillon(&arguments, ""))
}

/// An event as a rule of the bus sends it to a queue.
fn bus_event(id: &str, kind: &str, tenant: Option<&str>, data: &Value) -> String {
    let mut event = json!({
        "specversion": "1.0", "id": id, "source": "tests", "type": kind, "time": now_text(), "data": data,
    });
    if let Some(tenant) = tenant {
        event["tenant"] = json!(tenant);
    }
    let entry = entry("tests", kind, &event);
    json!({
        "version": "0", "id": unique("bus"), "detail-type": kind, "source": entry.source, "account": "000000000000",
        "time": "2026-11-21T12:00:00Z", "region": "us-east-1", "resources": [],
        "detail": serde_json::from_str::<Value>(&entry.detail).unwrap(),
    })
    .to_string()
}
