//! Faults: their matching calls and their effects.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::call::Call;

/// A plan of faults, the body of `PUT /_faults`.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plan {
    /// The seed of the random choices. The same seed and calls give the same faults.
    #[serde(default)]
    pub(super) seed: u64,
    pub(super) faults: Vec<Fault>,
}

/// A fault for matching calls.
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
    /// A text in the call's body: the name of a queue or table, or a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    contains: Option<String>,
    #[serde(rename = "do")]
    deed: Deed,
    /// The number of matching calls that pass first.
    #[serde(default)]
    skip: u64,
    /// The most calls with this fault; `None` for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    times: Option<u64>,
    /// The share of matching calls with this fault, from 0 to 1.
    #[serde(default = "always")]
    chance: f64,
    /// The delay of `delay`, in milliseconds.
    #[serde(default)]
    millis: u64,
    /// The number of matching calls.
    #[serde(default)]
    fitted: u64,
    /// The number of calls with this fault.
    #[serde(default)]
    done: u64,
}

fn always() -> f64 {
    1.0
}

/// The effect of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Deed {
    /// The call is forwarded later.
    Delay,
    /// The call is not forwarded, and the connection closes.
    Drop,
    /// The call is forwarded, and the connection closes.
    DropReply,
    /// The call is forwarded, and the caller gets half of the answer.
    Truncate,
    /// The call is forwarded twice.
    Duplicate,
    /// The call is not forwarded. The answer is the service's throttling error.
    Throttle,
    /// The call is not forwarded. The answer is 500.
    Error,
    /// The call is forwarded after the next call, or after a second.
    Reorder,
    /// The caller is killed, and the call is not forwarded.
    KillBefore,
    /// The call is forwarded, and the caller is killed before the answer.
    KillAfter,
    /// Every second entry of a batch call is not forwarded, and the answer reports these as failed.
    FailSome,
}

/// The fault of one call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Harm {
    pub(super) deed: Deed,
    /// The delay of `delay`, in milliseconds.
    pub(super) millis: u64,
    /// The number of earlier calls with this fault.
    pub(super) turn: u64,
}

impl Plan {
    /// The fault of this call: the first matching one whose turn it is.
    pub(super) fn next(&mut self, call: &Call, body: &[u8]) -> Option<Harm> {
        let seed = self.seed;
        for (index, fault) in self.faults.iter_mut().enumerate() {
            if !fault.matches(call, body) {
                continue;
            }
            fault.fitted += 1;
            let is_over = fault.times.is_some_and(|most| fault.done >= most);
            if fault.fitted <= fault.skip || is_over || !chance(seed, index, fault.fitted, fault.chance) {
                continue;
            }
            fault.done += 1;
            return Some(Harm { deed: fault.deed, millis: fault.millis, turn: fault.done - 1 });
        }
        None
    }
}

impl Fault {
    fn matches(&self, call: &Call, body: &[u8]) -> bool {
        let is =
            |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
        is(&self.service, &call.service)
            && is(&self.action, &call.action)
            && self.function.as_deref().is_none_or(|function| call.function.as_deref() == Some(function))
            && self.contains.as_deref().is_none_or(|part| contains(body, part.as_bytes()))
    }
}

fn contains(body: &[u8], part: &[u8]) -> bool {
    part.is_empty() || body.windows(part.len()).any(|window| window == part)
}

/// A random choice that depends on seed, fault and count only.
fn chance(seed: u64, fault: usize, count: u64, share: f64) -> bool {
    let fault = u64::try_from(fault).unwrap_or(u64::MAX);
    let hash = Sha256::digest([seed.to_be_bytes(), fault.to_be_bytes(), count.to_be_bytes()].concat());
    let number = hash.iter().take(4).fold(0_u32, |sum, byte| (sum << 8) | u32::from(*byte));
    f64::from(number) < share * f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_applies_to_matching_calls_after_skip_up_to_times() {
        let text = r#"{"faults":[{"service":"sqs","contains":"email","do":"drop","skip":1,"times":2}]}"#;
        let mut plan: Plan = serde_json::from_str(text).unwrap();
        let deeds: Vec<bool> = (0..5).map(|_| plan.next(&call("sqs"), b"q/email").is_some()).collect();
        assert_eq!(deeds, [false, true, true, false, false]);
        assert!(plan.next(&call("sqs"), b"q/sms").is_none() && plan.next(&call("ses"), b"email").is_none());
    }

    #[test]
    fn same_seed_gives_same_faults() {
        let run = |seed: u64| {
            let fault = r#"{"do":"error","chance":0.3}"#;
            let text = format!(r#"{{"seed":{seed},"faults":[{fault}]}}"#);
            let mut plan: Plan = serde_json::from_str(&text).unwrap();
            (0..1_000).map(|_| plan.next(&call("sqs"), b"").is_some()).collect::<Vec<bool>>()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
        let share = run(1).iter().filter(|is_fault| **is_fault).count();
        assert!((250..350).contains(&share), "{share} of 1,000");
    }

    fn call(service: &str) -> Call {
        Call { service: service.into(), action: "A".into(), function: None }
    }
}
