//! How complex the wildcards of a pattern are to EventBridge, which refuses patterns that are too complex.
//!
//! EventBridge names no number. What it refuses agrees with this rule: for the wildcards that are asked of one field, the
//! number of their beginnings that one text can match at the same time is at most ten. `*:stack/a/*` has the beginnings
//! `*`, `*:`, `*:s` and so on.
//!
//! Source: Amazon EventBridge user guide, "Wildcard matching", complexity; aws/event-ruler 2.0.1,
//! `MachineComplexityEvaluator`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::glob::Glob;
use super::operator::Operator;
use super::reading::{self, Field};
use super::{Invalid, Pattern};

/// The most beginnings of wildcards that one text may match at the same time.
pub const MAX_WILDCARD_BEGINNINGS: usize = 10;

/// How many sets of beginnings are looked at before the search is given up. Patterns of this length that EventBridge takes
/// have far fewer.
const MAX_SETS: usize = 20_000;

/// The fields before one, each with the leaf that is asked of it.
type Before<'a> = Vec<(&'a str, usize)>;

impl Pattern {
    /// Checks the limit that EventBridge has for wildcards. Carillon itself matches such patterns in linear time, so
    /// [`Pattern::compile`] reads them: only what people write anew is held to it.
    ///
    /// # Errors
    /// [`Invalid`] names the field. A source that is no pattern passes: [`Pattern::compile`] says what is wrong with it.
    pub fn check_complexity(source: &Value) -> Result<(), Invalid> {
        let Ok(reading) = reading::read(source) else { return Ok(()) };
        // Combinations that have the same fields before this one share the machine of this field.
        let mut machines: BTreeMap<Before<'_>, (&str, BTreeSet<usize>)> = BTreeMap::new();
        let alternatives = reading.alternatives();
        for fields in &alternatives {
            let mut fields: Vec<&Field<'_>> = fields.iter().collect();
            fields.sort_by_key(|field| field.path);
            let mut before = Vec::with_capacity(fields.len());
            for field in fields {
                let mut place = before.clone();
                place.push((field.path, usize::MAX));
                machines.entry(place).or_insert_with(|| (field.at, BTreeSet::new())).1.insert(field.leaf);
                before.push((field.path, field.leaf));
            }
        }
        for (at, leaves) in machines.into_values() {
            let operators = leaves.iter().flat_map(|leaf| &reading.leaves[*leaf]);
            let groups: Vec<Vec<&Glob>> = operators.map(globs).filter(|it| !it.is_empty()).collect();
            if is_too_complex(&groups) {
                let wanted = "fewer asterisks, fewer repeated characters behind an asterisk, or a prefix: EventBridge \
                              refuses it as too complex";
                return Err(Invalid::new(at, "wildcards that are too complex", wanted));
            }
        }
        Ok(())
    }
}

/// The wildcards of one entry of a list. Those of an `anything-but` are one pattern to EventBridge.
fn globs(operator: &Operator) -> Vec<&Glob> {
    match operator {
        Operator::Wildcard(wildcard) => vec![wildcard],
        Operator::Not(these) => these.iter().flat_map(globs).collect(),
        Operator::Null
        | Operator::Bool(_)
        | Operator::Number(_)
        | Operator::Text(_)
        | Operator::Address(_)
        | Operator::Prefix(_)
        | Operator::PrefixFolded(_)
        | Operator::Suffix(_)
        | Operator::SuffixFolded(_)
        | Operator::Folded(_)
        | Operator::Numeric(_)
        | Operator::Cidr(_)
        | Operator::Present
        | Operator::Absent => Vec::new(),
    }
}

/// A beginning of a wildcard, and how one goes on from it.
#[derive(Default)]
struct State {
    /// It ends with an asterisk, so that every byte keeps it.
    is_open: bool,
    /// The beginnings that are one byte longer.
    next: Vec<(u8, usize)>,
    /// The beginning that is one asterisk longer.
    star: Option<usize>,
}

/// Whether one text can match more beginnings at a time than EventBridge takes.
fn is_too_complex(groups: &[Vec<&Glob>]) -> bool {
    let mut states = vec![State::default()];
    for globs in groups {
        // The beginnings up to the first asterisk are shared within an `anything-but`.
        let mut shared: BTreeMap<(usize, Option<u8>), usize> = BTreeMap::new();
        let globs: BTreeSet<Vec<Option<u8>>> = globs.iter().map(|glob| tokens(glob)).collect();
        for tokens in globs {
            let (mut at, mut is_determinate) = (0, true);
            for token in tokens {
                at = match shared.get(&(at, token)).filter(|_| is_determinate) {
                    Some(known) => *known,
                    None => {
                        let new = step(&mut states, at, token);
                        if is_determinate {
                            shared.insert((at, token), new);
                        }
                        new
                    }
                };
                is_determinate &= token.is_some();
            }
        }
    }
    explore(&states)
}

fn step(states: &mut Vec<State>, at: usize, token: Option<u8>) -> usize {
    let new = states.len();
    states.push(State { is_open: token.is_none(), ..State::default() });
    match token {
        Some(byte) => states[at].next.push((byte, new)),
        None => states[at].star = Some(new),
    }
    new
}

/// Goes through the sets of beginnings that texts can match.
fn explore(states: &[State]) -> bool {
    let bytes: BTreeSet<u8> =
        states.iter().flat_map(|state| state.next.iter().map(|(byte, _)| *byte)).collect();
    let mut seen: BTreeSet<Vec<usize>> = BTreeSet::new();
    let mut open = vec![vec![0]];
    while let Some(set) = open.pop() {
        // A byte that no wildcard names, and each that one names.
        for byte in std::iter::once(None).chain(bytes.iter().copied().map(Some)) {
            let next = after(states, &set, byte);
            if next.len() > MAX_WILDCARD_BEGINNINGS {
                return true;
            }
            if !next.is_empty() && seen.len() < MAX_SETS && seen.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    false
}

/// The beginnings that match after one byte more.
fn after(states: &[State], set: &[usize], byte: Option<u8>) -> Vec<usize> {
    let mut next = BTreeSet::new();
    for at in set {
        if states[*at].is_open {
            next.insert(*at);
        }
        let longer = states[*at].next.iter().filter(|(it, _)| Some(*it) == byte);
        for (_, to) in longer {
            next.insert(*to);
            // An asterisk stands for no text, too.
            next.extend(states[*to].star);
        }
    }
    // The same for an asterisk behind one that matched nothing so far: there are no two side by side.
    next.into_iter().collect()
}

/// The bytes of a wildcard in the quotes that EventBridge matches them in; an asterisk is `None`.
fn tokens(glob: &Glob) -> Vec<Option<u8>> {
    let quote = std::iter::once(Some(b'"'));
    let runs = glob.runs().enumerate().flat_map(|(number, run)| {
        let star = (number > 0).then_some(None);
        star.into_iter().chain(run.bytes().map(Some))
    });
    quote.clone().chain(runs).chain(quote).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn wildcards_that_eventbridge_refuses_are_refused() {
        // The first is refused by EventBridge in its own answers, the second was by a deployment of four stacks.
        check(&json!({ "a": [{ "wildcard": "*:*:*:*:*:event-bus/*" }] }), false);
        let stacks = |names: &[&str]| {
            let all: Vec<Value> =
                names.iter().map(|name| json!({ "wildcard": format!("*:stack/{name}/*") })).collect();
            json!({ "resources": all })
        };
        check(&stacks(&["Api", "Web", "Data"]), true);
        check(&stacks(&["Api", "Web", "Data", "Monitoring"]), false);
        check(&json!({ "a": { "b": [{ "wildcard": "*a*a*a*a*a*a*a*" }] } }), false);
        let nested = json!({ "$or": [{ "a": [{ "wildcard": "*:*:*:*:*:x/*" }] }, { "b": [1] }] });
        check(&nested, false);
        check(&json!({ "a": [{ "anything-but": { "wildcard": "*:*:*:*:*:x/*" } }] }), false);
    }

    #[test]
    fn wildcards_that_eventbridge_takes_are_taken() {
        for pattern in [
            json!({ "a": [{ "wildcard": "*" }] }),
            json!({ "a": [{ "wildcard": "order.*" }, { "wildcard": "*.paid" }] }),
            json!({ "a": [{ "wildcard": "arn:aws:events:*:*:event-bus/*" }] }),
            json!({ "a": [{ "wildcard": "a\\*b*c" }], "b": [{ "wildcard": "*x*y*z*" }] }),
            json!({ "a": [{ "prefix": "*:*:*:*:*:event-bus/*" }, "*:*:*:*:*:event-bus/*"] }),
            json!({ "a": [{ "wildcard": 7 }] }),
            json!([]),
        ] {
            check(&pattern, true);
        }
        // Each field has a machine of its own.
        let of_fields: serde_json::Map<String, Value> =
            (0..9).map(|n| (format!("f{n}"), json!([{ "wildcard": "*:a*:b*" }]))).collect();
        check(&Value::Object(of_fields), true);
    }

    #[test]
    fn long_pattern_is_judged_in_no_time() {
        // Each repetition behind an asterisk is a beginning that may start anew.
        let repeated = "ab".repeat(200);
        check(&json!({ "a": [{ "wildcard": format!("*{repeated}*{repeated}") }] }), false);
        let letters = "abcdefghijklmnopqrstuvwxyz0123456789";
        check(&json!({ "a": [{ "wildcard": format!("*{letters}*{letters}") }] }), true);
        let many: Vec<Value> = (0..60).map(|n| json!({ "wildcard": format!("*x{n}*") })).collect();
        check(&json!({ "a": many }), false);
    }

    #[track_caller]
    fn check(source: &Value, is_taken: bool) {
        assert_eq!(Pattern::check_complexity(source).is_ok(), is_taken, "{source}");
    }
}
