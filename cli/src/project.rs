//! A config folder as this program reads it: with the packs of its release, its samples and its people.

use std::path::Path;
use std::sync::LazyLock;

use catalog::{Files, Project};

use crate::error::Error;
use crate::files::{self, Piece};

/// The config folder where none is named.
pub(crate) const CONFIG: &str = "config";

/// The people of a config folder without `carillon.yaml`.
const PEOPLE: &str = "events/people.json";

/// The packs of this release.
pub(crate) fn shipped() -> &'static Files {
    static SHIPPED: LazyLock<Files> = LazyLock::new(::packs::shipped);
    &SHIPPED
}

pub fn read(folder: &Path) -> Project {
    Project::read(folder, shipped())
}

/// The pieces of the files of people, and what they are called together: of the file that is named, else of the project
/// `config`, else of the project in the folder `config`, else of `events/people.json`.
///
/// # Errors
/// A file cannot be read.
pub fn people(named: Option<&Path>, config: Option<&Path>) -> Result<(Vec<Piece>, String), Error> {
    if let Some(file) = named {
        let pieces = if file.exists() { files::pieces(file)? } else { Vec::new() };
        return Ok((pieces, file.display().to_string()));
    }
    for folder in config.into_iter().chain([Path::new(CONFIG)]).filter(|it| it.is_dir()) {
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
