//! New code for deployed functions: pushes changes of `config/` without deploying the template.

use std::path::Path;

use cli::error::Error;
use cli::local_cloud::{FOLDER, State};
use cli::terminal::Terminal;

use super::{progress, python};

/// Pushes the code of these functions, one after the other.
///
/// # Errors
/// The local cloud refused the code.
pub(super) fn functions(names: &[&str], state: &State, terminal: &Terminal) -> Result<(), Error> {
    for name in names {
        let (folder, function) = (format!("target/lambda/{name}"), format!("carillon-local-{name}"));
        let script = include_str!("../../scripts/push_function.py");
        let command = python::command(script, &[&folder, &function], state);
        let log = Path::new(FOLDER).join("push.log");
        if !progress::run(command, &format!("pushing {name} to the local cloud"), &log, terminal)? {
            let output = std::fs::read_to_string(&log).unwrap_or_default();
            return Err(Error::Cloud(format!("the code of {name} was not pushed:\n{output}")));
        }
    }
    Ok(())
}
