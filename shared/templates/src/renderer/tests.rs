//! Tests of rendering. Failures, languages, limits and exposed data have a file each.

mod digests;
mod direct;
mod exposing;
mod failures;
mod languages;
mod letters;
mod limits;
mod numbers;
mod speech;
mod strings;
mod words;

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::catalog::rule::Rule;
use domain::decide::{Order, Target};
use domain::delivery::job::{Content, Email, Socket, SocketTarget};
use domain::event::Priority;
use domain::recipient::{EmailAddress, Recipient};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::Renderer;
use crate::Unrendered;

const PARTS: [&str; 5] = ["email.subject.txt", "email.html", "email.txt", "socket.title.txt", "socket.txt"];

/// An English template `t` whose parts are `…`, overlaid with other files.
fn renderer(files: &[(&str, &str)]) -> Renderer {
    let mut sources: BTreeMap<String, String> =
        PARTS.into_iter().map(|part| (format!("t/en/{part}"), "…".to_owned())).collect();
    sources.extend(files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())));
    Renderer::of(sources)
}

/// A rendered e-mail, whose parts tests compare.
struct Letter {
    to: String,
    subject: String,
    html: String,
    text: String,
    locale: String,
}

impl From<Email> for Letter {
    fn from(email: Email) -> Letter {
        Letter {
            to: email.to.into(),
            subject: email.subject.into_exposed(),
            html: email.html.into_exposed(),
            text: email.text.into_exposed(),
            locale: email.locale,
        }
    }
}

/// A rendered in-app message.
struct InApp {
    title: String,
    body: String,
    data: Box<RawValue>,
}

fn letter(files: &[(&str, &str)], data: &Value) -> Result<Letter, Unrendered> {
    letter_to(&person(json!({})), files, data)
}

fn letter_to(person: &Recipient, files: &[(&str, &str)], data: &Value) -> Result<Letter, Unrendered> {
    let rule = rule(&[]);
    let target = Target::Email(EmailAddress::parse("ann@example.com").unwrap());
    let content = renderer(files).context(&envelope(data)).render(&order(&rule, Some(person), target))?;
    let channel = content.channel();
    let Content::Email(email) = content else { panic!("an e-mail was ordered, not {:?}", channel) };
    Ok(email.into())
}

/// An in-app message to a room, which has no single recipient.
fn message(expose: &[&str], files: &[(&str, &str)], data: &Value) -> Result<InApp, Unrendered> {
    let rule = rule(expose);
    let target = Target::Socket(SocketTarget::Room("shop:1".to_owned()));
    let content = renderer(files).context(&envelope(data)).render(&order(&rule, None, target))?;
    let channel = content.channel();
    let Content::Socket(socket) = content else { panic!("a socket message was ordered, not {:?}", channel) };
    let Socket { title, body, data, .. } = socket;
    Ok(InApp { title: title.into_exposed(), body: body.into_exposed(), data: data.into_exposed() })
}

fn order<'a>(rule: &'a Rule, person: Option<&'a Recipient>, target: Target) -> Order<'a> {
    Order {
        rule,
        person,
        target,
        priority: Priority::Normal,
        expires_at: None::<Timestamp>,
        cancel: None,
        way_out: None,
        instead_of: None,
        failover: None,
    }
}

fn rule(expose: &[&str]) -> Rule {
    let rule = json!({
        "rule": "r", "when": { "detail-type": ["order.paid"] }, "category": "c", "steps": [{ "send": { "channels": ["email", "socket"] } }],
        "to": [], "template": "t", "expose": expose,
    });
    serde_json::from_value(rule).unwrap()
}

fn envelope(data: &Value) -> Value {
    json!({ "specversion": "1.0", "id": "1", "source": "/shop", "type": "order.paid", "data": data })
}

/// Ann, with other members of her profile set.
#[expect(clippy::needless_pass_by_value, reason = "tests hand in json!(…)")]
fn person(others: Value) -> Recipient {
    let mut person = json!({ "id": "ann", "email": "ann@example.com" });
    for (member, value) in others.as_object().unwrap() {
        person[member] = value.clone();
    }
    serde_json::from_value(person).unwrap()
}
