//! Three scenarios with faults of the proxy: a killed function, a failing provider, a poison message.

use std::time::Duration;

use domain::base::channel::Channel;
use domain::base::outcome::Status;
use domain::recipient::Recipient;
use queue::{DeadLetters, Sqs};
use serde_json::{Value, json};

use cli::cloud::Cloud;
use cli::error::Error;

use super::Scenario;
use super::channels::{device, phone};
use super::checks::Check;
use super::fixtures::{count, event, recipient};

/// The visibility timeouts of two queues during the scenarios, in seconds. The deployed three minutes are too long for a demo.
const SHORT_TIMEOUTS: [(&str, u64); 2] = [("push", 8), ("push-critical", 2)];

/// The deployed visibility timeout.
const DEPLOYED_TIMEOUT: Duration = Duration::from_secs(180);

/// The people of these scenarios.
pub(super) fn people(run: &str) -> Result<Vec<Recipient>, Error> {
    let recipient = |id: &str, name: &str| {
        recipient(json!({
            "id": id, "name": name, "locale": "en", "zone": "Etc/UTC", "phone": phone(run, number(id)),
            "devices": [{ "id": "phone", "platform": "fcm", "endpoint": device("local", &format!("{run}-{name}")) }],
        }))
    };
    [("demo-kim", "kim"), ("demo-lou", "lou"), ("demo-max", "max")]
        .into_iter()
        .map(|(id, name)| recipient(id, name))
        .collect()
}

fn number(id: &str) -> u64 {
    id.bytes().map(u64::from).sum()
}

/// The injected faults and the queues with a short visibility timeout.
pub(super) struct Faults {
    proxy: String,
    queues: Vec<DeadLetters>,
}

impl Faults {
    /// Injects the faults, for the events of this run only.
    ///
    /// # Errors
    /// The proxy or a queue refuses a call.
    pub(super) async fn inject(cloud: &Cloud, run: &str) -> Result<Faults, Error> {
        let local = cloud.local.as_ref();
        let proxy = local.map(|local| local.proxy_endpoint()).unwrap_or_default();
        let mut queues = DeadLetters::all(&Sqs::new(&cloud.config), &cloud.name("")).await?;
        queues.retain(|queue| SHORT_TIMEOUTS.iter().any(|(name, _)| queue.name == cloud.name(name)));
        for queue in &queues {
            let seconds = SHORT_TIMEOUTS
                .iter()
                .find(|(name, _)| queue.name == cloud.name(name))
                .map_or(0, |(_, seconds)| *seconds);
            queue.hide_for(Duration::from_secs(seconds)).await?;
        }
        let faults = Faults { proxy, queues };
        set_plan(&faults.proxy, &[kill_once(run), fail_twice(run), poison(run)])?;
        Ok(faults)
    }

    /// Removes the faults and restores the queues.
    ///
    /// # Errors
    /// The proxy or a queue refuses a call.
    pub(super) async fn remove(self) -> Result<(), Error> {
        set_plan(&self.proxy, &[])?;
        restore_timeouts(&self.queues).await
    }
}

/// Removes the faults and restores the queues after an interrupted demo.
///
/// # Errors
/// The proxy or a queue refuses a call.
pub(in crate::demo) async fn restore(cloud: &Cloud) -> Result<(), Error> {
    remove_all(cloud)?;
    let mut queues = DeadLetters::all(&Sqs::new(&cloud.config), &cloud.name("")).await?;
    queues.retain(|queue| SHORT_TIMEOUTS.iter().any(|(name, _)| queue.name == cloud.name(name)));
    restore_timeouts(&queues).await
}

async fn restore_timeouts(queues: &[DeadLetters]) -> Result<(), Error> {
    for queue in queues {
        queue.hide_for(DEPLOYED_TIMEOUT).await?;
    }
    Ok(())
}

/// The push function is killed once, at the call for Kim's device.
fn kill_once(run: &str) -> Value {
    let kim = format!("demo-{run}-kim");
    json!({ "function": "push", "service": "sns", "contains": kim, "do": "kill_before", "times": 1 })
}

/// The SMS provider fails twice.
fn fail_twice(run: &str) -> Value {
    let kim = phone(run, number("demo-kim"));
    let digits = kim.trim_start_matches('+');
    json!({ "function": "sms", "service": "sns", "contains": digits, "do": "error", "times": 2 })
}

/// The push function is killed at every claim for this event, until the fault is removed.
fn poison(run: &str) -> Value {
    let event = format!("demo-{run}-poison");
    json!({ "function": "push", "service": "dynamodb", "contains": event, "do": "kill_before" })
}

/// Sets the proxy's plan of faults.
fn set_plan(proxy: &str, faults: &[Value]) -> Result<(), Error> {
    let url = format!("{proxy}/_faults");
    let plan = json!({ "seed": 1, "faults": faults }).to_string();
    let put = ureq::put(&url).send(plan);
    put.map(drop).map_err(|error| Error::Cloud(format!("the proxy at {url} takes no faults: {error}")))
}

/// Removes all faults.
///
/// # Errors
/// The proxy refuses the call.
pub(super) fn remove_all(cloud: &Cloud) -> Result<(), Error> {
    set_plan(&cloud.local.as_ref().map(|local| local.proxy_endpoint()).unwrap_or_default(), &[])
}

/// The number of calls with this fault of the plan.
///
/// # Errors
/// The proxy does not answer.
pub(super) fn done(cloud: &Cloud, index: usize) -> Result<u64, Error> {
    let url =
        format!("{}/_faults", cloud.local.as_ref().map(|local| local.proxy_endpoint()).unwrap_or_default());
    let failed = |why: String| Error::Cloud(format!("cannot read {url}: {why}"));
    let body = ureq::get(&url).call().map_err(|error| failed(error.to_string()))?.body_mut().read_to_string();
    let found: Value = body
        .map_err(|error| failed(error.to_string()))
        .and_then(|text| serde_json::from_str(&text).map_err(|error| failed(error.to_string())))?;
    Ok(found["faults"][index]["done"].as_u64().unwrap_or_default())
}

pub(super) fn scenarios(run: &str) -> Result<Vec<Scenario>, Error> {
    let push = |name: &str| (Channel::Push, device("local", &format!("{run}-{name}")));
    let emergency =
        |name: &str, person: &str| event(run, name, "demo.emergency", person, "the-fire", "Leave the house.");
    Ok(vec![
        Scenario {
            title: "A killed function",
            about: "the function dies during the provider call; after the lease another one takes over",
            events: vec![event(
                run,
                "killed",
                "demo.ring",
                "demo-kim",
                "the-gate",
                "A visitor is at the gate.",
            )?],
            then: None,
            is_complete: |rows| count(rows, Status::Sent, None) == 1 && rows.len() == 1,
            check: Some(Check::Survived { fault: 0, least: 1, places: vec![push("kim")] }),
        },
        Scenario {
            title: "A broken provider",
            about: "the provider answers 500; the SMS is retried later",
            events: vec![event(
                run,
                "broken",
                "demo.text",
                "demo-kim",
                "the-key",
                "The key is under the mat.",
            )?],
            then: None,
            is_complete: |rows| rows.len() == 1 && rows.iter().all(|row| row.status.was_sent()),
            check: Some(Check::Survived {
                fault: 1,
                least: 1,
                places: vec![(Channel::Sms, phone(run, number("demo-kim")))],
            }),
        },
        Scenario {
            title: "A poison event",
            about: "the message kills its function, is dead-lettered, and is redriven after the repair",
            events: vec![emergency("poison", "demo-lou")?, emergency("neighbour", "demo-max")?],
            then: None,
            is_complete: |rows| count(rows, Status::Sent, None) == 2,
            check: Some(Check::Redriven {
                queue: "push-critical",
                fault: 2,
                places: vec![push("lou"), push("max")],
            }),
        },
    ])
}
