//! A channel: the real delivery worker over the model's tables and queues, with a provider that may fail in any way.

use std::rc::Rc;
use std::time::Duration;

use delivery::{DeliveryWorker, Dispatch, Later, Providers};
use domain::Timestamp;
use domain::base::channel::OnUnknown;
use domain::base::outcome::{Failure, Reason, Sent};
use domain::delivery::job::Job;
use runtime::{Batch, Error, Report};

use crate::clock::{now, sleep_ms};
use crate::cloud::{Ledger, Model};
use crate::hooks;
use crate::process::Process;
use crate::shared::{Counters, Sender, Timetable};
use crate::variant::Variant;

/// State of a channel process.
pub(crate) struct Channel {
    process: Rc<Process>,
    worker: DeliveryWorker<Model>,
}

impl Channel {
    pub(crate) fn start(process: &Rc<Process>, name: &'static str) -> Channel {
        let world = &process.world;
        let line = |name: &str| Sender(Rc::clone(process), world.line(name));
        let counters = Counters(Rc::clone(process));
        let worker = DeliveryWorker {
            name,
            ledger: Ledger(Rc::clone(process)),
            providers: Providers::new(&counters, &providers(name), None),
            counters,
            queue: line(name),
            critical: line(&format!("{name}-critical")),
            dead_letters: line(name),
            dispatch: (!world.is(Variant::NoHandOn))
                .then(|| Dispatch { normal: line("dispatch"), critical: line("dispatch-critical") }),
            later: Some(Later {
                schedules: Timetable(Rc::clone(process)),
                queue_arn: name.to_owned(),
                critical_arn: format!("{name}-critical"),
            }),
            concurrency: 4,
        };
        Channel { process: Rc::clone(process), worker }
    }

    pub(crate) async fn deliver(&self, batch: Batch) -> Result<Report, Error> {
        let (token, began) = (batch.request_id.clone(), now());
        let providers = providers(self.worker.name);
        let send = async |job: &Job, at: usize| match job.channel().reaches_endpoints() {
            true => hooks::send(&self.process, job, &token, || self.accepted(job, &token, began)).await,
            false => self.send(job, &providers[at], &token, began).await,
        };
        self.worker.deliver_by(batch, send).await
    }

    /// Calls a provider.
    async fn send(&self, job: &Job, provider: &str, token: &str, began: Timestamp) -> Result<Sent, Failure> {
        let (process, world) = (&self.process, &self.process.world);
        let faults = world.faults();
        let (refused, slower, no, silent, before, after, latency) = {
            let mut chance = world.chance.borrow_mut();
            (
                chance.hits(faults.refused),
                chance.hits(faults.refused),
                chance.hits(faults.refused / 4),
                chance.hits(faults.unanswered),
                chance.hits(faults.killed),
                chance.hits(faults.killed),
                chance.between(5, 400),
            )
        };
        sleep_ms(latency).await;
        if before {
            process.die("send", "before").await;
        }
        let source = "the provider says no".into();
        if refused || world.outages.borrow().has(provider) {
            return Err(Failure::Transient(source));
        }
        if slower {
            return Err(Failure::Throttled { delay: Duration::from_secs(10), source });
        }
        if no {
            return Err(Failure::Permanent { reason: Reason::Rejected, source });
        }
        self.accepted(job, token, began);
        if after {
            process.die("send", "after").await;
        }
        if silent {
            process.disturb();
            world.tell(|| format!("{token} hears nothing of {}", job.key.as_str()));
            world.check.borrow_mut().doubt(token, &job.key);
            let takes = world.chance.borrow_mut().between(1_000, 60_000);
            sleep_ms(takes).await;
            return Ok(Sent::Unknown);
        }
        Ok(Sent::Accepted { provider_id: format!("p-{}", world.new_id()) })
    }

    /// Records that a provider accepted the message.
    fn accepted(&self, job: &Job, token: &str, began: Timestamp) {
        let world = &self.process.world;
        let cancelled_at = job.cancel.as_ref().and_then(|key| {
            let cancelled = world.cancelled.borrow();
            let (cancellation, at) = cancelled.get(key)?;
            cancellation.takes_back(job.event.time, job.key.parts().0).then_some(*at)
        });
        world.tell(|| format!("{token} sends {} by {}", job.key.as_str(), job.channel().name()));
        let looked = job.cancel.as_ref().and_then(|cancel| self.process.looked.borrow().get(cancel).copied());
        world.check.borrow_mut().sent(job, token, now(), looked.unwrap_or(began), cancelled_at);
    }
}

/// Providers of a channel that have a breaker. Endpoints have none here.
fn providers(name: &str) -> Vec<String> {
    match name {
        "sms" => vec!["sms-a".to_owned(), "sms-b".to_owned()],
        "webhook" => Vec::new(),
        one => vec![one.to_owned()],
    }
}

/// Changes a job on its way into the queue if the variant requires it.
pub(crate) fn broken(mut job: Job, variant: Option<Variant>) -> Job {
    if variant == Some(Variant::NoExpiry) {
        job.expires_at = None;
    }
    if variant == Some(Variant::UnknownResent) {
        job.on_unknown = OnUnknown::Resend;
    }
    job
}
