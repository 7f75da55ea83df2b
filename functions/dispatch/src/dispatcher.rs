//! One batch from the bus.

use std::collections::BTreeSet;

use aws_types::SdkConfig;
use domain::catalog::Catalog;
use domain::channel::Channel;
use domain::decide::{Facts, decide};
use domain::event::{Event, Refusal};
use domain::plan::Plan;
use queue::{Cause, Outgoing, Queue, Sqs};
use runtime::{Batch, Error, Message, Report, chain, now};
use store::{Ledger, LedgerRow, People};
use templates::Renderer;

use crate::{Config, Intake, read, work};

/// Everything dispatch holds on to between invocations.
pub struct Dispatcher {
    catalog: Catalog,
    renderer: Renderer,
    people: People,
    ledger: Ledger,
    dead_letters: Queue,
    channels: Vec<(Channel, Queue)>,
}

/// Everything a batch sends, with the place in the batch of the event behind it.
#[derive(Default)]
struct Harvest {
    jobs: Vec<(usize, Channel, Outgoing)>,
    outcomes: Vec<(usize, LedgerRow)>,
}

impl Dispatcher {
    #[must_use]
    pub fn new(aws: &SdkConfig, config: Config) -> Dispatcher {
        let sqs = Sqs::new(aws);
        let tables = store::client(aws);
        let channels = config.channels.into_iter().map(|(channel, url)| (channel, Queue::new(&sqs, url)));
        Dispatcher {
            renderer: Renderer::new(&config.catalog),
            catalog: config.catalog,
            people: People::new(&tables, config.people_table),
            ledger: Ledger::new(&tables, config.ledger_table),
            dead_letters: Queue::new(&sqs, config.dead_letters_url),
            channels: channels.collect(),
        }
    }

    /// Decides about every event of the batch. An event whose jobs or outcomes could not all be handed over comes
    /// back; the others are done with.
    ///
    /// # Errors
    /// People could not be looked up: the whole batch comes back, and nothing was sent.
    pub async fn handle(&self, batch: Batch) -> Result<Report, Error> {
        let mut report = Report::default();
        let mut events: Vec<(&Message, Box<Event>)> = Vec::with_capacity(batch.messages.len());
        for message in &batch.messages {
            match read(&message.body) {
                Intake::Event(event) => events.push((message, event)),
                Intake::Refused(refusal) => self.bury(message, &refusal, &mut report).await,
            }
        }
        let harvest = self.harvest(&events).await?;
        let (jobs, outcomes) = (harvest.jobs.len(), harvest.outcomes.len());
        for at in self.hand_over(harvest).await {
            report.show_again(events[at].0);
        }
        tracing::info!(
            messages = batch.messages.len(),
            jobs,
            outcomes,
            returned = report.returned(),
            catalog = self.catalog.version(),
            "batch dispatched"
        );
        Ok(report)
    }

    async fn harvest(&self, events: &[(&Message, Box<Event>)]) -> Result<Harvest, Error> {
        let plans: Vec<Plan<'_>> = events.iter().map(|(_, event)| Plan::of(event, &self.catalog)).collect();
        let ids: BTreeSet<&str> = plans.iter().flat_map(Plan::people).collect();
        let recipients = self.people.find(&ids).await?;
        let facts = Facts { recipients: &recipients, now: now() };
        let mut harvest = Harvest::default();
        for (at, plan) in plans.iter().enumerate() {
            let work = work(plan, decide(plan, &facts), &self.renderer);
            harvest.jobs.extend(work.jobs.into_iter().map(|(channel, it)| (at, channel, it)));
            harvest.outcomes.extend(work.outcomes.into_iter().map(|it| (at, it)));
        }
        Ok(harvest)
    }

    /// Sends the jobs and writes the outcomes; returns the events for which something is missing.
    async fn hand_over(&self, harvest: Harvest) -> BTreeSet<usize> {
        let mut incomplete = BTreeSet::new();
        for (channel, queue) in &self.channels {
            let of_channel = || harvest.jobs.iter().filter(|(_, it, _)| it == channel);
            let messages: Vec<Outgoing> = of_channel().map(|(_, _, it)| it.clone()).collect();
            for ((at, ..), sent) in of_channel().zip(queue.send(&messages).await) {
                if let Err(refused) = sent {
                    tracing::error!(
                        channel = channel.name(),
                        error = chain(&refused),
                        "a job was not queued"
                    );
                    incomplete.insert(*at);
                }
            }
        }
        let (ats, rows): (Vec<usize>, Vec<LedgerRow>) = harvest.outcomes.into_iter().unzip();
        if let Err(refused) = self.ledger.record(&rows, now()).await {
            tracing::error!(error = chain(&refused), "outcomes are not on record");
            incomplete.extend(ats);
        }
        incomplete
    }

    async fn bury(&self, message: &Message, refusal: &Refusal, report: &mut Report) {
        let detail = refusal.to_string();
        tracing::warn!(message.id = message.message_id, detail, "an event is refused");
        let cause = Cause { class: "refused", detail, by: "dispatch" };
        if let Err(refused) = self.dead_letters.bury(&message.body, None, &cause).await {
            tracing::error!(error = chain(&refused), "it stays in the queue");
            report.show_again(message);
        }
    }
}
