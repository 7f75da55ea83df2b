//! `carillon completion` and `carillon man`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

/// Print the completion script of a shell
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  source <(carillon completion bash)
  carillon completion zsh > ~/.zfunc/_carillon
  carillon completion fish > ~/.config/fish/completions/carillon.fish")]
pub(crate) struct Completion {
    pub(crate) shell: clap_complete::Shell,
}

/// Write the manual pages, one for each command
#[derive(ClapArgs)]
#[command(after_help = "Example:
  carillon man --out ~/.local/share/man/man1 && man carillon-explain")]
pub(crate) struct Man {
    /// The folder for the pages; by default the first page is printed
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
}
