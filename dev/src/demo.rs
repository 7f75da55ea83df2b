//! `carillon-dev demo`: publishes every sample on the local cloud and compares the expected notifications with the received
//! ones.
//!
//! The expectations come from the decision code of dispatch. The results come from the receiving side: the e-mails of SES, the
//! frames of WebSocket clients, and the tables.

mod expectations;
mod report;
mod scenarios;
mod ws_clients;

use std::path::Path;
use std::time::Duration;

use cli::cloud::Cloud;
use cli::error::{Done, Error};
use cli::local_cloud::State;
use cli::publishing::{self, Ready};
use cli::sent_emails::SentEmails;
use cli::terminal::Terminal;
use cli::{Target, explanations, files, project};
use domain::catalog::Catalog;
use domain::recipient::{Recipient, Recipients};
use publish::{Entry, EventBridge};
use store::{Events, Ledger, People};

use crate::args::Demo;
use crate::local::functions::CATALOG;

use expectations::SampleRun;
use scenarios::Scenarios;
use ws_clients::WsClients;

/// The wait for unexpected frames after the last outcome.
const EXTRA_WAIT: Duration = Duration::from_millis(700);

/// The number of events that are published together. The local cloud is one process, and calls time out under more load.
const BATCH: usize = 25;

/// The longest wait between two batches, in seconds.
const BATCH_WAIT: u64 = 15;

/// The interval between two reads of the tables.
const PAUSE: Duration = Duration::from_millis(250);

pub(crate) async fn run(args: &Demo, terminal: &Terminal) -> Done {
    let cloud = Cloud::of(&Target::local()).await?;
    let Some(local) = &cloud.local else {
        return Err(Error::usage("the demo runs on the local cloud", "start it with `make up`"));
    };
    // An error or a signal restores the proxy and the queues, too.
    let result = tokio::select! {
        result = play(args, &cloud, local, terminal) => result,
        _ = stopped() => Err(Error::usage("the demo was stopped", "run it again; its faults were removed")),
    };
    if result.is_err() {
        scenarios::restore(&cloud).await?;
    }
    result
}

/// Completes on Ctrl-C or SIGTERM.
async fn stopped() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminations = signal(SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed,
        _ = terminations.recv() => Ok(()),
    }
}

async fn play(args: &Demo, cloud: &Cloud, local: &State, terminal: &Terminal) -> Done {
    let started = runtime::now();
    let catalog = explanations::catalog(Path::new(CATALOG))?.with_hashes(cloud.hashes().await?);
    let people = import_people(args, cloud).await?;
    let samples = samples(args)?;

    terminal.progress("opening a WebSocket for every person …");
    let url = local.socket_url.as_deref().unwrap_or_default();
    let ws_clients = WsClients::open(cloud, url, &people, &expectations::rooms(&samples, &catalog)).await?;

    terminal.progress("starting the scenarios …");
    let scenarios = Scenarios::begin(cloud, url).await?;
    terminal.progress(&format!("publishing {} events …", samples.len()));
    let mut runs = Vec::with_capacity(samples.len());
    let mut samples = samples.into_iter().peekable();
    while samples.peek().is_some() {
        let batch: Vec<Ready> = samples.by_ref().take(BATCH).collect();
        let mut published = publish(cloud, batch, &catalog, &people).await?;
        // The next batch follows when these are final, or after the wait.
        let patience = if samples.peek().is_some() { BATCH_WAIT } else { args.patience };
        follow(&mut published, cloud, patience, terminal).await?;
        runs.append(&mut published);
    }
    follow(&mut runs, cloud, args.patience, terminal).await?;
    tokio::time::sleep(EXTRA_WAIT).await;
    terminal.clear();

    let emails = SentEmails::read(&local.endpoint())?;
    let as_expected = report::show(&runs, &emails, &ws_clients.received(), started, terminal);
    let scenarios_passed = scenarios.finish(terminal).await?;
    Ok(as_expected && scenarios_passed)
}

async fn import_people(args: &Demo, cloud: &Cloud) -> Result<Recipients, Error> {
    let named = args.samples.as_ref().map(|folder| folder.join("people.json"));
    let mut people: Vec<Recipient> = Vec::new();
    for piece in project::people(named.as_deref(), Some(&args.config))?.0 {
        let person = serde_json::from_str(&piece.text);
        people.push(
            person.map_err(|error| {
                Error::usage(format!("{} is no person: {error}", piece.place), "correct it")
            })?,
        );
    }
    People::new(&store::client(&cloud.config), cloud.name("people")).put(&people, runtime::now()).await?;
    Ok(people.into_iter().map(|person| (person.id.clone(), person)).collect())
}

/// Reads the samples and gives each a new id and time.
fn samples(args: &Demo) -> Result<Vec<Ready>, Error> {
    let mut pieces = Vec::new();
    match &args.samples {
        Some(folder) => {
            for path in files::samples(folder)? {
                pieces.extend(files::pieces(&path)?);
            }
        }
        None => {
            let config = args.config.display().to_string();
            for sample in project::read(&args.config).samples() {
                let sample = sample.below(&config);
                pieces.extend(files::pieces_of(&sample.text, &sample.file));
            }
        }
    }
    let ready = pieces.iter().map(|piece| {
        publishing::prepare(piece, true, None)
            .map_err(|why| Error::usage(format!("{}: {why}", piece.place), "correct the sample"))
    });
    ready.collect()
}

async fn publish<'a>(
    cloud: &Cloud,
    samples: Vec<Ready>,
    catalog: &'a Catalog,
    people: &'a Recipients,
) -> Result<Vec<SampleRun>, Error> {
    let entries: Vec<Entry> = samples.iter().map(|sample| sample.entry.clone()).collect();
    let put = EventBridge::new(&cloud.config, cloud.bus()).put(&entries).await;
    let mut runs = Vec::with_capacity(samples.len());
    for (sample, put) in samples.into_iter().zip(put) {
        runs.push(SampleRun::expected(&sample, &put?, catalog, people, runtime::now())?);
    }
    Ok(runs)
}

/// Waits until every notification has an outcome and every event an audit record, at most `patience` seconds.
async fn follow(
    runs: &mut [SampleRun],
    cloud: &Cloud,
    patience: u64,
    terminal: &Terminal,
) -> Result<(), Error> {
    let ledger = Ledger::new(&store::client(&cloud.config), cloud.name("ledger"));
    let events = Events::new(&store::client(&cloud.config), cloud.name("events"));
    let deadline = runtime::now() + Duration::from_secs(patience);
    loop {
        for run in runs.iter_mut() {
            run.update(&ledger, &events).await?;
        }
        let all: usize = runs.iter().map(SampleRun::expects).sum();
        let open: usize = runs.iter().map(SampleRun::open).sum();
        terminal.count(all - open, all, "outcomes and records");
        if open == 0 || runtime::now() > deadline {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
}
