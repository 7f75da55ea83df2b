//! `parameters.md` and `resources.md`, from `infra/template.yaml`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::markdown::{cell, sorted, text};

/// The parameters that only the local cloud sets.
const LOCAL_ONLY: [&str; 3] = ["CaptureEndpoint", "LocalEndpoint", "LocalProxy"];

/// The kinds of resources that have a list of their own, with the headline and the property that the list shows.
const LISTED: [(&str, &str, &str); 12] = [
    ("AWS::Serverless::Function", "Functions", "Description"),
    ("AWS::SQS::Queue", "Queues", "QueueName"),
    ("AWS::DynamoDB::Table", "Tables", "TableName"),
    ("AWS::CloudWatch::Alarm", "Alarms", "AlarmDescription"),
    ("AWS::Events::Rule", "Rules of event buses", "Description"),
    ("AWS::Scheduler::Schedule", "Schedules", "ScheduleExpression"),
    ("AWS::ApiGatewayV2::Api", "APIs", "ProtocolType"),
    ("AWS::S3::Bucket", "Buckets", "BucketName"),
    ("AWS::KMS::Key", "KMS keys", "Description"),
    ("AWS::SecretsManager::Secret", "Secrets", "Description"),
    ("AWS::IAM::Role", "Roles", "RoleName"),
    ("AWS::Logs::LogGroup", "Log groups", "LogGroupName"),
];

/// The parameters with defaults, allowed values and meanings.
pub(super) fn parameters(template: &Value) -> String {
    let parameters = sorted(&template["Parameters"]);
    let local = LOCAL_ONLY.len();
    let mut page = format!(
        "# Parameters of the template\n\n`infra/template.yaml` has {} parameters. Set them in `infra/samconfig.toml`, as [Deploy to\nAWS](../operate/deploy.md) describes. {local} of them are for the local cloud only.\n\n| parameter | default | allowed values | meaning |\n|---|---|---|---|\n",
        parameters.len()
    );
    for (name, parameter) in parameters {
        let _ = writeln!(
            page,
            "| `{name}` | {} | {} | {} |",
            value(&parameter["Default"]),
            allowed(parameter),
            prose(text(&parameter["Description"]))
        );
    }
    page
}

fn value(value: &Value) -> String {
    let plain = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match plain.as_str() {
        "" => "empty".to_owned(),
        "null" => "none; a value is required".to_owned(),
        _ => format!("`{}`", cell(&plain)),
    }
}

fn allowed(parameter: &Value) -> String {
    if let Some(values) = parameter["AllowedValues"].as_array() {
        return values.iter().map(value).collect::<Vec<_>>().join(", ");
    }
    if let Some(pattern) = parameter["AllowedPattern"].as_str() {
        return format!("`{}`", cell(pattern));
    }
    match (&parameter["Type"], &parameter["MinValue"], &parameter["MaxValue"]) {
        (_, Value::Null, Value::Null) if parameter["Type"] == "CommaDelimitedList" => {
            "a list with commas".to_owned()
        }
        (_, Value::Null, Value::Null) if parameter["Type"] == "Number" => "a number".to_owned(),
        (_, Value::Null, Value::Null) => "a text".to_owned(),
        (_, low, Value::Null) => format!("at least {low}"),
        (_, low, high) => format!("{low} to {high}"),
    }
}

/// Names and bodies of the resources of a type, sorted by name.
pub(super) fn of_type<'a>(template: &'a Value, kind: &str) -> Vec<(&'a str, &'a Value)> {
    sorted(&template["Resources"]).into_iter().filter(|(_, resource)| resource["Type"] == kind).collect()
}

/// The numbers of resources, and the lists of the kinds in [`LISTED`].
pub(super) fn resources(template: &Value) -> String {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (_, resource) in sorted(&template["Resources"]) {
        let (all, conditional) = counts.entry(text(&resource["Type"])).or_default();
        *all += 1;
        *conditional += usize::from(!resource["Condition"].is_null());
    }
    let sum: usize = counts.values().map(|(all, _)| all).sum();
    let mut page = format!(
        "# Resources of the stack\n\n`infra/template.yaml` has {sum} resources of {} types. A conditional resource exists only with certain\n[parameters](parameters.md). [Permissions and queues](../contract/permissions.md) describes roles and queues, [Tables and\naccess patterns](../contract/tables.md) the keys of the tables, and [Idle cost](idle-cost.md) the price.\n\n| type | number | conditional |\n|---|---|---|\n",
        counts.len()
    );
    for (kind, (all, conditional)) in &counts {
        let _ = writeln!(page, "| `{kind}` | {all} | {conditional} |");
    }
    for (kind, title, shown) in LISTED {
        list(&mut page, title, shown, &of_type(template, kind));
    }
    page
}

fn list(page: &mut String, title: &str, shown: &str, resources: &[(&str, &Value)]) {
    let _ = write!(page, "\n## {title}\n\n| resource | {} | condition |\n|---|---|---|\n", words(shown));
    for (name, resource) in resources {
        let condition = resource["Condition"].as_str().map_or_else(String::new, |name| format!("`{name}`"));
        let _ = writeln!(
            page,
            "| `{name}` | {} | {condition} |",
            prose(&shown_value(&resource["Properties"][shown]))
        );
    }
}

/// A text with code spans for one cell. Outside a code span, Markdown would read `<env>` as an element of HTML.
fn prose(text: &str) -> String {
    let text = cell(text);
    let parts = text.split('`').enumerate();
    let escaped = parts.map(|(index, part)| match index % 2 {
        0 => part.replace('<', "\\<"),
        _ => part.to_owned(),
    });
    escaped.collect::<Vec<_>>().join("`")
}

/// The value of a property. `Fn::If` shows its first text.
fn shown_value(value: &Value) -> String {
    match value {
        Value::String(text) => text.replace("${Environment}", "<env>").replace("${AWS::Region}", "<region>"),
        Value::Array(parts) => {
            parts.iter().skip(1).map(shown_value).find(|part| !part.is_empty()).unwrap_or_default()
        }
        Value::Null => "the name that CloudFormation gives it".to_owned(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

/// The words of a property's name: `AlarmDescription` as `alarm description`.
fn words(name: &str) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}
