//! Who reads and writes what, where more than one function does.

use serde_json::Value;

use crate::channel_lists;

use super::{fed_by, of_type, on_aws, resources};

#[test]
fn the_inbox_is_written_by_the_socket_and_marked_by_gateway_and_api_and_goes_with_its_owner() {
    let resources = resources();
    let mut found = Vec::new();
    for (name, role) in of_type(&resources, "AWS::IAM::Role") {
        let statements = role["Policies"][0]["PolicyDocument"]["Statement"].as_array().unwrap().iter();
        for it in statements.flat_map(on_aws).filter(|it| it["Resource"].to_string().contains("InboxTable")) {
            let forgets = it["Action"].to_string().contains("Delete");
            assert_eq!(forgets, ["ApiRole", "PeopleRole"].contains(&name.as_str()), "{name}");
            assert!(!it["Action"].to_string().contains("Scan"), "{name}");
            found.push(name.clone());
        }
    }
    assert_eq!(found, ["ApiRole", "GatewayRole", "PeopleRole", "SocketRole"]);
}

#[test]
fn a_row_of_the_ledger_costs_one_write_of_its_index_and_the_api_alone_reads_it() {
    let resources = resources();
    let indexes = &resources["LedgerTable"]["Properties"]["GlobalSecondaryIndexes"];
    // The other two have only the rows that still await a receipt, or could be named by one.
    let names: Vec<&str> =
        indexes.as_array().unwrap().iter().map(|item| item["IndexName"].as_str().unwrap()).collect();
    assert_eq!(names, ["by_provider", "by_awaited", "by_recipient"]);
    for items in indexes.as_array().unwrap() {
        assert_eq!(items["Projection"]["ProjectionType"], "KEYS_ONLY");
    }
    for (name, role) in of_type(&resources, "AWS::IAM::Role") {
        assert_eq!(role.to_string().contains("index/by_recipient"), name == "ApiRole", "{name}");
    }
}

#[test]
fn the_api_reaches_what_its_routes_are_about_and_sends_to_nobody() {
    let resources = resources();
    let policy = &resources["ApiRole"]["Properties"]["Policies"][0]["PolicyDocument"];
    let statements: Vec<Value> = policy["Statement"].as_array().unwrap().iter().flat_map(on_aws).collect();
    let on = |what: &str| {
        let found = statements.iter().filter(|statement| statement["Resource"].to_string().contains(what));
        let actions = found.flat_map(|it| match it["Action"].as_array() {
            Some(all) => all.clone(),
            None => vec![it["Action"].clone()],
        });
        let mut actions: Vec<String> = actions.map(|action| action.as_str().unwrap().to_owned()).collect();
        actions.sort();
        actions
            .iter()
            .map(|action| action.split_once(':').unwrap().1.to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(on("LedgerTable"), "BatchGetItem GetItem Query Query UpdateItem");
    assert_eq!(on("CountersTable"), "DeleteItem GetItem PutItem UpdateItem");
    assert_eq!(on("EventsTable"), "GetItem Query");
    let everything = "BatchGetItem BatchWriteItem DeleteItem GetItem PutItem Query UpdateItem";
    assert_eq!((on("EndpointsTable").as_str(), on("InboxTable").as_str()), (everything, everything));
    assert_eq!(on("ConnectionsTable"), "BatchWriteItem GetItem Query");
    let kept_away = statements.iter().find(|statement| statement["Sid"] == "KeptAway").unwrap();
    let keys = &kept_away["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
    assert_eq!(*keys, serde_json::json!(["quiet#*"]), "and nobody's tickets or sockets");
    assert_eq!(on("WebhookQueue"), "SendMessage");
    let sns = "CreatePlatformEndpoint GetEndpointAttributes SetEndpointAttributes";
    assert_eq!(on("ApplicationArn"), sns, "template/devices.rs says of which applications");
    assert!(!statements.iter().any(|statement| statement.to_string().contains("sns:Publish")));
}

#[test]
fn email_reads_only_the_prefixes_of_tenants_until_another_is_configured() {
    let resources = resources();
    let statements =
        resources["EmailRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].clone();
    let statements: Vec<Value> = statements.as_array().unwrap().iter().flat_map(on_aws).collect();
    let reads: Vec<&Value> =
        statements.iter().filter(|statement| statement["Action"] == "s3:GetObject").collect();
    let [read] = reads[..] else { panic!("one statement reads objects: {reads:?}") };
    let [condition, narrow, wide] = &read["Resource"]["Fn::If"].as_array().unwrap()[..] else {
        panic!("{read}")
    };
    assert_eq!(condition, "OwnPrefixesOnly");
    assert!(
        narrow.to_string().contains("${Buckets}/tenants/*") && !narrow.to_string().contains("\"/*"),
        "{narrow}"
    );
    assert!(wide.to_string().contains("${Buckets}/*"), "{wide}");
    let variables = &resources["EmailFunction"]["Properties"]["Environment"]["Variables"];
    for (name, parameter) in [
        ("ATTACHMENT_PREFIXES", "AttachmentPrefixes"),
        ("SHARED_ATTACHMENT_PREFIXES", "SharedAttachmentPrefixes"),
    ] {
        assert!(variables[name].to_string().contains(parameter), "{name}");
    }
    let api = &resources["ApiFunction"]["Properties"]["Environment"]["Variables"];
    assert_eq!(api["SHARED_ADDRESSES"]["Ref"], "SharedAddresses");
}

#[test]
fn limits_are_parameters_of_the_api_and_what_is_over_a_rate_or_a_critical_cap_raises_an_alarm() {
    let resources = resources();
    let variables = &resources["ApiFunction"]["Properties"]["Environment"]["Variables"];
    for (variable, parameter) in [
        ("LIMIT_TENANT", "LimitTenant"),
        ("LIMIT_USER", "LimitUser"),
        ("LIMIT_PROGRAM", "LimitProgram"),
        ("LIMIT_TICKETS", "LimitTickets"),
        ("LIMIT_PINGS", "LimitPings"),
        ("LIMIT_TENANT_PINGS", "LimitTenantPings"),
        ("LIMIT_RETRIES", "LimitRetries"),
        ("WEBHOOK_VOUCHED", "WebhookVouched"),
    ] {
        assert_eq!(variables[variable]["Ref"], parameter, "{variable}");
    }
    for metric in ["EventsOverRate", "CriticalEventsOverRate", "CriticalCapped"] {
        let alarms = of_type(&resources, "AWS::CloudWatch::Alarm");
        let (_, alarm) = alarms.iter().find(|(_, it)| it["MetricName"] == metric).unwrap();
        assert_eq!((&alarm["Namespace"], &alarm["Threshold"]), (&"Carillon".into(), &0.into()), "{metric}");
        assert_eq!(alarm["Dimensions"][0]["Value"]["Ref"], "DispatchFunction", "{metric}");
        assert_eq!(alarm["AlarmActions"][0]["Ref"], "Alarms", "{metric}");
    }
}

#[test]
fn whoever_takes_messages_up_may_delete_them_and_finds_their_queue_beside_its_dead_letters() {
    let resources = resources();
    let mut fed = 0;
    for (name, function) in of_type(&resources, "AWS::Serverless::Function") {
        for (_, mapping) in fed_by(&function, "SQS") {
            fed += 1;
            let dead_letters = &function["Environment"]["Variables"]["DEAD_LETTERS_URL"]["Ref"];
            assert!(
                dead_letters.as_str().is_some_and(|dead_letters| dead_letters.ends_with("DeadLetters")),
                "{name}"
            );
            let queue = mapping["Queue"]["Fn::GetAtt"][0].as_str().unwrap();
            let role = &resources[&name.replace("Function", "Role")]["Properties"];
            let statements = role["Policies"][0]["PolicyDocument"]["Statement"].as_array().unwrap().iter();
            let may = statements.flat_map(on_aws).any(|it| {
                it["Action"].to_string().contains("\"sqs:DeleteMessage\"")
                    && it["Resource"].to_string().contains(&format!("\"{queue}\""))
            });
            assert!(may, "{name} may not delete what {queue} handed out");
        }
    }
    assert_eq!(fed, 19);
}

#[test]
fn the_audit_acknowledges_only_where_the_attributes_of_the_request_are_known() {
    let resources = resources();
    let policy = &resources["AuditRole"]["Properties"]["Policies"][0]["PolicyDocument"];
    let statements = policy["Statement"].as_array().unwrap();
    let acknowledge = statements.iter().find(|statement| statement["Sid"] == "Acknowledge").unwrap();
    // ForAllValues is true of a request without the key; Null refuses it.
    let condition = &acknowledge["Condition"];
    assert_eq!(condition["Null"]["dynamodb:Attributes"], "false");
    let listed = condition["ForAllValues:StringEquals"]["dynamodb:Attributes"].as_array().unwrap();
    for forbidden in ["event", "detail", "version", "appended_at", "finding"] {
        assert!(!listed.iter().any(|it| it == forbidden), "{forbidden}");
    }
}

#[test]
fn who_publishes_from_the_outbox_and_who_checks_that_share_the_stack_secret() {
    let resources = resources();
    for name in ["AuditFunction", "RelayFunction", "SweepFunction"] {
        let secret = &resources[name]["Properties"]["Environment"]["Variables"]["STACK_SECRET"]["Fn::Sub"];
        assert!(
            secret.as_str().is_some_and(|secret| secret.contains("${StackSecret}:SecretString:root")),
            "{name}"
        );
    }
}

#[test]
fn who_may_meet_a_message_of_a_newer_release_may_hide_it_for_longer_than_the_queue_does() {
    let resources = resources();
    for name in std::iter::once("Dispatch".to_owned()).chain(channel_lists::resources()) {
        let policy = &resources[&format!("{name}Role")]["Properties"]["Policies"][0]["PolicyDocument"];
        let mut statements = policy["Statement"].as_array().unwrap().iter();
        let consume = statements.find(|statement| statement["Sid"] == "Consume").unwrap();
        assert!(consume["Action"].to_string().contains("sqs:ChangeMessageVisibility"), "{name}");
    }
}
