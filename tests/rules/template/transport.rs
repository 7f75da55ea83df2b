//! TLS on every way in and out (HIPAA 164.312(e)).

use serde_json::{Value, json};

use super::{default_of, of_type, on_aws, resources};

#[test]
fn queues_refuse_requests_without_tls() {
    let resources = resources();
    let policies = of_type(&resources, "AWS::SQS::QueuePolicy");
    for (name, _) in of_type(&resources, "AWS::SQS::Queue") {
        let reference = json!({ "Ref": name });
        let of_queue: Vec<&Value> = policies
            .iter()
            .map(|(_, policy)| policy)
            .filter(|policy| policy["Queues"].as_array().unwrap().contains(&reference))
            .collect();
        assert_eq!(of_queue.len(), 1, "{name}: a second policy takes the first one's place");
        let statements = of_queue[0]["PolicyDocument"]["Statement"].as_array().unwrap();
        let denied = statements.iter().flat_map(on_aws).any(|item| denies_plain(&item, "sqs:*", &name));
        assert!(denied, "{name}");
    }
    for (name, policy) in policies {
        // Source: Amazon SQS Developer Guide, "Policy quotas".
        let bytes =
            policy["PolicyDocument"].to_string().len() + 60 * policy["Queues"].as_array().unwrap().len();
        assert!(bytes < 8_192, "{name}: {bytes} bytes; SQS takes 8,192");
    }
}

#[test]
fn buckets_refuse_requests_without_tls() {
    let resources = resources();
    let policies = of_type(&resources, "AWS::S3::BucketPolicy");
    for (name, bucket) in of_type(&resources, "AWS::S3::Bucket") {
        let mut of_bucket = policies.iter().filter(|(_, policy)| policy["Bucket"]["Ref"] == name.as_str());
        let (_, policy) = of_bucket.next().expect(&name);
        let statements = policy["PolicyDocument"]["Statement"].as_array().unwrap();
        assert!(statements.iter().any(|statement| denies_plain(statement, "s3:*", &name)), "{name}");
        let blocked = bucket["PublicAccessBlockConfiguration"].as_object().unwrap();
        assert!(blocked.len() == 4 && blocked.values().all(|item| *item == true), "{name}");
    }
}

/// Whether a statement denies all principals access to a resource over plain HTTP.
fn denies_plain(statement: &Value, action: &str, resource: &str) -> bool {
    let actions = statement["Action"].to_string();
    statement["Effect"] == "Deny"
        && statement["Principal"] == "*"
        && actions.trim_matches(['[', ']']) == format!("\"{action}\"")
        && statement["Resource"].to_string().contains(&format!("\"{resource}"))
        && statement["Condition"] == json!({ "Bool": { "aws:SecureTransport": "false" } })
}

#[test]
fn email_requires_tls_unless_an_operator_disables_it() {
    let set = &resources()["EmailReceipts"]["Properties"];
    assert_eq!(set["DeliveryOptions"]["TlsPolicy"]["Ref"], "EmailTls");
    assert_eq!(default_of("EmailTls"), "REQUIRE");
}
