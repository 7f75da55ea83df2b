//! The programs in `examples`, run as their users run them: against the local cloud, with the variables of `.local/env`.

mod consumers;
mod devtools;
mod outbox;
mod page;
mod producers;
mod put_events_stub;
mod receivers;
mod workflow;

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use serde_json::{Value, json};

use testkit::cloud::Cloud;
use testkit::until::until;
use workspace::programs::{json_lines, text};
use workspace::{root, unique};

pub(super) const BUS: &str = "carillon-local";

/// The Python of the local cloud, which has boto3 in the version that the examples pin.
fn python() -> PathBuf {
    root().join(".local/ministack/bin/python")
}

/// The folders of programs on this machine.
#[expect(clippy::disallowed_methods, reason = "a test starts programs as a shell does")]
fn path() -> String {
    std::env::var("PATH").unwrap()
}

/// A command with the variables of the local cloud.
fn command(program: &Path) -> Command {
    let environment = std::fs::read_to_string(root().join(".local/env")).unwrap();
    let mut command = Command::new(program);
    command.envs(environment.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('=')));
    command.current_dir(root());
    command
}

/// Runs a command with a text as its input.
fn run(command: &mut Command, input: &str) -> Output {
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap_or_else(|error| panic!("{:?}: {error}", command.get_program()));
    // A program that fails early may close its input unread.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// The JSON lines that a successful program printed.
#[track_caller]
fn lines(output: &Output) -> Vec<Value> {
    assert!(output.status.success(), "{}", text(output));
    json_lines(output)
}

/// A customer of a tenant of their own, with an e-mail address.
async fn customer(cloud: &Cloud) -> (String, String) {
    let (id, tenant) = (unique("customer"), unique("shop"));
    let email = format!("{id}@example.com");
    cloud.new_recipient_with(json!({ "id": id, "name": "Ann", "email": email, "tenants": [tenant] })).await;
    (id, tenant)
}

/// Waits until `carillon received` shows an e-mail to a recipient as sent.
async fn until_received(user: &str) -> Value {
    until("the e-mail is sent", async || {
        let output = workspace::programs::carillon(&["--json", "received", user], "");
        let received = json_lines(&output).into_iter();
        received.into_iter().find(|line| line["channel"] == "email" && line["status"] == "sent")
    })
    .await
}

/// Creates a table of the user with the key `id`.
async fn new_table(cloud: &Cloud) -> String {
    let name = unique("example");
    let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash).build().unwrap();
    let id = AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::S);
    let create = store::client(&cloud.config).create_table().table_name(&name).key_schema(key);
    let create = create.attribute_definitions(id.build().unwrap()).billing_mode(BillingMode::PayPerRequest);
    create.send().await.unwrap();
    name
}

/// The item of a user's table.
async fn item(cloud: &Cloud, table: &str, id: &str) -> HashMap<String, String> {
    let key = aws_sdk_dynamodb::types::AttributeValue::S(id.to_owned());
    let found =
        store::client(&cloud.config).get_item().table_name(table).key("id", key).send().await.unwrap();
    let attributes = found.item.unwrap_or_default().into_iter();
    let values = attributes.filter_map(|(name, value)| {
        let text = value.as_s().or_else(|value| value.as_n()).ok()?.clone();
        Some((name, text))
    });
    values.collect()
}

#[test]
fn python_examples_pin_the_versions_that_the_tests_run() {
    let installed = std::fs::read_to_string(root().join("infra/local/ministack.txt")).unwrap();
    let pins = |text: &str| -> Vec<String> {
        let words = text.lines().map(|line| line.trim_end_matches([' ', '\\']).trim().to_owned());
        words.filter(|line| line.contains("==") || line.starts_with("--hash")).collect()
    };
    let installed = pins(&installed);
    for example in ["producer-python", "outbox-producer-python", "consumer-python"] {
        let file = root().join("examples").join(example).join("requirements.txt");
        let wanted = pins(&std::fs::read_to_string(&file).unwrap());
        assert!(wanted.iter().any(|pin| pin.starts_with("boto3==")), "{example}");
        let other: Vec<_> = wanted.iter().filter(|pin| !installed.contains(pin)).collect();
        assert!(other.is_empty(), "{example}: infra/local/ministack.txt has other versions of {other:?}");
    }
}

#[test]
fn every_example_has_a_readme_and_a_row_in_the_table() {
    let folder = root().join("examples");
    let table = std::fs::read_to_string(folder.join("README.md")).unwrap();
    let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap());
    for entry in entries.filter(|entry| entry.path().is_dir()) {
        let name = entry.file_name().to_string_lossy().into_owned();
        assert!(entry.path().join("README.md").exists(), "examples/{name} has no README.md");
        assert!(table.contains(&format!("]({name}/README.md)")), "examples/README.md has no row for {name}");
    }
}

#[test]
fn lock_file_of_the_node_example_names_no_registry() {
    let lock = std::fs::read_to_string(root().join("examples/producer-node/package-lock.json")).unwrap();
    assert!(!lock.contains("\"resolved\""), "run npm with omit-lockfile-registry-resolved=true");
    assert!(lock.contains("\"integrity\": \"sha512-"));
}
