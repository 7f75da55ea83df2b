//! Functions that get each secret of the stack.

use serde_json::Value;

use crate::channel_lists;

use super::{of_type, resources};

#[test]
fn stack_creates_link_keys_and_gives_them_to_their_functions_only() {
    let resources = resources();
    let secret = &resources["UnsubscribeKeys"]["Properties"];
    assert!(secret["SecretString"].is_null(), "no secret stands in the template");
    assert!(secret["GenerateSecretString"]["PasswordLength"].as_u64().unwrap() >= 32);
    let functions = of_type(&resources, "AWS::Serverless::Function");
    let knowing =
        functions.iter().filter(|(_, resource)| resource.to_string().contains("${UnsubscribeKeys}"));
    let names: Vec<&str> = knowing.map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["ApiFunction", "DispatchFunction"], "who reads links, and who makes them");
}

#[test]
fn functions_that_hash_addresses_get_the_stacks_secret_and_channels_do_not() {
    let resources = resources();
    let reads = |name: &str| resources[name].to_string().contains("${StackSecret}");
    assert!(reads("DispatchFunction") && reads("FeedbackFunction"));
    for channel in channel_lists::resources() {
        let name = format!("{channel}Function");
        assert!(resources.contains_key(&name) && !reads(&name), "jobs bring their hashes to {channel}");
    }
}

#[test]
fn people_may_publish_changed_addresses_only() {
    let resources = resources();
    let statements = &resources["PeopleRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"];
    let puts =
        statements.as_array().unwrap().iter().filter(|item| item["Action"].to_string().contains("PutEvents"));
    let puts: Vec<&Value> = puts.collect();
    assert_eq!(puts.len(), 1);
    let condition = &puts[0]["Condition"];
    assert_eq!(condition["ForAllValues:StringEquals"]["events:source"], "carillon/people");
    assert_eq!(condition["ForAllValues:StringLike"]["events:detail-type"], "recipient.address_changed");
    assert_eq!(condition["Null"]["Fn::If"][1]["events:source"], "false", "absent keys do not pass");
    assert_eq!(puts[0]["Resource"]["Fn::GetAtt"], serde_json::json!(["Bus", "Arn"]));
}
