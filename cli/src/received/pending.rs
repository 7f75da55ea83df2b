//! Messages for a recipient that are decided and still wait in a channel's queue.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::Timestamp;
use domain::base::channel::Channel;
use domain::decide::plan::user_name;
use domain::event::Event;
use domain::recipient::{Recipient, Recipients, Settings};
use serde_json::json;
use store::{Events, Ledger, People};

use crate::cloud::Cloud;
use crate::deciding::{PreviewedDecision, PreviewedOutcome};
use crate::error::Error;
use crate::explain::pending::{Decider, is_own, missing};
use crate::terminal::{Cell, Ink, Table, Terminal};
use crate::times::utc;

/// The age limit of the events.
const RANGE: Duration = Duration::from_secs(3_600);

/// The most events.
const MAX_EVENTS: usize = 2_000;

/// A decided message without a ledger row.
pub(super) struct Pending {
    event: Event,
    previewed: PreviewedDecision,
}

/// The person with this id; `None` for unknown ids, rooms and addresses.
pub(super) async fn person(id: &str, cloud: &Cloud) -> Result<Option<Recipient>, Error> {
    let people = People::new(&store::client(&cloud.config), cloud.name("people"));
    let mut found = people.look_up(&BTreeSet::from([id]), &BTreeSet::new()).await?;
    Ok(found.recipients.remove(id))
}

/// Finds the pending messages of the last hour. A note tells what could not be read.
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
    let from = since.max(now.saturating_sub(RANGE).unwrap_or(since));
    let mut timeline = Events::new(&tables, cloud.name("events")).timeline_back(from, now);
    let recipients = Recipients::from([(person.id.clone(), person.clone())]);
    let mut tenants: BTreeMap<String, Option<Settings>> = BTreeMap::new();
    let (mut pending, mut count) = (Vec::new(), 0);
    while let Some(dated) = timeline.next_dated().await? {
        let event = dated.event;
        if is_own(&event) {
            continue;
        }
        count += 1;
        if count > MAX_EVENTS {
            terminal.note(&format!(
                "only the newest {MAX_EVENTS} events were searched for messages that wait in a queue"
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
        let previewed = decider.decide_for_one(&event, dated.recorded_at, &recipients, tenant);
        if !previewed.iter().any(|previewed| previewed.what == PreviewedOutcome::Send) {
            continue;
        }
        let rows = ledger.of_event(&event.source, &event.id).await?;
        let name = user_name(&person.id);
        let missing = missing(&previewed, &rows, &event, now).into_iter().filter(|previewed| {
            previewed.what == PreviewedOutcome::Send
                && previewed.recipient == name
                && (channel.is_none() || previewed.channel == channel)
        });
        pending
            .extend(missing.map(|previewed| Pending { event: event.clone(), previewed: previewed.clone() }));
    }
    Ok(pending)
}

pub(super) fn show(pending: &Pending, table: &mut Table, terminal: &Terminal) {
    let Pending { event, previewed } = pending;
    if terminal.json {
        return terminal.say_json(&json!({
            "at": previewed.at, "channel": previewed.channel, "status": "pending", "rule": previewed.rule, "step": previewed.step,
            "event": event.id, "type": event.kind, "source": event.source, "tenant": event.tenant,
            "recipient": previewed.recipient, "key": previewed.key,
        }));
    }
    let channel = previewed.channel.map_or("-", Channel::name);
    let [status, channel] = super::status_cells(Ink::Note, "pending", channel);
    let rule = previewed.rule.as_deref().unwrap_or("-");
    let time = Cell::ink(Ink::Quiet, utc(previewed.at));
    table.row([time, status, channel, (&event.kind).into(), rule.into(), "".into()]);
    table.note(Cell::ink(Ink::Quiet, "decided, waiting in the queue"));
}

/// The note about a recipient without messages.
pub(super) fn empty_note(recipient: &str, is_known: bool, since: Timestamp, table: &str) -> String {
    let since = utc(since);
    if is_known {
        return format!("{recipient} has no notifications since {since}");
    }
    let is_address = recipient.contains('@') || recipient.starts_with('+');
    match is_address {
        true => format!(
            "{recipient} is not known: no person in {table} has this id, and no message was sent to this address \
             directly since {since}; name people by their id, not by their address"
        ),
        false => format!("{recipient} is not known in {table}, and has no notifications since {since}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn note_tells_unknown_recipients_from_recipients_without_messages() {
        let since = Timestamp::UNIX_EPOCH;
        for unknown in ["ann", "p1@example.org", "+4915112345678", "no such id"] {
            let note = empty_note(unknown, false, since, "carillon-local-people");
            assert!(note.contains("is not known"), "{note}");
        }
        let note = empty_note("ann", true, since, "carillon-local-people");
        assert_eq!(note, "ann has no notifications since 1970-01-01 00:00:00 UTC");
    }
}
