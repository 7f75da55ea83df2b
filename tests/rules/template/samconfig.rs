//! The template as SAM reads it, and the parameters of the environments in samconfig.toml.

use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;
use workspace::root;

/// The template as SAM itself reads it.
pub(super) fn template() -> &'static Value {
    static TEMPLATE: OnceLock<Value> = OnceLock::new();
    TEMPLATE.get_or_init(read)
}

fn read() -> Value {
    let script = "import json, sys
from samtranslator.yaml_helper import yaml_parse
print(json.dumps(yaml_parse(open('infra/template.yaml').read())))";
    let read = Command::new(root().join(".local/sam/bin/python"))
        .args(["-c", script])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    serde_json::from_slice(&read.stdout).unwrap()
}

/// Value that samconfig.toml gives an environment for a parameter.
pub(super) fn deployed(environment: &str, parameter: &str) -> Option<String> {
    let text = std::fs::read_to_string(root().join("infra/samconfig.toml")).unwrap();
    let section = format!("[{environment}.deploy.parameters]");
    let mut lines = text.lines().skip_while(|line| *line != section);
    let line = lines.find(|line| line.starts_with("parameter_overrides")).unwrap();
    let mut pairs = line.split([' ', '"']).filter_map(|pair| pair.split_once('='));
    pairs.find(|(name, _)| *name == parameter).map(|(_, value)| value.to_owned())
}
