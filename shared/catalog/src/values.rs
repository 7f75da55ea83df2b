//! Reads single values of any file: type, bounds, and the suggested fix.

use domain::base::path::{MAX_ALTERNATIVES, Path, SEPARATOR};
use jiff::{SignedDuration, SpanRelativeTo};
use serde_json::Value;

use crate::problem::{At, Diagnostics};
use crate::suggestions::suggestion;
use crate::yaml::{Entry, Kind, Node};

/// The members of one map, read one by one.
pub(crate) struct Fields<'n, 'p, 'q> {
    pub(crate) members: &'n [Entry],
    pub(crate) report: &'q mut Diagnostics<'p>,
}

impl<'n, 'p> Fields<'n, 'p, '_> {
    pub(crate) fn read<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&'n Node, &mut Diagnostics<'p>) -> Option<T>,
    ) -> Option<T> {
        find(self.members, key).and_then(|node| read(node, self.report))
    }
}

pub(crate) fn find<'n>(members: &'n [Entry], key: &str) -> Option<&'n Node> {
    members.iter().find(|member| member.key == key).map(|member| &member.value)
}

/// The place of a key, rather than of its value.
pub(crate) fn key_at(members: &[Entry], key: &str) -> Option<At> {
    members.iter().find(|member| member.key == key).map(|member| member.at)
}

/// Reports unknown and missing keys.
pub(crate) fn check_keys(
    members: &[Entry],
    at: At,
    known: &[&str],
    required: &[&str],
    report: &mut Diagnostics<'_>,
) {
    for entry in members.iter().filter(|member| !known.contains(&member.key.as_str())) {
        report.refuse(entry.at, format!("unknown key `{}`", entry.key), suggestion(&entry.key, known));
    }
    for key in required.iter().filter(|key| find(members, key).is_none()) {
        report.refuse(at, format!("the key `{key}` is missing"), format!("add a line `{key}: …`"));
    }
}

/// Reads non-empty text.
pub(crate) fn text(node: &Node, report: &mut Diagnostics<'_>) -> Option<String> {
    let fix = match &node.kind {
        Kind::Text(text) if !text.trim().is_empty() => return Some(text.clone()),
        Kind::Text(_) | Kind::Null => "write something, or take the key out",
        Kind::Bool(_) | Kind::Number(_) => "put it in quotes",
        Kind::List(_) | Kind::Map(_) => "write one value here",
    };
    report.refuse(node.at, format!("found {}, wanted text", node.what_there_is()), fix);
    None
}

pub(crate) fn list<'n>(node: &'n Node, report: &mut Diagnostics<'_>) -> Option<&'n [Node]> {
    if let Kind::List(list) = &node.kind {
        return Some(list);
    }
    report.refuse(
        node.at,
        format!("found {}, wanted a list", node.what_there_is()),
        "write it as `[one, another]`",
    );
    None
}

/// Reads a map. `form` shows an example.
pub(crate) fn map<'n>(node: &'n Node, form: &str, report: &mut Diagnostics<'_>) -> Option<&'n [Entry]> {
    if let Kind::Map(map) = &node.kind {
        return Some(map);
    }
    report.refuse(
        node.at,
        format!("found {}, wanted a map", node.what_there_is()),
        format!("write it as `{form}`"),
    );
    None
}

pub(crate) fn flag(node: &Node, report: &mut Diagnostics<'_>) -> Option<bool> {
    if let Kind::Bool(flag) = node.kind {
        return Some(flag);
    }
    report.refuse(
        node.at,
        format!("found {}, wanted a boolean", node.what_there_is()),
        "write `true` or `false`",
    );
    None
}

/// Reads a whole number from `least` to `most`.
pub(crate) fn number(node: &Node, least: u32, most: u32, report: &mut Diagnostics<'_>) -> Option<u32> {
    let found = match &node.kind {
        Kind::Number(written) => {
            let number = written.as_u64().and_then(|number| u32::try_from(number).ok());
            if let Some(number) = number.filter(|number| (least..=most).contains(number)) {
                return Some(number);
            }
            format!("`{written}`")
        }
        Kind::Null | Kind::Bool(_) | Kind::Text(_) | Kind::List(_) | Kind::Map(_) => {
            node.what_there_is().to_owned()
        }
    };
    let fix = match most {
        u32::MAX => format!("write {least} or more"),
        most => format!("write {least} to {most}"),
    };
    report.refuse(node.at, format!("found {found}, wanted a whole number"), fix);
    None
}

/// Reads one of several words. `what` names their kind, such as `priority`.
pub(crate) fn word<T: Copy>(
    node: &Node,
    what: &str,
    known: &[(&str, T)],
    report: &mut Diagnostics<'_>,
) -> Option<T> {
    let word = text(node, report)?;
    let found = known.iter().find(|(name, _)| *name == word).map(|(_, value)| *value);
    if found.is_none() {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        report.refuse(node.at, format!("unknown {what} `{word}`"), suggestion(&word, &names));
    }
    found
}

/// Whether a value is written as a path: begins with `$`, is a list of alternatives, or has alternatives separated
/// by `|` of which one looks like a path.
pub(crate) fn is_path(node: &Node) -> bool {
    match &node.kind {
        Kind::List(_) => true,
        Kind::Text(text) => text.starts_with('$') || has_alternatives(text),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Map(_) => false,
    }
}

/// Whether a value has alternatives of a path.
pub(crate) fn is_list_of_paths(node: &Node) -> bool {
    match &node.kind {
        Kind::List(_) => true,
        Kind::Text(text) => has_alternatives(text),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Map(_) => false,
    }
}

fn has_alternatives(text: &str) -> bool {
    let is_template = MARKS.iter().any(|(open, _)| text.contains(open));
    let looks_like_path = |part: &str| part.trim().starts_with('$') || meant_path(part).is_some();
    !is_template && text.contains(SEPARATOR) && text.split(SEPARATOR).any(looks_like_path)
}

/// Reads a path into the envelope: a text, or a list of alternatives of which the first with a value counts. A text
/// may also contain alternatives: `$.data.patientId | $.data.userId`.
pub(crate) fn path_in(node: &Node, report: &mut Diagnostics<'_>) -> Option<Path> {
    let before = report.problems.len();
    let mut written: Vec<(String, At)> = Vec::new();
    match &node.kind {
        Kind::List(nodes) => {
            if nodes.is_empty() {
                report.refuse(node.at, "there is no path in this list", "write `[$.data.userId]`");
            }
            for node in nodes {
                let text = text(node, report);
                written.extend(text.iter().flat_map(|text| parts(text)).map(|part| (part, node.at)));
            }
        }
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Map(_) => {
            written.extend(parts(&text(node, report)?).into_iter().map(|part| (part, node.at)));
        }
    }
    if let [(text, at)] = &written[..] {
        return path(text, *at, report).filter(|_| report.problems.len() == before);
    }
    if written.len() > MAX_ALTERNATIVES {
        let what =
            format!("there are {} alternatives, and a path has {MAX_ALTERNATIVES} at most", written.len());
        report.refuse(node.at, what, "take some out");
    }
    let mut found: Vec<Path> = Vec::new();
    for (text, at) in written {
        if text.is_empty() {
            let fix = "write paths with one `|` between them, such as `$.data.patientId | $.data.userId`";
            report.refuse(at, "an alternative is empty", fix);
            continue;
        }
        if !text.starts_with('$') && meant_path(&text).is_none() {
            let what = format!("`{text}` is no path, and stands among alternatives, which are paths alone");
            report.refuse(at, what, "write a path such as `$.data.userId`, or this value alone");
            continue;
        }
        let Some(alternative) = path(&text, at, report) else { continue };
        if found.contains(&alternative) {
            report.refuse(at, format!("the alternative `{text}` stands here twice"), "take one out");
        }
        found.push(alternative);
    }
    if report.problems.len() > before {
        return None;
    }
    found.into_iter().reduce(Path::or)
}

/// The alternatives in a text, or the text itself.
fn parts(text: &str) -> Vec<String> {
    match text.contains(SEPARATOR) {
        true => text.split(SEPARATOR).map(|part| part.trim().to_owned()).collect(),
        false => vec![text.to_owned()],
    }
}

/// Reads a path into the envelope without alternatives.
fn path(text: &str, at: At, report: &mut Diagnostics<'_>) -> Option<Path> {
    if let Some(rest) = text.strip_prefix("$.detail.") {
        let what =
            format!("`{text}` finds nothing: paths begin inside the envelope, which is `detail` itself");
        let fix = meant_path(text).unwrap_or_else(|| format!("$.{rest}"));
        report.refuse(at, what, format!("write `{fix}`"));
        return None;
    }
    match Path::parse(text) {
        Ok(_) if !is_in_envelope(text) => {
            let what =
                format!("`{text}` finds nothing: the envelope has attributes in small letters, and `data`");
            let fix = meant_path(text).unwrap_or_else(|| "$.data.<name>".to_owned());
            report.refuse(at, what, format!("did you mean `{fix}`?"));
            None
        }
        Ok(value) => Some(value),
        Err(_) => {
            let fix = meant_path(text).map_or_else(
                || "write `$.` and names with dots between them, such as `$.data.userId`".to_owned(),
                |path| format!("did you mean `{path}`?"),
            );
            report.refuse(at, format!("`{text}` is not a path"), fix);
            None
        }
    }
}

/// Whether a path can exist in an envelope. Attribute names have lower-case letters and digits, and no members.
fn is_in_envelope(path: &str) -> bool {
    let steps = path.strip_prefix("$.").unwrap_or(path);
    let (first, rest) = steps.split_once('.').map_or((steps, None), |(first, rest)| (first, Some(rest)));
    let is_name = first.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    first == "data" || (is_name && rest.is_none())
}

/// The path for a text in another product's notation: `data.to`, `{{ data.to }}`, `${data.to}`, `detail.orderId`,
/// `$data.to`. `None` for a text that does not resemble a path.
pub(crate) fn meant_path(text: &str) -> Option<String> {
    let trimmed = text.trim();
    let inner = MARKS.iter().find_map(|(open, close)| trimmed.strip_prefix(open)?.strip_suffix(close));
    let mut is_path = inner.is_some() || trimmed.starts_with('$');
    let path = inner.unwrap_or(trimmed).trim();
    let path = path.strip_prefix("$.").or_else(|| path.strip_prefix('$')).unwrap_or(path);
    // Names for the payload in EventBridge and other products.
    let beginnings = ["event.detail.", "detail.", "trigger.payload.", "event.payload.", "payload."];
    let of_payload = beginnings.iter().find_map(|beginning| path.strip_prefix(beginning));
    is_path |= of_payload.is_some() || path.starts_with("data.");
    let path = of_payload.unwrap_or(path);
    let first = path.split('.').next().unwrap_or_default();
    let found = match first == "data" || ENVELOPE.contains(&path) {
        true => format!("$.{path}"),
        false => format!("$.data.{path}"),
    };
    (is_path && Path::parse(&found).is_ok()).then_some(found)
}

/// Placeholder syntax of other products.
pub(crate) const MARKS: [(&str, &str); 4] = [("{{", "}}"), ("${", "}"), ("{%", "%}"), ("<%=", "%>")];

/// The envelope attributes that paths are commonly written for.
const ENVELOPE: [&str; 13] = [
    "id",
    "source",
    "type",
    "time",
    "subject",
    "tenant",
    "actor",
    "authid",
    "correlationid",
    "causationid",
    "priority",
    "sequence",
    "expirytime",
];

/// A signed duration. A day is 24 hours.
pub(crate) fn duration(text: &str) -> Option<SignedDuration> {
    let span: jiff::Span = text.parse().ok()?;
    span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()
}

/// The days and weeks of a duration, in days. `1d 2h` has one day, and `24h` has none.
pub(crate) fn calendar_days(text: &str) -> i64 {
    let span: jiff::Span = text.parse().unwrap_or_default();
    i64::from(span.get_weeks()) * 7 + i64::from(span.get_days())
}

/// An error of a domain parser.
pub(crate) trait Refused {
    /// The place within the value, such as `quiet[1].start`, or words for the whole value.
    fn at(&self) -> &str;
    fn found(&self) -> &str;
    fn wanted(&self) -> &str;
}

macro_rules! refused {
    ($error:ty, $at:ident) => {
        impl Refused for $error {
            fn at(&self) -> &str {
                &self.$at
            }

            fn found(&self) -> &str {
                &self.found
            }

            fn wanted(&self) -> &str {
                &self.wanted
            }
        }
    };
}

refused!(domain::base::config_error::Invalid, at);
refused!(domain::recipient::preference::Invalid, place);

/// Reads a value with the domain's own parser and gives its error a place in the file. `what` names the value, such
/// as `quiet hours`.
pub(crate) fn typed<T>(node: &Node, what: &str, report: &mut Diagnostics<'_>) -> Option<T>
where
    T: TryFrom<Value>,
    T::Error: Refused,
{
    match T::try_from(node.to_json()) {
        Ok(value) => Some(value),
        Err(error) => {
            refuse(node, what, &error, report);
            None
        }
    }
}

fn refuse(node: &Node, what: &str, error: &impl Refused, report: &mut Diagnostics<'_>) {
    let place = match error.at() {
        "at the top" | "the set" => String::new(),
        part => format!("at `{part}`, "),
    };
    let what = format!("`{what}` cannot be read: {place}found {}", error.found());
    report.refuse(node.place(error.at()), what, format!("write {}", error.wanted()));
}
