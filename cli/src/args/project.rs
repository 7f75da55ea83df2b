//! `carillon init` and `carillon pack`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

/// Create a project: a folder with a rule, a template, a sample, a decision test and a CI workflow
///
/// `carillon check FOLDER --strict` passes for the new project. If one of the files exists, no file is written.
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon init
  carillon init my-config --pack healthcare
  carillon check my-config --strict")]
pub(crate) struct Init {
    /// The folder; created if it does not exist
    #[arg(default_value = "config", value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// A pack for the project; packs that it needs are added. `carillon pack ls` lists all
    #[arg(long = "pack", value_name = "NAME")]
    pub(crate) packs: Vec<String>,
}

#[derive(Subcommand)]
pub(crate) enum Pack {
    Ls(PackLs),
    Add(PackAdd),
    Diff(PackDiff),
}

/// List the packs of this release and their use in the project
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon pack ls
  carillon --json pack ls --config my-config | jq .pack")]
pub(crate) struct PackLs {
    /// The project
    #[arg(long, default_value = "config", value_name = "FOLDER")]
    pub(crate) config: PathBuf,
}

/// Copy a pack into the project, and add it to carillon.yaml
///
/// An update of Carillon keeps the copy. `carillon pack diff` shows the changes of a release. No file is overwritten.
#[derive(ClapArgs)]
#[command(after_help = "Example:
  carillon pack add healthcare --config my-config")]
pub(crate) struct PackAdd {
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// The project
    #[arg(long, default_value = "config", value_name = "FOLDER")]
    pub(crate) config: PathBuf,
}

/// Show differences between the project's copies of packs and this release; exit 1 for any
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon pack diff
  carillon pack diff healthcare --config my-config
  carillon --json pack diff | jq .changed")]
pub(crate) struct PackDiff {
    /// The pack; all copies by default
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// The project
    #[arg(long, default_value = "config", value_name = "FOLDER")]
    pub(crate) config: PathBuf,
}
