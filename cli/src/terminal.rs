//! What is printed, and how: colours only where a person looks, JSON where a machine reads.
//!
//! Much of it was written by others: whoever can put an event on the bus chooses its names. So nothing steers the
//! terminal but [`Terminal::ink`] and the progress line: every other control character is shown, not obeyed.

use std::cell::RefCell;
use std::io::{ErrorKind, IsTerminal as _, Write};

use serde::Serialize;

use crate::error::Error;

/// Where the command's words go.
pub struct Terminal {
    pub json: bool,
    colour: bool,
    live: bool,
    /// Why a part of the answer could not be written.
    lost: RefCell<Option<std::io::Error>>,
}

/// How a word is set off.
#[derive(Clone, Copy)]
pub enum Ink {
    Good,
    Bad,
    Quiet,
    Strong,
    Note,
}

/// Ends whatever an ink began.
const PLAIN: &str = "\x1b[0m";

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
    pub fn detect(json: bool) -> Terminal {
        let plain = runtime::Env::process().optional("NO_COLOR").is_some();
        let (out, err) = (std::io::stdout().is_terminal(), std::io::stderr().is_terminal());
        Terminal { json, colour: out && !plain && !json, live: err && !json, lost: RefCell::default() }
    }

    /// One line of the answer.
    pub fn say(&self, line: &str) {
        let line = if self.colour { shown(line) } else { unlit(line) };
        self.answer(&mut std::io::stdout(), &line);
    }

    /// One JSON value of the answer, on a line of its own.
    pub fn say_json(&self, value: &impl Serialize) {
        let text = escaped(&serde_json::to_string(value).unwrap_or_default());
        self.answer(&mut std::io::stdout(), &text);
    }

    /// A reader that has gone away, such as `head`, is no error. A disk that is full is one: half an answer looks like
    /// a whole one.
    fn answer(&self, out: &mut impl Write, line: &str) {
        if let Err(error) = writeln!(out, "{line}").and_then(|()| out.flush())
            && error.kind() != ErrorKind::BrokenPipe
        {
            self.lost.borrow_mut().get_or_insert(error);
        }
    }

    /// # Errors
    /// Not all of the answer could be written.
    pub fn is_complete(&self) -> Result<(), Error> {
        let lost = self.lost.borrow_mut().take();
        lost.map_or(Ok(()), |error| {
            let what = format!("the answer is cut off, for it could not be written: {error}");
            Err(Error::usage(what, "make room, or write it elsewhere, and ask again"))
        })
    }

    /// A line about what is going on, beside the answer.
    pub fn note(&self, line: &str) {
        if !self.json {
            self.clear();
            let _ = writeln!(std::io::stderr(), "{}", shown(line));
        }
    }

    /// What is going on right now, over what was going on before. Shown to people only.
    pub fn progress(&self, line: &str) {
        if self.live {
            let _ = write!(std::io::stderr(), "\r\x1b[2K{}", plain(line));
            let _ = std::io::stderr().flush();
        }
    }

    /// Whether a person sees the progress line.
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// Takes the progress line away.
    pub fn clear(&self) {
        self.progress("");
    }

    pub fn error(&self, error: &Error) {
        self.clear();
        if self.json {
            let said = serde_json::json!({ "error": error.to_string() }).to_string();
            let _ = writeln!(std::io::stderr(), "{}", escaped(&said));
        } else {
            let _ = writeln!(std::io::stderr(), "{}", shown(&format!("carillon: {error}")));
        }
    }

    pub fn ink(&self, ink: Ink, text: &str) -> String {
        let (code, text) = (ink.code(), plain(text));
        if self.colour { format!("{code}{text}{PLAIN}") } else { text }
    }
}

/// A text of others as one line: what would steer a terminal is shown by its picture.
pub fn plain(text: &str) -> String {
    text.chars().map(picture).collect()
}

/// A line of ours, which may have inks and line breaks, and nothing else that steers a terminal.
fn shown(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let ours = Ink::ALL.map(Ink::code).into_iter().chain([PLAIN, "\n", "\t"]);
        match ours.into_iter().find(|our| rest.starts_with(our)) {
            Some(our) => {
                shown.push_str(our);
                rest = &rest[our.len()..];
            }
            None => {
                shown.push(picture(first));
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    shown
}

/// The same where there are no inks: whatever looks like one was written by others.
fn unlit(line: &str) -> String {
    line.chars().map(|c| if c == '\n' || c == '\t' { c } else { picture(c) }).collect()
}

/// JSON that says the same without any character that steers a terminal. Those below a space are escaped already.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            c if picture(c) == c => text.push(c),
            c => text.push_str(&format!("\\u{:04x}", u32::from(c))),
        }
    }
    text
}

/// A control character's picture: `␛` for escape. What has none, and what turns the direction of writing, is `�`.
fn picture(it: char) -> char {
    match it {
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(it)).unwrap_or(char::REPLACEMENT_CHARACTER),
        '\u{7f}' => '␡',
        '\u{80}'..='\u{9f}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            char::REPLACEMENT_CHARACTER
        }
        it => it,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_does_not_steer_the_terminal() {
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
    fn a_line_keeps_its_inks_and_its_breaks_and_nothing_else() {
        let terminal = Terminal { json: false, colour: true, live: false, lost: RefCell::default() };
        let line = format!("{}\n\t{}", terminal.ink(Ink::Good, "up"), terminal.ink(Ink::Quiet, "down"));
        assert_eq!(shown(&line), line);
        assert_eq!(terminal.ink(Ink::Bad, "\u{1b}[32mfine"), "\u{1b}[31m␛[32mfine\u{1b}[0m");
        assert_eq!(unlit("\u{1b}[31mred\n\tdone"), "␛[31mred\n\tdone", "an ink in a pipe is somebody else's");
        assert_eq!(shown("\u{1b}]0;title\u{7}\u{1b}[2K\u{1b}[1A"), "␛]0;title␇␛[2K␛[1A");
    }

    #[test]
    fn half_an_answer_is_an_error_unless_nobody_reads_on() {
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
    fn json_says_the_same_without_them() {
        let value = serde_json::json!({ "a": "\u{1b}[2J\u{9b}\u{7f}\u{202e} é" });
        let text = escaped(&value.to_string());
        assert_eq!(text, r#"{"a":"\u001b[2J\u009b\u007f\u202e é"}"#);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
