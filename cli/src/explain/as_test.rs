//! `carillon explain FILE --as-test`: prints the decisions as the lines of a decision test.

use std::path::Path;

use domain::Timestamp;
use domain::base::channel::Channel;
use domain::event::Event;

use super::Wanted;
use crate::args::Explain;
use crate::deciding::{PreviewedDecision, PreviewedOutcome};
use crate::error::{Done, Error};
use crate::terminal::Terminal;

/// The folder of samples in a project and in a pack.
const SAMPLES: &str = "events";

/// The folder of packs.
const PACKS: &str = "packs";

pub(super) fn print(
    args: &Explain,
    event: &Event,
    previewed: &[PreviewedDecision],
    wanted: &Wanted,
    at: Timestamp,
    terminal: &Terminal,
) -> Done {
    if terminal.json {
        return Err(Error::usage("a decision test is YAML", "leave --json out"));
    }
    // A test covers one pass. Deferred steps need a test of their own with `rule` and `step`.
    let first =
        previewed.iter().filter(|previewed| previewed.at == at && previewed.key.parts().0 == own(event));
    let mut lines: Vec<(u32, String)> = Vec::new();
    for previewed in first.filter(|previewed| wanted.is(&previewed.recipient, previewed.channel)) {
        let line = (previewed.step, line(previewed));
        // One line covers all devices of a person.
        if !(previewed.channel == Some(Channel::Push) && lines.contains(&line)) {
            lines.push(line);
        }
    }
    terminal.say(&format!("- test: what {} leads to", event.kind));
    terminal.say(&sample(Path::new(&args.event), event));
    if args.at.is_some() {
        terminal.say(&format!("  at: {at}"));
    }
    terminal.say("  expect:");
    lines.iter().for_each(|(_, line)| terminal.say(&format!("    - {line}")));
    if previewed.iter().any(|previewed| previewed.at > at) {
        terminal.note("decisions after a wait are tested with `rule`, `step` and `answers`; see docs/rules/decision-tests.md");
    }
    Ok(!lines.is_empty())
}

fn own(event: &Event) -> String {
    domain::event::key::event_part(&event.source, &event.id)
}

/// Names the sample if the file has a sample name. Otherwise returns the envelope.
fn sample(path: &Path, event: &Event) -> String {
    match name(path) {
        Some(name) => format!("  event: {name}"),
        // JSON is valid YAML.
        None => format!("  event: {}", event.to_json()),
    }
}

/// Returns the name that decision tests use: `care/emergency.alert.created.json` for a sample of the pack `care`,
/// `order.shipped.json` for a sample of a project.
fn name(path: &Path) -> Option<String> {
    let steps: Vec<_> = path.iter().map(|step| step.to_string_lossy()).collect();
    let index = steps.iter().rposition(|step| step == SAMPLES)?;
    let below = steps.get(index + 1..)?.join("/");
    let pack = index.checked_sub(2).filter(|at| steps[*at] == PACKS).map(|at| &steps[at + 1]);
    Some(match pack {
        Some(pack) => format!("{pack}/{below}"),
        None => below,
    })
}

/// Formats one decision as a line of a test.
fn line(previewed: &PreviewedDecision) -> String {
    let what = match previewed.what {
        PreviewedOutcome::Send => "send".to_owned(),
        PreviewedOutcome::Suppress(reason) => format!("suppressed {}", reason.name()),
        PreviewedOutcome::Later { until, why } => format!("deferred {} {until}", why.name()),
        PreviewedOutcome::Collect { closes_at } => format!("collected {closes_at}"),
        PreviewedOutcome::Cancels => "cancels".to_owned(),
    };
    match (&previewed.rule, previewed.channel) {
        (None, _) => format!("\"-\": {what}"),
        (Some(rule), None) => format!("{rule} to {}: {what}", previewed.recipient),
        (Some(rule), Some(channel)) => {
            format!("{rule} to {} by {}: {what}", previewed.recipient, channel.name())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sample_is_named_by_its_pack_and_one_of_a_project_by_its_path() {
        let named = |path| name(Path::new(path));
        assert_eq!(named("packs/care/events/a.json").as_deref(), Some("care/a.json"));
        assert_eq!(named("./mine/packs/care/events/a.json").as_deref(), Some("care/a.json"));
        assert_eq!(named("mine/events/shop/a.json").as_deref(), Some("shop/a.json"));
        assert_eq!(named("events/a.json").as_deref(), Some("a.json"));
        assert_eq!(named("a.json"), None);
    }
}
