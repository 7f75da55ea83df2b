//! Rights on tables and queues that several functions share.

use serde_json::Value;

use crate::channel_lists;

use super::{fed_by, of_type, on_aws, resources};

#[test]
fn socket_writes_the_inbox_gateway_and_api_mark_it_and_people_deletes_it() {
    let resources = resources();
    let mut found = Vec::new();
    for (name, role) in of_type(&resources, "AWS::IAM::Role") {
        let statements = role["Policies"][0]["PolicyDocument"]["Statement"].as_array().unwrap().iter();
        for statement in statements
            .flat_map(on_aws)
            .filter(|statement| statement["Resource"].to_string().contains("InboxTable"))
        {
            let forgets = statement["Action"].to_string().contains("Delete");
            assert_eq!(forgets, ["ApiRole", "PeopleRole"].contains(&name.as_str()), "{name}");
            assert!(!statement["Action"].to_string().contains("Scan"), "{name}");
            found.push(name.clone());
        }
    }
    assert_eq!(found, ["ApiRole", "GatewayRole", "PeopleRole", "SocketRole"]);
}

#[test]
fn ledger_row_costs_one_index_write_and_only_the_api_reads_the_index() {
    let resources = resources();
    let indexes = &resources["LedgerTable"]["Properties"]["GlobalSecondaryIndexes"];
    // The other two indexes contain only rows that await a receipt or can be named by one.
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
fn api_reaches_the_data_of_its_routes_and_sends_to_no_recipient() {
    let resources = resources();
    let policy = &resources["ApiRole"]["Properties"]["Policies"][0]["PolicyDocument"];
    let statements: Vec<Value> = policy["Statement"].as_array().unwrap().iter().flat_map(on_aws).collect();
    let on = |what: &str| {
        let found = statements.iter().filter(|statement| statement["Resource"].to_string().contains(what));
        let actions = found.flat_map(|statement| match statement["Action"].as_array() {
            Some(all) => all.clone(),
            None => vec![statement["Action"].clone()],
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
    assert_eq!(*keys, serde_json::json!(["quiet#*"]), "and no tickets or sockets");
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
fn limits_are_api_parameters_and_exceeding_a_rate_or_critical_cap_raises_an_alarm() {
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
        let (_, alarm) = alarms.iter().find(|(_, found)| found["MetricName"] == metric).unwrap();
        assert_eq!((&alarm["Namespace"], &alarm["Threshold"]), (&"Carillon".into(), &0.into()), "{metric}");
        assert_eq!(alarm["Dimensions"][0]["Value"]["Ref"], "DispatchFunction", "{metric}");
        assert_eq!(alarm["AlarmActions"][0]["Ref"], "Alarms", "{metric}");
    }
}

#[test]
fn message_consumers_may_delete_messages_and_know_queue_and_dead_letter_queue() {
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
            let may = statements.flat_map(on_aws).any(|statement| {
                statement["Action"].to_string().contains("\"sqs:DeleteMessage\"")
                    && statement["Resource"].to_string().contains(&format!("\"{queue}\""))
            });
            assert!(may, "{name} may not delete what {queue} handed out");
        }
    }
    assert_eq!(fed, 23);
}

#[test]
fn audit_acknowledges_only_with_known_request_attributes() {
    let resources = resources();
    let policy = &resources["AuditRole"]["Properties"]["Policies"][0]["PolicyDocument"];
    let statements = policy["Statement"].as_array().unwrap();
    let acknowledge = statements.iter().find(|statement| statement["Sid"] == "Acknowledge").unwrap();
    // ForAllValues is true for a request without the key; Null refuses such a request.
    let condition = &acknowledge["Condition"];
    assert_eq!(condition["Null"]["dynamodb:Attributes"], "false");
    let listed = condition["ForAllValues:StringEquals"]["dynamodb:Attributes"].as_array().unwrap();
    for forbidden in ["event", "detail", "version", "appended_at", "finding"] {
        assert!(!listed.iter().any(|item| item == forbidden), "{forbidden}");
    }
}

#[test]
fn outbox_publishers_and_verifiers_share_the_stack_secret() {
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
fn consumers_of_newer_message_versions_may_extend_visibility_timeouts() {
    let resources = resources();
    for name in std::iter::once("Dispatch".to_owned()).chain(channel_lists::resources()) {
        let policy = &resources[&format!("{name}Role")]["Properties"]["Policies"][0]["PolicyDocument"];
        let mut statements = policy["Statement"].as_array().unwrap().iter();
        let consume = statements.find(|statement| statement["Sid"] == "Consume").unwrap();
        assert!(consume["Action"].to_string().contains("sqs:ChangeMessageVisibility"), "{name}");
    }
}
