//! Normalisation of text for headers and message bodies.

/// The longest subject or title, in characters. RFC 5322 folds longer lines, and mail programs do not show them.
const MAX_LINE_CHARS: usize = 200;

/// One line without control characters, so that no value of an event can add a header or a line.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|part| !part.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    match line.char_indices().nth(MAX_LINE_CHARS) {
        Some(_) => line.chars().take(MAX_LINE_CHARS - 1).chain(['…']).collect(),
        None => line,
    }
}

/// The text without the line breaks at the start and end of a template file.
pub(crate) fn trimmed(text: &str) -> String {
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_value_adds_no_header_line() {
        assert_eq!(one_line("  Hello\r\nBcc: all@example.com\u{0} \n"), "Hello Bcc: all@example.com");
        assert_eq!(one_line(&"long ".repeat(100)).chars().count(), MAX_LINE_CHARS);
    }
}
