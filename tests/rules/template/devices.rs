//! SNS applications and devices that functions may reach.

use serde_json::{Value, json};

use super::{default_of, resources, statements};

/// Statements, and whether each names applications, endpoints, or both.
/// Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon SNS": the four actions
/// have no resource type. SNS refuses `CreatePlatformEndpoint` "on resource: arn:…:app/<platform>/<name>", so the
/// application's ARN decides there. For an action on an endpoint either ARN may decide.
const REACHED: [(&str, &str, &[&str]); 4] = [
    ("PushRole", "Send", &["endpoint"]),
    ("PushRole", "Forget", &["app", "endpoint"]),
    ("ApiRole", "RegisterDevices", &["app"]),
    ("ApiRole", "RefreshDevices", &["app", "endpoint"]),
];

#[test]
fn only_the_named_applications_are_reached() {
    assert_eq!(default_of("PushApplication"), "", "no star over the account");
    let resources = resources();
    for (role, sid, kinds) in REACHED {
        let found =
            statements(&resources, role).into_iter().find(|statement| statement["Sid"] == sid).unwrap();
        let reached = found["Resource"].as_array().unwrap();
        assert_eq!(reached.len(), 4 * kinds.len(), "{role} {sid}");
        for (at, resource) in reached.iter().enumerate() {
            let branches = resource["Fn::If"].as_array().unwrap();
            assert_eq!(branches[2]["Ref"], "AWS::NoValue", "{role} {sid}: nothing that is not named");
            let (kind, names) = (kinds[at / 4], NAMES[at % 4]);
            assert_eq!(branches[0], names.0, "{role} {sid}");
            assert_eq!(branches[1], expected(kind, names.1), "{role} {sid}");
        }
    }
}

/// Conditions, and the parameters that name applications.
const NAMES: [(&str, &str); 4] = [
    ("HasApns", "ApnsApplicationArn"),
    ("HasApnsSandbox", "ApnsSandboxApplicationArn"),
    ("HasFcm", "FcmApplicationArn"),
    ("HasPushApplication", "PushApplication"),
];

fn expected(kind: &str, parameter: &str) -> Value {
    let own = "arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}";
    match (kind, parameter) {
        ("app", "PushApplication") => json!({ "Fn::Sub": format!("{own}:app/*/${{PushApplication}}") }),
        (_, "PushApplication") => json!({ "Fn::Sub": format!("{own}:endpoint/*/${{PushApplication}}/*") }),
        ("app", _) => json!({ "Ref": parameter }),
        (_, _) => {
            let split = json!({ "Fn::Split": [":app/", { "Fn::Sub": format!("${{{parameter}}}/*") }] });
            json!({ "Fn::Join": [":endpoint/", split] })
        }
    }
}
