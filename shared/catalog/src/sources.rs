//! The texts of a catalog, sorted by kind, with the pack of each.

use std::collections::BTreeMap;

use crate::folder::Files;
use crate::problem::{PAGES, POLICY, Problem, RULES, TEMPLATES};
use crate::project::Pack;
use crate::project::manifest::{self, MANIFEST, PACK};
use crate::project::merge::Share;

#[derive(Default)]
pub(crate) struct Sources {
    /// By the file name in problems.
    pub(crate) rules: Files,
    /// The pack of a rule file. The project's own files are not included.
    pub(crate) pack_of: BTreeMap<String, String>,
    /// By the path below `templates/`.
    pub(crate) templates: Files,
    /// The pack folder of a template file.
    places: BTreeMap<String, String>,
    pub(crate) pages: Files,
    pub(crate) policy: Option<String>,
    pub(crate) shares: Vec<Share>,
}

impl Sources {
    /// The texts of a config folder.
    pub(crate) fn of(files: Files) -> Sources {
        let mut sources = Sources::default();
        for (path, text) in files {
            match path.split_once('/') {
                Some((RULES, _)) => drop(sources.rules.insert(path, text)),
                Some((TEMPLATES, name)) => drop(sources.templates.insert(name.to_owned(), text)),
                Some((PAGES, _)) => drop(sources.pages.insert(path, text)),
                None if path == POLICY => sources.policy = Some(text),
                Some(_) | None => {}
            }
        }
        sources
    }

    /// Adds a pack. A template file of the project replaces the pack's file with the same path.
    pub(crate) fn add(&mut self, pack: &Pack, enabled: &[&str], problems: &mut Vec<Problem>) {
        for (path, text) in &pack.files {
            let file = format!("{}/{path}", pack.place);
            match path.split_once('/') {
                Some((RULES, _)) => {
                    self.pack_of.insert(file.clone(), pack.name.clone());
                    self.rules.insert(file, text.clone());
                }
                Some((TEMPLATES, name)) => self.add_template(name, &file, text, &pack.place, problems),
                Some(_) | None => {}
            }
        }
        let file = format!("{}/{PACK}", pack.place);
        let Some(text) = pack.files.get(PACK) else {
            let fix = format!("write one that begins with `pack: {}` and `about: …`", pack.name);
            problems.push(Problem::of_file(&file, "the pack has no such file", fix));
            return;
        };
        let head = manifest::head(&pack.name, &file, text, problems);
        for (name, at) in head.needs.iter().filter(|(name, _)| !enabled.contains(&name.as_str())) {
            let what = format!("the pack `{}` needs the pack `{name}`", pack.name);
            let fix = format!("add `{name}` to `packs` in {MANIFEST}");
            problems.push(Problem::at(&file, *at, what, fix));
        }
        self.shares.push(Share { file, lines: text.lines().count(), members: head.policy });
    }

    fn add_template(&mut self, name: &str, file: &str, text: &str, place: &str, problems: &mut Vec<Problem>) {
        match (self.templates.contains_key(name), self.places.get(name)) {
            (true, Some(other)) => {
                let what = format!("{other}/{TEMPLATES}/{name} is the same template file");
                problems.push(Problem::of_file(file, what, "give one of the templates another name"));
            }
            // The project's own file takes precedence.
            (true, None) => {}
            (false, _) => {
                self.templates.insert(name.to_owned(), text.to_owned());
                self.places.insert(name.to_owned(), place.to_owned());
            }
        }
    }

    /// Sets the pack's file in a problem with a template.
    pub(crate) fn locate(&self, templates: &Files, problem: &mut Problem) {
        let Some(path) = problem.file.strip_prefix(TEMPLATES).and_then(|rest| rest.strip_prefix('/')) else {
            return;
        };
        let below = format!("{path}/");
        let is_meant = |name: &str| name == path || name.starts_with(&below);
        let mut all = templates.keys().filter(|name| is_meant(name));
        // A folder with a file of the project belongs to the project.
        let place = match all.clone().all(|name| self.places.contains_key(name)) {
            true => all.next().and_then(|name| self.places.get(name)),
            false => None,
        };
        if let Some(place) = place {
            problem.file = format!("{place}/{TEMPLATES}/{path}");
        }
    }
}
