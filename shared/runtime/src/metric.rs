//! CloudWatch metrics: lines in the embedded metric format on standard output.
//!
//! Source: CloudWatch User Guide, "Specification: Embedded metric format".

use std::io::Write as _;

use domain::Timestamp;
use serde_json::json;

const NAMESPACE: &str = "Carillon";

/// Writes counts by metric name, under the function's name, for alarms. Writes no line if every count is
/// 0.
pub fn count(counts: &[(&str, u64)], function: &str, now: Timestamp) {
    if let Some(line) = line(counts, function, now) {
        // A closed standard output is not an error.
        let _ = writeln!(std::io::stdout(), "{line}");
    }
}

fn line(counts: &[(&str, u64)], function: &str, now: Timestamp) -> Option<String> {
    let counts: Vec<&(&str, u64)> = counts.iter().filter(|(_, count)| *count > 0).collect();
    if counts.is_empty() {
        return None;
    }
    let metrics: Vec<_> = counts.iter().map(|(name, _)| json!({ "Name": name, "Unit": "Count" })).collect();
    let mut line = json!({
        "_aws": {
            "Timestamp": now.as_millisecond(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE, "Dimensions": [["Function"]], "Metrics": metrics,
            }],
        },
        "Function": function,
    });
    for (name, count) in counts {
        line[*name] = (*count).into();
    }
    Some(line.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

    #[test]
    fn line_holds_every_count_that_is_not_zero() {
        let line: Value =
            serde_json::from_str(&line(&[("Over", 3), ("None", 0)], "f", NOON).unwrap()).unwrap();
        assert_eq!((&line["Function"], &line["Over"]), (&json!("f"), &json!(3)));
        assert_eq!(line["_aws"]["Timestamp"], 1_795_000_000_000_i64);
        let metrics = &line["_aws"]["CloudWatchMetrics"][0]["Metrics"];
        assert_eq!(*metrics, json!([{ "Name": "Over", "Unit": "Count" }]));
    }

    #[test]
    fn zero_counts_write_no_metric() {
        assert_eq!(line(&[("Over", 0)], "f", NOON), None);
    }
}
