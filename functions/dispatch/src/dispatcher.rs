//! The handling of one batch: reads messages, asks the engine for decisions, and writes the output.

use aws::CallError;
use aws_types::SdkConfig;
use domain::Timestamp;
use domain::catalog::Catalog;
use domain::decide::{Decision, Note};
use domain::event::{Event, Refusal};
use engine::{Engine, Lane, Output, OutputSettings, PAGE_SIZE, Planned, ScheduledMessage, Subject};
use queue::{Cause, MAX_MESSAGE_BYTES, MessageHistory, Queue, Sqs, newer_release_pause};
use runtime::{Batch, Deadline, Error, Message, Report, chain, now};
use schedule::Schedules;
use store::{Counters, Endpoints, Ledger, People};
use templates::Renderer;

use crate::lane::Lanes;
use crate::rate::{self, Counted};
use crate::tables::Tables;
use crate::writer::{BatchOutput, OutputWriter};
use crate::{Config, Intake, read};

/// The clients and the catalog that a process keeps between invocations.
pub struct Dispatcher {
    catalog: Catalog,
    renderer: Renderer,
    links: engine::UnsubscribeLinks,
    tables: Tables,
    writer: OutputWriter,
    dead_letters: Queue,
    /// The function's name, under which metrics are written.
    function: String,
}

/// A message that was read.
struct Inbound<'a> {
    message: &'a Message,
    subject: Subject,
}

/// A message with its plan.
struct Candidate<'a> {
    message: &'a Message,
    planned: Planned<'a>,
    /// The seconds that the event has to wait, because it is over a rate.
    wait: Option<u64>,
}

impl Dispatcher {
    #[must_use]
    pub fn new(aws: &SdkConfig, config: Config) -> Dispatcher {
        let sqs = Sqs::new(aws);
        let tables = store::client(aws);
        let queue = |url| Queue::new(&sqs, url);
        let channels = config.channels.into_iter();
        let channels = channels.flat_map(|(channel, normal, critical)| {
            [(channel, false, queue(normal)), (channel, true, queue(critical))]
        });
        let ledger = Ledger::new(&tables, config.ledger_table);
        let counters = Counters::new(&tables, config.counters_table);
        Dispatcher {
            renderer: Renderer::new(&config.catalog),
            catalog: config.catalog,
            links: config.links,
            writer: OutputWriter {
                channels: channels.collect(),
                lanes: Lanes::new(&sqs, config.lanes, Schedules::new(aws, config.schedule), config.targets),
                counters: counters.clone(),
                ledger: ledger.clone(),
            },
            tables: Tables {
                people: People::new(&tables, config.people_table),
                endpoints: Endpoints::new(&tables, config.endpoints_table),
                counters,
                ledger,
            },
            dead_letters: Queue::new(&sqs, config.dead_letters_url),
            function: config.function,
        }
    }

    /// Handles every message of the batch. A message returns to the queue if a look-up failed or its output is not
    /// complete.
    ///
    /// # Errors
    /// Profiles could not be looked up: the whole batch returns to the queue, and no job was sent.
    pub async fn handle(&self, batch: Batch) -> Result<Report, Error> {
        let now = now();
        let mut report = Report::default();
        let inbound = self.read(&batch, now, &mut report).await;
        let mut candidates = Vec::with_capacity(inbound.len());
        for Inbound { message, subject } in &inbound {
            match self.engine().plan(subject, now).await {
                Ok(planned) => candidates.push(Candidate { message, planned, wait: None }),
                Err(refused) => return_to_queue(message, &refused, &mut report),
            }
        }
        self.count_rates(&mut candidates, now).await;
        let output = self.decide(&candidates, batch.deadline, now, &mut report).await?;
        let counts = output.counts();
        for message in self.writer.write(output, now).await {
            report.redeliver(message);
        }
        tracing::info!(
            messages = batch.messages.len(),
            jobs = counts.jobs,
            outcomes = counts.outcomes,
            later = counts.later,
            returned = report.returned(),
            catalog = self.catalog.version(),
            code = "DISPATCH_BATCH",
            "batch of events processed"
        );
        Ok(report)
    }

    fn engine(&self) -> Engine<'_, Tables> {
        let (catalog, renderer, facts) = (&self.catalog, &self.renderer, &self.tables);
        Engine { catalog, renderer, facts, page_size: PAGE_SIZE }
    }

    /// Reads the messages. A message that cannot be read becomes a dead letter. If a look-up fails, the message
    /// returns to the queue.
    async fn read<'a>(&self, batch: &'a Batch, now: Timestamp, report: &mut Report) -> Vec<Inbound<'a>> {
        let mut inbound = Vec::with_capacity(batch.messages.len());
        for message in &batch.messages {
            match read(message.body.expose(), &self.catalog.policy().producers) {
                Intake::Event(event) => inbound.push(Inbound { message, subject: Subject::event(*event) }),
                Intake::Continuation { event, rule, task } => {
                    match self.engine().resume(*event, rule, task, now).await {
                        Ok(subject) => inbound.push(Inbound { message, subject }),
                        Err(refused) => return_to_queue(message, &refused, report),
                    }
                }
                Intake::Newer(version) => {
                    self.leave_to_newer(message, version, batch.deadline).await;
                    report.redeliver(message);
                }
                Intake::Refused(refusal) => self.dead_letter(message, &refusal, report).await,
            }
        }
        inbound
    }

    /// Hides a continuation of a newer release. The pause grows with each delivery, as for newer jobs in channels.
    async fn leave_to_newer(&self, message: &Message, version: u32, deadline: Deadline) {
        let pause = newer_release_pause(message.receive_count());
        tracing::warn!(
            message.id = message.message_id,
            version,
            pause_s = pause.as_secs(),
            code = "WAKE_NEWER",
            "a continuation was written by a newer release: returned to the queue until a dispatch of that release reads it"
        );
        let hidden = tokio::time::timeout(deadline.left(now()), self.writer.hide(message, pause));
        let error = match hidden.await {
            Ok(Ok(())) => return,
            Ok(Err(refused)) => chain(&refused),
            Err(late) => chain(&late),
        };
        tracing::warn!(error, code = "WAKE_NEWER", "the message is shown after the queue's own time");
    }

    /// Counts the events of the batch by tenant and by source, and sets the seconds that an event over a rate has to
    /// wait. Continuations are not counted, because their events were counted on arrival.
    async fn count_rates(&self, candidates: &mut [Candidate<'_>], now: Timestamp) {
        let counted: Vec<&mut Candidate<'_>> =
            candidates.iter_mut().filter(|candidate| !candidate.planned.is_continued()).collect();
        let events: Vec<Counted> =
            counted.iter().map(|candidate| Counted::of(&candidate.planned.plan)).collect();
        let over = rate::over(&events, self.catalog.policy(), &self.tables.counters, now).await;
        let (critical, normal): (Vec<&Counted>, Vec<&Counted>) = events
            .iter()
            .zip(&over)
            .filter_map(|(event, over)| over.is_some().then_some(event))
            .partition(|event| event.critical);
        let counts = [("EventsOverRate", normal.len()), ("CriticalEventsOverRate", critical.len())];
        runtime::count(&counts.map(|(name, count)| (name, count_of(count))), &self.function, now);
        for (candidate, wait) in counted.into_iter().zip(over) {
            candidate.wait = wait;
        }
    }

    /// Decides about the candidates that are within their rates. The others are scheduled for a later second.
    async fn decide<'a>(
        &self,
        candidates: &[Candidate<'a>],
        deadline: Deadline,
        now: Timestamp,
        report: &mut Report,
    ) -> Result<BatchOutput<'a>, Error> {
        let engine = self.engine();
        let within = candidates.iter().filter(|candidate| candidate.wait.is_none());
        let profiles = engine.profiles(within.map(|candidate| &candidate.planned)).await?;
        let settings = OutputSettings { links: &self.links, max_job_bytes: MAX_MESSAGE_BYTES };
        let mut batch = BatchOutput::default();
        let mut critical_capped = 0;
        for Candidate { message, planned, wait } in candidates {
            let event = planned.plan.event;
            if deadline.left(runtime::now()).is_zero() {
                report.redeliver(message);
                continue;
            }
            if let Some(seconds) = wait {
                batch.add(message, &event.id, Output::deferred(over_rate(message, event, now, *seconds)));
                continue;
            }
            let evaluation = match engine.evaluate(planned, &profiles, now).await {
                Ok(evaluation) if evaluation.is_unfinished => {
                    return_to_queue(message, &unfinished(), report);
                    continue;
                }
                Ok(evaluation) => evaluation,
                Err(refused) => {
                    return_to_queue(message, &refused, report);
                    continue;
                }
            };
            critical_capped += evaluation.decisions.iter().filter(|it| is_critical_capped(it)).count();
            batch.add(message, &event.id, evaluation.output(settings));
        }
        if critical_capped > 0 {
            tracing::warn!(
                messages = critical_capped,
                code = "DISPATCH_CRITICAL_CAPPED",
                "critical messages are over a cap and are sent all the same; `carillon explain <event>` names the cap"
            );
            runtime::count(&[("CriticalCapped", count_of(critical_capped))], &self.function, now);
        }
        Ok(batch)
    }

    async fn dead_letter(&self, message: &Message, refusal: &Refusal, report: &mut Report) {
        let detail = refusal.to_string();
        tracing::warn!(
            code = "DISPATCH_EVENT_REFUSED",
            message.id = message.message_id,
            detail,
            "message moves to the dead-letter queue: its event is refused"
        );
        let cause = Cause { class: refusal.class.name(), detail, by: "dispatch" };
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

/// Schedules an event over the rate of its tenant or source. The message returns unchanged at a later second.
fn over_rate(message: &Message, event: &Event, now: Timestamp, seconds: u64) -> ScheduledMessage {
    let at = now.saturating_add(std::time::Duration::from_secs(seconds)).unwrap_or(now);
    ScheduledMessage {
        lane: Lane::Bulk,
        at,
        body: message.body.clone(),
        tenant: event.tenant.clone(),
        name: message.message_id.clone(),
    }
}

/// Reports whether a message of a critical rule is over a cap.
fn is_critical_capped(decision: &Decision<'_>) -> bool {
    decision.notes.iter().any(|note| matches!(note, Note::Exceeded { .. }))
}

fn unfinished() -> CallError {
    let source = "a decision has questions after the last round".into();
    CallError { doing: "decide about an event", verdict: aws::Verdict::Permanent, source }
}

fn return_to_queue(message: &Message, refused: &CallError, report: &mut Report) {
    tracing::error!(
        message.id = message.message_id,
        error = chain(refused),
        code = "DISPATCH_RETRY",
        "message returned to the queue: a look-up failed"
    );
    report.redeliver(message);
}

fn count_of(events: usize) -> u64 {
    u64::try_from(events).unwrap_or(u64::MAX)
}
