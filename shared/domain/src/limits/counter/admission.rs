//! Evaluation of several counters at once: which channels of one step may send, without using up limits of refused
//! ones.

use jiff::Timestamp;

use super::{Limit, Pass, State, States};
use crate::base::channel::Channel;
use crate::time::zone::Zone;

/// A counter that a step must pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Want<'a> {
    /// The counter's key.
    pub id: &'a str,
    pub limit: &'a Limit,
    pub scope: Scope,
    /// The weight of one message: 1, or its price.
    pub weight: u64,
}

/// The part of a step that a counter counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The whole step, once for all of its channels: a throttle. Throttles are evaluated last.
    Step,
    /// The message on this channel.
    Channel(Channel),
    /// Each message: once for every channel that sends one.
    Message,
}

/// The channels that may send, and the counter states to store if they do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Admission {
    /// In the order of the request.
    pub granted: Vec<Channel>,
    /// The refused channels, in that order.
    pub refused: Vec<(Channel, Refusal)>,
    /// The counters that change. They must be stored all or none. Empty if no channel is granted.
    pub next: States,
}

/// The limit that keeps a channel from sending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The limit's name.
    pub limit: String,
    /// When the limit allows the next pass.
    pub until: Timestamp,
    /// The number of passes so far.
    pub n: u64,
    /// The highest number of passes.
    pub most: u64,
}

/// Evaluates the caps of each channel, in the order of `channels`, and then the throttles of the whole step. If a
/// throttle refuses, no channel is granted.
///
/// A refused channel is not counted anywhere. If several limits refuse it, the one that refuses longest is reported. A
/// counter that is missing in `states` is empty. Throttles come last so that a message blocked by a cap does not use
/// up a throttle.
#[must_use]
pub fn admit(
    states: &States,
    wants: &[Want<'_>],
    channels: &[Channel],
    zone: &Zone,
    now: Timestamp,
) -> Admission {
    let ask = |scopes: &[Scope], next: &States| {
        let wants = wants.iter().filter(|want| scopes.contains(&want.scope));
        together(states, next, wants, zone, now)
    };
    let mut admission = Admission::default();
    for &channel in channels {
        match ask(&[Scope::Channel(channel), Scope::Message], &admission.next) {
            Ok(next) => {
                admission.next = next;
                admission.granted.push(channel);
            }
            Err(refusal) => admission.refused.push((channel, refusal)),
        }
    }
    if admission.granted.is_empty() {
        return admission;
    }
    match ask(&[Scope::Step], &admission.next) {
        Ok(next) => Admission { next, ..admission },
        Err(refusal) => refuse_all(channels, admission.refused, &refusal),
    }
}

/// Passes all of the counters, or returns the limit that blocks longest. `next` holds the states counted before.
fn together<'a>(
    states: &States,
    next: &States,
    wants: impl Iterator<Item = &'a Want<'a>>,
    zone: &Zone,
    now: Timestamp,
) -> Result<States, Refusal> {
    let mut next = next.clone();
    let mut longest: Option<Refusal> = None;
    for Want { id, limit, weight, .. } in wants {
        let before = next.get(*id).or_else(|| states.get(*id));
        match before.unwrap_or(&State::default()).pass_weighing(*weight, limit, zone, now) {
            Pass::Passed { next: state, .. } => {
                next.insert((*id).to_owned(), state);
            }
            Pass::Full { until, n } => {
                if longest.as_ref().is_none_or(|longest| longest.until < until) {
                    longest = Some(Refusal { limit: limit.name().to_owned(), until, n, most: limit.most() });
                }
            }
        }
    }
    longest.map_or(Ok(next), Err)
}

/// Refuses every channel. Channels refused before keep their refusal.
fn refuse_all(channels: &[Channel], mut before: Vec<(Channel, Refusal)>, refusal: &Refusal) -> Admission {
    let refused = channels.iter().map(|&channel| {
        let position = before.iter().position(|(refused, _)| *refused == channel);
        position.map_or_else(|| (channel, refusal.clone()), |index| before.remove(index))
    });
    Admission { granted: Vec::new(), refused: refused.collect(), next: States::new() }
}
