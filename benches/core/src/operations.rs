//! Measured operations. Each is set up once and then executed the given number of times.

use std::hint::black_box;

use domain::event::bus::BusEvent;
use domain::event::Event;
use domain::pattern::index::Index;
use domain::pattern::Pattern;
use domain::event::producers::Producers;
use quamina::Quamina;
use regex::Regex;
use serde_json::Value;

use crate::samples;

/// Name of each operation, a description, and whether it depends on the number of rules.
pub const ALL: [(&str, &str, bool); 16] = [
    ("match/event", "ours: a parsed Event to the indices of matching rules", true),
    ("match/text", "ours: the envelope's text to the indices of matching rules", true),
    ("match/quamina", "quamina 0.7: the envelope's text to the ids of matching rules (flatten, match)", true),
    ("types/event", "ours, rules that ask for the detail-type only: a parsed Event to indices", true),
    ("types/text", "ours, the same rules: the envelope's text to indices", true),
    ("types/quamina", "quamina 0.7, the same rules: the envelope's text to ids", true),
    (
        "types/regex",
        "the same rules as regexes: serde_json to a Value, then one regex after the other on detail-type",
        true,
    ),
    ("compile/ours", "ours: the patterns' text to a ready index", true),
    ("compile/quamina", "quamina 0.7: the patterns' text to a ready matcher", true),
    ("parse/event", "ours: Event::parse of 480 bytes, all checks of CloudEvents 1.0 and ours", false),
    ("parse/bus", "ours: BusEvent::parse of 760 bytes and the same event inside it", false),
    ("parse/sdk", "cloudevents-sdk 0.9: from_str::<Event> of the same 480 bytes", false),
    ("reject/event", "ours: Event::parse of an event that its last attribute spoils", false),
    ("reject/not-json", "ours: Event::parse of an event that is cut off before its end", false),
    ("reject/sdk", "cloudevents-sdk 0.9: the same without its end", false),
    (
        "verify/1000",
        "ours: 1,000 records of the audit, 900 bytes each, hashed and compared with their seal",
        false,
    ),
];

/// Executes `operation` with this many rules `times` times. `None` when there is no such operation.
pub fn run(operation: &str, rules: usize, times: usize) -> Option<()> {
    match operation {
        "match/event" => ours_by_event(&samples::patterns(rules), samples::MATCHES, times),
        "types/event" => ours_by_event(&samples::types(rules), samples::TYPE_MATCHES, times),
        "match/text" => ours_by_text(&samples::patterns(rules), samples::MATCHES, times),
        "types/text" => ours_by_text(&samples::types(rules), samples::TYPE_MATCHES, times),
        "match/quamina" => theirs(&samples::patterns(rules), samples::MATCHES, times),
        "types/quamina" => theirs(&samples::types(rules), samples::TYPE_MATCHES, times),
        "types/regex" => {
            let compile = |text: &String| Regex::new(text).expect("a regex");
            let regexes: Vec<Regex> = samples::regexes(rules).iter().map(compile).collect();
            let text = samples::envelope();
            assert_eq!(
                regexes.iter().filter(|regex| regex.is_match("ehr.lab_report.created")).count(),
                samples::TYPE_MATCHES
            );
            repeat(times, || {
                let event: Value = serde_json::from_str(black_box(&text)).expect("JSON");
                let kind = event["detail-type"].as_str().expect("a type");
                regexes
                    .iter()
                    .enumerate()
                    .filter(|(_, item)| item.is_match(kind))
                    .map(|item| item.0)
                    .collect::<Vec<_>>()
                    .len()
            });
        }
        "compile/ours" => {
            let sources = texts(&samples::patterns(rules));
            repeat(times, || compiled(black_box(&sources)));
        }
        "compile/quamina" => {
            let sources = texts(&samples::patterns(rules));
            repeat(times, || quamina(black_box(&sources)));
        }
        "parse/event" => {
            let text = samples::event();
            assert!(Event::parse(&text).is_ok());
            repeat(times, || Event::parse(black_box(&text)));
        }
        "parse/bus" => {
            let (text, producers) = (samples::envelope(), Producers::default());
            assert!(BusEvent::parse(&text).and_then(|item| item.event(&producers)).is_ok());
            repeat(times, || BusEvent::parse(black_box(&text)).and_then(|item| item.event(&producers)));
        }
        "parse/sdk" => {
            let text = samples::event();
            repeat(times, || serde_json::from_str::<cloudevents::Event>(black_box(&text)).expect("an event"));
        }
        "reject/event" => {
            let text = samples::refused();
            assert!(Event::parse(&text).is_err());
            repeat(times, || Event::parse(black_box(&text)));
        }
        "reject/not-json" => {
            let text = samples::event();
            let cut = &text[..text.len() - 1];
            assert!(Event::parse(cut).is_err());
            repeat(times, || Event::parse(black_box(cut)));
        }
        "reject/sdk" => {
            let text = samples::event();
            let cut = &text[..text.len() - 1];
            repeat(times, || serde_json::from_str::<cloudevents::Event>(black_box(cut)).is_err());
        }
        "verify/1000" => {
            let audit = crate::seals::Audit::of(1_000);
            assert_eq!(audit.findings(), 0);
            repeat(times, || black_box(&audit).findings());
        }
        _ => return None,
    }
    Some(())
}

fn repeat<T>(times: usize, mut operation: impl FnMut() -> T) {
    for _ in 0..times {
        black_box(operation());
    }
}

fn ours_by_event(patterns: &[Value], matches: usize, times: usize) {
    let (index, event) = (compiled(&texts(patterns)), Event::parse(&samples::event()).expect("a good event"));
    assert_eq!(index.matching(&event).len(), matches);
    repeat(times, || index.matching(black_box(&event)).len());
}

fn ours_by_text(patterns: &[Value], matches: usize, times: usize) {
    let (index, text) = (compiled(&texts(patterns)), samples::envelope());
    assert_eq!(index.matching_text(&text).map(|matching_text| matching_text.len()), Some(matches));
    repeat(times, || index.matching_text(black_box(&text)).map(|matching_text| matching_text.len()));
}

fn theirs(patterns: &[Value], matches: usize, times: usize) {
    let (matcher, text) = (quamina(&texts(patterns)), samples::envelope());
    assert_eq!(matcher.matches_for_event(text.as_bytes()).expect("JSON").len(), matches);
    repeat(times, || matcher.matches_for_event(black_box(text.as_bytes())).map(|matches_for_event| matches_for_event.len()).ok());
}

fn texts(patterns: &[Value]) -> Vec<String> {
    patterns.iter().map(Value::to_string).collect()
}

fn compiled(sources: &[String]) -> Index {
    let read = |text: &String| {
        let source: Value = serde_json::from_str(text).expect("JSON");
        Pattern::compile(&source).expect("a pattern")
    };
    sources.iter().map(read).collect()
}

/// quamina lacks `$or`, so a pattern with `$or` is added once for each combination, under one id.
fn quamina(sources: &[String]) -> Quamina<usize> {
    let mut matcher =
        quamina::QuaminaBuilder::new().with_arena_byte_budget(1 << 30).build().expect("a matcher");
    for (id, source) in sources.iter().enumerate() {
        for item in crate::agree::without_or(source) {
            matcher.add_pattern(id, &item).expect("a pattern that quamina knows");
        }
    }
    matcher
}
