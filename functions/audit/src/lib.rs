//! audit: keeps every event that crossed the bus, once.
//!
//! It appends, and acknowledges what came from the outbox: its role may insert into the events table, and may take
//! `pending` off a row; it has no right to change an event or to delete one. An entry of the outbox is acknowledged only
//! by an event that is proven to be the stored one: the relay marks what it publishes, and the table compares digests. A
//! claim without proof is recorded as an ordinary event with a finding. What dispatch refuses is kept here too, with the
//! reason.

use std::collections::BTreeSet;

use aws::Verdict;
use aws_types::SdkConfig;
use domain::Timestamp;
use domain::access::AccessRecord;
use domain::bus::BusEvent;
use domain::event::Refusal;
use domain::finding::Finding;
use domain::outbox_mark::MarkKey;
use domain::producers::Producers;
use domain::replay::received;
use domain::retention::Retention;
use domain::stack_secret::StackSecret;
use queue::{Cause, Past, Queue, Sqs};
use runtime::{Batch, Env, Error, Message, Report, chain, now};
use store::{Events, Record};

/// The audit's end of the bus.
pub struct Audit {
    events: Events,
    dead_letters: Queue,
    retention: Retention,
    /// What the relay and the sweep are known by.
    marks: MarkKey,
    producers: Producers,
}

impl Audit {
    /// # Errors
    /// A variable is missing or cannot be read, the stack's secret is too short, or the policy that lies beside the
    /// program cannot be used.
    pub fn from_env(aws: &SdkConfig, env: &Env) -> Result<Audit, Error> {
        let sqs = Sqs::new(aws);
        Ok(Audit {
            events: Events::new(&store::client(aws), env.required("EVENTS_TABLE")?),
            dead_letters: Queue::new(&sqs, env.required("DEAD_LETTERS_URL")?),
            retention: Retention::parse(&env.optional("EVENT_RETENTION").unwrap_or_default())?,
            marks: MarkKey::of(&StackSecret::read(&env.required("STACK_SECRET")?)?),
            producers: runtime::producers(env)?,
        })
    }

    /// Appends every event of the batch. What could not be kept comes back.
    ///
    /// # Errors
    /// The table could not be asked: the whole batch comes back. Appending twice is harmless.
    pub async fn keep(&self, batch: Batch) -> Result<Report, Error> {
        let mut report = Report::default();
        let (mut messages, mut records, mut unreadable) = (Vec::new(), Vec::new(), Vec::new());
        for message in &batch.messages {
            let now = now();
            match rows(&message.body, &self.producers, &self.marks, now) {
                Ok(rows) => {
                    for row in rows {
                        let days = row.get("type").and_then(|it| self.retention.days(it));
                        messages.push(message);
                        records.push(row.kept_for(days, now));
                    }
                }
                Err(refusal) => unreadable.push((message, refusal)),
            }
        }
        let appended = self.events.append(&records).await?;
        // Only now: a batch that fails as a whole comes back whole, and would be put aside once more.
        for (message, refusal) in unreadable {
            self.bury(message, "unreadable", &refusal.to_string(), &mut report).await;
        }
        let mut new = 0;
        // A message of several rows is reported once, whatever became of each.
        let mut reported = BTreeSet::new();
        for ((message, record), kept) in messages.into_iter().zip(&records).zip(appended) {
            match kept {
                Ok(kept) => {
                    new += usize::from(kept.is_new);
                    tell_findings(record, &kept.findings);
                }
                Err(_) if !reported.insert(&message.message_id) => {}
                Err(refused) if refused.verdict == Verdict::Permanent => {
                    self.bury(message, "not_storable", &chain(&refused), &mut report).await;
                }
                Err(refused) => {
                    tracing::warn!(message.id = message.message_id, error = chain(&refused), "not kept yet");
                    report.show_again(message);
                }
            }
        }
        tracing::info!(messages = batch.messages.len(), new, returned = report.returned(), "batch kept");
        Ok(report)
    }

    async fn bury(&self, message: &Message, class: &'static str, detail: &str, report: &mut Report) {
        tracing::error!(message.id = message.message_id, detail, "an event cannot be kept");
        let cause = Cause { class, detail: detail.to_owned(), by: "audit" };
        let past = Past { first_at: message.first_sent_at(), attempts: message.receive_count() };
        if let Err(refused) = self.dead_letters.bury(&message.body, None, &cause, past).await {
            tracing::error!(error = chain(&refused), "it stays in the queue");
            report.show_again(message);
        }
    }
}

/// One log line for each finding, so that an alarm can count its code.
fn tell_findings(record: &Record, findings: &[Finding]) {
    for finding in findings {
        tracing::warn!(
            code = finding.code(),
            event.id = record.get("id"),
            event.source = record.get("source"),
            bus.id = record.get("bus_id"),
            finding = finding.name(),
            "event recorded with a finding: {}",
            finding.meaning()
        );
    }
}

/// The rows that are kept of one message: several for an access record whose answer listed people, one otherwise.
///
/// # Errors
/// [`Refusal`] when the text is no access record and did not come from an EventBridge rule.
pub fn rows(
    body: &str,
    producers: &Producers,
    marks: &MarkKey,
    now: Timestamp,
) -> Result<Vec<Record>, Refusal> {
    match AccessRecord::of_message(body) {
        Some(access) => Ok(Record::of_access(&access?, now)),
        None => Ok(vec![record(body, producers, marks, now)?]),
    }
}

/// What is kept of one message: the event as it was understood, or what came and why it was not.
///
/// # Errors
/// [`Refusal`] when the text did not come from an EventBridge rule.
pub fn record(body: &str, producers: &Producers, marks: &MarkKey, now: Timestamp) -> Result<Record, Refusal> {
    let bus = BusEvent::parse(body)?;
    Ok(match bus.event(producers) {
        Ok(event) => {
            let received = received(event, &bus, |source| producers.may_replay(source));
            Record::of(&received, &bus, marks, now)
        }
        Err(refusal) => Record::refused(&bus, &refusal, now),
    })
}

#[cfg(test)]
mod tests;
