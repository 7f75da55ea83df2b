//! `carillon pack`: lists the packs of this release, copies them into a project, and compares the copies.

mod diff;
mod list;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use catalog::{About, MANIFEST, Project, joined, nearest};

use crate::args::{Pack, PackAdd};
use crate::error::{Done, Error};
use crate::init::write_new;
use crate::project::{self, shipped};
use crate::terminal::{Ink, Terminal};

pub(crate) fn run(args: &Pack, terminal: &Terminal) -> Done {
    match args {
        Pack::Ls(ls) => list::run(ls, terminal),
        Pack::Add(args) => add(args, terminal),
        Pack::Diff(diff) => diff::run(diff, terminal),
    }
}

/// The names of this release's packs.
fn names() -> Vec<&'static str> {
    let mut names: Vec<&str> =
        shipped().keys().filter_map(|path| path.split_once('/')).map(|(name, _)| name).collect();
    names.dedup();
    names
}

/// The description of a pack.
fn about(name: &str) -> About {
    shipped()
        .get(&format!("{name}/{}", catalog::PACK))
        .map(|text| catalog::describe(text))
        .unwrap_or_default()
}

/// The files of a pack by relative path.
fn files(name: &str) -> BTreeMap<String, String> {
    let prefix = format!("{name}/");
    let of_pack = shipped().iter().filter_map(|(path, text)| Some((path.strip_prefix(&prefix)?, text)));
    of_pack.map(|(path, text)| (path.to_owned(), text.clone())).collect()
}

/// Adds a pack and the packs that it needs to a list, in the order of their needs.
///
/// # Errors
/// This release has no such pack.
pub(crate) fn with_needs(name: &str, list: &mut Vec<String>) -> Result<(), Error> {
    known(name)?;
    let mut waiting = vec![name.to_owned()];
    let mut found: Vec<String> = Vec::new();
    while let Some(name) = waiting.pop() {
        if !found.contains(&name) {
            waiting.extend(about(&name).needs);
            found.push(name);
        }
    }
    for name in found.into_iter().rev() {
        if !list.contains(&name) {
            list.push(name);
        }
    }
    Ok(())
}

/// Checks the name of a pack.
///
/// # Errors
/// This release has no such pack.
fn known(name: &str) -> Result<(), Error> {
    let names = names();
    if names.contains(&name) {
        return Ok(());
    }
    let fix = match nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("use one of {}", names.join(", ")),
    };
    Err(Error::usage(format!("this release has no pack `{name}`"), fix))
}

/// The project in a folder.
///
/// # Errors
/// The folder has no `carillon.yaml`.
fn project(folder: &Path) -> Result<Project, Error> {
    let project = project::read(folder);
    match project.is_project() {
        true => Ok(project),
        false => {
            let what = format!("{} has no {MANIFEST}", folder.display());
            Err(Error::usage(what, "create a project with `carillon init`, or name one with --config"))
        }
    }
}

/// The folder of the project's copy of a pack.
fn copy_folder(folder: &Path, project: &Project, name: &str) -> PathBuf {
    joined(folder, &format!("{}/{name}", project.packs_folder()))
}

fn add(args: &PackAdd, terminal: &Terminal) -> Done {
    known(&args.name)?;
    let project = project(&args.config)?;
    let place = copy_folder(&args.config, &project, &args.name);
    if place.exists() {
        let what = format!("{} exists already, and no file was written", place.display());
        return Err(Error::usage(what, "compare it with this release by `carillon pack diff`"));
    }
    let mut wanted = Vec::new();
    with_needs(&args.name, &mut wanted)?;
    let enabled = project.packs();
    let new: Vec<&str> = wanted.iter().map(String::as_str).filter(|name| !enabled.contains(name)).collect();
    let manifest = args.config.join(MANIFEST);
    let text = crate::files::read(&manifest)?;
    let Some(with_packs) = enable(&text, &new) else {
        let what = format!("`packs` in {} has a form that this command cannot extend", manifest.display());
        return Err(Error::usage(what, format!("write it as `packs: [{}]`", wanted.join(", "))));
    };
    let texts: Vec<(String, String)> = files(&args.name).into_iter().collect();
    write_new(&place, &texts)?;
    std::fs::write(&manifest, with_packs).map_err(|error| Error::write(&manifest, error))?;
    if terminal.json {
        let place = place.display().to_string();
        terminal.say_json(&serde_json::json!({
            "pack": args.name, "folder": place, "files": texts.len(), "enabled": new,
        }));
    } else {
        let good = terminal.ink(Ink::Good, "ok");
        terminal.say(&format!("{good} {} files in {}", texts.len(), place.display()));
        if !new.is_empty() {
            terminal.say(&format!("{good} {} now uses {}", manifest.display(), new.join(", ")));
        }
    }
    Ok(true)
}

/// Adds names to `packs` in the text of `carillon.yaml`; `None` for an unknown form. All other lines stay unchanged.
fn enable(text: &str, names: &[&str]) -> Option<String> {
    if names.is_empty() {
        return Some(text.to_owned());
    }
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let Some(index) = lines.iter().position(|line| line.starts_with("packs:")) else {
        let is_none = !lines.iter().any(|line| line.trim_start().starts_with("packs:"));
        lines.push(format!("packs: [{}]", names.join(", ")));
        return is_none.then(|| lines.join("\n") + "\n");
    };
    let rest = lines[index]["packs:".len()..].trim().to_owned();
    if let Some(list) = rest.strip_prefix('[') {
        let (inner, behind) = list.split_once(']')?;
        let inner = inner.trim().trim_end_matches(',');
        let all = if inner.is_empty() { names.join(", ") } else { format!("{inner}, {}", names.join(", ")) };
        lines[index] = format!("packs: [{all}]{behind}");
    } else if rest.is_empty() || rest.starts_with('#') {
        let is_item =
            |line: &&String| line.trim_start().starts_with("- ") || line.trim_start().starts_with('#');
        let items = lines[index + 1..].iter().take_while(is_item).count();
        let last =
            lines[index + 1..=index + items].iter().rposition(|line| line.trim_start().starts_with("- "))?;
        let item = &lines[index + 1 + last];
        let indent = item[..item.len() - item.trim_start().len()].to_owned();
        for (offset, name) in names.iter().enumerate() {
            lines.insert(index + 2 + last + offset, format!("{indent}- {name}"));
        }
    } else {
        return None;
    }
    Some(lines.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packs_are_added_and_other_lines_are_unchanged() {
        check("# a\npacks: []  # b\nx: 1\n", Some("# a\npacks: [core, care]  # b\nx: 1\n"));
        check("packs: [demo]\n", Some("packs: [demo, core, care]\n"));
        check(
            "packs:\n  - demo\n  # c\n  - tasks\nx: 1\n",
            Some("packs:\n  - demo\n  # c\n  - tasks\n  - core\n  - care\nx: 1\n"),
        );
        check("# none\n", Some("# none\npacks: [core, care]\n"));
        check("packs: [demo,\n  tasks]\n", None);
        check("packs: demo\n", None);
        check("packs:\nx: 1\n", None);
    }

    #[test]
    fn pack_follows_the_packs_that_it_needs() {
        let mut list = vec!["demo".to_owned()];
        with_needs("care", &mut list).unwrap();
        assert_eq!(list, ["demo", "core", "care"]);
        let error = with_needs("caer", &mut list).unwrap_err().to_string();
        assert_eq!(error, "this release has no pack `caer`; did you mean `care`?");
    }

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(enable(text, &["core", "care"]).as_deref(), expected, "{text}");
    }
}
