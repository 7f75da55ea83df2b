//! What the functions logged, out of the local cloud's own log.

use crate::error::{Done, Error};
use crate::terminal::Terminal;

use super::functions;
use super::server::log_file;

/// Prints the lines of one function, or of all with the function in front.
pub(super) fn print(function: Option<&str>, terminal: &Terminal) -> Done {
    let path = log_file();
    let text = std::fs::read_to_string(&path)
        .map_err(|_| Error::usage("there is no log", "start the local cloud with `make up`"))?;
    let known = functions::names()?;
    if let Some(wanted) = function.filter(|it| !known.iter().any(|name| name == it)) {
        return Err(Error::usage(
            format!("there is no function {wanted}"),
            format!("name one of {}", known.join(", ")),
        ));
    }
    for (name, line) in lines(&text) {
        match function {
            Some(wanted) if wanted == name => terminal.say(line),
            Some(_) => {}
            None => terminal.say(&format!("{name:<9} {line}")),
        }
    }
    Ok(true)
}

/// The local cloud heads a function's lines with `… Lambda carillon-local-<name> …`.
fn lines(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut current = "-";
    text.lines().filter_map(move |line| {
        if let Some((_, rest)) = line.split_once("Lambda carillon-local-") {
            current = rest.split([' ', ':']).next().unwrap_or("-");
        }
        line.starts_with('{').then_some((current, line))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_belongs_to_the_function_named_above_it() {
        let log = "INFO ready\n\
            INFO ESM: Lambda carillon-local-email processed 1 SQS messages\n\
            INFO ESM: Lambda carillon-local-email output:\n\
            {\"message\":\"one\"}\n{\"message\":\"two\"}\n\
            WARNING ESM: Lambda carillon-local-audit failed processing\n\
            {\"message\":\"three\"}\n";
        let found: Vec<(&str, &str)> = lines(log).collect();
        assert_eq!(
            found,
            [
                ("email", "{\"message\":\"one\"}"),
                ("email", "{\"message\":\"two\"}"),
                ("audit", "{\"message\":\"three\"}")
            ]
        );
    }
}
