//! Checks that the steps of a rule are in a useful order.

use domain::base::channel::Channel;
use domain::catalog::rule::{Outside, SendStep, Step};

use crate::problem::{At, Diagnostics};
use crate::suggestions::listed;

/// The only channel whose recipients report that a message was seen or acknowledged.
const TELLS: Channel = Channel::Socket;

/// Checks the order of steps. `outside_at` is the place of the quiet-hours setting.
pub(crate) fn check(
    steps: &[(Step, At)],
    outside: Outside,
    outside_at: Option<At>,
    report: &mut Diagnostics<'_>,
) {
    let sends: Vec<usize> = steps
        .iter()
        .enumerate()
        .filter(|(_, (step, _))| matches!(step, Step::Send(_)))
        .map(|(at, _)| at)
        .collect();
    match (sends.last(), steps.first()) {
        (Some(last), _) => idle(&steps[last + 1..], report),
        (None, Some((_, at))) => {
            report.refuse(*at, "no step sends a notification", "add a step `- send: [socket, email]`");
        }
        (None, None) => {}
    }
    digests(steps, outside, outside_at, report);
    for (index, (step, at)) in steps.iter().enumerate() {
        if let Step::Send(send) = step {
            unless(send, *at, &steps[..index], report);
        }
    }
}

/// Reports a last step that has no effect because no send follows.
fn idle(steps: &[(Step, At)], report: &mut Diagnostics<'_>) {
    let Some((step, at)) = steps.last() else { return };
    let name = match step {
        Step::Wait(_) => "wait",
        Step::Digest(_) => "digest",
        Step::Throttle(_) => "throttle",
        Step::Send(_) => return,
    };
    let what = format!("the last step is `{name}`, and nothing comes after it");
    report.refuse(*at, what, "add a step `- send: …` after it, or take it out");
}

/// Reports digests of digests: a digest is sent once and its event cannot be collected again.
fn digests(steps: &[(Step, At)], outside: Outside, outside_at: Option<At>, report: &mut Diagnostics<'_>) {
    let places: Vec<(usize, At)> = steps
        .iter()
        .enumerate()
        .filter(|(_, (step, _))| matches!(step, Step::Digest(_)))
        .map(|(index, (_, at))| (index, *at))
        .collect();
    for pair in places.windows(2) {
        let [(first, _), (second, at)] = pair else { continue };
        let between = &steps[*first..*second];
        if between.iter().any(|(step, _)| matches!(step, Step::Send(_))) {
            let what = "a second digest in one run: what was told as a digest cannot be collected again";
            report.refuse(*at, what, "take one of them out, or make it two rules");
        } else {
            let what = "a digest of a digest: nothing is sent between this one and the one before";
            report.refuse(*at, what, "take one of them out");
        }
    }
    if let Some(at) = outside_at.filter(|_| outside == Outside::Digest && !places.is_empty()) {
        let what = "`outside: digest` would collect again what a step has collected";
        report.refuse(at, what, "write `outside: defer` or `drop`, or take the digest step out");
    }
}

/// Checks `unless`: an earlier send must be able to report that it was seen or acknowledged.
fn unless(send: &SendStep, at: At, earlier: &[(Step, At)], report: &mut Diagnostics<'_>) {
    let Some(unless) = send.unless else { return };
    let mut channels: Vec<&str> = Vec::new();
    for (step, _) in earlier {
        if let Step::Send(send) = step {
            if send.all().any(|channel| channel == TELLS) {
                return;
            }
            let new: Vec<&str> = send
                .channels
                .iter()
                .map(|channel| channel.name())
                .filter(|channel| !channels.contains(channel))
                .collect();
            channels.extend(new);
        }
    }
    let (word, tells) = (unless.name(), TELLS.name());
    if !earlier.iter().any(|(step, _)| matches!(step, Step::Send(_))) {
        let what = format!("`unless: {word}` has nothing before it that could be {word}");
        report.refuse(at, what, "take it out, or put a step `- send: [socket]` before it");
        return;
    }
    let what = format!(
        "`unless: {word}` never holds: what was sent before on {} cannot be {word}, for today only `{tells}` says so",
        listed(&channels)
    );
    report.refuse(at, what, format!("add `{tells}` to a step before it, or take `unless` out"));
}

#[cfg(test)]
mod tests;
