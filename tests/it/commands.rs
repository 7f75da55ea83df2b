//! Commands of the CLI.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::base::channel::Channel;
use serde_json::{Value, json};

use crate::cloud::{Cloud, now_text, root, unique};
use crate::until::until;

#[test]
fn demo_delivers_every_sample() {
    let said = carillon_dev(&["--json", "demo"]);
    assert!(said.status.success(), "{}", text(&said));
    let lines = json_lines(&said);
    let sum = lines.iter().find(|line| line["events"].is_number()).unwrap();
    assert_eq!(sum["wrong"], 0, "{sum}");
    let samples = samples();
    assert!(samples >= 75, "{samples}");
    assert_eq!(sum["events"], samples);
    let acts: Vec<_> = lines.iter().filter(|line| line["act"].is_string()).collect();
    assert_eq!(acts.len(), 12, "{lines:?}");
    assert!(acts.iter().all(|act| act["right"] == true), "{acts:?}");
    assert!(sum["letters"].as_u64().unwrap() >= 15 && sum["messages"].as_u64().unwrap() >= 15, "{sum}");
    assert!(
        sum["withheld"].as_u64().unwrap() >= 2,
        "the person without an address and the one with a bad one"
    );
    let audited = lines.iter().filter(|line| line["audit"] == true).count();
    assert_eq!(audited, samples);
}

/// Number of samples in the packs.
fn samples() -> usize {
    let packs = std::fs::read_dir(root().join("packs")).unwrap();
    let folders = packs.map(|pack| pack.unwrap().path().join("events"));
    folders.map(|folder| std::fs::read_dir(folder).unwrap().count()).sum()
}

#[tokio::test]
async fn publish_accepts_one_event_a_list_or_json_lines_and_refuses_each_separately() {
    let cloud = Cloud::connect();
    let event = |id: &str| json!({ "specversion": "1.0", "id": id, "source": "tests", "type": "quiet.test", "time": now_text() });
    let ids: Vec<String> = (0..5).map(|_| unique("event")).collect();
    let one = event(&ids[0]).to_string();
    let list = json!([event(&ids[1]), event(&ids[2])]).to_string();
    let lines = format!("{}\n{{\"specversion\":\"1.0\"}}\n{}\nnot json\n", event(&ids[3]), event(&ids[4]));
    for (input, published, refused) in [(one, 1, 0), (list, 2, 0), (lines, 2, 2)] {
        let said = carillon(&["--json", "publish", "-"], &input);
        let answers = json_lines(&said);
        assert_eq!(
            answers.iter().filter(|answer| answer["busId"].is_string()).count(),
            published,
            "{}",
            text(&said)
        );
        assert_eq!(
            answers.iter().filter(|answer| answer["refused"].is_string()).count(),
            refused,
            "{}",
            text(&said)
        );
        assert_eq!(said.status.success(), refused == 0);
    }
    for id in &ids {
        until("it is kept", async || cloud.records(id).await.into_iter().next()).await;
    }
}

#[test]
fn publish_without_a_usable_event_names_place_and_reason() {
    let said = carillon(&["publish", "-"], r#"{"specversion":"0.3","id":"1","source":"s","type":"t"}"#);
    assert_eq!(said.status.code(), Some(1));
    assert!(
        text(&said).contains(r#"specversion: found a text of 3 characters, wanted "1.0""#),
        "{}",
        text(&said)
    );
    let said = carillon(&["publish", "no/such/file.json"], "");
    assert_eq!(said.status.code(), Some(2));
    assert!(text(&said).contains("no/such/file.json"), "{}", text(&said));
}

#[test]
fn exit_code_tells_whether_a_pattern_matches() {
    let folder = scratch();
    let pattern = folder.join("pattern.json");
    let event = root().join("packs/core/events/hello.json");
    for (source, code) in [
        (json!({ "detail-type": ["core.hello"] }), 0),
        (json!({ "detail": { "data": { "to": ["owner-sam"] } } }), 0),
        (json!({ "detail-type": [{ "prefix": "billing." }] }), 1),
        (json!({ "detail-type": "core.hello" }), 2),
    ] {
        std::fs::write(&pattern, source.to_string()).unwrap();
        let paths = [pattern.to_str().unwrap(), event.to_str().unwrap()];
        let said = carillon(&["match", "--pattern", paths[0], "--event", paths[1]], "");
        assert_eq!(said.status.code(), Some(code), "{source}: {}", text(&said));
    }
}

#[test]
fn check_reports_every_error_in_one_run() {
    let folder = scratch();
    std::fs::create_dir_all(folder.join("rules")).unwrap();
    let rules = "- rule: one\n  when: { detail-type: [a.b] }\n  category: c\n  chanels: [email]\n  to: [{ user: $.data.userId }]\n  template: gone\n\
                 - rule: two\n  when: { detail-type: a.b }\n  category: c\n  channels: [emial]\n  to: []\n  template: gone\n";
    std::fs::write(folder.join("rules/mine.yaml"), rules).unwrap();
    let out = folder.join("catalog.json");
    let said = carillon(&["check", folder.to_str().unwrap(), "--out", out.to_str().unwrap()], "");
    assert_eq!(said.status.code(), Some(1));
    let printed = text(&said);
    for expected in
        ["rules/mine.yaml:4", "chanels", "channels", "rules/mine.yaml:8", "emial", "rules/mine.yaml:11"]
    {
        assert!(printed.contains(expected), "{expected} is not in:\n{printed}");
    }
    assert!(!out.exists(), "nothing is written when something is wrong");
}

#[test]
fn decision_test_that_explain_writes_passes() {
    let folder = scratch();
    let config = copied(&folder);
    std::fs::create_dir_all(config.join("tests")).unwrap();
    let mut tests = String::new();
    for sample in
        ["core/hello", "tasks/task.comment.added", "care/emergency.alert.created", "demo/demo.alarm"]
    {
        let (pack, name) = sample.split_once('/').unwrap();
        let said = carillon(&["explain", &format!("packs/{pack}/events/{name}.json"), "--as-test"], "");
        assert!(said.status.success(), "{}", text(&said));
        tests.push_str(&String::from_utf8_lossy(&said.stdout));
    }
    std::fs::write(config.join("tests/written.yaml"), &tests).unwrap();
    let said = carillon(&["check", config.to_str().unwrap()], "");
    assert!(text(&said).contains("4 decision tests pass"), "{tests}\n{}", text(&said));
}

#[test]
fn check_and_what_if_warn_of_a_deployed_rule_that_is_missing() {
    let folder = scratch();
    let config = copied(&folder);
    let deployed = folder.join("deployed.json");
    let said = carillon(&["check", config.to_str().unwrap(), "--out", deployed.to_str().unwrap()], "");
    assert!(said.status.success(), "{}", text(&said));
    let path = folder.join("packs/demo/rules/demo.yaml");
    let rules = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, rules.replace("- rule: demo-escalation\n", "- rule: demo-escalated\n")).unwrap();
    let against = ["check", config.to_str().unwrap(), "--against", deployed.to_str().unwrap()];
    let said = carillon(&against, "");
    let warning = "the deployed rule `demo-escalation` is missing in this catalog: messages that wait for it (its waits";
    assert!(text(&said).contains(warning) && text(&said).contains("rule_gone"), "{}", text(&said));
    let what_if = ["what-if", "--config", config.to_str().unwrap(), "--against", deployed.to_str().unwrap()];
    let said = carillon(&[&what_if[..], &["--since", "1m"]].concat(), "");
    assert!(text(&said).contains(warning), "{}", text(&said));
}

/// Copies the repository's project and its packs into a folder. The packs' decision tests are not run.
fn copied(folder: &Path) -> PathBuf {
    for name in ["config", "packs"] {
        let copied = Command::new("cp").arg("-r").arg(root().join(name)).arg(folder).status().unwrap();
        assert!(copied.success());
    }
    let project = folder.join("config/carillon.yaml");
    let manifest = std::fs::read_to_string(&project).unwrap().replace("pack-tests: true\n", "");
    std::fs::write(&project, manifest).unwrap();
    folder.join("config")
}

#[test]
fn large_what_if_has_a_summary_and_a_limit() {
    let event = "packs/care/events/emergency.alert.created.json";
    let all = text(&carillon(&["explain", event], ""));
    assert!(!all.contains(" × "), "{all}");
    let some = text(&carillon(&["explain", event, "--limit", "2"], ""));
    assert!(some.contains(" × ") && some.contains("more lines; --limit"), "{some}");
    let is_decision = |line: &&str| line.contains("is sent") || line.contains("goes live to open sockets");
    assert_eq!(some.lines().filter(is_decision).count(), 2, "{some}");
}

#[test]
fn completions_and_man_pages_are_generated() {
    for shell in ["bash", "zsh", "fish"] {
        let said = carillon(&["completion", shell], "");
        assert!(said.status.success() && text(&said).contains("received"), "{shell}");
    }
    let folder = scratch();
    let said = carillon(&["man", "--out", folder.to_str().unwrap()], "");
    assert!(said.status.success(), "{}", text(&said));
    let page = std::fs::read_to_string(folder.join("carillon-explain.1")).unwrap();
    assert!(page.contains("as\\-test"), "{page}");
    let said = carillon(&["--env", "BAD ENV", "events", "ls"], "");
    assert_eq!(said.status.code(), Some(2));
    assert!(text(&said).contains("wanted a lower-case name such as dev"), "{}", text(&said));
}

#[tokio::test]
async fn tail_shows_events_decisions_and_deliveries() {
    let cloud = Cloud::connect();
    let ann = cloud.new_recipient().await;
    let tail = tail(&[]);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let id = unique("event");
    let event = json!({
        "specversion": "1.0", "id": id, "source": "tests", "type": "core.hello", "time": now_text(),
        "data": { "to": [ann.id], "message": "Follow me." },
    });
    let said = carillon(&["publish", "-"], &event.to_string());
    assert!(said.status.success(), "{}", text(&said));
    let lines = json_lines(&tail.wait_with_output().unwrap());
    let ours: Vec<&Value> =
        lines.iter().filter(|line| line["id"] == id.as_str() || line["event"] == id.as_str()).collect();
    assert!(ours.iter().any(|our| our["kind"] == "event" && our["type"] == "core.hello"), "{ours:?}");
    let is_told = |channel: &str, status: &str| {
        ours.iter().any(|our| our["channel"] == channel && our["status"] == status)
    };
    assert!(is_told("email", "sent"), "{ours:?}");
    assert!(is_told("socket", "sent"), "nobody was connected, and it is in the inbox: {ours:?}");
}

/// Raw payloads for `cargo lambda invoke --data-file`: each is answered, and no message is returned to its queue.
#[test]
fn every_function_answers_its_raw_payload() {
    let environment = std::fs::read_to_string(root().join(".local/env")).unwrap();
    let others = ["dispatch", "audit", "gateway", "people", "api", "feedback"];
    for function in others.into_iter().chain(Channel::ALL.map(Channel::name)) {
        let answer = scratch().join("answer.json");
        let payload = format!("fileb://{}", root().join(format!("events/lambda/{function}.json")).display());
        let invoke = Command::new(root().join(".local/awscli/bin/aws"))
            .args(["lambda", "invoke", "--function-name", &format!("carillon-local-{function}")])
            .args(["--payload", &payload, answer.to_str().unwrap()])
            .envs(environment.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('=')))
            .output()
            .unwrap();
        assert!(invoke.status.success(), "{function}: {}", text(&invoke));
        assert!(!text(&invoke).contains("FunctionError"), "{function}: {}", text(&invoke));
        let answer: Value = serde_json::from_slice(&std::fs::read(answer).unwrap()).unwrap();
        let expected = match function {
            "gateway" => answer["statusCode"] == 200,
            "api" => answer["statusCode"] == 404,
            _ => answer == json!({ "batchItemFailures": [] }),
        };
        assert!(expected, "{function}: {answer}");
    }
}

/// On AWS `tail` reads the tables' streams. The local cloud's streams omit PartiQL writes, so the test puts the items
/// with `PutItem`.
#[tokio::test]
async fn tail_reads_streams_when_an_endpoint_is_given() {
    let cloud = Cloud::connect();
    let environment = std::fs::read_to_string(root().join(".local/env")).unwrap();
    let variables: Vec<(&str, &str)> =
        environment.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('=')).collect();
    let tail = tail(&variables);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let key = format!("{:=<43}", unique("key"));
    let item = [
        ("pk", &key[..16]),
        ("sk", &key[16..]),
        ("status", "sent"),
        ("event_id", "e"),
        ("event_source", "s"),
        ("event_type", "t"),
        ("event_time", "2026-11-20T12:00:00Z"),
        ("rule", "r"),
        ("catalog", "c"),
        ("recipient", "ann"),
        ("channel", "email"),
    ];
    let put = aws_sdk_dynamodb::Client::new(&cloud.config).put_item().table_name("carillon-local-ledger");
    let put =
        item.into_iter().fold(put, |put, (name, value)| put.item(name, AttributeValue::S(value.into())));
    put.send().await.unwrap();
    let lines = json_lines(&tail.wait_with_output().unwrap());
    assert!(lines.iter().any(|line| line["key"] == key.as_str() && line["status"] == "sent"), "{lines:?}");
}

fn tail(variables: &[(&str, &str)]) -> std::process::Child {
    Command::new(program())
        .args(["--json", "tail", "--for", "12"])
        .envs(variables.iter().copied())
        .current_dir(root())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn people_without_an_id_are_refused_and_the_others_are_imported() {
    let folder = scratch();
    let file = folder.join("people.json");
    let people =
        json!([{ "id": unique("user") }, { "name": "No Id" }, { "id": "x", "mail": "typo@example.com" }]);
    std::fs::write(&file, people.to_string()).unwrap();
    let said = carillon(&["--json", "people", "import", file.to_str().unwrap()], "");
    assert_eq!(said.status.code(), Some(1));
    assert_eq!(json_lines(&said).last().unwrap(), &json!({ "imported": 1, "tenants": 0, "refused": 2 }));
}

#[test]
fn every_command_has_help_with_an_example() {
    for command in [
        vec!["check"],
        vec!["publish"],
        vec!["tail"],
        vec!["match"],
        vec!["people", "import"],
        vec!["people", "show"],
        vec!["people", "members"],
        vec!["ticket"],
        vec!["received"],
        vec!["inbox"],
        vec!["audit", "access"],
    ] {
        let mut words = command.clone();
        words.push("--help");
        let help = text(&carillon(&words, ""));
        assert!(help.contains("Example") && help.contains("carillon "), "{command:?}: {help}");
    }
    for command in ["up", "reload", "logs", "token", "demo", "capture", "proxy"] {
        let help = text(&carillon_dev(&[command, "--help"]));
        assert!(help.contains("Example") && help.contains("carillon-dev "), "{command}: {help}");
    }
}

pub(crate) fn carillon(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(program())
        .args(arguments)
        .current_dir(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that fails early may close its input unread.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// Runs the program of developers.
pub(crate) fn carillon_dev(arguments: &[&str]) -> Output {
    let program = root().join("target/local/carillon-dev");
    Command::new(program).args(arguments).current_dir(root()).output().unwrap()
}

/// Output of an AWS CLI command.
pub(crate) fn aws(arguments: &[&str]) -> Value {
    serde_json::from_slice(&aws_done(arguments).stdout).unwrap()
}

/// Runs an AWS CLI command that may print nothing.
pub(crate) fn aws_done(arguments: &[&str]) -> Output {
    let environment = std::fs::read_to_string(root().join(".local/env")).unwrap();
    let said = Command::new(root().join(".local/awscli/bin/aws"))
        .args(arguments)
        .args(["--output", "json"])
        .envs(environment.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('=')))
        .output()
        .unwrap();
    assert!(said.status.success(), "{}", text(&said));
    said
}

pub(crate) fn program() -> PathBuf {
    root().join("target/local/carillon")
}

pub(crate) fn json_lines(output: &Output) -> Vec<Value> {
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(crate) fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn scratch() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(unique("carillon"));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
