//! `carillon check`: from `config/` to a catalog, or to everything that is wrong with it.

use std::path::Path;

use catalog::Problem;
use domain::catalog::Catalog;
use domain::recipient::{Recipient, Recipients};

use crate::args::Check;
use crate::error::{Done, Error};
use crate::files;
use crate::terminal::{Ink, Terminal};

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
    let (mut problems, mut warnings) = (Vec::new(), compiled.warnings);
    if let Some(folder) = &args.samples {
        let catalog = Catalog::open(compiled.file).map_err(|it| Error::Cloud(it.to_string()))?;
        let findings = rehearse(&catalog, folder)?;
        problems.extend(findings.problems);
        warnings.extend(findings.warnings);
    }
    report(terminal, &below(problems.clone(), &args.folder), &below(warnings, &args.folder));
    if !problems.is_empty() {
        return Ok(false);
    }
    if let Some(out) = &args.out {
        write(out, &text)?;
    }
    if terminal.json {
        let answer = serde_json::json!({
            "ok": true, "version": version, "rules": rules, "templates": templates, "bytes": text.len(),
        });
        terminal.say_json(&answer);
    } else {
        let size = text.len().div_ceil(1024);
        let line = format!("{rules} rules, {templates} template files: catalog {version}, {size} KB");
        terminal.say(&format!("{} {line}", terminal.ink(Ink::Good, "ok")));
    }
    Ok(true)
}

fn rehearse(catalog: &Catalog, folder: &Path) -> Result<catalog::Findings, Error> {
    let mut samples = Vec::new();
    for path in files::samples(folder)? {
        let text = files::read(&path)?;
        samples.push((path.display().to_string(), text));
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
    let cast: Recipients = cast.into_iter().map(|it| (it.id.clone(), it)).collect();
    Ok(catalog::check_samples(catalog, &samples, &cast))
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
        let s = if problems.len() == 1 { "" } else { "s" };
        terminal.say(&terminal.ink(Ink::Bad, &format!("{} problem{s}; nothing was written", problems.len())));
    }
}

fn write(path: &Path, text: &[u8]) -> Result<(), Error> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| Error::write(folder, error))?;
    }
    std::fs::write(path, text).map_err(|error| Error::write(path, error))
}
