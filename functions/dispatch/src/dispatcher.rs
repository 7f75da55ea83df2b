//! One batch: events from the bus, and what earlier decisions left for later.

use std::collections::BTreeSet;

use aws::Refused;
use aws_types::SdkConfig;
use domain::Timestamp;
use domain::catalog::Catalog;
use domain::decide::{Decision, Note};
use domain::event::{Event, Priority, Refusal};
use domain::plan::Plan;
use queue::{Cause, Past, Queue, Sqs, newer_pause};
use runtime::{Batch, Deadline, Error, Message, Report, chain, now};
use schedule::Schedules;
use store::{Counters, Endpoints, Ledger, People};
use templates::{Renderer, scene_of};

use crate::handover::{Handover, Harvest};
use crate::lane::{Lane, Lanes, Leaving};
use crate::orders::Words;
use crate::questions::Questions;
use crate::rate::{self, Counted};
use crate::unfold::{Onward, Subject, Unfold, What, gone};
use crate::way_out::WaysOut;
use crate::{Config, Intake, read, work};

/// Everything dispatch holds on to between invocations.
pub struct Dispatcher {
    catalog: Catalog,
    renderer: Renderer,
    ways_out: WaysOut,
    people: People,
    endpoints: Endpoints,
    counters: Counters,
    questions: Questions,
    handover: Handover,
    dead_letters: Queue,
    /// The name that metrics are written under.
    function: String,
}

/// A message that could be read, and what it is about.
struct Task<'a> {
    message: &'a Message,
    subject: Subject,
    onward: Onward,
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
            ways_out: config.ways_out,
            people: People::new(&tables, config.people_table),
            endpoints: Endpoints::new(&tables, config.endpoints_table),
            questions: Questions { counters: counters.clone(), ledger: ledger.clone() },
            handover: Handover {
                channels: channels.collect(),
                lanes: Lanes::new(&sqs, config.lanes, Schedules::new(aws, config.schedule), config.targets),
                counters: counters.clone(),
                ledger,
            },
            counters,
            dead_letters: Queue::new(&sqs, config.dead_letters_url),
            function: config.function,
        }
    }

    /// Decides about every message of the batch. One whose jobs, outcomes or wakes could not all be handed over comes
    /// back; the others are done with.
    ///
    /// # Errors
    /// People could not be looked up: the whole batch comes back, and nothing was sent.
    pub async fn handle(&self, batch: Batch) -> Result<Report, Error> {
        let now = now();
        let mut report = Report::default();
        let mut tasks = self.read(&batch, now, &mut report).await;
        let onwards: Vec<Onward> = tasks.iter_mut().map(|task| std::mem::take(&mut task.onward)).collect();
        let unfold = self.unfold(now);
        let mut plans: Vec<(&Task<'_>, Plan<'_>, Onward)> = Vec::with_capacity(tasks.len());
        for (task, mut onward) in tasks.iter().zip(onwards) {
            match unfold.plan(&task.subject, &mut onward).await {
                Ok(plan) => plans.push((task, plan, onward)),
                Err(refused) => come_back(task.message, &refused, &mut report),
            }
        }
        self.hold_to_rate(&mut plans, now).await;
        let harvest = self.harvest(plans, &batch, now, &mut report).await?;
        let counts = harvest.counts();
        for message in self.handover.hand_over(harvest, now).await {
            report.show_again(message);
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

    fn unfold(&self, now: Timestamp) -> Unfold<'_> {
        let (catalog, people, endpoints) = (&self.catalog, &self.people, &self.endpoints);
        Unfold { catalog, people, endpoints, counters: &self.counters, now }
    }

    /// What can be read. What cannot is put aside at once; what a table would not tell about comes back.
    async fn read<'a>(&self, batch: &'a Batch, now: Timestamp, report: &mut Report) -> Vec<Task<'a>> {
        let mut tasks = Vec::with_capacity(batch.messages.len());
        let unfold = self.unfold(now);
        for message in &batch.messages {
            let mut onward = Onward::default();
            match read(&message.body, &self.catalog.policy().producers) {
                Intake::Event(event) => {
                    let subject = Subject { event: *event, what: What::Event };
                    tasks.push(Task { message, subject, onward });
                }
                Intake::Wake { event, rule, task } => {
                    match unfold.wake(*event, rule, task, &mut onward).await {
                        Ok(subject) => tasks.push(Task { message, subject, onward }),
                        Err(refused) => come_back(message, &refused, report),
                    }
                }
                Intake::Newer(version) => {
                    self.leave_to_newer(message, version, batch.deadline).await;
                    report.show_again(message);
                }
                Intake::Refused(refusal) => self.bury(message, &refusal, report).await,
            }
        }
        tasks
    }

    /// Hides a continuation of a newer release for a while, longer each time: as long as channels give a newer job.
    async fn leave_to_newer(&self, message: &Message, version: u32, deadline: Deadline) {
        let pause = newer_pause(message.receive_count());
        tracing::warn!(
            message.id = message.message_id,
            version,
            pause_s = pause.as_secs(),
            code = "WAKE_NEWER",
            "a continuation was written by a newer release: returned to the queue until a dispatch of that release reads it"
        );
        let hidden = tokio::time::timeout(deadline.left(now()), self.handover.hide(message, pause));
        let error = match hidden.await {
            Ok(Ok(())) => return,
            Ok(Err(refused)) => chain(&refused),
            Err(late) => chain(&late),
        };
        tracing::warn!(error, code = "WAKE_NEWER", "the message is shown after the queue's own time");
    }

    /// Lets as many events of a tenant and of a source through as the policy says, and leaves the others for a second in
    /// which there is room. Events that were decided about before are not counted.
    async fn hold_to_rate(&self, plans: &mut Vec<(&Task<'_>, Plan<'_>, Onward)>, now: Timestamp) {
        let mut counted: Vec<&mut (&Task<'_>, Plan<'_>, Onward)> =
            plans.iter_mut().filter(|(_, plan, _)| !plan.woken).collect();
        let events: Vec<Counted> = counted.iter().map(|(_, plan, _)| counted_as(plan)).collect();
        let over = rate::over(&events, self.catalog.policy(), &self.counters, now).await;
        let (mut normal, mut critical) = (0, 0);
        for (((task, plan, onward), event), over) in counted.iter_mut().zip(&events).zip(over) {
            let Some(seconds) = over else { continue };
            *if event.critical { &mut critical } else { &mut normal } += 1;
            *onward = Onward { later: vec![overflow(task.message, plan.event, now, seconds)], page: None };
            plan.matches.clear();
            plan.cancels.clear();
            plan.woken = true;
        }
        let counts = [("EventsOverRate", normal), ("CriticalEventsOverRate", critical)];
        runtime::count(&counts, &self.function, now);
    }

    async fn harvest<'a>(
        &self,
        plans: Vec<(&'a Task<'a>, Plan<'a>, Onward)>,
        batch: &Batch,
        now: Timestamp,
        report: &mut Report,
    ) -> Result<Harvest<'a>, Error> {
        let ids: BTreeSet<&str> = plans.iter().flat_map(|(_, plan, _)| plan.people()).collect();
        let tenants: BTreeSet<&str> = plans
            .iter()
            .filter(|(_, plan, _)| !plan.matches.is_empty())
            .filter_map(|(_, it, _)| it.event.tenant.as_deref())
            .collect();
        let found = self.people.look_up(&ids, &tenants).await?;
        for key in &found.unreadable {
            tracing::error!(
                code = "DISPATCH_RECIPIENT_UNREADABLE",
                key,
                "recipient counts as unknown: this release cannot read the stored recipient"
            );
        }
        let mut harvest = Harvest::default();
        let mut critical_capped = 0;
        for (task, plan, onward) in plans {
            if batch.deadline.left(runtime::now()).is_zero() {
                report.show_again(task.message);
                continue;
            }
            let tenant = plan.event.tenant.as_deref().and_then(|tenant| found.tenants.get(tenant));
            let decided = match self.questions.decide(&plan, &found.recipients, tenant, now).await {
                Ok(decided) => decided,
                Err(refused) => {
                    come_back(task.message, &refused, report);
                    continue;
                }
            };
            let mut decisions = decided.decisions;
            if let What::Gone { rule, audience } = &task.subject.what {
                decisions.push(gone(plan.event, rule, audience.as_ref(), self.catalog.hashes()));
            }
            let zone = tenant.and_then(|tenant| tenant.zone.as_deref());
            let scene = scene_of(&self.renderer, &plan, zone, now);
            let asked = self.questions.proofread(&scene, &plan, &mut decisions, zone, now).await;
            let written = match asked {
                Ok(written) => written,
                Err(refused) => {
                    come_back(task.message, &refused, report);
                    continue;
                }
            };
            critical_capped += decisions.iter().filter(|decision| is_critical_capped(decision)).count();
            let more = !onward.later.is_empty();
            let words = Words { scene: &scene, ways_out: &self.ways_out, now, more };
            harvest.add(task.message, work(&plan, decisions, &words, written));
            harvest.go_on(onward);
        }
        if critical_capped > 0 {
            tracing::warn!(
                messages = critical_capped,
                code = "DISPATCH_CRITICAL_CAPPED",
                "critical messages are over a cap and are sent all the same; `carillon explain <event>` names the cap"
            );
            let counted = u64::try_from(critical_capped).unwrap_or(u64::MAX);
            runtime::count(&[("CriticalCapped", counted)], &self.function, now);
        }
        Ok(harvest)
    }

    async fn bury(&self, message: &Message, refusal: &Refusal, report: &mut Report) {
        let detail = refusal.to_string();
        tracing::warn!(
            code = "DISPATCH_EVENT_REFUSED",
            message.id = message.message_id,
            detail,
            "message moves to the dead-letter queue: its event is refused"
        );
        let cause = Cause { class: refusal.class.name(), detail, by: "dispatch" };
        let past = Past { first_at: message.first_sent_at(), attempts: message.receive_count() };
        if let Err(refused) = self.dead_letters.bury(&message.body, None, &cause, past).await {
            tracing::error!(
                code = "DEAD_LETTER_NOT_SENT",
                error = chain(&refused),
                "message returned to the queue: the dead-letter queue did not accept it"
            );
            report.show_again(message);
        }
    }
}

/// What an event is counted by. An event is critical if it says so or if a rule for it is.
fn counted_as(plan: &Plan<'_>) -> Counted {
    let critical = |priority: Option<Priority>| priority == Some(Priority::Critical);
    Counted {
        tenant: plan.event.tenant.clone(),
        source: plan.event.source.clone(),
        critical: critical(plan.event.priority)
            || plan.matches.iter().any(|matched| critical(matched.rule.priority)),
    }
}

/// An event that is over its tenant's or source's rate, as it came.
fn overflow(message: &Message, event: &Event, now: Timestamp, seconds: u64) -> Leaving {
    let at = now.saturating_add(std::time::Duration::from_secs(seconds)).unwrap_or(now);
    Leaving {
        lane: Lane::Bulk,
        at,
        body: message.body.clone(),
        tenant: event.tenant.clone(),
        name: message.message_id.clone(),
    }
}

/// Whether a message of a critical rule is over a cap.
fn is_critical_capped(decision: &Decision<'_>) -> bool {
    decision.notes.iter().any(|note| matches!(note, Note::Exceeded { .. }))
}

fn come_back(message: &Message, refused: &Refused, report: &mut Report) {
    tracing::error!(
        code = "DISPATCH_RETRY",
        message.id = message.message_id,
        error = chain(refused),
        "message returned to the queue: an AWS call failed"
    );
    report.show_again(message);
}
