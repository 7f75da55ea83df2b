//! EventBridge's complexity limit for wildcards.
//!
//! EventBridge documents no number. Its refusals agree with the following rule: one text may match at most ten
//! prefixes of a field's wildcards at the same time. The prefixes of `*:stack/a/*` are `*`, `*:`, `*:s` and so on.
//!
//! Source: Amazon EventBridge user guide, "Wildcard matching", complexity; aws/event-ruler 2.0.1,
//! `MachineComplexityEvaluator`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::glob::Glob;
use super::operator::Operator;
use super::reading::{self, Field};
use super::{Invalid, Pattern};

/// Maximum number of wildcard prefixes that one text may match at the same time.
pub const MAX_WILDCARD_BEGINNINGS: usize = 10;

/// Maximum number of prefix sets that the search visits before it gives up. Patterns of the allowed length that
/// EventBridge accepts have far fewer.
const MAX_SETS: usize = 20_000;

/// The fields before a field, each with its leaf.
type Before<'a> = Vec<(&'a str, usize)>;

impl Pattern {
    /// Checks EventBridge's limit for wildcards. Carillon matches such patterns in linear time, and
    /// [`Pattern::compile`] accepts them. Only newly written patterns are held to the limit.
    ///
    /// # Errors
    /// [`Invalid`] with the field's location. An invalid pattern passes, because [`Pattern::compile`] reports its
    /// fault.
    pub fn check_complexity(source: &Value) -> Result<(), Invalid> {
        let Ok(reading) = reading::read(source) else { return Ok(()) };
        // Combinations with the same preceding fields share one automaton for this field.
        let mut machines: BTreeMap<Before<'_>, (&str, BTreeSet<usize>)> = BTreeMap::new();
        let alternatives = reading.alternatives();
        for fields in &alternatives {
            let mut fields: Vec<&Field<'_>> = fields.iter().collect();
            fields.sort_by_key(|field| field.path);
            let mut before = Vec::with_capacity(fields.len());
            for field in fields {
                let mut path = before.clone();
                path.push((field.path, usize::MAX));
                machines.entry(path).or_insert_with(|| (field.at, BTreeSet::new())).1.insert(field.leaf);
                before.push((field.path, field.leaf));
            }
        }
        for (location, leaves) in machines.into_values() {
            let operators = leaves.iter().flat_map(|leaf| &reading.leaves[*leaf]);
            let groups: Vec<Vec<&Glob>> = operators.map(globs).filter(|globs| !globs.is_empty()).collect();
            if is_too_complex(&groups) {
                let wanted = "fewer asterisks, fewer repeated characters behind an asterisk, or a prefix: EventBridge \
                              refuses it as too complex";
                return Err(Invalid::new(location, "wildcards that are too complex", wanted));
            }
        }
        Ok(())
    }
}

/// The wildcards of one entry of a list. EventBridge treats those of an `anything-but` as one pattern.
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

/// A prefix of a wildcard, and its possible continuations.
#[derive(Default)]
struct State {
    /// Whether the prefix ends with an asterisk, so that any byte keeps the state.
    is_open: bool,
    /// The prefixes that are one byte longer.
    next: Vec<(u8, usize)>,
    /// The prefix that is one asterisk longer.
    star: Option<usize>,
}

/// Whether one text can match more prefixes at the same time than EventBridge accepts.
fn is_too_complex(groups: &[Vec<&Glob>]) -> bool {
    let mut states = vec![State::default()];
    for globs in groups {
        // Wildcards of one `anything-but` share their prefixes up to the first asterisk.
        let mut shared: BTreeMap<(usize, Option<u8>), usize> = BTreeMap::new();
        let globs: BTreeSet<Vec<Option<u8>>> = globs.iter().map(|glob| tokens(glob)).collect();
        for tokens in globs {
            let (mut state, mut is_determinate) = (0, true);
            for token in tokens {
                state = match shared.get(&(state, token)).filter(|_| is_determinate) {
                    Some(known) => *known,
                    None => {
                        let new = add_state(&mut states, state, token);
                        if is_determinate {
                            shared.insert((state, token), new);
                        }
                        new
                    }
                };
                is_determinate &= token.is_some();
            }
        }
    }
    exceeds_limit(&states)
}

fn add_state(states: &mut Vec<State>, from: usize, token: Option<u8>) -> usize {
    let new = states.len();
    states.push(State { is_open: token.is_none(), ..State::default() });
    match token {
        Some(byte) => states[from].next.push((byte, new)),
        None => states[from].star = Some(new),
    }
    new
}

/// Searches the sets of prefixes that one text can match.
fn exceeds_limit(states: &[State]) -> bool {
    let bytes: BTreeSet<u8> =
        states.iter().flat_map(|state| state.next.iter().map(|(byte, _)| *byte)).collect();
    let mut seen: BTreeSet<Vec<usize>> = BTreeSet::new();
    let mut open = vec![vec![0]];
    while let Some(set) = open.pop() {
        // A byte that occurs in no wildcard, and each byte that occurs in one.
        for byte in std::iter::once(None).chain(bytes.iter().copied().map(Some)) {
            let next = advance(states, &set, byte);
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

/// The prefixes that match after one more byte.
fn advance(states: &[State], set: &[usize], byte: Option<u8>) -> Vec<usize> {
    let mut next = BTreeSet::new();
    for state in set {
        if states[*state].is_open {
            next.insert(*state);
        }
        let longer = states[*state].next.iter().filter(|(next, _)| Some(*next) == byte);
        for (_, to) in longer {
            next.insert(*to);
            // An asterisk also matches the empty text.
            next.extend(states[*to].star);
        }
    }
    // No other asterisks need this step, because two are never adjacent.
    next.into_iter().collect()
}

/// The bytes of a wildcard within the quotes in which EventBridge matches it. An asterisk is `None`.
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
    fn refuses_what_eventbridge_refuses() {
        // EventBridge refused the first. A deployment of four stacks refused the second.
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
    fn accepts_what_eventbridge_accepts() {
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
        // Each field has an automaton of its own.
        let of_fields: serde_json::Map<String, Value> =
            (0..9).map(|n| (format!("f{n}"), json!([{ "wildcard": "*:a*:b*" }]))).collect();
        check(&Value::Object(of_fields), true);
    }

    #[test]
    fn long_pattern_is_checked_quickly() {
        // Each repetition after an asterisk is a prefix that may start again.
        let repeated = "ab".repeat(200);
        check(&json!({ "a": [{ "wildcard": format!("*{repeated}*{repeated}") }] }), false);
        let letters = "abcdefghijklmnopqrstuvwxyz0123456789";
        check(&json!({ "a": [{ "wildcard": format!("*{letters}*{letters}") }] }), true);
        let many: Vec<Value> = (0..60).map(|n| json!({ "wildcard": format!("*x{n}*") })).collect();
        check(&json!({ "a": many }), false);
    }

    #[track_caller]
    fn check(source: &Value, is_accepted: bool) {
        assert_eq!(Pattern::check_complexity(source).is_ok(), is_accepted, "{source}");
    }
}
