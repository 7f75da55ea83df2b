//! A config folder with the packs of this release, its samples and its people.

use std::path::Path;
use std::sync::LazyLock;

use catalog::{Files, Project};

use crate::error::Error;
use crate::files::{self, Piece};

/// The default config folder.
pub(crate) const CONFIG: &str = "config";

/// The people of a config folder without `carillon.yaml`.
const PEOPLE: &str = "events/people.json";

/// The packs of this release.
pub(crate) fn shipped() -> &'static Files {
    static SHIPPED: LazyLock<Files> = LazyLock::new(::packs::shipped);
    &SHIPPED
}

/// Reads a config folder.
pub fn read(folder: &Path) -> Project {
    Project::read(folder, shipped())
}

/// The entries of people with the name of their source: the named file, or else the project `config`, the project in the
/// folder `config`, or `events/people.json`.
///
/// # Errors
/// A file cannot be read.
pub fn people(named: Option<&Path>, config: Option<&Path>) -> Result<(Vec<Piece>, String), Error> {
    if let Some(file) = named {
        let pieces = if file.exists() { files::pieces(file)? } else { Vec::new() };
        return Ok((pieces, file.display().to_string()));
    }
    for folder in config.into_iter().chain([Path::new(CONFIG)]).filter(|folder| folder.is_dir()) {
        let project = read(folder);
        if project.is_project() {
            let name = folder.display().to_string();
            let files = project.people().into_iter().map(|file| file.below(&name));
            let pieces = files.flat_map(|file| files::pieces_of(&file.text, &file.file)).collect();
            return Ok((pieces, format!("the people of {name} and its packs")));
        }
    }
    people(Some(Path::new(PEOPLE)), None)
}
