//! Handles one batch of receipts.

use std::collections::BTreeMap;

use aws::{CallError, Verdict};
use aws_types::SdkConfig;
use domain::Timestamp;
use domain::decide::plan::Audience;
use domain::event::producers::Tenants;
use domain::feedback::receipt::{DeliveryState, ProviderEvent, Receipt, read};
use domain::recipient::keyed_hash::KeyedHashes;
use domain::recipient::recipient_changes::{Change, RecipientChange, Stamp};
use futures_util::stream::{self, StreamExt as _};
use queue::{Cause, MessageHistory, Queue, Sqs};
use runtime::{Batch, Message, Report, chain, now};
use store::{Counters, Ledger, NotApplied, People, StoredReceipts};

use crate::Config;
use crate::receipt_backoff::look_again;

/// The number of notifications handled in parallel.
const AT_ONCE: usize = 8;

/// How often a write that lost a race is repeated before the message returns to the queue.
const ROUNDS: usize = 5;

/// The clients of the function, kept between invocations.
pub struct ReceiptHandler {
    ledger: Ledger,
    people: People,
    counters: Counters,
    hashes: KeyedHashes,
    queue: Queue,
    dead_letters: Queue,
}

/// The result of a receipt.
enum Filed {
    /// The receipt was recorded in the ledger.
    ProviderEvent,
    /// The ledger already had this or a later status.
    Known,
    /// The notification does not exist, or its sender has not settled it yet.
    Early,
}

/// The number of messages for each result.
#[derive(Default)]
struct Counts {
    heard: usize,
    known: usize,
    early: usize,
    dropped: usize,
    nothing: usize,
    inbound: usize,
}

impl ReceiptHandler {
    #[must_use]
    pub fn new(aws: &SdkConfig, config: Config) -> ReceiptHandler {
        let (tables, sqs) = (store::client(aws), Sqs::new(aws));
        ReceiptHandler {
            ledger: Ledger::new(&tables, config.ledger_table),
            people: People::new(&tables, config.people_table).with_addresses(),
            counters: Counters::new(&tables, config.counters_table),
            hashes: config.hashes,
            queue: Queue::new(&sqs, config.queue_url),
            dead_letters: Queue::new(&sqs, config.dead_letters_url),
        }
    }

    /// Records every receipt of the batch. A receipt that cannot be recorded yet returns to the queue. A
    /// receipt of an unknown notification is dropped after five minutes. Other messages go to the
    /// dead-letter queue. A repeat is harmless.
    pub async fn handle(&self, batch: Batch) -> Report {
        let mut report = Report::default();
        let mut counts = Counts::default();
        // Receipts of one notification are handled in sequence, because their writes conflict.
        let mut about: BTreeMap<String, Vec<(&Message, Receipt)>> = BTreeMap::new();
        for message in &batch.messages {
            match read(message.body.expose()) {
                Ok(ProviderEvent::Receipt(receipt)) => {
                    let name = receipt.provider_id.clone().unwrap_or_default();
                    about.entry(name).or_default().push((message, receipt));
                }
                // From now on the sender may be messaged freely for one day.
                Ok(ProviderEvent::Inbound(inbound)) => {
                    match self.counters.hear(&self.hashes.caller(&inbound.from), inbound.at).await {
                        Ok(()) => counts.inbound += 1,
                        Err(refused) => {
                            tracing::warn!(
                                code = "FEEDBACK_INBOUND_NOT_STORED",
                                error = chain(&refused),
                                "message returned to the queue: the inbound WhatsApp message was not recorded"
                            );
                            report.redeliver(message);
                        }
                    }
                }
                Ok(ProviderEvent::Nothing(what)) => {
                    tracing::info!(
                        code = "FEEDBACK_IGNORED",
                        message.id = message.message_id,
                        what,
                        "provider event ignored: no status to record"
                    );
                    counts.nothing += 1;
                }
                Err(refusal) => self.dead_letter(message, refusal.to_string(), &mut report).await,
            }
        }
        let filed: Vec<_> = stream::iter(about.into_values())
            .map(async |receipts| {
                let mut filed = Vec::with_capacity(receipts.len());
                for (message, receipt) in receipts {
                    let answer = self.file(message, &receipt, now()).await;
                    filed.push((message, receipt, answer));
                }
                filed
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        for (message, receipt, answer) in filed.into_iter().flatten() {
            self.answer(message, &receipt, answer, &mut report, &mut counts).await;
        }
        tracing::info!(
            code = "FEEDBACK_BATCH",
            messages = batch.messages.len(),
            heard = counts.heard,
            known = counts.known,
            early = counts.early,
            dropped = counts.dropped,
            nothing = counts.nothing,
            inbound = counts.inbound,
            returned = report.returned(),
            "batch of receipts recorded"
        );
        report
    }

    async fn file(&self, message: &Message, receipt: &Receipt, now: Timestamp) -> Result<Filed, CallError> {
        for _ in 0..ROUNDS {
            let Some(stored) = self.find(receipt).await? else { return Ok(Filed::Early) };
            // A failure may concern an attempt that was followed by another one.
            let is_under_way = stored.progress.is_open() && !receipt.news.is_good();
            if is_under_way && look_again(message, now).is_some() {
                return Ok(Filed::Early);
            }
            // A provider's clock that is ahead must not extend a suppression.
            let at = receipt.at.min(now);
            self.close(&stored, receipt, at).await?;
            let to: DeliveryState = stored.progress.hear(receipt.news, at);
            if to == stored.progress {
                return Ok(Filed::Known);
            }
            if self.ledger.advance(&stored, &to, receipt.provider_id.as_deref(), now).await? {
                return Ok(Filed::ProviderEvent);
            }
        }
        let source = "others write about this notification all the time".into();
        Err(CallError { doing: "record a receipt", verdict: Verdict::Transient, source })
    }

    async fn find(&self, receipt: &Receipt) -> Result<Option<StoredReceipts>, CallError> {
        let key = match (&receipt.key, &receipt.provider_id) {
            (Some(key), _) => Some(key.clone()),
            (None, Some(id)) => self.ledger.called(id).await?,
            (None, None) => None,
        };
        match key {
            Some(key) => self.ledger.stored(&key).await,
            None => Ok(None),
        }
    }

    /// Suppresses the address for its term, for its owner and for events that name only the address.
    /// This comes first, so that readers of the bounce can rely on the suppression.
    async fn close(
        &self,
        stored: &StoredReceipts,
        receipt: &Receipt,
        at: Timestamp,
    ) -> Result<(), CallError> {
        let (Some(channel), Some(address)) = (stored.channel, &stored.address) else { return Ok(()) };
        let Some(closed) = receipt.news.closes(channel, address, at) else { return Ok(()) };
        self.counters.suppress_address(&closed).await?;
        let Some(id) = Audience::user_id_in_name(&stored.recipient) else { return Ok(()) };
        let stamp = Stamp { at, by: format!("receipt {}", stored.key.as_str()) };
        let change =
            RecipientChange { id: id.to_owned(), change: Change::Close(closed), stamp, reach: Tenants::All };
        match self.people.apply(&[change]).await.pop() {
            None | Some(Ok(_)) => Ok(()),
            Some(Err(NotApplied::Refused(refused))) => Err(refused),
            // This is not a patch, so a mismatch cannot occur.
            Some(Err(NotApplied::Unfit(_))) => Ok(()),
        }
    }

    async fn answer(
        &self,
        message: &Message,
        receipt: &Receipt,
        answer: Result<Filed, CallError>,
        report: &mut Report,
        counts: &mut Counts,
    ) {
        match answer {
            Ok(Filed::ProviderEvent) => counts.heard += 1,
            Ok(Filed::Known) => counts.known += 1,
            Ok(Filed::Early) => match look_again(message, now()) {
                Some(pause) => {
                    counts.early += 1;
                    report.redeliver(message);
                    if let Err(refused) = self.queue.show_after(&message.receipt_handle, pause).await {
                        tracing::warn!(
                            code = "QUEUE_DELAY_NOT_SET",
                            error = chain(&refused),
                            "message redelivered after the visibility timeout of its queue: the wanted delay was not set"
                        );
                    }
                }
                None => {
                    counts.dropped += 1;
                    let (provider_id, news) = (receipt.provider_id.as_deref(), format!("{:?}", receipt.news));
                    tracing::warn!(
                        code = "FEEDBACK_RECEIPT_UNMATCHED",
                        provider_id,
                        news,
                        "receipt dropped: no notification has its provider id"
                    );
                }
            },
            Err(refused) => {
                tracing::warn!(
                    code = "FEEDBACK_RETRY",
                    message.id = message.message_id,
                    error = chain(&refused),
                    "message returned to the queue: the receipt was not recorded"
                );
                report.redeliver(message);
            }
        }
    }

    async fn dead_letter(&self, message: &Message, detail: String, report: &mut Report) {
        tracing::error!(
            code = "MESSAGE_REFUSED",
            message.id = message.message_id,
            detail,
            "message moves to the dead-letter queue: its content cannot be processed"
        );
        let cause = Cause { class: "refused", detail, by: "feedback" };
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
