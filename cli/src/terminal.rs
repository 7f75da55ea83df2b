//! The output: text with colours on a terminal, or JSON.
//!
//! Names and texts come from producers and are untrusted. Only [`Terminal::ink`] and the progress line print control
//! sequences. All other control characters are replaced by visible ones.

use std::cell::RefCell;
use std::io::{ErrorKind, IsTerminal as _, Write};

use serde::Serialize;

use crate::error::Error;

/// The output streams of a command.
pub struct Terminal {
    pub json: bool,
    colour: bool,
    live: bool,
    /// The first error of a write.
    lost: RefCell<Option<std::io::Error>>,
}

/// The colour or weight of a text.
#[derive(Clone, Copy)]
pub enum Ink {
    Good,
    Bad,
    Quiet,
    Strong,
    Note,
}

/// The end of a colour.
const RESET: &str = "\x1b[0m";

impl Ink {
    const ALL: [Ink; 5] = [Ink::Good, Ink::Bad, Ink::Quiet, Ink::Strong, Ink::Note];

    fn code(self) -> &'static str {
        match self {
            Ink::Good => "\x1b[32m",
            Ink::Bad => "\x1b[31m",
            Ink::Quiet => "\x1b[2m",
            Ink::Strong => "\x1b[1m",
            Ink::Note => "\x1b[36m",
        }
    }
}

impl Terminal {
    /// Colours and progress lines depend on the terminal, `NO_COLOR` and `json`.
    pub fn detect(json: bool) -> Terminal {
        let plain = runtime::Env::process().optional("NO_COLOR").is_some();
        let (out, err) = (std::io::stdout().is_terminal(), std::io::stderr().is_terminal());
        Terminal { json, colour: out && !plain && !json, live: err && !json, lost: RefCell::default() }
    }

    /// Prints a line of the answer.
    pub fn say(&self, line: &str) {
        let line = if self.colour { sanitize(line) } else { sanitize_plain(line) };
        self.answer(&mut std::io::stdout(), &line);
    }

    /// Prints a JSON value of the answer on its own line.
    pub fn say_json(&self, value: &impl Serialize) {
        let text = escaped(&serde_json::to_string(value).unwrap_or_default());
        self.answer(&mut std::io::stdout(), &text);
    }

    /// A closed pipe, such as `head`, is no error. A full disk is one, because an incomplete answer looks complete.
    fn answer(&self, out: &mut impl Write, line: &str) {
        if let Err(error) = writeln!(out, "{line}").and_then(|()| out.flush())
            && error.kind() != ErrorKind::BrokenPipe
        {
            self.lost.borrow_mut().get_or_insert(error);
        }
    }

    /// Whether the whole answer was written.
    ///
    /// # Errors
    /// A part of the answer was not written.
    pub fn is_complete(&self) -> Result<(), Error> {
        let lost = self.lost.borrow_mut().take();
        lost.map_or(Ok(()), |error| {
            let what = format!("the answer is incomplete: a write failed: {error}");
            Err(Error::usage(what, "make room, or write to another place, and repeat the command"))
        })
    }

    /// Prints a note to the error stream.
    pub fn note(&self, line: &str) {
        if !self.json {
            self.clear();
            let _ = writeln!(std::io::stderr(), "{}", sanitize(line));
        }
    }

    /// Replaces the progress line. Without a terminal no progress is shown.
    pub fn progress(&self, line: &str) {
        if self.live {
            let _ = write!(std::io::stderr(), "\r\x1b[2K{}", plain(line));
            let _ = std::io::stderr().flush();
        }
    }

    /// Whether progress lines are shown.
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// Removes the progress line.
    pub fn clear(&self) {
        self.progress("");
    }

    /// Prints an error to the error stream.
    pub fn error(&self, error: &Error) {
        self.clear();
        if self.json {
            let text = serde_json::json!({ "error": error.to_string() }).to_string();
            let _ = writeln!(std::io::stderr(), "{}", escaped(&text));
        } else {
            let _ = writeln!(std::io::stderr(), "{}", sanitize(&format!("carillon: {error}")));
        }
    }

    /// A text in a colour, without control characters.
    pub fn ink(&self, ink: Ink, text: &str) -> String {
        let (code, text) = (ink.code(), plain(text));
        if self.colour { format!("{code}{text}{RESET}") } else { text }
    }
}

/// An untrusted text as one line. Control characters are replaced by visible ones.
pub fn plain(text: &str) -> String {
    text.chars().map(visible).collect()
}

/// A line with our colours and line breaks. Other control characters are replaced.
fn sanitize(line: &str) -> String {
    let mut sanitized = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let ours = Ink::ALL.map(Ink::code).into_iter().chain([RESET, "\n", "\t"]);
        match ours.into_iter().find(|our| rest.starts_with(our)) {
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
fn sanitize_plain(line: &str) -> String {
    line.chars().map(|c| if c == '\n' || c == '\t' { c } else { visible(c) }).collect()
}

/// JSON with escaped control characters. serde_json has escaped those below a space.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            c if visible(c) == c => text.push(c),
            c => text.push_str(&format!("\\u{:04x}", u32::from(c))),
        }
    }
    text
}

/// The visible replacement of a control character: `␛` for escape, `�` for others and for bidirectional controls.
fn visible(c: char) -> char {
    match c {
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or(char::REPLACEMENT_CHARACTER),
        '\u{7f}' => '␡',
        '\u{80}'..='\u{9f}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            char::REPLACEMENT_CHARACTER
        }
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
            ("\u{9b}2J\u{7f}\u{202e}txt", "�2J␡�txt"),
        ] {
            assert_eq!(plain(text), expected, "{text:?}");
        }
    }

    #[test]
    fn line_keeps_colours_and_line_breaks_only() {
        let terminal = Terminal { json: false, colour: true, live: false, lost: RefCell::default() };
        let line = format!("{}\n\t{}", terminal.ink(Ink::Good, "up"), terminal.ink(Ink::Quiet, "down"));
        assert_eq!(sanitize(&line), line);
        assert_eq!(terminal.ink(Ink::Bad, "\u{1b}[32mfine"), "\u{1b}[31m␛[32mfine\u{1b}[0m");
        assert_eq!(
            sanitize_plain("\u{1b}[31mred\n\tdone"),
            "␛[31mred\n\tdone",
            "colours of others are replaced"
        );
        assert_eq!(sanitize("\u{1b}]0;title\u{7}\u{1b}[2K\u{1b}[1A"), "␛]0;title␇␛[2K␛[1A");
    }

    #[test]
    fn failed_write_is_an_error_unless_the_pipe_is_closed() {
        struct Full(ErrorKind);
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(self.0.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        for (kind, is_complete) in [(ErrorKind::BrokenPipe, true), (ErrorKind::StorageFull, false)] {
            let terminal = Terminal { json: true, colour: false, live: false, lost: RefCell::default() };
            terminal.answer(&mut Full(kind), "{}");
            assert_eq!(terminal.is_complete().is_ok(), is_complete, "{kind:?}");
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
