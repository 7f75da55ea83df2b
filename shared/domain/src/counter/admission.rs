//! Several counters asked together: which channels of one step may send, without using up what is not used.

use jiff::Timestamp;

use super::{Limit, Pass, State, States};
use crate::channel::Channel;
use crate::zone::Zone;

/// A counter that a step has to pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Want<'a> {
    /// The counter's key.
    pub id: &'a str,
    pub limit: &'a Limit,
    pub scope: Scope,
    /// What one message counts: 1, or its price.
    pub weight: u64,
}

/// What of a step a counter counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The step as a whole, once, however many channels it has: a throttle. It is asked last.
    Step,
    /// The message on this channel.
    Channel(Channel),
    /// Each message: once for every channel that sends one.
    Message,
}

/// Which channels may send, and what the counters remember if they do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Admission {
    /// In the order in which they were asked for.
    pub granted: Vec<Channel>,
    /// The others, in that order.
    pub refused: Vec<(Channel, Refusal)>,
    /// The counters that change, and only if all of them do: empty when nothing is granted.
    pub next: States,
}

/// The limit that keeps a channel from sending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The limit's name.
    pub limit: String,
    /// When it lets the next one through.
    pub until: Timestamp,
    /// How many have passed.
    pub n: u64,
    /// How many may.
    pub most: u64,
}

/// Asks for each channel the caps that it has to pass, in the order of `channels`, and then for the whole step what is
/// left: a step needs all of its own limits, or nothing is granted.
///
/// A channel that is refused counts nowhere. Where several limits refuse it, the one that does so longest is named. A
/// counter that is not in `states` is a new one.
///
/// Source: semantics 4.2, "The throttle is consumed last".
#[must_use]
pub fn admit(
    states: &States,
    wants: &[Want<'_>],
    channels: &[Channel],
    zone: &Zone,
    now: Timestamp,
) -> Admission {
    let ask = |scopes: &[Scope], next: &States| {
        let wants = wants.iter().filter(|it| scopes.contains(&it.scope));
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

/// All of the counters, or the one that is full for longest. `next` is what has been counted before.
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

/// Nothing is granted: whoever was not refused before is refused now.
fn refuse_all(channels: &[Channel], mut before: Vec<(Channel, Refusal)>, refusal: &Refusal) -> Admission {
    let refused = channels.iter().map(|&channel| {
        let place = before.iter().position(|(it, _)| *it == channel);
        place.map_or_else(|| (channel, refusal.clone()), |it| before.remove(it))
    });
    Admission { granted: Vec::new(), refused: refused.collect(), next: States::new() }
}
