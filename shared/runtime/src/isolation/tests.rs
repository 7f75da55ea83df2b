use std::cell::RefCell;
use std::time::Duration;

use aws::Verdict;

use super::*;
use crate::Deadline;

/// The log of a test: the messages handled together and the deletes, in order.
#[derive(Default)]
struct Diary(RefCell<Vec<String>>);

#[tokio::test]
async fn a_batch_without_suspects_is_handled_at_once_and_costs_no_call() {
    check(&[("a", 1), ("b", 2), ("c", 1)], &["handle a b c"], "").await;
    check(&[("alone", 9)], &["handle alone"], "").await;
}

#[tokio::test]
async fn suspects_come_last_and_one_by_one_and_what_is_done_is_off_the_queue_by_then() {
    let diary =
        ["handle b d", "delete b", "delete d", "handle a", "delete a", "handle c", "delete c", "handle e"];
    check(&[("a", 3), ("b", 1), ("c", 3), ("d", 2), ("e", 4)], &diary, "").await;
}

#[tokio::test]
async fn crashing_message_affects_no_other() {
    let diary = ["handle x", "delete x", "handle a", "delete a", "handle killer"];
    check(&[("killer", 3), ("a", 3), ("z", 3), ("x", 1)], &diary, "died").await;
    let diary = ["handle z", "delete z", "handle killer"];
    check(&[("killer", 4), ("z", 4)], &diary, "died").await;
}

#[tokio::test]
async fn returned_messages_stay_and_a_failed_part_fails_alone() {
    let diary = ["handle busy x", "delete x", "handle a", "delete a", "handle broken", "handle z"];
    let shown = "busy broken";
    check(&[("broken", 3), ("a", 3), ("z", 4), ("busy", 1), ("x", 1)], &diary, shown).await;
}

#[tokio::test]
async fn parts_after_the_deadline_are_redelivered() {
    let diary = Diary::default();
    let late = batch(&[("a", 3), ("b", 1)], Deadline::at_millis(0));
    let report =
        run_isolated(late, &async |batch| diary.handle(batch).await, &async |_: &str, handle: &str| {
            diary.delete(handle)
        })
        .await;
    assert_eq!(shown(&report.unwrap()), "b a");
    assert!(diary.0.borrow().is_empty());
}

#[tokio::test]
async fn each_part_claims_under_a_name_of_its_own() {
    let names = RefCell::new(Vec::new());
    let handle = async |batch: Batch| {
        names.borrow_mut().push(batch.request_id);
        Ok(Report::default())
    };
    let batch = batch(&[("a", 3), ("b", 1), ("c", 3)], Deadline::at_millis(u64::MAX));
    run_isolated(batch, &handle, &async |_: &str, _: &str| Ok(())).await.unwrap();
    assert_eq!(*names.borrow(), ["request#0", "request#1", "request#2"]);
}

/// `outcome` names the redelivered messages, or says that the function `died`.
async fn check(messages: &[(&str, u32)], expected: &[&str], outcome: &str) {
    let diary = Diary::default();
    let batch = batch(messages, Deadline::at_millis(u64::MAX));
    let handle = async |batch| diary.handle(batch).await;
    let delete = async |_: &str, handle: &str| diary.delete(handle);
    let taken_up = run_isolated(batch, &handle, &delete);
    let found = match tokio::time::timeout(Duration::from_millis(50), taken_up).await {
        Ok(report) => shown(&report.unwrap()),
        Err(_) => "died".to_owned(),
    };
    assert_eq!(*diary.0.borrow(), expected);
    assert_eq!(found, outcome);
}

fn batch(messages: &[(&str, u32)], deadline: Deadline) -> Batch {
    let message = |(id, receives): &(&str, u32)| {
        let attributes = serde_json::json!({ "ApproximateReceiveCount": receives.to_string() });
        let message =
            serde_json::json!({ "messageId": id, "receiptHandle": id, "body": "", "attributes": attributes });
        serde_json::from_value(message).unwrap()
    };
    Batch { messages: messages.iter().map(message).collect(), request_id: "request".to_owned(), deadline }
}

impl Diary {
    /// Handles messages by their ids: some crash, some are returned, one fails the batch.
    async fn handle(&self, batch: Batch) -> Result<Report, Error> {
        let ids: Vec<&str> = batch.messages.iter().map(|message| message.message_id.as_str()).collect();
        self.0.borrow_mut().push(format!("handle {}", ids.join(" ")));
        let mut report = Report::default();
        for message in &batch.messages {
            match message.message_id.as_str() {
                "killer" => std::future::pending().await,
                "busy" => report.redeliver(message),
                "broken" => return Err("out of order".into()),
                _ => {}
            }
        }
        Ok(report)
    }

    /// The delete of one message always fails.
    fn delete(&self, receipt_handle: &str) -> Result<(), CallError> {
        self.0.borrow_mut().push(format!("delete {receipt_handle}"));
        let refused = || CallError { doing: "delete", verdict: Verdict::Transient, source: "busy".into() };
        if receipt_handle == "z" { Err(refused()) } else { Ok(()) }
    }
}

fn shown(report: &Report) -> String {
    let text = serde_json::to_value(report).unwrap();
    let ids = text["batchItemFailures"].as_array().unwrap().iter();
    ids.map(|ids| ids["itemIdentifier"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
}
