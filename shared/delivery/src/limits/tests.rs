use super::*;
use domain::delivery::breaker::Tally;
use serde_json::{Value, json};

const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

#[test]
fn all_ask_a_provider_that_works() {
    check(&[json!({}), json!({})], vec![View::unwatched()], &["ask 0", "ask 0"]);
}

#[test]
fn most_urgent_job_probes_a_down_provider() {
    let jobs = [json!({}), json!({ "priority": "critical" }), json!({ "priority": "high" })];
    check(&jobs, vec![down(60, true)], &["wait", "probe 0", "wait"]);
    check(&jobs, vec![down(60, false)], &["wait", "wait", "wait"]);
}

#[test]
fn expired_job_is_settled_during_an_outage() {
    let late = json!({ "expires_at": (NOON - Duration::from_secs(1)).to_string() });
    check(&[late, json!({})], vec![down(60, false)], &["ask nobody", "wait"]);
}

#[test]
fn failover_waits_five_minutes_except_for_critical_jobs() {
    let fails_over = |priority| json!({ "priority": priority, "failover": failover() });
    check(&[fails_over("normal")], vec![down(60, false)], &["wait"]);
    check(&[fails_over("normal")], vec![down(300, false)], &["hand on"]);
    check(&[fails_over("critical")], vec![down(1, false)], &["hand on"]);
    check(&[json!({ "priority": "critical" })], vec![down(3_000, false)], &["wait"]);
}

#[test]
fn job_waits_at_most_a_day() {
    check(&[json!({ "held_s": 86_399 })], vec![down(90_000, false)], &["wait"]);
    check(&[json!({ "held_s": 86_400 })], vec![down(90_000, false)], &["hand on"]);
}

#[test]
fn a_provider_that_recovers_gets_a_part() {
    let recovering = View { left: 1, ..View::unwatched() };
    let jobs = [json!({}), json!({ "priority": "critical", "failover": failover() }), json!({})];
    check(&jobs, vec![recovering], &["wait", "ask 0", "wait"]);
}

#[test]
fn healthiest_provider_comes_first_and_a_down_one_is_probed() {
    let shaky = View { percent_failed: 35, ..View::unwatched() };
    check(&[json!({})], vec![shaky, View::unwatched()], &["ask 1 0"]);
    let jobs = [json!({ "priority": "low" }), json!({})];
    check(&jobs, vec![down(60, false), View::unwatched()], &["ask 1", "ask 1"]);
    check(&jobs, vec![down(60, true), View::unwatched()], &["probe 0", "ask 1"]);
}

#[test]
fn wait_ends_at_the_expiry() {
    let job = job(&json!({ "expires_at": (NOON + Duration::from_secs(7)).to_string() }));
    let Admission::Wait(pause) = &tickets(&[&job], vec![down(600, false)], NOON)[0] else {
        panic!("it waits")
    };
    assert!(*pause <= Duration::from_secs(8), "{pause:?}");
}

#[track_caller]
fn check(jobs: &[Value], views: Vec<View>, expected: &[&str]) {
    let jobs: Vec<Job> = jobs.iter().map(job).collect();
    let found: Vec<String> =
        tickets(&jobs.iter().collect::<Vec<_>>(), views, NOON).iter().map(tell).collect();
    assert_eq!(found, expected);
}

fn tell(ticket: &Admission) -> String {
    match ticket {
        Admission::Go { providers, .. } if providers.is_empty() => "ask nobody".to_owned(),
        Admission::Go { providers, probe, .. } => {
            let places: Vec<String> = providers.iter().map(ToString::to_string).collect();
            format!("{} {}", if *probe { "probe" } else { "ask" }, places.join(" "))
        }
        Admission::Wait(_) => "wait".to_owned(),
        Admission::HandOn => "hand on".to_owned(),
    }
}

/// A provider that has been down for so many seconds.
fn down(seconds: u64, probe: bool) -> View {
    let since = NOON - Duration::from_secs(seconds);
    let mut failures = Tally::default();
    (0..10).for_each(|_| failures.count(true, since));
    let breaker = Breaker::default().record(&failures, since);
    View { left: usize::from(probe), probe, percent_failed: 100, breaker }
}

fn failover() -> Value {
    let event = json!({ "specversion": "1.0", "id": "1", "source": "/s", "type": "t", "time": "2026-11-20T12:00:00Z" });
    let start = json!({ "step": 0, "only": "sms", "instead_of": { "channel": "socket", "why": "rejected" } });
    let task = json!({ "run": { "audience": { "user": "ann" }, "start": start } });
    json!({ "to": "sms", "wake": { "carillon_wake": 1, "event": event, "rule": "r", "task": task } })
}

fn job(own: &Value) -> Job {
    let mut job = json!({
        "version": 1, "key": "k", "rule": "r", "catalog": "c", "recipient": "ann", "priority": "normal",
        "event": { "id": "1", "source": "s", "type": "t", "time": "2026-11-20T12:00:00Z" }, "on_unknown": "hold",
        "content": { "socket": { "to": { "user": "ann" }, "title": "", "body": "", "data": {} } },
    });
    job.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    serde_json::from_str(&job.to_string()).unwrap()
}
