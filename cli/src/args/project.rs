//! `carillon init` and `carillon pack`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

/// Make a project: a folder with a first rule, its template, a sample, a decision test and a file for CI
///
/// `carillon check FOLDER --strict` is green at once. No file is overwritten: where one of them is there, nothing is
/// written.
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon init
  carillon init my-config --pack healthcare
  carillon check my-config --strict")]
pub(crate) struct Init {
    /// The folder; it is made where it is not there
    #[arg(default_value = "config", value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// A pack that the project uses; the packs that it needs are added. `carillon pack ls` lists them
    #[arg(long = "pack", value_name = "NAME")]
    pub(crate) packs: Vec<String>,
}

#[derive(Subcommand)]
pub(crate) enum Pack {
    Ls(PackLs),
    Add(PackAdd),
    Diff(PackDiff),
}

/// List the packs of this release, and how the project uses each
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
/// The project then keeps this copy when Carillon is updated; `carillon pack diff` shows what a release changed. No file
/// is overwritten.
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

/// Show what differs between the project's copies of packs and this release; exit 1 if anything does
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon pack diff
  carillon pack diff healthcare --config my-config
  carillon --json pack diff | jq .changed")]
pub(crate) struct PackDiff {
    /// One pack; all copies when it is left out
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// The project
    #[arg(long, default_value = "config", value_name = "FOLDER")]
    pub(crate) config: PathBuf,
}
