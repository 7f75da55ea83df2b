//! Compares a value with a schema.

use serde_json::Value;

use super::{Bound, JsonType, Mismatch, Range, Schema};
use crate::base::json::Decimal;

impl Schema {
    pub(super) fn validate(&self, value: &Value, path: &str, mismatches: &mut Vec<Mismatch>) {
        let mut refuse = |found: String, wanted: String| {
            mismatches.push(Mismatch { path: path.to_owned(), found, wanted });
        };
        let kind = JsonType::of(value);
        if !self.types.is_empty() && !self.types.iter().any(|wanted| wanted.admits(kind)) {
            let wanted: Vec<&str> = self.types.iter().map(|kind| kind.name()).collect();
            // The other keywords would only repeat that the type is wrong.
            return refuse(kind.name().to_owned(), wanted.join(" or "));
        }
        if let Some(values) =
            self.values.as_ref().filter(|values| !values.iter().any(|one| equal(one, value)))
        {
            let wanted: Vec<String> = values.iter().map(Value::to_string).collect();
            refuse("another value".to_owned(), format!("one of {}", wanted.join(", ")));
        }
        match value {
            Value::Number(number) => {
                if let Some(limit) = Decimal::of(number).and_then(|number| self.exceeded(&number)) {
                    refuse("a number beyond the limit".to_owned(), limit);
                }
            }
            Value::String(text) => {
                let length = text.chars().count();
                if let Some(wanted) = self.length.exceeded(length) {
                    refuse(format!("{length} characters"), format!("{wanted} characters"));
                }
                if let Some(format) = self.format.filter(|format| !format.admits(text)) {
                    refuse("another text".to_owned(), format!("the format {}", format.name()));
                }
            }
            Value::Array(items) => {
                if let Some(wanted) = self.count.exceeded(items.len()) {
                    refuse(format!("{} items", items.len()), format!("{wanted} items"));
                }
                if self.is_unique && has_repeated(items) {
                    refuse("two equal items".to_owned(), "each item once".to_owned());
                }
                if let Some(schema) = &self.items {
                    for (index, item) in items.iter().enumerate() {
                        schema.validate(item, &format!("{path}[{index}]"), mismatches);
                    }
                }
            }
            Value::Object(members) => {
                for name in self.required.iter().filter(|name| !members.contains_key(*name)) {
                    let path = member(path, name);
                    let (found, wanted) = ("no such member".to_owned(), self.wanted(name));
                    mismatches.push(Mismatch { path, found, wanted });
                }
                for (name, value) in members {
                    let path = member(path, name);
                    match self.properties.get(name) {
                        Some(schema) => schema.validate(value, &path, mismatches),
                        None if self.is_closed => {
                            let (found, wanted) = ("an unknown member".to_owned(), self.known());
                            mismatches.push(Mismatch { path, found, wanted });
                        }
                        None => {}
                    }
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// The limit that a number exceeds.
    fn exceeded(&self, number: &Decimal) -> Option<String> {
        let is_low = |bound: &&Bound| *number < bound.value || (bound.is_exclusive && *number == bound.value);
        let is_high =
            |bound: &&Bound| *number > bound.value || (bound.is_exclusive && *number == bound.value);
        let low = self.minimum.as_ref().filter(is_low).map(|bound| (bound, "at least", "more than"));
        let high = || self.maximum.as_ref().filter(is_high).map(|bound| (bound, "at most", "less than"));
        let (bound, inclusive, exclusive) = low.or_else(high)?;
        let word = if bound.is_exclusive { exclusive } else { inclusive };
        Some(format!("{word} {}", bound.value.canonical()))
    }

    fn wanted(&self, name: &str) -> String {
        let types = self.properties.get(name).map(|property| &property.types);
        let names: Vec<&str> = types.into_iter().flatten().map(|kind| kind.name()).collect();
        if names.is_empty() { "a value".to_owned() } else { names.join(" or ") }
    }

    fn known(&self) -> String {
        let names: Vec<&str> = self.properties.keys().map(String::as_str).collect();
        format!("one of {}", names.join(", "))
    }
}

impl Range {
    /// The limit that a count exceeds.
    fn exceeded(self, count: usize) -> Option<String> {
        let least = self.least.filter(|least| count < *least).map(|least| format!("at least {least}"));
        least.or_else(|| self.most.filter(|most| count > *most).map(|most| format!("at most {most}")))
    }
}

/// Whether two values are equal as JSON Schema compares them: numbers by value, objects without order.
fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => Decimal::of(one) == Decimal::of(other),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, value)| other.get(name).is_some_and(|other| equal(value, other)))
        }
        (one, other) => one == other,
    }
}

fn has_repeated(items: &[Value]) -> bool {
    items.iter().enumerate().any(|(index, item)| items[..index].iter().any(|earlier| equal(earlier, item)))
}

fn member(path: &str, name: &str) -> String {
    let is_plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_plain { format!("{path}.{name}") } else { format!("{path}[{name:?}]") }
}
