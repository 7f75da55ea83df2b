//! `carillon what-if`: decides about past events under other rules.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use domain::Timestamp;
use domain::base::channel::Channel;
use domain::catalog::Catalog;
use domain::event::Event;
use domain::recipient::Group;
use engine::{Engine, Fixtures};
use serde_json::json;
use store::{Events, People};
use templates::Renderer;

use crate::args::{Target, WhatIf};
use crate::cloud::Cloud;
use crate::deciding::{self, PreviewedOutcome, preview};
use crate::error::{Done, Error};
use crate::explain::catalog;
use crate::removed_rules::{self, RemovedRule};
use crate::since::ago;
use crate::status::counted;
use crate::terminal::{Ink, Terminal};

/// The most members of a group that are read. A difference between the rules shows in the first members.
const MAX_MEMBERS: usize = 1_000;

/// The number of members in one request.
const PAGE: u32 = 500;

/// The rule, recipient and channel of a notification.
type Place = (String, String, Channel);

/// One of the two configurations.
struct Side {
    catalog: Catalog,
    renderer: Renderer,
}

/// The differences by rule, channel and person.
#[derive(Default)]
struct Sum {
    events: usize,
    /// Added and removed notifications by rule and channel.
    by_rule: BTreeMap<(String, Channel), (usize, usize)>,
    by_person: BTreeMap<String, (usize, usize)>,
    shown: usize,
}

pub(crate) async fn run(args: &WhatIf, target: &Target, terminal: &Terminal) -> Done {
    let (before, after) = (catalog(&args.against)?, catalog(&args.config)?);
    let from = ago(&args.since)?;
    let cloud = Cloud::of(target).await?;
    // Suppressions name addresses by the stack's hashes.
    let hashes = cloud.hashes().await?;
    let (before, after) = (Side::of(before.with_hashes(hashes.clone())), Side::of(after.with_hashes(hashes)));
    let tables = store::client(&cloud.config);
    let events = Events::new(&tables, cloud.name("events"));
    let people = People::new(&tables, cloud.name("people"));
    let mut sum = Sum::default();
    let mut start = None;
    loop {
        let page = events.between(from, runtime::now(), start).await?;
        for (event, recorded_at) in &page.events {
            // Dispatch does not receive Carillon's own events, so they need no decision.
            if event.kind.starts_with("carillon.") {
                continue;
            }
            compare(event, *recorded_at, &before, &after, &people, args, &mut sum, terminal).await?;
        }
        terminal.progress(&format!("{} events …", sum.events));
        start = page.next;
        if start.is_none() {
            break;
        }
    }
    terminal.clear();
    let removed = removed_rules::rules(&before.catalog, &after.catalog);
    if !terminal.json {
        removed_rules::warn(&removed, terminal);
    }
    total(&sum, &before.catalog, &after.catalog, &removed, args, terminal);
    Ok(true)
}

impl Side {
    fn of(catalog: Catalog) -> Side {
        Side { renderer: Renderer::new(&catalog), catalog }
    }
}

#[expect(clippy::too_many_arguments, reason = "two catalogs, one event, and where the answer goes")]
async fn compare(
    event: &Event,
    at: Timestamp,
    before: &Side,
    after: &Side,
    people: &People,
    args: &WhatIf,
    sum: &mut Sum,
    terminal: &Terminal,
) -> Result<(), Error> {
    // Each catalog completes the recorded event with the type and tenant of its own policy.
    let seen = |side: &Side| side.catalog.policy().producers.completed(event.clone());
    let (of_before, of_after) = (seen(before), seen(after));
    let each = [(before, &of_before), (after, &of_after)];
    let mut members: BTreeMap<Group, Vec<String>> = BTreeMap::new();
    for group in each.into_iter().flat_map(|(side, event)| deciding::groups(event, &side.catalog)) {
        if let Entry::Vacant(place) = members.entry(group) {
            let found = all(people, place.key()).await?;
            place.insert(found);
        }
    }
    let members = |group: &Group| members.get(group).cloned().unwrap_or_default();
    let ids: BTreeSet<String> =
        each.into_iter().flat_map(|(side, event)| deciding::people(event, &side.catalog, &members)).collect();
    let ids: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
    let tenants: BTreeSet<&str> = each.iter().filter_map(|(_, event)| event.tenant.as_deref()).collect();
    let found = people.look_up(&ids, &tenants).await?;
    let places = |side: &Side, event: &Event| -> BTreeSet<Place> {
        let tenant = found.tenant(event.tenant.as_deref());
        let facts = Fixtures { tenant, members: Some(&members), ..Fixtures::of(&found.recipients) };
        let previewed = preview(event, &Engine::unpaged(&side.catalog, &side.renderer, &facts), at)
            .into_iter()
            .filter(|it| it.what == PreviewedOutcome::Send);
        previewed.filter_map(|it| Some((it.rule?, it.recipient, it.channel?))).collect()
    };
    let (old, new) = (places(before, &of_before), places(after, &of_after));
    sum.events += 1;
    for (gained, list) in [(true, new.difference(&old)), (false, old.difference(&new))] {
        for place in list {
            count(sum, place, gained);
            if sum.shown < args.show {
                sum.shown += 1;
                tell(event, place, gained, terminal);
            }
        }
    }
    Ok(())
}

fn count(sum: &mut Sum, (rule, recipient, channel): &Place, gained: bool) {
    let of_rule = sum.by_rule.entry((rule.clone(), *channel)).or_default();
    let of_person = sum.by_person.entry(recipient.clone()).or_default();
    for it in [of_rule, of_person] {
        if gained {
            it.0 += 1;
        } else {
            it.1 += 1;
        }
    }
}

fn tell(event: &Event, (rule, recipient, channel): &Place, gained: bool, terminal: &Terminal) {
    let word = if gained { "more" } else { "less" };
    if terminal.json {
        return terminal.say_json(&json!({
            "change": word, "event": event.id, "type": event.kind, "rule": rule, "recipient": recipient, "channel": channel,
        }));
    }
    let (ink, sign) = if gained { (Ink::Good, "+") } else { (Ink::Bad, "-") };
    let sign = terminal.ink(ink, sign);
    terminal.say(&format!(
        "{sign} {recipient:<24} {:<8} {rule}  {} {}",
        channel.name(),
        event.kind,
        event.id
    ));
}

fn total(
    sum: &Sum,
    before: &Catalog,
    after: &Catalog,
    removed: &[RemovedRule],
    args: &WhatIf,
    terminal: &Terminal,
) {
    let more: usize = sum.by_rule.values().map(|it| it.0).sum();
    let less: usize = sum.by_rule.values().map(|it| it.1).sum();
    if terminal.json {
        let rules: Vec<_> = sum
            .by_rule
            .iter()
            .map(|((rule, channel), (more, less))| json!({"rule": rule, "channel": channel, "more": more, "less": less}))
            .collect();
        return terminal.say_json(&json!({
            "events": sum.events, "since": args.since, "before": before.version(), "after": after.version(),
            "more": more, "less": less, "people": sum.by_person.len(), "rules": rules, "gone": removed,
        }));
    }
    if more + less > sum.shown {
        terminal.say(&terminal.ink(Ink::Quiet, &format!("… and {} more", more + less - sum.shown)));
    }
    for ((rule, channel), (more, less)) in &sum.by_rule {
        terminal.say(&format!("{rule:<32} {:<8} {more:>6} more {less:>6} fewer", channel.name()));
    }
    let (old, new) = (before.version(), after.version());
    terminal.say(&format!(
        "{} of the last {}: {} more, {less} fewer, for {}, under {new} instead of {old}",
        counted(sum.events, "event", "events"),
        args.since,
        counted(more, "message", "messages"),
        counted(sum.by_person.len(), "recipient", "recipients")
    ));
    terminal
        .note("decided as if no limit were full, nobody had seen anything and nothing had been cancelled");
}

async fn all(people: &People, group: &Group) -> Result<Vec<String>, Error> {
    let mut ids = Vec::new();
    let mut start: Option<String> = None;
    while ids.len() < MAX_MEMBERS {
        let page = people.members(group, start.as_deref(), PAGE).await?;
        ids.extend(page.ids);
        start = page.next;
        if start.is_none() {
            break;
        }
    }
    Ok(ids)
}
