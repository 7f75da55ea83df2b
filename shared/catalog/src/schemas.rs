//! Schemas of event data: `schemas/<type>/<major>.<minor>.json` of a project and of its packs.
//!
//! A sample of a pack must match the schema of its pack. A sample of the project must match the project's own schema of
//! its type, or else the schema of one of the packs.

use std::collections::BTreeMap;

use domain::catalog::Catalog;
use domain::catalog::schema::Schema;
use domain::event::Event;
use serde_json::Value;

use crate::dry_run;
use crate::problem::Problem;
use crate::project::{Project, Text};
use crate::suggestions::listed;

/// The folder of schemas in a project or a pack.
pub(crate) const SCHEMAS: &str = "schemas";

/// The beginning of a `dataschema` that names one of these schemas: `urn:carillon:schema:<type>:<version>`.
const URN: &str = "urn:carillon:schema:";

/// The schemas of one folder by type and version. The lowest version is the first.
type Versions = BTreeMap<String, BTreeMap<(u32, u32), Schema>>;

/// The schemas of a project by the name of the pack; the project's own have an empty name.
type Schemas = BTreeMap<String, Versions>;

/// Checks the schemas, and each sample against the schema of its type. `more` are samples that are not part of the
/// project, by file.
pub(crate) fn check(
    project: &Project,
    catalog: &Catalog,
    folder: &str,
    more: &[(String, String)],
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut schemas = Schemas::new();
    for (pack, file) in project.schemas() {
        match read(&file) {
            Ok((kind, version, schema)) => {
                schemas.entry(pack).or_default().entry(kind).or_default().insert(version, schema);
            }
            Err(found) => problems.extend(found),
        }
    }
    for sample in project.samples() {
        let pack = if sample.is_of_pack() { sample.name.split('/').next().unwrap_or_default() } else { "" };
        let pack = pack.to_owned();
        let sample = sample.below(folder);
        problems.extend(check_sample(&schemas, catalog, &pack, &sample.file, &sample.text));
    }
    for (file, text) in more {
        problems.extend(check_sample(&schemas, catalog, "", file, text));
    }
    problems
}

fn read(file: &Text) -> Result<(String, (u32, u32), Schema), Vec<Problem>> {
    let refuse = |what: String, fix: &str| vec![Problem::of_file(&file.file, what, fix)];
    let (kind, version) = place(&file.name).ok_or_else(|| {
        refuse(
            format!("the path {SCHEMAS}/{} names no type and version", file.name),
            "move the schema to `schemas/<type>/<major>.<minor>.json`",
        )
    })?;
    let schema: Value = serde_json::from_str(&file.text)
        .map_err(|error| refuse(format!("the schema is not JSON: {error}"), "write a JSON object"))?;
    let schema = Schema::read(&schema).map_err(|faults| {
        let problem = |fault: &domain::catalog::schema::SchemaFault| {
            let what = format!("the schema has at `{}` {}", fault.pointer, fault.found);
            Problem::of_file(&file.file, what, format!("write {}", fault.wanted))
        };
        faults.iter().map(problem).collect::<Vec<_>>()
    })?;
    Ok((kind.to_owned(), version, schema))
}

/// Type and version of `<type>/<major>.<minor>.json`.
fn place(name: &str) -> Option<(&str, (u32, u32))> {
    let (kind, file) = name.split_once('/')?;
    let (major, minor) = file.strip_suffix(".json")?.split_once('.')?;
    let number = |text: &str| text.parse::<u32>().ok().filter(|number| number.to_string() == text);
    Some((kind, (number(major)?, number(minor)?)))
}

fn check_sample(schemas: &Schemas, catalog: &Catalog, pack: &str, file: &str, text: &str) -> Vec<Problem> {
    // A sample that is refused is a problem of its own.
    let Ok(event) = dry_run::event(text, &catalog.policy().producers) else { return Vec::new() };
    let of = |folder: &str| schemas.get(folder).and_then(|versions| versions.get(&event.kind));
    let candidates: Vec<_> = match of(pack) {
        Some(own) => vec![own],
        None if pack.is_empty() => schemas.keys().filter_map(|folder| of(folder)).collect(),
        None => Vec::new(),
    };
    let mut found = candidates.into_iter().map(|versions| check_event(versions, &event, file));
    let Some(first) = found.next() else { return Vec::new() };
    if first.is_empty() || found.any(|problems| problems.is_empty()) { Vec::new() } else { first }
}

fn check_event(versions: &BTreeMap<(u32, u32), Schema>, event: &Event, file: &str) -> Vec<Problem> {
    let named = event.dataschema.as_deref().and_then(|schema| schema.strip_prefix(URN));
    let schema = match named {
        Some(named) => {
            let is_named = |(major, minor): &(u32, u32)| named == format!("{}:{major}.{minor}", event.kind);
            versions.iter().find(|(version, _)| is_named(version)).map(|(_, schema)| schema)
        }
        None => versions.values().next(),
    };
    let Some(schema) = schema else {
        let known: Vec<String> =
            versions.keys().map(|(major, minor)| format!("{URN}{}:{major}.{minor}", event.kind)).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let fix = format!("write {}, or add the schema", listed(&known));
        return vec![Problem::of_file(file, "`dataschema` names a version that has no schema", fix)];
    };
    let data =
        event.data.as_ref().and_then(|data| serde_json::from_str(data.text()).ok()).unwrap_or_default();
    let mismatches = schema.mismatches(&data).into_iter();
    let problem = |mismatch: domain::catalog::schema::Mismatch| {
        let path = mismatch.path.replacen('$', "$.data", 1);
        let what = format!("the schema of `{}` does not admit {path}: found {}", event.kind, mismatch.found);
        Problem::of_file(file, what, format!("write {}, or change the schema", mismatch.wanted))
    };
    mismatches.map(problem).collect()
}

#[cfg(test)]
mod tests;
