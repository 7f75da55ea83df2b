//! Paths into an event, such as `$.data.userId`, with optional alternatives.

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

/// A path to values in an event's envelope. A path enters lists along its way: `$.data.members.id` finds the ids of
/// all members.
///
/// A path may have alternatives. `$.data.patientId | $.data.userId` stands for the first alternative that finds a
/// value. `null`, an empty list and an empty text do not count as values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Path {
    /// The names of the first alternative, from the outermost to the innermost.
    first: Vec<String>,
    /// The other alternatives, in order.
    others: Vec<Vec<String>>,
}

/// A text that is not a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a path; write `$.` and names with dots between them, such as `$.data.userId`")]
pub struct NotAPath(String);

/// Longer text is not an id. [`crate::recipient::Recipient::id`] has the same limit in bytes.
const MAX_NAME_BYTES: usize = 256;

/// Maximum number of alternatives of a path.
pub const MAX_ALTERNATIVES: usize = 16;

/// The separator between the alternatives of a path.
pub const SEPARATOR: char = '|';

impl Path {
    /// Reads one path, or alternatives separated by `|`.
    ///
    /// # Errors
    /// [`NotAPath`] if an alternative does not begin with `$.`, if a name is empty or has characters other than
    /// letters, digits, `_` and `-`, or if there are more than [`MAX_ALTERNATIVES`].
    pub fn parse(text: &str) -> Result<Path, NotAPath> {
        if !text.contains(SEPARATOR) {
            return Ok(Path { first: steps_of(text)?, others: Vec::new() });
        }
        let mut alternatives = text.split(SEPARATOR).map(|part| steps_of(part.trim()));
        let first = alternatives.next().unwrap_or_else(|| Err(NotAPath(text.to_owned())))?;
        let others: Vec<Vec<String>> = alternatives.collect::<Result<_, NotAPath>>()?;
        if others.len() >= MAX_ALTERNATIVES {
            return Err(NotAPath(text.to_owned()));
        }
        Ok(Path { first, others })
    }

    /// The path with the alternatives of `other` appended.
    #[must_use]
    pub fn or(mut self, other: Path) -> Path {
        self.others.push(other.first);
        self.others.extend(other.others);
        self
    }

    fn alternatives(&self) -> impl Iterator<Item = &Vec<String>> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// The names of the alternative that applies to this envelope: the first that finds a value, otherwise the first
    /// that finds an empty value, otherwise the first.
    pub(crate) fn steps_in(&self, envelope: &Value) -> &[String] {
        if self.others.is_empty() {
            return &self.first;
        }
        let finds = |steps: &&Vec<String>| find(envelope, steps).into_iter().any(|value| !is_blank(value));
        let is_there = |steps: &&Vec<String>| pick(envelope, steps).is_some();
        let chosen = self.alternatives().find(finds).or_else(|| self.alternatives().find(is_there));
        chosen.unwrap_or(&self.first)
    }

    /// All values at this path, in the order of the event. The size limit of events bounds their number.
    #[must_use]
    pub fn find<'a>(&self, envelope: &'a Value) -> Vec<&'a Value> {
        find(envelope, self.steps_in(envelope))
    }

    /// The value at this path in its original shape. A list along the path or at its end yields a list, even with one
    /// element. `None` if the value is missing or `null`.
    #[must_use]
    pub fn pick(&self, envelope: &Value) -> Option<Value> {
        pick(envelope, self.steps_in(envelope))
    }

    /// The single value at this path. A list along the path or at its end yields a list, as for [`Path::pick`].
    /// `None` if the value is missing or `null`, or if no element of a list along the path has the member.
    #[must_use]
    pub(crate) fn pick_value(&self, envelope: &Value) -> Option<Value> {
        let value = self.pick(envelope)?;
        let is_empty = value.as_array().is_some_and(Vec::is_empty);
        (!is_empty || self.passes_no_list(envelope)).then_some(value)
    }

    /// Whether the member is reached through objects only, without entering a list.
    fn passes_no_list(&self, envelope: &Value) -> bool {
        let found =
            self.steps_in(envelope).iter().try_fold(envelope, |value, step| value.as_object()?.get(step));
        found.is_some()
    }

    /// The values that can be ids: strings of 1 to 256 bytes, and integers. The first alternative that finds such a
    /// value applies.
    #[must_use]
    pub fn find_names(&self, envelope: &Value) -> Vec<String> {
        let names = |steps: &Vec<String>| -> Vec<String> {
            find(envelope, steps).into_iter().filter_map(name_of).collect()
        };
        self.alternatives().map(names).find(|names| !names.is_empty()).unwrap_or_default()
    }

    /// The last name of the first alternative, which names the value that the path finds.
    #[must_use]
    pub fn last(&self) -> &str {
        self.first.last().map_or("", String::as_str)
    }
}

/// The names of one alternative.
fn steps_of(text: &str) -> Result<Vec<String>, NotAPath> {
    let refuse = || NotAPath(text.to_owned());
    let names = text.strip_prefix("$.").ok_or_else(refuse)?;
    let steps: Vec<String> = names.split('.').map(str::to_owned).collect();
    let is_name =
        |name: &String| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    if steps.iter().all(is_name) { Ok(steps) } else { Err(refuse()) }
}

fn is_blank(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}

/// All values at these names, in the order of the event.
fn find<'a>(envelope: &'a Value, steps: &[String]) -> Vec<&'a Value> {
    let mut found = vec![envelope];
    for step in steps {
        let mut next = Vec::new();
        for value in found {
            descend(value, step, &mut next);
        }
        found = next;
    }
    let mut values = Vec::new();
    for value in found {
        match value {
            Value::Array(list) => values.extend(list),
            Value::Null => {}
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => values.push(value),
        }
    }
    values
}

fn descend<'a>(value: &'a Value, step: &str, into: &mut Vec<&'a Value>) {
    match value {
        Value::Object(members) => into.extend(members.get(step)),
        Value::Array(list) => into.extend(list.iter().filter_map(|element| element.get(step))),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn pick(value: &Value, steps: &[String]) -> Option<Value> {
    let Some((step, rest)) = steps.split_first() else {
        return (!value.is_null()).then(|| value.clone());
    };
    match value {
        Value::Object(members) => pick(members.get(step)?, rest),
        Value::Array(list) => Some(list.iter().filter_map(|element| pick(element, steps)).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn name_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() && text.len() <= MAX_NAME_BYTES => Some(text.clone()),
        Value::Number(number) => whole_number(number),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The digits of a number that is written without a fraction and an exponent.
fn whole_number(number: &Number) -> Option<String> {
    let digits = number.to_string();
    (digits.len() <= MAX_NAME_BYTES && !digits.contains(['.', 'e', 'E'])).then_some(digits)
}

impl TryFrom<String> for Path {
    type Error = NotAPath;

    fn try_from(text: String) -> Result<Path, NotAPath> {
        Path::parse(&text)
    }
}

/// The form of rules: `$.data.userId`, or `$.data.patientId | $.data.userId`.
impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, steps) in self.alternatives().enumerate() {
            let separator = if index > 0 { " | " } else { "" };
            write!(f, "{separator}$.{}", steps.join("."))?;
        }
        Ok(())
    }
}

impl From<Path> for String {
    fn from(path: Path) -> String {
        path.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn finds_no_one_or_many_values() {
        let event = json!({"data": {"user": "ann", "all": ["ben", 7, null, {"x": 1}], "at": [{"id": "c"}, {"id": "d"}]}});
        check(&event, "$.data.user", &["ann"]);
        check(&event, "$.data.all", &["ben", "7"]);
        check(&event, "$.data.at.id", &["c", "d"]);
        check(&event, "$.data.missing", &[]);
        check(&event, "$.data.user.name", &[]);
    }

    #[test]
    fn list_stays_a_list_with_one_value() {
        let event =
            json!({"one": ["a"], "none": [], "at": [{"id": "c"}], "gone": null, "mixed": [{"id": 1}, {}, 2]});
        let pick = |path: &str| Path::parse(path).unwrap().pick(&event);
        assert_eq!(pick("$.one"), Some(json!(["a"])));
        assert_eq!(pick("$.none"), Some(json!([])));
        assert_eq!(pick("$.at.id"), Some(json!(["c"])));
        assert_eq!(pick("$.mixed.id"), Some(json!([1])));
        assert_eq!(pick("$.mixed.x"), Some(json!([])));
        assert_eq!(pick("$.gone"), None);
        assert_eq!(pick("$.gone.x"), None);
    }

    #[test]
    fn refuses_text_that_is_not_a_path() {
        for text in ["", "$", "$.", "data.user", "$.data..user", "$.data[0]", "$.data.user "] {
            assert!(Path::parse(text).is_err(), "{text:?}");
        }
        for text in ["|", "$.data.a |", "| $.data.a", "$.data.a | ben", "$.data.a || $.data.b"] {
            assert!(Path::parse(text).is_err(), "{text:?}");
        }
        let many = |count: usize| vec!["$.data.a"; count].join("|");
        assert!(
            Path::parse(&many(MAX_ALTERNATIVES)).is_ok() && Path::parse(&many(MAX_ALTERNATIVES + 1)).is_err()
        );
    }

    #[test]
    fn first_alternative_with_a_value_applies() {
        let event = json!({"data": {
            "user": "ann", "all": ["ben", 7], "none": [], "null": null, "blank": " ", "nulls": [null], "object": {"x": 1},
        }});
        check(&event, "$.data.gone | $.data.user", &["ann"]);
        check(&event, "$.data.user|$.data.all", &["ann"]);
        check(&event, "$.data.all | $.data.user", &["ben", "7"]);
        for nothing in ["gone", "none", "null", "blank", "nulls"] {
            let path = Path::parse(&format!("$.data.{nothing} | $.data.user")).unwrap();
            assert_eq!(path.find(&event), [&json!("ann")], "{nothing}");
            assert_eq!(path.pick(&event), Some(json!("ann")), "{nothing}");
            assert_eq!(path.find_names(&event), ["ann"], "{nothing}");
        }
        // An object is a value but not an id.
        let path = Path::parse("$.data.object | $.data.user").unwrap();
        assert_eq!(
            (path.pick(&event), path.find_names(&event)),
            (Some(json!({"x": 1})), vec!["ann".to_owned()])
        );
        // An empty value keeps its shape if no alternative finds a value.
        assert_eq!(Path::parse("$.data.gone | $.data.none").unwrap().pick(&event), Some(json!([])));
        assert_eq!(Path::parse("$.data.gone | $.data.null").unwrap().pick(&event), None);
    }

    #[test]
    fn alternatives_round_trip_and_the_first_names_the_value() {
        let path = Path::parse("$.data.patientId|$.data.userId").unwrap();
        assert_eq!(path.to_string(), "$.data.patientId | $.data.userId");
        assert_eq!(Path::parse(&path.to_string()), Ok(path.clone()));
        assert_eq!(path.last(), "patientId");
        let single = |text: &str| Path::parse(text).unwrap();
        assert_eq!(single("$.data.patientId").or(single("$.data.userId")), path);
    }

    #[track_caller]
    fn check(event: &Value, path: &str, expected: &[&str]) {
        assert_eq!(Path::parse(path).unwrap().find_names(event), expected, "{path}");
    }
}
