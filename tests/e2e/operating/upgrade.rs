//! `carillon upgrade`: new indexes of a stack, one at a time, and refusals before anything changes.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use testkit::aws_cli::aws;
use workspace::programs::{carillon, json_lines, program};
use workspace::{root, unique};

#[test]
fn comparison_of_templates_follows_its_rules() {
    let output = Command::new(root().join(".local/sam/bin/python"))
        .args(["-B", "tests/upgrade/plan_test.py"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn stack_of_this_release_needs_no_step() {
    let output = carillon(&["--json", "upgrade", "--dry-run"], "");
    assert!(output.status.success(), "{}", text(&output));
    let lines = json_lines(&output);
    let changes: Vec<&Value> = lines.iter().filter(|line| line["kind"] != "next").collect();
    assert!(changes.is_empty(), "{changes:?}");
}

#[test]
fn new_indexes_are_added_one_at_a_time_and_a_repetition_has_nothing_to_do() {
    let stack = Stack::create();
    let planned = stack.upgrade(&["--dry-run"]);
    assert!(planned.status.success(), "{}", text(&planned));
    let steps = of_kind(&planned, "step");
    assert_eq!(steps.len(), 3, "{steps:?}");
    assert_eq!(stack.indexes("many"), names(&[]), "a dry run changes nothing");

    let done = stack.upgrade(&[]);
    assert!(done.status.success(), "{}", text(&done));
    let updates = of_kind(&done, "update");
    assert_eq!(updates.len(), 3, "{updates:?}");
    for update in updates {
        let tables: Vec<&str> =
            update["step"].as_array().unwrap().iter().map(|change| change[0].as_str().unwrap()).collect();
        let distinct: BTreeSet<&str> = tables.iter().copied().collect();
        assert_eq!(tables.len(), distinct.len(), "one index of a table in an update: {update}");
    }
    assert_eq!(stack.indexes("many"), names(&["a", "b", "c"]));
    assert_eq!(stack.indexes("one"), names(&["a", "b"]));

    let again = stack.upgrade(&[]);
    assert!(again.status.success() && of_kind(&again, "update").is_empty(), "{}", text(&again));
}

#[test]
fn interrupted_upgrade_continues_where_it_ended() {
    let stack = Stack::create();
    let mut child = stack.command(&[]).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let begun = lines.map(Result::unwrap).find(|line| line.contains("\"done\""));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(begun.is_some());

    let done = stack.upgrade(&[]);
    assert!(done.status.success(), "{}", text(&done));
    assert!(of_kind(&done, "update").len() < 3, "the first step is not repeated: {}", text(&done));
    assert_eq!(stack.indexes("many"), names(&["a", "b", "c"]));
}

#[test]
fn upgrade_that_would_lose_a_table_or_fail_half_way_is_refused() {
    let stack = Stack::create();
    let mut template = stack.new_template();
    template["Resources"].as_object_mut().unwrap().remove("One");
    template["Parameters"]["Needed"] = json!({ "Type": "String" });
    stack.write(&template);
    let output = stack.upgrade(&[]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let refused: Vec<String> =
        of_kind(&output, "refused").iter().map(|line| line["text"].to_string()).collect();
    assert!(refused.iter().any(|text| text.contains("--accept One")), "{refused:?}");
    assert!(refused.iter().any(|text| text.contains("Needed needs a value")), "{refused:?}");
    assert_eq!(stack.indexes("many"), names(&[]), "nothing was changed");
}

/// A stack of an older release: two tables with fewer indexes than in the new template.
struct Stack {
    name: String,
    file: PathBuf,
}

impl Stack {
    fn create() -> Stack {
        let name = unique("carillon-upgrade");
        let stack = Stack { file: std::env::temp_dir().join(format!("{name}.json")), name };
        let body = stack.template(&[], &["a"]).to_string();
        aws(&["cloudformation", "create-stack", "--stack-name", &stack.name, "--template-body", &body]);
        stack.wait("stack-create-complete");
        stack.write(&stack.new_template());
        stack
    }

    fn new_template(&self) -> Value {
        self.template(&["a", "b", "c"], &["a", "b"])
    }

    fn template(&self, many: &[&str], one: &[&str]) -> Value {
        json!({
            "AWSTemplateFormatVersion": "2010-09-09",
            "Parameters": { "Environment": { "Type": "String", "Default": "test" } },
            "Resources": { "Many": self.table("many", many), "One": self.table("one", one) },
        })
    }

    fn table(&self, name: &str, indexes: &[&str]) -> Value {
        let key = |attribute: &str| json!([{ "AttributeName": attribute, "KeyType": "HASH" }]);
        let attributes = [&["pk"], indexes].concat();
        let mut properties = json!({
            "TableName": format!("{}-{name}", self.name),
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": key("pk"),
            "AttributeDefinitions": attributes.iter()
                .map(|attribute| json!({ "AttributeName": attribute, "AttributeType": "S" }))
                .collect::<Vec<_>>(),
        });
        if !indexes.is_empty() {
            let index = |name: &&str| json!({ "IndexName": name, "KeySchema": key(name), "Projection": { "ProjectionType": "KEYS_ONLY" } });
            properties["GlobalSecondaryIndexes"] = indexes.iter().map(index).collect();
        }
        json!({ "Type": "AWS::DynamoDB::Table", "Properties": properties })
    }

    fn write(&self, template: &Value) {
        std::fs::write(&self.file, template.to_string()).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.current_dir(root()).args(["--json", "upgrade", "--stack", &self.name, "--template"]);
        // Parameters of samconfig.toml belong to other stacks.
        command.arg(&self.file).args(["--samconfig", "none.toml"]).args(arguments);
        command
    }

    fn upgrade(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn indexes(&self, table: &str) -> BTreeSet<String> {
        let found = aws(&["dynamodb", "describe-table", "--table-name", &format!("{}-{table}", self.name)]);
        let indexes = found["Table"]["GlobalSecondaryIndexes"].as_array().cloned().unwrap_or_default();
        indexes.iter().map(|index| index["IndexName"].as_str().unwrap().to_owned()).collect()
    }

    fn wait(&self, condition: &str) {
        testkit::aws_cli::aws_done(&["cloudformation", "wait", condition, "--stack-name", &self.name]);
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // A stack that is left behind disturbs no other test.
        let _ = std::fs::remove_file(&self.file);
        testkit::aws_cli::aws_done(&["cloudformation", "delete-stack", "--stack-name", &self.name]);
    }
}

fn of_kind(output: &Output, kind: &str) -> Vec<Value> {
    json_lines(output).into_iter().filter(|line| line["kind"] == kind).collect()
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
