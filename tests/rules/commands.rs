//! Commands of the CLI that need no cloud.

use serde_json::json;
use workspace::programs::{carillon, carillon_dev, text};
use workspace::{copy_project, root, scratch};

#[test]
fn exit_code_tells_whether_a_pattern_matches() {
    let folder = scratch("carillon");
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
        let output = carillon(&["match", "--pattern", paths[0], "--event", paths[1]], "");
        assert_eq!(output.status.code(), Some(code), "{source}: {}", text(&output));
    }
}

#[test]
fn check_reports_every_error_in_one_run() {
    let folder = scratch("carillon");
    std::fs::create_dir_all(folder.join("rules")).unwrap();
    let rules = "- rule: one\n  when: { detail-type: [a.b] }\n  category: c\n  chanels: [email]\n  to: [{ user: $.data.userId }]\n  template: gone\n\
                 - rule: two\n  when: { detail-type: a.b }\n  category: c\n  channels: [emial]\n  to: []\n  template: gone\n";
    std::fs::write(folder.join("rules/mine.yaml"), rules).unwrap();
    let out = folder.join("catalog.json");
    let output = carillon(&["check", folder.to_str().unwrap(), "--out", out.to_str().unwrap()], "");
    assert_eq!(output.status.code(), Some(1));
    let printed = text(&output);
    for expected in
        ["rules/mine.yaml:4", "chanels", "channels", "rules/mine.yaml:8", "emial", "rules/mine.yaml:11"]
    {
        assert!(printed.contains(expected), "{expected} is not in:\n{printed}");
    }
    assert!(!out.exists(), "nothing is written when something is wrong");
}

#[test]
fn decision_test_that_explain_writes_passes() {
    let folder = scratch("carillon");
    let config = copy_project(&folder);
    std::fs::create_dir_all(config.join("tests")).unwrap();
    let mut tests = String::new();
    for sample in
        ["core/hello", "tasks/task.comment.added", "care/emergency.alert.created", "demo/demo.alarm"]
    {
        let (pack, name) = sample.split_once('/').unwrap();
        let output = carillon(&["explain", &format!("packs/{pack}/events/{name}.json"), "--as-test"], "");
        assert!(output.status.success(), "{}", text(&output));
        tests.push_str(&String::from_utf8_lossy(&output.stdout));
    }
    std::fs::write(config.join("tests/written.yaml"), &tests).unwrap();
    let output = carillon(&["check", config.to_str().unwrap()], "");
    assert!(text(&output).contains("4 decision tests pass"), "{tests}\n{}", text(&output));
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
        let output = carillon(&["completion", shell], "");
        assert!(output.status.success() && text(&output).contains("received"), "{shell}");
    }
    let folder = scratch("carillon");
    let output = carillon(&["man", "--out", folder.to_str().unwrap()], "");
    assert!(output.status.success(), "{}", text(&output));
    let page = std::fs::read_to_string(folder.join("carillon-explain.1")).unwrap();
    assert!(page.contains("as\\-test"), "{page}");
    let output = carillon(&["--env", "BAD ENV", "events", "ls"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("wanted a lower-case name such as dev"), "{}", text(&output));
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
