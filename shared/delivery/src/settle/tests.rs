use super::*;
use serde_json::json;

const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

#[test]
fn final_answers_delete_and_transient_ones_redeliver() {
    let yes = Ok(Sent::Accepted { provider_id: "p-1".into() });
    check(OnUnknown::Hold, &yes, Status::Sent, None, false);
    check(OnUnknown::Hold, &Ok(Sent::Nobody), Status::Suppressed, Some(Reason::NotConnected), false);
    check(OnUnknown::Hold, &Ok(Sent::Unknown), Status::Unknown, Some(Reason::NoAnswer), false);
    check(OnUnknown::Resend, &Ok(Sent::Unknown), Status::Released, None, true);
    check(OnUnknown::Hold, &transient(), Status::Released, None, true);
    let no = Failure::Permanent { reason: Reason::Rejected, source: "400".into() };
    check(OnUnknown::Hold, &Err(no), Status::Failed, Some(Reason::Rejected), false);
    check(OnUnknown::Hold, &Err(Failure::Expired), Status::Suppressed, Some(Reason::Expired), false);
}

#[test]
fn a_provider_that_names_a_time_is_given_it() {
    let job = job(OnUnknown::Hold, &json!({}));
    let delay = Duration::from_secs(177);
    let answer = Err(Failure::Throttled { delay, source: "429".into() });
    assert_eq!(turn(&job, 0).answered(&answer).1, Next::Again(Some(delay)));
}

#[test]
fn a_provider_that_is_too_busy_uses_up_time_and_no_tries() {
    let job = job(OnUnknown::Hold, &json!({}));
    let busy = || Err(Failure::Throttled { delay: Duration::ZERO, source: "429".into() });
    let (settlement, next) = turn(&job, 4).answered(&busy());
    assert_eq!((settlement.status, settlement.tries), (Status::Released, Some(4)));
    assert_ne!(next, Next::Done);
    let late = Turn { now: NOON + Duration::from_secs(600), ..turn(&job, 1) };
    assert_eq!(late.answered(&busy()).0.reason, Some(Reason::RetriesExhausted));
}

#[test]
fn exhausted_retries_fail_without_a_dead_letter() {
    let job = job(OnUnknown::Hold, &json!({}));
    assert_eq!(turn(&job, 3).answered(&transient()).0.status, Status::Released);
    let (settlement, next) = turn(&job, 4).answered(&transient());
    assert_eq!((settlement.status, settlement.reason), (Status::Failed, Some(Reason::RetriesExhausted)));
    assert_eq!(settlement.note.as_deref(), Some("given up after 5 tries"));
    assert_eq!(next, Next::Done);
}

#[test]
fn unanswered_sends_are_bounded_where_resends_are_allowed() {
    let job = job(OnUnknown::Resend, &json!({}));
    let (settlement, _) = turn(&job, 4).answered(&Ok(Sent::Unknown));
    assert_eq!((settlement.status, settlement.reason), (Status::Failed, Some(Reason::RetriesExhausted)));
}

#[test]
fn a_second_provider_has_its_own_tries() {
    let job = job(OnUnknown::Hold, &json!({}));
    let turn = Turn { providers: 2, ..turn(&job, 4) };
    assert_eq!(turn.answered(&transient()).0.status, Status::Released);
}

#[test]
fn a_message_comes_back_in_time_to_be_written_off() {
    let expires = NOON + Duration::from_secs(3);
    let job = job(OnUnknown::Hold, &json!({ "expires_at": expires.to_string() }));
    let answer = Err(Failure::Throttled { delay: Duration::from_secs(600), source: "429".into() });
    assert_eq!(turn(&job, 0).answered(&answer).1, Next::Again(Some(Duration::from_secs(4))));
}

#[test]
fn note_names_the_wait_and_the_replaced_channel() {
    let yes = Ok(Sent::Accepted { provider_id: "p-1".into() });
    let note = |own: serde_json::Value| turn(&job(OnUnknown::Hold, &own), 0).answered(&yes).0.note;
    assert_eq!(note(json!({})), None);
    assert_eq!(note(json!({ "held_s": 42 })).as_deref(), Some("waited 42 s for the provider"));
    let instead_of = json!({ "channel": "push", "why": "provider_down" });
    let told = note(json!({ "held_s": 42, "instead_of": instead_of })).unwrap();
    assert!(told.starts_with("fallback for push: the provider was unavailable"), "{told}");
    assert!(told.ends_with("; waited 42 s for the provider"), "{told}");
    assert_eq!(note(json!({ "instead_of": instead_of })), None, "the claim has said it");
}

#[test]
fn wait_counts_from_the_first_delivery() {
    let held = |own: serde_json::Value, times: u32, tried_for_s: u64| {
        let job = job(OnUnknown::Hold, &own);
        let before = Tried { times, since: NOON - Duration::from_secs(tried_for_s), held: Duration::ZERO };
        let turn = Turn { before, ..turn(&job, 0) };
        turn.answered(&Ok(Sent::Accepted { provider_id: "p-1".into() })).0.note
    };
    let held_since = (NOON - Duration::from_secs(400)).to_string();
    // Pauses of 9 s, and tries with the queue's own time between them: what matters is when the send was.
    assert_eq!(held(json!({ "held_s": 9 }), 3, 112).as_deref(), Some("waited 112 s for the provider"));
    // Held before it was claimed at all.
    let before = json!({ "held_s": 300, "held_since": held_since });
    assert_eq!(held(before, 0, 0).as_deref(), Some("waited 400 s for the provider"));
    // Never held, and tried three times.
    assert_eq!(held(json!({}), 2, 75).as_deref(), Some("waited 75 s for the provider"));
    assert_eq!(held(json!({}), 0, 0), None);
}

#[test]
fn answer_about_the_message_is_no_evidence() {
    let permanent = Failure::Permanent { reason: Reason::Rejected, source: "400".into() };
    let throttled = Failure::Throttled { delay: Duration::ZERO, source: "429".into() };
    assert_eq!(evidence(&Err(permanent)), None);
    assert_eq!(evidence(&Err(Failure::Expired)), None);
    assert_eq!(evidence(&Ok(Sent::Nobody)), Some(false));
    for bad in [Ok(Sent::Unknown), transient(), Err(throttled)] {
        assert_eq!(evidence(&bad), Some(true));
    }
}

#[test]
fn critical_job_of_a_failed_probe_fails_over_at_once() {
    let run = json!({ "run": { "audience": { "user": "ann" }, "start": { "step": 0, "only": "sms" } } });
    let event = json!({ "specversion": "1.0", "id": "1", "source": "/s", "type": "t", "time": "2026-11-20T12:00:00Z" });
    let continuation = json!({ "carillon_wake": 1, "event": event, "rule": "r", "task": run });
    let goes_over = json!({ "priority": "critical", "failover": { "to": "sms", "wake": continuation } });
    let fate = |own: &serde_json::Value, providers, answer| {
        let job = job(OnUnknown::Hold, own);
        // With a second provider that works, nothing is down as a whole.
        let down = (providers == 1).then_some(NOON);
        let turn = Turn { providers, down, ..turn(&job, 0) };
        let settlement = turn.answered(&turn.probed(answer)).0;
        (settlement.status, settlement.reason)
    };
    let failed = (Status::Failed, Some(Reason::ProviderDown));
    assert_eq!(fate(&goes_over, 1, transient()), failed);
    assert_eq!(fate(&goes_over, 2, transient()), (Status::Released, None), "the next provider has its turn");
    assert_eq!(fate(&json!({ "priority": "critical" }), 1, transient()), (Status::Released, None));
    let normal = json!({ "failover": goes_over["failover"] });
    assert_eq!(fate(&normal, 1, transient()), (Status::Released, None), "it can wait");
    let unknown = (Status::Unknown, Some(Reason::NoAnswer));
    let five_minutes = NOON - Duration::from_secs(300);
    let waited = |own: &serde_json::Value, down| {
        let job = job(OnUnknown::Hold, own);
        let turn = Turn { down, ..turn(&job, 0) };
        turn.answered(&turn.probed(transient())).0.status
    };
    assert_eq!(waited(&normal, Some(five_minutes)), Status::Failed, "it has waited long enough");
    assert_eq!(waited(&normal, Some(five_minutes + Duration::from_secs(1))), Status::Released);
    assert_eq!(waited(&json!({}), Some(five_minutes)), Status::Released, "no channel takes its place");
    assert_eq!(fate(&goes_over, 1, Ok(Sent::Unknown)), unknown, "it may have arrived");
}

#[track_caller]
fn check(
    on_unknown: OnUnknown,
    answer: &Result<Sent, Failure>,
    status: Status,
    reason: Option<Reason>,
    again: bool,
) {
    let job = job(on_unknown, &json!({}));
    let (settlement, next) = turn(&job, 0).answered(answer);
    assert_eq!((settlement.status, settlement.reason), (status, reason), "{answer:?}");
    assert_eq!(next != Next::Done, again, "{answer:?}");
}

fn transient() -> Result<Sent, Failure> {
    Err(Failure::Transient("503".into()))
}

/// After so many tries in the last minute.
fn turn(job: &Job, times: u32) -> Turn<'_> {
    let before = Tried { times, since: NOON, held: Duration::ZERO };
    Turn { job, before, providers: 1, down: None, now: NOON }
}

fn job(on_unknown: OnUnknown, own: &serde_json::Value) -> Job {
    let mut job = json!({
        "version": 1, "key": "k", "rule": "r", "catalog": "c", "recipient": "ann", "priority": "normal",
        "event": { "id": "1", "source": "s", "type": "t", "time": "2026-11-20T12:00:00Z" },
        "on_unknown": on_unknown,
        "content": { "socket": { "to": { "user": "ann" }, "title": "", "body": "", "data": {} } },
    });
    job.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    serde_json::from_value(job).unwrap()
}
