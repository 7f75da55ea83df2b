//! Reads the jobs of a batch.

use std::collections::HashMap;

use domain::delivery::job::Job;
use domain::event::key::Key;
use domain::event::layout::NotRead;
use runtime::Message;

/// A job and the messages that carry it. SQS can deliver a message twice, even in one batch.
pub(crate) struct Task<'a> {
    pub(crate) job: Job,
    pub(crate) messages: Vec<&'a Message>,
}

/// The jobs of a batch, each once, and its unreadable messages.
#[derive(Default)]
pub(crate) struct Reading<'a> {
    pub(crate) tasks: Vec<Task<'a>>,
    pub(crate) unreadable: Vec<(&'a Message, Unreadable)>,
}

/// Why a message is unreadable.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// No release can read the message. The text is for operators and quotes no content.
    NoJob(String),
    /// A newer release wrote the job. A function of that version will read the message.
    Newer(u32),
}

impl<'a> Reading<'a> {
    pub(crate) fn of(messages: &'a [Message]) -> Reading<'a> {
        let mut reading = Reading::default();
        let mut by_key: HashMap<Key, usize> = HashMap::with_capacity(messages.len());
        for message in messages {
            match parse(message.body.expose()) {
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

fn parse(body: &str) -> Result<Job, Unreadable> {
    Job::read(body).map_err(|not_read| match not_read {
        NotRead::Newer { found, .. } => Unreadable::Newer(found),
        NotRead::Malformed { .. } => Unreadable::NoJob(format!("not a job: {not_read}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn job_of_a_newer_version_waits_and_what_is_no_job_never_will_be_one() {
        for body in [r#"{"version":3,"key":"k"}"#, r#"{"version":3,"event":[],"news":{}}"#] {
            assert_eq!(parse(body).err(), Some(Unreadable::Newer(3)), "{body}");
        }
        for body in [
            "",
            "[]",
            "not json",
            "{}",
            r#"{"version":1,"key":"k"}"#,
            r#"{"version":0,"key":"k"}"#,
            r#"{"version":"1","key":"k"}"#,
            r#"{"key":"k","event":{}}"#,
        ] {
            assert!(matches!(parse(body), Err(Unreadable::NoJob(_))), "{body}");
        }
    }

    #[test]
    fn jobs_of_the_last_release_are_read_with_what_a_later_one_adds() {
        let job = include_str!("../../domain/fixtures/0.1.0/jobs/email.json");
        let added =
            job.replacen("{\"version\":1,", "{\"version\":1,\"news\":{\"of\":[\"a later release\"]},", 1);
        for body in [job, &added] {
            assert!(parse(body).unwrap().content.address() == Some("ann@example.com".into()));
        }
    }
}
