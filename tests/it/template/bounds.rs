//! How much of the account's concurrency each function may take, and which is its own.

use serde_json::json;

use super::{default_of, deployed, fed_by, of_type, resources, template};

/// The functions that an outsider's calls or slow endpoints can drive, and the one that must not wait for them.
const BOUNDED: [&str; 4] = ["Api", "Dispatch", "Gateway", "Webhook"];

/// Lambda keeps this much of a quota for functions that reserve nothing.
///
/// Source: AWS Lambda Developer Guide, "Configuring reserved concurrency".
const UNRESERVED: u64 = 100;

/// The quota of an account that asked for none.
const QUOTA: u64 = 1_000;

#[test]
fn a_flood_of_calls_leaves_dispatch_its_share_of_the_account() {
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
    assert!(given.iter().all(|it| *it > 0), "production bounds all of them");
    assert!(given.iter().sum::<u64>() + UNRESERVED <= QUOTA);
}

#[test]
fn a_function_is_not_bound_below_what_its_queues_start() {
    let resources = resources();
    for (name, function) in of_type(&resources, "AWS::Serverless::Function") {
        let short = name.trim_end_matches("Function");
        let fed: u64 = fed_by(&function, "SQS")
            .map(|(_, it)| it["ScalingConfig"]["MaximumConcurrency"].as_u64().unwrap())
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
