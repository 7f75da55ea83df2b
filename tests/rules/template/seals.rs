//! Rights to write sealed records and to seal.

use serde_json::{Value, json};

use super::{default_of, deployed, of_type, on_aws, resources};

#[test]
fn only_the_audit_writes_sealed_records_and_no_role_deletes_them() {
    let resources = resources();
    let reads = ["Query", "Scan", "Get", "BatchGet", "Describe", "List"];
    let mut writers = std::collections::BTreeMap::new();
    for (name, role) in of_type(&resources, "AWS::IAM::Role") {
        let statements = role["Policies"][0]["PolicyDocument"]["Statement"].as_array().unwrap();
        for statement in statements
            .iter()
            .flat_map(on_aws)
            .filter(|statement| statement["Resource"].to_string().contains("EventsTable"))
        {
            let listed = statement["Action"].as_array().unwrap().iter().map(|item| item.as_str().unwrap());
            let actions = listed.filter_map(|text| text.strip_prefix("dynamodb:"));
            let writes: Vec<String> = actions
                .filter(|action| !reads.iter().any(|read| action.starts_with(read)))
                .map(str::to_owned)
                .collect();
            writers.entry(name.clone()).or_insert_with(Vec::new).extend(writes);
        }
    }
    writers.retain(|_, text| !text.is_empty());
    let expected = [
        ("AuditRole", vec!["PartiQLInsert", "PartiQLUpdate"]),
        // This right is limited to the marks of entries that the bus refused; another test checks it. Marking a sealed
        // record makes its verification fail.
        ("RelayRole", vec!["UpdateItem"]),
        ("SweepRole", vec!["UpdateItem"]),
    ];
    let expected =
        expected.map(|(name, item)| (name.to_owned(), item.into_iter().map(str::to_owned).collect()));
    assert_eq!(writers, expected.into());
}

#[test]
fn one_function_writes_seals_once_with_a_key_of_its_own() {
    let resources = resources();
    let sealer = &resources["SealRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"];
    let mut rights: Vec<&str> = sealer
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|item| item["Action"].as_array().unwrap())
        .map(|text| text.as_str().unwrap())
        .filter(|text| !text.starts_with("logs:"))
        .collect();
    rights.sort_unstable();
    assert_eq!(rights, ["dynamodb:Query", "kms:Sign", "s3:GetObject", "s3:ListBucket", "s3:PutObject"]);
    for (name, role) in of_type(&resources, "AWS::IAM::Role").iter().filter(|(name, _)| name != "SealRole") {
        let text = role.to_string();
        assert!(!text.contains("kms:Sign") && !text.contains("SealsBucket"), "{name}");
    }
    let bucket = &resources["SealsBucket"]["Properties"];
    assert_eq!(bucket["ObjectLockEnabled"], true);
    let retention = &bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"];
    assert_eq!(retention["Days"]["Ref"], "SealRetentionDays");
    let policy = &resources["SealsBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"];
    let policy = policy.as_array().unwrap();
    assert!(
        policy.iter().all(|statement| statement["Effect"] == "Deny" && statement["Principal"] == "*"),
        "it only takes away"
    );
    let denied = policy.iter().map(|statement| statement["Sid"].as_str().unwrap()).collect::<Vec<_>>();
    let expected = [
        "NobodyDeletes",
        "NobodyWritesButTheSealer",
        "NobodyWritesOver",
        "NobodyWritesUnsigned",
        "NobodyListensIn",
    ];
    assert_eq!(denied, expected);
    assert!(policy[0]["Action"].as_array().unwrap().contains(&Value::from("s3:DeleteObjectVersion")));
    let key = &resources["SealsKey"]["Properties"];
    assert_eq!(
        (&key["KeySpec"], &key["KeyUsage"]),
        (&Value::from("ECC_NIST_P256"), &Value::from("SIGN_VERIFY"))
    );
    let signers = key["KeyPolicy"]["Statement"].as_array().unwrap();
    let signers: Vec<_> =
        signers.iter().filter(|signer| signer["Action"].to_string().contains("kms:Sign\"")).collect();
    assert_eq!(signers.len(), 1);
    let condition = on_aws(&signers[0]["Condition"]);
    assert_eq!(condition.len(), 1);
    let name = resources["SealRole"]["Properties"]["RoleName"]["Fn::Sub"].as_str().unwrap();
    assert_eq!(
        condition[0],
        json!({ "ArnEquals": { "aws:PrincipalArn": {
            "Fn::Sub": format!("arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/{name}")
        } } }),
        "one role by its whole name, and no wildcard"
    );
}

#[test]
fn production_locks_seals_so_that_no_administrator_deletes_them() {
    assert_eq!(deployed("prod", "SealRetentionMode").as_deref(), Some("COMPLIANCE"));
    assert!(
        default_of("SealRetentionDays").as_u64().unwrap() >= 6 * 365,
        "45 CFR 164.316(b)(2)(i): six years"
    );
}

#[test]
fn seals_are_not_encrypted_with_a_deletable_key() {
    let bucket = &resources()["SealsBucket"]["Properties"];
    let rule = &bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0];
    assert_eq!(rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"], "AES256");
    let logs = &bucket["LoggingConfiguration"]["Fn::If"];
    assert_eq!(logs[1]["DestinationBucketName"]["Ref"], "SealsLogBucket");
}
