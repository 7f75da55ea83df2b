//! What an answer means: for the ledger, and for the queue.

use std::time::Duration;

use domain::Timestamp;
use domain::channel::OnUnknown;
use domain::job::Job;
use domain::outcome::{Failure, Reason, Sent, Status};
use store::Settlement;

use crate::pause;

/// What becomes of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Done,
    /// Shown again after this long, or after the queue's own time.
    Again(Option<Duration>),
    /// Put back as it is, to be shown at this time.
    Later(Timestamp),
}

/// `receives`: how often the queue has shown the message.
pub(crate) fn next(job: &Job, answer: &Result<Sent, Failure>, receives: u32) -> (Settlement, Next) {
    let pause = pause::after(receives, job.key.as_str());
    let again = Next::Again(Some(pause));
    let (status, reason, next) = match answer {
        Ok(Sent::Accepted { .. }) => (Status::Sent, None, Next::Done),
        Ok(Sent::Later(at)) => (Status::Released, None, Next::Later(*at)),
        Ok(Sent::Nobody) => (Status::Suppressed, Some(Reason::NotConnected), Next::Done),
        Ok(Sent::Unknown) => match job.on_unknown {
            OnUnknown::Hold => (Status::Unknown, Some(Reason::NoAnswer), Next::Done),
            OnUnknown::Resend => (Status::Released, None, again),
        },
        Err(Failure::Transient(_)) => (Status::Released, None, again),
        Err(Failure::Throttled { delay, .. }) => {
            (Status::Released, None, Next::Again(Some(pause.max(*delay))))
        }
        Err(Failure::Permanent { reason, .. }) => (Status::Failed, Some(*reason), Next::Done),
        Err(Failure::Expired) => (Status::Suppressed, Some(Reason::Expired), Next::Done),
    };
    let provider_id = match answer {
        Ok(Sent::Accepted { provider_id }) => Some(provider_id.clone()),
        Ok(Sent::Nobody | Sent::Unknown | Sent::Later(_)) | Err(_) => None,
    };
    (Settlement { key: job.key.clone(), status, reason, provider_id }, next)
}

/// Given back untouched.
pub(crate) fn released(job: &Job) -> Settlement {
    Settlement { key: job.key.clone(), status: Status::Released, reason: None, provider_id: None }
}

/// Not to be sent, and nobody was asked.
pub(crate) fn suppressed(job: &Job, reason: Reason) -> Settlement {
    Settlement { key: job.key.clone(), status: Status::Suppressed, reason: Some(reason), provider_id: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_is_consumed_and_what_may_still_work_comes_back() {
        let yes = Ok(Sent::Accepted { provider_id: "p-1".into() });
        check(OnUnknown::Hold, &yes, Status::Sent, None, false);
        check(OnUnknown::Hold, &Ok(Sent::Nobody), Status::Suppressed, Some(Reason::NotConnected), false);
        check(OnUnknown::Hold, &Ok(Sent::Unknown), Status::Unknown, Some(Reason::NoAnswer), false);
        check(OnUnknown::Resend, &Ok(Sent::Unknown), Status::Released, None, true);
        check(OnUnknown::Hold, &Err(Failure::Transient("503".into())), Status::Released, None, true);
        let no = Failure::Permanent { reason: Reason::Rejected, source: "400".into() };
        check(OnUnknown::Hold, &Err(no), Status::Failed, Some(Reason::Rejected), false);
        check(OnUnknown::Hold, &Err(Failure::Expired), Status::Suppressed, Some(Reason::Expired), false);
    }

    #[test]
    fn a_provider_that_names_a_time_is_given_it_and_more_when_it_goes_on_refusing() {
        let delay = Duration::from_secs(77);
        let answer = Err(Failure::Throttled { delay, source: "429".into() });
        assert_eq!(next(&job(OnUnknown::Hold), &answer, 1).1, Next::Again(Some(delay)));
        let Next::Again(Some(later)) = next(&job(OnUnknown::Hold), &answer, 8).1 else {
            panic!("it comes back")
        };
        assert!(later > delay, "{later:?}");
    }

    #[track_caller]
    fn check(
        on_unknown: OnUnknown,
        answer: &Result<Sent, Failure>,
        status: Status,
        reason: Option<Reason>,
        again: bool,
    ) {
        let (settlement, next) = next(&job(on_unknown), answer, 1);
        assert_eq!((settlement.status, settlement.reason), (status, reason), "{answer:?}");
        assert_eq!(next != Next::Done, again, "{answer:?}");
    }

    fn job(on_unknown: OnUnknown) -> Job {
        let policy = serde_json::to_string(&on_unknown).unwrap();
        serde_json::from_str(&format!(
            r#"{{"version":1,"key":"k","event":{{"id":"1","source":"s","type":"t","time":"2026-11-20T12:00:00Z"}},
                "rule":"r","catalog":"c","recipient":"ann","priority":"normal","on_unknown":{policy},
                "content":{{"socket":{{"to":{{"user":"ann"}},"title":"","body":"","data":{{}}}}}}}}"#
        ))
        .unwrap()
    }
}
