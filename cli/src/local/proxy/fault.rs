//! Which calls something is done to, and what.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::call::Call;

/// A plan of faults: what `PUT /_faults` takes.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plan {
    /// The same seed and the same calls make the same faults.
    #[serde(default)]
    pub(super) seed: u64,
    pub(super) faults: Vec<Fault>,
}

/// What is done to the calls that fit.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fault {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    action: Option<String>,
    /// A function's name without `carillon-local-`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    function: Option<String>,
    /// The call's body has this in it: a queue's name, a table's, a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    contains: Option<String>,
    #[serde(rename = "do")]
    deed: Deed,
    /// So many of those that fit are let through first.
    #[serde(default)]
    skip: u64,
    /// So many at most; without it, all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    times: Option<u64>,
    /// One in so many of those that fit, from 0 to 1.
    #[serde(default = "always")]
    chance: f64,
    /// For `delay`.
    #[serde(default)]
    millis: u64,
    /// How many fitted, and how many it was done to.
    #[serde(default)]
    fitted: u64,
    #[serde(default)]
    done: u64,
}

fn always() -> f64 {
    1.0
}

/// What is done to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Deed {
    /// It goes on later.
    Delay,
    /// It does not get there, and no answer comes.
    Drop,
    /// It gets there, and no answer comes.
    DropReply,
    /// It gets there, and half of the answer comes.
    Truncate,
    /// It gets there twice.
    Duplicate,
    /// It does not get there; the answer is the service's word for too much.
    Throttle,
    /// It does not get there; the answer is 500.
    Error,
    /// It goes on after the next one that fits, or after a second.
    Reorder,
    /// The caller is killed before it gets there.
    KillBefore,
    /// It gets there, and the caller is killed before the answer comes.
    KillAfter,
    /// Of a call that carries several things, every second one does not get there, and the answer says which.
    FailSome,
}

/// What is done to one call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Harm {
    pub(super) deed: Deed,
    /// For `delay`.
    pub(super) millis: u64,
    /// How many calls it was done to before.
    pub(super) turn: u64,
}

impl Plan {
    /// What is done to this call. The first fault that fits and has its turn counts.
    pub(super) fn next(&mut self, call: &Call, body: &[u8]) -> Option<Harm> {
        let seed = self.seed;
        for (at, it) in self.faults.iter_mut().enumerate() {
            if !it.fits(call, body) {
                continue;
            }
            it.fitted += 1;
            let is_over = it.times.is_some_and(|most| it.done >= most);
            if it.fitted <= it.skip || is_over || !chance(seed, at, it.fitted, it.chance) {
                continue;
            }
            it.done += 1;
            return Some(Harm { deed: it.deed, millis: it.millis, turn: it.done - 1 });
        }
        None
    }
}

impl Fault {
    fn fits(&self, call: &Call, body: &[u8]) -> bool {
        let is =
            |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
        is(&self.service, &call.service)
            && is(&self.action, &call.action)
            && self.function.as_deref().is_none_or(|function| call.function.as_deref() == Some(function))
            && self.contains.as_deref().is_none_or(|contains| has(body, contains.as_bytes()))
    }
}

fn has(body: &[u8], part: &[u8]) -> bool {
    part.is_empty() || body.windows(part.len()).any(|pair| pair == part)
}

/// By the seed, the fault and the count alone, so that one seed tells one story.
fn chance(seed: u64, fault: usize, count: u64, share: f64) -> bool {
    let fault = u64::try_from(fault).unwrap_or(u64::MAX);
    let hash = Sha256::digest([seed.to_be_bytes(), fault.to_be_bytes(), count.to_be_bytes()].concat());
    let number = hash.iter().take(4).fold(0_u32, |sum, it| (sum << 8) | u32::from(*it));
    f64::from(number) < share * f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_done_to_those_that_fit_in_their_turn() {
        let text = r#"{"faults":[{"service":"sqs","contains":"email","do":"drop","skip":1,"times":2}]}"#;
        let mut plan: Plan = serde_json::from_str(text).unwrap();
        let deeds: Vec<bool> = (0..5).map(|_| plan.next(&call("sqs"), b"q/email").is_some()).collect();
        assert_eq!(deeds, [false, true, true, false, false]);
        assert!(plan.next(&call("sqs"), b"q/sms").is_none() && plan.next(&call("ses"), b"email").is_none());
    }

    #[test]
    fn one_seed_tells_one_story_and_another_another() {
        let story = |seed: u64| {
            let fault = r#"{"do":"error","chance":0.3}"#;
            let text = format!(r#"{{"seed":{seed},"faults":[{fault}]}}"#);
            let mut plan: Plan = serde_json::from_str(&text).unwrap();
            (0..1_000).map(|_| plan.next(&call("sqs"), b"").is_some()).collect::<Vec<bool>>()
        };
        assert_eq!(story(1), story(1));
        assert_ne!(story(1), story(2));
        let share = story(1).iter().filter(|it| **it).count();
        assert!((250..350).contains(&share), "{share} of 1,000");
    }

    fn call(service: &str) -> Call {
        Call { service: service.into(), action: "A".into(), function: None }
    }
}
