//! Escaping of values by the format of the part that they stand in.

use domain::base::channel::{Channel, PartFormat};
use minijinja::{AutoEscape, Value};

const SLACK_TEXT: &str = "slack text";
const JSON: &str = "json string";
const SLACK_JSON: &str = "slack text in a json string";

/// The escaping of a file, by its name and by the parts of the channels.
pub(crate) fn of_file(name: &str) -> AutoEscape {
    if name.ends_with(".html") {
        return AutoEscape::Html;
    }
    let file = name.rsplit('/').next().unwrap_or(name);
    match Channel::format_of(file) {
        PartFormat::Text => AutoEscape::None,
        PartFormat::SlackText => AutoEscape::Custom(SLACK_TEXT.into()),
        PartFormat::Json => AutoEscape::Custom(JSON.into()),
        PartFormat::SlackJson => AutoEscape::Custom(SLACK_JSON.into()),
    }
}

/// The text of a value in a part of this escaping; `None` where the engine itself escapes.
///
/// Only `safe` and `tojson` leave a value as it is. A template writes `"Hello {{ data.name }}"` for a value within a
/// string of the document, and `{{ data.items | tojson }}` for a whole value.
pub(crate) fn escaped(escape: &AutoEscape, value: &Value) -> Option<String> {
    let AutoEscape::Custom(name) = escape else { return None };
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Some(match (name.as_ref(), value.is_safe()) {
        // `tojson` writes these characters as escapes, and a safe value has them where the template wrote them.
        (SLACK_JSON, true) => slack(&text, ["\\u0026", "\\u003c", "\\u003e"]),
        (_, true) => text,
        (SLACK_TEXT, false) => slack(&text, ["&", "<", ">"]),
        (SLACK_JSON, false) => json_content(&slack(&text, ["&", "<", ">"])),
        (_, false) => json_content(&text),
    })
}

/// Source: docs.slack.dev, "Formatting message text", "Escaping text".
fn slack(text: &str, [and, less, greater]: [&str; 3]) -> String {
    text.replace(and, "&amp;").replace(less, "&lt;").replace(greater, "&gt;")
}

/// The content of a JSON string, without its quotes.
fn json_content(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}
