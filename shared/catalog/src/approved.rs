//! `whatsapp.yaml`: an approved WhatsApp template and its parameters.
//!
//! The catalog stores the file as a template whose parts are joined by a separator. Each part keeps its line, so
//! that errors report the right place. The approved text stays in the file, because the number of parameters is
//! checked against it.

use std::collections::{BTreeMap, BTreeSet};

use domain::base::channel::APPROVED;
use domain::delivery::job::WhatsappTemplate;

use crate::problem::{At, Diagnostics, TEMPLATES};
use crate::values::{Fields, check_keys, list, text};
use crate::yaml::{self, Entry, Node};

/// Meta's limit for the name of a template.
///
/// Source: WhatsApp Business Management API, "Message templates", `name`.
const MAX_NAME_BYTES: usize = 512;

/// Converts each such file to the catalog's form.
pub(crate) fn compile(templates: &mut BTreeMap<String, String>, problems: &mut Vec<crate::Problem>) {
    for (path, source) in templates.iter_mut().filter(|(path, _)| path.rsplit('/').next() == Some(APPROVED)) {
        let file = format!("{TEMPLATES}/{path}");
        let mut report = Diagnostics { file: &file, rule: None, problems };
        let members = yaml::map_of(source, &mut report);
        *source = read(&members, &mut report).unwrap_or_default();
    }
}

fn read(members: &[Entry], report: &mut Diagnostics<'_>) -> Option<String> {
    let keys = ["template", "language", "body", "parameters"];
    check_keys(members, At { line: 1, column: 1 }, &keys, &["template", "language", "body"], report);
    let mut fields = Fields { members, report };
    let name = fields.read("template", name);
    let language = fields.read("language", language);
    let parameters: Vec<(String, At)> = fields.read("parameters", parameters).unwrap_or_default();
    fields.read("body", |node, report| body(node, parameters.len(), report))?;
    Some(joined(&name?, &language?, &parameters))
}

/// The parts, each on its own line.
fn joined(name: &str, language: &str, parameters: &[(String, At)]) -> String {
    let separator = WhatsappTemplate::SEPARATOR;
    let mut source = format!("{name}{separator}{language}{separator}{}", parameters.len());
    for (parameter, at) in parameters {
        source.push(separator);
        while source.lines().count() < at.line {
            source.push('\n');
            source.push(' ');
        }
        source.push_str(parameter);
    }
    source
}

fn name(node: &Node, report: &mut Diagnostics<'_>) -> Option<String> {
    let name = text(node, report)?;
    let is_name = name.len() <= MAX_NAME_BYTES
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if is_name {
        return Some(name);
    }
    let fix = "write it as it was approved: small letters, digits and underscores";
    report.refuse(node.at, format!("`{name}` is no name of a WhatsApp template"), fix);
    None
}

/// Source: WhatsApp Business Management API, "Supported languages": `en`, `en_GB`, `fil`.
fn language(node: &Node, report: &mut Diagnostics<'_>) -> Option<String> {
    let code = text(node, report)?;
    let (language, region) =
        code.split_once('_').map_or((code.as_str(), None), |(language, of)| (language, Some(of)));
    let is_code = (2..=3).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_lowercase())
        && region
            .is_none_or(|region| region.len() == 2 && region.bytes().all(|byte| byte.is_ascii_uppercase()));
    if is_code {
        return Some(code);
    }
    let fix = "write WhatsApp's own code, such as `en_GB` or `de`";
    report.refuse(node.at, format!("`{code}` is no language of a WhatsApp template"), fix);
    None
}

fn parameters(node: &Node, report: &mut Diagnostics<'_>) -> Option<Vec<(String, At)>> {
    let nodes = list(node, report)?;
    let read: Vec<(String, At)> =
        nodes.iter().filter_map(|node| Some((text(node, report)?, node.at))).collect();
    (read.len() == nodes.len()).then_some(read)
}

/// Checks the approved text, with `{{1}}`, `{{2}}` and so on in place of the parameters.
fn body(node: &Node, parameters: usize, report: &mut Diagnostics<'_>) -> Option<()> {
    let words = text(node, report)?;
    let mut places = BTreeSet::new();
    for piece in words.split("{{").skip(1) {
        let number = piece.split_once("}}").and_then(|(number, _)| number.trim().parse::<usize>().ok());
        match number.filter(|number| *number > 0) {
            Some(number) => drop(places.insert(number)),
            None => {
                let fix = "write `{{1}}`, `{{2}}` and so on, as in what was approved";
                report.refuse(node.at, "a place in `body` has no number", fix);
                return None;
            }
        }
    }
    if places.iter().copied().eq(1..=parameters) {
        return Some(());
    }
    let wanted: Vec<String> = places.iter().map(|place| format!("{{{{{place}}}}}")).collect();
    let what = format!("`body` has the places {}, and there are {parameters} parameters", wanted.join(", "));
    report.refuse(node.at, what, "write one parameter for each place, in their order");
    None
}

#[cfg(test)]
mod tests;
