//! What the other end says: the capture server's records, the frames of a real client, the tables behind.

use domain::Timestamp;
use domain::channel::Channel;
use domain::endpoint::EndpointId;
use queue::{DeadLetters, Sqs};
use serde_json::Value;
use store::{Attempt, Endpoints, LedgerRow, People};

use crate::error::Error;

use super::{Stage, trouble};

/// What must be true beyond the ledger before an act counts as over.
pub(super) enum Proof {
    /// One message at each of these addresses, and one on Zoe's screen.
    ArrivedOnce(Vec<(Channel, String)>),
    /// A person's device is no longer known.
    Forgotten { who: &'static str, device: &'static str },
    /// One of the tenant's systems took the second attempt, and another is switched off.
    Answered { again: &'static str, off: &'static str },
    /// This fault of the proxy's plan was done so often at least, and every address has one message.
    Survived { harm: usize, least: u64, places: Vec<(Channel, String)> },
    /// As before; and what was put aside meanwhile goes back to its queue, as `carillon dlq redrive` sends it.
    Redriven { queue: &'static str, harm: usize, places: Vec<(Channel, String)> },
}

/// What was found, in words, and whether it is as it should be.
pub(super) struct Found {
    pub(super) right: bool,
    pub(super) said: String,
}

impl Proof {
    pub(super) async fn look(&self, stage: &Stage<'_>, rows: &[LedgerRow]) -> Result<Found, Error> {
        match self {
            Proof::ArrivedOnce(places) => arrived_once(stage, places, rows),
            Proof::Forgotten { who, device } => forgotten(stage, who, device).await,
            Proof::Answered { again, off } => answered(stage, again, off).await,
            Proof::Survived { harm, least, places } => survived(stage, *harm, *least, places),
            Proof::Redriven { queue, harm, places } => redriven(stage, queue, *harm, places).await,
        }
    }
}

fn arrived_once(stage: &Stage<'_>, places: &[(Channel, String)], rows: &[LedgerRow]) -> Result<Found, Error> {
    let live = rows.iter().find(|row| row.channel == Some(Channel::Socket));
    let live = live.map_or(0, |it| stage.zoe.count(it.key.as_str()));
    let (once, said) = once(stage, places)?;
    Ok(Found { right: once && live == 1, said: format!("{said}, socket {live}") })
}

/// How many messages a channel's provider took for an address.
fn captured(stage: &Stage<'_>, channel: Channel, to: &str) -> Result<usize, Error> {
    let local = stage.cloud.local.as_ref();
    let url = format!("{}/captured", local.map(|local| local.capture_endpoint()).unwrap_or_default());
    let failed = |why: String| Error::Cloud(format!("cannot read {url}: {why}"));
    let asked = ureq::get(&url).query("channel", channel.name()).query("to", to).call();
    let body = asked.map_err(|error| failed(error.to_string()))?.body_mut().read_to_string();
    let found: Value = body
        .map_err(|error| failed(error.to_string()))
        .and_then(|map_err| serde_json::from_str(&map_err).map_err(|error| failed(error.to_string())))?;
    Ok(found.as_array().map_or(0, Vec::len))
}

/// One message at each of these addresses?
fn once(stage: &Stage<'_>, places: &[(Channel, String)]) -> Result<(bool, String), Error> {
    let mut counts = Vec::new();
    for (channel, to) in places {
        counts.push((*channel, captured(stage, *channel, to)?));
    }
    let said: Vec<String> = counts.iter().map(|(it, count)| format!("{} {count}", it.name())).collect();
    Ok((counts.iter().all(|(_, count)| *count == 1), format!("arrived: {}", said.join(", "))))
}

fn survived(
    stage: &Stage<'_>,
    harm: usize,
    least: u64,
    places: &[(Channel, String)],
) -> Result<Found, Error> {
    let done = trouble::done(stage.cloud, harm)?;
    let (once, said) = once(stage, places)?;
    Ok(Found { right: once && done >= least, said: format!("harmed: {done}; {said}") })
}

async fn redriven(
    stage: &Stage<'_>,
    queue: &str,
    harm: usize,
    places: &[(Channel, String)],
) -> Result<Found, Error> {
    // Whoever came with it in a batch died with it.
    let event = format!("demo-{}-", stage.run);
    let letters = DeadLetters::all(&Sqs::new(&stage.cloud.config), &stage.cloud.name(queue)).await?;
    for queue in letters.iter().filter(|letter| letter.name == stage.cloud.name(queue)) {
        let (ours, others): (Vec<_>, Vec<_>) =
            queue.take(100, 5).await?.into_iter().partition(|it| it.body.contains(&event));
        queue.give_back(&others).await;
        if ours.is_empty() {
            continue;
        }
        if stage.mended.get().is_none() {
            stage.mended.set(Some(trouble::done(stage.cloud, harm)?));
            trouble::mend(stage.cloud)?;
        }
        for letter in &ours {
            queue.send_back(letter).await?;
            stage.sent_back.set(stage.sent_back.get() + 1);
        }
    }
    let back = stage.sent_back.get();
    let done = stage.mended.get().map_or_else(|| trouble::done(stage.cloud, harm), Ok)?;
    let (once, said) = once(stage, places)?;
    let said = format!("killed {done} times, put aside and sent back {back}; {said}");
    Ok(Found { right: once && back > 0, said })
}

async fn forgotten(stage: &Stage<'_>, who: &str, device: &str) -> Result<Found, Error> {
    let people = People::new(&store::client(&stage.cloud.config), stage.cloud.name("people"));
    let found = people.find(&[who].into()).await?;
    let devices = found.get(who).map(|it| it.devices.as_slice()).unwrap_or_default();
    let left: Vec<&str> = devices.iter().map(|device| device.id.as_str()).collect();
    let right = !left.is_empty() && !left.contains(&device);
    let what = if right { "is forgotten" } else { "is still known" };
    Ok(Found { right, said: format!("the {device} {what}; {who} has: {}", left.join(", ")) })
}

async fn answered(stage: &Stage<'_>, again: &str, off: &str) -> Result<Found, Error> {
    let endpoints = Endpoints::new(&store::client(&stage.cloud.config), stage.cloud.name("endpoints"));
    let id = |name: &str| EndpointId { tenant: Some(stage.tenant.clone()), id: name.to_owned() };
    let attempts = endpoints.attempts(&id(again), 10).await?;
    let found = endpoints.find(&[id(off)]).await?;
    let disabled = found.first().and_then(|it| it.disabled.as_ref()).map(|it| it.why.name());
    let said: Vec<String> = attempts.iter().rev().map(answer).collect();
    Ok(Found {
        right: attempts.len() == 2 && disabled.is_some(),
        said: format!("{again}: {}; {off}: {}", said.join(", "), disabled.unwrap_or("still on")),
    })
}

fn answer(it: &Attempt) -> String {
    let status = it.status.map_or_else(|| "no answer".to_owned(), |it| it.to_string());
    it.next_at.map_or(status.clone(), |next| format!("{status}, again in {} s", seconds(it.at, next)))
}

fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_secs()
}
