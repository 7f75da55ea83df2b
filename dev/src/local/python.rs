//! Python scripts that call the local cloud by boto3, which SAM's own environment has.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use cli::error::Error;
use cli::local_cloud::{FOLDER, State};

/// A command that runs a script against the local cloud.
pub(super) fn command(script: &str, arguments: &[&str], state: &State) -> Command {
    let mut command = Command::new(sam_tool("python"));
    command.args(["-c", script]).args(arguments).envs(state.variables());
    command.env_remove("AWS_PROFILE").env_remove("AWS_SESSION_TOKEN");
    command
}

/// Runs a script with this input. Returns its output, trimmed.
///
/// # Errors
/// The script failed; the message is `failed` and its error output.
pub(super) fn run(mut command: Command, input: &[u8], failed: &str) -> Result<String, Error> {
    let output =
        output(&mut command, input).map_err(|error| Error::read(Path::new(command.get_program()), error))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        false => Err(Error::Cloud(format!("{failed}: {}", String::from_utf8_lossy(&output.stderr)))),
    }
}

fn output(command: &mut Command, input: &[u8]) -> std::io::Result<Output> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A script that fails early does not read its input.
        let _ = stdin.write_all(input);
    }
    child.wait_with_output()
}

/// A program of SAM's own environment, as an absolute path.
pub(super) fn sam_tool(name: &str) -> PathBuf {
    let path = Path::new(FOLDER).join("sam/bin").join(name);
    std::path::absolute(&path).unwrap_or(path)
}
