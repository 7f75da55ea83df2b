//! A user's own project in the CLI: created, checked, with packs added and compared. No cloud is needed.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::cloud::{root, unique};
use crate::commands::{carillon, text};

#[test]
fn new_project_is_green_at_once_with_and_without_packs() {
    for packs in [&[][..], &["healthcare", "care", "tasks", "demo"]] {
        let folder = scratch();
        let mine = folder.join("mine");
        let options: Vec<&str> = packs.iter().flat_map(|pack| ["--pack", pack]).collect();
        let said = carillon(&[&["init", name(&mine)], &options[..]].concat(), "");
        assert!(said.status.success(), "{}", text(&said));
        let said = carillon(&["check", name(&mine), "--strict"], "");
        assert!(said.status.success(), "{packs:?}: {}", text(&said));
        assert!(text(&said).contains("1 decision test passes"), "{}", text(&said));
        assert!(!text(&said).contains("warning"), "{packs:?}: {}", text(&said));
        let sample = mine.join("events/order.shipped.json");
        let said = carillon(&["explain", name(&sample), "--config", name(&mine)], "");
        assert!(text(&said).contains("ann"), "the people of the project are known: {}", text(&said));
    }
}

#[test]
fn sample_that_differs_from_its_schema_fails_the_check() {
    let folder = scratch();
    let mine = folder.join("mine");
    assert!(carillon(&["init", name(&mine)], "").status.success());
    let sample = mine.join("events/order.shipped.json");
    let changed =
        std::fs::read_to_string(&sample).unwrap().replace(r#""orderId": "A-1042""#, r#""orderId": 1042"#);
    std::fs::write(&sample, changed).unwrap();
    let said = carillon(&["check", name(&mine)], "");
    assert_eq!(said.status.code(), Some(1));
    let expected = "the schema of `order.shipped` does not admit $.data.orderId: found integer; write string";
    assert!(text(&said).contains(expected), "{}", text(&said));
    assert!(text(&said).contains("mine/events/order.shipped.json"), "{}", text(&said));
}

#[test]
fn init_refuses_to_overwrite_and_names_the_file() {
    let folder = scratch();
    std::fs::write(folder.join("policy.yaml"), "zone: UTC\n").unwrap();
    let said = carillon(&["init", name(&folder)], "");
    assert_eq!(said.status.code(), Some(2));
    assert!(text(&said).contains("policy.yaml exists already"), "{}", text(&said));
    assert!(!folder.join("carillon.yaml").exists(), "nothing was written");
    let said = carillon(&["init", name(&folder.join("b")), "--pack", "healthcar"], "");
    assert!(text(&said).contains("did you mean `healthcare`?"), "{}", text(&said));
}

#[test]
fn pack_is_copied_once_and_compared_with_the_release() {
    let folder = scratch();
    let mine = folder.join("mine");
    assert!(carillon(&["init", name(&mine)], "").status.success());
    let add = ["pack", "add", "care", "--config", name(&mine)];
    let said = carillon(&add, "");
    assert!(said.status.success(), "{}", text(&said));
    assert!(std::fs::read_to_string(mine.join("carillon.yaml")).unwrap().contains("packs: [core, care]"));
    let said = carillon(&add, "");
    assert_eq!(said.status.code(), Some(2), "a copy is not overwritten");
    assert!(text(&said).contains("packs/care exists already"), "{}", text(&said));
    let diff = ["pack", "diff", "--config", name(&mine)];
    assert_eq!(carillon(&diff, "").status.code(), Some(0));
    let rules = mine.join("packs/care/rules/care.yaml");
    let changed = std::fs::read_to_string(&rules).unwrap().replacen("category: ", "category: my-", 1);
    std::fs::write(&rules, changed).unwrap();
    std::fs::write(mine.join("packs/care/rules/mine.yaml"), "").unwrap();
    std::fs::remove_file(mine.join("packs/care/README.md")).unwrap();
    let said = carillon(&[&["--json"], &diff[..]].concat(), "");
    assert_eq!(said.status.code(), Some(1));
    let value: Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!((&value["added"][0], &value["removed"][0]), (&"README.md".into(), &"rules/mine.yaml".into()));
    assert_eq!(value["changed"][0]["file"], "rules/care.yaml");
    assert!(value["changed"][0]["diff"].as_str().unwrap().contains("-  category: my-"), "{value}");
    let said = text(&carillon(&["pack", "ls", "--config", name(&mine)], ""));
    assert!(said.contains("used, a copy that differs") && said.contains("healthcare"), "{said}");
}

#[test]
fn override_of_an_unknown_rule_names_the_file_of_the_project() {
    let folder = scratch();
    let mine = folder.join("mine");
    assert!(carillon(&["init", name(&mine), "--pack", "healthcare"], "").status.success());
    let rules = mine.join("rules/changes.yaml");
    std::fs::write(&rules, "- switch-off: healthcare/appointment-bookd\n").unwrap();
    let said = text(&carillon(&["check", name(&mine)], ""));
    let wanted = format!("{}:1:15", rules.display());
    assert!(
        said.contains(&wanted) && said.contains("did you mean `healthcare/appointment-booked`?"),
        "{said}"
    );
    std::fs::write(&rules, "- switch-off: healthcare/appointment-booked\n").unwrap();
    let said = carillon(&["check", name(&mine), "--strict"], "");
    assert!(said.status.success(), "{}", text(&said));
}

#[test]
fn disabled_rule_may_leave_a_sample_of_its_pack_without_recipients() {
    let folder = scratch();
    let mine = folder.join("mine");
    assert!(carillon(&["init", name(&mine), "--pack", "booking"], "").status.success());
    std::fs::write(mine.join("rules/changes.yaml"), "- switch-off: booking/booking-message\n").unwrap();
    let said = carillon(&["check", name(&mine), "--strict"], "");
    assert!(said.status.success(), "{}", text(&said));
    let shown = text(&said);
    assert!(
        shown.contains("warning") && shown.contains("no rule matches `notification.message.created`"),
        "{shown}"
    );
    // The author of the project must correct its own samples.
    let own = r#"{ "specversion": "1.0", "id": "1", "source": "shop", "type": "nobody.asks", "time": "2026-11-20T09:30:00Z" }"#;
    std::fs::write(mine.join("events/nobody.json"), own).unwrap();
    let said = carillon(&["check", name(&mine), "--strict"], "");
    assert_eq!(said.status.code(), Some(1), "{}", text(&said));
}

fn name(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn scratch() -> PathBuf {
    let folder = root().join("target/tmp").join(unique("project"));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
