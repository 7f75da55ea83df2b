//! Claim statuses and the worker's reaction to each.

use super::*;

#[tokio::test]
async fn held_claim_is_redelivered_without_a_send() {
    let cloud = Cloud::start(|call| found(call, "claimed", 60));
    let (report, asked) = deliver(&cloud, &[body(&json!({ "key": "one" }))]).await;
    assert_eq!((report.unwrap().returned(), asked.len()), (1, 0));
    assert!(cloud.settled().is_empty(), "nothing is written over their claim");
}

#[tokio::test]
async fn finished_notification_is_deleted_without_a_send() {
    let cloud = Cloud::start(|call| found(call, "sent", -60));
    let (report, asked) = deliver(&cloud, &[body(&json!({ "key": "one" }))]).await;
    assert_eq!((report.unwrap().returned(), asked.len()), (0, 0));
}

#[tokio::test]
async fn abandoned_claim_is_resent_or_unknown_by_policy() {
    for (on_unknown, expected, sends) in [("resend", "sent", 1), ("hold", "unknown", 0)] {
        let cloud = Cloud::start(|call| found(call, "claimed", -60));
        let job = body(&json!({ "key": "one", "on_unknown": on_unknown }));
        let (report, asked) = deliver(&cloud, &[job]).await;
        assert_eq!((report.unwrap().returned(), asked.len()), (0, sends), "{on_unknown}");
        // The takeover is an update too.
        assert_eq!(cloud.settled().last().unwrap().status, expected);
    }
}

#[tokio::test]
async fn expired_job_is_not_sent() {
    let cloud = Cloud::start(Call::fine);
    let job = body(&json!({ "key": "one", "expires_at": "2020-01-01T00:00:00Z" }));
    let (report, asked) = deliver(&cloud, &[job]).await;
    assert_eq!((report.unwrap().returned(), asked.len()), (0, 0));
    let settled = cloud.settled();
    let outcome = (settled[0].status.as_str(), settled[0].reason.as_deref());
    assert_eq!(outcome, ("suppressed", Some("expired")));
}

#[tokio::test]
async fn unsettled_send_is_redelivered() {
    let cloud = Cloud::start(|call| match call.operation.as_str() {
        "BatchExecuteStatement" if !call.is_claim() => call.broken(),
        _ => call.fine(),
    });
    let (report, asked) = deliver(&cloud, &[body(&json!({ "key": "one" }))]).await;
    assert_eq!((report.unwrap().returned(), asked.len()), (1, 1));
}

/// The key exists with this status. Its lease ends in `lease` seconds.
pub(super) fn found(call: &Call, status: &str, lease: i64) -> (u16, Value) {
    match call.operation.as_str() {
        "BatchExecuteStatement" if call.is_claim() => {
            let taken = json!({ "Error": { "Code": "DuplicateItem", "Message": "it is there" } });
            (200, json!({ "Responses": [taken] }))
        }
        "GetItem" => {
            let until = now() + jiff::SignedDuration::from_secs(lease);
            let row = json!({
                "status": { "S": status }, "claim_token": { "S": "somebody" }, "attempts": { "N": "1" },
                "lease_until": { "N": until.as_millisecond().to_string() },
                "claimed_at": { "S": (now() - jiff::SignedDuration::from_secs(30)).to_string() },
            });
            (200, json!({ "Item": row }))
        }
        _ => call.fine(),
    }
}
