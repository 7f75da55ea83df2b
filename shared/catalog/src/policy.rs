//! `policy.yaml`: the settings for all rules. References to rules are checked in `names`.

use std::collections::{BTreeMap, BTreeSet};

use domain::base::channel::{Channel, OnUnknown};
use domain::base::locale::{DEFAULT, is_tag, normalized};
use domain::catalog::policy::{
    Cap, DEFAULT_CRITICAL_RATE, DEFAULT_RATE, DEFAULT_TENANT_RATE, EmailPolicy, Per, Policy,
};
use domain::catalog::sms_policy::Texting;
use domain::limits::counter::{Limit, MAX_NAME_BYTES, Period};
use domain::recipient::preference::Preferences;
use domain::time::quiet_hours::Windows;
use domain::time::zone::Zone;
use serde_json::{Value, json};

use crate::aliases;
use crate::audience::{is_plain, plain_name};
use crate::broadcast;
use crate::email;
use crate::problem::{At, Diagnostics, POLICY, Problem};
use crate::producers;
use crate::rule::is_kebab;
use crate::sms_policy;
use crate::values::{Fields, check_keys, find, flag, key_at, list, map, number, text, typed, word};
use crate::yaml::{self, Entry, Kind, Node};

mod rates;

pub(crate) const KEYS: [&str; 16] = [
    "zone",
    "locale",
    "quiet",
    "rate",
    "week-starts",
    "caps",
    "unknown",
    "sms",
    "spend",
    "preferences",
    "email",
    "roles",
    "topics",
    "producers",
    "aliases",
    "broadcast",
];

const CAP_KEYS: [&str; 9] =
    ["cap", "most", "per", "period", "rolling", "channel", "category", "except", "critical"];

/// The label of a throttle, where a cap has its name.
const THROTTLE: &str = "throttle";

pub(crate) const PER: [(&str, Per); 3] =
    [("recipient", Per::Recipient), ("tenant", Per::Tenant), ("environment", Per::Environment)];

const CALENDAR: [&str; 4] = ["hour", "day", "week", "month"];

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// The policy, and the places of names that other checks need.
#[derive(Default)]
pub(crate) struct Draft {
    pub(crate) policy: Policy,
    /// Whether the whole file was read, so that missing names are known to be missing.
    pub(crate) is_whole: bool,
    /// The node of the preferences, to find places of errors in it.
    pub(crate) preferences: Option<Node>,
    /// The categories that caps and e-mail settings name.
    pub(crate) categories: Vec<(String, At)>,
    pub(crate) topics: Vec<(String, At)>,
}

/// Reads the file. Without one, the defaults apply.
pub(crate) fn read(text: Option<&str>, problems: &mut Vec<Problem>) -> Draft {
    let Some(text) = text else { return Draft { is_whole: true, ..Draft::default() } };
    let before = problems.len();
    let mut report = Diagnostics { file: POLICY, rule: None, problems };
    let members = yaml::map_of(text, &mut report);
    let is_whole = report.problems.len() == before;
    of_members(members, is_whole, &mut report)
}

/// Reads the members of the file. `is_whole`: every part of it could be read.
pub(crate) fn of_members(mut members: Vec<Entry>, is_whole: bool, report: &mut Diagnostics<'_>) -> Draft {
    check_keys(&members, At { line: 1, column: 1 }, &KEYS, &[], report);
    let mut draft = Draft { is_whole, ..Draft::default() };
    let mut fields = Fields { members: &members, report };
    let zone = fields.read("zone", zone);
    let aliases = fields.read("aliases", aliases::read).unwrap_or_default();
    draft.policy = Policy {
        zone: zone.unwrap_or_else(Zone::utc),
        locale: fields.read("locale", locale).unwrap_or_else(|| DEFAULT.to_owned()),
        quiet: fields.read("quiet", |node, report| typed::<Windows>(node, "quiet", report)),
        rate: DEFAULT_RATE,
        tenant_rate: DEFAULT_TENANT_RATE,
        critical_rate: DEFAULT_CRITICAL_RATE,
        caps: Vec::new(),
        unknown: BTreeMap::new(),
        texting: Texting::default(),
        preferences: fields
            .read("preferences", |node, report| typed::<Preferences>(node, "preferences", report)),
        email: EmailPolicy::default(),
        roles: fields.read("roles", roles).unwrap_or_default(),
        topics: BTreeMap::new(),
        producers: fields.read("producers", producers::read).unwrap_or_default().with_aliases(aliases),
        broadcast: fields.read("broadcast", broadcast::policy).unwrap_or_default(),
    };
    if let Some(rates) = fields.read("rate", rates::read) {
        let policy = &mut draft.policy;
        policy.rate = rates.per_source.unwrap_or(policy.rate);
        policy.tenant_rate = rates.per_tenant.unwrap_or(policy.tenant_rate);
        policy.critical_rate = rates.critical.unwrap_or(policy.critical_rate);
    }
    let starts =
        fields.read("week-starts", |node, report| word(node, "day", &DAYS.map(|day| (day, day)), report));
    let caps = fields.read("caps", |node, report| caps(node, starts.unwrap_or("mon"), report));
    (draft.policy.caps, draft.categories) = caps.unwrap_or_default();
    if let Some((email, categories)) = fields.read("email", email::policy) {
        draft.policy.email = email;
        draft.categories.extend(categories);
    }
    let mut named = Vec::new();
    let texting = fields.read("sms", |node, report| sms_policy::sms(node, &mut named, report));
    draft.policy.texting = texting.unwrap_or_default();
    let prices = draft.policy.texting.prices.clone();
    let budget = |node: &Node, report: &mut Diagnostics<'_>| {
        sms_policy::spend(node, prices.as_ref(), &mut named, report)
    };
    draft.policy.texting.budget = fields.read("spend", budget);
    draft.categories.append(&mut named);
    (draft.policy.topics, draft.topics) = fields.read("topics", topics).unwrap_or_default();
    draft.policy.unknown = fields
        .read("unknown", |node, report| unknown(node, &mut draft.categories, report))
        .unwrap_or_default();
    let preferences = members.iter().position(|member| member.key == "preferences");
    draft.preferences = preferences.map(|at| members.swap_remove(at).value);
    draft
}

/// Reads the policy for unknown outcomes: `hold` or `resend`, by category or channel.
fn unknown(
    node: &Node,
    categories: &mut Vec<(String, At)>,
    report: &mut Diagnostics<'_>,
) -> Option<BTreeMap<String, OnUnknown>> {
    let words = [("hold", OnUnknown::Hold), ("resend", OnUnknown::Resend)];
    let mut found = BTreeMap::new();
    for Entry { key, at, value } in map(node, "{ emergency: resend }", report)? {
        if Channel::from_name(key).is_none() {
            categories.push((key.clone(), *at));
        }
        found.extend(
            word(value, "word for what got no answer", &words, report).map(|word| (key.clone(), word)),
        );
    }
    Some(found)
}

fn zone(node: &Node, report: &mut Diagnostics<'_>) -> Option<Zone> {
    let name = text(node, report)?;
    match Zone::parse(&name) {
        Ok(zone) => Some(zone),
        Err(error) => {
            let what = format!("{} is no IANA time zone", error.found);
            report.refuse(node.at, what, format!("write {}", error.wanted));
            None
        }
    }
}

/// Reads the default language, for recipients without a language of their own.
fn locale(node: &Node, report: &mut Diagnostics<'_>) -> Option<String> {
    let tag = text(node, report)?;
    match normalized(&tag).filter(|tag| is_tag(tag)) {
        Some(spelt) if spelt == tag => Some(tag),
        Some(spelt) => {
            report.refuse(
                node.at,
                format!("`{tag}` is not how a locale is written"),
                format!("write `{spelt}`"),
            );
            None
        }
        None => {
            let fix = "write a language tag, such as `de` or `pt-BR`";
            report.refuse(node.at, format!("`{tag}` is no language"), fix);
            None
        }
    }
}

fn roles(node: &Node, report: &mut Diagnostics<'_>) -> Option<BTreeSet<String>> {
    let mut roles = BTreeSet::new();
    for node in list(node, report)? {
        let Some(name) = plain_name(node, "role", report) else { continue };
        if roles.contains(&name) {
            report.refuse(node.at, format!("the role `{name}` stands here twice"), "take one out");
        }
        roles.insert(name);
    }
    Some(roles)
}

type Topics = (BTreeMap<String, Vec<String>>, Vec<(String, At)>);

fn topics(node: &Node, report: &mut Diagnostics<'_>) -> Option<Topics> {
    let mut topics = BTreeMap::new();
    let mut places = Vec::new();
    for Entry { key, at, value } in map(node, "{ family: [carers, relatives] }", report)? {
        if !is_plain(key) {
            let fix = "use letters, digits, `-` and `_`; put values of the event into a key of their own";
            report.refuse(*at, format!("`{key}` is no name for a topic"), fix);
            continue;
        }
        let mut included = Vec::new();
        if !matches!(value.kind, Kind::Null) {
            for node in list(value, report).unwrap_or_default() {
                let Some(name) = text(node, report) else { continue };
                let (first, rest) = name.split_once(':').unwrap_or((&name, "-"));
                if !is_plain(first) || rest.is_empty() {
                    let fix = "write the name of a topic, or one topic as `<name>:<value>`";
                    report.refuse(node.at, format!("`{name}` is no topic"), fix);
                } else if included.contains(&name) {
                    report.refuse(node.at, format!("the topic `{name}` stands here twice"), "take one out");
                } else {
                    included.push(name);
                }
            }
        }
        places.push((key.clone(), *at));
        topics.insert(key.clone(), included);
    }
    Some((topics, places))
}

type Caps = (Vec<Cap>, Vec<(String, At)>);

fn caps(node: &Node, week_starts: &str, report: &mut Diagnostics<'_>) -> Option<Caps> {
    let mut caps: Vec<Cap> = Vec::new();
    let mut categories = Vec::new();
    for node in list(node, report)? {
        let Some(members) = map(node, "- cap: <name>", report) else { continue };
        let Some(cap) = cap(members, node.at, week_starts, &mut categories, report) else { continue };
        if caps.iter().any(|other| other.limit.name() == cap.limit.name()) {
            let at = find(members, "cap").map_or(node.at, |node| node.at);
            let what = format!("there is a cap `{}` already", cap.limit.name());
            report.refuse(at, what, "give one of them another name");
        }
        caps.push(cap);
    }
    Some((caps, categories))
}

fn cap(
    members: &[Entry],
    at: At,
    week_starts: &str,
    categories: &mut Vec<(String, At)>,
    report: &mut Diagnostics<'_>,
) -> Option<Cap> {
    check_keys(members, at, &CAP_KEYS, &["cap", "most", "per"], report);
    let channels = Channel::ALL.map(|all| (all.name(), all));
    let mut fields = Fields { members, report };
    let name = fields.read("cap", cap_name);
    let most = fields.read("most", |node, report| number(node, 1, u32::MAX, report));
    let per = fields.read("per", |node, report| word(node, "value for `per`", &PER, report));
    let channel = fields.read("channel", |node, report| word(node, "channel", &channels, report));
    let mut except = BTreeSet::new();
    for node in fields.read("except", list).unwrap_or_default() {
        except.extend(category(node, categories, fields.report));
    }
    let category = fields.read("category", |node, report| category(node, categories, report));
    let critical = fields.read("critical", flag).unwrap_or_default();
    let period = period(&mut fields, at, week_starts);
    let (name, most, period) = (name?, most?, period?);
    match Limit::new(&name, u64::from(most), period, true) {
        Ok(limit) => Some(Cap { limit, per: per?, channel, category, except, critical }),
        Err(error) => {
            let at = find(members, &error.at).map_or(at, |node| node.at);
            let what = format!("`{}` cannot be {} over a period that rolls", error.at, error.found);
            fields.report.refuse(at, what, format!("write {}", error.wanted));
            None
        }
    }
}

fn cap_name(node: &Node, report: &mut Diagnostics<'_>) -> Option<String> {
    let name = text(node, report)?;
    if name == THROTTLE {
        report.refuse(
            node.at,
            format!("`{name}` is what the throttles of rules are called"),
            "write another name",
        );
        return None;
    }
    if is_kebab(&name) && name.len() <= MAX_NAME_BYTES {
        return Some(name);
    }
    let fix = format!("use small letters, digits and single dashes, at most {MAX_NAME_BYTES}: `daily-email`");
    report.refuse(node.at, format!("`{name}` is no name for a cap"), fix);
    None
}

pub(crate) fn category(
    node: &Node,
    categories: &mut Vec<(String, At)>,
    report: &mut Diagnostics<'_>,
) -> Option<String> {
    let name = text(node, report)?;
    categories.push((name.clone(), node.at));
    Some(name)
}

/// Reads `period: day`, `period: 10m` or `rolling: 24h`. The domain has its own form.
fn period(fields: &mut Fields<'_, '_, '_>, at: At, week_starts: &str) -> Option<Period> {
    let fix =
        "write `period: hour`, `day`, `week` or `month`, a length such as `period: 10m`, or `rolling: 24h`";
    match (find(fields.members, "period"), find(fields.members, "rolling")) {
        (Some(node), None) => {
            let word = match &node.kind {
                Kind::Text(text) if CALENDAR.contains(&text.as_str()) => text.as_str(),
                Kind::Map(members) if find(members, "rolling").is_some() => {
                    return typed_as(node, "", node.to_json(), fix, fields.report);
                }
                Kind::Null
                | Kind::Bool(_)
                | Kind::Number(_)
                | Kind::Text(_)
                | Kind::List(_)
                | Kind::Map(_) => {
                    return typed_as(node, "fixed", json!({ "fixed": node.to_json() }), fix, fields.report);
                }
            };
            let written = match word {
                "week" => json!({ "calendar": word, "week_starts": week_starts }),
                _ => json!({ "calendar": word }),
            };
            typed_as(node, "calendar", written, fix, fields.report)
        }
        (None, Some(node)) => {
            typed_as(node, "rolling", json!({ "rolling": node.to_json() }), fix, fields.report)
        }
        (Some(_), Some(_)) => {
            let at = key_at(fields.members, "rolling").unwrap_or(at);
            fields.report.refuse(at, "the cap has both `period` and `rolling`", "take one out");
            None
        }
        (None, None) => {
            fields.report.refuse(at, "the cap has no period", fix);
            None
        }
    }
}

/// A period in the domain's form. `member` is the domain's name of the setting.
fn typed_as(
    node: &Node,
    member: &str,
    written: Value,
    fix: &str,
    report: &mut Diagnostics<'_>,
) -> Option<Period> {
    match Period::try_from(written) {
        Ok(period) => Some(period),
        Err(error) => {
            let at = error.at.strip_prefix(member).map_or("", |rest| rest.trim_start_matches('.'));
            let what = format!("the period cannot be read: found {}", error.found);
            report.refuse(node.place(at), what, fix);
            None
        }
    }
}

#[cfg(test)]
mod tests;
