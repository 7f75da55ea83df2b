//! Why a template gave no text, in words that quote the template and never the event.

use std::error::Error as _;

use domain::rule::{Rule, UnknownTemplate, UnreadableContext};
use minijinja::{Error, ErrorKind};

use crate::limits::{MAX_INCLUDES, MAX_PART_BYTES, MAX_STEPS};

/// Why a template gave no text. It quotes the template, never the event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template {template}, line {line}: {problem}")]
pub struct Unrendered {
    /// `<template>/<locale>/<part>`
    pub template: String,
    /// Counted from 1; 0 when the engine does not say.
    pub line: usize,
    pub problem: String,
    /// The kind of mistake, from which advice follows.
    pub cause: Cause,
    /// What the ledger says of it.
    pub reason: domain::outcome::Reason,
}

/// The kinds of mistakes in templates, as far as different things mend them. No value of an event is in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The event has no such value. The path of the template that leads to none, where the line shows it.
    Missing(Option<Path>),
    /// A filter that does not exist.
    Filter(String),
    /// A test, behind `is`, that does not exist.
    Test(String),
    /// A function that does not exist.
    Function(String),
    /// A function called on a value, `data.name.upper()`. Values have none.
    Method(String),
    /// A name that neither events nor any file give.
    Variable(String),
    /// A value, or an argument, that the filter cannot use. The problem says what the filter wants.
    Argument,
    /// A file that is not there.
    File,
    /// The event names no file for an attachment.
    Attachment,
    /// The template does not parse, or asks for more than templates may.
    Syntax,
}

/// A path of a template that leads to no value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path {
    /// The shortest beginning that leads to no value: `data.user` of `data.user.name`.
    pub absent: String,
    /// Whether `default` stands behind the whole path, where it covers the last name only.
    pub has_default: bool,
}

/// A reason of ours, beneath an error of the engine. Its text never holds a value of the event.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub(crate) struct Reason {
    /// The template and the line, where the engine does not know them.
    pub(crate) place: Option<(String, usize)>,
    pub(crate) problem: String,
}

/// An error of the engine that says `problem`, which must not quote the event.
pub(crate) fn reasoned(problem: impl Into<String>) -> Error {
    let reason = Reason { place: None, problem: problem.into() };
    Error::new(ErrorKind::InvalidOperation, "see its source").with_source(reason)
}

/// The same, about a line of a template that was not let in.
pub(crate) fn refused(template: &str, line: usize, problem: String) -> Error {
    let reason = Reason { place: Some((template.to_owned(), line)), problem };
    Error::new(ErrorKind::SyntaxError, "see its source").with_source(reason)
}

impl Unrendered {
    /// A template that is not there.
    pub(crate) fn missing(template: String) -> Unrendered {
        let (problem, reason) = ("there is no such file".to_owned(), domain::outcome::Reason::Template);
        Unrendered { template, line: 0, problem, cause: Cause::File, reason }
    }

    /// An event that names a template which the rule does not list.
    pub(crate) fn unknown_template(rule: &Rule, unknown: &UnknownTemplate) -> Unrendered {
        let reason = domain::outcome::Reason::UnknownTemplate;
        let (template, problem) = (rule.template.clone(), unknown.to_string());
        Unrendered { template, line: 0, problem, cause: Cause::File, reason }
    }

    /// An event whose context has no members.
    pub(crate) fn unreadable_context(template: &str, unreadable: &UnreadableContext) -> Unrendered {
        let (template, problem) = (template.to_owned(), unreadable.to_string());
        let reason = domain::outcome::Reason::UnreadableContext;
        Unrendered { template, line: 0, problem, cause: Cause::Argument, reason }
    }

    /// A letter whose attachment the event does not name.
    pub(crate) fn no_file(template: &str, problem: String) -> Unrendered {
        let reason = domain::outcome::Reason::NoAttachment;
        Unrendered { template: template.to_owned(), line: 0, problem, cause: Cause::Attachment, reason }
    }

    /// An e-mail whose `reply-to` leads to a value that is no mailbox.
    pub(crate) fn no_mailbox(template: &str, why: &str) -> Unrendered {
        let problem = format!("`reply-to` leads to a value that is no mailbox: {why}");
        let reason = domain::outcome::Reason::Template;
        Unrendered { template: template.to_owned(), line: 0, problem, cause: Cause::Argument, reason }
    }

    /// A part in JSON whose rendered text is no JSON. The error of the reader quotes nothing of the text.
    pub(crate) fn no_json(template: &str, error: &serde_json::Error) -> Unrendered {
        let problem = format!("the rendered text is no JSON object or array: {error}");
        let reason = domain::outcome::Reason::Template;
        Unrendered {
            template: template.to_owned(),
            line: error.line(),
            problem,
            cause: Cause::Argument,
            reason,
        }
    }

    /// A template of WhatsApp's whose pieces cannot be told apart.
    pub(crate) fn unreadable(template: &str) -> Unrendered {
        let problem = "a value has a control character that keeps parameters apart".to_owned();
        Unrendered {
            template: template.to_owned(),
            line: 0,
            problem,
            cause: Cause::Argument,
            reason: domain::outcome::Reason::Template,
        }
    }

    /// `line_of` gives a line of a template, counted from 0.
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
        let problem = reason.map_or_else(|| problem(error), |it| it.problem.clone());
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
        Unrendered { template, line, problem, cause, reason: domain::outcome::Reason::Template }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the engine's enum is open to growth")]
fn cause(error: &Error) -> Cause {
    // The engine says `filter upcase is unknown`, and of a method `string has no method named shout`.
    let word = |at: usize| {
        let words = error.detail().unwrap_or_default();
        words.split(' ').nth(at).or(words.split(' ').next_back()).unwrap_or_default().to_owned()
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

/// The error itself, where the engine tells only that an include or a block failed.
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

/// Our reason, however deep the engine has wrapped it.
fn reason(error: &Error) -> Option<&Reason> {
    let mut source = error.source();
    while let Some(it) = source {
        if let Some(reason) = it.downcast_ref() {
            return Some(reason);
        }
        source = it.source();
    }
    None
}

/// What a call with the constants of a template runs into: nothing in it comes from an event.
pub(crate) fn problem_of_constants(error: &Error) -> String {
    match (reason(error), error.detail()) {
        (Some(reason), _) => reason.problem.clone(),
        (None, Some(detail)) => format!("{}: {detail}", error.kind()),
        (None, None) => error.kind().to_string(),
    }
}

/// What is wrong, without a value of the event. The engine's own words are taken only where they come from reading
/// the template; those about a calculation quote its numbers.
#[expect(clippy::wildcard_enum_match_arm, reason = "the engine's enum is open to growth")]
fn problem(error: &Error) -> String {
    match error.kind() {
        ErrorKind::UndefinedError => "the event has no such value".to_owned(),
        ErrorKind::OutOfFuel => format!("it takes more than {MAX_STEPS} steps; does it loop?"),
        ErrorKind::WriteFailure => format!("it grows beyond {MAX_PART_BYTES} bytes"),
        ErrorKind::TemplateNotFound => "there is no such file".to_owned(),
        ErrorKind::InvalidOperation if error.detail() == Some("recursion limit exceeded") => {
            format!("it nests too deep, {MAX_INCLUDES} includes are the limit; does it include itself?")
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
