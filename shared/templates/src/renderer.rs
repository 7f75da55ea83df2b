use std::collections::BTreeMap;
use std::error::Error as _;
use std::io::{self, Write};
use std::sync::Arc;

use domain::catalog::Catalog;
use domain::channel::{Channel, Part};
use domain::decide::{Order, Target};
use domain::job::{Content, Email, Push, Socket, Text};
use domain::locale;
use domain::recipient::{PhoneNumber, Recipient};
use domain::rule::Rule;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value, context};
use serde_json::value::RawValue;

use crate::text::{one_line, trimmed};

/// Steps of the template engine for one part. A long letter with loops takes a few thousand.
const MAX_STEPS: u64 = 200_000;

/// Longest rendered part, in bytes: SES takes more, but no letter to one person needs it, and a job must fit its queue.
const MAX_PART_BYTES: usize = 200 * 1024;

/// Includes within includes. A block that calls itself may go ten times as deep, and at 100 it can overflow a stack of
/// 1 MiB in a build without optimization. A layout that is extended does not count.
const MAX_INCLUDES: usize = 5;

/// What the engine counts for one include; a loop or a block counts 1.
///
/// Source: minijinja 3.0.5, `INCLUDE_RECURSION_COST`.
const INCLUDE_COST: usize = 10;

/// Renders the templates of one catalog. Each is compiled when it is first needed, and once.
pub struct Renderer {
    engine: Environment<'static>,
    sources: Arc<BTreeMap<String, String>>,
}

/// One event as templates see it.
pub struct Scene<'a> {
    renderer: &'a Renderer,
    envelope: &'a serde_json::Value,
    event: Value,
    data: Value,
}

/// Why a template gave no text. It quotes the template, never the event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template {template}, line {line}: {problem}")]
pub struct Unrendered {
    /// `<template>/<locale>/<part>`
    pub template: String,
    /// Counted from 1; 0 when the engine does not say.
    pub line: usize,
    pub problem: String,
}

impl Renderer {
    #[must_use]
    pub fn new(catalog: &Catalog) -> Renderer {
        Renderer::of(catalog.templates().clone())
    }

    /// `sources` are template texts by path, as the catalog has them.
    #[must_use]
    pub fn of(sources: BTreeMap<String, String>) -> Renderer {
        let sources = Arc::new(sources);
        let loader = Arc::clone(&sources);
        let mut engine = Environment::new();
        engine.set_loader(move |name| Ok(loader.get(name).cloned()));
        engine.set_auto_escape_callback(|name| match name.ends_with(".html") {
            true => AutoEscape::Html,
            false => AutoEscape::None,
        });
        engine.set_undefined_behavior(UndefinedBehavior::Strict);
        engine.set_fuel(Some(MAX_STEPS));
        engine.set_recursion_limit(MAX_INCLUDES * INCLUDE_COST + INCLUDE_COST - 1);
        Renderer { engine, sources }
    }

    /// Compiles one template, to find out whether it parses.
    ///
    /// # Errors
    /// [`Unrendered`] with the line and what is wrong there.
    pub fn compile(&self, name: &str) -> Result<(), Unrendered> {
        self.engine.get_template(name).map(drop).map_err(|error| self.unrendered(name, &error))
    }

    /// What templates see of one event, made once for all of its orders. `envelope` is its CloudEvents envelope.
    #[must_use]
    pub fn scene<'a>(&'a self, envelope: &'a serde_json::Value) -> Scene<'a> {
        let event = Value::from(Serde(&without_nulls(envelope)));
        let data = event.get_attr("data").unwrap_or_default();
        Scene { renderer: self, envelope, event, data }
    }

    fn render_part(&self, name: &str, values: &Value) -> Result<String, Unrendered> {
        let template = self.engine.get_template(name).map_err(|error| self.unrendered(name, &error))?;
        let mut text = Bounded(Vec::with_capacity(1_024));
        let rendered = template.render_captured_to(values.clone(), &mut text);
        rendered.map_err(|error| self.unrendered(name, &error))?;
        // The engine writes text only, so nothing is lost here.
        Ok(String::from_utf8(text.0).unwrap_or_default())
    }

    fn unrendered(&self, name: &str, error: &Error) -> Unrendered {
        let error = innermost(error);
        let template = error.name().unwrap_or(name).to_owned();
        let line = error.line().unwrap_or(0);
        let quoted = self.sources.get(&template).and_then(|it| it.lines().nth(line.checked_sub(1)?));
        let problem = match quoted {
            Some(text) => format!("{} in `{}`", problem(error), text.trim()),
            None => problem(error),
        };
        Unrendered { template, line, problem }
    }
}

impl Scene<'_> {
    /// Renders everything the order's channel sends.
    ///
    /// # Errors
    /// [`Unrendered`] names the first part that gave no text.
    pub fn render(&self, order: &Order<'_>) -> Result<Content, Unrendered> {
        let words = Words { renderer: self.renderer, order, values: self.values(order.person) };
        match &order.target {
            Target::Email(to) => {
                let [subject, html, text] = words.parts(Channel::Email)?;
                Ok(Content::Email(Email {
                    to: to.clone(),
                    subject: one_line(&subject),
                    html: trimmed(&html),
                    text: trimmed(&text),
                    locale: words.locale(Channel::Email.parts()[0]).unwrap_or_default(),
                }))
            }
            Target::Push(to) => {
                let [title, body] = words.parts(Channel::Push)?;
                Ok(Content::Push(Push {
                    to: to.clone(),
                    title: one_line(&title),
                    body: trimmed(&body),
                    data: exposed(order.rule, self.envelope),
                    locale: words.locale(Channel::Push.parts()[0]).unwrap_or_default(),
                }))
            }
            Target::Sms(to) => words.text(Channel::Sms, to).map(Content::Sms),
            Target::Whatsapp(to) => words.text(Channel::Whatsapp, to).map(Content::Whatsapp),
            Target::Socket(to) => {
                let [title, body] = words.parts(Channel::Socket)?;
                Ok(Content::Socket(Socket {
                    to: to.clone(),
                    title: one_line(&title),
                    body: trimmed(&body),
                    data: exposed(order.rule, self.envelope),
                }))
            }
        }
    }

    /// What a template can name: `event`, `data`, and `recipient` where it is one person.
    fn values(&self, person: Option<&Recipient>) -> Value {
        let (event, data) = (self.event.clone(), self.data.clone());
        match person {
            Some(it) => {
                let recipient = context! {
                    id => it.id.as_str(),
                    name => it.name.as_deref().unwrap_or(&it.id),
                    locale => it.locale.as_deref().map_or(Value::UNDEFINED, Value::from),
                    zone => it.zone.as_deref().map_or(Value::UNDEFINED, Value::from),
                };
                context! { event, data, recipient }
            }
            None => context! { event, data },
        }
    }
}

/// The error itself, where the engine tells only that an include or a block failed.
fn innermost(error: &Error) -> &Error {
    let mut error = error;
    while matches!(error.kind(), ErrorKind::BadInclude | ErrorKind::EvalBlock) {
        let Some(source) = error.source().and_then(|it| it.downcast_ref()) else {
            break;
        };
        error = source;
    }
    error
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

/// One order's words: every part in the language that is closest to the recipient's.
struct Words<'a> {
    renderer: &'a Renderer,
    order: &'a Order<'a>,
    values: Value,
}

impl Words<'_> {
    fn parts<const N: usize>(&self, channel: Channel) -> Result<[String; N], Unrendered> {
        let mut texts = std::array::from_fn(|_| String::new());
        for (text, part) in texts.iter_mut().zip(channel.parts()) {
            let name = match self.locale(*part) {
                Some(locale) => format!("{}/{locale}/{}", self.order.rule.template, part.file),
                None => {
                    let template = format!("{}/{}/{}", self.order.rule.template, locale::DEFAULT, part.file);
                    return Err(Unrendered {
                        template,
                        line: 0,
                        problem: "there is no such file".to_owned(),
                    });
                }
            };
            *text = self.renderer.render_part(&name, &self.values)?;
        }
        Ok(texts)
    }

    fn text(&self, channel: Channel, to: &PhoneNumber) -> Result<Text, Unrendered> {
        let [text] = self.parts(channel)?;
        let locale = self.locale(channel.parts()[0]).unwrap_or_default();
        Ok(Text { to: to.clone(), text: trimmed(&text), locale })
    }

    fn locale(&self, part: Part) -> Option<String> {
        let preferred = self.order.person.and_then(|it| it.locale.as_deref());
        locale::chain(preferred).into_iter().find(|locale| {
            let name = format!("{}/{locale}/{}", self.order.rule.template, part.file);
            self.renderer.sources.contains_key(&name)
        })
    }
}

/// A `null` is a value that is not there, so that `default` fills it and no letter says "none".
fn without_nulls(value: &serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(members) => {
            let there = members.iter().filter(|(_, it)| !it.is_null());
            there.map(|(name, it)| (name.clone(), without_nulls(it))).collect()
        }
        serde_json::Value::Array(list) => list.iter().map(without_nulls).collect(),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_) => value.clone(),
    }
}

/// The values a rule exposes, by the last name of their paths; what the event does not have is left out.
fn exposed(rule: &Rule, envelope: &serde_json::Value) -> Box<RawValue> {
    let mut data = serde_json::Map::new();
    for path in &rule.expose {
        if let Some(value) = path.pick(envelope) {
            data.insert(path.last().to_owned(), value);
        }
    }
    serde_json::value::to_raw_value(&data).expect("JSON values always serialize")
}

/// Text that stops growing at [`MAX_PART_BYTES`].
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_PART_BYTES {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "too long"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
