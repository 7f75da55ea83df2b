//! Rights to publish, and the sources and types that they are bound to.

use serde_json::{Map, Value, json};

use super::{of_type, on_aws, resources};

const OWN: [&str; 2] = ["carillon", "carillon/*"];

#[test]
fn every_right_to_publish_is_bound_to_sources_and_types() {
    let resources = resources();
    let mut found: Vec<(String, Vec<String>, Vec<String>)> = Vec::new();
    for (role, condition) in publishers(&resources) {
        let values = |operator: &str, key: &str| texts(&condition[operator][key]);
        let null = &on_aws(&condition["Null"])[0];
        assert_eq!(null, &json!({ "events:source": "false", "events:detail-type": "false" }), "{role}");
        let sources = values("ForAllValues:StringEquals", "events:source");
        let types = values("ForAllValues:StringLike", "events:detail-type");
        if sources.is_empty() {
            let denied = values("ForAllValues:StringNotLike", "events:source");
            assert!(OWN.iter().all(|item| denied.contains(&(*item).to_owned())), "{role}: {denied:?}");
            let denied = values("ForAllValues:StringNotLike", "events:detail-type");
            assert!(denied.contains(&"communication.sent".to_owned()), "{role}: {denied:?}");
            continue;
        }
        assert!(!types.is_empty() && !types.contains(&"*".to_owned()), "{role}: {types:?}");
        found.push((role, sources, types));
    }
    found.sort();
    let own = |role: &str, source: &str, types: &[&str]| {
        (
            role.to_owned(),
            vec![source.to_owned()],
            types.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>(),
        )
    };
    assert_eq!(
        found,
        [
            own(
                "ApiRole",
                "carillon/api",
                &["carillon.api.*", "preference.unsubscribed", "recipient.address_changed"],
            ),
            own("PeopleRole", "carillon/people", &["recipient.address_changed"]),
            own("PushRole", "carillon/push", &["carillon.device.unregistered"]),
            own("RelayRole", "carillon/relay", &["carillon.delivery.*", "communication.sent"]),
            own("SmsRole", "carillon/sms", &["carillon.recipient.opted_out"]),
            own("WebhookRole", "carillon/webhook", &["carillon.endpoint.*"]),
        ]
    );
}

#[test]
fn only_the_api_publishes_under_the_sources_of_tenants_and_programs() {
    for (role, condition) in publishers(&resources()) {
        let denied = texts(&condition["ForAllValues:StringNotLike"]["events:source"]);
        if !denied.is_empty() && role != "ApiRole" {
            for source in ["/api", "/api/*", "/tenants/*"] {
                assert!(denied.contains(&source.to_owned()), "{role} may publish as {source}");
            }
        }
    }
}

#[test]
fn bus_denies_reserved_sources_to_every_principal_but_our_roles() {
    let resources = resources();
    let policy = &resources["ReservedSources"];
    assert_eq!(policy["Condition"], "OnAws");
    let statement = &policy["Properties"]["Statement"];
    assert_eq!((&statement["Effect"], &statement["Principal"]), (&json!("Deny"), &json!("*")));
    let denied = texts(&statement["Condition"]["ForAnyValue:StringLike"]["events:source"]);
    let own =
        ["carillon", "carillon/api", "carillon/people", "carillon/push", "carillon/relay", "carillon/sms"];
    let other = ["carillon/webhook", "/carillon/digest", "/api", "/api/*", "/tenants/*"];
    for source in own.iter().chain(&other) {
        assert!(denied.contains(&(*source).to_owned()), "{source}");
    }
    // An exception for some sources would let a call with one of them include entries of all others.
    assert_eq!(statement["Condition"].as_object().unwrap().len(), 2, "{statement}");
    let but = &statement["Condition"]["ArnNotEquals"]["aws:PrincipalArn"];
    let mut spared: Vec<String> = but
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["Fn::GetAtt"][0].as_str().unwrap().to_owned())
        .collect();
    spared.sort();
    // The sweep publishes producers' outbox entries under the producers' sources.
    let mut publishers: Vec<String> =
        publishers(&resources).into_iter().map(|(role, _)| role).filter(|item| item != "SweepRole").collect();
    publishers.sort();
    publishers.dedup();
    assert_eq!(spared, publishers);
    let operators = &resources["OperatorSources"]["Properties"]["Statement"];
    assert_eq!(
        texts(&operators["Condition"]["ForAnyValue:StringEquals"]["events:source"]),
        ["carillon/cli", "carillon/replay"]
    );
    assert_eq!(resources["OperatorSources"]["Condition"], "OnAws", "also where no operator is named");
    let types = &resources["ReservedTypes"]["Properties"]["Statement"];
    assert_eq!(types["Condition"]["ArnNotEquals"], statement["Condition"]["ArnNotEquals"]);
    let types = texts(&types["Condition"]["ForAnyValue:StringLike"]["events:detail-type"]);
    for kind in ["communication.sent", "preference.unsubscribed", "recipient.address_changed"] {
        assert!(types.contains(&kind.to_owned()), "{kind}");
    }
    assert_eq!(operators["Effect"], "Deny");
}

#[test]
fn updates_of_people_come_only_from_listed_sources_and_our_own() {
    let pattern = &resources()["PeopleRule"]["Properties"]["EventPattern"];
    let branches = pattern["$or"].as_array().unwrap();
    let sources: Vec<&Value> = branches.iter().map(|branch| &branch["source"]).collect();
    assert_eq!(
        sources,
        [&json!([{ "prefix": "carillon/" }]), &json!({ "Ref": "PeopleSources" }), &json!(["carillon/push"])]
    );
}

#[test]
fn event_priority_opens_the_critical_lane_only_for_listed_sources_and_the_api() {
    let pattern = &resources()["DispatchCriticalRule"]["Properties"]["EventPattern"];
    for branch in pattern["$or"].as_array().unwrap().iter().filter(|item| !item["detail"].is_null()) {
        let source = &branch["source"];
        let is_listed = source["Ref"] == "CriticalSources";
        let is_api = *source == json!(["/api", { "prefix": "/api/" }, { "prefix": "/tenants/" }]);
        assert!(is_listed || is_api, "{branch}");
    }
}

#[test]
fn documented_policies_are_json_and_bind_the_source() {
    let text = std::fs::read_to_string(workspace::root().join("docs/security/producers.md")).unwrap();
    let blocks: Vec<&str> =
        text.split("```json\n").skip(1).map(|part| part.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 3, "a producer's policy, an operator's, and one for another account");
    for block in blocks {
        let policy: Value = serde_json::from_str(block).unwrap_or_else(|error| panic!("{error}:\n{block}"));
        assert_eq!(policy["Version"], "2012-10-17");
        for statement in policy["Statement"].as_array().unwrap() {
            assert_eq!(statement["Action"], "events:PutEvents", "{block}");
            assert!(statement["Condition"].to_string().contains("events:source"), "{block}");
        }
    }
    let policies: Vec<&str> =
        text.split("```yaml\n").skip(1).map(|part| part.split("```").next().unwrap()).collect();
    assert!(!policies.is_empty());
    for policy in policies {
        let hello = "- rule: hello\n  when: { detail-type: [t] }\n  to: $.data.to\n  channels: [socket]\n  template: hello\n";
        let files =
            [("policy.yaml", policy), ("rules/r.yaml", hello), ("templates/hello/en/socket.json", "{}")];
        let files = files.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
        let problems = catalog::compile_files(files).err().unwrap_or_default();
        let about: Vec<String> = problems
            .iter()
            .filter(|problem| problem.file == "policy.yaml")
            .map(ToString::to_string)
            .collect();
        assert!(about.is_empty(), "{policy}\n{about:?}");
    }
}

/// Every right to put events on our bus: the role and the statement's condition, as on AWS.
fn publishers(resources: &Map<String, Value>) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for (name, role) in of_type(resources, "AWS::IAM::Role") {
        let statements = role["Policies"][0]["PolicyDocument"]["Statement"].as_array().unwrap();
        let publish = |value: &Value| value["Action"].to_string().contains("events:PutEvents");
        for statement in statements.iter().flat_map(on_aws).filter(publish) {
            assert!(statement["Condition"].is_object(), "{name} may publish anything: {statement}");
            found.push((name.clone(), statement["Condition"].clone()));
        }
    }
    assert!(found.len() >= 8, "{found:?}");
    found
}

/// The strings of one string or a list.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(all) => all.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    }
}
