//! `carillon explain`: the recipients of an event with channel, time and reasons, or the reason why a recipient gets no
//! notification.

mod as_test;
pub(crate) mod happened;
pub(crate) mod pending;
mod picture;
pub(crate) mod refused;
mod replays;
mod summary;
mod webhooks;

use std::collections::BTreeMap;
use std::path::Path;

use domain::Timestamp;
use domain::base::channel::Channel;
use domain::catalog::{Catalog, CatalogFile};
use domain::event::bus::BusEvent;
use domain::event::producers::Producers;
use domain::event::{Event, Refusal};
use domain::recipient::recipient_changes;
use domain::recipient::{Recipient, Recipients, Settings};
use engine::{Engine, Fixtures};
use templates::Renderer;

use crate::args::{Explain, Target};
use crate::deciding::preview;
use crate::error::{Done, Error};
use crate::files;
use crate::project::{self, CONFIG};
use crate::status::counted;
use crate::terminal::Terminal;
use crate::times;

/// The filter of an explanation: a recipient, a channel, or both.
pub(crate) struct Wanted {
    pub(crate) recipient: Option<String>,
    pub(crate) channel: Option<Channel>,
}

pub(crate) async fn run(args: &Explain, target: &Target, terminal: &Terminal) -> Done {
    let wanted = Wanted { recipient: args.recipient.clone(), channel: args.channel };
    let path = Path::new(&args.event);
    if args.event != "-" && !path.exists() {
        if args.event.contains('/') && args.event.ends_with(".json") {
            return Err(Error::usage(
                format!("there is no file {}", args.event),
                "name a file, or an event's id",
            ));
        }
        return happened::run(args, &wanted, target, terminal).await;
    }
    let at = args.at;
    let catalog = catalog(args.config.as_deref().unwrap_or(Path::new(CONFIG)))?;
    let when = at.unwrap_or_else(runtime::now);
    let event = event(path, args.source.as_deref(), &catalog.policy().producers, when)?;
    // Without `--at`, the event's own time stands for the time at which dispatch sees it.
    let at = at.unwrap_or(event.time);
    let (recipients, tenants) = people(args.people.as_deref(), args.config.as_deref(), terminal)?;
    let tenant = event.tenant.as_deref().and_then(|tenant| tenants.get(tenant));
    let renderer = Renderer::new(&catalog);
    let facts = Fixtures { tenant, ..Fixtures::of(&recipients) };
    let previewed = preview(&event, &Engine::unpaged(&catalog, &renderer, &facts), at);
    if args.as_test {
        return as_test::print(args, &event, &previewed, &wanted, at, terminal);
    }
    Ok(picture::show((&event, at), &catalog, &previewed, &wanted, args.limit, terminal))
}

impl Wanted {
    /// Reports whether the filter includes decisions about this recipient and channel.
    pub(crate) fn is(&self, recipient: &str, channel: Option<Channel>) -> bool {
        self.recipient.as_ref().is_none_or(|it| it == recipient)
            && (self.channel.is_none() || channel.is_none() || self.channel == channel)
    }
}

/// Reads the event in a file in the form in which the bus delivers it. `source` replaces its source if given. An event
/// without a time gets `at`.
pub(crate) fn event(
    path: &Path,
    source: Option<&str>,
    producers: &Producers,
    at: Timestamp,
) -> Result<Event, Error> {
    let mut pieces = files::pieces(path)?;
    let (Some(piece), true) = (pieces.pop(), pieces.is_empty()) else {
        let what = format!("{} holds no event, or more than one", path.display());
        return Err(Error::usage(what, "explain one event at a time"));
    };
    let entry = catalog::BusEntry::read_as(&piece.text, source)
        .map_err(|error| Error::usage(format!("{}: {error}", piece.place), "mend the event"))?;
    let (id, _) = catalog::named_by_the_bus(&piece.text);
    let time = catalog::time_beside(&piece.text, &entry).unwrap_or(at);
    let on_bus = entry.to_bus_event(id.as_deref().unwrap_or("explained"), time);
    let event = BusEvent::parse(&on_bus).and_then(|it| it.event(producers));
    event.map_err(|error| Error::usage(format!("{}: {error}", piece.place), "mend the event"))
}

/// Opens a config folder or a compiled catalog.
pub(crate) fn catalog(path: &Path) -> Result<Catalog, Error> {
    let file: CatalogFile = if path.is_dir() {
        project::read(path).compile().map(|compile| compile.file).map_err(|problems| {
            let folder = path.display().to_string();
            let first =
                problems.first().map_or_else(String::new, |first| first.clone().below(&folder).to_string());
            let count = counted(problems.len(), "problem", "problems");
            let what = format!("{} has {count}, the first: {first}", path.display());
            Error::usage(what, "run `carillon check` and mend them")
        })?
    } else {
        let text = files::read(path)?;
        CatalogFile::read(&text).map_err(|error| {
            Error::usage(format!("{}: {error}", path.display()), "compile it with `carillon check --out`")
        })?
    };
    Catalog::open(file)
        .map_err(|error| Error::usage(format!("{}: {error}", path.display()), "compile it anew"))
}

/// Reads the people and tenants of a file in the format of `carillon people import`. Without a path, reads the
/// project's file. Without a file, there are no people.
pub(crate) fn people(
    path: Option<&Path>,
    config: Option<&Path>,
    terminal: &Terminal,
) -> Result<(Recipients, BTreeMap<String, Settings>), Error> {
    let (mut recipients, mut tenants) = (Recipients::new(), BTreeMap::new());
    for piece in project::people(path, config)?.0 {
        if crate::people::is_tenant(&piece.text) {
            let (id, settings) =
                recipient_changes::tenant(&piece.text).map_err(|error| no_entry(&piece, &error))?;
            tenants.insert(id, settings);
            continue;
        }
        let person =
            match (recipient_changes::person(&piece.text), serde_json::from_str::<Recipient>(&piece.text)) {
                (Ok(person), _) => person,
                (Err(refusal), Ok(person)) => {
                    let why = crate::people::of_author(&piece.text, &refusal);
                    terminal.note(&format!("{}: {why}; `carillon people import` refuses it", piece.place));
                    person
                }
                (Err(refusal), Err(_)) => return Err(no_entry(&piece, &refusal)),
            };
        recipients.insert(person.id.clone(), person);
    }
    Ok((recipients, tenants))
}

/// Builds the error for an entry of a people file that neither `explain` nor `people import` can use.
fn no_entry(piece: &files::Piece, refusal: &Refusal) -> Error {
    let why = crate::people::of_author(&piece.text, refusal);
    Error::usage(format!("{}: {why}", piece.place), "see `carillon people import --help`")
}

pub(crate) fn instant(text: &str) -> Result<Timestamp, Error> {
    times::read(text).ok_or_else(|| {
        Error::usage(format!("`{text}` is no time"), "write it as 2026-11-20T23:30:00Z, with a zone")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str =
        r#"{"type":"order.paid","data":{"n":1},"timestamp":"2026-01-02T10:00:00Z","userId":"olu"}"#;

    #[test]
    fn event_without_a_source_gets_the_one_that_is_asked_for() {
        let read = read(BODY, Some("shop")).unwrap();
        assert_eq!(
            (read.source.as_str(), read.kind.as_str(), read.actor.as_deref()),
            ("shop", "order.paid", Some("olu"))
        );
        assert!(read_error(BODY, None).contains("--source"));
    }

    #[test]
    fn wrapped_event_is_the_bare_one_with_the_id_and_the_time_of_the_bus() {
        let wrapped = format!(
            r#"{{"id":"b-1","source":"shop","detail-type":"order.paid","time":"2026-01-02T10:00:00Z","detail":{BODY}}}"#
        );
        let [wrapped, bare] = [read(&wrapped, None).unwrap(), read(BODY, Some("shop")).unwrap()];
        assert_eq!((wrapped.id.as_str(), bare.id.as_str()), ("b-1", "explained"));
        assert_eq!(Event { id: bare.id.clone(), ..wrapped }, bare);
        let plain =
            r#"{"id":"b-2","source":"shop","detail-type":"t","time":"2026-01-02T10:00:00Z","detail":{}}"#;
        let plain = read(plain, None).unwrap();
        assert_eq!((plain.id.as_str(), plain.time.to_string().as_str()), ("b-2", "2026-01-02T10:00:00Z"));
    }

    fn read_error(text: &str, source: Option<&str>) -> String {
        read(text, source).unwrap_err().to_string()
    }

    fn read(text: &str, source: Option<&str>) -> Result<Event, Error> {
        static FILES: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let number = FILES.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let file =
            std::env::temp_dir().join(format!("carillon-explain-{}-{number}.json", std::process::id()));
        std::fs::write(&file, text).unwrap();
        let read = event(&file, source, &Producers::default(), Timestamp::UNIX_EPOCH);
        std::fs::remove_file(&file).unwrap();
        read
    }
}
