//! Untrusted texts without control characters.

use super::Ink;

/// An untrusted text as one line. Control characters are replaced by visible ones.
pub fn plain(text: &str) -> String {
    text.chars().map(visible).collect()
}

/// A line with our colours and line breaks. Other control characters are replaced.
pub(super) fn sanitize(line: &str) -> String {
    let colours = Ink::ALL.map(|ink| ink.style().render().to_string());
    let ours: Vec<&str> = colours.iter().map(String::as_str).chain([super::RESET, "\n", "\t"]).collect();
    let mut sanitized = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        match ours.iter().find(|our| rest.starts_with(**our)) {
            Some(our) => {
                sanitized.push_str(our);
                rest = &rest[our.len()..];
            }
            None => {
                sanitized.push(visible(first));
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    sanitized
}

/// A line without colours, for output that is no terminal.
pub(super) fn sanitize_plain(line: &str) -> String {
    line.chars().map(|c| if c == '\n' || c == '\t' { c } else { visible(c) }).collect()
}

/// JSON with escaped control characters. serde_json has escaped those below a space.
pub(super) fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            c if visible(c) == c => text.push(c),
            c => text.push_str(&format!("\\u{:04x}", u32::from(c))),
        }
    }
    text
}

/// The visible replacement of a control character: `␛` for escape, `�` for others, for bidirectional controls and for the
/// noncharacters that separate the cells of a table.
fn visible(c: char) -> char {
    match c {
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or(char::REPLACEMENT_CHARACTER),
        '\u{7f}' => '␡',
        '\u{80}'..='\u{9f}'
        | '\u{61c}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{fdd0}'..='\u{fdef}' => char::REPLACEMENT_CHARACTER,
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_replaced() {
        for (text, expected) in [
            ("order.paid  é 你 👋🏽", "order.paid  é 你 👋🏽"),
            ("\u{1b}[2J\u{7}gone", "␛[2J␇gone"),
            ("\u{1b}[31mred", "␛[31mred"),
            ("one\r\ntwo\tthree", "one␍␊two␉three"),
            ("\u{9b}2J\u{7f}\u{202e}txt\u{61c}\u{fdd0}", "�2J␡�txt��"),
        ] {
            assert_eq!(plain(text), expected, "{text:?}");
        }
    }

    #[test]
    fn json_escapes_control_characters() {
        let value = serde_json::json!({ "a": "\u{1b}[2J\u{9b}\u{7f}\u{202e} é" });
        let text = escaped(&value.to_string());
        assert_eq!(text, r#"{"a":"\u001b[2J\u009b\u007f\u202e é"}"#);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
