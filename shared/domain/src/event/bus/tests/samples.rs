//! The samples of the packs, as producers put them on the bus.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::envelope;
use crate::event::Event;
use crate::event::bus::{BusEvent, Shape, shape_of};

/// A sample file with fields of the `PutEvents` entry besides the payload.
#[derive(Deserialize)]
struct Entry {
    /// An object in socket events.
    source: Option<Value>,
    #[serde(rename = "detail-type")]
    detail_type: Option<String>,
    detail: Option<Box<RawValue>>,
}

#[test]
fn every_sample_has_the_type_of_its_file_name() {
    for (name, text) in samples() {
        let event = BusEvent::parse(&on_the_bus(&text)).unwrap().unverified_event();
        let event = event.unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        // A second sample of a type has a suffix in its name.
        let of_kind = |name: &str| name.strip_prefix(&event.kind).is_some_and(|rest| rest.starts_with('.'));
        let of_class = name.starts_with(&dotted(&event.kind));
        let of_socket = name.starts_with("socket.") && shape_of(&detail(&text)) == Some(Shape::SocketEvent);
        let is_named = of_kind(&name) || of_kind(&format!("core.{name}")) || of_class || of_socket;
        assert!(is_named, "{name}: {}", event.kind);
        assert!(event.document()["detail"]["data"].is_object(), "{name}");
    }
}

#[test]
fn every_cloudevent_sample_parses_strictly() {
    for (name, text) in samples() {
        if shape_of(&text) == Some(Shape::CloudEvent) {
            let event = Event::parse(&text).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
            assert_eq!(Event::parse(&event.to_json()), Ok(event), "{name}");
        }
    }
}

#[test]
fn every_shape_has_a_sample() {
    let shapes: Vec<Shape> = samples().iter().filter_map(|(_, text)| shape_of(&detail(text))).collect();
    for shape in [
        Shape::CloudEvent,
        Shape::Hub,
        Shape::Circle,
        Shape::Business,
        Shape::Integration,
        Shape::SocketEvent,
        Shape::Plain,
    ] {
        assert!(shapes.contains(&shape), "{shape:?}");
    }
}

/// Converts the class name of a domain event, such as `TaskCreatedEvent`, to `task.created`. Other types are
/// unchanged.
fn dotted(kind: &str) -> String {
    let Some(class) = kind.strip_suffix("Event") else { return kind.to_owned() };
    let words = class.chars().flat_map(|letter| {
        let dot = letter.is_ascii_uppercase().then_some('.');
        dot.into_iter().chain([letter.to_ascii_lowercase()])
    });
    words.collect::<String>().trim_start_matches('.').to_owned()
}

/// Names and texts of all samples.
fn samples() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs");
    let folders = fs::read_dir(root).unwrap().map(|dir| dir.unwrap().path().join("events"));
    let files = folders.filter(|folder| folder.is_dir()).flat_map(|folder| fs::read_dir(folder).unwrap());
    let paths = files.map(|file| file.unwrap().path());
    let read =
        |path: &Path| (path.file_name().unwrap().display().to_string(), fs::read_to_string(path).unwrap());
    paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| read(&path))
        .collect()
}

fn detail(text: &str) -> String {
    let entry: Entry = serde_json::from_str(text).unwrap();
    entry.detail.map_or_else(|| text.to_owned(), |detail| detail.get().to_owned())
}

fn on_the_bus(text: &str) -> String {
    let entry: Entry = serde_json::from_str(text).unwrap();
    let source = entry.source.as_ref().and_then(Value::as_str).map(str::to_owned);
    let outer = entry.detail.and(source).zip(entry.detail_type);
    let (source, kind) = outer.unwrap_or(("bus-source".to_owned(), "bus.type".to_owned()));
    envelope(&detail(text)).replace("bus-source", &source).replace("bus.type", &kind)
}
