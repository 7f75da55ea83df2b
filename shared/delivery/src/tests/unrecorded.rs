//! Broadcasts without ledger rows.

use super::*;

#[tokio::test]
async fn broadcast_without_a_record_is_sent_without_a_claim_and_without_an_outcome() {
    let cloud = Cloud::start(|call| call.fine());
    let jobs = [broadcast("one", Some("none"))];
    let (report, asked) = deliver(&cloud, &jobs).await;
    assert_eq!((report.unwrap().returned(), asked), (0, vec!["one".to_owned()]));
    assert_eq!(cloud.count("BatchExecuteStatement"), 0);
}

#[tokio::test]
async fn recorded_jobs_of_the_same_batch_keep_their_claims_and_outcomes() {
    let cloud = Cloud::start(|call| call.fine());
    let jobs = [broadcast("one", Some("none")), broadcast("two", None), body(&json!({ "key": "three" }))];
    let (report, mut asked) = deliver(&cloud, &jobs).await;
    asked.sort();
    assert_eq!((report.unwrap().returned(), asked), (0, ["one", "three", "two"].map(str::to_owned).to_vec()));
    let mut settled: Vec<(String, String)> =
        cloud.settled().into_iter().map(|settlement| (settlement.key, settlement.status)).collect();
    settled.sort();
    assert_eq!(settled, [("three".into(), "sent".into()), ("two".into(), "sent".into())]);
}

#[tokio::test]
async fn broadcast_without_a_record_is_sent_while_the_ledger_cannot_be_asked() {
    let cloud = Cloud::start(|call| match call.operation.as_str() {
        "BatchExecuteStatement" => call.broken(),
        _ => call.fine(),
    });
    let (report, asked) = deliver(&cloud, &[broadcast("one", Some("none"))]).await;
    assert_eq!((report.unwrap().returned(), asked), (0, vec!["one".to_owned()]));
}

fn broadcast(key: &str, record: Option<&str>) -> String {
    let mut content = json!({ "to": { "room": "clinic:7" }, "data": {} });
    if let Some(record) = record {
        content["record"] = record.into();
    }
    body(&json!({ "key": key, "version": 2, "content": { "broadcast": content } }))
}
