//! `carillon demo`: every sample goes through the local cloud, and a picture shows who was told what.
//!
//! What is expected comes from the same `decide` that dispatch runs; what arrived comes from the other end: the mail
//! service's own list, the frames that real WebSocket clients received, and the tables.

mod acts;
mod ears;
pub(crate) mod mailbox;
mod picture;
mod story;

use std::path::Path;
use std::time::Duration;

use domain::Timestamp;
use domain::catalog::{Catalog, CatalogFile};
use domain::recipient::{Recipient, Recipients};
use publish::{Bus, Entry};
use store::{Events, Ledger, People};

use crate::args::{Demo, Target};
use crate::cloud::Cloud;
use crate::error::{Done, Error};
use crate::files;
use crate::local::State;
use crate::project;
use crate::publishing::{self, Ready};
use crate::terminal::Terminal;

use acts::Acts;
use ears::Ears;
use mailbox::Mailbox;
use story::Story;

/// The catalog that was deployed.
const CATALOG: &str = "target/lambda/dispatch/catalog.json";

/// How long to listen for frames that should not come, once all that should have come.
const LISTEN_ON: Duration = Duration::from_millis(700);

/// How many events go on the bus at once. The local cloud is one process: of more, some calls get no answer in time.
const AT_ONCE: usize = 25;

/// How many seconds the next events wait for these at most.
const TO_SETTLE: u64 = 15;

/// How long between two looks at what is still open.
const PAUSE: Duration = Duration::from_millis(250);

pub(crate) async fn run(args: &Demo, target: &Target, terminal: &Terminal) -> Done {
    let cloud = Cloud::of(target).await?;
    let Some(local) = &cloud.local else {
        return Err(Error::usage("the demo runs on the local cloud", "start it with `make up`"));
    };
    // Whatever ends it, nothing stays broken: faults in the proxy, and queues that hide messages for seconds.
    let played = tokio::select! {
        played = play(args, &cloud, local, terminal) => played,
        _ = ended() => Err(Error::usage("the demo was stopped", "run it again; nothing stays broken")),
    };
    if played.is_err() {
        acts::restore(&cloud).await?;
    }
    played
}

/// A Ctrl-C, or a wish to end.
async fn ended() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut ends = signal(SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed,
        _ = ends.recv() => Ok(()),
    }
}

async fn play(args: &Demo, cloud: &Cloud, local: &State, terminal: &Terminal) -> Done {
    let begun = runtime::now();
    let catalog = catalog()?.with_hashes(cloud.hashes().await?);
    let cast = import_cast(args, cloud).await?;
    let samples = samples(args)?;

    terminal.progress("opening a WebSocket for everybody in the cast …");
    let url = local.socket_url.as_deref().unwrap_or_default();
    let ears = Ears::open(cloud, url, &cast, &story::rooms(&samples, &catalog)).await?;

    terminal.progress("beginning acts that take some seconds …");
    let acts = Acts::begin(cloud, url).await?;
    terminal.progress(&format!("putting {} events on the bus …", samples.len()));
    let mut stories = Vec::with_capacity(samples.len());
    let mut samples = samples.into_iter().peekable();
    while samples.peek().is_some() {
        let some: Vec<Ready> = samples.by_ref().take(AT_ONCE).collect();
        let mut published = publish(cloud, some, &catalog, &cast).await?;
        // The others go on the bus when these are through, or take their time.
        let patience = if samples.peek().is_some() { TO_SETTLE } else { args.patience };
        follow(&mut published, cloud, patience, begun, terminal).await?;
        stories.append(&mut published);
    }
    follow(&mut stories, cloud, args.patience, begun, terminal).await?;
    tokio::time::sleep(LISTEN_ON).await;
    terminal.clear();

    let mailbox = Mailbox::read(&local.endpoint())?;
    let as_decided = picture::show(&stories, &mailbox, &ears.frames(), begun, terminal);
    let played = acts.tell(terminal).await?;
    Ok(as_decided && played)
}

fn catalog() -> Result<Catalog, Error> {
    let path = Path::new(CATALOG);
    let broken = |why: String| Error::usage(format!("{CATALOG} is no catalog: {why}"), "run `make up`");
    let file = CatalogFile::read(&files::read(path)?).map_err(|error| broken(error.to_string()))?;
    Catalog::open(file).map_err(|error| broken(error.to_string()))
}

async fn import_cast(args: &Demo, cloud: &Cloud) -> Result<Recipients, Error> {
    let named = args.samples.as_ref().map(|folder| folder.join("people.json"));
    let mut people: Vec<Recipient> = Vec::new();
    for piece in project::people(named.as_deref(), Some(&args.config))?.0 {
        let person = serde_json::from_str(&piece.text);
        people
            .push(person.map_err(|error| {
                Error::usage(format!("{} is no person: {error}", piece.place), "mend it")
            })?);
    }
    People::new(&store::client(&cloud.config), cloud.name("people")).put(&people, runtime::now()).await?;
    Ok(people.into_iter().map(|person| (person.id.clone(), person)).collect())
}

/// Every sample as a new event.
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
            .map_err(|why| Error::usage(format!("{}: {why}", piece.place), "mend the sample"))
    });
    ready.collect()
}

async fn publish<'a>(
    cloud: &Cloud,
    samples: Vec<Ready>,
    catalog: &'a Catalog,
    cast: &'a Recipients,
) -> Result<Vec<Story>, Error> {
    let entries: Vec<Entry> = samples.iter().map(|sample| sample.entry.clone()).collect();
    let put = Bus::new(&cloud.config, cloud.bus()).put(&entries).await;
    let mut stories = Vec::with_capacity(samples.len());
    for (sample, put) in samples.into_iter().zip(put) {
        stories.push(Story::expected(&sample, &put?, catalog, cast, runtime::now())?);
    }
    Ok(stories)
}

/// Waits until every notification has its outcome and every event its audit record, or patience ends.
async fn follow(
    stories: &mut [Story],
    cloud: &Cloud,
    patience: u64,
    begun: Timestamp,
    terminal: &Terminal,
) -> Result<(), Error> {
    let ledger = Ledger::new(&store::client(&cloud.config), cloud.name("ledger"));
    let events = Events::new(&store::client(&cloud.config), cloud.name("events"));
    let give_up = runtime::now() + Duration::from_secs(patience);
    loop {
        for story in stories.iter_mut() {
            story.look(&ledger, &events).await?;
        }
        let all: usize = stories.iter().map(Story::expects).sum();
        let open: usize = stories.iter().map(Story::open).sum();
        let seconds = runtime::now().duration_since(begun).as_secs();
        terminal.progress(&format!("{} of {all} outcomes and records are there, {seconds} s …", all - open));
        if open == 0 || runtime::now() > give_up {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
}
