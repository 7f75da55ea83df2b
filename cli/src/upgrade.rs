//! `carillon upgrade`. The program of `infra/upgrade/` runs in Python, as `sam` and `infra/deployed.py` do. The CLI
//! therefore links no client of CloudFormation.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::args::{Target, Upgrade};
use crate::cloud::Cloud;
use crate::error::{Done, Error};
use crate::local_cloud::FOLDER;
use crate::terminal::Terminal;

/// Runs the program, which imports its module `plan` from the first argument.
const START: &str = r#"
import sys, types
try:
    import boto3, yaml
except ImportError as missing:
    sys.exit(f"upgrade: {missing}")
plan = types.ModuleType("plan")
exec(compile(sys.argv[1], "infra/upgrade/plan.py", "exec"), plan.__dict__)
sys.modules["plan"] = plan
source, sys.argv = sys.argv[2], ["carillon upgrade", *sys.argv[3:]]
exec(compile(source, "infra/upgrade/main.py", "exec"), {"__name__": "__main__"})
"#;
const PLAN: &str = include_str!("../../infra/upgrade/plan.py");
const MAIN: &str = include_str!("../../infra/upgrade/main.py");

pub(crate) async fn run(upgrade: &Upgrade, target: &Target, terminal: &Terminal) -> Done {
    let cloud = Cloud::of(target).await?;
    let python = python(upgrade);
    let mut command = Command::new(&python);
    command.args(["-B", "-c", START, PLAN, MAIN, &target.environment]);
    command.arg("--template").arg(&upgrade.template).arg("--samconfig").arg(&upgrade.samconfig);
    for (name, value) in [("--stack", &upgrade.stack), ("--bucket", &upgrade.bucket)] {
        if let Some(value) = value {
            command.args([name, value]);
        }
    }
    command.args(upgrade.accept.iter().flat_map(|name| ["--accept", name]));
    command.args(upgrade.dry_run.then_some("--dry-run")).args(terminal.json.then_some("--json"));
    if let Some(state) = &cloud.local {
        command.envs(state.variables()).env_remove("AWS_PROFILE").env_remove("AWS_SESSION_TOKEN");
    }
    let install = "run `make .local/sam/.installed`, or name a Python with boto3 and PyYAML: --python";
    let status = command
        .status()
        .map_err(|error| Error::usage(format!("{} cannot be started: {error}", python.display()), install))?;
    Ok(status.success())
}

/// The Python that has SAM's packages, if this folder has one.
fn python(upgrade: &Upgrade) -> PathBuf {
    let ours = Path::new(FOLDER).join("sam/bin/python");
    let found = || if ours.exists() { ours } else { PathBuf::from("python3") };
    upgrade.python.clone().unwrap_or_else(found)
}
