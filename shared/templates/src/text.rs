//! What text must look like before it goes into a header or a letter.

/// Longest subject or title, in characters. RFC 5322 would fold longer lines; no mail program shows them.
const MAX_LINE_CHARS: usize = 200;

/// One line without control characters, so that no value from an event can add a header or a line of its own.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in
        text.split(|text: char| text.is_whitespace() || text.is_control()).filter(|part| !part.is_empty())
    {
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

/// Without the line breaks that a template file begins and ends with.
pub(crate) fn trimmed(text: &str) -> String {
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_from_an_event_cannot_add_a_line_to_a_header() {
        assert_eq!(one_line("  Hello\r\nBcc: all@example.com\u{0} \n"), "Hello Bcc: all@example.com");
        assert_eq!(one_line(&"long ".repeat(100)).chars().count(), MAX_LINE_CHARS);
    }
}
