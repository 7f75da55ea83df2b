//! A user's own project in the CLI: created, checked, with packs added and compared. No cloud is needed.

use std::path::Path;

use serde_json::Value;
use workspace::programs::{carillon, text};
use workspace::scratch;

#[test]
fn new_project_is_green_at_once_with_and_without_packs() {
    for packs in [&[][..], &["healthcare", "care", "tasks", "demo"]] {
        let folder = scratch("project");
        let mine = folder.join("mine");
        let options: Vec<&str> = packs.iter().flat_map(|pack| ["--pack", pack]).collect();
        let output = carillon(&[&["init", name(&mine)], &options[..]].concat(), "");
        assert!(output.status.success(), "{}", text(&output));
        let output = carillon(&["check", name(&mine), "--strict"], "");
        assert!(output.status.success(), "{packs:?}: {}", text(&output));
        assert!(text(&output).contains("1 decision test passes"), "{}", text(&output));
        assert!(!text(&output).contains("warning"), "{packs:?}: {}", text(&output));
        let sample = mine.join("events/order.shipped.json");
        let output = carillon(&["explain", name(&sample), "--config", name(&mine)], "");
        assert!(text(&output).contains("ann"), "the people of the project are known: {}", text(&output));
    }
}

#[test]
fn sample_that_differs_from_its_schema_fails_the_check() {
    let folder = scratch("project");
    let mine = folder.join("mine");
    assert!(carillon(&["init", name(&mine)], "").status.success());
    let sample = mine.join("events/order.shipped.json");
    let changed =
        std::fs::read_to_string(&sample).unwrap().replace(r#""orderId": "A-1042""#, r#""orderId": 1042"#);
    std::fs::write(&sample, changed).unwrap();
    let output = carillon(&["check", name(&mine)], "");
    assert_eq!(output.status.code(), Some(1));
    let expected = "the schema of `order.shipped` does not admit $.data.orderId: found integer; write string";
    assert!(text(&output).contains(expected), "{}", text(&output));
    assert!(text(&output).contains("mine/events/order.shipped.json"), "{}", text(&output));
}

#[test]
fn init_refuses_to_overwrite_and_names_the_file() {
    let folder = scratch("project");
    std::fs::write(folder.join("policy.yaml"), "zone: UTC\n").unwrap();
    let output = carillon(&["init", name(&folder)], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("policy.yaml exists already"), "{}", text(&output));
    assert!(!folder.join("carillon.yaml").exists(), "nothing was written");
    let output = carillon(&["init", name(&folder.join("b")), "--pack", "healthcar"], "");
    assert!(text(&output).contains("did you mean `healthcare`?"), "{}", text(&output));
}

#[test]
fn pack_is_copied_once_and_compared_with_the_release() {
    let folder = scratch("project");
    let mine = folder.join("mine");
    assert!(carillon(&["init", name(&mine)], "").status.success());
    let add = ["pack", "add", "care", "--config", name(&mine)];
    let output = carillon(&add, "");
    assert!(output.status.success(), "{}", text(&output));
    assert!(std::fs::read_to_string(mine.join("carillon.yaml")).unwrap().contains("packs: [core, care]"));
    let output = carillon(&add, "");
    assert_eq!(output.status.code(), Some(2), "a copy is not overwritten");
    assert!(text(&output).contains("packs/care exists already"), "{}", text(&output));
    let diff = ["pack", "diff", "--config", name(&mine)];
    assert_eq!(carillon(&diff, "").status.code(), Some(0));
    let rules = mine.join("packs/care/rules/care.yaml");
    let changed = std::fs::read_to_string(&rules).unwrap().replacen("category: ", "category: my-", 1);
    std::fs::write(&rules, changed).unwrap();
    std::fs::write(mine.join("packs/care/rules/mine.yaml"), "").unwrap();
    std::fs::remove_file(mine.join("packs/care/README.md")).unwrap();
    let output = carillon(&[&["--json"], &diff[..]].concat(), "");
    assert_eq!(output.status.code(), Some(1));
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&value["added"][0], &value["removed"][0]), (&"README.md".into(), &"rules/mine.yaml".into()));
    assert_eq!(value["changed"][0]["file"], "rules/care.yaml");
    assert!(value["changed"][0]["diff"].as_str().unwrap().contains("-  category: my-"), "{value}");
    let output = text(&carillon(&["pack", "ls", "--config", name(&mine)], ""));
    assert!(output.contains("used, a copy that differs") && output.contains("healthcare"), "{output}");
}

#[test]
fn override_of_an_unknown_rule_names_the_file_of_the_project() {
    let folder = scratch("project");
    let mine = folder.join("mine");
    assert!(carillon(&["init", name(&mine), "--pack", "healthcare"], "").status.success());
    let rules = mine.join("rules/changes.yaml");
    std::fs::write(&rules, "- switch-off: healthcare/appointment-bookd\n").unwrap();
    let output = text(&carillon(&["check", name(&mine)], ""));
    let wanted = format!("{}:1:15", rules.display());
    assert!(
        output.contains(&wanted) && output.contains("did you mean `healthcare/appointment-booked`?"),
        "{output}"
    );
    std::fs::write(&rules, "- switch-off: healthcare/appointment-booked\n").unwrap();
    let output = carillon(&["check", name(&mine), "--strict"], "");
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
fn disabled_rule_may_leave_a_sample_of_its_pack_without_recipients() {
    let folder = scratch("project");
    let mine = folder.join("mine");
    assert!(carillon(&["init", name(&mine), "--pack", "booking"], "").status.success());
    std::fs::write(mine.join("rules/changes.yaml"), "- switch-off: booking/booking-message\n").unwrap();
    let output = carillon(&["check", name(&mine), "--strict"], "");
    assert!(output.status.success(), "{}", text(&output));
    let shown = text(&output);
    assert!(
        shown.contains("warning") && shown.contains("no rule matches `notification.message.created`"),
        "{shown}"
    );
    // The author of the project must correct its own samples.
    let own = r#"{ "specversion": "1.0", "id": "1", "source": "shop", "type": "unmatched.event", "time": "2026-11-20T09:30:00Z" }"#;
    std::fs::write(mine.join("events/unmatched.json"), own).unwrap();
    let output = carillon(&["check", name(&mine), "--strict"], "");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
}

fn name(path: &Path) -> &str {
    path.to_str().unwrap()
}
