//! A path into an event, such as `$.data.userId`.

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

/// Where in an event's envelope a value is found. Lists on the way are walked: `$.data.members.id` gives every
/// member's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Path {
    steps: Vec<String>,
}

/// A text that is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a path; write `$.` and names with dots between them, such as `$.data.userId`")]
pub struct NotAPath(String);

/// Longer text names nobody: [`crate::recipient::Recipient::id`] has this many bytes at most.
const MAX_NAME_BYTES: usize = 256;

impl Path {
    /// # Errors
    /// [`NotAPath`] when the text does not begin with `$.` or a name is empty or has other characters than letters,
    /// digits, `_` and `-`.
    pub fn parse(text: &str) -> Result<Path, NotAPath> {
        let refuse = || NotAPath(text.to_owned());
        let names = text.strip_prefix("$.").ok_or_else(refuse)?;
        let steps: Vec<String> = names.split('.').map(str::to_owned).collect();
        let is_name =
            |it: &String| !it.is_empty() && it.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
        if steps.iter().all(is_name) { Ok(Path { steps }) } else { Err(refuse()) }
    }

    /// Every value at this path, in the order of the event. An event's size bounds how many there can be.
    #[must_use]
    pub fn find<'a>(&self, envelope: &'a Value) -> Vec<&'a Value> {
        let mut found = vec![envelope];
        for step in &self.steps {
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

    /// What stands at this path, in the shape that the event gives it: a list on the way or at its end makes a list,
    /// however many values it has. `None` when there is nothing, or `null`.
    #[must_use]
    pub fn pick(&self, envelope: &Value) -> Option<Value> {
        pick(envelope, &self.steps)
    }

    /// The one value at this path: a list on the way or at its end makes a list, as [`Path::pick`] does. `None` when there
    /// is nothing, `null`, or when no element of a list on the way has the member.
    #[must_use]
    pub(crate) fn pick_value(&self, envelope: &Value) -> Option<Value> {
        let value = self.pick(envelope)?;
        let is_empty = value.as_array().is_some_and(Vec::is_empty);
        (!is_empty || self.stands_in_objects(envelope)).then_some(value)
    }

    /// Whether no list has to be walked to find the member.
    fn stands_in_objects(&self, envelope: &Value) -> bool {
        let found = self.steps.iter().try_fold(envelope, |value, step| value.as_object()?.get(step));
        found.is_some()
    }

    /// The values that can name somebody: strings of 1 to 256 bytes, and whole numbers.
    #[must_use]
    pub fn find_names(&self, envelope: &Value) -> Vec<String> {
        self.find(envelope).into_iter().filter_map(name_of).collect()
    }

    /// The names in the path, from the envelope inwards.
    pub(crate) fn steps(&self) -> &[String] {
        &self.steps
    }

    /// The last name in the path: what a value found by it is called.
    #[must_use]
    pub fn last(&self) -> &str {
        self.steps.last().map_or("", String::as_str)
    }
}

fn descend<'a>(value: &'a Value, step: &str, into: &mut Vec<&'a Value>) {
    match value {
        Value::Object(members) => into.extend(members.get(step)),
        Value::Array(list) => into.extend(list.iter().filter_map(|it| it.get(step))),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn pick(value: &Value, steps: &[String]) -> Option<Value> {
    let Some((step, rest)) = steps.split_first() else {
        return (!value.is_null()).then(|| value.clone());
    };
    match value {
        Value::Object(members) => pick(members.get(step)?, rest),
        Value::Array(list) => Some(list.iter().filter_map(|it| pick(it, steps)).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn name_of(value: &Value) -> Option<String> {
    match value {
        Value::String(it) if !it.trim().is_empty() && it.len() <= MAX_NAME_BYTES => Some(it.clone()),
        Value::Number(it) => whole_number(it),
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

/// As rules write it: `$.data.userId`.
impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "$.{}", self.steps.join("."))
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
    fn a_path_finds_one_value_many_values_or_none() {
        let event = json!({"data": {"user": "ann", "all": ["ben", 7, null, {"x": 1}], "at": [{"id": "c"}, {"id": "d"}]}});
        check(&event, "$.data.user", &["ann"]);
        check(&event, "$.data.all", &["ben", "7"]);
        check(&event, "$.data.at.id", &["c", "d"]);
        check(&event, "$.data.nobody", &[]);
        check(&event, "$.data.user.name", &[]);
    }

    #[test]
    fn a_list_stays_a_list_however_many_values_it_has() {
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
    fn what_is_no_path_is_refused() {
        for text in ["", "$", "$.", "data.user", "$.data..user", "$.data[0]", "$.data.user "] {
            assert!(Path::parse(text).is_err(), "{text:?}");
        }
    }

    #[track_caller]
    fn check(event: &Value, path: &str, expected: &[&str]) {
        assert_eq!(Path::parse(path).unwrap().find_names(event), expected, "{path}");
    }
}
