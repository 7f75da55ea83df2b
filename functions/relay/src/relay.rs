//! Handles one invocation.

use aws_types::SdkConfig;
use publish::EventBridge;
use queue::{Cause, MessageHistory, Queue, Sources, Sqs};
use runtime::{Batch, Deadline, Error, Invocation, Message, Report, chain, run_isolated};
use serde::Serialize;
use store::{Ledger, Waiting};

use crate::config::Config;
use crate::delivery_events::{DeliveryEventRelay, is_over};
use crate::intake::{Change, Intake, Note, Part, table_of};
use crate::outbox::OutboxRelay;
use crate::shard::Shards;

/// The relay of both streams.
pub struct Relay {
    outbox: OutboxRelay,
    delivery_state: DeliveryEventRelay,
    shards: Shards,
    dead_letters: Queue,
    sources: Sources,
    events_table: String,
    ledger_table: String,
}

/// The answer to Lambda. For a stream it always reports success. Failed records fail the invocation,
/// because partial answers of streams are not supported everywhere.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Answer(Report);

/// Some records must be retried.
#[derive(Debug, thiserror::Error)]
#[error("{again} of {of} could not be published; they come again")]
struct ComeAgain {
    again: usize,
    of: usize,
}

impl Relay {
    #[must_use]
    pub fn new(aws: &SdkConfig, config: Config) -> Relay {
        let (tables, sqs) = (store::client(aws), Sqs::new(aws));
        let bus = EventBridge::new(aws, config.bus);
        let waiting = Waiting::new(&tables, config.events_table.clone());
        let sources = Sources::beside(aws, &config.dead_letters_url);
        let dead_letters = Queue::new(&sqs, config.dead_letters_url);
        Relay {
            outbox: OutboxRelay::new(
                outbox_relay::Relay::new(bus.clone(), waiting).restricted_to(config.producers),
                Queue::new(&sqs, config.critical_queue_url),
                config.critical_types,
                config.marks,
            ),
            delivery_state: DeliveryEventRelay {
                bus,
                ledger: Ledger::new(&tables, config.ledger_table.clone()),
                dead_letters: dead_letters.clone(),
            },
            shards: Shards { config: aws.clone() },
            dead_letters,
            sources,
            events_table: config.events_table,
            ledger_table: config.ledger_table,
        }
    }

    /// Handles an invocation.
    ///
    /// # Errors
    /// Some stream records must be retried, and Lambda retries all of them. Events published before have
    /// the same ids.
    pub async fn handle(&self, invocation: &Invocation) -> Result<Answer, Error> {
        match Intake::read(invocation.payload.get())? {
            Intake::Changes(changes) => {
                self.publish(changes, invocation.deadline).await?;
                Ok(Answer(Report::default()))
            }
            Intake::Messages(messages) => {
                // The relay claims no notifications, so the id is not used.
                let batch = Batch { messages, request_id: String::new(), deadline: invocation.deadline };
                let notes = async |message: Batch| Ok(self.notes(&message.messages, message.deadline).await);
                let delete = async |queue: &str, receipt: &str| self.sources.delete(queue, receipt).await;
                run_isolated(batch, &notes, &delete).await.map(Answer)
            }
        }
    }

    async fn publish(&self, changes: Vec<Change>, deadline: Deadline) -> Result<(), Error> {
        let of = changes.len();
        let (events, changes): (Vec<_>, Vec<_>) =
            changes.into_iter().partition(|change| change.is_of(&self.events_table));
        let ledger: Vec<Change> =
            changes.into_iter().filter(|change| change.is_of(&self.ledger_table)).collect();
        let outbox = self.outbox.publish(events, deadline).await;
        let delivery_state = self.delivery_state.tell(&ledger, deadline).await?;
        let again = outbox.again + delivery_state.again;
        tracing::info!(
            code = "RELAY_BATCH",
            records = of,
            published = outbox.published,
            set_aside = outbox.set_aside,
            delivery_state = delivery_state.delivery_state,
            again,
            "batch of stream records relayed"
        );
        if again > 0 { Err(ComeAgain { again, of }.into()) } else { Ok(()) }
    }

    /// Handles the messages of the relay's own queue, one by one.
    async fn notes(&self, messages: &[Message], deadline: Deadline) -> Report {
        let mut report = Report::default();
        for message in messages {
            let changes = match Note::read(message.body.expose()) {
                Ok(Note::Changes(changes)) => changes,
                Ok(Note::GivenUp(part)) => match self.read_back(&part, message, &mut report).await {
                    Some(changes) => changes,
                    None => continue,
                },
                Err(error) => {
                    self.dead_letter(message, "unreadable", error.to_string(), &mut report).await;
                    continue;
                }
            };
            if let Err(error) = self.publish(changes, deadline).await {
                tracing::warn!(
                    code = "RELAY_RETRY",
                    message.id = message.message_id,
                    error = chain(error.as_ref()),
                    "message returned to the queue: its records were not all published"
                );
                report.redeliver(message);
            }
        }
        report
    }

    /// Reads back the records that Lambda gave up. Outbox entries need no read, because unpublished ones
    /// are pending and the sweep finds them.
    async fn read_back(&self, part: &Part, message: &Message, report: &mut Report) -> Option<Vec<Change>> {
        let table = table_of(&part.stream_arn).unwrap_or_default();
        tracing::error!(
            code = "RELAY_STREAM_GAP",
            table,
            shard = part.shard_id,
            records = part.batch_size,
            "stream records given up by Lambda: rows of the ledger are read back, outbox entries are left to the sweep"
        );
        if table != self.ledger_table {
            return None;
        }
        match self.shards.read(part).await {
            Ok(changes) => Some(changes),
            Err(refused) if is_over(&refused) => {
                self.dead_letter(message, "trimmed", chain(&refused), report).await;
                None
            }
            Err(refused) => {
                tracing::error!(
                    code = "RELAY_RETRY",
                    error = chain(&refused),
                    "message returned to the queue: the stream records were not read back"
                );
                report.redeliver(message);
                None
            }
        }
    }

    async fn dead_letter(&self, message: &Message, class: &'static str, detail: String, report: &mut Report) {
        tracing::error!(
            code = "MESSAGE_REFUSED",
            message.id = message.message_id,
            detail,
            "message moves to the dead-letter queue: its content cannot be processed"
        );
        let cause = Cause { class, detail, by: "relay" };
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
