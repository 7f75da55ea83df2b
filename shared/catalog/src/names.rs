//! Checks references between files: roles, topics, rules, categories and channels.

use std::collections::{BTreeMap, BTreeSet};

use domain::base::channel::Channel;
use domain::recipient::preference::{Kind, Known};

use crate::audience::Named;
use crate::policy;
use crate::problem::{POLICY, Problem};
use crate::rule::Draft;
use crate::suggestions::nearest;

/// Checks the names in rules and policy against each other.
pub(crate) fn check(policy: &policy::Draft, drafts: &[Draft<'_>], problems: &mut Vec<Problem>) {
    let topics = topics(&policy.policy.topics);
    for draft in drafts.iter().filter(|_| policy.is_whole) {
        for mention in &draft.mentions {
            let (what, key, known) = match mention.kind {
                Named::Role => ("role", "roles", policy.policy.roles.iter().map(String::as_str).collect()),
                Named::Topic => ("topic", "topics", topics.clone()),
            };
            if !known.contains(mention.name.as_str()) {
                let fix = match nearest(&mention.name, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("add it to `{key}` in {POLICY}"),
                };
                problems.push(draft.problem(mention.at, format!("unknown {what} `{}`", mention.name), fix));
            }
        }
    }
    circles(policy, problems);
    let categories: BTreeSet<String> = drafts.iter().filter_map(|draft| draft.category.clone()).collect();
    for (name, at) in policy.categories.iter().filter(|(name, _)| !categories.contains(name)) {
        let what = format!("no rule has the category `{name}`");
        problems.push(Problem::at(POLICY, *at, what, meant(name, &categories, "category")));
    }
    preferences(policy, drafts, &categories, problems);
}

/// All known topics: those that include others, and those that are included.
fn topics(topics: &BTreeMap<String, Vec<String>>) -> BTreeSet<&str> {
    let included = topics.values().flatten().map(|topic| name_of(topic));
    topics.keys().map(String::as_str).chain(included).collect()
}

fn name_of(topic: &str) -> &str {
    topic.split_once(':').map_or(topic, |(name, _)| name)
}

/// Reports topics that include themselves, directly or through others. Each cycle is reported once, at its first
/// topic.
fn circles(policy: &policy::Draft, problems: &mut Vec<Problem>) {
    let mut message: BTreeSet<BTreeSet<&str>> = BTreeSet::new();
    for (start, at) in &policy.topics {
        let Some(circle) = circle(&policy.policy.topics, start) else { continue };
        if message.insert(circle.iter().copied().collect()) {
            let steps: Vec<String> = circle.iter().map(|topic| format!("`{topic}`")).collect();
            let what = format!("the topic `{start}` includes itself: {}", steps.join(" → "));
            problems.push(Problem::at(POLICY, *at, what, "take one of them out of the other's list"));
        }
    }
}

/// The shortest cycle from a topic back to itself.
fn circle<'t>(topics: &'t BTreeMap<String, Vec<String>>, start: &'t str) -> Option<Vec<&'t str>> {
    let mut from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut waiting = vec![start];
    let mut next = 0;
    while let Some(topic) = waiting.get(next).copied() {
        next += 1;
        for included in topics.get(topic).into_iter().flatten().map(|topic| name_of(topic)) {
            if included == start {
                let mut way = vec![start, topic];
                while let Some(before) =
                    way.last().filter(|topic| **topic != start).and_then(|topic| from.get(topic))
                {
                    way.push(before);
                }
                way.reverse();
                return Some(way);
            }
            if let std::collections::btree_map::Entry::Vacant(place) = from.entry(included) {
                place.insert(topic);
                waiting.push(included);
            }
        }
    }
    None
}

/// Checks the names in the environment's preferences.
fn preferences(
    policy: &policy::Draft,
    drafts: &[Draft<'_>],
    categories: &BTreeSet<String>,
    problems: &mut Vec<Problem>,
) {
    let (Some(set), Some(node)) = (&policy.policy.preferences, &policy.preferences) else { return };
    let rules: BTreeSet<String> = drafts.iter().filter_map(|draft| draft.name.clone()).collect();
    let channel_types: BTreeSet<String> =
        Channel::ALL.iter().map(|channel| channel.name().to_owned()).collect();
    let channels = BTreeSet::new();
    let known = Known { rules: &rules, categories, channel_types: &channel_types, channels: &channels };
    for unknown in set.unknown_names(known) {
        let (what, names) = match unknown.kind {
            Kind::Rule => ("rule", &rules),
            Kind::Category => ("category", categories),
            Kind::ChannelType | Kind::Channel => ("channel", &channel_types),
        };
        let fix = meant(&unknown.name, names, what);
        let what = match unknown.kind {
            Kind::Category => format!("no rule has the category `{}`", unknown.name),
            Kind::Rule | Kind::ChannelType | Kind::Channel => {
                format!("there is no {what} `{}`", unknown.name)
            }
        };
        problems.push(Problem::at(POLICY, node.place(&unknown.place), what, fix));
    }
}

fn meant(name: &str, known: &BTreeSet<String>, what: &str) -> String {
    match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("take it out, or write the name of a {what} that there is"),
    }
}

#[cfg(test)]
mod tests;
