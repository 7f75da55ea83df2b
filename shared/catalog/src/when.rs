//! Reads the pattern of a rule: EventBridge's pattern language over the event's fields.

use domain::catalog::rule::When;
use domain::pattern::Pattern;

use crate::problem::{At, Diagnostics};
use crate::satisfiability;
use crate::suggestions::suggestion;
use crate::yaml::{Entry, Kind, Node};

/// The top-level fields of [`domain::event::Event::document`].
const FIELDS: [&str; 5] = ["source", "detail-type", "detail", "id", "time"];

pub(crate) fn when(node: &Node, report: &mut Diagnostics<'_>) -> Option<When> {
    check_fields(node, report);
    check_detail(node, "", report);
    let source = node.to_json();
    let checked = Pattern::check_complexity(&source);
    match checked.and_then(|()| When::try_from(source)) {
        Ok(when) => {
            if let Some((at, what)) = satisfiability::nothing(node) {
                report.refuse(
                    at,
                    format!("the pattern matches no event: {what}"),
                    "mend the values, or take them out",
                );
            }
            Some(when)
        }
        Err(invalid) => {
            let what = format!("`when` is no pattern: at {}, found {}", invalid.at, invalid.found);
            report.refuse(node.place(&invalid.at), what, format!("write {}", invalid.wanted));
            None
        }
    }
}

/// Reports fields that no event has, because such a rule would never match.
fn check_fields(node: &Node, report: &mut Diagnostics<'_>) {
    let Kind::Map(entries) = &node.kind else { return };
    for entry in entries {
        if entry.key == "$or" {
            if let Kind::List(members) = &entry.value.kind {
                members.iter().for_each(|member| check_fields(member, report));
            }
            continue;
        }
        // A key with dots is a path.
        let field = entry.key.split('.').next().unwrap_or_default();
        if !FIELDS.contains(&field) {
            let what = format!("no event has the field `{field}`, so the rule never matches");
            let fix = match field {
                "data" => "the payload is under `detail.data`: write `detail: { data: { … } }`".to_owned(),
                _ => suggestion(field, &FIELDS),
            };
            report.refuse(entry.at, what, fix);
        }
    }
}

/// The known envelope attributes: those of CloudEvents, its extensions, and Carillon's own.
const ATTRIBUTES: [&str; 27] = [
    "actor",
    "authid",
    "authtype",
    "causationid",
    "correlationid",
    "data",
    "datacontenttype",
    "dataref",
    "dataschema",
    "expirytime",
    "id",
    "partitionkey",
    "priority",
    "recordedtime",
    "renotify",
    "replayid",
    "sampledrate",
    "sequence",
    "sequencetype",
    "severitynumber",
    "severitytext",
    "source",
    "specversion",
    "subject",
    "tenant",
    "time",
    "type",
];

/// The attributes of Trace Context.
const TRACE: [&str; 2] = ["traceparent", "tracestate"];

/// Visits the entries below `detail`: the path after `detail.`, and the entry.
fn under_detail<'n>(node: &'n Node, above: &str, each: &mut impl FnMut(&str, &'n Entry)) {
    let Kind::Map(entries) = &node.kind else { return };
    for entry in entries {
        if let (Kind::List(members), "$or") = (&entry.value.kind, entry.key.as_str()) {
            members.iter().for_each(|member| under_detail(member, above, each));
            continue;
        }
        let path = if above.is_empty() { entry.key.clone() } else { format!("{above}.{}", entry.key) };
        match path.strip_prefix("detail.") {
            Some(rest) => each(rest, entry),
            None if path == "detail" => under_detail(&entry.value, &path, each),
            None => {}
        }
    }
}

/// Reports payload members directly below `detail`, as usual in EventBridge. Here `detail` holds the envelope.
fn check_detail(node: &Node, above: &str, report: &mut Diagnostics<'_>) {
    let mut faults = Vec::new();
    under_detail(node, above, &mut |path, entry| {
        let first = path.split('.').next().unwrap_or_default();
        if first == "data" {
            return;
        }
        let is_name = first.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let fix = format!("the payload is under `detail.data`: write `detail: {{ data: {{ {path}: … }} }}`");
        let has_members = path.contains('.') || matches!(entry.value.kind, Kind::Map(_));
        if !is_name {
            let what = format!(
                "no envelope has the attribute `{first}`, so the rule never matches: attributes have small letters and \
                 digits"
            );
            faults.push((entry.at, what, fix));
        } else if has_members && !ATTRIBUTES.contains(&first) {
            let what =
                format!("the attribute `{first}` of an envelope has no members, so the rule never matches");
            faults.push((entry.at, what, fix));
        }
    });
    for (at, what, fix) in faults {
        report.refuse(at, what, fix);
    }
}

/// Warnings about legal patterns that are likely mistakes.
pub(crate) fn warnings(node: &Node) -> Vec<(At, String, String)> {
    let mut found = Vec::new();
    under_detail(node, "", &mut |path, entry| {
        let is_name = path.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if is_name
            && !ATTRIBUTES.contains(&path)
            && !TRACE.contains(&path)
            && !matches!(entry.value.kind, Kind::Map(_))
        {
            let what = format!(
                "`detail.{path}` is an extension attribute of the envelope, and none that is known here"
            );
            let fix =
                format!("if it is a member of the payload, write `detail: {{ data: {{ {path}: … }} }}`");
            found.push((entry.at, what, fix));
        }
    });
    numbers(node, &mut found);
    found
}

/// Reports numbers in a format that no JSON writer produces. They are usually text: a postcode, a version, a phone
/// number.
fn numbers(node: &Node, found: &mut Vec<(At, String, String)>) {
    match &node.kind {
        Kind::Map(entries) => {
            // `numeric` compares with numbers in any format.
            let others = entries.iter().filter(|entry| entry.key != "numeric");
            others.for_each(|other| numbers(&other.value, found));
        }
        Kind::List(members) => members.iter().for_each(|member| numbers(member, found)),
        Kind::Number(number) => {
            let Some(written) =
                node.written.as_deref().filter(|written| is_odd(written, &number.to_string()))
            else {
                return;
            };
            let what = format!("`{written}` is the number {number} to YAML, and matches no text");
            found.push((node.at, what, format!("write \"{written}\" in quotes if it is a text")));
        }
        Kind::Null | Kind::Bool(_) | Kind::Text(_) => {}
    }
}

/// Whether a number is not in JSON's format: a leading sign or zero, a trailing zero of a fraction, an exponent, or
/// too many digits.
fn is_odd(written: &str, number: &str) -> bool {
    let ends_in_zero = written.contains('.') && written.ends_with('0');
    written != number || ends_in_zero || written.contains(['e', 'E', '+'])
}

#[cfg(test)]
mod tests;
