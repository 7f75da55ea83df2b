//! Rights to append to and publish from streams, and the handling of unprocessable stream records.

use serde_json::Value;

use super::{fed_by, of_type, resources, table_actions};

#[test]
fn audit_may_only_append_and_acknowledge() {
    assert_eq!(table_actions("AuditRole"), ["dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate"]);
    let may_write = attributes("AuditRole", "Acknowledge");
    assert!(may_write.iter().any(|item| item == "pending"));
    for kept in ["event", "version", "detail"] {
        assert!(!may_write.iter().any(|item| item == kept), "{kept}");
    }
}

#[test]
fn publishers_may_mark_refused_entries_and_change_no_event() {
    for role in ["RelayRole", "SweepRole"] {
        assert_eq!(
            attributes(role, "MarkRefused"),
            ["pk", "sk", "pending", "failed_at", "failed_because"],
            "{role}"
        );
    }
}

/// Attributes to which a role's statement is limited.
fn attributes(role: &str, sid: &str) -> Vec<String> {
    let resources = resources();
    let statements = &resources[role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"];
    let statement = statements.as_array().unwrap().iter().find(|items| items["Sid"] == sid).unwrap();
    let listed = &statement["Condition"]["ForAllValues:StringEquals"]["dynamodb:Attributes"];
    listed.as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

#[test]
fn stream_records_have_limited_retries_and_failures_are_kept() {
    let resources = resources();
    let mut streams = 0;
    for (name, function) in of_type(&resources, "AWS::Serverless::Function") {
        for (event, mapping) in fed_by(&function, "DynamoDB") {
            streams += 1;
            assert_eq!(mapping["StartingPosition"], "TRIM_HORIZON", "{name} {event}: nothing is missed");
            assert_eq!(mapping["BisectBatchOnFunctionError"], true, "{name} {event}");
            assert!((1..=100).contains(&mapping["MaximumRetryAttempts"].as_i64().unwrap()), "{name} {event}");
            assert!(
                (60..=86_400).contains(&mapping["MaximumRecordAgeInSeconds"].as_i64().unwrap()),
                "{name} {event}"
            );
            assert!(mapping["DestinationConfig"]["OnFailure"]["Destination"].is_object(), "{name} {event}");
            let pattern = mapping["FilterCriteria"]["Filters"][0]["Pattern"].as_str().unwrap();
            assert!(
                serde_json::from_str::<Value>(pattern).unwrap()["dynamodb"]["NewImage"].is_object(),
                "{pattern}"
            );
        }
    }
    assert_eq!(streams, 2);
}
