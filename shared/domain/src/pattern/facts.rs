//! An event as patterns see it: a flat list of names and values, in which each value precedes the values that it
//! contains.

use std::borrow::Cow;

use serde_json::{Number, Value};

use crate::base::json::Raw;

/// The values of one event, or those that the patterns ask for.
pub(crate) struct Facts<'e> {
    list: Vec<Fact<'e>>,
}

struct Fact<'e> {
    /// The member's name. An element has the name of its array.
    name: Cow<'e, str>,
    what: What<'e>,
    /// The index of the first value after this one that is not inside it.
    next: usize,
}

/// A value without its content.
pub(crate) enum What<'e> {
    Scalar(Scalar<'e>),
    Array,
    Object,
}

/// A scalar value, which operators can test.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar<'e> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'e, str>),
}

/// One value with access to its content.
#[derive(Clone, Copy)]
pub(crate) struct Item<'f, 'e> {
    facts: &'f Facts<'e>,
    index: usize,
}

/// The index of an array or object that is still open.
pub(crate) struct Open(usize);

impl<'e> Facts<'e> {
    pub(crate) fn with_capacity(count: usize) -> Facts<'e> {
        Facts { list: Vec::with_capacity(count) }
    }

    /// All values of a JSON tree.
    pub(crate) fn of(event: &'e Value) -> Facts<'e> {
        let mut facts = Facts::with_capacity(16);
        facts.add(Cow::Borrowed(""), event);
        facts
    }

    /// The outermost value.
    pub(crate) fn root(&self) -> Item<'_, 'e> {
        Item { facts: self, index: 0 }
    }

    /// Adds a value at the end and returns its index.
    pub(crate) fn push(&mut self, name: Cow<'e, str>, scalar: Scalar<'e>) -> usize {
        let index = self.list.len();
        self.list.push(Fact { name, what: What::Scalar(scalar), next: index + 1 });
        index
    }

    /// Adds an array or an object. Values that are added before it is closed are inside it.
    pub(crate) fn open(&mut self, name: Cow<'e, str>, what: What<'e>) -> Open {
        let index = self.list.len();
        self.list.push(Fact { name, what, next: index + 1 });
        Open(index)
    }

    pub(crate) fn close(&mut self, open: &Open) {
        self.list[open.0].next = self.list.len();
    }

    fn add(&mut self, name: Cow<'e, str>, value: &'e Value) {
        match value {
            Value::Object(members) => {
                let open = self.open(name, What::Object);
                for (name, value) in members {
                    self.add(Cow::Borrowed(name), value);
                }
                self.close(&open);
            }
            Value::Array(elements) => {
                let open = self.open(name, What::Array);
                for element in elements {
                    self.add(Cow::Borrowed(""), element);
                }
                self.close(&open);
            }
            Value::Null => drop(self.push(name, Scalar::Null)),
            Value::Bool(flag) => drop(self.push(name, Scalar::Bool(*flag))),
            Value::Number(number) => drop(self.push(name, Scalar::Number(number.clone()))),
            Value::String(text) => drop(self.push(name, Scalar::Text(Cow::Borrowed(text)))),
        }
    }
}

impl<'e> Scalar<'e> {
    /// A value that is neither an object nor an array. `None` if it cannot be represented.
    pub(crate) fn of(raw: Raw<'e>) -> Option<Scalar<'e>> {
        if raw.is_string() {
            return raw.text().map(Scalar::Text);
        }
        match raw.get() {
            "null" => Some(Scalar::Null),
            "true" => Some(Scalar::Bool(true)),
            "false" => Some(Scalar::Bool(false)),
            number => {
                // A number with so few digits always fits into a u64.
                let is_short = number.len() < 19 && number.bytes().all(|byte| byte.is_ascii_digit());
                let short = if is_short { number.parse::<u64>().ok().map(Number::from) } else { None };
                let long =
                    || serde_json::from_str(number).ok().filter(|number: &Number| number.as_f64().is_some());
                short.or_else(long).map(Scalar::Number)
            }
        }
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        if let Scalar::Text(text) = self { Some(text) } else { None }
    }

    pub(super) fn as_number(&self) -> Option<&Number> {
        if let Scalar::Number(number) = self { Some(number) } else { None }
    }
}

impl<'f, 'e> Item<'f, 'e> {
    pub(crate) fn what(self) -> &'f What<'e> {
        &self.facts.list[self.index].what
    }

    /// The values directly inside this one.
    pub(super) fn inside(self) -> impl Iterator<Item = Item<'f, 'e>> {
        let list = &self.facts.list;
        let end = list[self.index].next;
        let mut index = self.index + 1;
        std::iter::from_fn(move || {
            let here = (index < end).then_some(index)?;
            index = list[here].next;
            Some(Item { facts: self.facts, index: here })
        })
    }

    /// The member with this name. Of several, the last one counts, as in all JSON readers.
    pub(super) fn get(self, name: &str) -> Option<Item<'f, 'e>> {
        self.inside().filter(|inside| inside.facts.list[inside.index].name == name).last()
    }
}
