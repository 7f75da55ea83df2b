//! Properties of every queue, rule, role and table in `infra/template.yaml`.

mod access;
mod at_rest;
mod bounds;
mod devices;
mod producers;
mod rights;
mod samconfig;
mod seals;
mod secrets;
mod streams;
mod tokens;
mod transport;

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use workspace::root;

use crate::channel_lists;
use samconfig::{deployed, template};

#[test]
fn every_queue_has_dead_letters_alarms_encryption_and_retention() {
    let resources = resources();
    let queues = of_type(&resources, "AWS::SQS::Queue");
    assert!(queues.len() >= 20);
    for (name, queue) in &queues {
        at_rest::check_queue(name, queue);
        assert_eq!(queue["MessageRetentionPeriod"], 14 * 86_400, "{name}");
        assert_eq!(queue["MaximumMessageSize"], 1024 * 1024, "{name}");
        let watched = |metric: &str| {
            of_type(&resources, "AWS::CloudWatch::Alarm").iter().any(|(_, item)| {
                item["MetricName"] == metric
                    && item["Dimensions"][0]["Value"].to_string().contains(&format!("\"{name}\""))
            })
        };
        if name.ends_with("DeadLetters") {
            assert!(watched("ApproximateNumberOfMessagesVisible"), "{name} has no alarm");
            continue;
        }
        assert!(watched("ApproximateAgeOfOldestMessage"), "{name} has no alarm for its age");
        let dead_letters = name.replace("Queue", "DeadLetters");
        let target = queue["RedrivePolicy"]["deadLetterTargetArn"].to_string();
        assert!(target.contains(&dead_letters), "{name} has dead letters of its own");
        assert_eq!(queue["RedrivePolicy"]["maxReceiveCount"], 10, "{name}: `carillon dlq` counts on it");
        assert!(
            queue["VisibilityTimeout"].as_u64().unwrap() >= 6 * 30,
            "{name}: six times the function's timeout"
        );
    }
}

#[test]
fn every_queue_function_reports_failed_messages_and_every_function_has_a_log_and_a_role() {
    let resources = resources();
    for (name, function) in of_type(&resources, "AWS::Serverless::Function") {
        assert!(function["Timeout"].is_null(), "{name} keeps the 30 s that the queues count on");
        assert!(function["Role"].to_string().contains(&name.replace("Function", "Role")), "{name}");
        let logs = &resources[&name.replace("Function", "Logs")]["Properties"];
        assert!(logs["RetentionInDays"]["Ref"].is_string(), "{name}");
        for (_, properties) in fed_by(&function, "SQS") {
            assert_eq!(properties["FunctionResponseTypes"][0], "ReportBatchItemFailures", "{name}");
            assert!(properties["ScalingConfig"]["MaximumConcurrency"].as_u64().unwrap() >= 2, "{name}");
        }
    }
}

#[test]
fn every_rule_target_has_a_dead_letter_queue_and_only_its_rule_may_send() {
    let resources = resources();
    let policies = of_type(&resources, "AWS::SQS::QueuePolicy");
    for (name, rule) in of_type(&resources, "AWS::Events::Rule") {
        for target in rule["Targets"].as_array().unwrap() {
            let queue = target["Arn"]["Fn::GetAtt"][0].as_str().unwrap();
            let dead_letters = target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0].as_str().unwrap();
            for target in [queue, dead_letters] {
                let allowed = policies.iter().any(|(_, policy)| {
                    let statement = &policy["PolicyDocument"]["Statement"][0];
                    policy["Queues"].to_string().contains(&format!("\"{target}\""))
                        && statement["Resource"].to_string().contains(&format!("\"{target}\""))
                        && statement["Condition"]["ArnEquals"]["aws:SourceArn"].to_string().contains(&name)
                });
                assert!(allowed, "{name} may not send to {target}");
            }
        }
    }
}

#[test]
fn every_table_can_be_restored_and_is_encrypted_and_two_have_a_stream() {
    let resources = resources();
    for (name, table) in of_type(&resources, "AWS::DynamoDB::Table") {
        assert_eq!(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true, "{name}");
        assert_eq!(table["SSESpecification"]["SSEEnabled"], true, "{name}");
        assert_eq!(table["TimeToLiveSpecification"]["AttributeName"], "ttl", "{name}");
        assert_eq!(table["BillingMode"], "PAY_PER_REQUEST", "{name}: idle costs nothing");
        let story = ["EventsTable", "LedgerTable"].contains(&name.as_str());
        assert_eq!(!table["StreamSpecification"].is_null(), story, "{name}");
    }
}

#[test]
fn no_role_has_wildcard_actions_or_resources() {
    let resources = resources();
    for (name, role) in of_type(&resources, "AWS::IAM::Role") {
        assert!(role["ManagedPolicyArns"].is_null(), "{name}: managed policies carry stars");
        let statements = role["Policies"][0]["PolicyDocument"]["Statement"].as_array().unwrap();
        for statement in statements.iter().flat_map(on_aws) {
            assert!(!statement["Action"].to_string().contains('*'), "{name}: {statement}");
            if let Some(but) = statement["NotResource"].as_str() {
                let allowed = EVERYTHING_BUT.contains(&(&name, &statement["Action"].to_string(), but));
                assert!(allowed, "{name}: {statement}");
                continue;
            }
            for resource in on_aws(&statement["Resource"]) {
                assert!(!resource.to_string().contains("\"*\""), "{name}: {statement}");
                assert!(resource.to_string().len() > 10, "{name}: {statement}");
            }
        }
    }
}

/// The one policy statement with `NotResource`. A phone number has no ARN, and IAM offers no other way to name one. SMS
/// may therefore be published to all resources except topics and devices.
/// Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon SNS": `Publish` has the
/// resource type topic, and no condition key for phone numbers.
const EVERYTHING_BUT: [(&str, &str, &str); 1] = [("SmsRole", "\"sns:Publish\"", "arn:*:sns:*:*:*")];

#[test]
fn channel_role_may_call_its_provider_and_no_other() {
    // E-mail may be sent as the configured sender with its configuration set, and may read attachments if a bucket is
    // set.
    let emails = ["ses:SendEmail", "ses:SendEmail", "s3:GetObject", "s3:ListBucket"];
    check_sends("EmailRole", &emails);
    check_sends("PushRole", &["sns:Publish", "sns:DeleteEndpoint", "events:PutEvents"]);
    check_sends("SmsRole", &["sns:Publish", "sms-voice:SendTextMessage", "events:PutEvents"]);
    check_sends("WhatsappRole", &["social-messaging:SendWhatsAppMessage"]);
    check_sends("WebhookRole", &["events:PutEvents"]);
    // A channel without rights of its own calls its provider over HTTPS.
    for name in channel_lists::resources() {
        if !root().join(format!("infra/channels/{}.yaml", name.to_lowercase())).exists() {
            check_sends(&format!("{name}Role"), &[]);
        }
    }
}

#[test]
fn endpoint_management_reads_no_secrets_and_webhook_reads_no_people() {
    let resources = resources();
    let statements = |role: &str| {
        let policy = &resources[role]["Properties"]["Policies"][0]["PolicyDocument"];
        policy["Statement"].as_array().unwrap().iter().flat_map(on_aws).collect::<Vec<_>>()
    };
    let dispatch = statements("DispatchRole");
    let endpoints: Vec<_> = dispatch
        .iter()
        .filter(|statement| statement["Resource"].to_string().contains("EndpointsTable"))
        .collect();
    assert_eq!(endpoints.len(), 1);
    let keys = &endpoints[0]["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
    assert_eq!(*keys, serde_json::json!(["endpoints#*"]));
    for statement in statements("WebhookRole") {
        let resource = statement["Resource"].to_string();
        assert!(
            !["PeopleTable", "EventsTable", "ConnectionsTable"].iter().any(|item| resource.contains(item))
        );
    }
}

#[test]
fn no_origin_is_allowed_on_aws_unless_an_operator_names_it() {
    let text = std::fs::read_to_string(root().join("infra/template.yaml")).unwrap();
    let parameter = text.lines().skip_while(|line| *line != "  WebhookAllow:");
    assert_eq!(parameter.take(4).find(|text| text.contains("Default:")), Some("    Default: \"\""));
}

/// Checks a role's rights beside logs, queues and the ledger, for any parameters.
#[track_caller]
fn check_sends(role: &str, expected: &[&str]) {
    let resources = resources();
    let policy = &resources[role]["Properties"]["Policies"][0]["PolicyDocument"];
    let statements = policy["Statement"].as_array().unwrap().iter().flat_map(on_aws);
    let actions = statements.filter_map(|statement| statement["Action"].as_str().map(str::to_owned));
    assert_eq!(actions.collect::<Vec<_>>(), expected, "{role}");
}

#[test]
fn providers_are_played_on_the_local_cloud_only() {
    for (name, function) in of_type(&resources(), "AWS::Serverless::Function") {
        let variables = function["Environment"]["Variables"].as_object().unwrap();
        for (variable, value) in variables.iter().filter(|(text, _)| text.starts_with("AWS_ENDPOINT_URL")) {
            assert!(on_aws(value).is_empty(), "{name} gets {variable} on AWS");
        }
    }
}

#[test]
fn critical_events_of_the_catalog_equal_those_of_the_critical_lane() {
    let catalog = std::fs::read_to_string(root().join("target/lambda/dispatch/catalog.json")).unwrap();
    let catalog: Value = serde_json::from_str(&catalog).unwrap();
    let rules = catalog["rules"].as_array().unwrap().iter().filter(|item| item["priority"] == "critical");
    let mut types: Vec<String> = rules
        .flat_map(|rule| rule["when"]["detail-type"].as_array().unwrap().clone())
        .map(|item| item.as_str().expect("a critical rule names its types one by one").to_owned())
        .collect();
    types.sort();
    types.dedup();
    let text = std::fs::read_to_string(root().join("infra/template.yaml")).unwrap();
    let line = text
        .lines()
        .skip_while(|line| *line != "  CriticalTypes:")
        .find(|line| line.contains("Default:"))
        .unwrap();
    let listed: Vec<&str> = line.split_once("Default: ").unwrap().1.split(',').collect();
    assert_eq!(types, listed, "write the types of critical rules into the template's CriticalTypes");
}

#[test]
fn api_function_is_reached_only_through_an_authorized_route() {
    let resources = resources();
    let all = of_type(&resources, "AWS::ApiGatewayV2::Route");
    let doors: Vec<_> = all.iter().filter(|(_, route)| route["ApiId"]["Ref"] != "SocketApi").collect();
    let mut found: Vec<String> = doors
        .iter()
        .map(|(_, route)| {
            [&route["ApiId"]["Ref"], &route["RouteKey"], &route["AuthorizationType"]]
                .map(|item| item.as_str().unwrap())
                .join(" ")
        })
        .collect();
    found.sort();
    // functions/api/src/router.rs lists the paths. API Gateway answers the preflight. Unsubscribe links of e-mails need
    // no authorization.
    let expected = [
        "HttpApi ANY /{proxy+} AWS_IAM",
        "HttpApi GET /v1/unsubscribe/{token} NONE",
        "HttpApi HEAD /v1/unsubscribe/{token} NONE",
        "HttpApi POST /v1/unsubscribe/{token} NONE",
        "TokenApi ANY /{proxy+} JWT",
        "TokenApi OPTIONS /{proxy+} NONE",
    ];
    assert_eq!(found, expected);
    let authorizer = &resources["TokenAuthorizer"]["Properties"];
    assert_eq!(authorizer["JwtConfiguration"]["Issuer"]["Ref"], "TokenIssuer");
    assert_eq!(authorizer["JwtConfiguration"]["Audience"][0]["Ref"], "TokenAudience");
    // The function reads the token from the place where API Gateway has verified it.
    assert_eq!(authorizer["IdentitySource"], serde_json::json!(["$request.header.Authorization"]));
    for (name, item) in resources.iter().filter(|(name, _)| name.starts_with("Token")) {
        assert_eq!(item["Condition"], "TakesTokens", "{name}");
    }
}

#[test]
fn feedback_reads_the_default_bus_and_may_record_and_suppress_but_not_send() {
    let resources = resources();
    let rule = &resources["FeedbackRule"]["Properties"];
    assert!(rule["EventBusName"].is_null(), "AWS tells the default bus alone");
    let sources: Vec<&str> = rule["EventPattern"]["$or"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["source"][0].as_str().unwrap())
        .collect();
    assert_eq!(sources, ["aws.ses", "aws.sms-voice", "aws.social-messaging"]);
    let actions = table_actions("FeedbackRole");
    let mut kinds: Vec<&str> = actions.iter().map(|action| action.trim_start_matches("dynamodb:")).collect();
    kinds.dedup();
    let people = ["BatchGetItem", "GetItem", "PutItem", "DeleteItem", "ConditionCheckItem"];
    assert_eq!(
        kinds,
        [&["Query", "GetItem", "UpdateItem", "PutItem", "UpdateItem"][..], &people[..]].concat()
    );
    assert_eq!(
        resources["EmailReceiptsDestination"]["Properties"]["EventDestination"]["EventBridgeDestination"]
            ["EventBusArn"]["Fn::Sub"]
            .as_str()
            .and_then(|item| item.rsplit_once('/'))
            .map(|item| item.1),
        Some("default")
    );
}

#[test]
fn gateway_may_update_ledger_rows_and_neither_read_nor_delete_them() {
    let resources = resources();
    let role = &resources["GatewayRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"];
    let ledger =
        role.as_array().unwrap().iter().find(|items| items["Resource"].to_string().contains("LedgerTable"));
    assert_eq!(ledger.unwrap()["Action"], serde_json::json!(["dynamodb:UpdateItem"]));
}

#[test]
fn every_client_action_has_a_route_and_a_response_on_aws() {
    let resources = resources();
    let routes = of_type(&resources, "AWS::ApiGatewayV2::Route");
    let responses = of_type(&resources, "AWS::ApiGatewayV2::RouteResponse");
    for action in
        ["subscribe", "seen", "acknowledge", "inbox", "counts", "mark", "resume", "ping", "$default"]
    {
        let (name, route) = routes.iter().find(|(_, found)| found["RouteKey"] == action).expect(action);
        assert_eq!(route["RouteResponseSelectionExpression"], "$default", "{action}");
        assert!(
            responses.iter().any(|(_, response)| response["RouteId"]["Ref"] == name.as_str()),
            "{action}"
        );
    }
}

#[test]
fn only_token_routes_are_open_to_the_public() {
    let routes = of_type(&resources(), "AWS::ApiGatewayV2::Route");
    let of_http = routes.iter().filter(|(_, route)| route["ApiId"]["Ref"] == "HttpApi");
    let open: Vec<&str> = of_http
        .filter(|(_, route)| route["AuthorizationType"] == "NONE" || route["AuthorizationType"].is_null())
        .map(|(_, route)| route["RouteKey"].as_str().unwrap())
        .collect();
    let of_the_page = ["GET", "HEAD", "POST"].map(|method| format!("{method} /v1/unsubscribe/{{token}}"));
    assert_eq!(open.into_iter().collect::<BTreeSet<_>>(), of_the_page.iter().map(String::as_str).collect());
}

/// Actions of a role on tables on AWS.
fn table_actions(role: &str) -> Vec<String> {
    let resources = resources();
    let statements = &resources[role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"];
    statements
        .as_array()
        .unwrap()
        .iter()
        .flat_map(on_aws)
        .flat_map(|statement| {
            let one = statement["Action"].as_str().map(str::to_owned);
            let list = statement["Action"].as_array().into_iter().flatten();
            one.into_iter().chain(list.map(|list| list.as_str().unwrap().to_owned())).collect::<Vec<_>>()
        })
        .filter(|text| text.starts_with("dynamodb:"))
        .collect()
}

/// Values that AWS may get: the second branch of an `IsLocal` condition, both branches of other conditions. Empty for
/// `AWS::NoValue`.
fn on_aws(value: &Value) -> Vec<Value> {
    let found = match value["Fn::If"].as_array() {
        Some(branches) if branches[0] == "IsLocal" => vec![branches[2].clone()],
        Some(branches) => vec![branches[1].clone(), branches[2].clone()],
        None => vec![value.clone()],
    };
    found.into_iter().filter(|item| item["Ref"] != "AWS::NoValue").collect()
}

fn of_type(resources: &Map<String, Value>, kind: &str) -> Vec<(String, Value)> {
    let found = resources.iter().filter(|(_, resource)| resource["Type"] == kind);
    let mut found: Vec<_> =
        found.map(|(name, resource)| (name.clone(), resource["Properties"].clone())).collect();
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    found
}

/// Event sources of one kind that a function has: names and properties.
fn fed_by<'a>(function: &'a Value, kind: &'a str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let events = function["Events"].as_object().into_iter().flatten();
    events
        .filter(move |(_, resource)| resource["Type"] == kind)
        .map(|(name, resource)| (name, &resource["Properties"]))
}

/// Resources of the template.
fn resources() -> Map<String, Value> {
    template()["Resources"].as_object().unwrap().clone()
}

/// Default of a parameter.
fn default_of(parameter: &str) -> Value {
    template()["Parameters"][parameter]["Default"].clone()
}

/// All statements of a role's own policy, as AWS may get them.
fn statements(resources: &Map<String, Value>, role: &str) -> Vec<Value> {
    let policy = &resources[role]["Properties"]["Policies"][0]["PolicyDocument"];
    policy["Statement"].as_array().unwrap().iter().flat_map(on_aws).collect()
}
