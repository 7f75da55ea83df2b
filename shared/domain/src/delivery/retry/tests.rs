use super::*;
use jiff::SignedDuration;
use proptest::prelude::*;

const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

#[test]
fn push_has_five_attempts_and_email_eight() {
    check(Channel::Push, Priority::Normal, false, 5, 600);
    check(Channel::Socket, Priority::High, false, 5, 600);
    check(Channel::Sms, Priority::Low, false, 8, 1_800);
    check(Channel::Email, Priority::Normal, false, 8, 1_800);
    check(Channel::Whatsapp, Priority::Normal, false, 8, 1_800);
}

#[test]
fn critical_messages_and_codes_are_retried_for_hours() {
    for (channel, priority, one_time, longest) in [
        (Channel::Push, Priority::Critical, false, 120),
        (Channel::Email, Priority::Critical, false, 120),
        (Channel::Sms, Priority::Normal, true, 30),
    ] {
        let limits = Limits::of(channel, priority, one_time);
        let tried = |times, held| Tried { times, since: NOON, held };
        let then = |times, minutes| {
            limits.then(&tried(times, Duration::ZERO), NOON + SignedDuration::from_mins(minutes), 1_023)
        };
        assert!(matches!(then(100, 239), Then::Again(pause) if pause <= Duration::from_secs(longest)));
        assert_eq!(then(1, 240), Then::GiveUp);
    }
}

#[test]
fn deferred_time_does_not_count() {
    let limits = Limits::of(Channel::Email, Priority::Normal, false);
    let later = NOON + SignedDuration::from_mins(45);
    let tried = |minutes: u64| Tried { times: 2, since: NOON, held: Duration::from_secs(minutes * 60) };
    assert_eq!(limits.then(&tried(0), later, 0), Then::GiveUp);
    assert!(matches!(limits.then(&tried(20), later, 0), Then::Again(_)));
}

#[test]
fn second_provider_has_the_same_limits() {
    let one = Limits::of(Channel::Sms, Priority::Normal, false);
    let two = one.for_providers(2);
    assert_eq!([0, 7, 8, 15].map(|times| one.turn(times)), [0, 0, 1, 1]);
    let tried = |times| Tried { times, since: NOON, held: Duration::ZERO };
    assert!(matches!(two.then(&tried(15), NOON, 0), Then::Again(_)));
    assert_eq!(two.then(&tried(16), NOON, 0), Then::GiveUp);
}

/// Checks the number of attempts, and that none follows after this many seconds.
#[track_caller]
fn check(channel: Channel, priority: Priority, one_time: bool, tries: u32, seconds: i64) {
    let limits = Limits::of(channel, priority, one_time);
    let then = |times, passed| {
        let now = NOON + SignedDuration::from_secs(passed);
        limits.then(&Tried { times, since: NOON, held: Duration::ZERO }, now, 7)
    };
    assert!(matches!(then(tries - 1, seconds - 1), Then::Again(_)), "{channel:?}");
    assert_eq!(then(tries, 1), Then::GiveUp, "{channel:?}");
    assert_eq!(then(1, seconds), Then::GiveUp, "{channel:?}");
    // All attempts fit even with the longest pauses.
    let longest: Duration = (1..tries).map(|times| limits.pause(times, 1_023)).sum();
    assert!(longest.as_secs() < seconds.unsigned_abs(), "{channel:?}: {longest:?}");
}

proptest! {
    #[test]
    fn pause_is_between_a_second_and_the_doubled_limit(times in 0_u32..200, seed in any::<u64>()) {
        let limits = Limits::of(Channel::Email, Priority::Normal, false);
        let pause = limits.pause(times, seed);
        let most = Duration::from_secs(10 << times.saturating_sub(1).min(6));
        prop_assert!(pause >= Duration::from_secs(1) && pause <= most, "{pause:?} of {most:?}");
    }

    #[test]
    fn messages_that_failed_together_are_retried_apart(first in 0_u32..1_000_000) {
        let limits = Limits::of(Channel::Email, Priority::Normal, false);
        let pauses = (first..first + 64).map(|n| limits.pause(6, chance(&format!("key-{n}"), 6)));
        let seconds: std::collections::BTreeSet<u64> = pauses.map(|pause| pause.as_secs()).collect();
        prop_assert!(seconds.len() > 32, "{seconds:?}");
    }
}
