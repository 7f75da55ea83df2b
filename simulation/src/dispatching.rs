//! Dispatch with the production parser and engine. The writes around them follow dispatch's order.

use std::rc::Rc;
use std::time::Duration;

use aws::CallError;
use delivery::{JobQueue as _, Scheduler as _};
use dispatch::Intake;
use domain::Timestamp;
use domain::delivery::job::Job;
use domain::event::Event;
use domain::event::key::Key;
use engine::{Lane, Output, OutputSettings, ScheduledMessage, Subject};
use queue::{MAX_DELAY, MAX_MESSAGE_BYTES, Outgoing};
use runtime::{Batch, Error, Message, Report};
use store::LedgerRow;

use crate::clock::now;
use crate::delivering::broken;
use crate::digests;
use crate::facts::Tables;
use crate::process::Process;
use crate::shared::{Sender, Timetable};
use crate::variant::Variant;

pub(crate) struct Dispatch(pub(crate) Rc<Process>);

impl Dispatch {
    pub(crate) async fn handle(&self, batch: Batch) -> Result<Report, Error> {
        let mut report = Report::default();
        for message in &batch.messages {
            if batch.deadline.left(now()).is_zero() {
                report.redeliver(message);
                continue;
            }
            if let Err(refused) = self.one(message).await {
                self.0.world.tell(|| format!("{} comes back: {refused}", message.message_id));
                report.redeliver(message);
            }
        }
        Ok(report)
    }

    async fn one(&self, message: &Message) -> Result<(), CallError> {
        let (setting, began) = (&self.0.world.setting, now());
        let facts = Tables(Rc::clone(&self.0));
        let engine = setting.engine(&facts);
        let subject = match dispatch::read(message.body.expose(), &setting.catalog.policy().producers) {
            Intake::Event(event) => Subject::event(*event),
            Intake::Continuation { event, rule, task } => engine.resume(*event, rule, task, began).await?,
            Intake::Newer(_) => panic!("every continuation is of this release"),
            Intake::Refused(_) => {
                let line = self.0.world.line("dispatch");
                let dead_letter = || line.dead.borrow_mut().push(message.body.expose().as_str().into());
                return self.0.call("put aside", dead_letter).await;
            }
        };
        let settings = OutputSettings { links: &setting.links, max_job_bytes: MAX_MESSAGE_BYTES };
        let output = engine.run(&subject, began, |evaluation| evaluation.output(settings)).await?;
        self.hand_over(&subject.event, output, began).await
    }

    /// Writes the output in dispatch's order: cancellations, deferred messages, jobs, outcomes, the mark of a handled
    /// page. A failed write returns the message to the queue.
    async fn hand_over(&self, event: &Event, made: Output, began: Timestamp) -> Result<(), CallError> {
        let (process, world) = (&self.0, &self.0.world);
        if let Some(page) = made.page.as_ref().filter(|_| world.is(Variant::PageMarkedFirst)) {
            process.page_done(page).await;
        }
        let mut missing = None;
        for (key, it) in &made.cancelled {
            let written = process.call("cancel", || {
                let mut cancelled = world.cancelled.borrow_mut();
                if cancelled.get(key).is_none_or(|(known, _)| known.at < it.at) {
                    cancelled.insert(key.clone(), (it.clone(), now()));
                }
            });
            missing = missing.or(written.await.err());
        }
        for message in made.later {
            missing = missing.or(self.leave(message).await.err());
        }
        for job in made.jobs {
            let critical = if job.is_critical() { "-critical" } else { "" };
            let name = format!("{}{critical}", job.job.channel().name());
            let line = Sender(Rc::clone(process), world.line(&name));
            let (tenant, key) = (job.tenant, job.job.key.clone());
            let message =
                Outgoing { body: self.job(event, job.job, began).into(), tenant, delay: Duration::ZERO };
            let sent = line.send(&[message]).await.pop().unwrap_or(Ok(()));
            if sent.is_ok() {
                world.check.borrow_mut().queued.insert(key);
            }
            missing = missing.or(sent.err());
        }
        let at = now();
        let rows: Vec<LedgerRow> = made.outcomes.into_iter().map(dispatch::row).collect();
        let recorded = process.call("record", || {
            for row in &rows {
                let mut ledger = world.ledger.borrow_mut();
                if !ledger.contains_key(&row.key) {
                    ledger.insert(row.key.clone(), store::recorded(row, at));
                    world.check.borrow_mut().stands(&row.key, row.status);
                }
            }
        });
        if !rows.is_empty() {
            missing = missing.or(recorded.await.err());
        }
        match (missing, made.page) {
            (Some(refused), _) => return Err(refused),
            (None, Some(page)) => process.page_done(&page).await,
            (None, None) => {}
        }
        Ok(())
    }

    /// Records and writes a job. `began` is the time at which dispatch began to decide.
    fn job(&self, event: &Event, mut job: Job, began: Timestamp) -> String {
        let world = &self.0.world;
        if world.is(Variant::KeyWithoutChannel) {
            job.key = Key::of(event, &job.rule, &job.recipient, None, job.step, "");
        }
        world.check.borrow_mut().ordered(&job);
        digests::check_job(world, &job, began);
        serde_json::to_string(&broken(job, world.variant)).expect("a job is strings, numbers and JSON text")
    }

    async fn leave(&self, it: ScheduledMessage) -> Result<(), CallError> {
        let (process, world) = (&self.0, &self.0.world);
        let line = match it.lane {
            Lane::Critical => world.line("dispatch-critical"),
            Lane::Normal => world.line("dispatch"),
            Lane::Bulk if world.is(Variant::NextPageLost) => return Ok(()),
            Lane::Bulk => world.line("dispatch-bulk"),
        };
        let delay = Duration::try_from(it.at.duration_since(now())).unwrap_or(Duration::ZERO);
        if delay <= MAX_DELAY {
            let message = Outgoing { body: it.body, tenant: it.tenant, delay };
            let sent = Sender(Rc::clone(process), line).send(&[message]).await;
            return sent.into_iter().next().unwrap_or(Ok(()));
        }
        Timetable(Rc::clone(process)).at(line.name, it.at, it.body.expose(), &it.name).await
    }
}
