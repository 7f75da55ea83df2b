//! Messages as files, and the programs that open them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::message::Message;
use crate::args::Render;
use crate::error::Error;
use crate::terminal::Terminal;

/// Returns the output folder: the named folder, or a folder of this process if messages are opened.
pub(super) fn folder(args: &Render) -> Result<Option<PathBuf>, Error> {
    let folder = match (&args.out, args.open) {
        (Some(folder), _) => folder.clone(),
        (None, true) => std::env::temp_dir().join(format!("carillon-render-{}", std::process::id())),
        (None, false) => return Ok(None),
    };
    std::fs::create_dir_all(&folder).map_err(|error| Error::write(&folder, error))?;
    Ok(Some(folder))
}

/// Writes a message into a folder of its own, and opens the file that shows the message as its reader sees it.
pub(super) fn write(folder: &Path, message: &Message, open: bool, terminal: &Terminal) -> Result<(), Error> {
    std::fs::create_dir_all(folder).map_err(|error| Error::write(folder, error))?;
    let request = serde_json::to_string_pretty(&message.value).unwrap_or_default();
    let request = ("request.json", request);
    for (name, text) in message.files.iter().chain([&request]) {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(|error| Error::write(&path, error))?;
    }
    if !terminal.json {
        terminal.say(&format!("written to {}", folder.display()));
    }
    let shown = message.files.iter().rfind(|(name, _)| name.starts_with("email.html"));
    let shown = shown.or(message.files.first()).map_or("request.json", |(name, _)| *name);
    if open { open_file(&folder.join(shown)) } else { Ok(()) }
}

fn open_file(path: &Path) -> Result<(), Error> {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut command = Command::new(program);
    command.arg(path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) | Err(_) => {
            let what = format!("`{program}` does not open {}", path.display());
            Err(Error::usage(what, "open the file yourself; it is complete"))
        }
    }
}
