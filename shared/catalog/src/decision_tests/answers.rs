//! The fixtures of a test: the answers that dispatch would get from its tables.

use std::collections::BTreeSet;

use domain::Timestamp;
use domain::base::channel::Channel;
use domain::catalog::rule::Unless;
use domain::decide::{Answer, Ask, Wanted};
use domain::limits::cancel::Cancellation;
use domain::limits::counter::{Limit, Period, Refusal, Scope};
use domain::time::zone::Zone;

use super::Environment;
use crate::problem::{At, Diagnostics};
use crate::suggestions::suggestion;
use crate::values::{Fields, check_keys, flag, key_at, list, map, text};
use crate::yaml::Node;

const KEYS: [&str; 5] = ["seen", "acknowledged", "full", "cancelled", "wrote"];

/// The name of throttles in tests. Caps have names of their own.
const THROTTLE: &str = "throttle";

/// The fixtures of one test. Without fixtures, all tables are empty.
#[derive(Default)]
pub(super) struct TestAnswers {
    seen: Option<Unless>,
    /// The names of the limits that are used up.
    full: BTreeSet<String>,
    cancelled: bool,
    /// Whether the recipient sent a message a moment ago.
    wrote: bool,
    /// The keys of the fixtures, with their positions in the file.
    places: Vec<(&'static str, At)>,
}

pub(super) fn read(
    node: &Node,
    environment: Environment<'_>,
    report: &mut Diagnostics<'_>,
) -> Option<TestAnswers> {
    let members = map(node, "{ seen: true }", report)?;
    check_keys(members, node.at, &KEYS, &[], report);
    let places = KEYS.into_iter().filter_map(|key| Some((key, key_at(members, key)?))).collect();
    let mut fields = Fields { members, report };
    let mut is = |key: &str| fields.read(key, flag).unwrap_or_default();
    let seen = match (is("acknowledged"), is("seen")) {
        (true, _) => Some(Unless::Acknowledged),
        (false, true) => Some(Unless::Seen),
        (false, false) => None,
    };
    let (cancelled, wrote) = (is("cancelled"), is("wrote"));
    let full = fields.read("full", |node, report| limits(node, environment, report)).unwrap_or_default();
    Some(TestAnswers { seen, full, cancelled, wrote, places })
}

fn limits(
    node: &Node,
    environment: Environment<'_>,
    report: &mut Diagnostics<'_>,
) -> Option<BTreeSet<String>> {
    let caps = environment.catalog.policy().caps.iter().map(|cap| cap.limit.name());
    let budget = environment.catalog.policy().texting.budget.as_ref().map(|budget| budget.limit.name());
    let known: Vec<&str> = caps.chain(budget).chain([THROTTLE]).collect();
    let mut full = BTreeSet::new();
    for node in list(node, report)? {
        let Some(name) = text(node, report) else { continue };
        if !known.contains(&name.as_str()) {
            report.refuse(node.at, format!("there is no limit `{name}`"), suggestion(&name, &known));
        }
        full.insert(name);
    }
    Some(full)
}

impl TestAnswers {
    /// Answers a question of a decision. `asked` collects the keys that were used.
    pub(super) fn answer(&self, ask: &Ask, now: Timestamp, asked: &mut BTreeSet<&'static str>) -> Answer {
        match ask {
            Ask::Cancelled { .. } => {
                asked.insert("cancelled");
                Answer::Cancelled(self.cancelled.then(|| Cancellation { at: now, by: String::new() }))
            }
            Ask::Seen { .. } => {
                asked.extend(["seen", "acknowledged"]);
                Answer::Seen(self.seen)
            }
            Ask::Heard { .. } => {
                asked.insert("wrote");
                Answer::Heard(self.wrote.then_some(now))
            }
            Ask::Admit { wants, channels, zone, .. } => {
                if wants.iter().any(|it| self.full.contains(it.limit.name())) {
                    asked.insert("full");
                }
                let refused: Vec<(Channel, Refusal)> = channels
                    .iter()
                    .filter_map(|channel| Some((*channel, self.refusal(*channel, wants, zone, now)?)))
                    .collect();
                let is_refused = |it: &Channel| refused.iter().any(|(channel, _)| channel == it);
                let granted = channels.iter().copied().filter(|channel| !is_refused(channel)).collect();
                Answer::Admitted { granted, refused }
            }
            Ask::Join { .. } | Ask::Collected { .. } | Ask::Closed { .. } | Ask::Notified { .. } => {
                ask.default_answer()
            }
        }
    }

    fn refusal(&self, channel: Channel, wants: &[Wanted], zone: &Zone, now: Timestamp) -> Option<Refusal> {
        let concerns = |wanted: &&Wanted| match wanted.scope {
            Scope::Channel(only) => only == channel,
            Scope::Step | Scope::Message => true,
        };
        let full = |wanted: &&Wanted| wanted.limit.blocks() && self.full.contains(wanted.limit.name());
        let limit = &wants.iter().filter(concerns).find(full)?.limit;
        let (n, most) = (limit.most(), limit.most());
        Some(Refusal { limit: limit.name().to_owned(), until: over(limit, zone, now), n, most })
    }

    /// Refuses fixtures that no decision used, because they prove no behaviour.
    pub(super) fn check_asked(&self, asked: &BTreeSet<&'static str>, report: &mut Diagnostics<'_>) {
        for (key, at) in self.places.iter().filter(|(key, _)| !asked.contains(key)) {
            let what = format!("nothing that is decided here asks for `{key}`");
            report.refuse(*at, what, "take it out, or mend the rule that is to ask");
        }
    }
}

/// Returns the end of a period that begins now.
fn over(limit: &Limit, zone: &Zone, now: Timestamp) -> Timestamp {
    let end = match limit.period() {
        Period::Fixed(span) => span.end(zone, now),
        Period::Calendar(period) => period.end(zone, now),
        Period::Rolling(length) => now.checked_add(length).ok(),
    };
    end.unwrap_or(now)
}
