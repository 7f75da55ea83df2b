//! Dispatch: the real reading, planning, deciding and rendering; the calls around them in the order of its hand-over.

use std::rc::Rc;
use std::time::Duration;

use aws::Refused;
use delivery::{Line as _, Shared as _, Timer as _};
use dispatch::{Intake, Leaving, Words, Work, work};
use domain::decide::{Answer, Answers, Ask, Decided, Facts, decide};
use domain::event::Event;
use domain::job::Job;
use domain::key::Key;
use domain::outcome::Status;
use domain::plan::{Match, Plan};
use domain::wake::Task;
use queue::{MAX_DELAY, Outgoing};
use runtime::{Batch, Error, Message, Report};
use templates::{Written, scene_of};

use crate::clock::now;
use crate::delivering::broken;
use crate::process::Process;
use crate::shared::{Counters, Sender, Timetable};
use crate::variant::Variant;

/// As dispatch has it.
const ROUNDS: usize = 60;

pub(crate) struct Dispatch(pub(crate) Rc<Process>);

impl Dispatch {
    pub(crate) async fn handle(&self, batch: Batch) -> Result<Report, Error> {
        let mut report = Report::default();
        for message in &batch.messages {
            if batch.deadline.left(now()).is_zero() {
                report.show_again(message);
                continue;
            }
            if let Err(refused) = self.one(message).await {
                self.0.world.tell(|| format!("{} comes back: {refused}", message.message_id));
                report.show_again(message);
            }
        }
        Ok(report)
    }

    async fn one(&self, message: &Message) -> Result<(), Refused> {
        let setting = &self.0.world.setting;
        match dispatch::read(&message.body, &setting.catalog.policy().producers) {
            Intake::Event(event) => {
                let plan = setting.plan(&event);
                self.go(&plan).await
            }
            Intake::Wake { event, rule, task: Task::Run { audience, start } } => {
                let rule = setting.catalog.rule(&rule).expect("the catalog does not change");
                let matched = Match { rule, audience: vec![audience], groups: Vec::new(), start };
                self.go(&Plan::woken(&event, &setting.catalog, Some(matched), None)).await
            }
            Intake::Wake { task: Task::Close { .. } | Task::FanOut { .. }, .. } | Intake::Newer(_) => {
                panic!("the catalog has no digest and no large audience")
            }
            Intake::Refused(_) => {
                let line = self.0.world.line("dispatch");
                self.0.call("put aside", || line.dead.borrow_mut().push(message.body.as_str().into())).await
            }
        }
    }

    async fn go<'a>(&'a self, plan: &Plan<'a>) -> Result<(), Refused> {
        let decided = self.decide(plan).await?;
        let setting = &self.0.world.setting;
        let scene = scene_of(&setting.renderer, plan, None, now());
        let words = Words { scene: &scene, ways_out: &setting.ways_out, now: now(), more: false };
        let made = work(plan, decided.decisions, &words, Written::default());
        self.hand_over(plan.event, made).await
    }

    async fn decide<'a>(&'a self, plan: &Plan<'a>) -> Result<Decided<'a>, Refused> {
        let setting = &self.0.world.setting;
        let now = now();
        let mut answers = Answers::default();
        for _ in 0..ROUNDS {
            let facts = Facts { recipients: &setting.recipients, tenant: None, answers: &answers, now };
            let decided = decide(plan, &facts);
            if decided.asks.is_empty() {
                return Ok(decided);
            }
            for ask in decided.asks {
                let answer = self.ask(&ask).await?;
                answers.insert(&ask, answer);
            }
        }
        panic!("a decision went on asking");
    }

    async fn ask(&self, ask: &Ask) -> Result<Answer, Refused> {
        match ask {
            Ask::Cancelled { key } => {
                Counters(Rc::clone(&self.0)).cancelled(key).await.map(Answer::Cancelled)
            }
            Ask::Told { of } => {
                let ledger = &self.0.world.ledger;
                let may_be = |key: &Key| {
                    let status = ledger.borrow().get(key).and_then(|it| Status::from_name(it.get("status")?));
                    status.is_some_and(Status::may_have_reached)
                };
                self.0.call("was anybody told?", || Answer::Told(of.iter().any(may_be))).await
            }
            Ask::Seen { .. }
            | Ask::Heard { .. }
            | Ask::Closed { .. }
            | Ask::Admit { .. }
            | Ask::Collected { .. }
            | Ask::Join { .. } => Ok(ask.if_nothing_happened()),
        }
    }

    /// In dispatch's order: cancellations, what is left for later, jobs, outcomes. What is missing at the end makes the
    /// message come back.
    async fn hand_over(&self, event: &Event, made: Work) -> Result<(), Refused> {
        let (process, world) = (&self.0, &self.0.world);
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
        for it in made.later {
            missing = missing.or(self.leave(it).await.err());
        }
        for (channel, is_critical, it) in made.jobs {
            let name = format!("{}{}", channel.name(), if is_critical { "-critical" } else { "" });
            let line = Sender(Rc::clone(process), world.line(&name));
            let body = self.job(event, &it.body);
            let sent = line.send(&[Outgoing { body, ..it }]).await.pop().unwrap_or(Ok(()));
            missing = missing.or(sent.err());
        }
        let at = now();
        let recorded = process.call("record", || {
            for row in &made.outcomes {
                let mut rows = world.ledger.borrow_mut();
                if !rows.contains_key(&row.key) {
                    rows.insert(row.key.clone(), store::recorded(row, at));
                    world.check.borrow_mut().stands(&row.key, row.status);
                }
            }
        });
        if !made.outcomes.is_empty() {
            missing = missing.or(recorded.await.err());
        }
        missing.map_or(Ok(()), Err)
    }

    fn job(&self, event: &Event, body: &str) -> String {
        let world = &self.0.world;
        let mut job: Job = serde_json::from_str(body).expect("it was a job a moment ago");
        if world.is(Variant::KeyWithoutChannel) {
            job.key = Key::of(event, &job.rule, &job.recipient, None, job.step, "");
        }
        world.check.borrow_mut().ordered(&job);
        serde_json::to_string(&broken(job, world.variant)).expect("a job is strings, numbers and JSON text")
    }

    async fn leave(&self, it: Leaving) -> Result<(), Refused> {
        let (process, world) = (&self.0, &self.0.world);
        let line = match it.lane {
            dispatch::Lane::Critical => world.line("dispatch-critical"),
            dispatch::Lane::Normal | dispatch::Lane::Bulk => world.line("dispatch"),
        };
        let delay = Duration::try_from(it.at.duration_since(now())).unwrap_or(Duration::ZERO);
        if delay <= MAX_DELAY {
            let message = Outgoing { body: it.body, tenant: it.tenant, delay };
            let sent = Sender(Rc::clone(process), line).send(&[message]).await;
            return sent.into_iter().next().unwrap_or(Ok(()));
        }
        Timetable(Rc::clone(process)).at(line.name, it.at, &it.body, &it.name).await
    }
}
