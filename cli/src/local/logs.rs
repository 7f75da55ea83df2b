//! What the functions logged, out of the local cloud's own log.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::time::Duration;

use domain::Timestamp;

use crate::args::Logs;
use crate::error::{Done, Error};
use crate::since;
use crate::terminal::Terminal;

use super::functions;
use super::server::log_file;

/// How often `--follow` looks.
const PAUSE: Duration = Duration::from_millis(500);

/// Prints the lines of one function, or of all with the function in front.
pub(super) fn print(args: &Logs, terminal: &Terminal) -> Done {
    let since = args.since.as_deref().map(since::ago).transpose()?;
    let known = functions::names()?;
    if let Some(wanted) = args.function.as_ref().filter(|function| !known.contains(function)) {
        return Err(Error::usage(
            format!("there is no function {wanted}"),
            format!("name one of {}", known.join(", ")),
        ));
    }
    let path = log_file();
    let mut file = std::fs::File::open(&path)
        .map_err(|_| Error::usage("there is no log", "start the local cloud with `make up`"))?;
    let mut reader = Reader::default();
    loop {
        let mut new = Vec::new();
        file.read_to_end(&mut new).map_err(|error| Error::read(&path, error))?;
        for (function, line) in reader.read(&new, !args.follow) {
            let is_wanted = args.function.as_ref().is_none_or(|wanted| *wanted == function);
            if !is_wanted || !is_late_enough(&line, since) || !is_serious_enough(&line, args.level.as_deref())
            {
                continue;
            }
            match args.function {
                Some(_) => terminal.say(&line),
                None => terminal.say(&format!("{function:<9} {line}")),
            }
        }
        if !args.follow {
            return Ok(true);
        }
        std::thread::sleep(PAUSE);
        // The local cloud was started anew, with a new log.
        let length = std::fs::metadata(&path).map_or(0, |it| it.len());
        if file.stream_position().is_ok_and(|place| place > length) {
            file = std::fs::File::open(&path).map_err(|error| Error::read(&path, error))?;
            let _ = file.seek(SeekFrom::Start(0));
            reader = Reader::default();
        }
    }
}

/// Lines as they come, each with its function.
#[derive(Default)]
struct Reader {
    /// The local cloud heads a function's lines with `… Lambda carillon-local-<name> …`.
    current: String,
    /// A line that is not complete yet.
    rest: Vec<u8>,
}

impl Reader {
    /// `is_all`: nothing more will come, so that the last line is whole.
    fn read(&mut self, new: &[u8], is_all: bool) -> Vec<(String, String)> {
        self.rest.extend_from_slice(new);
        let end = match is_all {
            true => self.rest.len(),
            false => self.rest.iter().rposition(|it| *it == b'\n').map_or(0, |it| it + 1),
        };
        let whole: Vec<u8> = self.rest.drain(..end).collect();
        let text = String::from_utf8_lossy(&whole);
        let mut lines = Vec::new();
        for line in text.lines() {
            if let Some((_, rest)) = line.split_once("Lambda carillon-local-") {
                rest.split([' ', ':']).next().unwrap_or("-").clone_into(&mut self.current);
            }
            // What a function logs is JSON. Of the local cloud's own words only those about an end count.
            if line.starts_with('{') || line.contains("Runtime exited") || line.contains("Task timed out") {
                let function = if self.current.is_empty() { "-" } else { &self.current };
                lines.push((function.to_owned(), line.to_owned()));
            }
        }
        lines
    }
}

/// A line that says no time is shown.
fn is_late_enough(line: &str, since: Option<Timestamp>) -> bool {
    let Some(since) = since else { return true };
    let value: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
    let at = value["timestamp"].as_str().and_then(|it| it.parse::<Timestamp>().ok());
    at.is_none_or(|at| at >= since)
}

/// A line that says no level is about an end, and shown.
fn is_serious_enough(line: &str, level: Option<&str>) -> bool {
    const LEVELS: [&str; 3] = ["info", "warn", "error"];
    let rank = |level: &str| LEVELS.iter().position(|it| it.eq_ignore_ascii_case(level));
    let Some(least) = level.and_then(rank) else { return true };
    let value: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
    value["level"].as_str().and_then(rank).is_none_or(|found| found >= least)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "INFO ready\n\
        INFO ESM: Lambda carillon-local-email processed 1 SQS messages\n\
        INFO ESM: Lambda carillon-local-email output:\n\
        {\"message\":\"one\"}\n{\"message\":\"two\"}\n\
        WARNING ESM: Lambda carillon-local-audit failed processing\n\
        {\"message\":\"three\"}\n";

    #[test]
    fn a_line_belongs_to_the_function_named_above_it() {
        let found = Reader::default().read(LOG.as_bytes(), true);
        check(&found, &[("email", "one"), ("email", "two"), ("audit", "three")]);
    }

    #[test]
    fn log_that_is_followed_is_read_line_by_line_however_it_comes() {
        for size in [1, 7, 64] {
            let mut reader = Reader::default();
            let found: Vec<_> =
                LOG.as_bytes().chunks(size).flat_map(|part| reader.read(part, false)).collect();
            check(&found, &[("email", "one"), ("email", "two"), ("audit", "three")]);
        }
    }

    #[test]
    fn function_that_was_killed_leaves_a_line() {
        let log =
            "WARNING ESM: Lambda carillon-local-email failed: Runtime exited before returning a response\n";
        let found = Reader::default().read(log.as_bytes(), true);
        assert_eq!(found[0].0, "email");
        assert!(found[0].1.contains("Runtime exited"));
    }

    #[test]
    fn lines_are_chosen_by_their_time_and_level() {
        let line = |level: &str| format!(r#"{{"timestamp":"2026-11-30T04:00:00Z","level":"{level}"}}"#);
        let at = |text: &str| text.parse().ok();
        assert!(is_late_enough(&line("INFO"), at("2026-11-30T04:00:00Z")));
        assert!(!is_late_enough(&line("INFO"), at("2026-11-30T04:00:01Z")));
        assert!(is_late_enough("Runtime exited", at("2026-11-30T04:00:01Z")));
        assert!(!is_serious_enough(&line("INFO"), Some("warn")));
        assert!(
            is_serious_enough(&line("ERROR"), Some("warn")) && is_serious_enough(&line("WARN"), Some("warn"))
        );
        assert!(is_serious_enough("Runtime exited", Some("error")) && is_serious_enough(&line("INFO"), None));
    }

    #[track_caller]
    fn check(found: &[(String, String)], expected: &[(&str, &str)]) {
        let expected: Vec<(String, String)> = expected
            .iter()
            .map(|(function, message)| ((*function).to_owned(), format!("{{\"message\":\"{message}\"}}")))
            .collect();
        assert_eq!(found, expected);
    }
}
