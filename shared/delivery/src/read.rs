//! The jobs of a batch.

use std::collections::HashMap;

use domain::job::{JOB_VERSION, Job};
use domain::key::Key;
use runtime::Message;
use serde::Deserialize;

/// A job and the messages that carry it. SQS may deliver one twice, even in one batch.
pub(crate) struct Task<'a> {
    pub(crate) job: Job,
    pub(crate) messages: Vec<&'a Message>,
}

/// A batch as it was read: each job once, and what cannot be read.
#[derive(Default)]
pub(crate) struct Reading<'a> {
    pub(crate) tasks: Vec<Task<'a>>,
    pub(crate) unreadable: Vec<(&'a Message, Unreadable)>,
}

/// Why a message is not read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It never will be. A sentence for people.
    NoJob(String),
    /// A function of this version will read it: one of the two is being deployed.
    OtherVersion(u32),
}

impl<'a> Reading<'a> {
    pub(crate) fn of(messages: &'a [Message]) -> Reading<'a> {
        let mut reading = Reading::default();
        let mut by_key: HashMap<Key, usize> = HashMap::with_capacity(messages.len());
        for message in messages {
            match parse(&message.body) {
                Ok(job) => match by_key.get(&job.key) {
                    Some(&at) => reading.tasks[at].messages.push(message),
                    None => {
                        by_key.insert(job.key.clone(), reading.tasks.len());
                        reading.tasks.push(Task { job, messages: vec![message] });
                    }
                },
                Err(why) => reading.unreadable.push((message, why)),
            }
        }
        reading
    }
}

/// What a job of every version has.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
    #[serde(rename = "key")]
    _key: Key,
}

fn parse(body: &str) -> Result<Job, Unreadable> {
    // The version first: nothing else of another one need look like ours.
    if let Ok(it) = serde_json::from_str::<Versioned>(body)
        && it.version != JOB_VERSION
    {
        return Err(Unreadable::OtherVersion(it.version));
    }
    serde_json::from_str(body).map_err(|error| {
        Unreadable::NoJob(format!("not a job (line {}, column {})", error.line(), error.column()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_of_another_version_waits_and_what_is_no_job_never_will_be_one() {
        for body in [r#"{"version":2,"key":"k"}"#, r#"{"key":"k","version":0,"event":[],"news":{}}"#] {
            assert!(matches!(parse(body), Err(Unreadable::OtherVersion(0 | 2))), "{body}");
        }
        for body in ["", "[]", "not json", "{}", r#"{"version":2}"#, r#"{"version":1,"key":"k"}"#] {
            assert!(matches!(parse(body), Err(Unreadable::NoJob(_))), "{body}");
        }
    }
}
