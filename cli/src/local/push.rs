//! New code for functions that are deployed already: what changed in `config/` is pushed without the template.

use std::path::Path;
use std::process::Command;

use crate::error::Error;
use crate::terminal::Terminal;

use super::deploy::tool;
use super::progress;
use super::state::{FOLDER, State};

/// Packs a function's folder and gives it to the function. The program is most of it, and is packed without compression:
/// nothing of it leaves this machine.
const SCRIPT: &str = "import boto3, io, os, sys, zipfile
folder, name = sys.argv[1], sys.argv[2]
packed = io.BytesIO()
with zipfile.ZipFile(packed, 'w', zipfile.ZIP_STORED) as archive:
    for file in sorted(os.listdir(folder)):
        with open(os.path.join(folder, file), 'rb') as content:
            entry = zipfile.ZipInfo(file)
            entry.external_attr = (0o755 if file == 'bootstrap' else 0o644) << 16
            archive.writestr(entry, content.read())
functions = boto3.client('lambda')
functions.update_function_code(FunctionName=name, ZipFile=packed.getvalue())
functions.get_waiter('function_updated_v2').wait(FunctionName=name, WaiterConfig={'Delay': 1, 'MaxAttempts': 30})";

/// Pushes the code of these functions, one after the other.
///
/// # Errors
/// The local cloud did not take it.
pub(super) fn functions(names: &[&str], state: &State, terminal: &Terminal) -> Result<(), Error> {
    for name in names {
        let mut command = Command::new(tool("python"));
        command
            .args(["-c", SCRIPT, &format!("target/lambda/{name}"), &format!("carillon-local-{name}")])
            .envs(state.variables())
            .env_remove("AWS_PROFILE")
            .env_remove("AWS_SESSION_TOKEN");
        let log = Path::new(FOLDER).join("push.log");
        if !progress::run(command, &format!("pushing {name} to the local cloud"), &log, terminal)? {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            return Err(Error::Cloud(format!("the code of {name} was not pushed:\n{said}")));
        }
    }
    Ok(())
}
