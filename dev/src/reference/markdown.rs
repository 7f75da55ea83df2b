//! Pieces of Markdown.

use serde_json::Value;

/// The longest line of a paragraph, in characters.
const LINE_CHARS: usize = 120;

/// The longest line of JSON that is not broken, in characters.
const JSON_CHARS: usize = 100;

/// The text of a value, or an empty text.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The members of an object, sorted by name. The order of `serde_json::Map` depends on the features of a build.
pub(super) fn sorted(object: &Value) -> Vec<(&str, &Value)> {
    let mut members: Vec<(&str, &Value)> =
        object.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value)).collect();
    members.sort_by_key(|(name, _)| *name);
    members
}

/// JSON with sorted members. Short values stand in one line.
pub(super) fn json_block(value: &Value) -> String {
    json_at(value, 0)
}

fn json_at(value: &Value, depth: usize) -> String {
    let (open, close, items): (char, char, Vec<String>) = match value {
        Value::Object(_) => {
            let members = sorted(value).into_iter();
            let items = members.map(|(name, member)| format!("\"{name}\": {}", json_at(member, depth + 1)));
            ('{', '}', items.collect())
        }
        Value::Array(items) => ('[', ']', items.iter().map(|item| json_at(item, depth + 1)).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return value.to_string(),
    };
    let space = if open == '{' && !items.is_empty() { " " } else { "" };
    let line = format!("{open}{space}{}{space}{close}", items.join(", "));
    if !line.contains('\n') && line.chars().count() + 2 * depth <= JSON_CHARS {
        return line;
    }
    let indent = "  ".repeat(depth);
    format!("{open}\n{indent}  {}\n{indent}{close}", items.join(&format!(",\n{indent}  ")))
}

/// A text that fits into one cell of a table.
pub(super) fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

/// The anchor that GitHub gives a heading.
pub(super) fn heading_anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    kept.chars()
        .filter(|letter| letter.is_alphanumeric() || ['-', '_', ' '].contains(letter))
        .map(|letter| if letter == ' ' { '-' } else { letter })
        .collect()
}

/// Paragraphs with lines of at most 120 characters.
pub(super) fn wrap(text: &str) -> String {
    let paragraphs = text.trim().split("\n\n").map(|paragraph| {
        let mut lines = vec![String::new()];
        for word in paragraph.split_whitespace() {
            let line = lines.last_mut().expect("the list begins with a line");
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > LINE_CHARS {
                lines.push(word.to_owned());
            } else {
                line.push_str(if line.is_empty() { "" } else { " " });
                line.push_str(word);
            }
        }
        lines.join("\n")
    });
    paragraphs.collect::<Vec<_>>().join("\n\n")
}
