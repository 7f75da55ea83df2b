//! Acts: short stories that are played with real events on the local cloud, and told by the same words as
//! `carillon explain`. [`waiting`] has those that take time, [`channels`] those about where a message arrives,
//! [`trouble`] those in which something breaks.

use std::cell::Cell;
use std::time::Duration;

use domain::Timestamp;
use domain::event::Event;
use publish::Bus;
use serde_json::{Value, json};
use store::{Ledger, LedgerRow, People};

use crate::cloud::Cloud;
use crate::error::Error;
use crate::explain::happened;
use crate::terminal::{Ink, Terminal};

use super::ears::{Acknowledging, Listening};

mod channels;
mod proof;
mod props;
mod trouble;
mod waiting;

use proof::{Found, Proof};
use trouble::Trouble;
pub(super) use trouble::restore;

/// How long the acts may take: the longest takes half a minute, and a batch that a slow machine lost comes back after 180 s.
const PATIENCE: Duration = Duration::from_secs(300);

/// And at least so long after the one before.
const AT_LEAST: Duration = Duration::from_secs(15);

/// How long between two looks.
const PAUSE: Duration = Duration::from_millis(400);

/// Whether what is on record is what is waited for.
type Judge = fn(&[LedgerRow]) -> bool;

/// One act.
struct Act {
    title: &'static str,
    /// What people should notice.
    told: &'static str,
    events: Vec<Event>,
    /// What happens when the first of it is known, and whether it is.
    then: Option<(Event, Judge)>,
    /// Whether all of it has happened, and as it should.
    is_over: Judge,
    /// What the other end says of it.
    proof: Option<Proof>,
}

/// Where and when acts are played.
struct Stage<'a> {
    cloud: &'a Cloud,
    /// What tells this run from others on the same local cloud.
    run: String,
    /// A tenant that nobody else knows.
    tenant: String,
    zoe: Listening,
    /// How many dead letters were sent back.
    sent_back: Cell<usize>,
    /// How often the poison had killed when it was mended.
    mended: Cell<Option<u64>>,
}

/// The acts while they are played.
pub(super) struct Acts<'a> {
    acts: Vec<Act>,
    stage: Stage<'a>,
    trouble: Trouble,
    began: Timestamp,
    _ada: Acknowledging,
}

impl Acts<'_> {
    /// Puts the first events of all acts on the bus.
    pub(super) async fn begin<'a>(cloud: &'a Cloud, url: &str) -> Result<Acts<'a>, Error> {
        let began = runtime::now();
        let run = format!("{:x}", began.as_millisecond());
        let tenant = format!("demo-{run}");
        let people =
            [waiting::people(&run, began)?, channels::people(&run, &tenant)?, trouble::people(&run)?]
                .concat();
        People::new(&store::client(&cloud.config), cloud.name("people")).put(&people, began).await?;
        channels::register(cloud, &run, &tenant).await?;
        let ada = Acknowledging::open(cloud, url, "demo-ada").await?;
        let zoe = Listening::open(cloud, url, channels::ZOE, &tenant).await?;
        let stage = Stage { cloud, run, tenant, zoe, sent_back: Cell::default(), mended: Cell::default() };
        let trouble = Trouble::make(cloud, &stage.run).await?;
        let acts = [
            channels::acts(&stage.run, &stage.tenant)?,
            waiting::acts(&stage.run, began)?,
            trouble::acts(&stage.run)?,
        ];
        let acts: Vec<Act> = acts.into_iter().flatten().collect();
        let bus = Bus::new(&cloud.config, cloud.bus());
        props::put(&bus, acts.iter().flat_map(|act| &act.events)).await?;
        // A little later, as people change their minds.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        props::put(&bus, [&waiting::called_off(&stage.run)?].into_iter()).await?;
        Ok(Acts { acts, stage, trouble, began, _ada: ada })
    }

    /// Waits until every act is over, and tells all of them; `false` when one did not end as it should.
    pub(super) async fn tell(self, terminal: &Terminal) -> Result<bool, Error> {
        let told = self.stage.play_all(self.acts, self.began, terminal).await;
        // Whatever came of it, nothing stays broken.
        let mended = self.trouble.end().await;
        told.and_then(|told| mended.map(|()| told))
    }
}

impl Stage<'_> {
    async fn play_all(&self, acts: Vec<Act>, began: Timestamp, terminal: &Terminal) -> Result<bool, Error> {
        let mut all_right = true;
        for act in acts {
            all_right &= self.play(act, began, terminal).await?;
        }
        Ok(all_right)
    }

    /// Waits until an act is over and proven, and tells it; whether it ended as it should.
    async fn play(&self, mut act: Act, began: Timestamp, terminal: &Terminal) -> Result<bool, Error> {
        let ledger = Ledger::new(&store::client(&self.cloud.config), self.cloud.name("ledger"));
        let bus = Bus::new(&self.cloud.config, self.cloud.bus());
        // An act that fails leaves the next ones some time.
        let give_up = (began + PATIENCE).max(runtime::now() + AT_LEAST);
        loop {
            let rows = rows(&ledger, &act.events).await?;
            if let Some((event, _)) = act.then.take_if(|(_, is_known)| is_known(&rows)) {
                props::put(&bus, [&event].into_iter()).await?;
                act.events.push(event);
            }
            let found = match &act.proof {
                Some(proof) => Some(proof.look(self, &rows).await?),
                None => None,
            };
            let right = (act.is_over)(&rows) && found.as_ref().is_none_or(|found| found.right);
            if right || runtime::now() > give_up {
                terminal.clear();
                show(&act, &rows, found.as_ref(), right, terminal);
                return Ok(right);
            }
            let seconds = runtime::now().duration_since(began).as_secs();
            terminal.progress(&format!("{} …, {seconds} s", act.title));
            tokio::time::sleep(PAUSE).await;
        }
    }
}

fn show(act: &Act, rows: &[LedgerRow], found: Option<&Found>, right: bool, terminal: &Terminal) {
    if terminal.json {
        let outcomes: Vec<Value> = rows.iter().map(happened::value).collect();
        return terminal
            .say_json(&json!({ "act": act.title, "right": right, "outcomes": outcomes, "arrived": found.map(|found| &found.said) }));
    }
    let sign = if right { terminal.ink(Ink::Good, "✓") } else { terminal.ink(Ink::Bad, "✗") };
    terminal.say("");
    terminal.say(&format!(
        "{sign} {}   {}",
        terminal.ink(Ink::Strong, act.title),
        terminal.ink(Ink::Quiet, act.told)
    ));
    for row in rows {
        happened::line(row, terminal);
    }
    if let Some(found) = found {
        let ink = if found.right { Ink::Good } else { Ink::Bad };
        terminal.say(&format!("  {}", terminal.ink(ink, &found.said)));
    }
    if let Some(event) = act.events.first() {
        let command = format!("carillon explain {}", event.id);
        terminal.say(&terminal.ink(Ink::Note, &format!("  why?  {command}")));
    }
}

async fn rows(ledger: &Ledger, events: &[Event]) -> Result<Vec<LedgerRow>, Error> {
    let mut rows = Vec::new();
    for event in events {
        rows.extend(happened::rows(ledger, event).await?);
    }
    // Every event of a digest leads to the same letter.
    let mut seen = std::collections::BTreeSet::new();
    rows.retain(|row| seen.insert(row.key.clone()));
    Ok(rows)
}
