//! A YAML tree with the place of every value, so that all mistakes are reported at once. Independent of the meaning
//! of rules.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};
use serde_saphyr::{
    DuplicateKeyPolicy, Error, Location, MergeKeyPolicy, MessageFormatter, Options, Spanned,
    UserMessageFormatter,
};

use crate::problem::{At, Diagnostics};

/// The nesting limit of lists and maps. The parser recurses, and patterns stay far below it.
const MAX_DEPTH: usize = 32;

/// A value with its place.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) at: At,
    /// The original text of a number.
    pub(crate) written: Option<String>,
}

/// The kind and content of a value.
#[derive(Debug)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) at: At,
    pub(crate) value: Node,
}

impl Node {
    /// The kind in words, for texts such as "found a number, wanted text".
    pub(crate) fn what_there_is(&self) -> &'static str {
        match &self.kind {
            Kind::Null => "nothing",
            Kind::Bool(_) => "a boolean",
            Kind::Number(_) => "a number",
            Kind::Text(_) => "text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }

    /// The value without places.
    pub(crate) fn to_json(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(flag) => Value::Bool(*flag),
            Kind::Number(number) => Value::Number(number.clone()),
            Kind::Text(text) => Value::String(text.clone()),
            Kind::List(list) => list.iter().map(Node::to_json).collect(),
            Kind::Map(entries) => Value::Object(
                entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect(),
            ),
        }
    }
}

/// The rules of a file. Reports unreadable items and returns the others.
pub(crate) fn items(text: &str, report: &mut Diagnostics<'_>) -> Vec<Node> {
    list_of("rule", text, report)
}

/// The items of a file that must be one list, each of which begins with the key `item`.
pub(crate) fn list_of(item: &str, text: &str, report: &mut Diagnostics<'_>) -> Vec<Node> {
    let whole = match parse(text, DuplicateKeyPolicy::Error) {
        Ok(node) => node,
        Err(error @ Error::MultipleDocuments { .. }) => {
            add_error(&error, report);
            return Vec::new();
        }
        Err(_) => return item_by_item(text, report),
    };
    match whole.kind {
        Kind::List(items) => items,
        // A file of comments only, or an empty one.
        Kind::Null => Vec::new(),
        Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Map(_) => {
            let what = format!("the file is {}, not a list of {item}s", whole.what_there_is());
            let fix = format!("begin each {item} with `- {item}: <name>` at the start of a line");
            report.refuse(whole.at, what, fix);
            Vec::new()
        }
    }
}

/// The keys of a file that must be one map. Empty if the file is unreadable, which is then reported.
pub(crate) fn map_of(text: &str, report: &mut Diagnostics<'_>) -> Vec<Entry> {
    let whole = parse(text, DuplicateKeyPolicy::Error).or_else(|error| {
        add_error(&error, report);
        let twice = matches!(error, Error::DuplicateMappingKey { .. });
        if twice { parse(text, DuplicateKeyPolicy::FirstWins).map_err(drop) } else { Err(()) }
    });
    match whole {
        Ok(Node { kind: Kind::Map(entries), .. }) => entries,
        Ok(Node { kind: Kind::Null, .. }) | Err(()) => Vec::new(),
        Ok(other) => {
            let what = format!("the file is {}, not a map", other.what_there_is());
            report.refuse(other.at, what, "write each setting as `<key>: …` at the start of a line");
            Vec::new()
        }
    }
}

/// Parses each item of a broken list alone, to report all mistakes and to check the valid items.
fn item_by_item(text: &str, report: &mut Diagnostics<'_>) -> Vec<Node> {
    let before = report.problems.len();
    let mut nodes = Vec::new();
    for item in split(text) {
        let node = parse(&item, DuplicateKeyPolicy::Error).or_else(|error| {
            // An alias may refer to another item, which is missing here.
            if !matches!(error, Error::UnknownAnchor { .. }) {
                add_error(&error, report);
            }
            if matches!(error, Error::DuplicateMappingKey { .. }) {
                parse(&item, DuplicateKeyPolicy::FirstWins)
            } else {
                Err(error)
            }
        });
        if let Ok(Node { kind: Kind::List(list), .. }) = node {
            nodes.extend(list);
        }
    }
    // An error that no single item causes is reported for the list.
    if report.problems.len() == before
        && let Err(error) = parse(text, DuplicateKeyPolicy::Error)
    {
        add_error(&error, report);
    }
    nodes
}

/// Splits the text at lines that begin with a dash, with one text for the lines before the first dash. Each text is
/// padded with empty lines to keep its line numbers.
fn split(text: &str) -> Vec<String> {
    let mut items = vec![String::new()];
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if line.starts_with("- ") || line.trim_end() == "-" {
            items.push("\n".repeat(number));
        }
        if let Some(item) = items.last_mut() {
            item.push_str(line);
        }
    }
    items
}

fn parse(text: &str, duplicate_keys: DuplicateKeyPolicy) -> Result<Node, Error> {
    let options: Options = serde_saphyr::options! {
        duplicate_keys: duplicate_keys,
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
        },
    };
    let mut node: Node = serde_saphyr::from_str_with_options(text, options)?;
    let lines: Vec<&str> = text.lines().collect();
    note_numbers(&mut node, &lines);
    Ok(node)
}

/// Records the original text of each number. An alias has the place of its use and is skipped.
fn note_numbers(node: &mut Node, lines: &[&str]) {
    match &mut node.kind {
        Kind::Number(_) => {
            let line = lines.get(node.at.line.saturating_sub(1)).copied().unwrap_or_default();
            let rest = line.chars().skip(node.at.column.saturating_sub(1));
            let word: String = rest.take_while(|c| !c.is_whitespace() && !",]}".contains(*c)).collect();
            let is_number = word.starts_with(|word: char| word.is_ascii_digit() || "+-.".contains(word));
            node.written = Some(word).filter(|_| is_number);
        }
        Kind::List(list) => list.iter_mut().for_each(|item| note_numbers(item, lines)),
        Kind::Map(entries) => entries.iter_mut().for_each(|entry| note_numbers(&mut entry.value, lines)),
        Kind::Null | Kind::Bool(_) | Kind::Text(_) => {}
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a foreign enum of sixty faults, nearly all of them of syntax"
)]
fn add_error(error: &Error, report: &mut Diagnostics<'_>) {
    let at = error.location().map_or(START, position);
    let (what, fix) = match error {
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            (format!("the key `{key}` stands here twice"), "keep one of the two")
        }
        Error::Budget { .. } => (
            format!("lists and maps nest deeper than {MAX_DEPTH} levels, or the file is too large"),
            "make it flatter, or split the file",
        ),
        Error::MultipleDocuments { .. } => {
            ("there is more than one YAML document".to_owned(), "take `---` out, or make it two files")
        }
        Error::MergeKeyNotAllowed { .. } => {
            ("the merge key `<<` is not understood".to_owned(), "write the keys out")
        }
        _ => {
            let fix = "look for a missing quote, bracket, colon or space just before it";
            (format!("no YAML that can be read: {}", words(error)), fix)
        }
    };
    report.refuse(at, what, fix);
}

/// The parser's message without the place, which is reported separately.
fn words(error: &Error) -> String {
    UserMessageFormatter.format_message(error).into_owned()
}

/// The start of a file.
const START: At = At { line: 1, column: 1 };

fn position(location: Location) -> At {
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    At { line: number(location.line()), column: number(location.column()) }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Node, D::Error> {
        let spanned = Spanned::<Kind>::deserialize(deserializer)?;
        Ok(Node { at: position(spanned.referenced), kind: spanned.value, written: None })
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Kind, D::Error> {
        deserializer.deserialize_any(AnyKind)
    }
}

struct AnyKind;

impl<'de> Visitor<'de> for AnyKind {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Kind, E> {
        Ok(Kind::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Kind, E> {
        Ok(Kind::Number(value.into()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Kind, E> {
        Ok(Kind::Number(value.into()))
    }

    fn visit_i128<E: de::Error>(self, value: i128) -> Result<Kind, E> {
        Number::from_i128(value).map(Kind::Number).ok_or_else(|| E::custom("a number of too many digits"))
    }

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<Kind, E> {
        Number::from_u128(value).map(Kind::Number).ok_or_else(|| E::custom("a number of too many digits"))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Kind, E> {
        Number::from_f64(value).map(Kind::Number).ok_or_else(|| E::custom("a number without an end"))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Kind, E> {
        Ok(Kind::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Kind, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = access.next_element()? {
            list.push(node);
        }
        Ok(Kind::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Kind, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = access.next_entry::<Spanned<String>, Node>()? {
            entries.push(Entry { at: position(key.referenced), key: key.value, value });
        }
        Ok(Kind::Map(entries))
    }
}

#[cfg(test)]
mod tests;
