//! Parameters of the environments in samconfig.toml.

use crate::cloud::root;

/// Value that samconfig.toml gives an environment for a parameter.
pub(super) fn deployed(environment: &str, parameter: &str) -> Option<String> {
    let text = std::fs::read_to_string(root().join("infra/samconfig.toml")).unwrap();
    let section = format!("[{environment}.deploy.parameters]");
    let mut lines = text.lines().skip_while(|line| *line != section);
    let line = lines.find(|line| line.starts_with("parameter_overrides")).unwrap();
    let mut pairs = line.split([' ', '"']).filter_map(|pair| pair.split_once('='));
    pairs.find(|(name, _)| *name == parameter).map(|(_, value)| value.to_owned())
}
