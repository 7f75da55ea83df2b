//! Sending by hand: a ping, one message, or all that an endpoint has not got. A ping and a message that failed are jobs of
//! keys of their own in the webhook queue; an event that was not told goes to dispatch.

use std::time::Duration;

use domain::Timestamp;
use domain::endpoint::challenge::{CHALLENGE_BYTES, Challenge};
use domain::endpoint::{Endpoint, EndpointId, by_hand};
use domain::job::Job;
use domain::key::Key;
use domain::wake::Wake;
use queue::{Outgoing, Sqs};
use serde_json::json;
use store::{Attempt, Endpoints as Table, Events, Ledger, Recovery, RecoveryPlace};

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
    getrandom::fill(&mut bytes).map_err(|error| Error::Cloud(format!("no random bytes: {error}")))?;
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
    let now = runtime::now();
    match table.undelivered(id, &key).await? {
        Some(lost) => send(cloud, by_hand::again(lost.job, &nonce(now)).into_iter().collect()).await?,
        None => {
            let Some(wake) = reader(cloud, table).recovery().one(&endpoint, &key).await? else {
                terminal.note("no message of this id has failed, or was missed, and is still kept");
                return Ok(false);
            };
            wake_up(cloud, &[(wake, id.tenant.clone())]).await?;
        }
    }
    report(answer(id, &key, now, table).await?.as_ref(), terminal)
}

/// The tables that know what an endpoint has not got.
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

/// What a recovery has found so far.
#[derive(Default)]
struct Count {
    messages: usize,
    events: usize,
    lost: usize,
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
    let place = args.next.as_deref().map(|text| {
        let fix = "take it from what the call before printed";
        RecoveryPlace::parse(text).ok_or_else(|| Error::usage(format!("{text:?} is no place"), fix))
    });
    let mut next = place.transpose()?;
    let Some(endpoint) = find(id, table, terminal).await? else { return Ok(false) };
    if endpoint.disabled.is_some() && !args.dry_run {
        return Err(Error::usage("the endpoint is switched off", "enable it first"));
    }
    if !args.dry_run {
        is_verified(&endpoint)?;
    }
    let (tables, mut count) = (reader(cloud, table), Count::default());
    loop {
        let part = tables.recovery().part(&endpoint, since, next.as_ref(), AT_ONCE, now).await?;
        count.messages += part.jobs.len();
        count.events += part.wakes.len();
        count.lost += part.lost;
        if !args.dry_run {
            send(cloud, part.jobs).await?;
            wake_up(cloud, &part.wakes).await?;
        }
        terminal.progress(&format!("{} messages, {} events", count.messages, count.events));
        next = part.next;
        if next.is_none() || count.messages + count.events + AT_ONCE as usize > MOST {
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
    let (again, first) = match args.dry_run {
        true => ("would be sent again", "that it was not told of would be sent"),
        false => ("are sent again", "that it was not told of are sent"),
    };
    let ok = terminal.ink(Ink::Good, "ok");
    terminal.say(&format!("{ok} {messages} messages that failed {again}, {events} events {first}"));
    if *lost > 0 {
        terminal
            .note(&format!("{lost} events are not sent: they have expired, or are not on record any more"));
    }
    if let Some(place) = next {
        terminal.note(&format!(
            "there is more: carillon endpoints recover {} --since {} --next '{}'",
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
    if jobs.is_empty() {
        return Ok(());
    }
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

/// Lets dispatch decide once more, in its lane for what is not urgent.
async fn wake_up(cloud: &Cloud, wakes: &[(Wake, Option<String>)]) -> Result<(), Error> {
    if wakes.is_empty() {
        return Ok(());
    }
    let queue = Sqs::new(&cloud.config).queue(&cloud.name("dispatch-bulk")).await?;
    let messages = wakes.iter().map(|(wake, tenant)| Outgoing {
        body: wake.to_json(),
        tenant: tenant.clone(),
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
        if let Some(it) = found.into_iter().find(|it| it.message == *message && it.at >= begun) {
            return Ok(Some(it));
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Ok(None)
}

fn report(found: Option<&Attempt>, terminal: &Terminal) -> Done {
    let Some(found) = found else {
        terminal.note("it is queued; `carillon endpoints attempts` will say what was answered");
        return Ok(false);
    };
    match terminal.json {
        true => terminal.say_json(found),
        false => terminal.say(&line(found, terminal)),
    }
    Ok(found.status.is_some_and(|status| (200..300).contains(&status)))
}
