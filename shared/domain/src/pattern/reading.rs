//! Reads the structure of a pattern: fields, nested objects, and the combinations of `$or`.

use serde_json::Value;

use super::operator::Operator;
use super::{Invalid, MAX_COMBINATIONS, MAX_DEPTH, MAX_LENGTH, operand, quoted};

/// Names that no field has inside `$or`: what EventBridge has, or keeps, as an operator.
///
/// Source: aws/event-ruler 2.0.1, `Constants`.
const RESERVED: [&str; 24] = [
    "exactly",
    "equals-ignore-case",
    "prefix",
    "suffix",
    "anything-but",
    "exists",
    "wildcard",
    "numeric",
    "cidr",
    "=",
    "<",
    "<=",
    ">",
    ">=",
    "regex",
    "not-wildcard",
    "not-equals-ignore-case",
    "date-after",
    "date-on-or-after",
    "date-before",
    "date-on-or-before",
    "in-date-range",
    "ip-address-in-range",
    "ip-address-not-in-range",
];

/// What a refusal names where no path leads to what is wrong.
pub(crate) const WHOLE: &str = "the pattern";

/// A pattern, read but not yet planted.
pub(super) struct Reading {
    pub(super) leaves: Vec<Vec<Operator>>,
    clauses: Vec<Clause>,
}

/// A field with its list.
#[derive(Clone, Copy)]
pub(super) struct Field<'r> {
    /// The keys that lead to it, joined with dots.
    pub(super) path: &'r str,
    /// Where it stands in the source.
    pub(super) at: &'r str,
    /// Its list, as an index.
    pub(super) leaf: usize,
}

/// What has to hold, one beside the other.
enum Clause {
    Field { path: String, at: String, leaf: usize },
    Any(Vec<Vec<Clause>>),
}

pub(super) fn read(source: &Value) -> Result<Reading, Invalid> {
    let mut reader = Reader { leaves: Vec::new(), combinations: 1 };
    let top = Place { at: String::new(), path: String::new(), depth: 0, inside_or: false };
    let clauses = reader.object(source, &top)?;
    // Only now: what was read is not too deep to be written. Most patterns are far too short to be counted.
    let length = if most(source) > MAX_LENGTH { source.to_string().chars().count() } else { 0 };
    if length > MAX_LENGTH {
        let wanted = format!("at most {MAX_LENGTH} characters of compact JSON");
        return Err(Invalid::new(WHOLE, format!("{length} characters"), wanted));
    }
    Ok(Reading { leaves: reader.leaves, clauses })
}

/// How many characters of compact JSON a value has at most.
fn most(value: &Value) -> usize {
    // An escaped byte has six characters, and a text its quotes.
    let text = |it: &str| 6 * it.len() + 2;
    match value {
        Value::Null | Value::Bool(_) => 5,
        // Such as -2.2250738585072014e-308.
        Value::Number(_) => 24,
        Value::String(it) => text(it),
        Value::Array(list) => 2 + list.iter().map(|it| most(it) + 1).sum::<usize>(),
        Value::Object(members) => {
            2 + members.iter().map(|(name, it)| text(name) + most(it) + 2).sum::<usize>()
        }
    }
}

impl Reading {
    /// The fields of each combination of the `$or` arrays; one combination if there is none.
    pub(super) fn alternatives(&self) -> Vec<Vec<Field<'_>>> {
        expand(&self.clauses)
    }
}

fn expand(clauses: &[Clause]) -> Vec<Vec<Field<'_>>> {
    let mut combinations: Vec<Vec<Field<'_>>> = vec![Vec::new()];
    for clause in clauses {
        match clause {
            Clause::Field { path, at, leaf } => {
                let field = Field { path, at, leaf: *leaf };
                combinations.iter_mut().for_each(|combination| combination.push(field));
            }
            Clause::Any(members) => {
                let branches: Vec<Vec<Field<'_>>> =
                    members.iter().flat_map(|member| expand(member)).collect();
                let mut joined = Vec::with_capacity(combinations.len() * branches.len());
                for head in &combinations {
                    joined.extend(branches.iter().map(|tail| [head.as_slice(), tail].concat()));
                }
                combinations = joined;
            }
        }
    }
    combinations
}

/// Where the reader stands.
struct Place {
    at: String,
    path: String,
    depth: usize,
    inside_or: bool,
}

impl Place {
    fn shown(&self) -> &str {
        if self.at.is_empty() { WHOLE } else { &self.at }
    }

    fn field(&self, key: &str) -> Place {
        // A key with dots is a path of its own.
        let depth = self.depth + key.split('.').count();
        Place { at: joined(&self.at, key), path: joined(&self.path, key), depth, inside_or: self.inside_or }
    }

    fn member(&self, index: usize) -> Place {
        let at = format!("{}[{index}]", joined(&self.at, "$or"));
        Place { at, path: self.path.clone(), depth: self.depth + 1, inside_or: true }
    }
}

fn joined(head: &str, tail: &str) -> String {
    if head.is_empty() { tail.to_owned() } else { format!("{head}.{tail}") }
}

struct Reader {
    leaves: Vec<Vec<Operator>>,
    combinations: usize,
}

impl Reader {
    fn object(&mut self, source: &Value, place: &Place) -> Result<Vec<Clause>, Invalid> {
        let wanted = "an object with at least one field";
        let object = source.as_object().filter(|object| !object.is_empty());
        let object = object.ok_or_else(|| Invalid::value(place.shown(), source, wanted))?;
        let mut clauses = Vec::with_capacity(object.len());
        for (key, value) in object {
            if key == "$or" {
                clauses.push(self.any(value, place)?);
                continue;
            }
            let here = place.field(key);
            if place.inside_or && RESERVED.contains(&key.as_str()) {
                let found = format!("the field {}", quoted(key));
                return Err(Invalid::new(&here.at, found, "inside $or a name that no operator has"));
            }
            if here.depth > MAX_DEPTH {
                let wanted = format!("at most {MAX_DEPTH} levels");
                return Err(Invalid::new(WHOLE, format!("{} levels", here.depth), wanted));
            }
            match value {
                Value::Object(_) => clauses.append(&mut self.object(value, &here)?),
                Value::Array(list) => clauses.push(self.list(list, value, here)?),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                    return Err(Invalid::value(&here.at, value, "an array of values, or an object"));
                }
            }
        }
        Ok(clauses)
    }

    fn list(&mut self, list: &[Value], source: &Value, place: Place) -> Result<Clause, Invalid> {
        if list.is_empty() {
            return Err(Invalid::value(&place.at, source, "an array of at least one value"));
        }
        let read = |(index, it)| operand::read(it, &format!("{}[{index}]", place.at));
        let operators = list.iter().enumerate().map(read).collect::<Result<Vec<_>, Invalid>>()?;
        self.leaves.push(operators);
        Ok(Clause::Field { path: place.path, at: place.at, leaf: self.leaves.len() - 1 })
    }

    fn any(&mut self, source: &Value, place: &Place) -> Result<Clause, Invalid> {
        let at = joined(&place.at, "$or");
        let members = source.as_array().filter(|item| item.len() >= 2);
        let members =
            members.ok_or_else(|| Invalid::value(&at, source, "an array of at least two patterns"))?;
        self.combinations = self.combinations.saturating_mul(members.len());
        if self.combinations > MAX_COMBINATIONS {
            let wanted = format!("at most {MAX_COMBINATIONS}");
            return Err(Invalid::new(&at, format!("{} combinations of all $or", self.combinations), wanted));
        }
        let read = |(index, it)| self.object(it, &place.member(index));
        Ok(Clause::Any(members.iter().enumerate().map(read).collect::<Result<_, Invalid>>()?))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_pattern_is_longer_than_it_is_taken_for() {
        for value in [
            json!({}),
            json!([]),
            json!({ "": [""] }),
            json!({ "\u{1}\u{7f}\"\\": ["\u{0}\u{1f}", "é😀", null, true, false] }),
            json!([f64::MIN_POSITIVE, -f64::MIN_POSITIVE, -f64::MAX, i64::MIN, u64::MAX, -1.0e-7]),
            json!({ "a": [{ "numeric": ["<", 5] }, { "prefix": "x" }], "b": { "c": [1] } }),
        ] {
            let text = value.to_string();
            assert!(text.chars().count() <= most(&value), "{text}");
        }
    }
}
