//! The functions' log lines, read from MiniStack's log.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::time::Duration;

use domain::Timestamp;

use cli::error::{Done, Error};
use cli::since;
use cli::terminal::Terminal;

use crate::args::Logs;

use super::functions;
use super::server::log_file;

/// The interval between two reads with `--follow`.
const PAUSE: Duration = Duration::from_millis(500);

/// Prints the lines of one function, or of all functions with their names.
pub(crate) fn print(args: &Logs, terminal: &Terminal) -> Done {
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
            if !is_wanted || !is_since(&line, since) || !is_at_level(&line, args.level.as_deref()) {
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
        // A restart of the local cloud begins a new log.
        let length = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
        if file.stream_position().is_ok_and(|position| position > length) {
            file = std::fs::File::open(&path).map_err(|error| Error::read(&path, error))?;
            let _ = file.seek(SeekFrom::Start(0));
            reader = Reader::default();
        }
    }
}

/// Splits the log into lines and assigns each to its function.
#[derive(Default)]
struct Reader {
    /// The function of the next lines. MiniStack writes `… Lambda carillon-local-<name> …` before them.
    current: String,
    /// The beginning of an incomplete line.
    rest: Vec<u8>,
}

impl Reader {
    /// Reads the next bytes. With `is_all` the last line counts as complete.
    fn read(&mut self, new: &[u8], is_all: bool) -> Vec<(String, String)> {
        self.rest.extend_from_slice(new);
        let end = match is_all {
            true => self.rest.len(),
            false => self.rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |index| index + 1),
        };
        let whole: Vec<u8> = self.rest.drain(..end).collect();
        let text = String::from_utf8_lossy(&whole);
        let mut lines = Vec::new();
        for line in text.lines() {
            if let Some((_, rest)) = line.split_once("Lambda carillon-local-") {
                rest.split([' ', ':']).next().unwrap_or("-").clone_into(&mut self.current);
            }
            // Functions log JSON. Of MiniStack's own lines, only crashes and timeouts count.
            if line.starts_with('{') || line.contains("Runtime exited") || line.contains("Task timed out") {
                let function = if self.current.is_empty() { "-" } else { &self.current };
                lines.push((function.to_owned(), line.to_owned()));
            }
        }
        lines
    }
}

/// Whether a line was logged at this time or later. Lines without a time count.
fn is_since(line: &str, since: Option<Timestamp>) -> bool {
    let Some(since) = since else { return true };
    let value: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
    let logged_at = value["timestamp"].as_str().and_then(|text| text.parse::<Timestamp>().ok());
    logged_at.is_none_or(|logged_at| logged_at >= since)
}

/// Whether a line has this level or a higher one. Lines without a level report a crash and count.
fn is_at_level(line: &str, level: Option<&str>) -> bool {
    const LEVELS: [&str; 3] = ["info", "warn", "error"];
    let rank = |level: &str| LEVELS.iter().position(|name| name.eq_ignore_ascii_case(level));
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
    fn lines_belong_to_the_function_named_above_them() {
        let found = Reader::default().read(LOG.as_bytes(), true);
        check(&found, &[("email", "one"), ("email", "two"), ("audit", "three")]);
    }

    #[test]
    fn followed_log_is_read_line_by_line_in_parts_of_any_size() {
        for size in [1, 7, 64] {
            let mut reader = Reader::default();
            let found: Vec<_> =
                LOG.as_bytes().chunks(size).flat_map(|part| reader.read(part, false)).collect();
            check(&found, &[("email", "one"), ("email", "two"), ("audit", "three")]);
        }
    }

    #[test]
    fn killed_function_gives_a_line() {
        let log =
            "WARNING ESM: Lambda carillon-local-email failed: Runtime exited before returning a response\n";
        let found = Reader::default().read(log.as_bytes(), true);
        assert_eq!(found[0].0, "email");
        assert!(found[0].1.contains("Runtime exited"));
    }

    #[test]
    fn lines_are_filtered_by_time_and_level() {
        let line = |level: &str| format!(r#"{{"timestamp":"2026-11-30T04:00:00Z","level":"{level}"}}"#);
        let time = |text: &str| text.parse().ok();
        assert!(is_since(&line("INFO"), time("2026-11-30T04:00:00Z")));
        assert!(!is_since(&line("INFO"), time("2026-11-30T04:00:01Z")));
        assert!(is_since("Runtime exited", time("2026-11-30T04:00:01Z")));
        assert!(!is_at_level(&line("INFO"), Some("warn")));
        assert!(is_at_level(&line("ERROR"), Some("warn")) && is_at_level(&line("WARN"), Some("warn")));
        assert!(is_at_level("Runtime exited", Some("error")) && is_at_level(&line("INFO"), None));
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
