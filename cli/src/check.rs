//! `carillon check`: from `config/` to a catalog, or to everything that is wrong with it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use catalog::{Problem, Trials};
use domain::catalog::{Catalog, CatalogFile, POLICY_FILE};
use domain::policy::EmailPolicy;
use domain::recipient::{Recipient, Recipients};

use crate::args::Check;
use crate::error::{Done, Error};
use crate::status::counted;
use crate::terminal::{Ink, Terminal};
use crate::{explain, files, gone};

pub(crate) fn run(args: &Check, terminal: &Terminal) -> Done {
    if !args.folder.is_dir() {
        let what = format!("there is no folder {}", args.folder.display());
        return Err(Error::usage(what, "name the folder that holds rules/ and templates/"));
    }
    let compiled = match catalog::compile(&args.folder) {
        Ok(compiled) => compiled,
        Err(problems) => {
            report(terminal, &below(problems, &args.folder), &[]);
            return Ok(false);
        }
    };
    let (rules, templates) = (compiled.file.rules.len(), compiled.file.templates.len());
    let version = compiled.file.version.clone();
    let text = serde_json::to_vec(&compiled.file).map_err(|it| Error::Cloud(it.to_string()))?;
    let policy =
        serde_json::to_vec(&compiled.file.policy_file()).map_err(|it| Error::Cloud(it.to_string()))?;
    let pages = serde_json::to_vec(&compiled.pages).map_err(|it| Error::Cloud(it.to_string()))?;
    let senders = headers(&compiled.file.policy.email);
    let (mut problems, mut warnings) = (Vec::new(), compiled.warnings);
    let mut tests = 0;
    if let Some(folder) = &args.samples {
        let catalog = Catalog::open(compiled.file).map_err(|it| Error::Cloud(it.to_string()))?;
        let samples = Samples::read(folder)?;
        let findings = catalog::check_samples(&catalog, &samples.texts, &samples.people);
        problems.extend(findings.problems);
        warnings.extend(findings.warnings);
        let trials = samples.trials(&catalog, &args.folder);
        problems.extend(trials.problems);
        (if args.strict { &mut problems } else { &mut warnings }).extend(trials.warnings);
        tests = trials.verdicts.iter().filter(|it| it.holds).count();
    }
    report(terminal, &below(problems.clone(), &args.folder), &below(warnings, &args.folder));
    if !problems.is_empty() {
        return Ok(false);
    }
    if let Some(against) = &args.against {
        let after =
            CatalogFile::read(&String::from_utf8_lossy(&text)).ok().and_then(|it| Catalog::open(it).ok());
        let after =
            after.ok_or_else(|| Error::Cloud("the compiled catalog cannot be read back".to_owned()))?;
        gone::warn(&gone::rules(&explain::catalog(against)?, &after), terminal);
    }
    if let Some(out) = &args.out {
        write(out, &text)?;
        for path in policies_beside(out) {
            write(&path, &policy)?;
        }
    }
    if let Some(out) = &args.pages {
        write(out, &pages)?;
    }
    if terminal.json {
        let answer = serde_json::json!({
            "ok": true, "version": version, "rules": rules, "templates": templates, "bytes": text.len(),
            "tests": tests, "senders": senders,
        });
        terminal.say_json(&answer);
    } else {
        let size = text.len().div_ceil(1024);
        let (rules, templates) =
            (counted(rules, "rule", "rules"), counted(templates, "template file", "template files"));
        let line = format!("{rules}, {templates}: catalog {version}, {size} KB");
        terminal.say(&format!("{} {line}", terminal.ink(Ink::Good, "ok")));
        if args.samples.is_some() {
            let pass = if tests == 1 { "decision test passes" } else { "decision tests pass" };
            terminal.say(&format!("{} {tests} {pass}", terminal.ink(Ink::Good, "ok")));
        }
    }
    Ok(true)
}

/// The `From` header of each category that has a sender of its own.
fn headers(email: &EmailPolicy) -> BTreeMap<String, String> {
    email.senders.iter().map(|(category, sender)| (category.clone(), sender.to_header())).collect()
}

/// The sample events of a folder, and the people they are about.
struct Samples {
    /// By the paths under which they were found.
    texts: Vec<(String, String)>,
    /// By the names that decision tests give them: below the folder, with forward slashes.
    events: BTreeMap<String, String>,
    people: Recipients,
}

impl Samples {
    fn read(folder: &Path) -> Result<Samples, Error> {
        let (mut texts, mut events) = (Vec::new(), BTreeMap::new());
        for path in files::samples(folder)? {
            let text = files::read(&path)?;
            let below = path.strip_prefix(folder).unwrap_or(&path);
            let steps: Vec<_> = below.iter().map(|it| it.to_string_lossy()).collect();
            events.insert(steps.join("/"), text.clone());
            texts.push((path.display().to_string(), text));
        }
        let people = folder.join("people.json");
        let cast: Vec<Recipient> = match people.exists() {
            true => serde_json::from_str(&files::read(&people)?).map_err(|it| {
                Error::usage(
                    format!("{} is no list of people: {it}", people.display()),
                    "see `carillon people import --help`",
                )
            })?,
            false => Vec::new(),
        };
        let people = cast.into_iter().map(|it| (it.id.clone(), it)).collect();
        Ok(Samples { texts, events, people })
    }

    /// Runs the decision tests of a config folder. Without any, every rule is one that no test names.
    fn trials(&self, catalog: &Catalog, config: &Path) -> Trials {
        match catalog::read_tests(config) {
            Ok(files) => catalog::run_tests(&files, catalog, &self.people, &self.events),
            Err(problems) => Trials { problems, ..Trials::default() },
        }
    }
}

/// Problems with the folder in front of their files, so that an editor finds them.
fn below(problems: Vec<Problem>, folder: &Path) -> Vec<Problem> {
    let folder = folder.display().to_string();
    problems.into_iter().map(|it| it.below(&folder)).collect()
}

fn report(terminal: &Terminal, problems: &[Problem], warnings: &[Problem]) {
    for (kind, ink, list) in [("warning", Ink::Note, warnings), ("error", Ink::Bad, problems)] {
        for problem in list {
            if terminal.json {
                let mut value = serde_json::to_value(problem).unwrap_or_default();
                value["severity"] = kind.into();
                terminal.say_json(&value);
            } else {
                terminal.say(&format!("{} {problem}", terminal.ink(ink, kind)));
            }
        }
    }
    if !problems.is_empty() && !terminal.json {
        let count = counted(problems.len(), "problem", "problems");
        terminal.say(&terminal.ink(Ink::Bad, &format!("{count}; nothing was written")));
    }
}

/// The functions that need the policy and no rules.
pub(crate) const NEED_POLICY: [&str; 5] = ["api", "audit", "people", "relay", "sweep"];

/// Where the policy goes: into the folders of the functions that need it, where the catalog goes into dispatch's; beside
/// the catalog otherwise.
fn policies_beside(catalog: &Path) -> Vec<PathBuf> {
    let folder = catalog.parent().unwrap_or(Path::new(""));
    match folder.parent().filter(|_| folder.file_name().is_some_and(|it| it == "dispatch")) {
        Some(functions) => NEED_POLICY.map(|it| functions.join(it).join(POLICY_FILE)).into(),
        None => vec![folder.join(POLICY_FILE)],
    }
}

fn write(path: &Path, text: &[u8]) -> Result<(), Error> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| Error::write(folder, error))?;
    }
    std::fs::write(path, text).map_err(|error| Error::write(path, error))
}
