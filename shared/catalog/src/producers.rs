//! `producers:` in `policy.yaml`: the types, tenants and rights of each source on the bus.

use std::collections::BTreeSet;

use domain::event::producers::{Producer, Producers, Tenants, covers, is_own_program, is_reserved_source};
use domain::event::producers::{RESERVED_PREFIX, RESERVED_TYPES};

use crate::problem::{At, Diagnostics};
use crate::values::{Fields, check_keys, find, flag, list, map, path_in, text, word};
use crate::yaml::{Kind, Node};

const KEYS: [&str; 12] = [
    "source",
    "tenants",
    "tenant",
    "types",
    "people",
    "operator",
    "critical",
    "outbox",
    "api",
    "speaks-as",
    "envelopes",
    "actor",
];

/// EventBridge's limit for a source and Carillon's for a tenant, in bytes.
const MAX_NAME_BYTES: usize = 256;

/// EventBridge's limit for a `DetailType`, in characters.
const MAX_TYPE_CHARS: usize = 128;

/// Reads the list. An invalid entry is reported and left out.
pub(crate) fn read(node: &Node, report: &mut Diagnostics<'_>) -> Option<Producers> {
    let mut entries: Vec<Producer> = Vec::new();
    for node in list(node, report)? {
        let Some(entry) = entry(node, report) else { continue };
        if entries.iter().any(|known| known.source == entry.source) {
            let what = format!("the source `{}` has an entry already", entry.source);
            report.refuse(node.at, what, "put all its rights into one entry");
            continue;
        }
        entries.push(entry);
    }
    Some(Producers::new(entries))
}

fn entry(node: &Node, report: &mut Diagnostics<'_>) -> Option<Producer> {
    let members = map(node, "- source: <EventBridge's Source>", report)?;
    check_keys(members, node.at, &KEYS, &["source", "tenants"], report);
    let mut fields = Fields { members, report };
    let source = fields.read("source", source);
    let tenants = fields.read("tenants", tenants);
    let tenant = fields.read("tenant", path_in);
    let types = fields.read("types", |node, report| names(node, "type", ordinary_type, report));
    let people = fields.read("people", flag).unwrap_or_default();
    let operator = fields.read("operator", flag).unwrap_or_default();
    let critical = fields.read("critical", flag).unwrap_or_default();
    let outbox = fields.read("outbox", flag).unwrap_or_default();
    let api = fields.read("api", flag).unwrap_or_default();
    let speaks_as = fields.read("speaks-as", |node, report| names(node, "name", foreign_name, report));
    let envelopes = fields.read("envelopes", |node, report| names(node, "type", whole_type, report));
    let actor =
        fields.read("actor", |node, report| word(node, "value for `actor`", &[("any", true)], report));
    let (source, tenants) = (source?, tenants?);
    if find(members, "tenant").is_some() && tenant.is_none() {
        return None;
    }
    let at = |key: &str| find(members, key).map_or(node.at, |node| node.at);
    if source == "*" {
        for (key, _) in [("people", people), ("operator", operator)].into_iter().filter(|(_, has)| *has) {
            let fix = "name the source that has this right in an entry of its own";
            report.refuse(at(key), format!("`{key}` for the source `*` is a right of every producer"), fix);
        }
    }
    if tenant.is_some() && tenants == Tenants::None {
        let what = "`tenant` finds a tenant, and `tenants: none` lets the source speak for none";
        report.refuse(
            at("tenant"),
            what,
            "list the tenants in `tenants`, write `tenants: \"*\"`, or take `tenant` out",
        );
    }
    if outbox && !people {
        let fix = "take it out, or add `people: true`";
        report.refuse(at("outbox"), "`outbox` without `people` gives no right", fix);
    }
    if people && tenants == Tenants::None {
        let what = "`people: true` with `tenants: none` lets the source change no person";
        report.refuse(
            at("people"),
            what,
            "list the tenants whose people it may change, or write `tenants: \"*\"`",
        );
    }
    if people && source.starts_with('/') && is_reserved_source(&source) {
        let what = "`people` is no right of the HTTP API's sources, which tokens can have";
        report.refuse(at("people"), what, "take it out; people are changed through the API's own routes");
    }
    Some(Producer {
        source,
        tenants,
        tenant,
        types: types.unwrap_or_default(),
        people,
        operator,
        critical,
        outbox,
        api,
        speaks_as: speaks_as.unwrap_or_default(),
        envelopes: envelopes.unwrap_or_default(),
        any_actor: actor.unwrap_or_default(),
    })
}

/// Reads an event name for an alias: one `DetailType`, or one type.
pub(crate) fn event_name(node: &Node, report: &mut Diagnostics<'_>) -> Option<String> {
    pattern(node, "type", report)
}

fn source(node: &Node, report: &mut Diagnostics<'_>) -> Option<String> {
    let name = pattern(node, "source", report)?;
    if is_own_program(&name) {
        report.refuse(
            node.at,
            format!("`{name}` is a source of Carillon's own functions, which need no entry"),
            "take the entry out, or name the producer's own source",
        );
        return None;
    }
    Some(name)
}

/// Reads `"*"`, `none`, or a list of names.
fn tenants(node: &Node, report: &mut Diagnostics<'_>) -> Option<Tenants> {
    match &node.kind {
        Kind::Text(text) if text == "*" => Some(Tenants::All),
        Kind::Text(text) if text == "none" => Some(Tenants::None),
        Kind::List(_) => names(node, "tenant", tenant, report).map(Tenants::Listed),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Map(_) => {
            let fix = "write a list such as `[clinic-a, clinic-b]`, `\"*\"` for all, or `none`";
            report.refuse(node.at, format!("found {}, wanted tenants", node.what_there_is()), fix);
            None
        }
    }
}

fn tenant(name: &str, at: At, report: &mut Diagnostics<'_>) -> bool {
    if name.contains('*') {
        let fix = "write each tenant's name, or `tenants: \"*\"` for all";
        report.refuse(at, format!("`{name}` is no tenant's name"), fix);
        return false;
    }
    true
}

/// Reads a list of distinct names, none of which covers another.
fn names(
    node: &Node,
    what: &str,
    check: fn(&str, At, &mut Diagnostics<'_>) -> bool,
    report: &mut Diagnostics<'_>,
) -> Option<BTreeSet<String>> {
    let mut found: Vec<(String, At)> = Vec::new();
    for node in list(node, report)? {
        let Some(name) = pattern(node, what, report) else { continue };
        if !check(&name, node.at, report) {
            continue;
        }
        let wider = found.iter().find(|(known, _)| covers(known, &name));
        let narrower = found.iter().find(|(known, _)| covers(&name, known));
        if let Some((wide, narrow)) =
            wider.map(|(known, _)| (known, &name)).or_else(|| narrower.map(|(known, _)| (&name, known)))
        {
            let (text, fix) = match wide == narrow {
                true => (format!("the {what} `{wide}` stands here twice"), "take one out".to_owned()),
                false => (
                    format!("the {what} `{wide}` covers `{narrow}`, which stands here too"),
                    format!("take `{narrow}` out"),
                ),
            };
            report.refuse(node.at, text, fix);
            continue;
        }
        found.push((name, node.at));
    }
    Some(found.into_iter().map(|(name, _)| name).collect())
}

/// Reads a name, or a prefix of names followed by `*`.
fn pattern(node: &Node, what: &str, report: &mut Diagnostics<'_>) -> Option<String> {
    let name = text(node, report)?;
    let limit = if what == "type" { MAX_TYPE_CHARS } else { MAX_NAME_BYTES };
    if name.trim_end_matches('*').contains('*') || name.ends_with("**") {
        let fix = "put one `*` at the end, or none";
        report.refuse(node.at, format!("`{name}` has a `*` that is not its end"), fix);
        return None;
    }
    if name.len() > limit || name.chars().any(char::is_control) {
        let fix = format!("write at most {limit} printable characters");
        report.refuse(node.at, format!("this is no {what}"), fix);
        return None;
    }
    Some(name)
}

/// Whether a type is not reserved. A pattern may cover reserved types, which stay reserved.
fn ordinary_type(name: &str, at: At, report: &mut Diagnostics<'_>) -> bool {
    if name.starts_with(RESERVED_PREFIX) || RESERVED_TYPES.contains(&name) {
        let what = format!("the type `{name}` is reserved for Carillon's own events");
        report.refuse(
            at,
            what,
            "take it out; `people: true` lets the source update recipients, topics and tenants",
        );
        return false;
    }
    true
}

fn whole_type(name: &str, at: At, report: &mut Diagnostics<'_>) -> bool {
    if name.ends_with('*') {
        report.refuse(at, format!("`{name}` is no whole type"), "write the `DetailType` of the envelope");
        return false;
    }
    ordinary_type(name, at, report)
}

fn foreign_name(name: &str, at: At, report: &mut Diagnostics<'_>) -> bool {
    if name.ends_with('*') || is_reserved_source(name) {
        let what = format!("a producer cannot speak as `{name}`");
        report.refuse(at, what, "write the name of one service that is not Carillon's own");
        return false;
    }
    true
}

#[cfg(test)]
mod tests;
