//! One batch of receipts.

use std::collections::BTreeMap;

use aws::{Refused, Verdict};
use aws_types::SdkConfig;
use domain::Timestamp;
use domain::keyed_hash::KeyedHashes;
use domain::plan::Audience;
use domain::producers::Tenants;
use domain::receipt::{Heard, Progress, Receipt, read};
use domain::registry::{Amendment, Change, Stamp};
use futures_util::stream::{self, StreamExt as _};
use queue::{Cause, Past, Queue, Sqs};
use runtime::{Batch, Message, Report, chain, now};
use store::{Counters, Ledger, NotApplied, People, Told};

use crate::Config;
use crate::post::look_again;

/// How many notifications are heard of at once.
const AT_ONCE: usize = 8;

/// How often a write that somebody else was quicker than is tried again before the message comes back.
const ROUNDS: usize = 5;

/// Everything the function holds on to between invocations.
pub struct Clerk {
    ledger: Ledger,
    people: People,
    counters: Counters,
    hashes: KeyedHashes,
    queue: Queue,
    dead_letters: Queue,
}

/// What became of a receipt.
enum Filed {
    /// It is in the ledger.
    Heard,
    /// The ledger knew it, or something that outranks it.
    Known,
    /// There is no such notification, or its sender is not through with it.
    Early,
}

/// How many messages came to what.
#[derive(Default)]
struct Counts {
    heard: usize,
    known: usize,
    early: usize,
    dropped: usize,
    nothing: usize,
    inbound: usize,
}

impl Clerk {
    #[must_use]
    pub fn new(aws: &SdkConfig, config: Config) -> Clerk {
        let (tables, sqs) = (store::client(aws), Sqs::new(aws));
        Clerk {
            ledger: Ledger::new(&tables, config.ledger_table),
            people: People::new(&tables, config.people_table).with_addresses(),
            counters: Counters::new(&tables, config.counters_table),
            hashes: config.hashes,
            queue: Queue::new(&sqs, config.queue_url),
            dead_letters: Queue::new(&sqs, config.dead_letters_url),
        }
    }

    /// Files every receipt of the batch. What cannot be filed yet comes back; what belongs to no notification of ours is
    /// dropped after five minutes; what is no receipt is put aside at once. Doing it twice is harmless.
    pub async fn handle(&self, batch: Batch) -> Report {
        let mut report = Report::default();
        let mut counts = Counts::default();
        // Those about one message one after the other: they would be in each other's way.
        let mut about: BTreeMap<String, Vec<(&Message, Receipt)>> = BTreeMap::new();
        for message in &batch.messages {
            match read(&message.body) {
                Ok(Heard::Receipt(receipt)) => {
                    let name = receipt.provider_id.clone().unwrap_or_default();
                    about.entry(name).or_default().push((message, receipt));
                }
                // From now on they may be written to freely, for a day.
                Ok(Heard::Inbound(inbound)) => {
                    match self.counters.hear(&self.hashes.caller(&inbound.from), inbound.at).await {
                        Ok(()) => counts.inbound += 1,
                        Err(refused) => {
                            tracing::warn!(
                                error = chain(&refused),
                                "that somebody wrote to us is not on record"
                            );
                            report.show_again(message);
                        }
                    }
                }
                Ok(Heard::Nothing(what)) => {
                    tracing::info!(message.id = message.message_id, what, "nothing to file");
                    counts.nothing += 1;
                }
                Err(refusal) => self.bury(message, refusal.to_string(), &mut report).await,
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
            messages = batch.messages.len(),
            heard = counts.heard,
            known = counts.known,
            early = counts.early,
            dropped = counts.dropped,
            nothing = counts.nothing,
            inbound = counts.inbound,
            returned = report.returned(),
            "batch filed"
        );
        report
    }

    async fn file(&self, message: &Message, receipt: &Receipt, now: Timestamp) -> Result<Filed, Refused> {
        for _ in 0..ROUNDS {
            let Some(told) = self.find(receipt).await? else { return Ok(Filed::Early) };
            // A no may be about an attempt that another one follows.
            let is_under_way = told.progress.is_open() && !receipt.news.is_good();
            if is_under_way && look_again(message, now).is_some() {
                return Ok(Filed::Early);
            }
            // No provider's clock is ahead of ours when it counts against somebody.
            let at = receipt.at.min(now);
            self.close(&told, receipt, at).await?;
            let to: Progress = told.progress.hear(receipt.news, at);
            if to == told.progress {
                return Ok(Filed::Known);
            }
            if self.ledger.advance(&told, &to, receipt.provider_id.as_deref(), now).await? {
                return Ok(Filed::Heard);
            }
        }
        let source = "others write about this notification all the time".into();
        Err(Refused { doing: "write what was heard of a notification", verdict: Verdict::Transient, source })
    }

    async fn find(&self, receipt: &Receipt) -> Result<Option<Told>, Refused> {
        let key = match (&receipt.key, &receipt.provider_id) {
            (Some(key), _) => Some(key.clone()),
            (None, Some(id)) => self.ledger.called(id).await?,
            (None, None) => None,
        };
        match key {
            Some(key) => self.ledger.told(&key).await,
            None => Ok(None),
        }
    }

    /// Closes the address for its term: for whoever it belongs to, and for events that name nothing but it. First of
    /// all, so that who reads of the bounce can rely on it.
    async fn close(&self, told: &Told, receipt: &Receipt, at: Timestamp) -> Result<(), Refused> {
        let (Some(channel), Some(address)) = (told.channel, &told.address) else { return Ok(()) };
        let Some(closed) = receipt.news.closes(channel, address, at) else { return Ok(()) };
        self.counters.close_address(&closed).await?;
        let Some(id) = Audience::person_called(&told.recipient) else { return Ok(()) };
        let stamp = Stamp { at, by: format!("receipt {}", told.key.as_str()) };
        let change =
            Amendment { id: id.to_owned(), change: Change::Close(closed), stamp, reach: Tenants::All };
        match self.people.apply(&[change]).await.pop() {
            None | Some(Ok(_)) => Ok(()),
            Some(Err(NotApplied::Refused(refused))) => Err(refused),
            // It is no patch that could not fit.
            Some(Err(NotApplied::Unfit(_))) => Ok(()),
        }
    }

    async fn answer(
        &self,
        message: &Message,
        receipt: &Receipt,
        answer: Result<Filed, Refused>,
        report: &mut Report,
        counts: &mut Counts,
    ) {
        match answer {
            Ok(Filed::Heard) => counts.heard += 1,
            Ok(Filed::Known) => counts.known += 1,
            Ok(Filed::Early) => match look_again(message, now()) {
                Some(pause) => {
                    counts.early += 1;
                    report.show_again(message);
                    if let Err(refused) = self.queue.show_after(&message.receipt_handle, pause).await {
                        tracing::warn!(error = chain(&refused), "the queue keeps its own time");
                    }
                }
                None => {
                    counts.dropped += 1;
                    let (provider_id, news) = (receipt.provider_id.as_deref(), format!("{:?}", receipt.news));
                    tracing::warn!(provider_id, news, "a receipt of no message of ours is dropped");
                }
            },
            Err(refused) => {
                tracing::warn!(message.id = message.message_id, error = chain(&refused), "not filed yet");
                report.show_again(message);
            }
        }
    }

    async fn bury(&self, message: &Message, detail: String, report: &mut Report) {
        tracing::error!(message.id = message.message_id, detail, "what came is no receipt");
        let cause = Cause { class: "refused", detail, by: "feedback" };
        let past = Past { first_at: message.first_sent_at(), attempts: message.receive_count() };
        if let Err(refused) = self.dead_letters.bury(&message.body, None, &cause, past).await {
            tracing::error!(error = chain(&refused), "it stays in the queue");
            report.show_again(message);
        }
    }
}
