//! `http-api.md`, from `functions/api/openapi.yaml`.

mod example;
mod schema;

use std::fmt::Write as _;

use serde_json::Value;

use super::markdown::{cell, heading_anchor, sorted, text, wrap};
use schema::{bodies, described, kind};

const METHODS: [&str; 6] = ["get", "head", "post", "put", "patch", "delete"];

const HEAD: &str = "# HTTP API reference

`functions/api/openapi.yaml` is the source of this page. [HTTP API](../clients/http-api.md) describes tokens, signatures
and idempotency.

";

/// The page. `codes` are the statuses and machine codes of problems.
pub(super) fn page(document: &Value, codes: &[(u16, String)]) -> String {
    let mut page = HEAD.to_owned();
    page += &wrap(text(&document["info"]["description"]));
    page += "\n\n";
    overview(&mut page, document);
    for tag in document["tags"].as_array().into_iter().flatten() {
        let _ = writeln!(page, "## {}\n", text(&tag["description"]));
        for (path, method, operation) in operations(document) {
            if operation["tags"][0] == tag["name"] {
                describe(
                    &mut page,
                    document,
                    &format!("{} {path}", method.to_uppercase()),
                    &document["paths"][path],
                    operation,
                );
            }
        }
    }
    page += "## Messages to webhook endpoints\n\nThese requests come from Carillon. [Webhooks](../clients/webhooks.md) tells how to verify them.\n\n";
    for (name, item) in sorted(&document["webhooks"]) {
        for (method, operation) in methods(item) {
            describe(
                &mut page,
                document,
                &format!("{} to an endpoint: {name}", method.to_uppercase()),
                item,
                operation,
            );
        }
    }
    problems(&mut page, codes);
    schemas(&mut page, document);
    page
}

/// All operations as path, method and operation, sorted by path.
fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = sorted(&document["paths"]);
    paths
        .into_iter()
        .flat_map(|(path, item)| {
            methods(item).into_iter().map(move |(method, operation)| (path, method, operation))
        })
        .collect()
}

fn methods(item: &Value) -> Vec<(&'static str, &Value)> {
    METHODS.iter().filter_map(|method| Some((*method, item.get(*method)?))).collect()
}

fn overview(page: &mut String, document: &Value) {
    *page += "| request | effect |\n|---|---|\n";
    for (path, method, operation) in operations(document) {
        let title = format!("{} {path}", method.to_uppercase());
        let summary = cell(text(&operation["summary"]));
        let _ = writeln!(page, "| [`{title}`](#{}) | {summary} |", heading_anchor(&title));
    }
    page.push('\n');
}

fn describe(page: &mut String, document: &Value, title: &str, item: &Value, operation: &Value) {
    let _ = writeln!(page, "### {title}\n");
    let open = if operation["security"].is_array() { " No credentials." } else { "" };
    let _ = writeln!(page, "{}\n", wrap(&format!("{}.{open}", text(&operation["summary"]))));
    if let Some(description) = operation["description"].as_str() {
        let _ = writeln!(page, "{}\n", wrap(description));
    }
    parameters(page, document, item, operation);
    let body = described(document, &operation["requestBody"]);
    if !body.is_null() {
        let optional = if body["required"] == true { "" } else { " (optional)" };
        let _ = writeln!(page, "**Body**{optional}: {}\n", bodies(document, body));
        if let Some(example) = example::of_content(document, body) {
            let _ = writeln!(page, "```json\n{example}\n```\n");
        }
    }
    answers(page, document, operation);
}

fn answers(page: &mut String, document: &Value, operation: &Value) {
    *page += "| status | body | meaning |\n|---|---|---|\n";
    let responses = sorted(&operation["responses"]);
    for (status, response) in &responses {
        let response = described(document, response);
        let meaning = cell(text(&response["description"]));
        let _ = writeln!(page, "| {status} | {} | {meaning} |", bodies(document, response));
    }
    page.push('\n');
    let success = responses.iter().find(|(status, _)| status.starts_with('2'));
    let example =
        success.and_then(|(_, response)| example::of_content(document, described(document, response)));
    if let (Some((status, _)), Some(example)) = (success, example) {
        let _ = writeln!(page, "An example of {status}:\n\n```json\n{example}\n```\n");
    }
}

fn parameters(page: &mut String, document: &Value, item: &Value, operation: &Value) {
    let lists = [&item["parameters"], &operation["parameters"]];
    let all: Vec<&Value> = lists.into_iter().filter_map(Value::as_array).flatten().collect();
    if all.is_empty() {
        return;
    }
    *page += "| parameter | in | type | meaning |\n|---|---|---|---|\n";
    for parameter in all {
        let parameter = described(document, parameter);
        let optional = if parameter["required"] == true { "" } else { "optional " };
        let schema = described(document, &parameter["schema"]);
        let meaning = parameter.get("description").or(schema.get("description")).map_or("", text);
        let _ = writeln!(
            page,
            "| `{}` | {optional}{} | {} | {} |",
            text(&parameter["name"]),
            text(&parameter["in"]),
            kind(&parameter["schema"]),
            cell(meaning)
        );
    }
    page.push('\n');
}

fn problems(page: &mut String, codes: &[(u16, String)]) {
    *page += "## Machine codes of problems\n\nThe `type` of a problem ends with one of these codes.\n\n| status | code |\n|---|---|\n";
    for (status, code) in codes {
        let _ = writeln!(page, "| {status} | `{code}` |");
    }
    page.push('\n');
}

fn schemas(page: &mut String, document: &Value) {
    *page += "## Schemas\n";
    for (name, schema) in sorted(&document["components"]["schemas"]) {
        let _ = writeln!(page, "\n### {name}\n");
        if let Some(description) = schema["description"].as_str() {
            let _ = writeln!(page, "{}\n", wrap(&format!("{}.", description.trim_end_matches('.'))));
        }
        let parts = schema::members(document, schema);
        if parts.is_empty() {
            let _ = writeln!(page, "{}", kind(schema));
            continue;
        }
        *page += "| member | type | meaning |\n|---|---|---|\n";
        for member in parts {
            let optional = if member.is_required { "" } else { "optional " };
            let _ = writeln!(
                page,
                "| `{}` | {optional}{} | {} |",
                member.name,
                member.kind,
                cell(&member.meaning)
            );
        }
    }
}

/// The statuses and machine codes in the API's source code, sorted. Tests do not count.
pub(super) fn problem_codes(source: &str) -> Vec<(u16, String)> {
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let calls = code.split("Problem::new(").skip(1);
    calls
        .filter_map(|call| {
            let (status, rest) = call.split_once(',')?;
            let name = rest.trim_start().strip_prefix('"')?.split('"').next()?;
            Some((status.trim().parse().ok()?, name.to_owned()))
        })
        .collect()
}
