//! One DynamoDB item, read and written by attribute name.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
pub(crate) use carillon_event::outbox::{key, sort_key};

mod json;

/// The attributes of an item, in the order of their names.
#[derive(Default, Clone, PartialEq)]
pub struct Item(BTreeMap<String, AttributeValue>);

/// The error for an attribute that is missing or has the wrong type.
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

    /// Builds an item from the strings and numbers of another client's attribute values, such as those of a stream.
    /// Each name comes with its string or its number.
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

    /// The item with all attributes of another item added.
    #[must_use]
    pub fn with(mut self, other: Item) -> Item {
        self.0.extend(other.0);
        self
    }

    /// Sets an attribute, or leaves it out if there is no value.
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

    /// Sets a list of strings, or leaves it out if the list is empty.
    #[must_use]
    pub fn texts(mut self, name: &str, values: impl IntoIterator<Item = String>) -> Item {
        let values: Vec<AttributeValue> = values.into_iter().map(AttributeValue::S).collect();
        if !values.is_empty() {
            self.0.insert(name.to_owned(), AttributeValue::L(values));
        }
        self
    }

    /// The string under this name.
    ///
    /// # Errors
    /// [`Malformed`] if the attribute is missing or not a string.
    pub fn read(&self, name: &str) -> Result<&str, Malformed> {
        self.get(name).ok_or_else(|| Malformed { attribute: name.to_owned(), wanted: "a string" })
    }

    /// The string under this name, if there is one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(|value| value.as_s().ok()).map(String::as_str)
    }

    /// The whole number under this name, if there is one.
    #[must_use]
    pub fn get_number(&self, name: &str) -> Option<i64> {
        self.0.get(name).and_then(|value| value.as_n().ok()).and_then(|number| number.parse().ok())
    }

    /// The strings of the list under this name. Empty if there is no list.
    #[must_use]
    pub fn get_texts(&self, name: &str) -> Vec<String> {
        let list = self.0.get(name).and_then(|value| value.as_l().ok());
        list.into_iter().flatten().filter_map(|value| value.as_s().ok().cloned()).collect()
    }

    /// The names and values of all string attributes.
    pub fn iter_text(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|(name, value)| value.as_s().ok().map(|text| (name.as_str(), text.as_str())))
    }

    /// The attributes as the SDK's map.
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
