//! A project: a config folder with `carillon.yaml`, its own rules and templates, and its packs.
//!
//! A pack is in the project's folder of packs, or is shipped with the program. A config folder without
//! `carillon.yaml` has no packs.

use std::path::{Component, Path, PathBuf};

use crate::folder::{self, Files};
use crate::problem::{self, Diagnostics, Problem, TESTS};
use crate::schemas::{self, SCHEMAS};
use crate::sources::Sources;
use crate::suggestions::nearest;
use crate::{Compiled, finish};
use domain::catalog::Catalog;

pub(crate) mod manifest;
pub(crate) mod merge;

use manifest::{MANIFEST, Manifest};

/// The folder of samples of a project or a pack.
pub(crate) const EVENTS: &str = "events";

/// The file of people for the samples of a project or a pack.
pub(crate) const PEOPLE: &str = "people.json";

/// A config folder as read, with its packs.
#[derive(Debug, Default)]
pub struct Project {
    own: Files,
    packs: Vec<Pack>,
    manifest: Option<Manifest>,
    problems: Vec<Problem>,
}

/// A pack that a project uses.
#[derive(Debug)]
pub(crate) struct Pack {
    pub(crate) name: String,
    /// The folder as shown in problems, relative to the project.
    pub(crate) place: String,
    /// Texts by path below the folder.
    pub(crate) files: Files,
}

/// A text file of a project that is neither rule nor template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The name in decision tests: `core/hello.json` belongs to the pack `core`.
    pub name: String,
    /// The file as in [`Problem::file`].
    pub file: String,
    pub text: String,
}

impl Text {
    /// Whether the text belongs to a pack.
    #[must_use]
    pub fn is_of_pack(&self) -> bool {
        self.file != PEOPLE && ![EVENTS, SCHEMAS].iter().any(|folder| is_below(&self.file, folder))
    }

    /// Prefixes the file with `folder/`, if it is on disk.
    #[must_use]
    pub fn below(mut self, folder: &str) -> Text {
        if !self.is_of_pack() {
            self.file = format!("{}/{}", folder.trim_end_matches('/'), self.file);
        } else if let Some(file) = problem::below(folder, &self.file) {
            self.file = file;
        }
        self
    }
}

impl Project {
    /// Reads a config folder. `shipped` are the packs within the program, by path: `care/pack.yaml`. Read errors
    /// are kept as problems for [`Project::compile`].
    #[must_use]
    pub fn read(folder: &Path, shipped: &Files) -> Project {
        let mut project = Project::default();
        let problems = &mut project.problems;
        let is_project = folder.join(MANIFEST).is_file();
        project.own = folder::read(folder, is_project, problems);
        if !is_project {
            return project;
        }
        folder::read_extras(folder, &mut project.own, problems);
        let source = folder::file(folder, MANIFEST, problems).unwrap_or_default();
        let manifest = manifest::read(&source, problems);
        for (name, at) in &manifest.packs {
            match pack(folder, &manifest.folder, name, shipped, problems) {
                Some(pack) => project.packs.push(pack),
                None => {
                    let known = known(folder, &manifest.folder, shipped);
                    let fix = match nearest(name, known.iter().map(String::as_str)) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => "`carillon pack ls` lists the packs that there are".to_owned(),
                    };
                    Diagnostics { file: MANIFEST, rule: None, problems }.refuse(
                        *at,
                        format!("there is no pack `{name}`"),
                        fix,
                    );
                }
            }
        }
        project.manifest = Some(manifest);
        project
    }

    /// Whether the folder has a `carillon.yaml`.
    #[must_use]
    pub fn is_project(&self) -> bool {
        self.manifest.is_some()
    }

    /// Whether the decision tests of packs are run: `pack-tests: true` in `carillon.yaml`.
    #[must_use]
    pub fn runs_pack_tests(&self) -> bool {
        self.manifest.as_ref().is_some_and(|manifest| manifest.pack_tests)
    }

    /// The folder of packs, relative to the project.
    #[must_use]
    pub fn packs_folder(&self) -> &str {
        self.manifest.as_ref().map_or(manifest::PACKS, |manifest| &manifest.folder)
    }

    /// The names of the project's packs, in its order.
    #[must_use]
    pub fn packs(&self) -> Vec<&str> {
        self.packs.iter().map(|pack| pack.name.as_str()).collect()
    }

    /// Compiles the project.
    ///
    /// # Errors
    /// All problems, sorted by file and line.
    pub fn compile(&self) -> Result<Compiled, Vec<Problem>> {
        let mut sources = Sources::of(self.own.clone());
        let mut problems = self.problems.clone();
        for pack in &self.packs {
            let others: Vec<&str> = self.packs();
            sources.add(pack, &others, &mut problems);
        }
        finish(sources, problems)
    }

    /// The decision tests, by file as in [`Problem::file`]. Includes those of packs if the project runs them.
    ///
    /// # Errors
    /// Every file that could not be read.
    pub fn tests(&self) -> Result<Files, Vec<Problem>> {
        let own = self.own.iter().filter(|(name, _)| is_below(name, TESTS));
        let mut tests: Files = own.map(|(name, text)| (name.clone(), text.clone())).collect();
        for pack in self.packs.iter().filter(|_| self.runs_pack_tests()) {
            let files = pack.files.iter().filter(|(name, _)| is_below(name, TESTS));
            tests.extend(files.map(|(name, text)| (format!("{}/{name}", pack.place), text.clone())));
        }
        let mut problems = self.problems.clone();
        folder::check_tests(&tests, &mut problems);
        problems.sort();
        if problems.is_empty() { Ok(tests) } else { Err(problems) }
    }

    /// The sample events: first those of the packs, then the project's own.
    #[must_use]
    pub fn samples(&self) -> Vec<Text> {
        let is_sample = |name: &str| is_below(name, EVENTS) && name.ends_with(".json");
        let mut samples = Vec::new();
        for pack in &self.packs {
            for (name, text) in pack.files.iter().filter(|(name, _)| is_sample(name)) {
                let (file, below) = (format!("{}/{name}", pack.place), &name[EVENTS.len() + 1..]);
                samples.push(Text { name: format!("{}/{below}", pack.name), file, text: text.clone() });
            }
        }
        for (name, text) in self.own.iter().filter(|(name, _)| is_sample(name)) {
            let below = name[EVENTS.len() + 1..].to_owned();
            samples.push(Text { name: below, file: name.clone(), text: text.clone() });
        }
        samples
    }

    /// Checks the schemas of event data, and each sample against the schema of its type. `folder` is the project's as
    /// problems name it; `more` are samples of other folders, by file.
    #[must_use]
    pub fn check_schemas(&self, catalog: &Catalog, folder: &str, more: &[(String, String)]) -> Vec<Problem> {
        schemas::check(self, catalog, folder, more)
    }

    /// The schemas with the pack that each is from, by the path below `schemas/`; the project's own have an empty name.
    pub(crate) fn schemas(&self) -> Vec<(String, Text)> {
        let text = |name: &str, file: String, text: &String| Text {
            name: name[SCHEMAS.len() + 1..].to_owned(),
            file,
            text: text.clone(),
        };
        let mut schemas = Vec::new();
        for pack in &self.packs {
            for (name, source) in pack.files.iter().filter(|(name, _)| is_below(name, SCHEMAS)) {
                schemas.push((pack.name.clone(), text(name, format!("{}/{name}", pack.place), source)));
            }
        }
        for (name, source) in self.own.iter().filter(|(name, _)| is_below(name, SCHEMAS)) {
            schemas.push((String::new(), text(name, name.clone(), source)));
        }
        schemas
    }

    /// The files of people: first those of the packs, then the project's own, which replace people with the same
    /// id.
    #[must_use]
    pub fn people(&self) -> Vec<Text> {
        let of_packs = self.packs.iter().filter_map(|pack| {
            let text = pack.files.get(PEOPLE)?.clone();
            Some(Text { name: pack.name.clone(), file: format!("{}/{PEOPLE}", pack.place), text })
        });
        let own = self.own.get(PEOPLE).map(|text| Text {
            name: String::new(),
            file: PEOPLE.to_owned(),
            text: text.clone(),
        });
        of_packs.chain(own).collect()
    }
}

fn is_below(name: &str, folder: &str) -> bool {
    name.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// A pack of the project's folder of packs, or a shipped one.
fn pack(
    project: &Path,
    packs: &str,
    name: &str,
    shipped: &Files,
    problems: &mut Vec<Problem>,
) -> Option<Pack> {
    let place = format!("{packs}/{name}");
    let folder = joined(project, &place);
    if folder.is_dir() {
        let files = folder::read_pack(&folder, &place, problems);
        return Some(Pack { name: name.to_owned(), place, files });
    }
    let prefix = format!("{name}/");
    let files = shipped.range(prefix.clone()..).take_while(|(path, _)| path.starts_with(&prefix));
    let files: Files = files.map(|(path, text)| (path[prefix.len()..].to_owned(), text.clone())).collect();
    let place = format!("{}/{name}", manifest::PACKS);
    (!files.is_empty()).then(|| Pack { name: name.to_owned(), place, files })
}

/// The names of all available packs.
fn known(project: &Path, packs: &str, shipped: &Files) -> Vec<String> {
    let mut names: Vec<String> =
        shipped.keys().filter_map(|path| path.split_once('/')).map(|(name, _)| name.to_owned()).collect();
    names.dedup();
    names.extend(folder::folders(&joined(project, packs)));
    names
}

/// A path below a folder, with `..` resolved by name: `config` and `../packs` give `packs`.
#[must_use]
pub fn joined(folder: &Path, path: &str) -> PathBuf {
    let mut joined = folder.to_owned();
    for step in path.split('/') {
        let is_name =
            joined.components().next_back().is_some_and(|last| matches!(last, Component::Normal(_)));
        if step == ".." && is_name {
            joined.pop();
        } else {
            joined.push(step);
        }
    }
    joined
}

#[cfg(test)]
mod tests;
