//! `carillon completion` and `carillon man`, generated from the command line definition.

use std::path::Path;

use clap::CommandFactory as _;

use crate::args::{Args, Completion, Man};
use crate::error::{Done, Error};
use crate::terminal::Terminal;

/// The program's name.
const NAME: &str = "carillon";

pub(crate) fn completion(args: &Completion, terminal: &Terminal) -> Done {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), NAME, &mut script);
    String::from_utf8_lossy(&script).lines().for_each(|line| terminal.say(line));
    Ok(true)
}

pub(crate) fn man(args: &Man, terminal: &Terminal) -> Done {
    let Some(folder) = &args.out else {
        let page = page(Args::command()).map_err(|error| Error::write(Path::new(NAME), error))?;
        String::from_utf8_lossy(&page).lines().for_each(|line| terminal.say(line));
        return Ok(true);
    };
    std::fs::create_dir_all(folder).map_err(|error| Error::write(folder, error))?;
    clap_mangen::generate_to(Args::command(), folder).map_err(|error| Error::write(folder, error))?;
    terminal.note(&format!("the pages are in {}", folder.display()));
    Ok(true)
}

fn page(command: clap::Command) -> std::io::Result<Vec<u8>> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completion_script_of_every_shell_has_the_commands() {
        use clap_complete::Shell;
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::Elvish, Shell::PowerShell] {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Args::command(), NAME, &mut script);
            let script = String::from_utf8(script).unwrap();
            for command in ["explain", "received", "redrive"] {
                assert!(script.contains(command), "{shell}: {command}");
            }
        }
    }

    #[test]
    fn manual_has_every_command() {
        let page = String::from_utf8(page(Args::command()).unwrap()).unwrap();
        for command in Args::command().get_subcommands() {
            let name = command.get_name().replace('-', "\\-");
            assert!(page.contains(&name), "{name}");
        }
    }
}
