//! A slow program with a progress line.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use cli::error::Error;
use cli::terminal::Terminal;

/// The interval between two progress lines.
const TICK: Duration = Duration::from_millis(500);

/// The shown length of the program's last output line, in characters.
const SHOWN: usize = 60;

/// Runs a program to its end and writes its output to `log`. Returns whether the program succeeded.
///
/// # Errors
/// The program does not start, or the log cannot be written.
pub(super) fn run(mut command: Command, doing: &str, log: &Path, terminal: &Terminal) -> Result<bool, Error> {
    let output = File::create(log).map_err(|error| Error::write(log, error))?;
    let errors = output.try_clone().map_err(|error| Error::write(log, error))?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .spawn()
        .map_err(|error| Error::read(Path::new(command.get_program()), error))?;
    let started = runtime::now();
    let seconds = || runtime::now().duration_since(started).as_secs();
    terminal.note(&format!("{doing} …"));
    loop {
        match child.try_wait().map_err(|error| Error::read(log, error))? {
            Some(status) => {
                terminal.clear();
                if status.success() {
                    terminal.note(&format!("{doing}: done after {} s", seconds()));
                }
                return Ok(status.success());
            }
            None => std::thread::sleep(TICK),
        }
        terminal.progress(&format!("{doing}: {} s …  {}", seconds(), last_line(log)));
    }
}

/// The last line of the log that has a letter or digit.
fn last_line(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let last = text.lines().rev().map(str::trim).find(|line| line.chars().any(char::is_alphanumeric));
    last.unwrap_or_default().chars().take(SHOWN).collect()
}
