//! The health of an endpoint: when to notify its owner, when to pause it, and when to disable it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::attempt::Next;
use crate::base::outcome::Reason;
use crate::time::quiet_hours::spread;

/// An endpoint whose attempts all fail for this long is disabled.
pub const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_hours(120);

/// The period begins when failures span this duration within [`WITHIN`].
///
/// Source: Svix, "Disabling failing endpoints".
const SPAN: SignedDuration = SignedDuration::from_hours(12);
const WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// Counts of consecutive failures that trigger a notification.
///
/// Source: Hookdeck Outpost, alerts at 50, 70, 90 and 100 %.
const STEPS: [u32; 4] = [50, 70, 90, 100];

/// The attempt of a message after which its endpoint is reported as failing.
const REPORTED_AT_ATTEMPT: u32 = 4;

/// The shortest interval between reports of exhausted messages.
const REPORT_INTERVAL: SignedDuration = SignedDuration::from_hours(1);

/// The number of consecutive failures from which an endpoint is paused between attempts.
const PAUSED_FROM: u32 = 10;

/// The first and the longest pause.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(30);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(15);

/// The stored health of an endpoint. The default is an endpoint without failures.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Failed attempts since the last success.
    #[serde(default)]
    pub failures: u32,
    /// The first failure, or the first one of the last 24 hours while `clock` is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The latest failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Timestamp>,
    /// The start of the period after which the endpoint is disabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<Timestamp>,
    /// Whether the endpoint was reported as failing.
    #[serde(default)]
    pub told: bool,
    /// The time of the latest report of an exhausted message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exhausted_at: Option<Timestamp>,
}

/// A change to report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announcement {
    /// After the fourth attempt of a message, and after 50, 70, 90 and 100 consecutive failures.
    Failing,
    /// The endpoint works again after it was reported as failing.
    Recovered,
    /// A message exhausted its attempts.
    Exhausted,
    /// The endpoint was disabled.
    Disabled,
}

impl Announcement {
    /// The type of the event that reports the change.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Announcement::Failing => "carillon.endpoint.failing",
            Announcement::Recovered => "carillon.endpoint.recovered",
            Announcement::Exhausted => "carillon.endpoint.exhausted",
            Announcement::Disabled => "carillon.endpoint.disabled",
        }
    }
}

/// The consequences of an attempt for the endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct After {
    pub health: Health,
    pub announcements: Vec<Announcement>,
    /// The endpoint failed for so long that it must be disabled.
    pub give_up: bool,
}

impl Health {
    /// Updates the health after attempt number `attempt` of a message with the result `next`.
    #[must_use]
    pub fn after(&self, next: &Next, attempt: u32, now: Timestamp) -> After {
        let mut announcements = Vec::new();
        if *next == Next::Delivered {
            announcements.extend(self.told.then_some(Announcement::Recovered));
            return After { health: Health::default(), announcements, give_up: false };
        }
        let mut health =
            Health { last: Some(now), failures: self.failures.saturating_add(1), ..self.clone() };
        let since = *health.since.get_or_insert(now);
        if health.clock.is_none() {
            let span = now.duration_since(since);
            if span > WITHIN {
                health.since = Some(now);
            } else if span >= SPAN {
                health.clock = Some(now);
            }
        }
        let is_step = STEPS.contains(&health.failures);
        if is_step || (!health.told && attempt >= REPORTED_AT_ATTEMPT) {
            health.told = true;
            announcements.push(Announcement::Failing);
        }
        if *next == Next::Never(Reason::Exhausted)
            && health
                .exhausted_at
                .is_none_or(|exhausted_at| now.duration_since(exhausted_at) >= REPORT_INTERVAL)
        {
            health.exhausted_at = Some(now);
            announcements.push(Announcement::Exhausted);
        }
        let give_up = health.clock.is_some_and(|clock| now.duration_since(clock) >= GIVEN_UP_AFTER);
        if give_up || matches!(next, Next::Disable(_)) {
            announcements.push(Announcement::Disabled);
        }
        After { health, announcements, give_up }
    }

    /// The end of the pause of a failing endpoint, so that it does not delay other deliveries. `seed` spreads the
    /// retries.
    #[must_use]
    pub fn paused_until(&self, seed: &str, now: Timestamp) -> Option<Timestamp> {
        if self.failures < PAUSED_FROM {
            return None;
        }
        let doublings = (self.failures / PAUSED_FROM - 1).min(10);
        let pause = (FIRST_PAUSE * (1 << doublings)).min(LONGEST_PAUSE);
        let over = self.last?.saturating_add(pause).ok()?;
        (now < over).then(|| over.saturating_add(spread(seed, pause / 2)).unwrap_or(over))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn success_resets_health_and_reports_recovery_once() {
        let failing = play(&[(0, 4)]);
        assert_eq!(failing.1, [Announcement::Failing]);
        let after = failing.0.after(&Next::Delivered, 1, at(5));
        assert_eq!((after.health, after.announcements), (Health::default(), vec![Announcement::Recovered]));
        let quiet = play(&[(0, 1)]).0.after(&Next::Delivered, 1, at(5));
        assert!(quiet.announcements.is_empty());
    }

    #[test]
    fn failing_is_reported_at_the_fourth_attempt_and_at_each_step() {
        assert_eq!(play(&[(0, 1), (0, 2), (0, 3)]).1, []);
        assert_eq!(play(&[(0, 4), (1, 5), (1, 4)]).1, [Announcement::Failing]);
        let many: Vec<(i64, u32)> = (0..120).map(|_| (0, 1)).collect();
        assert_eq!(play(&many).1.len(), 4, "at 50, 70, 90 and 100");
    }

    #[test]
    fn five_days_of_failures_disable_the_endpoint() {
        let hourly: Vec<(i64, u32)> = (0..=132).map(|hour| (hour, 1)).collect();
        assert!(!is_given_up(&hourly[..132]));
        assert!(is_given_up(&hourly), "the clock started after twelve hours");
    }

    #[test]
    fn failures_days_apart_do_not_start_the_clock() {
        assert!(!is_given_up(&[(0, 1), (30, 1), (200, 1), (300, 1)]));
        assert!(!is_given_up(&[(0, 1), (11, 1), (131, 1)]));
        assert!(is_given_up(&[(0, 1), (12, 1), (132, 1)]));
    }

    #[test]
    fn exhausted_messages_are_reported_once_an_hour() {
        let mut health = Health::default();
        let mut reports = 0;
        for minutes in [0, 10, 59, 60, 61] {
            let now = at(0) + SignedDuration::from_mins(minutes);
            let after = health.after(&Next::Never(Reason::Exhausted), 10, now);
            reports += after
                .announcements
                .iter()
                .filter(|announcement| **announcement == Announcement::Exhausted)
                .count();
            health = after.health;
        }
        assert_eq!(reports, 2);
    }

    #[test]
    fn pause_grows_with_consecutive_failures() {
        for (failures, least) in
            [(9, None), (10, Some(30)), (20, Some(60)), (30, Some(120)), (1_000, Some(900))]
        {
            let health = Health { failures, last: Some(at(0)), ..Health::default() };
            let until = health
                .paused_until("k", at(0))
                .map(|spared_until| spared_until.duration_since(at(0)).as_secs());
            match (until, least) {
                (Some(pause), Some(least)) => {
                    assert!(pause >= least && pause <= least * 3 / 2, "{failures}: {pause}");
                }
                (found, expected) => assert_eq!(found, expected, "{failures}"),
            }
        }
        let rested = Health { failures: 10, last: Some(at(0)), ..Health::default() };
        assert_eq!(rested.paused_until("k", at(1)), None);
    }

    proptest! {
        #[test]
        fn no_endpoint_is_disabled_before_five_days_of_failures(gaps in prop::collection::vec(0_i64..40, 1..60)) {
            let mut health = Health::default();
            let mut hour = 0;
            for gap in gaps {
                hour += gap;
                let after = health.after(&Next::Never(Reason::Exhausted), 10, at(hour));
                prop_assert!(!after.give_up || hour >= 132);
                prop_assert_eq!(after.give_up, after.announcements.contains(&Announcement::Disabled));
                prop_assert!(after.health.failures == health.failures + 1);
                health = after.health;
            }
        }
    }

    #[track_caller]
    fn is_given_up(failures: &[(i64, u32)]) -> bool {
        let mut health = Health::default();
        let mut give_up = false;
        for (hour, attempt) in failures {
            let after = health.after(&again(), *attempt, at(*hour));
            (health, give_up) = (after.health, after.give_up);
        }
        give_up
    }

    /// Failed attempts: the hour, and the attempt number of the message.
    fn play(failures: &[(i64, u32)]) -> (Health, Vec<Announcement>) {
        let mut health = Health::default();
        let mut announcements = Vec::new();
        for (hour, attempt) in failures {
            let after = health.after(&again(), *attempt, at(*hour));
            health = after.health;
            announcements.extend(after.announcements);
        }
        (health, announcements)
    }

    fn again() -> Next {
        Next::Again(at(10_000))
    }

    fn at(hour: i64) -> Timestamp {
        "2026-11-01T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hour)
    }
}
