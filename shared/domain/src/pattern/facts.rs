//! An event as patterns look at it: a tree of names and values in one list, each value before those inside it.

use std::borrow::Cow;

use serde_json::{Number, Value};

use crate::json::Raw;

/// Everything that is known of one event, or as much of it as the patterns at hand ask for.
pub(crate) struct Facts<'e> {
    list: Vec<Fact<'e>>,
}

struct Fact<'e> {
    /// The name of a member; of an element the name of its array.
    name: Cow<'e, str>,
    what: What<'e>,
    /// Where the next value begins that is not inside this one.
    next: usize,
}

/// A value without what is inside it.
pub(crate) enum What<'e> {
    Scalar(Scalar<'e>),
    Array,
    Object,
}

/// A value that an operator can be held against.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar<'e> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'e, str>),
}

/// One value, with a view of what is inside it.
#[derive(Clone, Copy)]
pub(crate) struct Item<'f, 'e> {
    facts: &'f Facts<'e>,
    at: usize,
}

/// A place in the list that is still open for values inside it.
pub(crate) struct Open(usize);

impl<'e> Facts<'e> {
    pub(crate) fn with_capacity(count: usize) -> Facts<'e> {
        Facts { list: Vec::with_capacity(count) }
    }

    /// All of a JSON tree.
    pub(crate) fn of(event: &'e Value) -> Facts<'e> {
        let mut facts = Facts::with_capacity(16);
        facts.add(Cow::Borrowed(""), event);
        facts
    }

    /// The outermost value.
    pub(crate) fn root(&self) -> Item<'_, 'e> {
        Item { facts: self, at: 0 }
    }

    /// Adds a value at the end and says where it stands.
    pub(crate) fn push(&mut self, name: Cow<'e, str>, scalar: Scalar<'e>) -> usize {
        let at = self.list.len();
        self.list.push(Fact { name, what: What::Scalar(scalar), next: at + 1 });
        at
    }

    /// Adds an array or an object. Whatever is added until it is closed is inside it.
    pub(crate) fn open(&mut self, name: Cow<'e, str>, what: What<'e>) -> Open {
        let at = self.list.len();
        self.list.push(Fact { name, what, next: at + 1 });
        Open(at)
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
            Value::Bool(it) => drop(self.push(name, Scalar::Bool(*it))),
            Value::Number(number) => drop(self.push(name, Scalar::Number(number.clone()))),
            Value::String(text) => drop(self.push(name, Scalar::Text(Cow::Borrowed(text)))),
        }
    }
}

impl<'e> Scalar<'e> {
    /// A value that is neither an object nor an array. `None` when nothing can hold it.
    pub(crate) fn of(raw: Raw<'e>) -> Option<Scalar<'e>> {
        if raw.is_string() {
            return raw.text().map(Scalar::Text);
        }
        match raw.get() {
            "null" => Some(Scalar::Null),
            "true" => Some(Scalar::Bool(true)),
            "false" => Some(Scalar::Bool(false)),
            number => {
                // So many digits are always a u64.
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
        &self.facts.list[self.at].what
    }

    /// What is directly inside it.
    pub(super) fn inside(self) -> impl Iterator<Item = Item<'f, 'e>> {
        let list = &self.facts.list;
        let end = list[self.at].next;
        let mut at = self.at + 1;
        std::iter::from_fn(move || {
            let here = (at < end).then_some(at)?;
            at = list[here].next;
            Some(Item { facts: self.facts, at: here })
        })
    }

    /// The member of this name; the last one where there are several, as in any reader of JSON.
    pub(super) fn get(self, name: &str) -> Option<Item<'f, 'e>> {
        self.inside().filter(|inside| inside.facts.list[inside.at].name == name).last()
    }
}
