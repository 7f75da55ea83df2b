//! Reads the policy file of the function's package.

use std::path::Path;

use domain::catalog::{POLICY_FILE, POLICY_FORMAT, PolicyFile};
use domain::event::producers::Producers;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::Env;

/// The function's policy file is missing or unusable.
#[derive(Debug, thiserror::Error)]
#[error(
    "the policy {path} is not usable: {why}; write it with `carillon check --out target/lambda/dispatch/catalog.json`"
)]
pub struct PolicyUnusable {
    /// The path of the file.
    pub path: String,
    pub why: String,
}

/// Reads the members of `P` from the policy file in the function's folder (`LAMBDA_TASK_ROOT`).
///
/// # Errors
/// [`PolicyUnusable`] if the file is missing, is not a policy, or comes from another release.
pub fn policy<P: DeserializeOwned>(env: &Env) -> Result<P, PolicyUnusable> {
    let folder = env.optional("LAMBDA_TASK_ROOT").unwrap_or_else(|| ".".to_owned());
    read(&Path::new(&folder).join(POLICY_FILE))
}

/// The rights of each source on the bus.
///
/// # Errors
/// The same as for [`policy`].
pub fn producers(env: &Env) -> Result<Producers, PolicyUnusable> {
    /// The members of the policy about producers.
    #[derive(Deserialize)]
    struct Part {
        #[serde(default)]
        producers: Producers,
    }
    policy::<Part>(env).map(|part| part.producers)
}

fn read<P: DeserializeOwned>(path: &Path) -> Result<P, PolicyUnusable> {
    let unusable = |why: String| PolicyUnusable { path: path.display().to_string(), why };
    let text = std::fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
    let file: PolicyFile<P> = serde_json::from_str(&text).map_err(|error| unusable(error.to_string()))?;
    if file.format != POLICY_FORMAT {
        return Err(unusable(format!("its format {} is not {POLICY_FORMAT}", file.format)));
    }
    Ok(file.policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_policy_names_the_command_that_writes_it() {
        let env: Env = [("LAMBDA_TASK_ROOT".to_owned(), "/nowhere".to_owned())].into_iter().collect();
        let error = producers(&env).unwrap_err().to_string();
        assert!(error.contains("/nowhere/policy.json") && error.contains("carillon check --out"), "{error}");
    }

    #[test]
    fn policy_of_another_format_is_refused_and_unknown_members_are_left_out() {
        let folder = std::env::temp_dir().join(format!("carillon-policy-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let env: Env = [("LAMBDA_TASK_ROOT".to_owned(), folder.display().to_string())].into_iter().collect();
        let write = |format: u32| {
            let text = format!(
                r#"{{"format":{format},"version":"v","policy":{{"zone":"UTC","producers":[{{"source":"crm","tenants":"all"}}]}}}}"#
            );
            std::fs::write(folder.join(POLICY_FILE), text).unwrap();
            producers(&env)
        };
        assert!(write(POLICY_FORMAT).unwrap().entry("crm").is_some());
        assert!(write(POLICY_FORMAT + 1).unwrap_err().to_string().contains("format"));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
