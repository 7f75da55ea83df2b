//! What is printed, and how: colours only where a person looks, JSON where a machine reads.

use std::io::{IsTerminal as _, Write as _};

use serde::Serialize;

use crate::error::Error;

/// Where the command's words go.
pub(crate) struct Terminal {
    pub(crate) json: bool,
    colour: bool,
    live: bool,
}

/// How a word is set off.
#[derive(Clone, Copy)]
pub(crate) enum Ink {
    Good,
    Bad,
    Quiet,
    Strong,
    Note,
}

impl Terminal {
    pub(crate) fn detect(json: bool) -> Terminal {
        let plain = runtime::Env::process().optional("NO_COLOR").is_some();
        let (out, err) = (std::io::stdout().is_terminal(), std::io::stderr().is_terminal());
        Terminal { json, colour: out && !plain && !json, live: err && !json }
    }

    /// One line of the answer.
    pub(crate) fn say(&self, line: &str) {
        // A reader that has gone away, such as `head`, is no error.
        let _ = writeln!(std::io::stdout(), "{line}");
    }

    /// One JSON value of the answer, on a line of its own.
    pub(crate) fn say_json(&self, value: &impl Serialize) {
        self.say(&serde_json::to_string(value).unwrap_or_default());
    }

    /// A line about what is going on, beside the answer.
    pub(crate) fn note(&self, line: &str) {
        if !self.json {
            self.clear();
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    }

    /// What is going on right now, over what was going on before. Shown to people only.
    pub(crate) fn progress(&self, line: &str) {
        if self.live {
            let _ = write!(std::io::stderr(), "\r\x1b[2K{line}");
            let _ = std::io::stderr().flush();
        }
    }

    /// Takes the progress line away.
    pub(crate) fn clear(&self) {
        self.progress("");
    }

    pub(crate) fn error(&self, error: &Error) {
        self.clear();
        if self.json {
            let _ = writeln!(std::io::stderr(), "{}", serde_json::json!({ "error": error.to_string() }));
        } else {
            let _ = writeln!(std::io::stderr(), "carillon: {error}");
        }
    }

    pub(crate) fn ink(&self, ink: Ink, text: &str) -> String {
        let code = match ink {
            Ink::Good => "32",
            Ink::Bad => "31",
            Ink::Quiet => "2",
            Ink::Strong => "1",
            Ink::Note => "36",
        };
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
