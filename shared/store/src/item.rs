//! One DynamoDB item, read and written by attribute name.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;

/// The attributes of an item, in the order of their names.
#[derive(Default, Clone)]
pub struct Item(BTreeMap<String, AttributeValue>);

/// An attribute that is not what the code that wrote it would have written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("attribute {attribute} is missing or not {wanted}")]
pub struct Malformed {
    pub attribute: String,
    pub wanted: &'static str,
}

impl Item {
    #[must_use]
    pub fn text(mut self, name: &str, value: impl Into<String>) -> Item {
        self.0.insert(name.to_owned(), AttributeValue::S(value.into()));
        self
    }

    /// All attributes of another item, too.
    #[must_use]
    pub(crate) fn with(mut self, other: Item) -> Item {
        self.0.extend(other.0);
        self
    }

    /// Leaves the attribute out when there is no value.
    #[must_use]
    pub fn maybe(self, name: &str, value: Option<&str>) -> Item {
        match value {
            Some(it) => self.text(name, it),
            None => self,
        }
    }

    #[must_use]
    pub fn number(mut self, name: &str, value: i64) -> Item {
        self.0.insert(name.to_owned(), AttributeValue::N(value.to_string()));
        self
    }

    /// A list of strings; an empty one is left out.
    #[must_use]
    pub fn texts(mut self, name: &str, values: impl IntoIterator<Item = String>) -> Item {
        let values: Vec<AttributeValue> = values.into_iter().map(AttributeValue::S).collect();
        if !values.is_empty() {
            self.0.insert(name.to_owned(), AttributeValue::L(values));
        }
        self
    }

    /// # Errors
    /// [`Malformed`] when it is not there or no string.
    pub fn read(&self, name: &str) -> Result<&str, Malformed> {
        self.get(name).ok_or_else(|| Malformed { attribute: name.to_owned(), wanted: "a string" })
    }

    /// The string under this name, if there is one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(|it| it.as_s().ok()).map(String::as_str)
    }

    /// The whole number under this name, if there is one.
    #[must_use]
    pub fn get_number(&self, name: &str) -> Option<i64> {
        self.0.get(name).and_then(|it| it.as_n().ok()).and_then(|it| it.parse().ok())
    }

    /// The strings of the list under this name; none when there is no list.
    #[must_use]
    pub fn get_texts(&self, name: &str) -> Vec<String> {
        let list = self.0.get(name).and_then(|it| it.as_l().ok());
        list.into_iter().flatten().filter_map(|it| it.as_s().ok().cloned()).collect()
    }

    /// The names of all attributes that hold text, with their text.
    pub fn iter_text(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|(name, value)| value.as_s().ok().map(|it| (name.as_str(), it.as_str())))
    }

    pub(crate) fn into_map(self) -> HashMap<String, AttributeValue> {
        self.0.into_iter().collect()
    }

    pub(crate) fn into_parts(self) -> (Vec<String>, Vec<AttributeValue>) {
        self.0.into_iter().unzip()
    }
}

impl From<HashMap<String, AttributeValue>> for Item {
    fn from(map: HashMap<String, AttributeValue>) -> Item {
        Item(map.into_iter().collect())
    }
}

impl FromIterator<(String, AttributeValue)> for Item {
    fn from_iter<I: IntoIterator<Item = (String, AttributeValue)>>(attributes: I) -> Item {
        Item(attributes.into_iter().collect())
    }
}

/// A key made of several parts, with `#` between them. A part that holds a `#` itself is escaped, so that no two lists
/// of parts make one key.
pub(crate) fn key(parts: &[&str]) -> String {
    let escaped = parts.iter().map(|it| it.replace('%', "%25").replace('#', "%23"));
    escaped.collect::<Vec<_>>().join("#")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_lists_of_parts_make_one_key() {
        assert_eq!(key(&["user", "ann"]), "user#ann");
        assert_ne!(key(&["event", "a#b", "c"]), key(&["event", "a", "b#c"]));
        assert_ne!(key(&["a%23b"]), key(&["a#b"]));
        assert_ne!(key(&["stream", "-", "x"]), key(&["stream", "-#x"]));
    }
}
