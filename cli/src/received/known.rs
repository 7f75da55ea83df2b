//! Who is known, and what was decided for them and lies in a channel's queue.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::Timestamp;
use domain::channel::Channel;
use domain::event::Event;
use domain::plan::user_name;
use domain::recipient::{Recipient, Recipients, Settings};
use serde_json::json;
use store::{Events, Ledger, People};

use crate::cloud::Cloud;
use crate::deciding::{Told, What};
use crate::error::Error;
use crate::explain::pending::{Decider, is_own, missing};
use crate::terminal::{Ink, Terminal, plain};
use crate::times::utc;

/// How far back events are decided about again.
const LOOKS_BACK: Duration = Duration::from_secs(3_600);

/// How many events are decided about again.
const MAX_EVENTS: usize = 2_000;

/// A message that is decided and has no row yet.
pub(super) struct Pending {
    event: Event,
    told: Told,
}

/// The person with this id; `None` for who is not known, and for rooms and addresses.
pub(super) async fn person(id: &str, cloud: &Cloud) -> Result<Option<Recipient>, Error> {
    let people = People::new(&store::client(&cloud.config), cloud.name("people"));
    let mut found = people.look_up(&BTreeSet::from([id]), &BTreeSet::new()).await?;
    Ok(found.recipients.remove(id))
}

/// What the last hour's events have for this person that no channel has taken up. What cannot be found out is said.
pub(super) async fn pending(
    person: &Recipient,
    since: Timestamp,
    channel: Option<Channel>,
    cloud: &Cloud,
    terminal: &Terminal,
) -> Result<Vec<Pending>, Error> {
    let decider = match Decider::open(None, cloud).await {
        Ok(decider) => decider,
        Err(error) => {
            terminal.note(&format!("messages that wait in a channel's queue are not shown: {error}"));
            return Ok(Vec::new());
        }
    };
    let tables = store::client(&cloud.config);
    let (people, ledger) =
        (People::new(&tables, cloud.name("people")), Ledger::new(&tables, cloud.name("ledger")));
    let now = runtime::now();
    let from = since.max(now.saturating_sub(LOOKS_BACK).unwrap_or(since));
    let mut timeline = Events::new(&tables, cloud.name("events")).timeline_back(from, now);
    let recipients = Recipients::from([(person.id.clone(), person.clone())]);
    let mut tenants: BTreeMap<String, Option<Settings>> = BTreeMap::new();
    let (mut pending, mut looked_at) = (Vec::new(), 0);
    while let Some(dated) = timeline.next_dated().await? {
        let event = dated.event;
        if is_own(&event) {
            continue;
        }
        looked_at += 1;
        if looked_at > MAX_EVENTS {
            terminal.note(&format!(
                "only the newest {MAX_EVENTS} events were looked at for messages that wait in a queue"
            ));
            break;
        }
        let tenant = match &event.tenant {
            Some(id) if !tenants.contains_key(id) => {
                let found = people.look_up(&BTreeSet::new(), &BTreeSet::from([id.as_str()])).await?;
                let settings = found.tenant(Some(id)).cloned();
                tenants.entry(id.clone()).or_insert(settings).as_ref()
            }
            Some(id) => tenants.get(id).and_then(Option::as_ref),
            None => None,
        };
        let told = decider.decide_for_one(&event, dated.recorded_at, &recipients, tenant);
        if !told.iter().any(|told| told.what == What::Send) {
            continue;
        }
        let rows = ledger.of_event(&event.source, &event.id).await?;
        let name = user_name(&person.id);
        let missing = missing(&told, &rows, &event, now).into_iter().filter(|told| {
            told.what == What::Send
                && told.recipient == name
                && (channel.is_none() || told.channel == channel)
        });
        pending.extend(missing.map(|told| Pending { event: event.clone(), told: told.clone() }));
    }
    Ok(pending)
}

pub(super) fn show(pending: &Pending, terminal: &Terminal) {
    let Pending { event, told } = pending;
    if terminal.json {
        return terminal.say_json(&json!({
            "at": told.at, "channel": told.channel, "status": "pending", "rule": told.rule, "step": told.step,
            "event": event.id, "type": event.kind, "source": event.source, "tenant": event.tenant,
            "recipient": told.recipient, "key": told.key,
        }));
    }
    let channel = told.channel.map_or("-", Channel::name);
    let word = terminal.ink(Ink::Note, &format!("{:<11}", "pending"));
    let rule = told.rule.as_deref().unwrap_or("-");
    let text = format!("{channel:<8}  {}  by rule {rule}", event.kind);
    terminal.say(&format!("{}  {word}  {}", terminal.ink(Ink::Quiet, &utc(told.at)), plain(&text)));
    terminal.say(&terminal.ink(Ink::Quiet, "    decided, not taken up yet"));
}

/// Why there is nothing to print.
pub(super) fn nothing(recipient: &str, is_known: bool, since: Timestamp, table: &str) -> String {
    let since = utc(since);
    if is_known {
        return format!("nothing concerned {recipient} since {since}");
    }
    let is_address = recipient.contains('@') || recipient.starts_with('+');
    match is_address {
        true => format!(
            "{recipient} is not known: no person in {table} has this id, and nothing was sent to this address \
             directly since {since}; people are found by the id that events carry, not by their address"
        ),
        false => format!("{recipient} is not known in {table}, and nothing concerned them since {since}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_known_is_called_unknown_and_who_was_not_told_is_not() {
        let since = Timestamp::UNIX_EPOCH;
        for unknown in ["ann", "p1@example.org", "+4915112345678", "no such id"] {
            let said = nothing(unknown, false, since, "carillon-local-people");
            assert!(said.contains("is not known"), "{said}");
        }
        let said = nothing("ann", true, since, "carillon-local-people");
        assert_eq!(said, "nothing concerned ann since 1970-01-01 00:00:00 UTC");
    }
}
