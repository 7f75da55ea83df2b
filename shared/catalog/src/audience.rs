//! The audience of a rule: the entries of its `to`.

use domain::base::channel::{AddressSpec, Channel};
use domain::catalog::rule::{EndpointsOf, Operand, Selector};
use domain::recipient::parse_address;

use crate::problem::{At, Diagnostics};
use crate::suggestions::listed;
use crate::values::{MARKS, check_keys, find, is_list_of_paths, key_at, meant_path, path_in, text};
use crate::yaml::{Entry, Kind, Node};

/// The kind of an entry. Every match is exhaustive, so that a new kind cannot be mistaken for another.
#[derive(Clone, Copy)]
enum EntryKind {
    User,
    Address(Channel, &'static AddressSpec),
    Endpoints,
    Scoped(ScopedKind),
}

/// The kind of an entry that needs a second key, which selects its scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ScopedKind {
    Role,
    Topic,
    Room,
}

impl EntryKind {
    fn all() -> impl Iterator<Item = EntryKind> {
        let scoped = [ScopedKind::Role, ScopedKind::Topic, ScopedKind::Room].map(EntryKind::Scoped);
        let addresses =
            Channel::with_addresses().map(|(channel, address)| EntryKind::Address(channel, address));
        std::iter::once(EntryKind::User).chain(scoped).chain(addresses).chain([EntryKind::Endpoints])
    }

    /// The key of the kind in a rule.
    fn name(self) -> &'static str {
        match self {
            EntryKind::User => "user",
            EntryKind::Address(_, address) => address.member,
            EntryKind::Endpoints => "endpoints",
            EntryKind::Scoped(kind) => kind.name(),
        }
    }

    /// The second key, which selects the scope.
    fn beside(self) -> Option<&'static str> {
        match self {
            EntryKind::User | EntryKind::Address(..) | EntryKind::Endpoints => None,
            EntryKind::Scoped(kind) => Some(kind.beside()),
        }
    }
}

impl ScopedKind {
    fn name(self) -> &'static str {
        match self {
            ScopedKind::Role => "role",
            ScopedKind::Topic => "topic",
            ScopedKind::Room => "room",
        }
    }

    fn beside(self) -> &'static str {
        match self {
            ScopedKind::Role => "in",
            ScopedKind::Topic | ScopedKind::Room => "of",
        }
    }
}

fn keys() -> Vec<&'static str> {
    let addresses = Channel::with_addresses().map(|(_, address)| address.member);
    ["user", "role", "in", "topic", "room", "of"].into_iter().chain(addresses).chain(["endpoints"]).collect()
}

const EITHER: &str = "write `- user: $.data.userId`, `- role: <name>` with `in: $.data.<id>`, or `- topic: <name>` or \
                      `- room: <name>` with `of: $.data.<id>`, or `- endpoints: tenant`";

/// A role or a topic that a rule names, and its place.
pub(crate) struct Mention {
    pub(crate) kind: Named,
    pub(crate) name: String,
    pub(crate) at: At,
}

/// The names that the policy lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    Role,
    Topic,
}

/// Reads `to` and checks that `channels` can reach its recipients.
pub(crate) fn selectors(
    node: &Node,
    channels: &[Channel],
    report: &mut Diagnostics<'_>,
) -> Option<(Vec<Selector>, Vec<Mention>)> {
    let Kind::List(nodes) = &node.kind else {
        report.refuse(
            node.at,
            format!("found {}, wanted a list of those who are told", node.what_there_is()),
            EITHER,
        );
        return None;
    };
    if nodes.is_empty() {
        report.refuse(node.at, "`to` is empty, so the rule has no recipients", EITHER);
    }
    let mut found: Vec<(Selector, At)> = Vec::new();
    for node in nodes {
        let Some(selector) = selector(node, report) else { continue };
        if found.iter().any(|(other, _)| *other == selector) {
            report.refuse(node.at, "the same entry stands here twice", "take one out");
        }
        found.push((selector, node.at));
    }
    if found.len() == nodes.len() {
        check_rooms(node.at, &found, channels, report);
        check_addresses(node.at, &found, channels, report);
        check_endpoints(node.at, &found, channels, report);
    }
    let mentions = found.iter().filter_map(|(selector, at)| mention(selector, *at)).collect();
    Some((found.into_iter().map(|(selector, _)| selector).collect(), mentions))
}

fn mention(selector: &Selector, at: At) -> Option<Mention> {
    match selector {
        Selector::Role { role, .. } => Some(Mention { kind: Named::Role, name: role.clone(), at }),
        Selector::Topic { name, .. } => Some(Mention { kind: Named::Topic, name: name.clone(), at }),
        Selector::User(_) | Selector::Room { .. } | Selector::Address { .. } | Selector::Endpoints(_) => None,
    }
}

/// Reports rooms that no channel reaches, and channels without recipients because all entries are rooms.
fn check_rooms(at: At, found: &[(Selector, At)], channels: &[Channel], report: &mut Diagnostics<'_>) {
    let is_room = |selector: &Selector| match selector {
        Selector::Room { .. } => true,
        Selector::User(_)
        | Selector::Role { .. }
        | Selector::Topic { .. }
        | Selector::Address { .. }
        | Selector::Endpoints(_) => false,
    };
    let reaching = Channel::ALL.into_iter().filter(|channel| channel.reaches_rooms()).map(Channel::name);
    let reaching = reaching.collect::<Vec<_>>().join("` or `");
    if !found.is_empty() && found.iter().all(|(selector, _)| is_room(selector)) {
        for channel in channels.iter().filter(|channel| !channel.reaches_rooms()) {
            let what = format!(
                "the rule addresses rooms only, and the channel `{}` reaches no room",
                channel.name()
            );
            report.refuse(at, what, format!("use the channel `{reaching}`, or address a user"));
        }
    } else if !channels.is_empty() && !channels.iter().any(|channel| channel.reaches_rooms()) {
        for (_, at) in found.iter().filter(|(selector, _)| is_room(selector)) {
            let fix = format!("add the channel `{reaching}`, or take the room out");
            report.refuse(*at, "none of the rule's channels reaches a room", fix);
        }
    }
}

/// Reports addresses of channels that the rule does not use, and channels without recipients because all addresses
/// belong to others.
fn check_addresses(at: At, found: &[(Selector, At)], channels: &[Channel], report: &mut Diagnostics<'_>) {
    if channels.is_empty() {
        return;
    }
    let mut reached: Vec<Channel> = Vec::new();
    let mut by_address = false;
    for (selector, at) in found {
        match selector {
            Selector::Address { channel, .. } => {
                by_address = true;
                reached.push(*channel);
                if !channels.contains(channel) {
                    let names: Vec<&str> = channels.iter().map(|channel| channel.name()).collect();
                    let what = format!(
                        "an address for `{}`, and the rule tells on {} only",
                        channel.name(),
                        listed(&names)
                    );
                    let fix = format!("add the channel `{}`, or take the address out", channel.name());
                    report.refuse(*at, what, fix);
                }
            }
            Selector::Room { .. } => {
                reached.extend(Channel::ALL.into_iter().filter(|channel| channel.reaches_rooms()));
            }
            Selector::Endpoints(_) => {
                reached.extend(Channel::ALL.into_iter().filter(|channel| channel.reaches_endpoints()));
            }
            Selector::User(_) | Selector::Role { .. } | Selector::Topic { .. } => return,
        }
    }
    for channel in channels.iter().filter(|channel| by_address && !reached.contains(channel)) {
        let what = format!("no recipient of the rule can be reached on the channel `{}`", channel.name());
        report.refuse(at, what, "take the channel out, or address a user");
    }
}

/// Reports endpoints that no channel reaches, and a webhook channel without endpoints.
fn check_endpoints(at: At, found: &[(Selector, At)], channels: &[Channel], report: &mut Diagnostics<'_>) {
    if channels.is_empty() {
        return;
    }
    let (reaching, others): (Vec<Channel>, Vec<Channel>) =
        channels.iter().copied().partition(|channel| channel.reaches_endpoints());
    let endpoints = found.iter().find(|(selector, _)| matches!(selector, Selector::Endpoints(_)));
    match (endpoints, reaching.first()) {
        (Some((_, at)), None) => {
            let fix = "add the channel `webhook`, or take the endpoints out";
            report.refuse(*at, "none of the rule's channels reaches an endpoint", fix);
        }
        (None, Some(channel)) => {
            let what = format!("the channel `{}` reaches endpoints, and the rule names none", channel.name());
            report.refuse(at, what, "add `- endpoints: tenant`, or take the channel out");
        }
        (None, None) | (Some(_), Some(_)) => {}
    }
    let only = found.iter().all(|(selector, _)| matches!(selector, Selector::Endpoints(_)));
    if let Some(channel) = others.first().filter(|_| only && endpoints.is_some() && !reaching.is_empty()) {
        let what =
            format!("the rule addresses endpoints only, and the channel `{}` reaches none", channel.name());
        report.refuse(at, what, "take the channel out, or address a user");
    }
}

fn selector(node: &Node, report: &mut Diagnostics<'_>) -> Option<Selector> {
    let Kind::Map(members) = &node.kind else {
        let what = format!("found {}, wanted a recipient", node.what_there_is());
        report.refuse(node.at, what, EITHER);
        return None;
    };
    check_keys(members, node.at, &keys(), &[], report);
    let kinds: Vec<(EntryKind, &Node)> =
        EntryKind::all().filter_map(|kind| Some((kind, find(members, kind.name())?))).collect();
    let [(kind, value)] = kinds[..] else {
        if kinds.is_empty() {
            report.refuse(node.at, "the entry names no recipient", EITHER);
        } else {
            let names: Vec<&str> = kinds.iter().map(|(kind, _)| kind.name()).collect();
            report.refuse(node.at, format!("one entry names {}", listed(&names)), "make it one entry each");
        }
        return None;
    };
    let beside = kind.beside();
    let strays: Vec<&str> =
        ["in", "of"].into_iter().filter(|key| beside != Some(key) && find(members, key).is_some()).collect();
    for stray in &strays {
        let what = format!("`{stray}` does not belong to `{}`", kind.name());
        let fix = beside.map_or("take it out".to_owned(), |key| format!("write `{key}: …`"));
        report.refuse(key_at(members, stray).unwrap_or(node.at), what, fix);
    }
    let address = |channel: Channel, report: &mut Diagnostics<'_>| {
        operand(value, report)
            .filter(|of| is_address(channel, of, value.at, report))
            .map(|of| Selector::Address { channel, of })
    };
    let selector = match kind {
        EntryKind::User => operand(value, report).map(Selector::User),
        EntryKind::Endpoints => match text(value, report)?.as_str() {
            "tenant" => Some(Selector::Endpoints(EndpointsOf::Tenant)),
            other => {
                let fix = "write `endpoints: tenant`: those of the event's tenant";
                report.refuse(value.at, format!("`{other}` says nothing about whose endpoints"), fix);
                None
            }
        },
        EntryKind::Address(channel, _) => address(channel, report),
        EntryKind::Scoped(kind) => scoped(kind, value, members, report),
    };
    selector.filter(|_| strays.is_empty())
}

/// Whether an address in a rule is valid. The value of a path is known at run time only.
fn is_address(channel: Channel, operand: &Operand, at: At, report: &mut Diagnostics<'_>) -> bool {
    let Operand::Literal(text) = operand else { return true };
    let Some(spec) = channel.address() else { return true };
    let Err(why) = parse_address(channel, text) else { return true };
    let fix = format!("write one such as `{}`, or a path such as `$.data.contact`", spec.example);
    report.refuse(at, format!("`{text}` is no {}: {why}", spec.noun), fix);
    false
}

/// A name with its scope: a role in a clinic, a topic or a room of a project.
fn scoped(
    kind: ScopedKind,
    value: &Node,
    members: &[Entry],
    report: &mut Diagnostics<'_>,
) -> Option<Selector> {
    let (word, beside) = (kind.name(), kind.beside());
    let name = plain_name(value, word, report);
    let of = find(members, beside);
    if of.is_none() && key_at(members, "in").or(key_at(members, "of")).is_none() {
        let fix = format!("say which one of them: `{beside}: $.data.<id>`");
        report.refuse(value.at, format!("a {word} without `{beside}` is no one {word}"), fix);
    }
    let of = of.and_then(|of| operand(of, report));
    let (name, of) = (name?, of?);
    Some(match kind {
        ScopedKind::Role => Selector::Role { role: name, scope: of },
        ScopedKind::Topic => Selector::Topic { name, of },
        ScopedKind::Room => Selector::Room { name, of },
    })
}

/// The constant part of a name. The other part is a value of the event, after a colon.
pub(crate) fn plain_name(node: &Node, kind: &str, report: &mut Diagnostics<'_>) -> Option<String> {
    let name = text(node, report)?;
    if is_plain(&name) {
        return Some(name);
    }
    let fix = "use letters, digits, `-` and `_`; put values of the event into a key of their own";
    report.refuse(node.at, format!("`{name}` is no name for a {kind}"), fix);
    None
}

pub(crate) fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
}

pub(crate) fn operand(node: &Node, report: &mut Diagnostics<'_>) -> Option<Operand> {
    if is_list_of_paths(node) {
        return path_in(node, report).map(Operand::Path);
    }
    let text = text(node, report)?;
    let is_marked = MARKS.iter().any(|(open, _)| text.contains(open));
    let meant = meant_path(&text).filter(|_| !text.starts_with("$."));
    if meant.is_some() || is_marked {
        let what = format!("`{text}` is read as a name, and not as a path into the event");
        let fix = meant.map_or_else(
            || "write one path, such as `$.data.userId`, and nothing round it".to_owned(),
            |path| format!("did you mean `{path}`?"),
        );
        report.refuse(node.at, what, fix);
        return None;
    }
    match text.starts_with('$') {
        true => path_in(node, report).map(Operand::Path),
        false => Some(Operand::Literal(text)),
    }
}

#[cfg(test)]
mod tests;
