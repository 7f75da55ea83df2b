//! `carillon upgrade`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

/// Prepare a stack for the deployment of this release
///
/// Compares the deployed stack with the template: indexes, parameters, removed and replaced resources. Then adds the new
/// indexes, one for each table and update, and waits until they are active. A run that was interrupted continues when it
/// is started again. The program needs Python with boto3 and PyYAML, as `make deploy` installs them.
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon --env prod upgrade --dry-run
  carillon --env prod upgrade
  carillon --env prod upgrade --accept LedgerTable/by_awaited")]
pub(crate) struct Upgrade {
    /// Print the comparison and the steps without changing the stack
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The template of this release
    #[arg(long, value_name = "FILE", default_value = "infra/template.yaml")]
    pub(crate) template: PathBuf,
    /// The parameters of the environments
    #[arg(long, value_name = "FILE", default_value = "infra/samconfig.toml")]
    pub(crate) samconfig: PathBuf,
    /// The stack; by default the one that samconfig.toml names, or carillon-ENV
    #[arg(long, value_name = "NAME")]
    pub(crate) stack: Option<String>,
    /// The S3 bucket for large templates; by default the one of `sam deploy`
    #[arg(long, value_name = "NAME")]
    pub(crate) bucket: Option<String>,
    /// Accept a refused change: the removal or replacement of a resource, or of an index as TABLE/INDEX
    #[arg(long, value_name = "RESOURCE")]
    pub(crate) accept: Vec<String>,
    /// The Python program; by default the one of .local/sam, or python3
    #[arg(long, value_name = "PROGRAM", env = "CARILLON_PYTHON")]
    pub(crate) python: Option<PathBuf>,
}
