//! Concurrency limits of functions within the account.

use serde_json::json;

use super::{default_of, deployed, fed_by, of_type, resources, template};

/// Functions that outside calls or slow endpoints can drive, and dispatch, which must not wait for them.
const BOUNDED: [&str; 4] = ["Api", "Dispatch", "Gateway", "Webhook"];

/// Concurrency that Lambda keeps for functions without a reservation.
/// Source: AWS Lambda Developer Guide, "Configuring reserved concurrency".
const UNRESERVED: u64 = 100;

/// Default concurrency quota of an account.
const QUOTA: u64 = 1_000;

#[test]
fn flood_of_calls_leaves_dispatch_its_concurrency() {
    let resources = resources();
    for (name, function) in of_type(&resources, "AWS::Serverless::Function") {
        let short = name.trim_end_matches("Function");
        let reserved = &function["ReservedConcurrentExecutions"];
        if !BOUNDED.contains(&short) {
            assert!(reserved.is_null(), "{name}: what feeds it bounds it");
            continue;
        }
        let parameter = format!("{short}Concurrency");
        let branches = json!([format!("Bounds{short}"), { "Ref": parameter }, { "Ref": "AWS::NoValue" }]);
        assert_eq!(reserved["Fn::If"], branches, "{name}");
        let bounds = &template()["Conditions"][format!("Bounds{short}")];
        assert_eq!(*bounds, json!({ "Fn::Not": [{ "Fn::Equals": [{ "Ref": parameter }, "0"] }] }), "{name}");
        assert_eq!(default_of(&parameter), 0, "{name}: an account with a quota of 10 takes the stack");
    }
    let given = BOUNDED.map(in_production);
    assert!(given.iter().all(|item| *item > 0), "production bounds all of them");
    assert!(given.iter().sum::<u64>() + UNRESERVED <= QUOTA);
}

#[test]
fn function_concurrency_covers_its_queues() {
    let resources = resources();
    for (name, function) in of_type(&resources, "AWS::Serverless::Function") {
        let short = name.trim_end_matches("Function");
        let fed: u64 = fed_by(&function, "SQS")
            .map(|(_, item)| item["ScalingConfig"]["MaximumConcurrency"].as_u64().unwrap())
            .sum();
        if BOUNDED.contains(&short) {
            assert!(
                in_production(short) >= fed,
                "{name}: what Lambda throttles costs a message one of its receives"
            );
        }
    }
}

fn in_production(function: &str) -> u64 {
    deployed("prod", &format!("{function}Concurrency")).unwrap().parse().unwrap()
}
