//! Encryption at rest and recovery after data loss (HIPAA 164.312(a)(2)(iv), 164.308(a)(7)).

use serde_json::{Map, Value, json};
use workspace::root;

use super::{default_of, deployed, of_type, on_aws, resources, statements};

/// Customer key for data at rest: the stack's own key, the given one, or none.
fn customer_key() -> Value {
    json!({ "Fn::If": [
        "StackKeyAtRest",
        { "Fn::GetAtt": ["DataKey", "Arn"] },
        { "Fn::If": ["GivenKey", { "Ref": "KmsKeyArn" }, { "Ref": "AWS::NoValue" }] }
    ] })
}

/// Key for webhook secrets, which every stack has.
fn secrets_key() -> Value {
    json!({ "Fn::If": ["GivenKey", { "Ref": "KmsKeyArn" }, { "Fn::GetAtt": ["DataKey", "Arn"] }] })
}

/// Checks that a queue is encrypted with the customer key, or with SQS's own key if there is none. SQS accepts only one
/// of the two.
#[track_caller]
pub(super) fn check_queue(name: &str, queue: &Value) {
    if name == "BusDeadLetters" {
        assert_eq!(queue["SqsManagedSseEnabled"], true, "{name}: it gets what the customer key failed for");
        return;
    }
    assert_eq!(queue["SqsManagedSseEnabled"], json!({ "Fn::If": ["AtRestKey", false, true] }), "{name}");
    assert_eq!(queue["KmsMasterKeyId"], customer_key(), "{name}");
    let reuse = queue["KmsDataKeyReusePeriodSeconds"]["Fn::If"][1].as_u64().unwrap();
    assert!((300..=86_400).contains(&reuse), "{name}");
}

#[test]
fn all_data_at_rest_uses_the_same_customer_key() {
    let (resources, key) = (resources(), customer_key());
    let mut seen = Vec::new();
    for (kind, member) in [
        ("AWS::Logs::LogGroup", "KmsKeyId"),
        ("AWS::SecretsManager::Secret", "KmsKeyId"),
        ("AWS::SNS::Topic", "KmsMasterKeyId"),
        ("AWS::Events::EventBus", "KmsKeyIdentifier"),
    ] {
        for (name, properties) in of_type(&resources, kind) {
            assert_eq!(properties[member], key, "{name}");
            seen.push(name);
        }
    }
    for (name, table) in of_type(&resources, "AWS::DynamoDB::Table") {
        assert_eq!(table["SSESpecification"]["KMSMasterKeyId"], key, "{name}");
        seen.push(name);
    }
    assert!(seen.len() >= 15 + 2 + 1 + 1 + 7, "{seen:?}");
    let globals = &super::template()["Globals"]["Function"];
    assert_eq!(globals["KmsKeyArn"], key, "variables of functions hold secrets");
}

#[test]
fn production_encrypts_with_a_customer_key_and_a_first_deployment_needs_none() {
    assert_eq!(deployed("prod", "EncryptWithStackKey").as_deref(), Some("true"));
    assert_eq!((default_of("KmsKeyArn"), default_of("EncryptWithStackKey")), (json!(""), json!("false")));
}

#[test]
fn data_key_is_rotated_and_retained_like_the_tables_that_it_encrypts() {
    let key = &resources()["DataKey"];
    assert_eq!(key["Properties"]["EnableKeyRotation"], true);
    assert_eq!(
        (&key["DeletionPolicy"], &key["UpdateReplacePolicy"]),
        (&json!("RetainExceptOnCreate"), &json!("Retain"))
    );
}

#[test]
fn data_key_administrators_cannot_use_it_and_every_use_is_bound() {
    let resources = resources();
    let policy = resources["DataKey"]["Properties"]["KeyPolicy"]["Statement"].as_array().unwrap();
    let sids: Vec<&str> = policy.iter().map(|statement| statement["Sid"].as_str().unwrap()).collect();
    let expected = [
        "Administer",
        "UseThroughServices",
        "WebhookSecrets",
        "BusEncrypts",
        "RulesSendToQueues",
        "AlarmsNotify",
        "LogsEncrypt",
    ];
    assert_eq!(sids, expected);
    for used in
        ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:ReEncrypt", "kms:*", "kms:CreateGrant"]
    {
        assert!(!policy[0]["Action"].to_string().contains(used), "{used}");
    }
    for statement in &policy[1..] {
        let condition = on_aws(&statement["Condition"]);
        assert_eq!(condition.len(), 1, "{statement}");
        assert!(condition[0].is_object() && condition[0].to_string().len() > 20, "{statement}");
    }
}

#[test]
fn documented_key_policy_equals_that_of_the_stacks_own_key() {
    let page = std::fs::read_to_string(root().join("docs/security/infrastructure.md")).unwrap();
    let documented = page.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let documented: Value = serde_json::from_str(documented).unwrap();
    assert_eq!(documented, written_out(&resources()["DataKey"]["Properties"]["KeyPolicy"]));
}

/// A value of the template as AWS gets it, for production in the account of the documents.
fn written_out(value: &Value) -> Value {
    const NAMES: [(&str, &str); 5] = [
        ("AWS::Partition", "aws"),
        ("AWS::AccountId", "111122223333"),
        ("AWS::Region", "eu-central-1"),
        ("AWS::URLSuffix", "amazonaws.com"),
        ("Environment", "prod"),
    ];
    let name = |wanted: &str| NAMES.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
    match value {
        Value::Array(all) => all.iter().map(written_out).collect(),
        Value::Object(members) => {
            if let Some(text) = members.get("Fn::Sub") {
                let text = text.as_str().unwrap().to_owned();
                let filled = NAMES
                    .iter()
                    .fold(text, |text, (name, value)| text.replace(&format!("${{{name}}}"), value));
                return filled.into();
            }
            if let Some(reference) = members.get("Ref") {
                return name(reference.as_str().unwrap()).unwrap().into();
            }
            if members.contains_key("Fn::If") {
                return written_out(&on_aws(value)[0]);
            }
            members.iter().map(|(name, member)| (name.clone(), written_out(member))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

#[test]
fn roles_use_the_key_only_through_their_tables_and_queues() {
    let resources = resources();
    let granted = &resources["DataKeyUse"]["Properties"];
    let roles: Vec<&str> =
        granted["Roles"].as_array().unwrap().iter().map(|item| item["Ref"].as_str().unwrap()).collect();
    for (name, role) in of_type(&resources, "AWS::IAM::Role") {
        let touches = ["\"dynamodb:", "\"sqs:"].iter().any(|item| role.to_string().contains(item));
        assert_eq!(touches, roles.contains(&name.as_str()), "{name}");
    }
    for statement in granted["PolicyDocument"]["Statement"].as_array().unwrap().iter().flat_map(on_aws) {
        let services = statement["Condition"]["StringEquals"]["kms:ViaService"].as_array().unwrap();
        assert_eq!(services.len(), 2, "DynamoDB and SQS");
        assert!(!statement["Action"].to_string().contains("Encrypt\""), "{statement}");
    }
    for (name, function) in &resources {
        if function["Type"] == "AWS::Serverless::Function" {
            assert_eq!(function["DependsOn"], "DataKeyUse", "{name} could run before it may read");
        }
    }
}

#[test]
fn api_may_encrypt_webhook_secrets_and_only_webhook_decrypts_them() {
    let resources = resources();
    let direct = |action: &str| -> Vec<String> {
        let roles = of_type(&resources, "AWS::IAM::Role");
        let may = roles.iter().filter(|(name, _)| {
            statements(&resources, name)
                .iter()
                .any(|statement| statement["Action"].to_string().contains(action))
        });
        may.map(|(name, _)| name.clone()).collect()
    };
    assert_eq!(direct("\"kms:Encrypt\""), ["ApiRole"]);
    assert_eq!(direct("\"kms:Decrypt\""), ["WebhookRole"]);
    for (role, sid) in [("ApiRole", "EncryptSecrets"), ("WebhookRole", "DecryptSecrets")] {
        let found =
            statements(&resources, role).into_iter().find(|statement| statement["Sid"] == sid).unwrap();
        assert_eq!(found["Resource"], secrets_key());
        let condition = on_aws(&found["Condition"]);
        assert_eq!(
            condition,
            [json!({ "StringEquals": { "kms:EncryptionContext:purpose": "webhook-secret" } })]
        );
    }
    for function in ["ApiFunction", "WebhookFunction"] {
        let variables = &resources[function]["Properties"]["Environment"]["Variables"];
        assert_eq!(variables["SECRETS_KEY"], secrets_key(), "{function}");
    }
}

#[test]
fn tables_can_be_restored_and_are_retained_when_a_stack_is_deleted() {
    for (name, table) in resources_of("AWS::DynamoDB::Table") {
        let properties = &table["Properties"];
        assert_eq!(
            properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true,
            "{name}"
        );
        assert_eq!(
            properties["DeletionProtectionEnabled"]["Fn::If"],
            json!(["IsProd", true, false]),
            "{name}"
        );
        assert_eq!(table["DeletionPolicy"], "RetainExceptOnCreate", "{name}");
        assert_eq!(table["UpdateReplacePolicy"], "Retain", "{name}");
    }
}

#[test]
fn log_retention_is_configurable_and_one_year_in_production() {
    for (name, group) in resources_of("AWS::Logs::LogGroup") {
        assert_eq!(group["Properties"]["RetentionInDays"]["Ref"], "LogRetentionDays", "{name}");
    }
    let days: u32 = deployed("prod", "LogRetentionDays").unwrap().parse().unwrap();
    assert!(days >= 365);
}

fn resources_of(kind: &str) -> Map<String, Value> {
    resources().into_iter().filter(|(_, resource)| resource["Type"] == kind).collect()
}
