//! E-mail settings of rules and policy: reply-to, attachments, senders and unsubscribe links.

use std::collections::{BTreeMap, BTreeSet};

use domain::base::channel::Channel;
use domain::catalog::policy::{EmailPolicy, Policy, PostalAddress};
use domain::catalog::rule::{Attach, Operand, Rule, Selector};
use domain::delivery::attachment::MAX_ATTACHMENTS;
use domain::event::Priority;
use domain::recipient::Sender;

use crate::problem::{At, Diagnostics, POLICY, Problem};
use crate::rule::Draft;
use crate::values::{Fields, check_keys, find, flag, is_path, key_at, list, map, path_in, text};
use crate::yaml::{Entry, Kind, Node};

const POLICY_KEYS: [&str; 4] = ["reply-to", "senders", "unsubscribe", "postal-address"];

const ATTACHMENT_KEYS: [&str; 4] = ["from", "name", "inline", "optional"];

/// The longest postal address, in characters.
const MAX_POSTAL_CHARS: usize = 300;

/// The longest name of a file in a rule, in characters.
const MAX_NAME_CHARS: usize = 200;

/// Reads a reply-to address, or a path to one.
pub(crate) fn reply_to(node: &Node, report: &mut Diagnostics<'_>) -> Option<Operand> {
    if is_path(node) {
        return path_in(node, report).map(Operand::Path);
    }
    let written = text(node, report)?;
    match Sender::parse(&written) {
        Ok(_) => Some(Operand::Literal(written)),
        Err(refused) => {
            let fix = "write one such as `help@example.com` or `Clinic Desk <help@example.com>`, or a path such as \
                       `$.data.clinic.email`";
            report.refuse(node.at, format!("`{written}` is no address to answer to: {}", refused.why()), fix);
            None
        }
    }
}

/// Reads the attachments of a rule's e-mails.
pub(crate) fn attachments(node: &Node, report: &mut Diagnostics<'_>) -> Option<Vec<Attach>> {
    let nodes = list(node, report)?;
    if nodes.len() > MAX_ATTACHMENTS {
        let what = format!("{} files, and a letter may have {MAX_ATTACHMENTS}", nodes.len());
        report.refuse(node.at, what, "take some out");
    }
    let mut found: Vec<Attach> = Vec::new();
    for node in nodes {
        let Some(attach) = attachment(node, report) else { continue };
        if attach.inline.is_some() && found.iter().any(|other| other.inline == attach.inline) {
            report.refuse(
                node.at,
                "two files are shown under the same name",
                "give one of them another `inline`",
            );
        }
        found.push(attach);
    }
    (found.len() == nodes.len()).then_some(found)
}

fn attachment(node: &Node, report: &mut Diagnostics<'_>) -> Option<Attach> {
    let members = map(node, "{ from: $.data.invoice.file, name: Invoice.pdf }", report)?;
    check_keys(members, node.at, &ATTACHMENT_KEYS, &["from"], report);
    let mut fields = Fields { members, report };
    let from = fields.read("from", path_in);
    let name = fields.read("name", file_name);
    let inline = fields.read("inline", content_id);
    let optional = fields.read("optional", flag).unwrap_or_default();
    for (key, is_read) in [("name", name.is_some()), ("inline", inline.is_some())] {
        if find(members, key).is_some() && !is_read {
            return None;
        }
    }
    Some(Attach { from: from?, name, inline, optional })
}

fn file_name(node: &Node, report: &mut Diagnostics<'_>) -> Option<Operand> {
    if is_path(node) {
        return path_in(node, report).map(Operand::Path);
    }
    let written = text(node, report)?;
    let is_whole = domain::delivery::attachment::file_name(&written) == written;
    if is_whole && written.chars().count() <= MAX_NAME_CHARS {
        return Some(Operand::Literal(written));
    }
    let fix = format!("write up to {MAX_NAME_CHARS} characters without slashes and quotes: `Invoice.pdf`");
    report.refuse(node.at, format!("`{written}` is no name for a file"), fix);
    None
}

/// Reads the id that `cid:` refers to in the HTML.
fn content_id(node: &Node, report: &mut Diagnostics<'_>) -> Option<String> {
    let written = text(node, report)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if written.len() <= 60 && written.chars().all(fits) {
        return Some(written);
    }
    let fix = "use up to 60 letters, digits, `-`, `_` and `.`: `inline: logo` is shown by `cid:logo`";
    report.refuse(node.at, format!("`{written}` is no content id for the HTML of an e-mail"), fix);
    None
}

/// Reads the e-mail settings of the policy, and the categories they name.
pub(crate) fn policy(node: &Node, report: &mut Diagnostics<'_>) -> Option<(EmailPolicy, Vec<(String, At)>)> {
    let members = map(node, "{ reply-to: help@example.com, unsubscribe: [news] }", report)?;
    check_keys(members, node.at, &POLICY_KEYS, &[], report);
    let mut categories = Vec::new();
    let mut fields = Fields { members, report };
    let reply_to = fields.read("reply-to", reply_to);
    let senders = fields.read("senders", |node, report| senders(node, &mut categories, report));
    let unsubscribe = fields.read("unsubscribe", |node, report| {
        let mut names = BTreeSet::new();
        for node in list(node, report)? {
            let Some(name) = text(node, report) else { continue };
            categories.push((name.clone(), node.at));
            if !names.insert(name.clone()) {
                report.refuse(node.at, format!("the category `{name}` stands here twice"), "take one out");
            }
        }
        Some(names)
    });
    let postal_address = fields.read("postal-address", postal_address).unwrap_or_default();
    let policy = EmailPolicy {
        postal_address,
        reply_to,
        senders: senders.unwrap_or_default(),
        unsubscribe: unsubscribe.unwrap_or_default(),
    };
    Some((policy, categories))
}

fn senders(
    node: &Node,
    categories: &mut Vec<(String, At)>,
    report: &mut Diagnostics<'_>,
) -> Option<BTreeMap<String, Sender>> {
    let mut senders = BTreeMap::new();
    for Entry { key, at, value } in map(node, "{ news: Clinic News <news@example.com> }", report)? {
        categories.push((key.clone(), *at));
        let Some(written) = text(value, report) else { continue };
        match Sender::parse(&written) {
            Ok(sender) => drop(senders.insert(key.clone(), sender)),
            Err(refused) => {
                let fix = "write a name and an address of a domain that SES has verified, such as `news@example.com` or \
                           `Clinic News <news@example.com>`";
                let what = format!("`{written}` is no sender of an e-mail: {}", refused.why());
                report.refuse(value.at, what, fix);
            }
        }
    }
    Some(senders)
}

/// Reads one address for all tenants, or one per tenant.
fn postal_address(node: &Node, report: &mut Diagnostics<'_>) -> Option<PostalAddress> {
    if matches!(node.kind, Kind::Text(_)) {
        return Some(PostalAddress { default: Some(lines(node, report)?), tenants: BTreeMap::new() });
    }
    let hint = "{ default: \"Example GmbH, Hauptstr. 1, 10115 Berlin\", tenants: { clinic-7: … } }";
    let members = map(node, hint, report)?;
    check_keys(members, node.at, &["default", "tenants"], &[], report);
    let mut fields = Fields { members, report };
    let default = fields.read("default", lines);
    let tenants = fields.read("tenants", |node, report| {
        let mut tenants = BTreeMap::new();
        for Entry { key, value, .. } in map(node, hint, report)? {
            tenants.extend(lines(value, report).map(|address| (key.clone(), address)));
        }
        Some(tenants)
    });
    Some(PostalAddress { default, tenants: tenants.unwrap_or_default() })
}

/// The lines of an address, joined into one line.
fn lines(node: &Node, report: &mut Diagnostics<'_>) -> Option<String> {
    let written = text(node, report)?;
    let lines: Vec<&str> = written.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let address = lines.join(", ");
    if address.is_empty()
        || address.chars().count() > MAX_POSTAL_CHARS
        || address.chars().any(char::is_control)
    {
        let fix = format!("write name, street, town and country, up to {MAX_POSTAL_CHARS} characters");
        report.refuse(node.at, "this is no postal address", fix);
        return None;
    }
    Some(address)
}

/// A warning for each commercial rule that sends e-mails without a postal address.
pub(crate) fn warnings(policy: &Policy, drafts: &[Draft<'_>]) -> Vec<Problem> {
    if !policy.email.postal_address.is_empty() {
        return Vec::new();
    }
    let is_concerned = |draft: &&Draft<'_>| {
        draft.channels.contains(&Channel::Email) && draft.rule.as_ref().is_some_and(|rule| rule.commercial)
    };
    let warning = |draft: &Draft<'_>| {
        let what = "commercial e-mails show no postal address of their sender";
        let fix = format!(
            "add `email: {{ postal-address: \"Example GmbH, Hauptstr. 1, 10115 Berlin\" }}` to {POLICY}"
        );
        draft.problem(draft.name_at, what, fix)
    };
    drafts.iter().filter(is_concerned).map(warning).collect()
}

/// Reports settings that conflict within one rule.
pub(crate) fn check(rule: &Rule, members: &[Entry], report: &mut Diagnostics<'_>) {
    let sends_letters = rule.channels().contains(&Channel::Email);
    for key in ["reply-to", "attachments"] {
        if let Some(at) = key_at(members, key).filter(|_| !sends_letters) {
            let fix = "add the channel `email`, or take it out";
            report.refuse(at, format!("`{key}` is for e-mails, and the rule sends none"), fix);
        }
    }
    let Some(at) = key_at(members, "commercial").filter(|_| rule.commercial) else { return };
    if rule.priority == Some(Priority::Critical) {
        let fix = "take `commercial` out, or give it another priority";
        report.refuse(
            at,
            "the rule is commercial and critical, and recipients cannot unsubscribe from critical messages",
            fix,
        );
    }
    let has_addresses = rule.to.iter().any(|selector| match selector {
        Selector::Address { channel, .. } => *channel == Channel::Email,
        Selector::User(_)
        | Selector::Role { .. }
        | Selector::Topic { .. }
        | Selector::Room { .. }
        | Selector::Endpoints(_) => false,
    });
    if sends_letters && has_addresses {
        let fix = "address people: their word is kept with them";
        report.refuse(at, "the rule is commercial, and the owner of a bare address cannot unsubscribe", fix);
    }
}

#[cfg(test)]
mod tests;
