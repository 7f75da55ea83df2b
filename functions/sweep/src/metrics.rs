//! CloudWatch metrics: a line in the embedded metric format on standard output.
//!
//! Source: CloudWatch User Guide, "Specification: Embedded metric format".

use std::io::Write as _;

use domain::Timestamp;
use serde_json::json;

use crate::Swept;

const NAMESPACE: &str = "Carillon";

/// Writes the line for alarms and dashboards, under the function's name, and logs the same counts.
pub(crate) fn write(swept: &Swept, function: &str, is_cut: bool, now: Timestamp) {
    tracing::info!(
        code = "SWEEP_RUN",
        pending = swept.pending,
        oldest_seconds = swept.oldest_seconds,
        failed = swept.failed,
        published = swept.published,
        again = swept.again,
        unconfirmed = swept.unconfirmed,
        is_cut,
        "outbox swept"
    );
    // A closed standard output is not an error.
    let _ = writeln!(std::io::stdout(), "{}", line(swept, function, now));
}

fn line(swept: &Swept, function: &str, now: Timestamp) -> String {
    let metric = |name: &str, unit: &str| json!({ "Name": name, "Unit": unit });
    json!({
        "_aws": {
            "Timestamp": now.as_millisecond(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [["Function"]],
                "Metrics": [
                    metric("OutboxPending", "Count"),
                    metric("OutboxOldest", "Seconds"),
                    metric("OutboxFailed", "Count"),
                    metric("OutboxRepublished", "Count"),
                    metric("ReceiptsMissing", "Count"),
                ],
            }],
        },
        "Function": function,
        "OutboxPending": swept.pending,
        "OutboxOldest": swept.oldest_seconds,
        "OutboxFailed": swept.failed,
        "OutboxRepublished": swept.published,
        "ReceiptsMissing": swept.unconfirmed,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_that_is_announced_has_its_value() {
        let swept = Swept { pending: 3, oldest_seconds: 90, ..Swept::default() };
        let line: serde_json::Value =
            serde_json::from_str(&line(&swept, "sweep", Timestamp::UNIX_EPOCH)).unwrap();
        for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap() {
            assert!(line[metric["Name"].as_str().unwrap()].is_u64(), "{metric}");
        }
        assert_eq!((&line["OutboxPending"], &line["OutboxOldest"]), (&json!(3), &json!(90)));
    }
}
