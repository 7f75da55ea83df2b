//! From the files of a config folder to one catalog, or to everything that is wrong with them and how to mend it.
//!
//! Only [`compile`] and [`read_tests`] read the disk; [`compile_files`], [`check_samples`] and [`run_tests`] are values in, values out. The way of a
//! file: `yaml` a tree with places → `values` its types → `rule` (with `when`, `steps` and `audience`) one rule, `policy`
//! what holds for all → `names` one against the other → `library` the templates beside them → `inline` their style.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Write;
use std::path::Path;

use domain::catalog::{CATALOG_FORMAT, CatalogFile};
use domain::policy::Policy;
use domain::rule::Rule;
use domain::unsubscribe::page::{PAGES_FORMAT, PagesFile};
use sha2::{Digest, Sha256};

mod advice;
mod approved;
mod audience;
mod flow;
mod folder;
mod inline;
mod letter;
mod library;
mod names;
mod nearest;
mod pages;
mod place;
mod policy;
mod problem;
mod producers;
mod push;
mod reach;
mod reference;
mod rehearsal;
mod rule;
mod sample;
mod settle;
mod steps;
mod texting;
mod trial;
mod uncapped;
mod values;
mod when;
mod wording;
mod yaml;

pub use nearest::nearest;
pub use problem::Problem;
pub use rehearsal::{Findings, check_samples};
pub use rule::MAX_NAME_BYTES;
pub use sample::BusEntry;
pub use trial::{Trials, Verdict, read_tests, run_tests};

use problem::{At, PAGES, POLICY, Page, RULES, TEMPLATES};
use rule::Draft;

/// The largest file, in bytes: a rendered part may have 200 KB, and no file of rules that people read comes near it.
pub const MAX_FILE_BYTES: usize = 256 * 1024;

/// The most files, in `rules/` and in `templates/` each.
pub const MAX_FILES: usize = 5_000;

/// The most rules in one catalog.
pub const MAX_RULES: usize = 20_000;

/// A catalog, and what its author may want to know although nothing is wrong.
pub struct Compiled {
    pub file: CatalogFile,
    /// The installation's own pages, for the API.
    pub pages: PagesFile,
    pub warnings: Vec<Problem>,
}

/// Reads a config folder and compiles it.
///
/// # Errors
/// Every problem there is, sorted by file and line.
pub fn compile(folder: &Path) -> Result<Compiled, Vec<Problem>> {
    let mut problems = Vec::new();
    let files = folder::read(folder, &mut problems);
    finish(files, problems)
}

/// Compiles a config folder that was read before: texts by path, relative to the folder and with forward slashes.
///
/// # Errors
/// Every problem there is, sorted by file and line.
pub fn compile_files(files: BTreeMap<String, String>) -> Result<Compiled, Vec<Problem>> {
    finish(files, Vec::new())
}

fn finish(files: BTreeMap<String, String>, mut problems: Vec<Problem>) -> Result<Compiled, Vec<Problem>> {
    let mut rules = BTreeMap::new();
    let mut templates = BTreeMap::new();
    let mut own_pages = BTreeMap::new();
    let mut settings = None;
    for (path, text) in files {
        match path.split_once('/') {
            Some((RULES, _)) => drop(rules.insert(path, text)),
            Some((TEMPLATES, name)) => drop(templates.insert(name.to_owned(), text)),
            Some((PAGES, _)) => drop(own_pages.insert(path, text)),
            None if path == POLICY => settings = Some(text),
            Some(_) | None => {}
        }
    }
    for (folder, count) in [(RULES, rules.len()), (TEMPLATES, templates.len())] {
        if count > MAX_FILES {
            let what = format!("there are more than {MAX_FILES} files in it");
            return Err(vec![Problem::of_file(folder, what, "put less into one catalog")]);
        }
    }
    let unsubscribe = pages::read(own_pages, &mut problems);
    let pages = PagesFile { format: PAGES_FORMAT, unsubscribe };
    approved::compile(&mut templates, &mut problems);
    let policy = policy::read(settings.as_deref(), &mut problems);
    let drafts = drafts(&rules, &mut problems);
    check_names(&drafts, &mut problems);
    names::check(&policy, &drafts, &mut problems);
    let mut warnings = library::check(&templates, &policy.policy.locale, &drafts, &mut problems);
    inline::apply(&mut templates, &mut problems);
    warnings.extend(drafts.iter().flat_map(|it| it.warnings.iter().cloned()));
    warnings.extend(uncapped::warnings(&policy.policy, &drafts));
    warnings.extend(letter::warnings(&policy.policy, &drafts));
    warnings.sort();
    let policy = policy.policy;
    let rules: Vec<Rule> = drafts.into_iter().filter_map(|it| it.rule).collect();
    if rules.is_empty() && problems.is_empty() {
        let fix = "write a first one, `- rule: hello`, in `rules/hello.yaml`";
        problems.push(Problem::of_file(RULES, "there is no rule in any file", fix));
    }
    if !problems.is_empty() {
        problems.sort();
        return Err(problems);
    }
    let file = CatalogFile {
        format: CATALOG_FORMAT,
        version: version(&policy, &rules, &templates),
        policy,
        rules,
        templates,
    };
    Ok(Compiled { file, pages, warnings })
}

/// The rules of all files, in the order of the files' names.
fn drafts<'a>(files: &'a BTreeMap<String, String>, problems: &mut Vec<Problem>) -> Vec<Draft<'a>> {
    let mut drafts = Vec::new();
    for (file, text) in files {
        if !file.ends_with(".yaml") {
            problems.push(Problem::of_file(
                file,
                "only files named `.yaml` are read",
                "rename it to `.yaml`",
            ));
            continue;
        }
        let items = yaml::items(text, &mut Page { file, rule: None, problems });
        if drafts.len() + items.len() > MAX_RULES {
            let what = format!("with this file there are more than {MAX_RULES} rules");
            problems.push(Problem::of_file(file, what, "put less into one catalog"));
            break;
        }
        drafts.extend(items.iter().filter_map(|it| rule::draft(it, file, problems)));
    }
    drafts
}

/// A rule's name is its identity in every key and outcome, so no two have the same.
fn check_names(drafts: &[Draft<'_>], problems: &mut Vec<Problem>) {
    let mut named: BTreeMap<&str, &Draft<'_>> = BTreeMap::new();
    for draft in drafts {
        let Some(name) = &draft.name else { continue };
        match named.entry(name) {
            Entry::Vacant(place) => drop(place.insert(draft)),
            Entry::Occupied(first) => {
                let At { line, .. } = first.get().name_at;
                let what = format!("the name `{name}` is taken by {}:{line}", first.get().file);
                problems.push(draft.problem(draft.name_at, what, "give one of them another name"));
            }
        }
    }
}

/// The first 12 hex digits of the SHA-256 of all that decides what is sent.
fn version(policy: &Policy, rules: &[Rule], templates: &BTreeMap<String, String>) -> String {
    let mut value =
        serde_json::to_value((policy, rules, templates)).expect("settings and texts always serialize");
    // Another crate of the build may make serde_json keep the order of keys; a version must not depend on that.
    value.sort_all_objects();
    let text = value.to_string();
    Sha256::digest(text).iter().take(6).fold(String::new(), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests;
