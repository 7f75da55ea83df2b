//! One event as templates see it, and what is said to one person about it.

use std::sync::Arc;

use domain::channel::{Channel, Part};
use domain::decide::{Order, Target};
use domain::job::{Chat, Content, Email, Push, Socket, Text, Webhook};
use domain::locale;
use domain::path::Path;
use domain::recipient::{PhoneNumber, Recipient};
use minijinja::Value;
use minijinja::value::Object;
use serde_json::value::RawValue;

use crate::failure::Unrendered;
use crate::limits::{MAX_ITEMS, too_many};
use crate::renderer::Renderer;
use crate::speech::{VOICE, Voice};
use crate::text::{one_line, trimmed};

/// One event as templates see it.
pub struct Scene<'a> {
    renderer: &'a Renderer,
    envelope: &'a serde_json::Value,
    zone: Option<&'a str>,
    event: Value,
    data: Value,
    digest: Value,
}

/// What the event itself does not say.
#[derive(Clone, Copy, Default)]
pub struct Extra<'a> {
    /// The events that were gathered into this one. Templates see it as `digest`, and without it there is no such
    /// name: `{% if digest is defined %}`.
    pub digest: Option<&'a serde_json::Value>,
    /// The IANA zone that tells the time to a room, and to somebody whose own is not known. Without it, UTC does.
    pub zone: Option<&'a str>,
}

impl<'a> Scene<'a> {
    pub(crate) fn new(
        renderer: &'a Renderer,
        envelope: &'a serde_json::Value,
        extra: Extra<'a>,
    ) -> Scene<'a> {
        let event = value_of(envelope);
        let data = event.get_attr("data").unwrap_or_default();
        let digest = extra.digest.map_or(Value::UNDEFINED, value_of);
        Scene { renderer, envelope, zone: extra.zone, event, data, digest }
    }

    /// Renders everything the order's channel sends.
    ///
    /// All parts are read in the first language that has every part which the channel requires, and part by part in the
    /// closest one where none has.
    ///
    /// # Errors
    /// [`Unrendered`] names the first part that gave no text.
    pub fn render(&self, order: &Order<'_>) -> Result<Content, Unrendered> {
        match &order.target {
            Target::Email(to) => {
                let words = Words::new(self, order, Channel::Email);
                let [subject, html, text] = words.parts()?;
                Ok(Content::Email(Email {
                    to: to.clone(),
                    subject: one_line(&subject),
                    html: trimmed(&html),
                    text: trimmed(&text),
                    locale: words.locale(Channel::Email.parts()[0]).unwrap_or_default().to_owned(),
                }))
            }
            Target::Push(to) => {
                let words = Words::new(self, order, Channel::Push);
                let [title, body] = words.parts()?;
                Ok(Content::Push(Push {
                    to: to.clone(),
                    title: one_line(&title),
                    body: trimmed(&body),
                    data: exposed(&order.rule.expose, self.envelope),
                    badge: None,
                    locale: words.locale(Channel::Push.parts()[0]).unwrap_or_default().to_owned(),
                }))
            }
            Target::Sms(to) => Words::new(self, order, Channel::Sms).text(to).map(Content::Sms),
            Target::Whatsapp(to) => {
                let Text { to, text, locale } = Words::new(self, order, Channel::Whatsapp).text(to)?;
                Ok(Content::Whatsapp(Chat { to, text, locale, template: None }))
            }
            Target::Socket(to) => {
                let [title, body] = Words::new(self, order, Channel::Socket).parts()?;
                Ok(Content::Socket(Socket {
                    to: to.clone(),
                    title: one_line(&title),
                    body: trimmed(&body),
                    data: exposed(&order.rule.expose, self.envelope),
                }))
            }
            Target::Webhook { to, version } => {
                let paths = order.rule.exposed_in(version.as_deref()).unwrap_or(&order.rule.expose);
                let body = notice(self.envelope, &exposed(paths, self.envelope));
                Ok(Content::Webhook(Webhook { to: to.clone(), body, by_hand: None }))
            }
        }
    }
}

/// One order's words: every part in the language that is closest to the recipient's.
struct Words<'a> {
    scene: &'a Scene<'a>,
    order: &'a Order<'a>,
    channel: Channel,
    /// The languages to try, closest first; only one where that has all that is required.
    chain: Vec<String>,
    person: Value,
}

impl<'a> Words<'a> {
    fn new(scene: &'a Scene<'a>, order: &'a Order<'a>, channel: Channel) -> Words<'a> {
        let preferred = order.person.and_then(|it| it.locale.as_deref());
        let mut chain = locale::chain(preferred);
        let has = |locale: &str, part: &Part| {
            scene.renderer.file(&order.rule.template, locale, part.file).is_some()
        };
        let complete =
            |it: &String| channel.parts().iter().filter(|it| it.required).all(|part| has(it, part));
        if let Some(at) = chain.iter().position(complete) {
            chain = vec![chain.swap_remove(at)];
        }
        Words { scene, order, channel, chain, person: order.person.map_or(Value::UNDEFINED, Person::value) }
    }

    /// A part that is not required is empty where there is no file for it.
    fn parts<const N: usize>(&self) -> Result<[String; N], Unrendered> {
        let renderer = self.scene.renderer;
        let template = &self.order.rule.template;
        let mut texts = std::array::from_fn(|_| String::new());
        let mut said: Option<(&str, Value)> = None;
        for (text, part) in texts.iter_mut().zip(self.channel.parts()) {
            let locale = self.locale(*part);
            let file = locale.and_then(|it| Some((it, renderer.file(template, it, part.file)?)));
            let Some((locale, name)) = file else {
                if part.required {
                    return Err(Unrendered::missing(format!("{template}/{}/{}", locale::DEFAULT, part.file)));
                }
                continue;
            };
            let values = match said.take().filter(|(it, _)| *it == locale) {
                Some((_, it)) => it,
                None => self.values(locale),
            };
            *text = renderer.render_part(name, values.clone())?;
            said = Some((locale, values));
        }
        Ok(texts)
    }

    /// The one part of a message to a phone.
    fn text(&self, to: &PhoneNumber) -> Result<Text, Unrendered> {
        let [text] = self.parts()?;
        let locale = self.locale(self.channel.parts()[0]).unwrap_or_default().to_owned();
        Ok(Text { to: to.clone(), text: trimmed(&text), locale })
    }

    fn locale(&self, part: Part) -> Option<&str> {
        let has = |it: &&str| self.scene.renderer.file(&self.order.rule.template, it, part.file).is_some();
        self.chain.iter().map(String::as_str).find(has)
    }

    fn values(&self, file: &str) -> Value {
        let person = self.order.person;
        let preferred = person.and_then(|it| it.locale.as_deref()).and_then(locale::normalized);
        let zones = [person.and_then(|it| it.zone.as_deref()), self.scene.zone];
        Value::from_object(Names {
            event: self.scene.event.clone(),
            data: self.scene.data.clone(),
            digest: self.scene.digest.clone(),
            recipient: self.person.clone(),
            voice: Value::from_object(Voice::new(file, preferred.as_deref(), zones)),
        })
    }
}

/// What a template can name: `event`, `data`, `recipient` where it is one person, and `digest` where there is one.
struct Names {
    event: Value,
    data: Value,
    digest: Value,
    recipient: Value,
    voice: Value,
}

impl Object for Names {
    fn get_value(self: &Arc<Self>, name: &Value) -> Option<Value> {
        self.get_value_by_str(name.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, name: &str) -> Option<Value> {
        let value = match name {
            "event" => &self.event,
            "data" => &self.data,
            "digest" => &self.digest,
            "recipient" => &self.recipient,
            VOICE => &self.voice,
            _ => return None,
        };
        (!value.is_undefined()).then(|| value.clone())
    }
}

impl std::fmt::Debug for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Names")
    }
}

/// The recipient, as far as a letter may name them.
struct Person {
    id: Value,
    name: Value,
    locale: Value,
    zone: Value,
}

impl Person {
    fn value(of: &Recipient) -> Value {
        let or_nothing = |it: &Option<String>| it.as_deref().map_or(Value::UNDEFINED, Value::from);
        Value::from_object(Person {
            id: Value::from(of.id.as_str()),
            name: Value::from(of.name.as_deref().unwrap_or(&of.id)),
            locale: or_nothing(&of.locale),
            zone: or_nothing(&of.zone),
        })
    }
}

impl Object for Person {
    fn get_value(self: &Arc<Self>, name: &Value) -> Option<Value> {
        self.get_value_by_str(name.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, name: &str) -> Option<Value> {
        let value = match name {
            "id" => &self.id,
            "name" => &self.name,
            "locale" => &self.locale,
            "zone" => &self.zone,
            _ => return None,
        };
        (!value.is_undefined()).then(|| value.clone())
    }
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Person")
    }
}

/// A value of the event. A `null` is a value that is not there, so that `default` fills it and no letter says "none";
/// a list that is too long fails the template that names it.
fn value_of(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Object(members) => {
            let there = members.iter().filter(|(_, it)| !it.is_null());
            Value::from_pairs(there.map(|(name, it)| (name.as_str(), value_of(it))))
        }
        serde_json::Value::Array(list) if list.len() > MAX_ITEMS => Value::from(too_many()),
        serde_json::Value::Array(list) => list.iter().map(value_of).collect(),
        serde_json::Value::Null => Value::from(()),
        serde_json::Value::Bool(it) => Value::from(*it),
        serde_json::Value::Number(it) => match (it.as_i64(), it.as_u64()) {
            (Some(it), _) => Value::from(it),
            (None, Some(it)) => Value::from(it),
            (None, None) => it.as_f64().map_or(Value::UNDEFINED, Value::from),
        },
        serde_json::Value::String(it) => Value::from(it.as_str()),
    }
}

/// What a system is told. There are no words in it, so there is no template.
///
/// Source: Standard Webhooks 1.0, "Payload structure".
fn notice(envelope: &serde_json::Value, data: &RawValue) -> String {
    format!(r#"{{"type":{},"timestamp":{},"data":{}}}"#, envelope["type"], envelope["time"], data.get())
}

/// The values a rule exposes, by the last name of their paths; what the event does not have is left out.
fn exposed(paths: &[Path], envelope: &serde_json::Value) -> Box<RawValue> {
    let mut data = serde_json::Map::new();
    for path in paths {
        if let Some(value) = path.pick(envelope) {
            data.insert(path.last().to_owned(), value);
        }
    }
    serde_json::value::to_raw_value(&data).expect("JSON values always serialize")
}
