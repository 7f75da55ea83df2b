//! `carillon check`: from `config/` to a catalog, or to everything that is wrong with it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use catalog::{Files, Problem, Project, TestReport};
use domain::catalog::policy::EmailPolicy;
use domain::catalog::{Catalog, CatalogFile, POLICY_FILE};
use domain::recipient::{Recipient, Recipients};

use crate::args::Check;
use crate::error::{Done, Error};
use crate::status::counted;
use crate::terminal::{Ink, Terminal};
use crate::{explain, files, project, removed_rules};

/// Compiles a project and reports errors and warnings.
///
/// # Errors
/// A file cannot be read or written.
pub fn run(args: &Check, terminal: &Terminal) -> Done {
    if !args.folder.is_dir() {
        let what = format!("there is no folder {}", args.folder.display());
        return Err(Error::usage(what, "name the folder that holds rules/ and templates/"));
    }
    let project = project::read(&args.folder);
    let runs_tests = args.samples.is_some() || project.is_project();
    if args.strict && !runs_tests {
        let what =
            format!("--strict needs samples, and {} has no {}", args.folder.display(), catalog::MANIFEST);
        return Err(Error::usage(what, "name the folder of samples with --samples"));
    }
    let compiled = match project.compile() {
        Ok(compiled) => compiled,
        Err(problems) => {
            report(terminal, &below(problems, &args.folder), &[]);
            return Ok(false);
        }
    };
    let (rules, templates) = (compiled.file.rules.len(), compiled.file.templates.len());
    let version = compiled.file.version.clone();
    let text = serde_json::to_vec(&compiled.file).map_err(|error| Error::Cloud(error.to_string()))?;
    let policy =
        serde_json::to_vec(&compiled.file.policy_file()).map_err(|error| Error::Cloud(error.to_string()))?;
    let pages = serde_json::to_vec(&compiled.pages).map_err(|error| Error::Cloud(error.to_string()))?;
    let senders = headers(&compiled.file.policy.email);
    let (mut problems, mut warnings) = (Vec::new(), compiled.warnings);
    let mut tests = 0;
    if runs_tests {
        let results = run_tests(args, &project, compiled.file, &compiled.pack_rules)?;
        problems.extend(results.problems);
        warnings.extend(results.warnings);
        tests = results.tests;
    }
    report(terminal, &below(problems.clone(), &args.folder), &below(warnings, &args.folder));
    if !problems.is_empty() {
        return Ok(false);
    }
    if let Some(against) = &args.against {
        warn_of_removed(against, &text, terminal)?;
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
        if runs_tests {
            let pass = if tests == 1 { "decision test passes" } else { "decision tests pass" };
            terminal.say(&format!("{} {tests} {pass}", terminal.ink(Ink::Good, "ok")));
        }
    }
    Ok(true)
}

/// Warns of rules that the catalog `against` has and the compiled one lacks.
fn warn_of_removed(against: &Path, compiled: &[u8], terminal: &Terminal) -> Result<(), Error> {
    let after = CatalogFile::read(&String::from_utf8_lossy(compiled)).ok();
    let after = after.and_then(|file| Catalog::open(file).ok());
    let after = after.ok_or_else(|| Error::Cloud("the compiled catalog cannot be read back".to_owned()))?;
    removed_rules::warn(&removed_rules::rules(&explain::catalog(against)?, &after), terminal);
    Ok(())
}

/// The results of samples and decision tests.
struct TestResults {
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
    /// The number of passed decision tests.
    tests: usize,
}

/// Runs the samples and the decision tests.
fn run_tests(
    args: &Check,
    project: &Project,
    file: CatalogFile,
    pack_rules: &BTreeMap<String, String>,
) -> Result<TestResults, Error> {
    let catalog = Catalog::open(file).map_err(|error| Error::Cloud(error.to_string()))?;
    let samples = Samples::read(project, &args.folder, args.samples.as_deref())?;
    let findings = catalog::check_samples(&catalog, &samples.texts, &samples.people);
    let (mut problems, mut warnings) = (findings.problems, findings.warnings);
    problems.extend(project.check_schemas(&catalog, &args.folder.display().to_string(), &samples.of_folder));
    // The sample of a disabled pack rule reaches no rule, which the project's author cannot change.
    let is_own = |problem: &Problem| project.runs_pack_tests() || !samples.of_packs.contains(&problem.file);
    let (own, of_packs): (Vec<_>, Vec<_>) = findings.unreached.into_iter().partition(is_own);
    problems.extend(own);
    warnings.extend(of_packs);
    let mut test_report = samples.test_report(&catalog, decision_tests(project, &args.folder));
    if !project.runs_pack_tests() {
        // A pack's decision tests hold with the pack's policy only.
        let is_own =
            |warning: &Problem| warning.rule.as_ref().is_none_or(|rule| !pack_rules.contains_key(rule));
        test_report.warnings.retain(is_own);
    }
    problems.extend(test_report.problems);
    (if args.strict { &mut problems } else { &mut warnings }).extend(test_report.warnings);
    let tests = test_report.verdicts.iter().filter(|verdict| verdict.holds).count();
    Ok(TestResults { problems, warnings, tests })
}

/// The decision tests of a project, or of a config folder without packs.
fn decision_tests(project: &Project, folder: &Path) -> Result<Files, Vec<Problem>> {
    if project.is_project() { project.tests() } else { catalog::read_tests(folder) }
}

/// The `From` header of each category with its own sender.
fn headers(email: &EmailPolicy) -> BTreeMap<String, String> {
    email.senders.iter().map(|(category, sender)| (category.clone(), sender.to_header())).collect()
}

/// The sample events and their people.
#[derive(Default)]
struct Samples {
    /// The texts with their paths.
    texts: Vec<(String, String)>,
    /// The texts by their names in decision tests: relative paths with forward slashes.
    events: BTreeMap<String, String>,
    people: Recipients,
    /// Samples of the folder that `--samples` names, by path.
    of_folder: Vec<(String, String)>,
    /// The paths of the packs' samples.
    of_packs: BTreeSet<String>,
}

impl Samples {
    /// Reads the samples of a project, its packs and an additional folder.
    fn read(project: &Project, config: &Path, more: Option<&Path>) -> Result<Samples, Error> {
        let mut samples = Samples::default();
        let config = config.display().to_string();
        for sample in project.samples() {
            let is_of_pack = sample.is_of_pack();
            let sample = sample.below(&config);
            samples.of_packs.extend(is_of_pack.then(|| sample.file.clone()));
            samples.events.insert(sample.name, sample.text.clone());
            samples.texts.push((sample.file, sample.text));
        }
        for people in project.people() {
            let people = people.below(&config);
            samples.add_people(&people.file, &people.text)?;
        }
        let Some(folder) = more else { return Ok(samples) };
        for path in files::samples(folder)? {
            let text = files::read(&path)?;
            let below = path.strip_prefix(folder).unwrap_or(&path);
            let steps: Vec<_> = below.iter().map(|step| step.to_string_lossy()).collect();
            samples.events.insert(steps.join("/"), text.clone());
            samples.of_folder.push((path.display().to_string(), text));
        }
        samples.texts.extend(samples.of_folder.iter().cloned());
        if let Some(people) = Some(folder.join("people.json")).filter(|people| people.exists()) {
            samples.add_people(&people.display().to_string(), &files::read(&people)?)?;
        }
        Ok(samples)
    }

    fn add_people(&mut self, file: &str, text: &str) -> Result<(), Error> {
        let people: Vec<Recipient> = serde_json::from_str(text).map_err(|error| {
            Error::usage(
                format!("{file} is no list of people: {error}"),
                "see `carillon people import --help`",
            )
        })?;
        self.people.extend(people.into_iter().map(|person| (person.id.clone(), person)));
        Ok(())
    }

    /// Runs the decision tests. Without tests, every rule is untested.
    fn test_report(&self, catalog: &Catalog, tests: Result<Files, Vec<Problem>>) -> TestReport {
        match tests {
            Ok(files) => catalog::run_tests(&files, catalog, &self.people, &self.events),
            Err(problems) => TestReport { problems, ..TestReport::default() },
        }
    }
}

/// Problems with paths that include the folder, so that an editor finds them.
fn below(problems: Vec<Problem>, folder: &Path) -> Vec<Problem> {
    let folder = folder.display().to_string();
    problems.into_iter().map(|problem| problem.below(&folder)).collect()
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
        terminal.say(&terminal.ink(Ink::Bad, &format!("{count}; no file was written")));
    }
}

/// The functions that need the policy without the rules.
pub const NEED_POLICY: [&str; 5] = ["api", "audit", "people", "relay", "sweep"];

/// The paths of the policy file: the functions' folders if the catalog is in dispatch's folder, otherwise the catalog's
/// folder.
fn policies_beside(catalog: &Path) -> Vec<PathBuf> {
    let folder = catalog.parent().unwrap_or(Path::new(""));
    match folder.parent().filter(|_| folder.file_name().is_some_and(|name| name == "dispatch")) {
        Some(functions) => {
            NEED_POLICY.map(|need_policy| functions.join(need_policy).join(POLICY_FILE)).into()
        }
        None => vec![folder.join(POLICY_FILE)],
    }
}

fn write(path: &Path, text: &[u8]) -> Result<(), Error> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| Error::write(folder, error))?;
    }
    std::fs::write(path, text).map_err(|error| Error::write(path, error))
}
