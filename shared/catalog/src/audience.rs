//! Whom a rule addresses: the entries of its `to`.

use domain::catalog::{Operand, Selector};
use domain::channel::Channel;
use domain::path::Path;

use crate::problem::{At, Page};
use crate::rule::{check_keys, find, text};
use crate::yaml::{Entry, Kind, Node};

const KEYS: [&str; 3] = ["user", "room", "of"];

const EITHER: &str = "write `- user: $.data.userId`, or `- room: <name>` with `of: $.data.<id>`";

/// Reads `to`, and checks that `channels` can reach whom it names.
pub(crate) fn selectors(node: &Node, channels: &[Channel], page: &mut Page<'_>) -> Option<Vec<Selector>> {
    let Kind::List(nodes) = &node.kind else {
        page.refuse(
            node.at,
            format!("found {}, wanted a list of users and rooms", node.what_there_is()),
            EITHER,
        );
        return None;
    };
    if nodes.is_empty() {
        page.refuse(node.at, "`to` is empty, so nobody ever hears of it", EITHER);
    }
    let mut found = Vec::new();
    for node in nodes {
        if let Some(it) = selector(node, page) {
            found.push((it, node.at));
        }
    }
    if found.len() == nodes.len() {
        check_rooms(node.at, &found, channels, page);
    }
    Some(found.into_iter().map(|(it, _)| it).collect())
}

/// Rooms that no channel reaches, and channels that reach nobody because there are only rooms.
fn check_rooms(at: At, found: &[(Selector, At)], channels: &[Channel], page: &mut Page<'_>) {
    let is_room = |it: &Selector| match it {
        Selector::Room { .. } => true,
        Selector::User(_) => false,
    };
    let reaching = Channel::ALL.into_iter().filter(|it| it.reaches_rooms()).map(Channel::name);
    let reaching = reaching.collect::<Vec<_>>().join("` or `");
    if !found.is_empty() && found.iter().all(|(it, _)| is_room(it)) {
        for channel in channels.iter().filter(|it| !it.reaches_rooms()) {
            let what =
                format!("it addresses rooms only, and the channel `{}` reaches no room", channel.name());
            page.refuse(at, what, format!("use the channel `{reaching}`, or address a user"));
        }
    } else if !channels.is_empty() && !channels.iter().any(|it| it.reaches_rooms()) {
        for (_, at) in found.iter().filter(|(it, _)| is_room(it)) {
            let fix = format!("add the channel `{reaching}`, or take the room out");
            page.refuse(*at, "none of the rule's channels reaches a room", fix);
        }
    }
}

fn selector(node: &Node, page: &mut Page<'_>) -> Option<Selector> {
    let Kind::Map(members) = &node.kind else {
        page.refuse(node.at, format!("found {}, wanted a user or a room", node.what_there_is()), EITHER);
        return None;
    };
    check_keys(members, node.at, &KEYS, &[], page);
    match (find(members, "user"), find(members, "room")) {
        (Some(user), None) => {
            let of = members.iter().find(|it| it.key == "of");
            if let Some(Entry { at, .. }) = of {
                page.refuse(*at, "`of` belongs to a room, and this is a user", "take it out");
            }
            operand(user, page).filter(|_| of.is_none()).map(Selector::User)
        }
        (None, Some(room)) => {
            let name = room_name(room, page);
            let of = find(members, "of");
            if of.is_none() {
                let fix = "say which one of them: `of: $.data.<id>`";
                page.refuse(room.at, "a room without `of` is no one room", fix);
            }
            let of = of.and_then(|it| operand(it, page));
            Some(Selector::Room { name: name?, of: of? })
        }
        (Some(_), Some(_)) => {
            page.refuse(node.at, "one entry names both a user and a room", "make it two entries");
            None
        }
        (None, None) => {
            page.refuse(node.at, "the entry names neither a user nor a room", EITHER);
            None
        }
    }
}

/// The first half of a room's name. The second is a value of the event, and a colon stands between them.
fn room_name(node: &Node, page: &mut Page<'_>) -> Option<String> {
    let name = text(node, page)?;
    if name.chars().all(|it| it.is_alphanumeric() || it == '-' || it == '_') {
        return Some(name);
    }
    let fix = "use letters, digits, `-` and `_`; what differs from event to event goes into `of`";
    page.refuse(node.at, format!("`{name}` is no name for a room"), fix);
    None
}

fn operand(node: &Node, page: &mut Page<'_>) -> Option<Operand> {
    let text = text(node, page)?;
    match text.starts_with('$') {
        true => path(&text, node.at, page).map(Operand::Path),
        false => Some(Operand::Literal(text)),
    }
}

/// A path into the envelope.
pub(crate) fn path(text: &str, at: At, page: &mut Page<'_>) -> Option<Path> {
    if let Some(rest) = text.strip_prefix("$.detail.") {
        let what =
            format!("`{text}` finds nothing: paths begin inside the envelope, which is `detail` itself");
        page.refuse(at, what, format!("write `$.{rest}`"));
        return None;
    }
    match Path::parse(text) {
        Ok(it) => Some(it),
        Err(_) => {
            let fix = "write `$.` and names with dots between them, such as `$.data.userId`";
            page.refuse(at, format!("`{text}` is not a path"), fix);
            None
        }
    }
}

#[cfg(test)]
mod tests;
