//! The audit function: stores every event of the bus once.
//!
//! The function appends events and acknowledges outbox entries. Its role may insert into the events
//! table and remove the attribute `pending` from a row. It may not change or delete events. An outbox
//! entry is acknowledged only by an event that is proven to be the stored one. The relay marks the
//! events it publishes, and the table compares digests. A mark without proof is recorded as an ordinary
//! event with a finding. Events that dispatch refuses are stored too, with the reason.

use std::collections::BTreeSet;

use aws::Verdict;
use aws_types::SdkConfig;
use domain::Timestamp;
use domain::audit::access::AccessRecord;
use domain::base::finding::Finding;
use domain::base::stack_secret::StackSecret;
use domain::event::Refusal;
use domain::event::bus::BusEvent;
use domain::event::outbox_mark::MarkKey;
use domain::event::producers::Producers;
use domain::event::replay::received;
use domain::event::retention::Retention;
use queue::{Cause, MessageHistory, Queue, Sqs};
use runtime::{Batch, Env, Error, Message, Report, chain, now};
use store::{Events, Record};

/// The audit function.
pub struct Audit {
    events: Events,
    dead_letters: Queue,
    retention: Retention,
    /// The key that verifies the marks of relay and sweep.
    marks: MarkKey,
    producers: Producers,
}

impl Audit {
    /// Reads the settings.
    ///
    /// # Errors
    /// A variable is missing or malformed, the stack's secret is too short, or the policy file is
    /// unusable.
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

    /// Appends every event of the batch. Messages whose event was not stored are returned to the queue.
    ///
    /// # Errors
    /// The call to the table failed, and the whole batch is returned. Appending twice is harmless.
    pub async fn keep(&self, batch: Batch) -> Result<Report, Error> {
        let mut report = Report::default();
        let (mut messages, mut records, mut unreadable) = (Vec::new(), Vec::new(), Vec::new());
        for message in &batch.messages {
            let now = now();
            match rows(message.body.expose(), &self.producers, &self.marks, now) {
                Ok(rows) => {
                    for row in rows {
                        let days = row.get("type").and_then(|row| self.retention.days(row));
                        messages.push(message);
                        records.push(row.kept_for(days, now));
                    }
                }
                Err(refusal) => unreadable.push((message, refusal)),
            }
        }
        let appended = self.events.append(&records).await?;
        // Unreadable messages move only after the append succeeded. A batch that fails as a whole is
        // redelivered, and they would move twice.
        for (message, refusal) in unreadable {
            self.dead_letter(message, "unreadable", &refusal.to_string(), &mut report).await;
        }
        let mut new = 0;
        // A message with several rows is reported once.
        let mut reported = BTreeSet::new();
        for ((message, record), kept) in messages.into_iter().zip(&records).zip(appended) {
            match kept {
                Ok(kept) => {
                    new += usize::from(kept.is_new);
                    tell_findings(record, &kept.findings);
                }
                Err(_) if !reported.insert(&message.message_id) => {}
                Err(refused) if refused.verdict == Verdict::Permanent => {
                    self.dead_letter(message, "not_storable", &chain(&refused), &mut report).await;
                }
                Err(refused) => {
                    tracing::warn!(
                        code = "AUDIT_RETRY",
                        message.id = message.message_id,
                        error = chain(&refused),
                        "message returned to the queue: the event was not stored"
                    );
                    report.redeliver(message);
                }
            }
        }
        tracing::info!(
            code = "AUDIT_BATCH",
            messages = batch.messages.len(),
            new,
            returned = report.returned(),
            "batch stored"
        );
        Ok(report)
    }

    async fn dead_letter(&self, message: &Message, class: &'static str, detail: &str, report: &mut Report) {
        tracing::error!(
            code = "MESSAGE_REFUSED",
            message.id = message.message_id,
            detail,
            "message moves to the dead-letter queue: its content cannot be processed"
        );
        let cause = Cause { class, detail: detail.to_owned(), by: "audit" };
        let past = MessageHistory { first_at: message.first_sent_at(), attempts: message.receive_count() };
        if let Err(refused) = self.dead_letters.dead_letter(message.body.expose(), None, &cause, past).await {
            tracing::error!(
                code = "DEAD_LETTER_NOT_SENT",
                error = chain(&refused),
                "message returned to the queue: the dead-letter queue did not accept it"
            );
            report.redeliver(message);
        }
    }
}

/// Logs one line for each finding, so that alarms can count its code.
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

/// The rows of one message: several for an access record of a list of people, otherwise one.
///
/// # Errors
/// [`Refusal`] if the text is neither an access record nor an event of an EventBridge rule.
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

/// The row of one message: the parsed event, or the original text with the reason of the refusal.
///
/// # Errors
/// [`Refusal`] if the text is not an event of an EventBridge rule.
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
