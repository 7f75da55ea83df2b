//! Taking back what has not been sent yet.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::key::hash_of;
use crate::keyed_hash::KeyedHashes;

/// Names what one cancellation takes back: everything that a rule still has under way for one thing of one tenant, such
/// as the reminders of one appointment.
///
/// 27 characters of URL-safe base64: 160 bits of an HMAC with the stack's secret. It says nothing about the thing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CancelKey(String);

/// The latest event that cancelled something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancellation {
    /// When that event happened.
    pub at: Timestamp,
    /// That event, as the keys of its notifications begin.
    pub by: String,
}

impl Cancellation {
    /// Whether it takes back what an event asked for: one that happened before it, or at the same time, and is not the
    /// cancelling event itself. An event may take back what came before and announce what comes now.
    #[must_use]
    pub fn takes_back(&self, time: Timestamp, event: &str) -> bool {
        time <= self.at && self.by != event
    }
}

impl CancelKey {
    /// The key of a rule's messages about a thing, which `values` name.
    #[must_use]
    pub fn of(tenant: Option<&str>, rule: &str, values: &[String], hashes: &KeyedHashes) -> CancelKey {
        CancelKey(hashes.cancel(&parts(tenant, rule, values)))
    }

    /// The key of the last release, a plain hash. See [`crate::keyed_hash::former`].
    #[must_use]
    pub fn former(tenant: Option<&str>, rule: &str, values: &[String]) -> CancelKey {
        CancelKey(hash_of(&parts(tenant, rule, values)))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn parts<'a>(tenant: Option<&'a str>, rule: &'a str, values: &'a [String]) -> Vec<&'a str> {
    let whose = [tenant.unwrap_or_default(), rule];
    whose.into_iter().chain(values.iter().map(String::as_str)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_takes_back_what_came_before_it_and_never_itself() {
        let at: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let it = Cancellation { at, by: "moved".to_owned() };
        let second = jiff::SignedDuration::from_secs(1);
        assert!(it.takes_back(at - second, "booked"));
        assert!(it.takes_back(at, "booked"));
        assert!(!it.takes_back(at + second, "booked"));
        assert!(!it.takes_back(at, "moved"));
    }

    #[test]
    fn tenants_rules_and_things_do_not_cancel_each_other() {
        let key = |tenant, rule, values: &[&str]| {
            let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
            CancelKey::of(tenant, rule, &values, &KeyedHashes::development())
        };
        let one = key(Some("clinic-7"), "reminder", &["a-1"]);
        assert_eq!(one, key(Some("clinic-7"), "reminder", &["a-1"]));
        for other in [
            key(Some("clinic-8"), "reminder", &["a-1"]),
            key(None, "reminder", &["a-1"]),
            key(Some("clinic-7"), "remindera", &["-1"]),
            key(Some("clinic-7"), "reminder", &["a", "-1"]),
        ] {
            assert_ne!(one, other);
        }
    }
}
