//! Schemas of event data: a subset of JSON Schema draft-07 whose every keyword is enforced.
//!
//! A schema with a keyword that is not enforced is refused, so that no author relies on a check that does not happen.
//!
//! Source: JSON Schema draft-07, <https://json-schema.org/draft-07/json-schema-validation>.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use crate::base::json::Decimal;

mod format;
mod reading;
mod validation;

#[cfg(test)]
mod tests;

use format::Format;

/// The meta-schema that `$schema` may name.
pub const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

/// The most levels of schemas within schemas.
pub const MAX_DEPTH: usize = 32;

/// A schema that was read. The default admits every value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schema {
    /// Every type if empty.
    types: BTreeSet<JsonType>,
    properties: BTreeMap<String, Schema>,
    required: BTreeSet<String>,
    /// `additionalProperties: false`.
    is_closed: bool,
    items: Option<Box<Schema>>,
    /// `enum`, or the one value of `const`.
    values: Option<Vec<Value>>,
    minimum: Option<Bound>,
    maximum: Option<Bound>,
    /// In characters.
    length: Range,
    /// In array elements.
    count: Range,
    is_unique: bool,
    format: Option<Format>,
}

/// A limit of a number, as `minimum` or `exclusiveMinimum` gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Bound {
    value: Decimal,
    is_exclusive: bool,
}

/// A lowest and a highest count; `None` for no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Range {
    least: Option<usize>,
    most: Option<usize>,
}

/// A type of JSON values as `type` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum JsonType {
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

impl JsonType {
    const ALL: [JsonType; 7] = [
        JsonType::Null,
        JsonType::Boolean,
        JsonType::Integer,
        JsonType::Number,
        JsonType::String,
        JsonType::Array,
        JsonType::Object,
    ];

    fn name(self) -> &'static str {
        match self {
            JsonType::Null => "null",
            JsonType::Boolean => "boolean",
            JsonType::Integer => "integer",
            JsonType::Number => "number",
            JsonType::String => "string",
            JsonType::Array => "array",
            JsonType::Object => "object",
        }
    }

    /// The narrowest type of a value: a number without a fraction is an integer, also if it is written `1.0`.
    fn of(value: &Value) -> JsonType {
        match value {
            Value::Null => JsonType::Null,
            Value::Bool(_) => JsonType::Boolean,
            Value::Number(number) if Decimal::of(number).is_some_and(|decimal| decimal.is_whole()) => {
                JsonType::Integer
            }
            Value::Number(_) => JsonType::Number,
            Value::String(_) => JsonType::String,
            Value::Array(_) => JsonType::Array,
            Value::Object(_) => JsonType::Object,
        }
    }

    fn admits(self, found: JsonType) -> bool {
        self == found || (self == JsonType::Number && found == JsonType::Integer)
    }
}

/// A part of a schema that cannot be enforced as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaFault {
    /// JSON Pointer within the schema; empty for the schema itself.
    pub pointer: String,
    pub found: String,
    pub wanted: String,
}

/// A value that a schema does not admit. Neither text quotes the value: event data can be personal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Path of the value: `$.items[2].price`.
    pub path: String,
    pub found: String,
    pub wanted: String,
}

impl fmt::Display for SchemaFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at `{}`: found {}, wanted {}", self.pointer, self.found, self.wanted)
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: found {}, wanted {}", self.path, self.found, self.wanted)
    }
}

impl Schema {
    /// Reads a schema.
    ///
    /// # Errors
    /// Every keyword that is unknown, misspelt or not enforced, and every value of a keyword that cannot be used.
    pub fn read(schema: &Value) -> Result<Schema, Vec<SchemaFault>> {
        reading::read(schema)
    }

    /// Every place where a value differs from the schema; none for a value that the schema admits.
    #[must_use]
    pub fn mismatches(&self, value: &Value) -> Vec<Mismatch> {
        let mut found = Vec::new();
        self.validate(value, "$", &mut found);
        found
    }
}
