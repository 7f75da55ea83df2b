//! The files `.local/cloud.json` and `.local/env`.

use std::path::Path;

use cli::error::Error;
use cli::local_cloud::{FOLDER, State, file};

/// Writes the state, and `.local/env` for shells: `. .local/env && aws events list-rules`.
///
/// # Errors
/// A file cannot be written.
pub(crate) fn save(state: &State) -> Result<(), Error> {
    let text = serde_json::to_vec_pretty(state).map_err(|error| Error::Cloud(error.to_string()))?;
    replace(&file(), &text)?;
    let env: String =
        state.variables().iter().map(|(name, value)| format!("export {name}={value}\n")).collect();
    replace(&Path::new(FOLDER).join("env"), env.as_bytes())
}

/// Removes both files.
///
/// # Errors
/// A file cannot be removed.
pub(crate) fn forget() -> Result<(), Error> {
    for path in [file(), Path::new(FOLDER).join("env")] {
        match std::fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::write(&path, error)),
        }
    }
    Ok(())
}

/// Writes a new file and renames it, so that a crash leaves the old text or the new one. Only the owner may read it.
fn replace(path: &Path, text: &[u8]) -> Result<(), Error> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let write = || {
        std::fs::create_dir_all(FOLDER)?;
        let new = path.with_extension("new");
        let mut file =
            std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(text)?;
        std::fs::rename(&new, path)
    };
    write().map_err(|error| Error::write(path, error))
}
