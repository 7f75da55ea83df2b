//! Scenarios with events of their own on the local cloud, printed as `carillon explain` does. [`timing`] has those with waits,
//! [`channels`] those about receivers, [`faults`] those with injected faults.

use std::cell::Cell;
use std::time::Duration;

use domain::Timestamp;
use domain::event::Event;
use publish::EventBridge;
use serde_json::{Value, json};
use store::{Ledger, LedgerRow, People};

use cli::cloud::Cloud;
use cli::error::Error;
use cli::explanations;
use cli::terminal::{Ink, Terminal};

use super::ws_clients::{Acknowledging, Listening};

mod channels;
mod checks;
mod faults;
mod fixtures;
mod timing;

use checks::{Check, CheckResult};
use faults::Faults;
pub(super) use faults::restore;

/// The longest wait for all scenarios. The longest takes half a minute, and a lost batch is redelivered after 180 s.
const TIMEOUT: Duration = Duration::from_secs(300);

/// The shortest wait for each scenario after the previous one.
const MIN_TIMEOUT: Duration = Duration::from_secs(15);

/// The interval between two reads of the tables.
const PAUSE: Duration = Duration::from_millis(400);

/// A condition on the ledger rows.
type Condition = fn(&[LedgerRow]) -> bool;

/// A scenario.
struct Scenario {
    title: &'static str,
    /// The expected result, for the reader.
    about: &'static str,
    events: Vec<Event>,
    /// An event that follows when its condition holds.
    then: Option<(Event, Condition)>,
    /// Whether the ledger has the expected rows.
    is_complete: Condition,
    /// The check of the receiving side.
    check: Option<Check>,
}

/// The environment of the scenarios.
struct Stage<'a> {
    cloud: &'a Cloud,
    /// A unique id of this run on the local cloud.
    run: String,
    /// A tenant of this run only.
    tenant: String,
    zoe: Listening,
    /// The number of redriven dead letters.
    sent_back: Cell<usize>,
    /// The number of kills by the poison message when its fault was removed.
    repaired: Cell<Option<u64>>,
}

/// The running scenarios.
pub(super) struct Scenarios<'a> {
    scenarios: Vec<Scenario>,
    stage: Stage<'a>,
    faults: Faults,
    started: Timestamp,
    _ada: Acknowledging,
}

impl Scenarios<'_> {
    /// Publishes the first events of all scenarios.
    ///
    /// # Errors
    /// The local cloud refuses a call.
    pub(super) async fn begin<'a>(cloud: &'a Cloud, url: &str) -> Result<Scenarios<'a>, Error> {
        let started = runtime::now();
        let run = format!("{:x}", started.as_millisecond());
        let tenant = format!("demo-{run}");
        let people =
            [timing::people(&run, started)?, channels::people(&run, &tenant)?, faults::people(&run)?]
                .concat();
        People::new(&store::client(&cloud.config), cloud.name("people")).put(&people, started).await?;
        channels::register(cloud, &run, &tenant).await?;
        let ada = Acknowledging::open(cloud, url, "demo-ada").await?;
        let zoe = Listening::open(cloud, url, channels::ZOE, &tenant).await?;
        let stage = Stage { cloud, run, tenant, zoe, sent_back: Cell::default(), repaired: Cell::default() };
        let faults = Faults::inject(cloud, &stage.run).await?;
        let scenarios = [
            channels::scenarios(&stage.run, &stage.tenant)?,
            timing::scenarios(&stage.run, started)?,
            faults::scenarios(&stage.run)?,
        ];
        let scenarios: Vec<Scenario> = scenarios.into_iter().flatten().collect();
        let bus = EventBridge::new(&cloud.config, cloud.bus());
        fixtures::put(&bus, scenarios.iter().flat_map(|scenario| &scenario.events)).await?;
        // The cancellation follows after the reminders were scheduled.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        fixtures::put(&bus, [&timing::cancel_event(&stage.run)?].into_iter()).await?;
        Ok(Scenarios { scenarios, stage, faults, started, _ada: ada })
    }

    /// Waits for all scenarios and prints them. Returns whether all passed.
    ///
    /// # Errors
    /// The local cloud refuses a call.
    pub(super) async fn finish(self, terminal: &Terminal) -> Result<bool, Error> {
        let passed = self.stage.run_all(self.scenarios, self.started, terminal).await;
        // An error removes the faults, too.
        let removed = self.faults.remove().await;
        passed.and_then(|passed| removed.map(|()| passed))
    }
}

impl Stage<'_> {
    async fn run_all(
        &self,
        scenarios: Vec<Scenario>,
        started: Timestamp,
        terminal: &Terminal,
    ) -> Result<bool, Error> {
        let mut passed = true;
        for scenario in scenarios {
            passed &= self.run(scenario, started, terminal).await?;
        }
        Ok(passed)
    }

    /// Waits until a scenario is complete and its check holds, and prints it. Returns whether it passed.
    async fn run(
        &self,
        mut scenario: Scenario,
        started: Timestamp,
        terminal: &Terminal,
    ) -> Result<bool, Error> {
        let ledger = Ledger::new(&store::client(&self.cloud.config), self.cloud.name("ledger"));
        let bus = EventBridge::new(&self.cloud.config, self.cloud.bus());
        // A failed scenario leaves the next ones some time.
        let deadline = (started + TIMEOUT).max(runtime::now() + MIN_TIMEOUT);
        loop {
            let rows = rows(&ledger, &scenario.events).await?;
            if let Some((event, _)) = scenario.then.take_if(|(_, condition)| condition(&rows)) {
                fixtures::put(&bus, [&event].into_iter()).await?;
                scenario.events.push(event);
            }
            let result = match &scenario.check {
                Some(check) => Some(check.run(self, &rows).await?),
                None => None,
            };
            let right = (scenario.is_complete)(&rows) && result.as_ref().is_none_or(|result| result.right);
            if right || runtime::now() > deadline {
                terminal.clear();
                show(&scenario, &rows, result.as_ref(), right, terminal);
                return Ok(right);
            }
            let seconds = runtime::now().duration_since(started).as_secs();
            terminal.progress(&format!("{} …, {seconds} s", scenario.title));
            tokio::time::sleep(PAUSE).await;
        }
    }
}

fn show(
    scenario: &Scenario,
    rows: &[LedgerRow],
    result: Option<&CheckResult>,
    right: bool,
    terminal: &Terminal,
) {
    if terminal.json {
        let outcomes: Vec<Value> = rows.iter().map(explanations::row_json).collect();
        return terminal
            .say_json(&json!({ "act": scenario.title, "right": right, "outcomes": outcomes, "arrived": result.map(|result| &result.text) }));
    }
    let sign = if right { terminal.ink(Ink::Good, "✓") } else { terminal.ink(Ink::Bad, "✗") };
    terminal.say("");
    terminal.say(&format!(
        "{sign} {}   {}",
        terminal.ink(Ink::Strong, scenario.title),
        terminal.ink(Ink::Quiet, scenario.about)
    ));
    for row in rows {
        explanations::print_row(row, terminal);
    }
    if let Some(result) = result {
        let ink = if result.right { Ink::Good } else { Ink::Bad };
        terminal.say(&format!("  {}", terminal.ink(ink, &result.text)));
    }
    if let Some(event) = scenario.events.first() {
        let command = format!("carillon explain {}", event.id);
        terminal.say(&terminal.ink(Ink::Note, &format!("  why?  {command}")));
    }
}

async fn rows(ledger: &Ledger, events: &[Event]) -> Result<Vec<LedgerRow>, Error> {
    let mut rows = Vec::new();
    for event in events {
        rows.extend(explanations::ledger_rows(ledger, event).await?);
    }
    // All events of a digest have the row of the same e-mail.
    let mut seen = std::collections::BTreeSet::new();
    rows.retain(|row| seen.insert(row.key.clone()));
    Ok(rows)
}
