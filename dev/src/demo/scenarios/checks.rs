//! Checks of the receiving side: the capture server's records, the frames of a WebSocket client, the tables.

use domain::Timestamp;
use domain::base::channel::Channel;
use domain::webhook::endpoint::EndpointId;
use queue::{DeadLetters, Sqs};
use serde_json::Value;
use store::{Attempt, Endpoints, LedgerRow, People};

use cli::error::Error;

use super::{Stage, faults};

/// A condition beyond the ledger rows.
pub(super) enum Check {
    /// One message at each of these addresses, and one at Zoe's socket.
    ArrivedOnce(Vec<(Channel, String)>),
    /// A device of a person was removed.
    DeviceRemoved { person: &'static str, device: &'static str },
    /// One endpoint of the tenant accepted the second attempt, and another is disabled.
    Retried { again: &'static str, off: &'static str },
    /// A fault of the proxy's plan occurred at least this often, and every address has one message.
    Survived { fault: usize, least: u64, places: Vec<(Channel, String)> },
    /// Like `Survived`, and the dead letters are redriven as `carillon dlq redrive` does.
    Redriven { queue: &'static str, fault: usize, places: Vec<(Channel, String)> },
}

/// The result of a check, with a sentence for the reader.
pub(super) struct CheckResult {
    pub(super) right: bool,
    pub(super) text: String,
}

impl Check {
    /// Runs the check.
    ///
    /// # Errors
    /// The local cloud refuses a call.
    pub(super) async fn run(&self, stage: &Stage<'_>, rows: &[LedgerRow]) -> Result<CheckResult, Error> {
        match self {
            Check::ArrivedOnce(places) => arrived_once(stage, places, rows),
            Check::DeviceRemoved { person, device } => device_removed(stage, person, device).await,
            Check::Retried { again, off } => retried(stage, again, off).await,
            Check::Survived { fault, least, places } => survived(stage, *fault, *least, places),
            Check::Redriven { queue, fault, places } => redriven(stage, queue, *fault, places).await,
        }
    }
}

fn arrived_once(
    stage: &Stage<'_>,
    places: &[(Channel, String)],
    rows: &[LedgerRow],
) -> Result<CheckResult, Error> {
    let live = rows.iter().find(|row| row.channel == Some(Channel::Socket));
    let live = live.map_or(0, |row| stage.zoe.count(row.key.as_str()));
    let (once, text) = once(stage, places)?;
    Ok(CheckResult { right: once && live == 1, text: format!("{text}, socket {live}") })
}

/// The number of captured messages of a channel for an address.
fn captured(stage: &Stage<'_>, channel: Channel, to: &str) -> Result<usize, Error> {
    let local = stage.cloud.local.as_ref();
    let url = format!("{}/captured", local.map(|local| local.capture_endpoint()).unwrap_or_default());
    let failed = |why: String| Error::Cloud(format!("cannot read {url}: {why}"));
    let response = ureq::get(&url).query("channel", channel.name()).query("to", to).call();
    let body = response.map_err(|error| failed(error.to_string()))?.body_mut().read_to_string();
    let found: Value = body
        .map_err(|error| failed(error.to_string()))
        .and_then(|text| serde_json::from_str(&text).map_err(|error| failed(error.to_string())))?;
    Ok(found.as_array().map_or(0, Vec::len))
}

/// Whether each of these addresses has one message.
fn once(stage: &Stage<'_>, places: &[(Channel, String)]) -> Result<(bool, String), Error> {
    let mut counts = Vec::new();
    for (channel, to) in places {
        counts.push((*channel, captured(stage, *channel, to)?));
    }
    let texts: Vec<String> =
        counts.iter().map(|(channel, count)| format!("{} {count}", channel.name())).collect();
    Ok((counts.iter().all(|(_, count)| *count == 1), format!("arrived: {}", texts.join(", "))))
}

fn survived(
    stage: &Stage<'_>,
    fault: usize,
    least: u64,
    places: &[(Channel, String)],
) -> Result<CheckResult, Error> {
    let done = faults::done(stage.cloud, fault)?;
    let (once, text) = once(stage, places)?;
    Ok(CheckResult { right: once && done >= least, text: format!("faults: {done}; {text}") })
}

async fn redriven(
    stage: &Stage<'_>,
    queue: &str,
    fault: usize,
    places: &[(Channel, String)],
) -> Result<CheckResult, Error> {
    // Messages in the same batch were dead-lettered with it.
    let event = format!("demo-{}-", stage.run);
    let letters = DeadLetters::all(&Sqs::new(&stage.cloud.config), &stage.cloud.name(queue)).await?;
    for queue in letters.iter().filter(|letter| letter.name == stage.cloud.name(queue)) {
        let (ours, others): (Vec<_>, Vec<_>) =
            queue.take(100, 5).await?.into_iter().partition(|message| message.body.expose().contains(&event));
        queue.make_visible(&others).await;
        if ours.is_empty() {
            continue;
        }
        if stage.repaired.get().is_none() {
            stage.repaired.set(Some(faults::done(stage.cloud, fault)?));
            faults::remove_all(stage.cloud)?;
        }
        for letter in &ours {
            queue.redrive(letter).await?;
            stage.sent_back.set(stage.sent_back.get() + 1);
        }
    }
    let back = stage.sent_back.get();
    let done = stage.repaired.get().map_or_else(|| faults::done(stage.cloud, fault), Ok)?;
    let (once, text) = once(stage, places)?;
    let text = format!("killed {done} times, dead-lettered and redriven {back}; {text}");
    Ok(CheckResult { right: once && back > 0, text })
}

async fn device_removed(stage: &Stage<'_>, person: &str, device: &str) -> Result<CheckResult, Error> {
    let people = People::new(&store::client(&stage.cloud.config), stage.cloud.name("people"));
    let found = people.find(&[person].into()).await?;
    let devices = found.get(person).map(|found| found.devices.as_slice()).unwrap_or_default();
    let left: Vec<&str> = devices.iter().map(|device| device.id.as_str()).collect();
    let right = !left.is_empty() && !left.contains(&device);
    let state = if right { "is removed" } else { "is still known" };
    Ok(CheckResult { right, text: format!("the {device} {state}; {person} has: {}", left.join(", ")) })
}

async fn retried(stage: &Stage<'_>, again: &str, off: &str) -> Result<CheckResult, Error> {
    let endpoints = Endpoints::new(&store::client(&stage.cloud.config), stage.cloud.name("endpoints"));
    let id = |name: &str| EndpointId { tenant: Some(stage.tenant.clone()), id: name.to_owned() };
    let attempts = endpoints.attempts(&id(again), 10).await?;
    let found = endpoints.find(&[id(off)]).await?;
    let disabled =
        found.first().and_then(|endpoint| endpoint.disabled.as_ref()).map(|disabled| disabled.why.name());
    let texts: Vec<String> = attempts.iter().rev().map(answer).collect();
    Ok(CheckResult {
        right: attempts.len() == 2 && disabled.is_some(),
        text: format!("{again}: {}; {off}: {}", texts.join(", "), disabled.unwrap_or("still on")),
    })
}

fn answer(attempt: &Attempt) -> String {
    let status = attempt.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    attempt
        .next_at
        .map_or(status.clone(), |next| format!("{status}, again in {} s", seconds(attempt.at, next)))
}

fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_secs()
}
