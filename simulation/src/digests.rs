//! The invariants of digests, checked on the messages that dispatch makes and providers accept.
//!
//! A message of a digest lists the ids of its events. So the checks read what a recipient reads.

use std::collections::{BTreeMap, BTreeSet};

use domain::Timestamp;
use domain::base::channel::Channel;
use domain::base::outcome::Status;
use domain::delivery::job::{Content, Job};
use domain::event::key::{Key, event_part};
use domain::event::own_events::DIGEST_SOURCE;
use store::Item;

use crate::world::World;

/// The messages of digests.
#[derive(Default)]
pub(crate) struct Digests {
    /// The events that the jobs of a window list.
    listed: BTreeMap<String, BTreeSet<String>>,
    /// The notification that told a recipient about an event, by rule, recipient, channel and event.
    told: BTreeMap<(String, String, Channel, String), Key>,
}

impl Digests {
    /// Records the job of a digest, and returns its events.
    pub(crate) fn ordered(&mut self, job: &Job) -> Result<Vec<String>, String> {
        let Some((total, events)) = read(job) else { return Ok(Vec::new()) };
        let listed = self.listed.entry(job.event.id.clone()).or_default();
        listed.extend(events.iter().cloned());
        if total != events.len() {
            return Err(format!("{} counts {total} events and lists {}", job.key.as_str(), events.len()));
        }
        Ok(events)
    }

    /// Records that a provider accepted a digest. An event is told in one notification of a channel.
    pub(crate) fn sent(&mut self, job: &Job) -> Result<(), String> {
        let Some((_, events)) = read(job) else { return Ok(()) };
        for event in events {
            let (rule, recipient) = (job.rule.clone(), job.recipient.clone());
            let place = (rule, recipient, job.content.channel(), event.clone());
            let first = self.told.entry(place).or_insert_with(|| job.key.clone());
            if *first != job.key {
                return Err(format!(
                    "{event} is told in two digests: {} and {}",
                    first.as_str(),
                    job.key.as_str()
                ));
            }
        }
        Ok(())
    }
}

/// The total and the events that a digest's message names. `None` for other messages.
fn read(job: &Job) -> Option<(usize, Vec<String>)> {
    if job.event.source != DIGEST_SOURCE {
        return None;
    }
    let text = match &job.content {
        Content::Email(email) => &email.text,
        Content::Push(push) => &push.body,
        Content::Sms(_)
        | Content::Whatsapp(_)
        | Content::Socket(_)
        | Content::Webhook(_)
        | Content::Broadcast(_)
        | Content::Message(_) => return None,
    };
    let mut words = text.expose().split_whitespace();
    let total = words.next()?.parse().ok()?;
    Some((total, words.map(str::to_owned).collect()))
}

/// Checks a job of a digest: its counts, and that it lists no event whose cancellation was written before dispatch began
/// to decide.
pub(crate) fn check_job(world: &World, job: &Job, began: Timestamp) {
    let listed = world.check.borrow_mut().digests.ordered(job);
    let events = listed.unwrap_or_else(|violation| {
        world.check.borrow_mut().violated(violation);
        Vec::new()
    });
    for event in events {
        if cancelled_at(world, &job.event.id, &event).is_some_and(|written| written < began) {
            let said = format!("{} lists {event}, which was cancelled", job.key.as_str());
            world.check.borrow_mut().violated(said);
        }
    }
}

/// Checks after a run that every event that joined a window is told, cancelled, or has an outcome with its digest, and
/// that no digest tells of other events.
pub(crate) fn check(world: &World) {
    let ledger = world.ledger.borrow();
    let mut joined: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in ledger.values() {
        if let (Some(window), Some(event)) = (row.get("joined"), row.get("event_id")) {
            joined.entry(window).or_default().insert(event);
        }
    }
    let mut check = world.check.borrow_mut();
    let mut violations = Vec::new();
    for (window, events) in &joined {
        let listed = check.digests.listed.get(*window);
        for event in events {
            let is_notified = listed.is_some_and(|listed| listed.contains(*event));
            if !is_notified
                && cancelled_at(world, window, event).is_none()
                && !has_outcome(ledger.values(), window)
            {
                violations.push(format!("G1: {event} joined {window}, and no digest tells of it"));
            }
        }
    }
    for (window, events) in &check.digests.listed {
        let of_window = joined.get(window.as_str());
        for event in events {
            if !of_window.is_some_and(|joined| joined.contains(event.as_str())) {
                violations.push(format!("{window} tells of {event}, which did not join it"));
            }
        }
    }
    violations.into_iter().for_each(|violation| check.violated(violation));
}

/// The time at which the cancellation of an event of a window was written.
fn cancelled_at(world: &World, window: &str, event: &str) -> Option<Timestamp> {
    let windows = world.windows.borrow();
    let (key, item) = windows.cancel_key(window, event)?;
    let part = event_part(&item.source, &item.id);
    let cancelled = world.cancelled.borrow();
    let (cancellation, written) = cancelled.get(key)?;
    cancellation.takes_back(item.time, &part).then_some(*written)
}

/// Reports whether the notification of a window was not sent, with a reason on record.
fn has_outcome<'a>(mut rows: impl Iterator<Item = &'a Item>, window: &str) -> bool {
    let unsent = [Status::Suppressed.name(), Status::Failed.name()];
    rows.any(|row| {
        row.get("event_id") == Some(window)
            && row.get("reason").is_some()
            && row.get("status").is_some_and(|status| unsent.contains(&status))
    })
}
