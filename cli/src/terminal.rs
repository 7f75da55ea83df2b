//! The output: text with colours on a terminal, or JSON.
//!
//! Names and texts come from producers and are untrusted. Only [`Terminal::ink`] and the progress line print control
//! sequences. All other control characters are replaced by visible ones.

mod progress;
mod safe;
mod table;

use std::cell::{Cell as Flag, RefCell};
use std::io::{ErrorKind, IsTerminal as _, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::error::Error;
use progress::{Place, Progress};
use safe::{escaped, sanitize, sanitize_plain};

pub use safe::plain;
pub use table::{Cell, Column, Table, number, text, word};

/// The output streams of a command.
pub struct Terminal {
    pub json: bool,
    colour: bool,
    /// The width of the terminal; `None` for a pipe or file.
    width: Option<u16>,
    progress: Progress,
    /// The first error of a write.
    lost: RefCell<Option<std::io::Error>>,
    /// Whether the reader of the output has gone.
    is_closed: Flag<bool>,
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

/// The width of a terminal that does not tell it.
const WIDTH: u16 = 80;

impl Ink {
    const ALL: [Ink; 5] = [Ink::Good, Ink::Bad, Ink::Quiet, Ink::Strong, Ink::Note];

    const fn style(self) -> Style {
        match self {
            Ink::Good => AnsiColor::Green.on_default(),
            Ink::Bad => AnsiColor::Red.on_default(),
            Ink::Quiet => Style::new().dimmed(),
            Ink::Strong => Style::new().bold(),
            Ink::Note => AnsiColor::Cyan.on_default(),
        }
    }
}

impl Terminal {
    /// Colours, tables and progress lines depend on the terminal and on `json`. `NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE` and
    /// `TERM` decide about colours, too.
    pub fn detect(json: bool) -> Terminal {
        let out = std::io::stdout();
        let colour = AutoStream::choice(&out) != ColorChoice::Never && !json;
        let measured = terminal_size::terminal_size_of(&out).map(|(width, _)| width.0);
        let width = out.is_terminal().then(|| measured.filter(|width| *width > 0).unwrap_or(WIDTH));
        let place = match (json, std::io::stderr().is_terminal()) {
            (true, _) => Place::Hidden,
            (false, true) => Place::Live,
            (false, false) => Place::Log,
        };
        Terminal::new(json, colour, width, place)
    }

    fn new(json: bool, colour: bool, width: Option<u16>, place: Place) -> Terminal {
        let progress = Progress::new(place);
        Terminal { json, colour, width, progress, lost: RefCell::default(), is_closed: Flag::default() }
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

    /// Prints a list. An empty one has no line.
    pub fn table(&self, table: &Table) {
        let lines = table.lines(self.width, |ink, text| self.ink(ink, text));
        if !lines.is_empty() {
            self.say(&lines.join("\n"));
        }
    }

    /// A closed pipe, such as `head`, is no error. A full disk is one, because an incomplete answer looks complete.
    fn answer(&self, out: &mut impl Write, line: &str) {
        let written = self.progress.suspend(|| writeln!(out, "{line}").and_then(|()| out.flush()));
        match written {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::BrokenPipe => self.is_closed.set(true),
            Err(error) => {
                self.lost.borrow_mut().get_or_insert(error);
            }
        }
    }

    /// Whether the reader of the output has gone, so that a command without an end can stop.
    pub fn is_closed(&self) -> bool {
        self.is_closed.get()
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
            self.print(line);
        }
    }

    /// Replaces the progress line. Without a terminal a line is printed every ten seconds.
    pub fn progress(&self, line: &str) {
        if let Some(line) = self.progress.show(line, runtime::now()) {
            self.print(&line);
        }
    }

    /// Replaces the progress line by a count and its end, such as 40 of 100 `events`.
    pub fn count(&self, done: usize, total: usize, things: &str) {
        if let Some(line) = self.progress.count(done, total, things, runtime::now()) {
            self.print(&line);
        }
    }

    /// Removes the progress line.
    pub fn clear(&self) {
        self.progress.clear();
    }

    /// Prints an error to the error stream.
    pub fn error(&self, error: &Error) {
        self.clear();
        if self.json {
            let text = serde_json::json!({ "error": error.to_string() }).to_string();
            let _ = writeln!(std::io::stderr(), "{}", escaped(&text));
        } else {
            self.print(&format!("carillon: {error}"));
        }
    }

    fn print(&self, line: &str) {
        let line = if self.colour { sanitize(line) } else { sanitize_plain(line) };
        let _ = writeln!(std::io::stderr(), "{line}");
    }

    /// A text in a colour, without control characters.
    pub fn ink(&self, ink: Ink, text: &str) -> String {
        let text = plain(text);
        if self.colour { format!("{}{text}{RESET}", ink.style().render()) } else { text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_keeps_colours_and_line_breaks_only() {
        let terminal = Terminal::new(false, true, None, Place::Hidden);
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
            let terminal = Terminal::new(true, false, None, Place::Hidden);
            terminal.answer(&mut Full(kind), "{}");
            assert_eq!(terminal.is_closed(), is_complete, "{kind:?}");
            assert_eq!(terminal.is_complete().is_ok(), is_complete, "{kind:?}");
        }
    }
}
