//! Three acts in which something breaks: a function is killed, a provider fails, an event is poison. The proxy between the
//! functions and the local cloud does the harm.

use std::time::Duration;

use domain::channel::Channel;
use domain::outcome::Status;
use domain::recipient::Recipient;
use queue::{DeadLetters, Sqs};
use serde_json::{Value, json};

use crate::cloud::Cloud;
use crate::error::Error;

use super::Act;
use super::channels::{device, phone};
use super::proof::Proof;
use super::props::{count, event, somebody};

/// How long two queues hide what a killed function had, for as long as the acts are played. As deployed it is three
/// minutes, which nobody who watches wants to wait.
const HIDDEN: [(&str, u64); 2] = [("push", 8), ("push-critical", 2)];

/// As deployed.
const AS_DEPLOYED: Duration = Duration::from_secs(180);

/// Whom these acts are about.
pub(super) fn people(run: &str) -> Result<Vec<Recipient>, Error> {
    let somebody = |id: &str, name: &str| {
        somebody(json!({
            "id": id, "name": name, "locale": "en", "zone": "Etc/UTC", "phone": phone(run, number(id)),
            "devices": [{ "id": "phone", "platform": "fcm", "endpoint": device("local", &format!("{run}-{name}")) }],
        }))
    };
    [("demo-kim", "kim"), ("demo-lou", "lou"), ("demo-max", "max")]
        .into_iter()
        .map(|(id, name)| somebody(id, name))
        .collect()
}

fn number(id: &str) -> u64 {
    id.bytes().map(u64::from).sum()
}

/// What is broken while it lives.
pub(super) struct Trouble {
    proxy: String,
    hidden: Vec<DeadLetters>,
}

impl Trouble {
    /// Breaks it, for the events of this run only.
    pub(super) async fn make(cloud: &Cloud, run: &str) -> Result<Trouble, Error> {
        let local = cloud.local.as_ref();
        let proxy = local.map(|local| local.proxy_endpoint()).unwrap_or_default();
        let mut hidden = DeadLetters::all(&Sqs::new(&cloud.config), &cloud.name("")).await?;
        hidden.retain(|it| HIDDEN.iter().any(|(name, _)| it.name == cloud.name(name)));
        for queue in &hidden {
            let seconds = HIDDEN.iter().find(|(name, _)| queue.name == cloud.name(name)).map_or(0, |it| it.1);
            queue.hide_for(Duration::from_secs(seconds)).await?;
        }
        let trouble = Trouble { proxy, hidden };
        plan(&trouble.proxy, &[killing(run), failing(run), poison(run)])?;
        Ok(trouble)
    }

    /// Everything is as it was.
    pub(super) async fn end(self) -> Result<(), Error> {
        plan(&self.proxy, &[])?;
        show_as_deployed(&self.hidden).await
    }
}

/// The same for a demo that was stopped.
pub(in crate::demo) async fn restore(cloud: &Cloud) -> Result<(), Error> {
    mend(cloud)?;
    let mut queues = DeadLetters::all(&Sqs::new(&cloud.config), &cloud.name("")).await?;
    queues.retain(|queue| HIDDEN.iter().any(|(name, _)| queue.name == cloud.name(name)));
    show_as_deployed(&queues).await
}

async fn show_as_deployed(queues: &[DeadLetters]) -> Result<(), Error> {
    for queue in queues {
        queue.hide_for(AS_DEPLOYED).await?;
    }
    Ok(())
}

/// The function that sends notes is killed when it asks for Kim's.
fn killing(run: &str) -> Value {
    let kim = format!("demo-{run}-kim");
    json!({ "function": "push", "service": "sns", "contains": kim, "do": "kill_before", "times": 1 })
}

/// The provider of texts has an error of its own, twice.
fn failing(run: &str) -> Value {
    let kim = phone(run, number("demo-kim"));
    let digits = kim.trim_start_matches('+');
    json!({ "function": "sms", "service": "sns", "contains": digits, "do": "error", "times": 2 })
}

/// Whoever begins to deliver what came of this event is killed, until that is mended.
fn poison(run: &str) -> Value {
    let event = format!("demo-{run}-poison");
    json!({ "function": "push", "service": "dynamodb", "contains": event, "do": "kill_before" })
}

/// Gives the proxy a plan.
fn plan(proxy: &str, faults: &[Value]) -> Result<(), Error> {
    let url = format!("{proxy}/_faults");
    let plan = json!({ "seed": 1, "faults": faults }).to_string();
    let put = ureq::put(&url).send(plan);
    put.map(drop).map_err(|error| Error::Cloud(format!("the proxy at {url} takes no faults: {error}")))
}

/// From now on nothing is broken.
pub(super) fn mend(cloud: &Cloud) -> Result<(), Error> {
    plan(&cloud.local.as_ref().map(|local| local.proxy_endpoint()).unwrap_or_default(), &[])
}

/// How often a fault of the plan was done.
pub(super) fn done(cloud: &Cloud, which: usize) -> Result<u64, Error> {
    let url =
        format!("{}/_faults", cloud.local.as_ref().map(|local| local.proxy_endpoint()).unwrap_or_default());
    let failed = |why: String| Error::Cloud(format!("cannot read {url}: {why}"));
    let body = ureq::get(&url).call().map_err(|error| failed(error.to_string()))?.body_mut().read_to_string();
    let found: Value = body
        .map_err(|error| failed(error.to_string()))
        .and_then(|map_err| serde_json::from_str(&map_err).map_err(|error| failed(error.to_string())))?;
    Ok(found["faults"][which]["done"].as_u64().unwrap_or_default())
}

pub(super) fn acts(run: &str) -> Result<Vec<Act>, Error> {
    let note = |who: &str| (Channel::Push, device("local", &format!("{run}-{who}")));
    let emergency =
        |what: &str, who: &str| event(run, what, "demo.emergency", who, "the-fire", "Leave the house.");
    Ok(vec![
        Act {
            title: "A killed function",
            told: "it dies while it asks the provider; its lease ends, another one takes over",
            events: vec![event(
                run,
                "killed",
                "demo.ring",
                "demo-kim",
                "the-gate",
                "Somebody is at the gate.",
            )?],
            then: None,
            is_over: |rows| count(rows, Status::Sent, None) == 1 && rows.len() == 1,
            proof: Some(Proof::Survived { harm: 0, least: 1, places: vec![note("kim")] }),
        },
        Act {
            title: "A broken provider",
            told: "it answers 500; the text is tried again later",
            events: vec![event(
                run,
                "broken",
                "demo.text",
                "demo-kim",
                "the-key",
                "The key is under the mat.",
            )?],
            then: None,
            is_over: |rows| rows.len() == 1 && rows.iter().all(|row| row.status.was_sent()),
            proof: Some(Proof::Survived {
                harm: 1,
                least: 1,
                places: vec![(Channel::Sms, phone(run, number("demo-kim")))],
            }),
        },
        Act {
            title: "A poison event",
            told: "it kills whoever begins with it, is put aside, and is sent back when that is mended",
            events: vec![emergency("poison", "demo-lou")?, emergency("neighbour", "demo-max")?],
            then: None,
            is_over: |rows| count(rows, Status::Sent, None) == 2,
            proof: Some(Proof::Redriven {
                queue: "push-critical",
                harm: 2,
                places: vec![note("lou"), note("max")],
            }),
        },
    ])
}
