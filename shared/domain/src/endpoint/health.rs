//! How an endpoint has been doing: when somebody is told, when it is spared for a while, when it is given up.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::attempt::Next;
use crate::outcome::Reason;
use crate::window::spread;

/// An endpoint that does nothing but fail is switched off after this.
pub const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_hours(120);

/// That time runs from when failures span this, within [`WITHIN`].
///
/// Source: Svix, "Disabling failing endpoints".
const SPAN: SignedDuration = SignedDuration::from_hours(12);
const WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// So many failures in a row are the whole of what is told in steps.
///
/// Source: Hookdeck Outpost, alerts at 50, 70, 90 and 100 %.
const STEPS: [u32; 4] = [50, 70, 90, 100];

/// After this attempt of a message its endpoint is said to be failing.
const TOLD_AT_ATTEMPT: u32 = 4;

/// Exhausted messages are told at most this often.
const TOLD_AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// From so many failures in a row on, an endpoint is spared between attempts.
const SPARED_FROM: u32 = 10;

/// How long, at first and at most.
const SPARED_FOR: SignedDuration = SignedDuration::from_secs(30);
const SPARED_AT_MOST: SignedDuration = SignedDuration::from_mins(15);

/// What is remembered of an endpoint. The default is one that has never failed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Failed attempts since the last success.
    #[serde(default)]
    pub failures: u32,
    /// The first of them, or the first of the last 24 hours while the clock does not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The latest of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Timestamp>,
    /// When the time began after which it is switched off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<Timestamp>,
    /// Whether it was said to be failing.
    #[serde(default)]
    pub told: bool,
    /// When it was last said that a message was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exhausted_at: Option<Timestamp>,
}

/// What somebody should hear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announcement {
    /// After the fourth attempt of a message, and after 50, 70, 90 and 100 failures in a row.
    Failing,
    /// It works again, after it was said to be failing.
    Recovered,
    /// A message was given up.
    Exhausted,
    /// It is told nothing any more.
    Disabled,
}

impl Announcement {
    /// The type of the event that says so.
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

/// What an attempt leads to, beside its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct After {
    pub health: Health,
    pub announcements: Vec<Announcement>,
    /// It has failed for so long that it is to be switched off.
    pub give_up: bool,
}

impl Health {
    /// What is remembered after attempt number `attempt` of a message went like this.
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
        if is_step || (!health.told && attempt >= TOLD_AT_ATTEMPT) {
            health.told = true;
            announcements.push(Announcement::Failing);
        }
        if *next == Next::Never(Reason::Exhausted)
            && health
                .exhausted_at
                .is_none_or(|exhausted_at| now.duration_since(exhausted_at) >= TOLD_AGAIN_AFTER)
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

    /// Until when an endpoint that fails again and again is not asked at all, so that it holds up nobody else. Who
    /// waits comes back apart from the others: by `seed`.
    #[must_use]
    pub fn spared_until(&self, seed: &str, now: Timestamp) -> Option<Timestamp> {
        if self.failures < SPARED_FROM {
            return None;
        }
        let doublings = (self.failures / SPARED_FROM - 1).min(10);
        let pause = (SPARED_FOR * (1 << doublings)).min(SPARED_AT_MOST);
        let over = self.last?.saturating_add(pause).ok()?;
        (now < over).then(|| over.saturating_add(spread(seed, pause / 2)).unwrap_or(over))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_success_forgets_everything_and_says_so_if_it_was_told() {
        let failing = play(&[(0, 4)]);
        assert_eq!(failing.1, [Announcement::Failing]);
        let after = failing.0.after(&Next::Delivered, 1, at(5));
        assert_eq!((after.health, after.announcements), (Health::default(), vec![Announcement::Recovered]));
        let quiet = play(&[(0, 1)]).0.after(&Next::Delivered, 1, at(5));
        assert!(quiet.announcements.is_empty());
    }

    #[test]
    fn it_is_failing_after_the_fourth_attempt_once_and_at_each_step_of_a_hundred() {
        assert_eq!(play(&[(0, 1), (0, 2), (0, 3)]).1, []);
        assert_eq!(play(&[(0, 4), (1, 5), (1, 4)]).1, [Announcement::Failing]);
        let many: Vec<(i64, u32)> = (0..120).map(|_| (0, 1)).collect();
        assert_eq!(play(&many).1.len(), 4, "at 50, 70, 90 and 100");
    }

    #[test]
    fn five_days_of_nothing_but_failures_switch_it_off() {
        let hourly: Vec<(i64, u32)> = (0..=132).map(|hour| (hour, 1)).collect();
        assert!(!is_given_up(&hourly[..132]));
        assert!(is_given_up(&hourly), "the clock began after twelve hours");
    }

    #[test]
    fn two_failures_that_are_days_apart_do_not_start_the_clock() {
        assert!(!is_given_up(&[(0, 1), (30, 1), (200, 1), (300, 1)]));
        assert!(!is_given_up(&[(0, 1), (11, 1), (131, 1)]));
        assert!(is_given_up(&[(0, 1), (12, 1), (132, 1)]));
    }

    #[test]
    fn messages_that_were_given_up_are_told_once_an_hour() {
        let mut health = Health::default();
        let mut told = 0;
        for minutes in [0, 10, 59, 60, 61] {
            let now = at(0) + SignedDuration::from_mins(minutes);
            let after = health.after(&Next::Never(Reason::Exhausted), 10, now);
            told += after
                .announcements
                .iter()
                .filter(|announcement| **announcement == Announcement::Exhausted)
                .count();
            health = after.health;
        }
        assert_eq!(told, 2);
    }

    #[test]
    fn who_fails_again_and_again_is_asked_less_and_less_often() {
        for (failures, least) in
            [(9, None), (10, Some(30)), (20, Some(60)), (30, Some(120)), (1_000, Some(900))]
        {
            let health = Health { failures, last: Some(at(0)), ..Health::default() };
            let until = health
                .spared_until("k", at(0))
                .map(|spared_until| spared_until.duration_since(at(0)).as_secs());
            match (until, least) {
                (Some(it), Some(least)) => assert!(it >= least && it <= least * 3 / 2, "{failures}: {it}"),
                (found, expected) => assert_eq!(found, expected, "{failures}"),
            }
        }
        let rested = Health { failures: 10, last: Some(at(0)), ..Health::default() };
        assert_eq!(rested.spared_until("k", at(1)), None);
    }

    proptest! {
        #[test]
        fn nothing_is_given_up_before_five_days_of_failures(gaps in prop::collection::vec(0_i64..40, 1..60)) {
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

    /// Failed attempts: the hour, and which attempt of its message.
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
