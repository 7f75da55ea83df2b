//! Text filters: truncation, tag removal, and line breaks in HTML.

#![expect(clippy::needless_pass_by_value, reason = "the engine hands its arguments over")]

use minijinja::value::{Kwargs, StringInput};
use minijinja::{AutoEscape, Error, State, Value};
use unicode_segmentation::UnicodeSegmentation as _;

use crate::failure::reasoned;

/// The default end of a truncated text.
const END: &str = "…";

/// The default length in characters, as in Jinja.
const USUAL_LENGTH: usize = 255;

/// `text | truncate(40)`: at most 40 characters including the end "…", cut between words if there is a space.
/// `truncate(40, true)` cuts within a word, `truncate(40, end="...")` uses another end. Characters are graphemes:
/// an emoji, or a letter with its accents.
pub(crate) fn truncate(
    text: StringInput<'_>,
    length: Option<usize>,
    within_words: Option<bool>,
    end: Option<&str>,
    more: Kwargs,
) -> Result<String, Error> {
    let length = length.or(more.get("length")?).unwrap_or(USUAL_LENGTH);
    let within_words = within_words.or(more.get("killwords")?).unwrap_or_default();
    let end = end.or(more.get("end")?).unwrap_or(END);
    if more.assert_all_used().is_err() {
        return Err(reasoned("`truncate` takes only length, killwords and end"));
    }
    let text: &str = text.as_str();
    // A text has at least as many bytes as characters.
    if text.len() <= length || text.graphemes(true).nth(length).is_none() {
        return Ok(text.to_owned());
    }
    let end: String = end.graphemes(true).take(length).collect();
    let kept: String = text.graphemes(true).take(length - end.graphemes(true).count()).collect();
    let between_words = text[kept.len()..].starts_with(char::is_whitespace);
    let cut = match kept.rfind(char::is_whitespace) {
        Some(space) if !within_words && !between_words => &kept[..space],
        _ => kept.as_str(),
    };
    Ok(cut.trim_end().to_owned() + &end)
}

/// `html | striptags`: the text of an HTML fragment, on one line. Scripts and styles are left out, entities are
/// resolved. Like other text, the result is escaped when it enters HTML.
pub(crate) fn striptags(html: StringInput<'_>) -> String {
    let mut text = String::new();
    let mut rest: &str = html.as_str();
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        rest = match after_tag(after) {
            Some(behind) => {
                // `one<br>two` are two words.
                text.push_str(if starts_block(after) { " " } else { "" });
                behind
            }
            None => {
                text.push('<');
                after
            }
        };
    }
    text.push_str(rest);
    unescaped(&text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The HTML after a tag or comment whose `<` was read. `None` if no tag begins.
fn after_tag(html: &str) -> Option<&str> {
    if let Some(comment) = html.strip_prefix("!--") {
        return Some(comment.split_once("-->").map_or("", |(_, behind)| behind));
    }
    if !html.starts_with(|first: char| first.is_ascii_alphabetic() || "/!?".contains(first)) {
        return None;
    }
    let (tag, behind) = html.split_once('>')?;
    for element in ["script", "style"] {
        let is_element = tag.get(..element.len()).is_some_and(|name| name.eq_ignore_ascii_case(element));
        if is_element {
            let end = behind.to_ascii_lowercase().find(&format!("</{element}")).unwrap_or(behind.len());
            return Some(&behind[end..]);
        }
    }
    Some(behind)
}

/// Whether a tag ends a line or a paragraph.
fn starts_block(tag: &str) -> bool {
    const BLOCKS: [&str; 10] = ["br", "p", "div", "li", "tr", "td", "h1", "h2", "h3", "ul"];
    let name = tag.trim_start_matches('/').split(|c: char| !c.is_ascii_alphanumeric()).next();
    name.is_some_and(|name| BLOCKS.iter().any(|block| name.eq_ignore_ascii_case(block)))
}

/// Replaces entities by their characters: the five of XML, `&nbsp;`, and numeric ones.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let entity = after.split_once(';').and_then(|(name, behind)| Some((character(name)?, behind)));
        match entity {
            Some((character, behind)) => {
                plain.push(character);
                rest = behind;
            }
            None => {
                plain.push('&');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

fn character(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)
        }
    }
}

/// `text | nl2br`: each line of a text as a line of HTML. The text is escaped first unless it is already HTML. A
/// part that is not HTML leaves the text unchanged.
pub(crate) fn nl2br(state: &State<'_, '_>, text: StringInput<'_>) -> Value {
    let lines: &str = text.as_str();
    if matches!(state.auto_escape(), AutoEscape::None) {
        return Value::from(lines);
    }
    let html = if text.is_safe() { lines.to_owned() } else { escaped(lines) };
    Value::from_safe_string(html.replace("\r\n", "\n").replace('\n', "<br>\n"))
}

/// Text escaped for HTML. Unlike the engine, it leaves `/` unescaped, because escaped links are hard to find for
/// mail scanners.
pub(crate) fn escaped(text: &str) -> String {
    minijinja::HtmlEscape(text).to_string().replace("&#x2f;", "/")
}
