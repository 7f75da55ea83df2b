//! One event as templates see it, and what is said to one person about it.

use std::sync::Arc;

use domain::Timestamp;
use domain::attachment::attachments;
use domain::channel::{APPROVED, Channel, Part};
use domain::decide::{Order, Target};
use domain::job::{Chat, Content, Email, Push, Socket, Text, Webhook, WhatsappTemplate};
use domain::locale;
use domain::path::Path;
use domain::policy::EmailPolicy;
use domain::recipient::{EmailAddress, PhoneNumber, Recipient};
use domain::rule::Operand;
use minijinja::Value;
use minijinja::value::Object;
use serde_json::value::RawValue;

use crate::failure::Unrendered;
use crate::limits::{MAX_ITEMS, too_many};
use crate::renderer::Renderer;
use crate::speech::{VOICE, Voice};
use crate::text::{one_line, trimmed};

/// What stands for the link by which a reader unsubscribes, where nobody will click on it.
pub const SAMPLE_WAY_OUT: &str = "https://example.com/unsubscribe";

/// One event as templates see it.
pub struct Scene<'a> {
    renderer: &'a Renderer,
    envelope: &'a serde_json::Value,
    policy: Option<&'a EmailPolicy>,
    zone: Option<&'a str>,
    now: Option<Timestamp>,
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
    /// What holds for letters of all rules.
    pub policy: Option<&'a EmailPolicy>,
    /// The time of rendering, from which `relative` counts. Without it the time of the event does.
    pub now: Option<Timestamp>,
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
        let Extra { digest: _, zone, policy, now } = extra;
        let now = now.or_else(|| envelope["time"].as_str()?.parse().ok());
        Scene { renderer, envelope, policy, zone, now, event, data, digest }
    }

    /// Renders everything the order's channel sends.
    ///
    /// All parts are read in the first language that has every part which the channel requires, and part by part in the
    /// closest one where none has.
    ///
    /// Where the order lets its reader unsubscribe, [`SAMPLE_WAY_OUT`] stands for the link: for whoever only wants to
    /// see what would be said.
    ///
    /// # Errors
    /// [`Unrendered`] names the first part that gave no text, or the file that is to be attached and is not named.
    pub fn render(&self, order: &Order<'_>) -> Result<Content, Unrendered> {
        self.render_with(order, order.way_out.as_ref().map(|_| SAMPLE_WAY_OUT))
    }

    /// The same, with the link by which the reader of a letter unsubscribes. Templates see it as `unsubscribe_url`; there
    /// is no such name where there is no link: `{% if unsubscribe_url is defined %}`.
    ///
    /// # Errors
    /// As [`Scene::render`].
    pub fn render_with(&self, order: &Order<'_>, way_out: Option<&str>) -> Result<Content, Unrendered> {
        match &order.target {
            Target::Email(to) => {
                let words = Words { way_out, ..Words::new(self, order, Channel::Email) };
                words.letter(to).map(Content::Email)
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
                    collapse: None,
                    locale: words.locale(Channel::Push.parts()[0]).unwrap_or_default().to_owned(),
                }))
            }
            Target::Sms(to) => Words::new(self, order, Channel::Sms).text(to).map(Content::Sms),
            Target::Whatsapp(to) => {
                let words = Words::new(self, order, Channel::Whatsapp);
                let Text { to, text, locale, sender: _ } = words.text(to)?;
                let template = words.approved()?;
                Ok(Content::Whatsapp(Chat { to, text, locale, template, free_until: None }))
            }
            Target::Socket(to) => {
                let [title, body] = Words::new(self, order, Channel::Socket).parts()?;
                Ok(Content::Socket(Socket {
                    to: to.clone(),
                    title: one_line(&title),
                    body: trimmed(&body),
                    data: exposed(&order.rule.expose, self.envelope),
                    category: order.rule.category.clone(),
                    ephemeral: order.rule.ephemeral,
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
    chain: Vec<&'a str>,
    person: Value,
    /// The link by which the reader of a letter unsubscribes.
    way_out: Option<&'a str>,
}

impl<'a> Words<'a> {
    fn new(scene: &'a Scene<'a>, order: &'a Order<'a>, channel: Channel) -> Words<'a> {
        let preferred = order.person.and_then(|it| it.locale.as_deref());
        let mut chain = scene.renderer.languages(&order.rule.template, preferred);
        let has = |locale: &str, part: &Part| {
            scene.renderer.file(&order.rule.template, locale, part.file).is_some()
        };
        let complete = |it: &&str| channel.parts().iter().filter(|it| it.required).all(|part| has(it, part));
        if let Some(at) = chain.iter().position(complete) {
            chain = vec![chain.swap_remove(at)];
        }
        let person = order.person.map_or(Value::UNDEFINED, Person::value);
        Words { scene, order, channel, chain, person, way_out: None }
    }

    /// A whole letter: its words, and what the rule and the policy say of its envelope.
    fn letter(&self, to: &EmailAddress) -> Result<Email, Unrendered> {
        let (rule, envelope) = (self.order.rule, self.scene.envelope);
        let attachments = attachments(&rule.attachments, envelope)
            .map_err(|it| Unrendered::no_file(&rule.template, it.to_string()))?;
        let [subject, html, text] = self.parts()?;
        let policy = self.scene.policy;
        let address = |it: &Operand| {
            let names = it.names(envelope);
            names.iter().find_map(|it| EmailAddress::parse(it).ok())
        };
        let answers = rule.reply_to.iter().chain(policy.and_then(|it| it.reply_to.as_ref()));
        Ok(Email {
            to: to.clone(),
            subject: one_line(&subject),
            html: trimmed(&html),
            text: trimmed(&text),
            locale: self.locale(self.channel.parts()[0]).unwrap_or_default().to_owned(),
            from: policy.and_then(|it| it.senders.get(&rule.category)).cloned(),
            reply_to: answers.into_iter().find_map(address),
            unsubscribe: self.way_out.map(str::to_owned),
            attachments,
        })
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
                    let default = &renderer.default_locale;
                    return Err(Unrendered::missing(format!("{template}/{default}/{}", part.file)));
                }
                continue;
            };
            let values = match said.take().filter(|(it, _)| *it == locale) {
                Some((_, it)) => it,
                None => self.values(locale),
            };
            *text = renderer.render_part(name, &values)?;
            said = Some((locale, values));
        }
        Ok(texts)
    }

    /// The one part of a message to a phone.
    fn text(&self, to: &PhoneNumber) -> Result<Text, Unrendered> {
        let [text] = self.parts()?;
        let locale = self.locale(self.channel.parts()[0]).unwrap_or_default().to_owned();
        // CLDR's no-break spaces are in no alphabet of 7 bits: one of them would halve what a message holds.
        let text = match self.channel {
            Channel::Sms => trimmed(&text).replace(['\u{a0}', '\u{202f}', '\u{2009}'], " "),
            Channel::Email | Channel::Push | Channel::Socket | Channel::Webhook | Channel::Whatsapp => {
                trimmed(&text)
            }
        };
        Ok(Text { to: to.clone(), text, locale, sender: None })
    }

    /// What WhatsApp has approved for this, in the closest language that has it: the template brings its own language.
    fn approved(&self) -> Result<Option<WhatsappTemplate>, Unrendered> {
        let (renderer, template) = (self.scene.renderer, &self.order.rule.template);
        let preferred = self.order.person.and_then(|it| it.locale.as_deref());
        let mut languages = renderer.languages(template, preferred).into_iter();
        let file = languages.find_map(|it| Some((it, renderer.file(template, it, APPROVED)?)));
        let Some((locale, name)) = file else { return Ok(None) };
        let rendered = renderer.render_part(name, &self.values(locale))?;
        WhatsappTemplate::read(&rendered).map(Some).ok_or_else(|| Unrendered::unreadable(name))
    }

    fn locale(&self, part: Part) -> Option<&str> {
        let has = |it: &&str| self.scene.renderer.file(&self.order.rule.template, it, part.file).is_some();
        self.chain.iter().copied().find(has)
    }

    fn values(&self, file: &str) -> Value {
        let person = self.order.person;
        let locale = locale::refined(file, person.and_then(|it| it.locale.as_deref()));
        let zones = [person.and_then(|it| it.zone.as_deref()), self.scene.zone];
        Value::from_object(Names {
            event: self.scene.event.clone(),
            data: self.scene.data.clone(),
            digest: self.scene.digest.clone(),
            recipient: self.person.clone(),
            way_out: self.way_out.map_or(Value::UNDEFINED, Value::from),
            voice: Value::from_object(Voice::new(locale, zones, self.scene.now)),
        })
    }
}

/// What a template can name: `event`, `data`, `recipient` where it is one person, `digest` where there is one, and
/// `unsubscribe_url` in a letter that can be refused.
struct Names {
    event: Value,
    data: Value,
    digest: Value,
    recipient: Value,
    way_out: Value,
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
            "unsubscribe_url" => &self.way_out,
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
