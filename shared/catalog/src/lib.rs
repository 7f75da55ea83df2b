//! Compiles the files of a config folder into one catalog, or into all problems with their fixes.
//!
//! Only [`Project::read`] and [`read_tests`] read the disk. [`compile_files`], [`check_samples`] and [`run_tests`]
//! are pure. The path of a file: `yaml` builds a tree with places, `values` checks types, `rule` (with `when`,
//! `steps` and `audience`) reads one rule, and `policy` the settings for all. `names` checks references between
//! files, `library` the templates, and `inline` applies their styles.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Write;
use std::path::Path;

use domain::catalog::policy::Policy;
use domain::catalog::rule::Rule;
use domain::catalog::{CATALOG_FORMAT, CatalogFile};
use domain::recipient::unsubscribe::page::{PAGES_FORMAT, PagesFile};
use sha2::{Digest, Sha256};

mod advice;
mod aliases;
mod approved;
mod audience;
mod broadcast;
mod decision_tests;
mod dry_run;
mod email;
mod folder;
mod inline;
mod library;
mod names;
mod overrides;
mod pages;
mod place;
mod policy;
mod problem;
mod producers;
mod project;
mod push;
mod reference;
mod rule;
mod sample;
mod satisfiability;
mod schemas;
mod settle;
mod sms_policy;
mod source_map;
mod sources;
mod step_order;
mod steps;
mod suggestions;
mod uncapped;
mod values;
mod when;
mod wording;
mod yaml;

pub use decision_tests::{TestReport, Verdict, read_tests, run_tests};
pub use dry_run::{Findings, check_samples};
pub use folder::Files;
pub use problem::Problem;
pub use project::manifest::{About, MANIFEST, PACK, describe};
pub use project::{Project, Text, joined};
pub use rule::MAX_NAME_BYTES;
pub use sample::{BusEntry, SOCKETS, named_by_the_bus, time_beside};
pub use suggestions::nearest;

use overrides::{Changed, RuleFile};
use problem::{At, Diagnostics, RULES, TEMPLATES};
use project::merge;
use rule::Draft;
use source_map::SourceMap;
use sources::Sources;

/// The largest file, in bytes. A rendered part may have 200 KB, and readable rule files are far smaller.
pub const MAX_FILE_BYTES: usize = 256 * 1024;

/// The number of files, in `rules/` and in `templates/` each.
pub const MAX_FILES: usize = 5_000;

/// The number of rules in one catalog.
pub const MAX_RULES: usize = 20_000;

/// A catalog with its warnings.
pub struct Compiled {
    pub file: CatalogFile,
    /// The installation's own pages, for the API.
    pub pages: PagesFile,
    pub warnings: Vec<Problem>,
    /// The names of unchanged pack rules, each with its pack. Overridden rules are not included.
    pub pack_rules: BTreeMap<String, String>,
}

/// Reads a config folder and compiles it. Packs come from its own folder of packs. [`Project::read`] also accepts
/// others.
///
/// # Errors
/// All problems, sorted by file and line.
pub fn compile(folder: &Path) -> Result<Compiled, Vec<Problem>> {
    Project::read(folder, &Files::new()).compile()
}

/// Compiles a config folder from memory: texts by path, relative to the folder and with forward slashes.
///
/// # Errors
/// All problems, sorted by file and line.
pub fn compile_files(files: BTreeMap<String, String>) -> Result<Compiled, Vec<Problem>> {
    finish(Sources::of(files), Vec::new())
}

fn finish(mut sources: Sources, mut problems: Vec<Problem>) -> Result<Compiled, Vec<Problem>> {
    for (folder, count) in [(RULES, sources.rules.len()), (TEMPLATES, sources.templates.len())] {
        if count > MAX_FILES {
            let what = format!("there are more than {MAX_FILES} files in it");
            return Err(vec![Problem::of_file(folder, what, "put less into one catalog")]);
        }
    }
    let unsubscribe = pages::read(std::mem::take(&mut sources.pages), &mut problems);
    let pages = PagesFile { format: PAGES_FORMAT, unsubscribe };
    let mut templates = std::mem::take(&mut sources.templates);
    approved::compile(&mut templates, &mut problems);
    let mut map = SourceMap::default();
    let shares = std::mem::take(&mut sources.shares);
    let policy = merge::policy(sources.policy.as_deref(), shares, &mut map, &mut problems);
    let (drafts, changed) = drafts(&sources, &mut map, &mut problems);
    check_names(&drafts, &mut problems);
    names::check(&policy, &drafts, &mut problems);
    let mut warnings = library::check(&templates, &policy.policy.locale, &drafts, &mut problems);
    warnings.retain(|warning| !changed.explains(warning));
    inline::apply(&mut templates, &mut problems);
    warnings.extend(drafts.iter().flat_map(|draft| draft.warnings.iter().cloned()));
    warnings.extend(uncapped::warnings(&policy.policy, &drafts));
    warnings.extend(email::warnings(&policy.policy, &drafts));
    for problem in problems.iter_mut().chain(&mut warnings) {
        map.locate(problem);
        sources.locate(&templates, problem);
    }
    warnings.sort();
    let pack_rules = pack_rules(&sources, &drafts, &changed);
    let policy = policy.policy;
    let rules: Vec<Rule> = drafts.into_iter().filter_map(|draft| draft.rule).collect();
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
    Ok(Compiled { file, pages, warnings, pack_rules })
}

/// The rules of all files, in the order of file names, and the project's changes to its packs.
fn drafts<'a>(
    sources: &'a Sources,
    map: &mut SourceMap,
    problems: &mut Vec<Problem>,
) -> (Vec<Draft<'a>>, Changed) {
    let mut files = Vec::new();
    let mut count = 0;
    for (file, text) in &sources.rules {
        if !file.ends_with(".yaml") {
            problems.push(Problem::of_file(
                file,
                "only files named `.yaml` are read",
                "rename it to `.yaml`",
            ));
            continue;
        }
        let items = yaml::items(text, &mut Diagnostics { file, rule: None, problems });
        count += items.len();
        if count > MAX_RULES {
            let what = format!("with this file there are more than {MAX_RULES} rules");
            problems.push(Problem::of_file(file, what, "put less into one catalog"));
            break;
        }
        let pack = sources.pack_of.get(file).map(String::as_str);
        files.push(RuleFile { name: file, pack, lines: text.lines().count(), items });
    }
    let changed = overrides::apply(&mut files, map, problems);
    let mut drafts = Vec::new();
    for file in &files {
        for item in &file.items {
            let Some(mut draft) = rule::draft(item, file.name, problems) else { continue };
            let is_off = draft.name.as_ref().is_some_and(|name| changed.off.contains(name));
            if is_off && file.pack.is_some() {
                // Category, name and template stay known, because the pack's policy may name them.
                (draft.rule, draft.warnings) = (None, Vec::new());
            }
            drafts.push(draft);
        }
    }
    (drafts, changed)
}

/// The pack rules that the project uses unchanged.
fn pack_rules(sources: &Sources, drafts: &[Draft<'_>], changed: &Changed) -> BTreeMap<String, String> {
    let named =
        drafts.iter().filter_map(|draft| Some((draft.name.clone()?, sources.pack_of.get(draft.file)?)));
    let unchanged = named.filter(|(name, _)| !changed.overridden.contains(name));
    unchanged.map(|(name, pack)| (name, pack.clone())).collect()
}

/// A rule's name is part of every key and outcome, so names are unique.
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

/// The first 12 hex digits of the SHA-256 of everything that affects decisions and content.
fn version(policy: &Policy, rules: &[Rule], templates: &BTreeMap<String, String>) -> String {
    let mut value =
        serde_json::to_value((policy, rules, templates)).expect("settings and texts always serialize");
    // Another crate of the build may enable serde_json's key order. The version must not depend on it.
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
