//! Runs of `carillon` and `carillon-dev` as `make build` made them, and their output.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::root;

/// Runs the operator's program with this text as its input.
pub fn carillon(arguments: &[&str], input: &str) -> Output {
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
pub fn carillon_dev(arguments: &[&str]) -> Output {
    let program = root().join("target/local/carillon-dev");
    Command::new(program).args(arguments).current_dir(root()).output().unwrap()
}

/// The operator's program.
pub fn program() -> PathBuf {
    root().join("target/local/carillon")
}

/// The lines of JSON that a program printed.
pub fn json_lines(output: &Output) -> Vec<Value> {
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// All output of a program.
pub fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
