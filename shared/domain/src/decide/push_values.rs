//! Values of the event for push notifications: the collapse key, the badge and the link.

use serde_json::Value;

use super::Note;
use crate::base::path::Path;
use crate::base::value_key::value_key;
use crate::catalog::push_options::is_link;
use crate::catalog::rule::Rule;

/// Notes about event values that the rule names for push notifications and that are invalid.
pub(super) fn unusable(rule: &Rule, envelope: &Value) -> Vec<Note> {
    let collapse = rule.push.collapse.iter().filter(|path| value_key(path, envelope).is_none());
    let collapse = collapse.map(|path| Note::missing(path, "the notification replaces no other one"));
    let badges = rule
        .push
        .badge
        .iter()
        .filter(|path| value_of(Some(path), envelope).is_none_or(|value| count(&value).is_none()));
    let badges = badges.map(|path| Note::Unusable {
        what: format!("`{path}` of the event is not a whole number of 0 or more"),
        instead: "the badge is unchanged",
    });
    let links = rule
        .push
        .link
        .iter()
        .filter(|path| value_of(Some(path), envelope).is_none_or(|value| link(&value).is_none()));
    let links = links.map(|path| Note::Unusable {
        what: format!("`{path}` of the event is not a link"),
        instead: "a tap opens the app",
    });
    collapse.chain(badges).chain(links).collect()
}

pub(crate) fn count(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|count| u32::try_from(count).ok())
}

pub(crate) fn link(value: &Value) -> Option<&str> {
    value.as_str().map(str::trim).filter(|text| is_link(text))
}

/// The value at a path; `null` counts as absent.
pub(crate) fn value_of(path: Option<&Path>, envelope: &Value) -> Option<Value> {
    path?.pick(envelope).filter(|value| !value.is_null())
}
