//! Sending by hand: a ping, one message, or all that were lost. Each is a job of its own key in the webhook queue.

use std::time::Duration;

use domain::Timestamp;
use domain::endpoint::challenge::{CHALLENGE_BYTES, Challenge};
use domain::endpoint::{Endpoint, EndpointId, by_hand};
use domain::job::Job;
use domain::key::Key;
use queue::{Outgoing, Sqs};
use serde_json::json;
use store::{Attempt, Endpoints as Table};

use super::{find, line};
use crate::args::Recover;
use crate::cloud::Cloud;
use crate::error::{Done, Error};
use crate::since::ago;
use crate::terminal::{Ink, Terminal};

/// So many are looked at in one call to the table, and sent at most in one call of the command.
const AT_ONCE: u32 = 100;
const MOST: usize = 10_000;

/// How long the answer to one attempt is waited for.
const PATIENCE: Duration = Duration::from_secs(40);

pub(super) async fn ping(id: &EndpointId, cloud: &Cloud, table: &Table, terminal: &Terminal) -> Done {
    if find(id, table, terminal).await?.is_none() {
        return Ok(false);
    }
    let now = runtime::now();
    let job = by_hand::ping(id, "carillon/cli", &nonce(now), now);
    let key = job.key.clone();
    send(cloud, vec![job]).await?;
    report(answer(id, &key, now, table).await?.as_ref(), terminal)
}

/// Sends a challenge, and waits until the endpoint has met it.
pub(super) async fn challenge(id: &EndpointId, cloud: &Cloud, table: &Table, terminal: &Terminal) -> Done {
    let now = runtime::now();
    let mut bytes = [0_u8; CHALLENGE_BYTES];
    getrandom::fill(&mut bytes).map_err(|it| Error::Cloud(format!("no random bytes: {it}")))?;
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    if !table.challenge(id, &Challenge::of(&text, now)).await? {
        terminal.note(&format!("{} has changed meanwhile; try again", id.name()));
        return Ok(false);
    }
    let job = by_hand::verify(id, "carillon/cli", &nonce(now), &text, now);
    let key = job.key.clone();
    send(cloud, vec![job]).await?;
    let answered = answer(id, &key, now, table).await?;
    report(answered.as_ref(), terminal)?;
    let verified = find(id, table, terminal).await?.is_some_and(|it| it.unverified.is_none());
    if !verified {
        terminal.note("it is not verified: it has to answer 2xx with the challenge as the whole body");
    }
    Ok(verified)
}

pub(super) async fn retry(
    id: &EndpointId,
    message: &str,
    cloud: &Cloud,
    table: &Table,
    terminal: &Terminal,
) -> Done {
    let Some(key) = Key::parse(message) else {
        let fix = "take it from `carillon endpoints attempts`";
        return Err(Error::usage(format!("{message:?} is no message's id"), fix));
    };
    let Some(endpoint) = find(id, table, terminal).await? else { return Ok(false) };
    if endpoint.disabled.is_some() {
        return Err(Error::usage("the endpoint is switched off", "enable it first"));
    }
    is_verified(&endpoint)?;
    let Some(lost) = table.undelivered(id, &key).await? else {
        terminal.note("this message has arrived, has never failed, or is not kept any more");
        return Ok(false);
    };
    let now = runtime::now();
    send(cloud, by_hand::again(lost.job, &nonce(now)).into_iter().collect()).await?;
    report(answer(id, &key, now, table).await?.as_ref(), terminal)
}

pub(super) async fn recover(
    id: &EndpointId,
    args: &Recover,
    cloud: &Cloud,
    table: &Table,
    terminal: &Terminal,
) -> Done {
    let now = runtime::now();
    let since = ago(&args.since)?;
    if !by_hand::is_recoverable(since, now) {
        return Err(Error::usage(format!("{since} is more than 14 days ago"), "name a later time"));
    }
    let Some(endpoint) = find(id, table, terminal).await? else { return Ok(false) };
    if endpoint.disabled.is_some() && !args.dry_run {
        return Err(Error::usage("the endpoint is switched off", "enable it first"));
    }
    if !args.dry_run {
        is_verified(&endpoint)?;
    }
    let (nonce, mut after, mut count) = (nonce(now), None, 0);
    loop {
        let (lost, next) = table.lost(id, since, after.as_ref(), AT_ONCE).await?;
        let jobs: Vec<Job> =
            lost.into_iter().filter_map(|it| by_hand::again(it.job, &nonce)).take(MOST - count).collect();
        count += jobs.len();
        if !args.dry_run {
            send(cloud, jobs).await?;
        }
        terminal.progress(&format!("{count} messages"));
        after = next;
        if after.is_none() || count == MOST {
            break;
        }
    }
    terminal.clear();
    let word = if args.dry_run { "would be sent again" } else { "are sent again" };
    match terminal.json {
        true => terminal.say_json(&json!({ "messages": count, "sent": !args.dry_run })),
        false => terminal.say(&format!("{} {count} messages {word}", terminal.ink(Ink::Good, "ok"))),
    }
    Ok(true)
}

fn is_verified(endpoint: &Endpoint) -> Result<(), Error> {
    match endpoint.unverified {
        None => Ok(()),
        Some(_) => Err(Error::usage(
            "the endpoint's owner has not proved control of it",
            format!("prove it with `carillon endpoints verify {}`", endpoint.id.name()),
        )),
    }
}

/// What keeps this call apart from every other.
fn nonce(now: Timestamp) -> String {
    now.as_nanosecond().to_string()
}

async fn send(cloud: &Cloud, jobs: Vec<Job>) -> Result<(), Error> {
    let queue = Sqs::new(&cloud.config).queue(&cloud.name("webhook")).await?;
    let messages = jobs.into_iter().map(|job| Outgoing {
        body: serde_json::to_string(&job).unwrap_or_default(),
        tenant: job.event.tenant.clone(),
        delay: Duration::ZERO,
    });
    for sent in queue.send(&messages.collect::<Vec<_>>()).await {
        sent?;
    }
    Ok(())
}

/// The attempt that was made of a message since `begun`, once it is known.
async fn answer(
    id: &EndpointId,
    message: &Key,
    begun: Timestamp,
    table: &Table,
) -> Result<Option<Attempt>, Error> {
    while Duration::try_from(runtime::now().duration_since(begun)).is_ok_and(|it| it < PATIENCE) {
        let found = table.attempts(id, AT_ONCE).await?;
        if let Some(it) = found.into_iter().find(|it| it.message == *message && it.by_hand && it.at >= begun)
        {
            return Ok(Some(it));
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Ok(None)
}

fn report(found: Option<&Attempt>, terminal: &Terminal) -> Done {
    let Some(it) = found else {
        terminal.note("it is queued; `carillon endpoints attempts` will say what was answered");
        return Ok(false);
    };
    match terminal.json {
        true => terminal.say_json(it),
        false => terminal.say(&line(it, terminal)),
    }
    Ok(it.status.is_some_and(|it| (200..300).contains(&it)))
}
