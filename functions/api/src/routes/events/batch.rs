//! Answers to a batch that was not published completely.

use aws::CallError;
use domain::event::Event;
use serde_json::{Value, json};

use crate::problem::Problem;
use crate::response::Response;

/// The answer to a batch with refused events. No event was published, and each event has its own status.
/// The answer is 403 if all refusals concern rights, otherwise 422. `None` if no event was refused.
pub(super) fn refused(events: &[Result<Event, Problem>], request: &str) -> Option<Response> {
    let refusals: Vec<&Problem> = events.iter().filter_map(|event| event.as_ref().err()).collect();
    if refusals.is_empty() {
        return None;
    }
    let status = if refusals.iter().all(|refusal| refusal.status == 403) { 403 } else { 422 };
    let count = refusals.len();
    let detail = format!(
        "{count} of {} events are refused, and no event was published; `events` gives the reasons",
        events.len()
    );
    let each = events.iter().enumerate().map(|(place, event)| match event {
        Ok(_) => json!({ "index": place, "status": 424, "title": "not_published" }),
        Err(problem) => one(place, problem),
    });
    Some(answer(&Problem::new(status, "batch_refused", detail), each.collect(), request))
}

/// The answer to a batch that the bus accepted only in part. A repeat is harmless, because events keep
/// their ids. `None` if the bus accepted all events.
pub(super) fn unpublished(put: Vec<Result<String, CallError>>, request: &str) -> Option<Response> {
    if put.iter().all(Result::is_ok) {
        return None;
    }
    let mut retry_after = 1;
    let mut each = Vec::with_capacity(put.len());
    for (place, put) in put.into_iter().enumerate() {
        match put {
            Ok(_) => each.push(json!({ "index": place, "status": 202 })),
            Err(refused) => {
                let problem = Problem::from(refused);
                retry_after = problem.retry_after.unwrap_or(1).max(retry_after);
                each.push(one(place, &problem));
            }
        }
    }
    let detail = "the bus did not take all events of the batch; send it again, with the same ids";
    Some(answer(&Problem::new(503, "unavailable", detail).after(retry_after), each, request))
}

/// The problem for an event without a result.
pub(super) fn unanswered() -> Problem {
    Problem::new(503, "unavailable", "the bus did not answer; repeat the request").after(1)
}

fn one(place: usize, problem: &Problem) -> Value {
    json!({ "index": place, "status": problem.status, "title": problem.kind, "detail": problem.detail })
}

/// A problem with the status of each event.
fn answer(problem: &Problem, events: Vec<Value>, request: &str) -> Response {
    let mut response = Response::problem(problem, request);
    let mut body: Value = serde_json::from_str(response.body.expose()).unwrap_or_default();
    body["events"] = events.into();
    response.body = body.to_string().into();
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batch_with_a_refused_event_says_of_each_what_became_of_it() {
        let event = || {
            Event::parse(
                r#"{"specversion":"1.0","id":"1","source":"/s","type":"t","time":"2026-11-20T12:00:00Z"}"#,
            )
        };
        let good = || Ok(event().unwrap());
        let forbidden = || Err(Problem::forbidden("tenant"));
        let malformed = || Err(Problem::refused("id", "no value", "a text"));
        assert!(refused(&[], "r").is_none() && refused(&[good()], "r").is_none());
        for (events, status) in [
            (vec![good(), forbidden()], 403),
            (vec![forbidden(), malformed()], 422),
            (vec![malformed(), good(), good()], 422),
        ] {
            let answer = refused(&events, "r").unwrap();
            assert_eq!(answer.status_code, status);
            let body: Value = serde_json::from_str(answer.body.expose()).unwrap();
            let each = body["events"].as_array().unwrap();
            assert_eq!(each.len(), events.len());
            for (event, said) in events.iter().zip(each) {
                assert_eq!(said["status"], event.as_ref().map_or_else(|event| event.status, |_| 424));
            }
        }
    }
}
