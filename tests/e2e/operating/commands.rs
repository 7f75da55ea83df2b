//! Commands of the CLI on the local cloud.

use std::process::{Command, Stdio};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::base::channel::Channel;
use serde_json::{Value, json};
use testkit::cloud::{Cloud, now_text};
use testkit::until::until;
use workspace::programs::{carillon, carillon_dev, json_lines, program, text};
use workspace::{copy_project, root, scratch, unique};

#[test]
fn demo_delivers_every_sample() {
    let output = carillon_dev(&["--json", "demo"]);
    assert!(output.status.success(), "{}", text(&output));
    let lines = json_lines(&output);
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
        let output = carillon(&["--json", "publish", "-"], &input);
        let answers = json_lines(&output);
        assert_eq!(
            answers.iter().filter(|answer| answer["busId"].is_string()).count(),
            published,
            "{}",
            text(&output)
        );
        assert_eq!(
            answers.iter().filter(|answer| answer["refused"].is_string()).count(),
            refused,
            "{}",
            text(&output)
        );
        assert_eq!(output.status.success(), refused == 0);
    }
    for id in &ids {
        until("it is kept", async || cloud.records(id).await.into_iter().next()).await;
    }
}

#[test]
fn publish_without_a_usable_event_names_place_and_reason() {
    let output = carillon(&["publish", "-"], r#"{"specversion":"0.3","id":"1","source":"s","type":"t"}"#);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output).contains(r#"specversion: found a text of 3 characters, wanted "1.0""#),
        "{}",
        text(&output)
    );
    let output = carillon(&["publish", "no/such/file.json"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("no/such/file.json"), "{}", text(&output));
}

#[test]
fn check_and_what_if_warn_of_a_deployed_rule_that_is_missing() {
    let folder = scratch("carillon");
    let config = copy_project(&folder);
    let deployed = folder.join("deployed.json");
    let output = carillon(&["check", config.to_str().unwrap(), "--out", deployed.to_str().unwrap()], "");
    assert!(output.status.success(), "{}", text(&output));
    let path = folder.join("packs/demo/rules/demo.yaml");
    let rules = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, rules.replace("- rule: demo-escalation\n", "- rule: demo-escalated\n")).unwrap();
    let against = ["check", config.to_str().unwrap(), "--against", deployed.to_str().unwrap()];
    let output = carillon(&against, "");
    let warning = "the deployed rule `demo-escalation` is missing in this catalog: messages that wait for it (its waits";
    assert!(text(&output).contains(warning) && text(&output).contains("rule_gone"), "{}", text(&output));
    let what_if = ["what-if", "--config", config.to_str().unwrap(), "--against", deployed.to_str().unwrap()];
    let output = carillon(&[&what_if[..], &["--since", "1m"]].concat(), "");
    assert!(text(&output).contains(warning), "{}", text(&output));
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
    let output = carillon(&["publish", "-"], &event.to_string());
    assert!(output.status.success(), "{}", text(&output));
    let lines = json_lines(&tail.wait_with_output().unwrap());
    let ours: Vec<&Value> =
        lines.iter().filter(|line| line["id"] == id.as_str() || line["event"] == id.as_str()).collect();
    assert!(ours.iter().any(|our| our["kind"] == "event" && our["type"] == "core.hello"), "{ours:?}");
    let is_notified = |channel: &str, status: &str| {
        ours.iter().any(|our| our["channel"] == channel && our["status"] == status)
    };
    assert!(is_notified("email", "sent"), "{ours:?}");
    assert!(is_notified("socket", "sent"), "nobody was connected, and it is in the inbox: {ours:?}");
}

/// Raw payloads for `cargo lambda invoke --data-file`: each is answered, and no message is returned to its queue.
#[test]
fn every_function_answers_its_raw_payload() {
    let environment = std::fs::read_to_string(root().join(".local/env")).unwrap();
    let others = ["dispatch", "audit", "gateway", "people", "api", "feedback"];
    for function in others.into_iter().chain(Channel::ALL.map(Channel::name)) {
        let answer = scratch("carillon").join("answer.json");
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
    let folder = scratch("carillon");
    let file = folder.join("people.json");
    let people =
        json!([{ "id": unique("user") }, { "name": "No Id" }, { "id": "x", "mail": "typo@example.com" }]);
    std::fs::write(&file, people.to_string()).unwrap();
    let output = carillon(&["--json", "people", "import", file.to_str().unwrap()], "");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(json_lines(&output).last().unwrap(), &json!({ "imported": 1, "tenants": 0, "refused": 2 }));
}
