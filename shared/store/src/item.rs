//! One DynamoDB item, read and written by attribute name.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

mod json;

/// The attributes of an item, in the order of their names.
#[derive(Default, Clone, PartialEq)]
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

    /// The item without this attribute.
    #[must_use]
    pub fn without(mut self, name: &str) -> Item {
        self.0.remove(name);
        self
    }

    /// The texts and numbers among values that another client's types hold: those of streams, which have types of their
    /// own. Each value comes with its text, or with its number.
    pub fn of_values<'v>(
        values: impl Iterator<Item = (&'v String, Option<&'v String>, Option<&'v String>)>,
    ) -> Item {
        let mut item = Item::default();
        for (name, text, number) in values {
            if let Some(text) = text {
                item = item.text(name, text);
            } else if let Some(number) = number.and_then(|number| number.parse().ok()) {
                item = item.number(name, number);
            }
        }
        item
    }

    /// All attributes of another item, too.
    #[must_use]
    pub fn with(mut self, other: Item) -> Item {
        self.0.extend(other.0);
        self
    }

    /// Leaves the attribute out when there is no value.
    #[must_use]
    pub fn maybe(self, name: &str, value: Option<&str>) -> Item {
        match value {
            Some(value) => self.text(name, value),
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

    /// The attributes as the SDK has them.
    #[must_use]
    pub fn into_attributes(self) -> HashMap<String, AttributeValue> {
        self.into_map()
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

/// DynamoDB's limits for a partition key and for a sort key, in bytes.
const MAX_KEY_BYTES: usize = 2048;
const MAX_SORT_KEY_BYTES: usize = 1024;

/// A partition key made of several parts, with `#` between them. A part that holds a `#` itself is escaped, so that no
/// two lists of parts make one key. Where they are too long together, the longest are replaced by their hashes.
pub(crate) fn key(parts: &[&str]) -> String {
    joined(parts, MAX_KEY_BYTES)
}

/// The same for a sort key, and for a partition key that is also used as one.
pub(crate) fn sort_key(parts: &[&str]) -> String {
    joined(parts, MAX_SORT_KEY_BYTES)
}

fn joined(parts: &[&str], most: usize) -> String {
    let mut written: Vec<String> =
        parts.iter().map(|part| part.replace('%', "%25").replace('#', "%23")).collect();
    while written.iter().map(|it| it.len() + 1).sum::<usize>() > most + 1 {
        let longest =
            (0..parts.len()).max_by_key(|at| written[*at].len()).filter(|at| written[*at].len() > 45);
        let Some(at) = longest else { break };
        // No escaped part has an `h` behind its `%`.
        written[at] = format!("%h{}", URL_SAFE_NO_PAD.encode(Sha256::digest(parts[at].as_bytes())));
    }
    written.join("#")
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

    #[test]
    fn no_key_is_longer_than_the_table_takes_and_what_is_hashed_stays_apart() {
        let long = |letter: &str| letter.repeat(1_500);
        assert_eq!(key(&["topic", "-", &long("a")]).len(), 8 + 1_500, "what fits stays as it is");
        assert_eq!(sort_key(&["user", &"#".repeat(256)]).len(), 5 + 768);
        let (a, b) = (long("a"), long("b"));
        let keys = [
            key(&["topic", &a, &b]),
            key(&["topic", &b, &a]),
            key(&["topic", &a, &a]),
            sort_key(&["user", &a]),
            sort_key(&["user", &b]),
            sort_key(&["user", &a, &b, &"c".repeat(900)]),
        ];
        for (at, it) in keys.iter().enumerate() {
            assert!(it.len() <= if at < 3 { 2048 } else { 1024 }, "{}", it.len());
            assert!(!keys[..at].contains(it));
        }
        let hashed = sort_key(&["user", &a]);
        assert_ne!(
            hashed,
            sort_key(&["user", hashed.trim_start_matches("user#")]),
            "nobody can be called so"
        );
    }
}
