//! Runs of the engine over the repository's project, as `dispatch` runs it.

use std::path::Path;

use catalog::BusEntry;
use domain::Timestamp;
use domain::catalog::Catalog;
use domain::event::bus::BusEvent;
use domain::recipient::{Recipient, Recipients};
use engine::{Engine, Evaluation, Fixtures, Subject, run_ready};
use templates::Renderer;
use workspace::root;

/// 2026-11-20T12:00:00Z.
const NOON: Timestamp = Timestamp::constant(1_795_176_000, 0);

pub(crate) fn catalog() -> Catalog {
    let compiled = catalog::compile(&root().join("config")).unwrap_or_else(|problems| {
        panic!("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    });
    Catalog::open(compiled.file).unwrap()
}

/// The sample recipients of all packs.
pub(crate) fn recipients() -> Recipients {
    let project = catalog::Project::read(&root().join("config"), &catalog::Files::new());
    let people = project.people().into_iter().flat_map(|file| {
        let people: Vec<Recipient> = serde_json::from_str(&file.text).unwrap();
        people
    });
    people.map(|person| (person.id.clone(), person)).collect()
}

/// Decides about the sample event in a file, and describes the decisions.
pub(crate) fn evaluate(
    path: &Path,
    catalog: &Catalog,
    recipients: &Recipients,
    describe: impl FnOnce(Evaluation<'_>) -> String,
) -> String {
    let entry = BusEntry::read(&std::fs::read_to_string(path).unwrap()).unwrap();
    let wrapped = entry.to_bus_event("bus-id", NOON);
    let event = BusEvent::parse(&wrapped).unwrap().event(&catalog.policy().producers).unwrap();
    let facts = Fixtures::of(recipients);
    let renderer = Renderer::new(catalog);
    let engine = Engine::unpaged(catalog, &renderer, &facts);
    let now = event.time.min(NOON);
    run_ready(engine.run(&Subject::event(event), now, describe))
}
