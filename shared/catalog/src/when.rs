//! The pattern of a rule: EventBridge's language, over the fields that an event has here.

use domain::rule::When;

use crate::nearest::suggestion;
use crate::problem::Page;
use crate::reach;
use crate::yaml::{Kind, Node};

/// The top-level fields of [`domain::event::Event::document`].
const FIELDS: [&str; 5] = ["source", "detail-type", "detail", "id", "time"];

pub(crate) fn when(node: &Node, page: &mut Page<'_>) -> Option<When> {
    check_fields(node, page);
    match When::try_from(node.to_json()) {
        Ok(when) => {
            if let Some((at, what)) = reach::nothing(node) {
                page.refuse(at, format!("it matches nothing: {what}"), "mend the values, or take them out");
            }
            Some(when)
        }
        Err(invalid) => {
            let what = format!("`when` is no pattern: at {}, found {}", invalid.at, invalid.found);
            page.refuse(node.place(&invalid.at), what, format!("write {}", invalid.wanted));
            None
        }
    }
}

/// A field that no event has would make a rule that never matches.
fn check_fields(node: &Node, page: &mut Page<'_>) {
    let Kind::Map(entries) = &node.kind else { return };
    for entry in entries {
        if entry.key == "$or" {
            if let Kind::List(members) = &entry.value.kind {
                members.iter().for_each(|it| check_fields(it, page));
            }
            continue;
        }
        // A key with dots is a path of its own.
        let field = entry.key.split('.').next().unwrap_or_default();
        if !FIELDS.contains(&field) {
            let what = format!("no event has the field `{field}`, so the rule never matches");
            page.refuse(entry.at, what, suggestion(field, &FIELDS));
        }
    }
}

#[cfg(test)]
mod tests;
