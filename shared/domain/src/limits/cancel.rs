//! Cancellation of notifications that have not been sent yet.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::key::hash_of;
use crate::recipient::keyed_hash::KeyedHashes;

/// The key of one cancellation. It covers all pending notifications of one rule, tenant and subject, such as the
/// reminders of one appointment.
///
/// 27 characters of URL-safe base64: 160 bits of an HMAC with the stack's secret. The key reveals no event values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CancelKey(String);

/// The latest cancelling event of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancellation {
    /// The time of that event.
    pub at: Timestamp,
    /// The event, as the common prefix of its notification keys.
    pub by: String,
}

impl Cancellation {
    /// Whether the cancellation applies to an event. It applies to events at or before its own time, except to the
    /// cancelling event itself. So one event may cancel earlier notifications and start new ones.
    #[must_use]
    pub fn takes_back(&self, time: Timestamp, event: &str) -> bool {
        time <= self.at && self.by != event
    }
}

impl CancelKey {
    /// The key of a rule's notifications for one subject, which `values` identify.
    #[must_use]
    pub fn of(tenant: Option<&str>, rule: &str, values: &[String], hashes: &KeyedHashes) -> CancelKey {
        CancelKey(hashes.cancel(&parts(tenant, rule, values)))
    }

    /// The key of the last release, a plain hash. See [`crate::recipient::keyed_hash::former`].
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
    let scope = [tenant.unwrap_or_default(), rule];
    scope.into_iter().chain(values.iter().map(String::as_str)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_cancels_earlier_notifications_but_not_its_own() {
        let time: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let cancellation = Cancellation { at: time, by: "moved".to_owned() };
        let second = jiff::SignedDuration::from_secs(1);
        assert!(cancellation.takes_back(time - second, "booked"));
        assert!(cancellation.takes_back(time, "booked"));
        assert!(!cancellation.takes_back(time + second, "booked"));
        assert!(!cancellation.takes_back(time, "moved"));
    }

    #[test]
    fn tenants_rules_and_subjects_have_separate_keys() {
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
