//! The AWS CLI and shell commands, pointed at the local cloud by `.local/env`.

use std::process::{Command, Output};

use serde_json::Value;
use workspace::programs::text;
use workspace::root;

/// Output of an AWS CLI command.
pub fn aws(arguments: &[&str]) -> Value {
    serde_json::from_slice(&aws_done(arguments).stdout).unwrap()
}

/// Runs an AWS CLI command that may print nothing.
pub fn aws_done(arguments: &[&str]) -> Output {
    let output = Command::new(root().join(".local/awscli/bin/aws"))
        .args(arguments)
        .args(["--output", "json"])
        .envs(environment())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
    output
}

/// Runs a command in a shell that has read `.local/env`.
pub fn shell(command: &str) -> Output {
    let path = format!("{}:/usr/bin:/bin", root().join(".local/awscli/bin").display());
    Command::new("sh").args(["-c", command]).envs(environment()).env("PATH", path).output().unwrap()
}

/// The variables of `.local/env`.
pub fn environment() -> Vec<(String, String)> {
    let lines = std::fs::read_to_string(root().join(".local/env")).unwrap();
    let variables = lines.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
    variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
