//! Rendering errors. Their texts quote the template and never the event.

use std::error::Error as _;

use domain::catalog::rule::{Rule, UnknownTemplate, UnreadableContext};
use minijinja::{Error, ErrorKind};

use crate::limits::{MAX_INCLUDES, MAX_PART_BYTES, MAX_STEPS};

/// A rendering error. Its text quotes the template and never the event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template {template}, line {line}: {problem}")]
pub struct Unrendered {
    /// `<template>/<locale>/<part>`
    pub template: String,
    /// Counted from 1. 0 if the engine gives no line.
    pub line: usize,
    pub problem: String,
    /// The kind of mistake, from which the suggested fix follows.
    pub cause: Cause,
    /// The reason for the ledger.
    pub reason: domain::base::outcome::Reason,
}

/// The kinds of mistakes in templates, one for each kind of fix. Contains no value of an event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The event has no such value. Carries the path in the template, if the line shows it.
    Missing(Option<Path>),
    /// A filter that does not exist.
    Filter(String),
    /// A test, after `is`, that does not exist.
    Test(String),
    /// A function that does not exist.
    Function(String),
    /// A method call on a value, `data.name.upper()`. Values have no methods.
    Method(String),
    /// A variable that neither events nor files define.
    Variable(String),
    /// A value or argument that the filter does not accept. The problem text says what the filter accepts.
    Argument,
    /// A missing file.
    File,
    /// The event names no file for an attachment.
    Attachment,
    /// The template does not parse, or exceeds a limit of the grammar.
    Syntax,
}

/// A path in a template that leads to no value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path {
    /// The shortest prefix that leads to no value: `data.user` of `data.user.name`.
    pub absent: String,
    /// Whether `default` follows the whole path. It then covers only the last name.
    pub has_default: bool,
}

/// An error of this crate within an error of the engine. Its text never contains a value of the event.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub(crate) struct Reason {
    /// The template and the line, for errors that the engine has no place for.
    pub(crate) place: Option<(String, usize)>,
    pub(crate) problem: String,
}

/// An error of the engine with this problem text, which must not quote the event.
pub(crate) fn reasoned(problem: impl Into<String>) -> Error {
    let reason = Reason { place: None, problem: problem.into() };
    Error::new(ErrorKind::InvalidOperation, "see its source").with_source(reason)
}

/// An error for a line of a template that the grammar refuses.
pub(crate) fn refused(template: &str, line: usize, problem: String) -> Error {
    let reason = Reason { place: Some((template.to_owned(), line)), problem };
    Error::new(ErrorKind::SyntaxError, "see its source").with_source(reason)
}

impl Unrendered {
    /// The error for a missing template.
    pub(crate) fn missing(template: String) -> Unrendered {
        let (problem, reason) = ("there is no such file".to_owned(), domain::base::outcome::Reason::Template);
        Unrendered { template, line: 0, problem, cause: Cause::File, reason }
    }

    /// The error for an event that names a template which the rule does not list.
    pub(crate) fn unknown_template(rule: &Rule, unknown: &UnknownTemplate) -> Unrendered {
        let reason = domain::base::outcome::Reason::UnknownTemplate;
        let (template, problem) = (rule.template.clone(), unknown.to_string());
        Unrendered { template, line: 0, problem, cause: Cause::File, reason }
    }

    /// The error for an event whose context is not an object.
    pub(crate) fn unreadable_context(template: &str, unreadable: &UnreadableContext) -> Unrendered {
        let (template, problem) = (template.to_owned(), unreadable.to_string());
        let reason = domain::base::outcome::Reason::UnreadableContext;
        Unrendered { template, line: 0, problem, cause: Cause::Argument, reason }
    }

    /// The error for an e-mail whose attachment the event does not name.
    pub(crate) fn no_file(template: &str, problem: String) -> Unrendered {
        let reason = domain::base::outcome::Reason::NoAttachment;
        Unrendered { template: template.to_owned(), line: 0, problem, cause: Cause::Attachment, reason }
    }

    /// The error for an e-mail whose `reply-to` leads to a value that is not a mailbox.
    pub(crate) fn no_mailbox(template: &str, why: &str) -> Unrendered {
        let problem = format!("`reply-to` leads to a value that is no mailbox: {why}");
        let reason = domain::base::outcome::Reason::Template;
        Unrendered { template: template.to_owned(), line: 0, problem, cause: Cause::Argument, reason }
    }

    /// The error for a JSON part whose rendered text is no JSON. The reader's error quotes nothing of the text.
    pub(crate) fn no_json(template: &str, error: &serde_json::Error) -> Unrendered {
        let problem = format!("the rendered text is no JSON object or array: {error}");
        let reason = domain::base::outcome::Reason::Template;
        Unrendered {
            template: template.to_owned(),
            line: error.line(),
            problem,
            cause: Cause::Argument,
            reason,
        }
    }

    /// The error for a WhatsApp template whose parameters cannot be separated.
    pub(crate) fn unreadable(template: &str) -> Unrendered {
        let problem = "a value has a control character that keeps parameters apart".to_owned();
        Unrendered {
            template: template.to_owned(),
            line: 0,
            problem,
            cause: Cause::Argument,
            reason: domain::base::outcome::Reason::Template,
        }
    }

    /// Converts an error of the engine. `line_of` returns a line of a template, counted from 0.
    pub(crate) fn of<'a>(
        name: &str,
        error: &Error,
        line_of: impl Fn(&str, usize) -> Option<&'a str>,
    ) -> Unrendered {
        let error = innermost(error);
        let reason = reason(error);
        let (template, line) = match reason.and_then(|reason| reason.place.clone()) {
            Some(place) => place,
            None => (error.name().unwrap_or(name).to_owned(), error.line().unwrap_or(0)),
        };
        let problem = reason.map_or_else(|| problem(error), |reason| reason.problem.clone());
        let cause = match reason {
            Some(reason) if reason.place.is_some() => Cause::Syntax,
            Some(_) => Cause::Argument,
            None => cause(error),
        };
        let quoted = line.checked_sub(1).and_then(|difference| line_of(&template, difference));
        let problem = match quoted {
            Some(text) => format!("{problem} in `{}`", text.trim()),
            None => problem,
        };
        Unrendered { template, line, problem, cause, reason: domain::base::outcome::Reason::Template }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the engine's enum is open to growth")]
fn cause(error: &Error) -> Cause {
    // The engine's texts are `filter upcase is unknown`, and for a method `string has no method named shout`.
    let word = |position: usize| {
        let words = error.detail().unwrap_or_default();
        words.split(' ').nth(position).or(words.split(' ').next_back()).unwrap_or_default().to_owned()
    };
    match error.kind() {
        ErrorKind::UndefinedError => Cause::Missing(None),
        ErrorKind::UnknownFilter => Cause::Filter(word(1)),
        ErrorKind::UnknownTest => Cause::Test(word(1)),
        ErrorKind::UnknownFunction => Cause::Function(word(0)),
        ErrorKind::UnknownMethod => Cause::Method(word(5)),
        ErrorKind::TemplateNotFound => Cause::File,
        ErrorKind::SyntaxError
        | ErrorKind::BadEscape
        | ErrorKind::OutOfFuel
        | ErrorKind::WriteFailure
        | ErrorKind::UnknownBlock => Cause::Syntax,
        _ => Cause::Argument,
    }
}

/// The inner error, if the engine only reports that an include or a block failed.
fn innermost(error: &Error) -> &Error {
    let mut error = error;
    while matches!(error.kind(), ErrorKind::BadInclude | ErrorKind::EvalBlock) {
        let Some(source) = error.source().and_then(|source| source.downcast_ref()) else {
            break;
        };
        error = source;
    }
    error
}

/// This crate's error, at any depth within the engine's errors.
fn reason(error: &Error) -> Option<&Reason> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(reason) = error.downcast_ref() {
            return Some(reason);
        }
        source = error.source();
    }
    None
}

/// The problem text of a call with constants of the template. Contains no value of an event.
pub(crate) fn problem_of_constants(error: &Error) -> String {
    match (reason(error), error.detail()) {
        (Some(reason), _) => reason.problem.clone(),
        (None, Some(detail)) => format!("{}: {detail}", error.kind()),
        (None, None) => error.kind().to_string(),
    }
}

/// The problem text without a value of the event. The engine's own text is used only for parse errors. Its texts
/// about calculations quote values.
#[expect(clippy::wildcard_enum_match_arm, reason = "the engine's enum is open to growth")]
fn problem(error: &Error) -> String {
    match error.kind() {
        ErrorKind::UndefinedError => "the event has no such value".to_owned(),
        ErrorKind::OutOfFuel => format!("rendering takes more than {MAX_STEPS} steps; check its loops"),
        ErrorKind::WriteFailure => format!("the text is longer than {MAX_PART_BYTES} bytes"),
        ErrorKind::TemplateNotFound => "there is no such file".to_owned(),
        ErrorKind::InvalidOperation if error.detail() == Some("recursion limit exceeded") => {
            format!(
                "more than {MAX_INCLUDES} includes within one another; check for a file that includes itself"
            )
        }
        ErrorKind::SyntaxError
        | ErrorKind::BadEscape
        | ErrorKind::UnknownFilter
        | ErrorKind::UnknownTest
        | ErrorKind::UnknownFunction
        | ErrorKind::UnknownMethod
        | ErrorKind::UnknownBlock => match error.detail() {
            Some(detail) => format!("{}: {detail}", error.kind()),
            None => error.kind().to_string(),
        },
        _ => error.kind().to_string(),
    }
}
