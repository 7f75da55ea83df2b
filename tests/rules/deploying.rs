//! Commands that `make` runs for each environment of `samconfig.toml`. The test builds no artifact.

use std::path::PathBuf;
use std::process::{Command, Output};

use workspace::{root, unique};

const SECTIONS: &str = r#"version = 0.1
# [ghost.deploy.parameters]

[test.deploy.parameters]
stack_name = "carillon-test"
# Architecture=x86_64
parameter_overrides = "Environment=test Architecture=arm64 LogLevel=info"

[staging.deploy.parameters]
parameter_overrides = [
  "Environment=staging",
  "Architecture=x86_64",
]

[test2.deploy.parameters]
parameter_overrides = "Environment=test2 Architecture=\"x86_64\""

[ eu-test.deploy.parameters ] # of the Region in Frankfurt
parameter_overrides = "Environment=eu-test"

[eu.deploy.parameters]
parameter_overrides = "Environment=eu Architecture=x86_64"
"#;

#[test]
fn functions_are_built_for_the_architecture_of_their_own_environment() {
    for (environment, flag) in [
        ("test", "--arm64"),
        ("staging", "--x86-64"),
        ("test2", "--x86-64"),
        ("eu-test", "--arm64"),
        ("eu", "--x86-64"),
    ] {
        let output = make("release", environment, SECTIONS);
        assert!(output.status.success(), "{environment}: {}", text(&output));
        let flags: Vec<String> = text(&output)
            .split_whitespace()
            .filter(|word| ["--arm64", "--x86-64"].contains(word))
            .map(str::to_owned)
            .collect();
        assert_eq!(flags, [flag], "{environment}");
    }
}

#[test]
fn unknown_environment_is_refused_before_anything_is_built() {
    for (environment, target) in
        [("ghost", "release"), ("stag", "deploy"), ("tes", "deploy"), ("t.st", "release"), ("prod", "deploy")]
    {
        let output = make(target, environment, SECTIONS);
        assert!(!output.status.success(), "{environment}");
        let output = text(&output);
        assert!(output.contains(&format!("no section [{environment}.deploy.parameters]")), "{output}");
        assert!(output.contains("it has: test staging test2"), "{output}");
        assert!(!output.contains("cargo lambda build"), "{output}");
    }
}

#[test]
fn shipped_environments_are_known() {
    let sections = std::fs::read_to_string(root().join("infra/samconfig.toml")).unwrap();
    for environment in ["dev", "prod"] {
        let output = make("release", environment, &sections);
        assert!(
            output.status.success() && text(&output).contains("--arm64"),
            "{environment}: {}",
            text(&output)
        );
    }
}

/// Output of a dry run of `make`.
fn make(target: &str, environment: &str, sections: &str) -> Output {
    let file: PathBuf = std::env::temp_dir().join(unique("samconfig"));
    std::fs::write(&file, sections).unwrap();
    let output = Command::new("make")
        .args(["--dry-run", target, &format!("E={environment}")])
        .arg(format!("SAMCONFIG={}", file.display()))
        .current_dir(root())
        .output()
        .unwrap();
    std::fs::remove_file(&file).unwrap();
    output
}

fn text(output: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("{out}{err}")
}
