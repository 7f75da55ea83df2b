//! CORS on the local cloud, which MiniStack's CloudFormation does not set up. `scripts/cors.py` says why.

use cli::error::Error;
use cli::local_cloud::State;

use super::python;

/// Sets the CORS configuration of the template's APIs. Returns the allowed origins.
///
/// # Errors
/// The local cloud refused the configuration.
pub(super) fn allow(state: &State) -> Result<String, Error> {
    let command = python::command(include_str!("../../scripts/cors.py"), &[], state);
    python::run(command, &[], "the local cloud did not take the CORS configuration")
}
