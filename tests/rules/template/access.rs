//! Access logs of the stages, and the rights for access records and for closing sessions.

use serde_json::{Value, json};

use super::{of_type, on_aws, resources};

#[test]
fn stage_logs_name_caller_and_route_and_no_path_query_or_token() {
    let resources = resources();
    let stages = of_type(&resources, "AWS::ApiGatewayV2::Stage");
    assert_eq!(stages.len(), 3);
    for (name, stage) in &stages {
        let branches = stage["AccessLogSettings"]["Fn::If"].as_array().expect(name);
        assert!(["OnAws", "LogsSockets"].contains(&branches[0].as_str().unwrap()), "{name}");
        let settings = &branches[1];
        let group = settings["DestinationArn"]["Fn::GetAtt"][0].as_str().unwrap();
        assert_eq!(resources[group]["Type"], "AWS::Logs::LogGroup", "{name}");
        assert_eq!(resources[group]["Properties"]["RetentionInDays"]["Ref"], "LogRetentionDays", "{name}");
        let format = settings["Format"].as_str().or(settings["Format"]["Fn::Sub"].as_str()).unwrap();
        let format: Value = serde_json::from_str(format).expect("a line of JSON");
        for (field, variable) in format.as_object().unwrap() {
            let variable = variable.as_str().unwrap();
            assert!(ALLOWED.contains(&variable), "{name}: {field} is {variable}");
        }
        for field in ["requestId", "routeKey", "status", "latency"] {
            assert!(!format[field].is_null(), "{name} does not log {field}");
        }
    }
}

/// Fields that an access log may contain. A path, a query or a header could contain the token of an unsubscribe link, a
/// ticket or a person's id.
/// Source: API Gateway developer guide, "Customize HTTP API access logs" and "Configure logging for WebSocket APIs".
const ALLOWED: [&str; 11] = [
    "$context.requestId",
    "$context.requestTime",
    "$context.connectionId",
    "$context.identity.userArn",
    "$context.authorizer.claims.${UserClaim}",
    "$context.routeKey",
    "$context.eventType",
    "$context.httpMethod",
    "$context.status",
    "$context.responseLatency",
    "$context.integrationLatency",
];

#[test]
fn only_the_api_may_send_access_records_to_the_audit() {
    let resources = resources();
    for (name, role) in of_type(&resources, "AWS::IAM::Role") {
        let statements = role["Policies"][0]["PolicyDocument"]["Statement"].as_array().unwrap();
        let sends = statements.iter().flat_map(on_aws).any(|statement| {
            statement["Action"].to_string().contains("sqs:SendMessage")
                && statement["Resource"].to_string().contains("\"AuditQueue\"")
        });
        assert_eq!(sends, name == "ApiRole", "{name}");
    }
    let variables = &resources["ApiFunction"]["Properties"]["Environment"]["Variables"];
    assert_eq!(variables["AUDIT_QUEUE_URL"], json!({ "Ref": "AuditQueue" }));
}

#[test]
fn only_gateway_people_and_api_may_close_connections() {
    let resources = resources();
    let mut closing = Vec::new();
    for (name, role) in of_type(&resources, "AWS::IAM::Role") {
        if role.to_string().contains("/live/DELETE/@connections/*") {
            closing.push(name);
        }
    }
    assert_eq!(closing, ["ApiRole", "GatewayRole", "PeopleRole"]);
    let people = &resources["PeopleFunction"]["Properties"]["Environment"]["Variables"];
    assert_eq!(people["CONNECTIONS_TABLE"], json!({ "Ref": "ConnectionsTable" }));
    assert!(people["SOCKET_ENDPOINT"].is_object());
}
