//! What the other end says: the capture server's records, the frames of a real client, the tables behind.

use domain::Timestamp;
use domain::channel::Channel;
use domain::endpoint::EndpointId;
use serde_json::Value;
use store::{Attempt, Endpoints, LedgerRow, People};

use crate::error::Error;

use super::Stage;

/// What must be true beyond the ledger before an act counts as over.
pub(super) enum Proof {
    /// One message at each of these addresses, and one on Zoe's screen.
    ArrivedOnce(Vec<(Channel, String)>),
    /// A person's device is no longer known.
    Forgotten { who: &'static str, device: &'static str },
    /// One of the tenant's systems took the second attempt, and another is switched off.
    Answered { again: &'static str, off: &'static str },
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
        }
    }
}

fn arrived_once(stage: &Stage<'_>, places: &[(Channel, String)], rows: &[LedgerRow]) -> Result<Found, Error> {
    let live = rows.iter().find(|it| it.channel == Some(Channel::Socket));
    let mut counts = vec![(Channel::Socket, live.map_or(0, |it| stage.zoe.count(it.key.as_str())))];
    for (channel, to) in places {
        counts.push((*channel, captured(stage, *channel, to)?));
    }
    let said: Vec<String> = counts.iter().map(|(it, count)| format!("{} {count}", it.name())).collect();
    let once = counts.iter().all(|(_, count)| *count == 1);
    Ok(Found { right: once, said: format!("arrived: {}", said.join(", ")) })
}

/// How many messages a channel's provider took for an address.
fn captured(stage: &Stage<'_>, channel: Channel, to: &str) -> Result<usize, Error> {
    let local = stage.cloud.local.as_ref();
    let url = format!("{}/captured", local.map(|it| it.capture_endpoint()).unwrap_or_default());
    let failed = |why: String| Error::Cloud(format!("cannot read {url}: {why}"));
    let asked = ureq::get(&url).query("channel", channel.name()).query("to", to).call();
    let body = asked.map_err(|it| failed(it.to_string()))?.body_mut().read_to_string();
    let found: Value = body
        .map_err(|it| failed(it.to_string()))
        .and_then(|it| serde_json::from_str(&it).map_err(|it| failed(it.to_string())))?;
    Ok(found.as_array().map_or(0, Vec::len))
}

async fn forgotten(stage: &Stage<'_>, who: &str, device: &str) -> Result<Found, Error> {
    let people = People::new(&store::client(&stage.cloud.config), stage.cloud.name("people"));
    let found = people.find(&[who].into()).await?;
    let devices = found.get(who).map(|it| it.devices.as_slice()).unwrap_or_default();
    let left: Vec<&str> = devices.iter().map(|it| it.id.as_str()).collect();
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
