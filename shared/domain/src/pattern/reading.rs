//! Reads the structure of a pattern: fields, nested objects, and the combinations of `$or`.

use serde_json::Value;

use super::operator::Operator;
use super::{Invalid, MAX_COMBINATIONS, MAX_DEPTH, MAX_LENGTH, operand};
use crate::base::config_error::quoted;

/// Field names that are not allowed inside `$or`, because EventBridge uses or reserves them as operators.
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

/// The location of a fault that no path describes.
pub(crate) const WHOLE: &str = "the pattern";

/// A pattern that has been read but not yet built into trees.
pub(super) struct Reading {
    pub(super) leaves: Vec<Vec<Operator>>,
    clauses: Vec<Clause>,
}

/// A field with its list.
#[derive(Clone, Copy)]
pub(super) struct Field<'r> {
    /// The keys that lead to the field, joined with dots.
    pub(super) path: &'r str,
    /// The field's location in the source.
    pub(super) at: &'r str,
    /// The index of its list.
    pub(super) leaf: usize,
}

/// A condition. All clauses of a list must hold.
enum Clause {
    Field { path: String, at: String, leaf: usize },
    Any(Vec<Vec<Clause>>),
}

pub(super) fn read(source: &Value) -> Result<Reading, Invalid> {
    let mut reader = Reader { leaves: Vec::new(), combinations: 1 };
    let top = Position { at: String::new(), path: String::new(), depth: 0, inside_or: false };
    let clauses = reader.object(source, &top)?;
    // The length is checked last, when the depth is known to be safe for serialization. Most patterns are short
    // enough to skip the exact count.
    let length = if max_length(source) > MAX_LENGTH { source.to_string().chars().count() } else { 0 };
    if length > MAX_LENGTH {
        let wanted = format!("at most {MAX_LENGTH} characters of compact JSON");
        return Err(Invalid::new(WHOLE, format!("{length} characters"), wanted));
    }
    Ok(Reading { leaves: reader.leaves, clauses })
}

/// Upper bound for the number of characters of compact JSON.
fn max_length(value: &Value) -> usize {
    // An escaped byte takes six characters, and the quotes take two.
    let text_length = |text: &str| 6 * text.len() + 2;
    match value {
        Value::Null | Value::Bool(_) => 5,
        // Example: -2.2250738585072014e-308.
        Value::Number(_) => 24,
        Value::String(text) => text_length(text),
        Value::Array(list) => 2 + list.iter().map(|element| max_length(element) + 1).sum::<usize>(),
        Value::Object(members) => {
            2 + members.iter().map(|(name, value)| text_length(name) + max_length(value) + 2).sum::<usize>()
        }
    }
}

impl Reading {
    /// The fields of each combination of the `$or` arrays. Without `$or` there is one combination.
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

/// The reader's position.
struct Position {
    at: String,
    path: String,
    depth: usize,
    inside_or: bool,
}

impl Position {
    fn shown(&self) -> &str {
        if self.at.is_empty() { WHOLE } else { &self.at }
    }

    fn field(&self, key: &str) -> Position {
        // A key with dots is a path of its own.
        let depth = self.depth + key.split('.').count();
        Position {
            at: joined(&self.at, key),
            path: joined(&self.path, key),
            depth,
            inside_or: self.inside_or,
        }
    }

    fn member(&self, index: usize) -> Position {
        let at = format!("{}[{index}]", joined(&self.at, "$or"));
        Position { at, path: self.path.clone(), depth: self.depth + 1, inside_or: true }
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
    fn object(&mut self, source: &Value, position: &Position) -> Result<Vec<Clause>, Invalid> {
        let wanted = "an object with at least one field";
        let object = source.as_object().filter(|object| !object.is_empty());
        let object = object.ok_or_else(|| Invalid::value(position.shown(), source, wanted))?;
        let mut clauses = Vec::with_capacity(object.len());
        for (key, value) in object {
            if key == "$or" {
                clauses.push(self.any(value, position)?);
                continue;
            }
            let here = position.field(key);
            if position.inside_or && RESERVED.contains(&key.as_str()) {
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

    fn list(&mut self, list: &[Value], source: &Value, position: Position) -> Result<Clause, Invalid> {
        if list.is_empty() {
            return Err(Invalid::value(&position.at, source, "an array of at least one value"));
        }
        let read = |(index, value)| operand::read(value, &format!("{}[{index}]", position.at));
        let operators = list.iter().enumerate().map(read).collect::<Result<Vec<_>, Invalid>>()?;
        self.leaves.push(operators);
        Ok(Clause::Field { path: position.path, at: position.at, leaf: self.leaves.len() - 1 })
    }

    fn any(&mut self, source: &Value, position: &Position) -> Result<Clause, Invalid> {
        let at = joined(&position.at, "$or");
        let members = source.as_array().filter(|item| item.len() >= 2);
        let members =
            members.ok_or_else(|| Invalid::value(&at, source, "an array of at least two patterns"))?;
        self.combinations = self.combinations.saturating_mul(members.len());
        if self.combinations > MAX_COMBINATIONS {
            let wanted = format!("at most {MAX_COMBINATIONS}");
            return Err(Invalid::new(&at, format!("{} combinations of all $or", self.combinations), wanted));
        }
        let read = |(index, value)| self.object(value, &position.member(index));
        Ok(Clause::Any(members.iter().enumerate().map(read).collect::<Result<_, Invalid>>()?))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn max_length_is_an_upper_bound() {
        for value in [
            json!({}),
            json!([]),
            json!({ "": [""] }),
            json!({ "\u{1}\u{7f}\"\\": ["\u{0}\u{1f}", "é😀", null, true, false] }),
            json!([f64::MIN_POSITIVE, -f64::MIN_POSITIVE, -f64::MAX, i64::MIN, u64::MAX, -1.0e-7]),
            json!({ "a": [{ "numeric": ["<", 5] }, { "prefix": "x" }], "b": { "c": [1] } }),
        ] {
            let text = value.to_string();
            assert!(text.chars().count() <= max_length(&value), "{text}");
        }
    }
}
