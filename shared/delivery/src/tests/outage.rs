//! Simulates the outage of a provider and checks when each job fails over.

use std::time::Duration;

use domain::Timestamp;
use domain::base::outcome::{Reason, Status};
use domain::delivery::breaker::{Breaker, Permit, Tally};
use domain::delivery::retry::Tried;

use super::*;
use crate::limits::{CRITICAL_PATIENCE, PATIENCE, View, tickets};
use crate::settle::{Next, Turn};

const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

/// A job and the time of its next attempt.
struct Going {
    job: Job,
    due: Timestamp,
    before: Option<Tried>,
    /// The time of the end since the start of the outage, and the reason.
    ended: Option<(Duration, Option<Reason>)>,
}

#[test]
fn two_jobs_alone_go_to_the_next_channel_after_five_minutes_of_outage() {
    for count in [1, 2, 3, 8, 12, 40] {
        for (after, reason) in outage(count, "normal") {
            let most = PATIENCE.unsigned_abs() + Duration::from_secs(20);
            assert!(after <= most, "one of {count} jobs went on after {after:?}");
            // A job with short pauses has used up its attempts earlier.
            if reason != Some(Reason::RetriesExhausted) {
                // The outage began with the first job. This job arrived up to `count` seconds later.
                let least = PATIENCE.unsigned_abs() - Duration::from_secs(u64::try_from(count).unwrap());
                assert!(after >= least, "one of {count} jobs went on after {after:?}");
                assert_eq!(reason, Some(Reason::ProviderDown), "one of {count} jobs");
            }
        }
    }
}

#[test]
fn one_critical_job_alone_goes_to_the_next_channel_after_a_minute_of_tries() {
    for count in [1, 2, 3, 12] {
        for (after, reason) in outage(count, "critical") {
            let most = CRITICAL_PATIENCE.unsigned_abs() + Duration::from_secs(20);
            assert!(after <= most, "one of {count} jobs went on after {after:?}");
            assert_eq!(reason, Some(Reason::ProviderDown), "one of {count} jobs");
        }
    }
}

/// Runs `count` jobs with a fallback channel against a provider that answers 503 from noon on. The jobs
/// arrive one second apart.
fn outage(count: usize, priority: &str) -> Vec<(Duration, Option<Reason>)> {
    let mut going: Vec<Going> = (0..count)
        .map(|number| {
            let own = json!({
                "key": format!("job-{number}"), "priority": priority, "failover": failover(),
                "content": { "sms": { "to": "+493012345678", "text": "Now", "locale": "en" } },
            });
            let job = serde_json::from_str(&body(&own)).unwrap();
            let due = NOON + Duration::from_secs(u64::try_from(number).unwrap());
            Going { job, due, before: None, ended: None }
        })
        .collect();
    let mut breaker = Breaker::default();
    let began: Vec<Timestamp> = going.iter().map(|job| job.due).collect();
    while let Some(next) =
        (0..count).filter(|place| going[*place].ended.is_none()).min_by_key(|place| going[*place].due)
    {
        step(&mut going[next], &mut breaker, began[next]);
        assert!(going[next].due < NOON + Duration::from_secs(7_200), "a job never goes on");
    }
    going.into_iter().filter_map(|job| job.ended).collect()
}

fn step(going: &mut Going, breaker: &mut Breaker, began: Timestamp) {
    let now = going.due;
    let end = |reason| Some((Duration::try_from(now.duration_since(began)).unwrap(), reason));
    let (left, probe) = match breaker.permit(now) {
        Permit::All | Permit::Percent(_) => (usize::MAX, false),
        Permit::Probe => {
            *breaker = breaker.probe(now).expect("the permit says so");
            (1, true)
        }
        Permit::None { .. } => (0, false),
    };
    let view = View { left, probe, percent_failed: 100, breaker: breaker.clone() };
    let ticket = tickets(&[&going.job], vec![view], now).remove(0);
    let (probe, down) = match ticket {
        Admission::Go { probe, down, .. } => (probe, down),
        Admission::Wait(pause) => {
            going.job.held_s += u32::try_from(pause.as_secs()).unwrap();
            going.due = now + pause;
            return;
        }
        Admission::HandOn => {
            going.ended = end(Some(Reason::ProviderDown));
            return;
        }
    };
    let first = Tried { times: 0, since: now, held: Duration::ZERO };
    let before =
        Tried { held: Duration::from_secs(u64::from(going.job.held_s)), ..going.before.unwrap_or(first) };
    let turn = Turn { job: &going.job, before, providers: 1, down, now };
    let answer = Err(Failure::Transient("503".into()));
    let answer = if probe { turn.probed(answer) } else { answer };
    let (settlement, next) = turn.answered(&answer);
    *breaker = if probe {
        breaker.probed(true, now)
    } else {
        let mut failed = Tally::default();
        failed.count(true, now);
        breaker.record(&failed, now)
    };
    match next {
        Next::Again(pause) => going.due = now + pause.expect("a job that is tried again has a pause"),
        Next::Done | Next::Later(_) => {
            assert_eq!(settlement.status, Status::Failed);
            going.ended = end(settlement.reason);
        }
    }
    going.before = Some(before.plus_one());
}

fn failover() -> Value {
    let event = json!({ "specversion": "1.0", "id": "1", "source": "/s", "type": "t", "time": "2026-11-20T12:00:00Z" });
    let run = json!({ "run": { "audience": { "user": "ann" }, "start": { "step": 0, "only": "email" } } });
    json!({ "to": "email", "wake": { "carillon_wake": 1, "event": event, "rule": "r", "task": run } })
}
