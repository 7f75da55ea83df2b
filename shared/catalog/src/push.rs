//! Push notification options of a rule.

use domain::base::channel::Channel;
use domain::catalog::push_options::{Interruption, MAX_NAME_BYTES as MAX_APP_NAME_BYTES, PushOptions};
use domain::catalog::rule::PushPolicy;

use crate::problem::Diagnostics;
use crate::values::{Fields, check_keys, flag, map, path_in, text, word};
use crate::yaml::Node;

const NOTE_KEYS: [&str; 7] = ["collapse", "badge", "link", "channel", "category", "interruption", "mutable"];

/// Reads the push options of a rule.
pub(crate) fn note(node: &Node, channels: &[Channel], report: &mut Diagnostics<'_>) -> Option<PushPolicy> {
    let members =
        map(node, "{ collapse: $.data.<id>, badge: $.data.<count>, interruption: time-sensitive }", report)?;
    check_keys(members, node.at, &NOTE_KEYS, &[], report);
    if !channels.contains(&Channel::Push) {
        report.refuse(
            node.at,
            "the rule sends no push notifications",
            "add `push` to its channels, or take this out",
        );
    }
    let mut fields = Fields { members, report };
    Some(PushPolicy {
        collapse: fields.read("collapse", path_in),
        badge: fields.read("badge", path_in),
        link: fields.read("link", path_in),
        options: PushOptions {
            channel: fields.read("channel", app_name),
            category: fields.read("category", app_name),
            interruption: fields.read("interruption", |node, report| {
                word(node, "interruption level", &Interruption::ALL, report)
            }),
            mutable: fields.read("mutable", flag).unwrap_or_default(),
        },
    })
}

/// Reads the id of a channel or a category in the app.
fn app_name(node: &Node, report: &mut Diagnostics<'_>) -> Option<String> {
    let name = text(node, report)?;
    let fits = !name.is_empty() && name.len() <= MAX_APP_NAME_BYTES && !name.chars().any(char::is_control);
    if !fits || name.starts_with('$') {
        let fix = format!("write the name that the app gave it, up to {MAX_APP_NAME_BYTES} bytes");
        report.refuse(node.at, format!("`{name}` is no channel or category of an app"), fix);
        return None;
    }
    Some(name)
}
