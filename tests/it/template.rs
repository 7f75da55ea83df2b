//! What must hold for every queue, rule and role.

mod access;
mod at_rest;
mod bounds;
mod devices;
mod producers;
mod rights;
mod seals;
mod secrets;
mod streams;
mod tokens;
mod transport;

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::{Map, Value};

use crate::channel_lists;
use crate::cloud::root;

#[test]
fn every_queue_has_dead_letters_alarms_encryption_and_time() {
    let resources = resources();
    let queues = of_type(&resources, "AWS::SQS::Queue");
    assert!(queues.len() >= 20);
    for (name, queue) in &queues {
        at_rest::check_queue(name, queue);
        assert_eq!(queue["MessageRetentionPeriod"], 14 * 86_400, "{name}");
        assert_eq!(queue["MaximumMessageSize"], 1024 * 1024, "{name}");
        let watched = |metric: &str| {
            of_type(&resources, "AWS::CloudWatch::Alarm").iter().any(|(_, it)| {
                it["MetricName"] == metric
                    && it["Dimensions"][0]["Value"].to_string().contains(&format!("\"{name}\""))
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
fn every_queue_function_reports_each_failed_message_and_every_function_has_its_log_and_role() {
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
fn every_rule_target_keeps_what_it_cannot_deliver_and_only_its_rule_may_send() {
    let resources = resources();
    let policies = of_type(&resources, "AWS::SQS::QueuePolicy");
    for (name, rule) in of_type(&resources, "AWS::Events::Rule") {
        for target in rule["Targets"].as_array().unwrap() {
            let queue = target["Arn"]["Fn::GetAtt"][0].as_str().unwrap();
            let dead_letters = target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0].as_str().unwrap();
            for it in [queue, dead_letters] {
                let allowed = policies.iter().any(|(_, policy)| {
                    let statement = &policy["PolicyDocument"]["Statement"][0];
                    policy["Queues"].to_string().contains(&format!("\"{it}\""))
                        && statement["Resource"].to_string().contains(&format!("\"{it}\""))
                        && statement["Condition"]["ArnEquals"]["aws:SourceArn"].to_string().contains(&name)
                });
                assert!(allowed, "{name} may not send to {it}");
            }
        }
    }
}

#[test]
fn every_table_can_be_restored_and_is_encrypted_and_the_two_that_tell_a_story_have_a_stream() {
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
fn no_role_may_do_everything_or_anything_everywhere() {
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

/// The one right that names what it does not allow: a phone number has no ARN, and IAM has no other word for it. So
/// texts may be published to whatever is no topic and no device.
///
/// Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon SNS": `Publish` has the
/// resource type topic, and no condition key for phone numbers.
const EVERYTHING_BUT: [(&str, &str, &str); 1] = [("SmsRole", "\"sns:Publish\"", "arn:*:sns:*:*:*")];

#[test]
fn a_channel_may_ask_its_provider_and_no_other() {
    // As its sender and with its configuration set; the files of letters, if there are any.
    let letters = ["ses:SendEmail", "ses:SendEmail", "s3:GetObject", "s3:ListBucket"];
    check_sends("EmailRole", &letters);
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
fn who_decides_about_endpoints_reads_no_secrets_and_who_signs_reads_no_people() {
    let resources = resources();
    let statements = |role: &str| {
        let policy = &resources[role]["Properties"]["Policies"][0]["PolicyDocument"];
        policy["Statement"].as_array().unwrap().iter().flat_map(on_aws).collect::<Vec<_>>()
    };
    let dispatch = statements("DispatchRole");
    let endpoints: Vec<_> =
        dispatch.iter().filter(|it| it["Resource"].to_string().contains("EndpointsTable")).collect();
    assert_eq!(endpoints.len(), 1);
    let keys = &endpoints[0]["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
    assert_eq!(*keys, serde_json::json!(["endpoints#*"]));
    for it in statements("WebhookRole") {
        let resource = it["Resource"].to_string();
        assert!(!["PeopleTable", "EventsTable", "ConnectionsTable"].iter().any(|it| resource.contains(it)));
    }
}

#[test]
fn no_origin_is_allowed_on_aws_unless_an_operator_names_it() {
    let text = std::fs::read_to_string(root().join("infra/template.yaml")).unwrap();
    let parameter = text.lines().skip_while(|line| *line != "  WebhookAllow:");
    assert_eq!(parameter.take(4).find(|it| it.contains("Default:")), Some("    Default: \"\""));
}

/// What a role may do beside logs, queues and the ledger, whatever the parameters are.
#[track_caller]
fn check_sends(role: &str, expected: &[&str]) {
    let resources = resources();
    let policy = &resources[role]["Properties"]["Policies"][0]["PolicyDocument"];
    let statements = policy["Statement"].as_array().unwrap().iter().flat_map(on_aws);
    let actions = statements.filter_map(|statement| statement["Action"].as_str().map(str::to_owned));
    assert_eq!(actions.collect::<Vec<_>>(), expected, "{role}");
}

#[test]
fn services_are_played_on_the_local_cloud_only() {
    for (name, function) in of_type(&resources(), "AWS::Serverless::Function") {
        let variables = function["Environment"]["Variables"].as_object().unwrap();
        for (variable, value) in variables.iter().filter(|(it, _)| it.starts_with("AWS_ENDPOINT_URL")) {
            assert!(on_aws(value).is_empty(), "{name} gets {variable} on AWS");
        }
    }
}

#[test]
fn what_the_catalog_calls_critical_is_what_the_critical_lane_listens_for() {
    let catalog = std::fs::read_to_string(root().join("target/lambda/dispatch/catalog.json")).unwrap();
    let catalog: Value = serde_json::from_str(&catalog).unwrap();
    let rules = catalog["rules"].as_array().unwrap().iter().filter(|item| item["priority"] == "critical");
    let mut types: Vec<String> = rules
        .flat_map(|rule| rule["when"]["detail-type"].as_array().unwrap().clone())
        .map(|it| it.as_str().expect("a critical rule names its types one by one").to_owned())
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
fn nobody_comes_to_the_api_but_through_a_door() {
    let resources = resources();
    let all = of_type(&resources, "AWS::ApiGatewayV2::Route");
    let doors: Vec<_> = all.iter().filter(|(_, it)| it["ApiId"]["Ref"] != "SocketApi").collect();
    let mut found: Vec<String> = doors
        .iter()
        .map(|(_, it)| {
            [&it["ApiId"]["Ref"], &it["RouteKey"], &it["AuthorizationType"]]
                .map(|it| it.as_str().unwrap())
                .join(" ")
        })
        .collect();
    found.sort();
    // Which paths there are is in functions/api/src/router.rs. The preflight is answered by API Gateway.
    // Nobody signs what the link of a letter asks for.
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
    // The function reads the token from where API Gateway has checked it.
    assert_eq!(authorizer["IdentitySource"], serde_json::json!(["$request.header.Authorization"]));
    for (name, it) in resources.iter().filter(|(name, _)| name.starts_with("Token")) {
        assert_eq!(it["Condition"], "TakesTokens", "{name}");
    }
}

#[test]
fn receipts_come_from_the_default_bus_and_feedback_may_find_file_and_close_and_send_nothing() {
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
            .and_then(|it| it.rsplit_once('/'))
            .map(|it| it.1),
        Some("default")
    );
}

#[test]
fn the_gateway_may_change_a_row_of_the_ledger_and_neither_read_nor_delete_it() {
    let resources = resources();
    let role = &resources["GatewayRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"];
    let ledger =
        role.as_array().unwrap().iter().find(|items| items["Resource"].to_string().contains("LedgerTable"));
    assert_eq!(ledger.unwrap()["Action"], serde_json::json!(["dynamodb:UpdateItem"]));
}

#[test]
fn every_action_of_a_client_has_its_route_and_an_answer_on_aws() {
    let resources = resources();
    let routes = of_type(&resources, "AWS::ApiGatewayV2::Route");
    let responses = of_type(&resources, "AWS::ApiGatewayV2::RouteResponse");
    for action in
        ["subscribe", "seen", "acknowledge", "inbox", "counts", "mark", "resume", "ping", "$default"]
    {
        let (name, route) = routes.iter().find(|(_, it)| it["RouteKey"] == action).expect(action);
        assert_eq!(route["RouteResponseSelectionExpression"], "$default", "{action}");
        assert!(responses.iter().any(|(_, it)| it["RouteId"]["Ref"] == name.as_str()), "{action}");
    }
}

#[test]
fn only_what_carries_a_token_is_open_to_everybody() {
    let routes = of_type(&resources(), "AWS::ApiGatewayV2::Route");
    let of_http = routes.iter().filter(|(_, it)| it["ApiId"]["Ref"] == "HttpApi");
    let open: Vec<&str> = of_http
        .filter(|(_, it)| it["AuthorizationType"] == "NONE" || it["AuthorizationType"].is_null())
        .map(|(_, it)| it["RouteKey"].as_str().unwrap())
        .collect();
    let of_the_page = ["GET", "HEAD", "POST"].map(|method| format!("{method} /v1/unsubscribe/{{token}}"));
    assert_eq!(open.into_iter().collect::<BTreeSet<_>>(), of_the_page.iter().map(String::as_str).collect());
}

/// What a role may do with tables on AWS.
fn table_actions(role: &str) -> Vec<String> {
    let resources = resources();
    let statements = &resources[role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"];
    statements
        .as_array()
        .unwrap()
        .iter()
        .flat_map(on_aws)
        .flat_map(|it| {
            let one = it["Action"].as_str().map(str::to_owned);
            let list = it["Action"].as_array().into_iter().flatten();
            one.into_iter().chain(list.map(|list| list.as_str().unwrap().to_owned())).collect::<Vec<_>>()
        })
        .filter(|it| it.starts_with("dynamodb:"))
        .collect()
}

/// What AWS may get: of an `IsLocal` condition the second branch, of others both. Nothing, where that is no value.
fn on_aws(value: &Value) -> Vec<Value> {
    let found = match value["Fn::If"].as_array() {
        Some(branches) if branches[0] == "IsLocal" => vec![branches[2].clone()],
        Some(branches) => vec![branches[1].clone(), branches[2].clone()],
        None => vec![value.clone()],
    };
    found.into_iter().filter(|it| it["Ref"] != "AWS::NoValue").collect()
}

fn of_type(resources: &Map<String, Value>, kind: &str) -> Vec<(String, Value)> {
    let found = resources.iter().filter(|(_, it)| it["Type"] == kind);
    let mut found: Vec<_> = found.map(|(name, it)| (name.clone(), it["Properties"].clone())).collect();
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    found
}

/// What feeds a function, of one kind: its names and properties.
fn fed_by<'a>(function: &'a Value, kind: &'a str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let events = function["Events"].as_object().into_iter().flatten();
    events.filter(move |(_, it)| it["Type"] == kind).map(|(name, it)| (name, &it["Properties"]))
}

/// The resources of the template.
fn resources() -> Map<String, Value> {
    template()["Resources"].as_object().unwrap().clone()
}

/// The default of a parameter.
fn default_of(parameter: &str) -> Value {
    template()["Parameters"][parameter]["Default"].clone()
}

/// The template as SAM itself reads it.
fn template() -> &'static Value {
    static TEMPLATE: OnceLock<Value> = OnceLock::new();
    TEMPLATE.get_or_init(read)
}

fn read() -> Value {
    let script = "import json, sys
from samtranslator.yaml_helper import yaml_parse
print(json.dumps(yaml_parse(open('infra/template.yaml').read())))";
    let read = Command::new(root().join(".local/sam/bin/python"))
        .args(["-c", script])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    serde_json::from_slice(&read.stdout).unwrap()
}

/// What samconfig.toml gives an environment for a parameter.
fn deployed(environment: &str, parameter: &str) -> Option<String> {
    let text = std::fs::read_to_string(root().join("infra/samconfig.toml")).unwrap();
    let section = format!("[{environment}.deploy.parameters]");
    let mut lines = text.lines().skip_while(|line| *line != section);
    let line = lines.find(|line| line.starts_with("parameter_overrides")).unwrap();
    let mut pairs = line.split([' ', '"']).filter_map(|pair| pair.split_once('='));
    pairs.find(|(name, _)| *name == parameter).map(|(_, value)| value.to_owned())
}

/// All statements of a role's own policy, as AWS may get them.
fn statements(resources: &Map<String, Value>, role: &str) -> Vec<Value> {
    let policy = &resources[role]["Properties"]["Policies"][0]["PolicyDocument"];
    policy["Statement"].as_array().unwrap().iter().flat_map(on_aws).collect()
}
