//! Event patterns: two patterns and a CloudEvent, separated by line feeds. The index agrees with each pattern alone.
#![no_main]

use domain::event::Event;
use domain::pattern::Pattern;
use domain::pattern::index::Index;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|text: &str| {
    let mut lines = text.splitn(3, '\n');
    let (Some(first), Some(second), Some(event)) = (lines.next(), lines.next(), lines.next()) else { return };
    let patterns: Vec<Pattern> = [first, second].into_iter().filter_map(compile).collect();
    let Ok(event) = Event::parse(event) else { return };
    let document = event.document();
    let alone: Vec<usize> =
        patterns.iter().enumerate().filter(|(_, pattern)| pattern.matches(&document)).map(|(place, _)| place).collect();
    let index: Index = patterns.into_iter().collect();
    assert_eq!(index.matching(&event), alone);
});

fn compile(text: &str) -> Option<Pattern> {
    let source: Value = serde_json::from_str(text).ok()?;
    Pattern::compile(&source).ok()
}
