//! Manual sends: a ping, one message, or all missed messages. A ping or a failed message is a job with a new key in the
//! webhook queue. A missed event goes to dispatch.

use std::time::Duration;

use domain::Timestamp;
use domain::decide::continuation::Continuation;
use domain::delivery::job::Job;
use domain::delivery::manual;
use domain::event::key::Key;
use domain::event::own_events::CLI_SOURCE;
use domain::webhook::endpoint::challenge::{CHALLENGE_BYTES, Challenge};
use domain::webhook::endpoint::{Endpoint, EndpointId};
use queue::{Outgoing, Sqs};
use serde_json::json;
use store::{Attempt, Endpoints as Table, Events, Ledger, Recovery, RecoveryPlace};

use super::{ATTEMPTS, add, find};
use crate::args::Recover;
use crate::cloud::Cloud;
use crate::error::{Done, Error};
use crate::since::ago;
use crate::terminal::{Ink, Table as Rows, Terminal};

/// The page size of table reads.
const PAGE: u32 = 100;
/// The most messages of a command.
const MAX_MESSAGES: usize = 10_000;

/// The longest wait for the answer to an attempt.
const TIMEOUT: Duration = Duration::from_secs(40);

/// Sends a ping and waits for the answer.
pub(super) async fn ping(id: &EndpointId, cloud: &Cloud, table: &Table, terminal: &Terminal) -> Done {
    if find(id, table, terminal).await?.is_none() {
        return Ok(false);
    }
    let now = runtime::now();
    let job = manual::ping(id, CLI_SOURCE, &nonce(now), now);
    let key = job.key.clone();
    send(cloud, vec![job]).await?;
    report(answer(id, &key, now, table, terminal).await?.as_ref(), terminal)
}

/// Sends a challenge and waits for the answer.
pub(super) async fn challenge(id: &EndpointId, cloud: &Cloud, table: &Table, terminal: &Terminal) -> Done {
    let now = runtime::now();
    let mut bytes = [0_u8; CHALLENGE_BYTES];
    getrandom::fill(&mut bytes).map_err(|error| Error::Cloud(format!("no random bytes: {error}")))?;
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    if !table.challenge(id, &Challenge::of(&text, now)).await? {
        terminal.note(&format!("{} was changed by another call; try again", id.name()));
        return Ok(false);
    }
    let job = manual::verify(id, CLI_SOURCE, &nonce(now), &text, now);
    let key = job.key.clone();
    send(cloud, vec![job]).await?;
    let answered = answer(id, &key, now, table, terminal).await?;
    report(answered.as_ref(), terminal)?;
    let verified = find(id, table, terminal).await?.is_some_and(|endpoint| endpoint.unverified.is_none());
    if !verified {
        terminal.note(
            "the endpoint is not verified: the answer must be 2xx with the challenge as the whole body",
        );
    }
    Ok(verified)
}

/// Sends a failed message or a missed event again.
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
        return Err(Error::usage("the endpoint is disabled", "enable it first"));
    }
    is_verified(&endpoint)?;
    let now = runtime::now();
    match table.undelivered(id, &key).await? {
        Some(lost) => send(cloud, manual::again(lost.job, &nonce(now)).into_iter().collect()).await?,
        None => {
            let Some(continuation) = reader(cloud, table).recovery().one(&endpoint, &key).await? else {
                terminal.note("no stored message with this id has failed or was missed");
                return Ok(false);
            };
            send_continuations(cloud, &[(continuation, id.tenant.clone())]).await?;
        }
    }
    report(answer(id, &key, now, table, terminal).await?.as_ref(), terminal)
}

/// The tables for a recovery.
struct Reader {
    endpoints: Table,
    ledger: Ledger,
    events: Events,
}

impl Reader {
    fn recovery(&self) -> Recovery<'_> {
        Recovery { endpoints: &self.endpoints, ledger: &self.ledger, events: &self.events }
    }
}

fn reader(cloud: &Cloud, table: &Table) -> Reader {
    let client = store::client(&cloud.config);
    Reader {
        endpoints: table.clone(),
        ledger: Ledger::new(&client, cloud.name("ledger")),
        events: Events::new(&client, cloud.name("events")),
    }
}

/// The counts of a recovery.
#[derive(Default)]
struct Count {
    messages: usize,
    events: usize,
    lost: usize,
}

/// Sends all failed messages and missed events again.
pub(super) async fn recover(
    id: &EndpointId,
    args: &Recover,
    cloud: &Cloud,
    table: &Table,
    terminal: &Terminal,
) -> Done {
    let now = runtime::now();
    let since = ago(&args.since)?;
    if !manual::is_recoverable(since, now) {
        return Err(Error::usage(format!("{since} is more than 14 days ago"), "name a later time"));
    }
    let place = args.next.as_deref().map(|text| {
        let fix = "take it from the output of the previous call";
        RecoveryPlace::parse(text).ok_or_else(|| Error::usage(format!("{text:?} is no position"), fix))
    });
    let mut next = place.transpose()?;
    let Some(endpoint) = find(id, table, terminal).await? else { return Ok(false) };
    if endpoint.disabled.is_some() && !args.dry_run {
        return Err(Error::usage("the endpoint is disabled", "enable it first"));
    }
    if !args.dry_run {
        is_verified(&endpoint)?;
    }
    let (tables, mut count) = (reader(cloud, table), Count::default());
    loop {
        let part = tables.recovery().part(&endpoint, since, next.as_ref(), PAGE, now).await?;
        count.messages += part.jobs.len();
        count.events += part.continuations.len();
        count.lost += part.lost;
        if !args.dry_run {
            send(cloud, part.jobs).await?;
            send_continuations(cloud, &part.continuations).await?;
        }
        terminal.progress(&format!("{} messages, {} events", count.messages, count.events));
        next = part.next;
        if next.is_none() || count.messages + count.events + PAGE as usize > MAX_MESSAGES {
            break;
        }
    }
    terminal.clear();
    say(&count, next.as_ref(), args, terminal);
    Ok(true)
}

fn say(count: &Count, next: Option<&RecoveryPlace>, args: &Recover, terminal: &Terminal) {
    let Count { messages, events, lost } = count;
    if terminal.json {
        let next = next.map(RecoveryPlace::to_text);
        let sent = !args.dry_run;
        return terminal.say_json(
            &json!({ "messages": messages, "events": events, "lost": lost, "sent": sent, "next": next }),
        );
    }
    let (again, missed) = match args.dry_run {
        true => ("would be sent again", "would be sent"),
        false => ("are sent again", "are sent"),
    };
    let ok = terminal.ink(Ink::Good, "ok");
    terminal.say(&format!("{ok} {messages} failed messages {again}, {events} missed events {missed}"));
    if *lost > 0 {
        terminal
            .note(&format!("{lost} events are not sent: they have expired, or their records were deleted"));
    }
    if let Some(place) = next {
        terminal.note(&format!(
            "continue with: carillon endpoints recover {} --since {} --next '{}'",
            args.named.endpoint,
            args.since,
            place.to_text()
        ));
    }
}

fn is_verified(endpoint: &Endpoint) -> Result<(), Error> {
    match endpoint.unverified {
        None => Ok(()),
        Some(_) => Err(Error::usage(
            "the endpoint is not verified",
            format!("verify it with `carillon endpoints verify {}`", endpoint.id.name()),
        )),
    }
}

/// A value that is unique to this call.
fn nonce(now: Timestamp) -> String {
    now.as_nanosecond().to_string()
}

async fn send(cloud: &Cloud, jobs: Vec<Job>) -> Result<(), Error> {
    if jobs.is_empty() {
        return Ok(());
    }
    let queue = Sqs::new(&cloud.config).queue(&cloud.name("webhook")).await?;
    let messages = jobs.into_iter().map(|job| Outgoing {
        body: serde_json::to_string(&job).unwrap_or_default().into(),
        tenant: job.event.tenant.clone(),
        delay: Duration::ZERO,
    });
    for sent in queue.send(&messages.collect::<Vec<_>>()).await {
        sent?;
    }
    Ok(())
}

/// Sends continuations to dispatch, in its bulk lane.
async fn send_continuations(
    cloud: &Cloud,
    continuations: &[(Continuation, Option<String>)],
) -> Result<(), Error> {
    if continuations.is_empty() {
        return Ok(());
    }
    let queue = Sqs::new(&cloud.config).queue(&cloud.name("dispatch-bulk")).await?;
    let messages = continuations.iter().map(|(continuation, tenant)| Outgoing {
        body: continuation.to_json().into(),
        tenant: tenant.clone(),
        delay: Duration::ZERO,
    });
    for sent in queue.send(&messages.collect::<Vec<_>>()).await {
        sent?;
    }
    Ok(())
}

/// Waits for the attempt of a message that was made after `started`.
async fn answer(
    id: &EndpointId,
    message: &Key,
    started: Timestamp,
    table: &Table,
    terminal: &Terminal,
) -> Result<Option<Attempt>, Error> {
    terminal.progress("waiting for the answer …");
    while Duration::try_from(runtime::now().duration_since(started)).is_ok_and(|waited| waited < TIMEOUT) {
        let found = table.attempts(id, PAGE).await?;
        let is_wanted = |attempt: &Attempt| attempt.message == *message && attempt.at >= started;
        if let Some(attempt) = found.into_iter().find(is_wanted) {
            return Ok(Some(attempt));
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Ok(None)
}

fn report(found: Option<&Attempt>, terminal: &Terminal) -> Done {
    let Some(found) = found else {
        terminal.note("the message is queued; `carillon endpoints attempts` shows the answer later");
        return Ok(false);
    };
    match terminal.json {
        true => terminal.say_json(found),
        false => {
            let mut rows = Rows::new(ATTEMPTS);
            add(found, &mut rows);
            terminal.table(&rows);
        }
    }
    Ok(found.status.is_some_and(|status| (200..300).contains(&status)))
}
