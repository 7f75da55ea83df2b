use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

#[test]
fn ten_calls_are_the_least_that_open_the_breaker() {
    check(9, 9, false);
    check(10, 10, true);
    check(10, 7, true);
    check(10, 6, false);
    check(100, 69, false);
    check(100, 70, true);
}

#[test]
fn failures_outside_the_window_do_not_count() {
    let before = Breaker::default().record(&tally(9, 9, NOON), NOON);
    assert!(!before.record(&tally(1, 1, at(400)), at(400)).is_open());
    assert!(before.record(&tally(1, 1, at(200)), at(200)).is_open());
}

#[test]
fn open_breaker_probes_every_ten_seconds_and_recovers_gradually() {
    let open = open();
    assert_eq!(open.permit(at(9)), Permit::None { until: at(10) });
    assert_eq!(open.permit(at(10)), Permit::Probe);
    let probing = open.probe(at(10)).unwrap();
    assert_eq!(probing.permit(at(11)), Permit::None { until: at(20) });
    assert_eq!(probing.probed(true, at(12)), probing, "a failed probe changes nothing");
    let recovering = probing.probed(false, at(12));
    let shares = [12, 42, 71, 72].map(|second| recovering.permit(at(second)));
    assert_eq!(shares, [Permit::Percent(10), Permit::Percent(55), Permit::Percent(98), Permit::All]);
    let closed = recovering.record(&tally(5, 0, at(80)), at(80));
    assert!(closed.is_closed());
    assert_eq!(recovering.turn(&closed), Some(Turn::Closed));
}

#[test]
fn failed_recovery_reopens_the_breaker_and_keeps_the_outage_start() {
    let recovering = open().probe(at(10)).unwrap().probed(false, at(12));
    assert_eq!(recovering.down_since(), None);
    let again = recovering.record(&tally(3, 3, at(20)), at(20));
    assert_eq!(again.down_since(), Some(NOON));
    assert_eq!(recovering.turn(&again), Some(Turn::Opened));
}

#[test]
fn late_answers_do_not_change_an_open_breaker() {
    let open = open();
    assert_eq!(open.record(&tally(50, 0, at(1)), at(1)), open);
}

#[test]
fn deferral_grows_with_the_outage() {
    let open = open();
    for (seconds, least, most) in [(0, 5, 10), (60, 15, 30), (300, 75, 150), (7_200, 150, 300)] {
        for chance in [0, 511, 1_023] {
            let pause = open.pause(at(seconds), chance).as_secs();
            assert!(pause >= least && pause <= most, "{seconds}: {pause}");
        }
    }
}

#[test]
fn breaker_round_trips_and_a_missing_one_is_closed() {
    for breaker in [Breaker::default(), open(), open().probe(at(10)).unwrap().probed(false, at(12))] {
        let text = serde_json::to_string(&breaker).unwrap();
        assert_eq!(serde_json::from_str::<Breaker>(&text).unwrap(), breaker);
    }
    assert_eq!(serde_json::from_str::<Breaker>("{}").unwrap().permit(NOON), Permit::All);
}

#[track_caller]
fn check(asked: u32, failed: u32, opens: bool) {
    let next = Breaker::default().record(&tally(asked, failed, NOON), NOON);
    assert_eq!(next.is_open(), opens, "{failed} of {asked}");
}

impl Breaker {
    fn is_open(&self) -> bool {
        self.down_since().is_some()
    }
}

fn open() -> Breaker {
    Breaker::default().record(&tally(10, 10, NOON), NOON)
}

fn tally(asked: u32, failed: u32, now: Timestamp) -> Tally {
    Tally(vec![Sample { at: sample_start(now), asked, failed }])
}

fn at(seconds: i64) -> Timestamp {
    NOON + SignedDuration::from_secs(seconds)
}

/// An action of one of several senders.
#[derive(Debug, Clone, Copy)]
enum Action {
    /// Reads the breaker. The view may be old when the sender acts on it.
    Read,
    /// Calls the provider as far as the last read breaker permits.
    Send,
}

/// A versioned row: a write over another version than the one read is refused.
#[derive(Default)]
struct Row(Breaker, u64);

impl Row {
    fn write(&mut self, next: Breaker, version: u64) -> bool {
        let stands = self.1 == version;
        if stands {
            *self = Row(next, version + 1);
        }
        stands
    }
}

proptest! {
    /// Several senders with old views, and a provider that is down all the time. In any order of actions, at most one
    /// sender probes in ten seconds, once the breaker is open and all have read it.
    #[test]
    fn one_of_many_senders_probes_in_ten_seconds(
        acts in vec((0_usize..4, prop_oneof![Just(Action::Read), Just(Action::Send)], 0_i64..4), 1..200),
    ) {
        let mut row = Row(open(), 1);
        let mut views: Vec<(Breaker, u64)> = vec![(row.0.clone(), row.1); 4];
        let mut probes: Vec<Timestamp> = Vec::new();
        let mut now = NOON;
        for (who, act, seconds) in acts {
            now = now.saturating_add(SignedDuration::from_secs(seconds)).unwrap();
            match act {
                Action::Read => views[who] = (row.0.clone(), row.1),
                Action::Send => {
                    let (seen, version) = views[who].clone();
                    if let Some(next) = seen.probe(now) && row.write(next, version) {
                        probes.push(now);
                        let (found, version) = (row.0.probed(true, now), row.1);
                        row.write(found, version);
                    }
                }
            }
        }
        for pair in probes.windows(2) {
            prop_assert!(pair[1].duration_since(pair[0]) >= PROBE_EVERY, "{pair:?}");
        }
    }

    #[test]
    fn breaker_opens_only_if_most_of_ten_calls_failed(
        batches in vec((0_u32..6, 0_u32..6, 0_i64..90), 1..40),
    ) {
        let (mut breaker, mut now) = (Breaker::default(), NOON);
        for (fine, failed, seconds) in batches {
            now = now.saturating_add(SignedDuration::from_secs(seconds)).unwrap();
            let next = breaker.record(&tally(fine + failed, failed, now), now);
            if next.is_open() {
                let mut all = breaker.tally.clone();
                all.add(Sample { at: sample_start(now), asked: fine + failed, failed });
                all.forget_old(now);
                prop_assert!(all.asked() >= LEAST_ASKED && all.percent_failed() >= FAILURES_PERCENT);
                break;
            }
            breaker = next;
        }
        prop_assert!(breaker.tally.0.len() <= 11, "the tally has {} samples", breaker.tally.0.len());
    }

    #[test]
    fn share_of_permitted_calls_grows_during_recovery(starts in 10_i64..1_000) {
        let mut breaker = open();
        let mut last = 0;
        for second in starts..starts + 75 {
            let now = at(second);
            if let Some(probing) = breaker.probe(now) {
                breaker = probing.probed(false, now);
            }
            let share = match breaker.permit(now) {
                Permit::All => 100,
                Permit::Percent(percent) => percent,
                Permit::Probe | Permit::None { .. } => 0,
            };
            prop_assert!(share >= last && share <= last.max(FIRST_SHARE_PERCENT as u32) + 2);
            last = share;
            if share > 0 {
                breaker = breaker.record(&tally(1, 0, now), now);
            }
        }
        prop_assert!(breaker.is_closed());
    }
}
